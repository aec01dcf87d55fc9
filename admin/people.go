package admin

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"hearback/auth"
	"hearback/desk"
)

// An Agent is a person or bot who answers.
type Agent struct {
	ID           desk.ID   `json:"id"`
	Email        string    `json:"email"`
	Name         string    `json:"name"`
	Role         string    `json:"role" enum:"admin,supervisor,agent"`
	Teams        []desk.ID `json:"teams"`
	Skills       []string  `json:"skills"`
	Capacity     int       `json:"capacity"`
	Availability string    `json:"availability" enum:"available,busy,away"`
	Language     string    `json:"language"`
	Bot          bool      `json:"bot"`
	Disabled     bool      `json:"disabled"`
	Extensions   []string  `json:"extensions" doc:"What call centres call him: extension, seat number, user name."`
	Signature    string    `json:"signature" doc:"Below his letters."`
	CreatedAt    desk.Time `json:"created_at" nullable:"false"`
	UpdatedAt    desk.Time `json:"updated_at" nullable:"false"`
}

type createAgent struct {
	Body struct {
		Email    string    `json:"email" minLength:"3" maxLength:"320"`
		Name     string    `json:"name" minLength:"1" maxLength:"100"`
		Role     string    `json:"role,omitempty" enum:"admin,supervisor,agent" default:"agent"`
		Teams    []desk.ID `json:"teams,omitempty" maxItems:"200"`
		Skills   []string  `json:"skills,omitempty" maxItems:"200" maxLength:"100"`
		Capacity int       `json:"capacity,omitempty" minimum:"0" maximum:"1000" doc:"Weighted units of work at once; 0: 10."`
		Language string    `json:"language,omitempty" maxLength:"35"`
		Bot      bool      `json:"bot,omitempty"`

		Extensions []string `json:"extensions,omitempty" maxItems:"20" maxLength:"100" doc:"What call centres call him: extension, seat number, user name."`
		Signature  string   `json:"signature,omitempty" maxLength:"2000" doc:"Below his letters."`
		Password   string   `json:"password,omitempty" maxLength:"1000" doc:"A first one, to be changed at the first log-in. Without it nobody can log in with a password."`
	}
}

type changeAgent struct {
	ID   string `path:"id"`
	Body struct {
		Email      *string    `json:"email,omitempty" minLength:"3" maxLength:"320"`
		Name       *string    `json:"name,omitempty" minLength:"1" maxLength:"100"`
		Role       *string    `json:"role,omitempty" enum:"admin,supervisor,agent"`
		Teams      *[]desk.ID `json:"teams,omitempty" maxItems:"200"`
		Skills     *[]string  `json:"skills,omitempty" maxItems:"200" maxLength:"100"`
		Capacity   *int       `json:"capacity,omitempty" minimum:"0" maximum:"1000"`
		Language   *string    `json:"language,omitempty" maxLength:"35"`
		Extensions *[]string  `json:"extensions,omitempty" maxItems:"20" maxLength:"100"`
		Signature  *string    `json:"signature,omitempty" maxLength:"2000"`

		Disabled *bool   `json:"disabled,omitempty" doc:"true ends every log-in and gives the work back to the queue."`
		Password *string `json:"password,omitempty" minLength:"1" maxLength:"1000" doc:"A new one, to be changed at the next log-in; every log-in ends."`
	}
}

func (a *Admin) registerPeople(api huma.API) {
	const g = "People"
	add(api, g, auth.PeopleRead, http.MethodGet, "/api/v1/agents", "list-agents", "List agents", a.listAgents)
	add(api, g, auth.PeopleWrite, http.MethodPost, "/api/v1/agents", "create-agent", "Add an agent", a.createAgent)
	add(api, g, auth.PeopleRead, http.MethodGet, "/api/v1/agents/{id}", "get-agent", "One agent", a.getAgent)
	add(api, g, auth.PeopleWrite, http.MethodPatch, "/api/v1/agents/{id}", "change-agent", "Change an agent", a.changeAgent)
}

func (a *Admin) listAgents(ctx context.Context, _ *struct{}) (*body[List[Agent]], error) {
	agents, err := a.store.Agents(ctx)
	if err != nil {
		return nil, err
	}
	words, err := a.store.Availabilities(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]Agent, 0, len(agents))
	for _, one := range agents {
		all = append(all, wireAgent(one, words[one.ID]))
	}
	return items(all, ""), nil
}

