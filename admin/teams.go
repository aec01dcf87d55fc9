package admin

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"hearback/auth"
	"hearback/desk"
)

// A Team is a group that shares a queue.
type Team struct {
	ID        desk.ID   `json:"id"`
	Name      string    `json:"name"`
	Queues    []string  `json:"queues" doc:"Names and numbers of the call queues that are this team's."`
	Template  string    `json:"template" doc:"Its letters: {{text}} with {{signature}}, {{agent}}, {{customer}}, {{number}}; empty: the text with the signature below."`
	CreatedAt desk.Time `json:"created_at" nullable:"false"`
	UpdatedAt desk.Time `json:"updated_at" nullable:"false"`
}

// TeamBody is what is set of a team.
type TeamBody struct {
	Name     string   `json:"name" minLength:"1" maxLength:"100"`
	Queues   []string `json:"queues,omitempty" maxItems:"50" maxLength:"100"`
	Template string   `json:"template,omitempty" maxLength:"10000"`
}

type createTeam struct{ Body TeamBody }

type changeTeam struct {
	ID   string `path:"id"`
	Body struct {
		Name     *string   `json:"name,omitempty" minLength:"1" maxLength:"100"`
		Queues   *[]string `json:"queues,omitempty" maxItems:"50" maxLength:"100"`
		Template *string   `json:"template,omitempty" maxLength:"10000"`
	}
}

func (a *Admin) registerTeams(api huma.API) {
	const g = "Teams"
	add(api, g, auth.PeopleRead, http.MethodGet, "/api/v1/teams", "list-teams", "List teams", a.listTeams)
	add(api, g, auth.PeopleWrite, http.MethodPost, "/api/v1/teams", "create-team", "Add a team", a.createTeam)
	add(api, g, auth.PeopleWrite, http.MethodPatch, "/api/v1/teams/{id}", "change-team", "Change a team", a.changeTeam)
	add(api, g, auth.PeopleWrite, http.MethodDelete, "/api/v1/teams/{id}", "delete-team", "Remove a team", a.deleteTeam)
}

func wireTeam(t desk.Team) Team {
	return Team{ID: t.ID, Name: t.Name, Queues: orEmpty(t.Queues), Template: t.Template, CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt}
}

func (a *Admin) listTeams(ctx context.Context, _ *struct{}) (*body[List[Team]], error) {
	teams, err := a.store.Teams(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]Team, 0, len(teams))
	for _, t := range teams {
		all = append(all, wireTeam(t))
	}
	return items(all, ""), nil
}

func (a *Admin) createTeam(ctx context.Context, in *createTeam) (*body[Team], error) {
	b := in.Body
	return a.saveTeam(ctx, desk.Team{Name: b.Name, Queues: trimmed(b.Queues), Template: b.Template}, "team.created")
}

func (a *Admin) changeTeam(ctx context.Context, in *changeTeam) (*body[Team], error) {
	t, err := a.store.Team(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	b := in.Body
	if b.Name != nil {
		t.Name = *b.Name
	}
	if b.Queues != nil {
		t.Queues = trimmed(*b.Queues)
	}
	if b.Template != nil {
		t.Template = *b.Template
	}
	return a.saveTeam(ctx, t, "team.changed")
}

func (a *Admin) saveTeam(ctx context.Context, t desk.Team, action string) (*body[Team], error) {
	if t.Name = strings.TrimSpace(t.Name); t.Name == "" {
		return nil, wrong("body.name", "Give the team a name.")
	}
	if t.Template != "" && !strings.Contains(t.Template, "{{text}}") {
		return nil, wrong("body.template", "The template needs {{text}}: there the answer is put in.")
	}
	t, err := a.store.SaveTeam(ctx, t)
	if err != nil {
		return nil, err
	}
	a.changed(ctx, "teams", action, t.ID, TeamBody{Name: t.Name, Queues: t.Queues, Template: t.Template})
	return &body[Team]{wireTeam(t)}, nil
}

func (a *Admin) deleteTeam(ctx context.Context, in *byID) (*none, error) {
	t, err := a.store.Team(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if err := a.store.DeleteTeam(ctx, t.ID); err != nil {
		return nil, err
	}
	a.changed(ctx, "teams", "team.deleted", t.ID, TeamBody{Name: t.Name})
	return &none{}, nil
}
