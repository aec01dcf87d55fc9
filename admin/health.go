package admin

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"hearback/auth"
	"hearback/connectors/fleet"
	"hearback/desk"
)

// A Check is one thing the doctor looked at.
type Check struct {
	Name   string `json:"name"`
	State  string `json:"state" enum:"ok,warning,error,off"`
	Detail string `json:"detail" doc:"What is wrong and how to mend it; empty when all is well."`
}

// A Report is the whole house at a glance.
type Report struct {
	State  string  `json:"state" enum:"ok,warning,error" doc:"The worst of all checks."`
	Checks []Check `json:"checks"`
}

// An AuditRow is one act of a person that others may ask about.
type AuditRow struct {
	ID        desk.ID     `json:"id"`
	At        desk.Time   `json:"at" nullable:"false"`
	ActorID   desk.ID     `json:"actor_id"`
	ActorName string      `json:"actor_name"`
	Action    string      `json:"action"`
	Object    string      `json:"object"`
	Detail    AuditDetail `json:"detail"`
}

// AuditDetail is JSON whose members depend on the action.
type AuditDetail json.RawMessage

// Schema says that it is some object.
func (AuditDetail) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
}

// MarshalJSON writes it as it is.
func (d AuditDetail) MarshalJSON() ([]byte, error) {
	if len(d) == 0 {
		return []byte("{}"), nil
	}
	return d, nil
}

type listAudit struct {
	Cursor string `query:"cursor" maxLength:"500"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

func (a *Admin) registerHealth(api huma.API) {
	add(api, "Health", auth.HealthRead, http.MethodGet, "/api/v1/health", "get-health", "Database, Redis, channels: what is wrong and how to mend it", a.health)
	add(api, "Audit", auth.AuditRead, http.MethodGet, "/api/v1/audit", "list-audit", "Who changed what", a.listAudit)
}

func (a *Admin) health(ctx context.Context, _ *struct{}) (*body[Report], error) {
	report := Report{State: "ok", Checks: []Check{}}
	if a.o.Checks != nil {
		report.Checks = append(report.Checks, a.o.Checks(ctx)...)
	}
	channels, err := a.store.Channels(ctx)
	if err != nil {
		return nil, err
	}
	lights, err := a.store.HealthAll(ctx)
	if err != nil {
		return nil, err
	}
	for _, ch := range channels {
		h := lights[ch.ID]
		report.Checks = append(report.Checks, Check{Name: ch.Name, State: fleet.Light(ch.Enabled, h), Detail: h.LastError})
	}
	for _, check := range report.Checks {
		if check.State == "error" || check.State == "warning" && report.State == "ok" {
			report.State = check.State
		}
	}
	return &body[Report]{report}, nil
}

func (a *Admin) listAudit(ctx context.Context, in *listAudit) (*body[List[AuditRow]], error) {
	rows, next, err := a.store.AuditTrail(ctx, in.Cursor, in.Limit)
	if err != nil {
		return nil, err
	}
	agents, err := a.store.Agents(ctx)
	if err != nil {
		return nil, err
	}
	names := map[desk.ID]string{}
	for _, one := range agents {
		names[one.ID] = one.Name
	}
	all := make([]AuditRow, 0, len(rows))
	for _, r := range rows {
		all = append(all, AuditRow{
			ID: r.ID, At: r.At, ActorID: r.ActorID, ActorName: names[r.ActorID], Action: r.Action, Object: r.Object, Detail: AuditDetail(r.Detail),
		})
	}
	return items(all, next), nil
}