func (a *Admin) getAgent(ctx context.Context, in *byID) (*body[Agent], error) {
	one, err := a.store.Agent(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return a.answerAgent(ctx, one)
}

func (a *Admin) answerAgent(ctx context.Context, one desk.Agent) (*body[Agent], error) {
	words, err := a.store.Availabilities(ctx)
	if err != nil {
		return nil, err
	}
	return &body[Agent]{wireAgent(one, words[one.ID])}, nil
}

func wireAgent(a desk.Agent, word desk.Availability) Agent {
	if word == "" {
		word = desk.Available
	}
	w := Agent{
		ID: a.ID, Email: a.Email, Name: a.Name, Role: string(a.Role), Teams: orEmpty(a.Teams), Skills: orEmpty(a.Skills),
		Capacity: a.Capacity, Availability: string(word), Language: a.Language, Bot: a.Bot, Disabled: a.Disabled,
		Extensions: orEmpty(a.Extensions), Signature: a.Signature, CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt,
	}
	if w.Capacity == 0 {
		w.Capacity = 10
	}
	return w
}

// An AgentAudit says what was set for a person; the password only that it was.
type AgentAudit struct {
	Email    string   `json:"email"`
	Role     string   `json:"role"`
	Teams    []string `json:"teams"`
	Disabled bool     `json:"disabled"`
	Password bool     `json:"password"`
}

func auditOf(a desk.Agent, password bool) AgentAudit {
	return AgentAudit{Email: a.Email, Role: string(a.Role), Teams: orEmpty(a.Teams), Disabled: a.Disabled, Password: password}
}

func (a *Admin) createAgent(ctx context.Context, in *createAgent) (*body[Agent], error) {
	b := in.Body
	if err := a.checkTeams(ctx, b.Teams); err != nil {
		return nil, err
	}
	hash, err := a.hash(b.Password)
	if err != nil {
		return nil, err
	}
	one, err := a.store.CreateAgent(ctx, desk.Agent{
		Email: b.Email, Name: b.Name, Role: desk.Role(b.Role), Teams: b.Teams, Skills: b.Skills,
		Capacity: b.Capacity, Language: b.Language, Bot: b.Bot, Extensions: trimmed(b.Extensions), Signature: b.Signature,
	}, hash, hash != "")
	if err != nil {
		return nil, err
	}
	a.changed(ctx, "people", "agent.created", one.ID, auditOf(one, hash != ""))
	return a.answerAgent(ctx, one)
}

// hash judges and hashes a password; none is none.
func (a *Admin) hash(password string) (string, error) {
	if password == "" {
		return "", nil
	}
	hash, err := a.o.Auth.HashPassword(password)
	if err != nil {
		return "", wrong("body.password", shownText(err))
	}
	return hash, nil
}

func (a *Admin) checkTeams(ctx context.Context, ids []desk.ID) error {
	for _, id := range ids {
		if _, err := a.store.Team(ctx, id); err != nil {
			return wrong("body.teams", "There is no team "+id+".")
		}
	}
	return nil
}

// changeAgent changes what is given. A new password and disabling end every log-in of the agent; his sockets close.
func (a *Admin) changeAgent(ctx context.Context, in *changeAgent) (*body[Agent], error) {
	one, err := a.store.Agent(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	b := in.Body
	if b.Teams != nil {
		if err := a.checkTeams(ctx, *b.Teams); err != nil {
			return nil, err
		}
	}
	if b.Password != nil {
		if _, err := a.hash(*b.Password); err != nil {
			return nil, err // a weak password must not leave the rest changed
		}
	}
	applyAgent(&one, in)
	if one, err = a.store.UpdateAgent(ctx, one); err != nil {
		return nil, err
	}
	if err := a.relock(ctx, one, b.Password); err != nil {
		return nil, err
	}
	a.changed(ctx, "people", "agent.changed", one.ID, auditOf(one, b.Password != nil))
	return a.answerAgent(ctx, one)
}

func applyAgent(one *desk.Agent, in *changeAgent) {
	b := in.Body
	if b.Email != nil {
		one.Email = *b.Email
	}
	if b.Name != nil {
		one.Name = *b.Name
	}
	if b.Role != nil {
		one.Role = desk.Role(*b.Role)
	}
	if b.Teams != nil {
		one.Teams = *b.Teams
	}
	if b.Skills != nil {
		one.Skills = *b.Skills
	}
	if b.Capacity != nil {
		one.Capacity = *b.Capacity
	}
	if b.Language != nil {
		one.Language = *b.Language
	}
	if b.Extensions != nil {
		one.Extensions = trimmed(*b.Extensions)
	}
	if b.Signature != nil {
		one.Signature = *b.Signature
	}
	if b.Disabled != nil {
		one.Disabled = *b.Disabled
	}
}

// relock sets the new password and ends the log-ins that are no longer right.
func (a *Admin) relock(ctx context.Context, one desk.Agent, password *string) error {
	if password != nil {
		err := a.o.Auth.SetPassword(ctx, one.ID, *password, one.ID != a.o.Actor(ctx).ID)
		if errors.Is(err, desk.ErrInvalid) {
			return wrong("body.password", shownText(err))
		}
		return err
	}
	if !one.Disabled {
		return nil
	}
	_, err := a.o.Auth.LogOutOthers(ctx, one.ID, "")
	return err
}

// shownText is a refusal's words without the word of its class.
func shownText(err error) string {
	return strings.TrimSuffix(err.Error(), ": "+desk.ErrInvalid.Error())
}
