package console

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"hearback/desk"
)

type logIn struct {
	UserAgent string `header:"User-Agent" hidden:"true"`
	Body      struct {
		Email    string `json:"email" minLength:"3" maxLength:"320"`
		Password string `json:"password" minLength:"1" maxLength:"1000"`
	}
}

// LoggedIn answers a log-in.
type LoggedIn struct {
	Agent              Me   `json:"agent"`
	MustChangePassword bool `json:"must_change_password"`
}

type loggedIn struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      LoggedIn
}

type loggedOut struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
}

type changePassword struct {
	Body struct {
		Old string `json:"old" minLength:"1" maxLength:"1000"`
		New string `json:"new" minLength:"1" maxLength:"1000"`
	}
}

type onSession struct {
	ID string `path:"id"`
}

func (c *Console) registerSession(api huma.API) {
	tag := huma.OperationTags("Session")
	add(api, post("log-in", "/api/v1/session", public, "Log in", tag), c.logIn)
	add(api, get("get-session", "/api/v1/session", self, "Who am I, and what the page needs to start", tag), c.getSession)
	add(api, patch("change-me", "/api/v1/session", self, "Change what is mine to change", tag), c.changeMe)
	add(api, remove("log-out", "/api/v1/session", self, "Log out", tag), c.logOut)
	add(api, post("change-password", "/api/v1/session/password", self, "Change my password", tag, answers(http.StatusNoContent)), c.changePassword)
	add(api, get("list-sessions", "/api/v1/sessions", self, "Where I am logged in", tag), c.listSessions)
	add(api, remove("revoke-session", "/api/v1/sessions/{id}", self, "End one of my log-ins", tag), c.revokeSession)
}

func (c *Console) logIn(ctx context.Context, in *logIn) (*loggedIn, error) {
	login, err := c.auth.LogIn(ctx, in.Body.Email, in.Body.Password, in.UserAgent, address(ctx))
	if err != nil {
		return nil, err
	}
	out := &loggedIn{SetCookie: *c.auth.Cookie(login.Secret)}
	out.Body = LoggedIn{Agent: c.me(ctx, login.Principal.Agent), MustChangePassword: login.Principal.MustChange}
	return out, nil
}

// me is the caller as the page shows him.
func (c *Console) me(ctx context.Context, a desk.Agent) Me {
	m := Me{
		ID: a.ID, Email: a.Email, Name: a.Name, Role: string(a.Role), Teams: []TeamRef{}, Skills: list(a.Skills),
		Capacity: capacity(a.Capacity), Availability: string(desk.Available), Language: a.Language, Bot: a.Bot,
		Extensions: list(a.Extensions), Signature: a.Signature,
	}
	for _, id := range a.Teams {
		m.Teams = append(m.Teams, c.names.team(id))
	}
	if word, err := c.store.Availabilities(ctx); err == nil && word[a.ID] != "" {
		m.Availability = string(word[a.ID])
	}
	return m
}

func (c *Console) getSession(ctx context.Context, _ *struct{}) (*body[Session], error) {
	me := caller(ctx)
	s := Session{
		Agent: c.me(ctx, me.Agent), MustChangePassword: me.MustChange, Permissions: list(me.Permissions()),
		Build: c.opt.Build, Node: c.opt.Node, Teams: c.names.allTeams(), Channels: c.names.allChannels(),
		Config: SessionConfig{
			PublicURL: c.opt.PublicURL, MaxText: maxText, MaxUpload: maxUpload, UploadTypes: uploadTypes,
			FirstResponse: int64(c.opt.FirstResponse.Seconds()),
		},
	}
	return &body[Session]{s}, nil
}

func (c *Console) logOut(ctx context.Context, _ *struct{}) (*loggedOut, error) {
	me := caller(ctx)
	if me.SessionID != "" {
		if err := c.auth.LogOut(ctx, me.Agent.ID, me.SessionID); err != nil {
			return nil, err
		}
		c.sessionsEnded(ctx, me.Agent.ID)
	}
	return &loggedOut{SetCookie: *c.auth.Cookie("")}, nil
}

func (c *Console) changePassword(ctx context.Context, in *changePassword) (*none, error) {
	me := caller(ctx)
	if err := c.auth.ChangePassword(ctx, me.Agent.ID, me.SessionID, in.Body.Old, in.Body.New); err != nil {
		return nil, err
	}
	c.sessionsEnded(ctx, me.Agent.ID)
	return &none{}, nil
}

func (c *Console) listSessions(ctx context.Context, _ *struct{}) (*body[Page[SessionRow]], error) {
	me := caller(ctx)
	all, err := c.store.Sessions(ctx, me.Agent.ID)
	if err != nil {
		return nil, err
	}
	items := make([]SessionRow, 0, len(all))
	for _, s := range all {
		items = append(items, SessionRow{
			ID: s.ID, UserAgent: s.UserAgent, Address: s.Address, CreatedAt: s.CreatedAt, SeenAt: s.SeenAt, Current: s.ID == me.SessionID,
		})
	}
	return page(items, ""), nil
}

func (c *Console) revokeSession(ctx context.Context, in *onSession) (*none, error) {
	me := caller(ctx).Agent.ID
	if err := c.store.RevokeSession(ctx, me, in.ID); err != nil {
		return nil, err
	}
	c.sessionsEnded(ctx, me)
	return &none{}, nil
}

// sessionsEnded makes every node look again at the sockets of an agent: those whose session is gone are closed.
func (c *Console) sessionsEnded(ctx context.Context, agent desk.ID) {
	c.publish(ctx, []desk.Event{{Type: eventSessions, Data: map[string]string{"agent_id": agent}}})
}

type changeMe struct {
	Body struct {
		Signature *string `json:"signature,omitempty" maxLength:"2000" doc:"Below my letters."`
		Language  *string `json:"language,omitempty" maxLength:"35"`
	}
}

// changeMe lets an agent change what concerns nobody but him and his letters.
func (c *Console) changeMe(ctx context.Context, in *changeMe) (*body[Me], error) {
	me, err := c.store.Agent(ctx, caller(ctx).Agent.ID)
	if err != nil {
		return nil, err
	}
	if in.Body.Signature != nil {
		if err := checkText("body.signature", *in.Body.Signature, false); err != nil {
			return nil, err
		}
		me.Signature = *in.Body.Signature
	}
	if in.Body.Language != nil {
		me.Language = *in.Body.Language
	}
	if me, err = c.store.UpdateAgent(ctx, me); err != nil {
		return nil, err
	}
	c.auth.Forget(me.ID)
	c.publish(ctx, []desk.Event{{Type: "people", Data: map[string]string{"id": me.ID}}})
	return &body[Me]{c.me(ctx, me)}, nil
}
