package console

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"hearback/desk"
	"hearback/ticketstore"
)

// A Caller is a request's author as the people's room knows him.
type Caller struct {
	Agent       desk.Agent
	Scope       ticketstore.Scope
	SessionID   desk.ID // "" for an API token
	MustChange  bool    // The password was set by somebody else and must be changed first.
	Permissions []string
}

// A Login is a new session: its secret goes into the cookie and nowhere else.
type Login struct {
	Caller Caller
	Secret string
}

// ErrNobody is returned by Auth when a request carries no valid session or token.
var ErrNobody = errors.New("nobody is logged in")

// Auth is what the console asks of the people's room.
type Auth interface {
	// Authenticate finds out who makes a request, by cookie or bearer token; cookie tells which. ErrNobody: nobody.
	Authenticate(r *http.Request) (caller Caller, cookie bool, err error)
	// LogIn opens a session. A *Problem with 401 or 429 says why not.
	LogIn(ctx context.Context, email, password, userAgent, address string) (Login, error)
	// LogOut ends the session.
	LogOut(ctx context.Context, agent, session desk.ID) error
	// ChangePassword sets the caller's own; every other session of his ends. desk.ErrInvalid says what is wrong with it.
	ChangePassword(ctx context.Context, agent, session desk.ID, old, new string) error
}

// who is the caller inside the handlers.
type who struct{ Caller }

// author signs what the caller writes.
func (w who) author() desk.Author {
	kind := "agent"
	if w.Agent.Bot {
		kind = "bot"
	}
	return desk.Author{Kind: kind, ID: w.Agent.ID, Name: w.Agent.Name}
}

// Actor is the agent who makes this request: package admin signs its audit with it.
func Actor(ctx context.Context) desk.Agent { return caller(ctx).Agent }

// Permissions the console's routes declare. The role of the caller brings them.
const (
	public        = "public" // no log-in needed
	self          = "self"   // any log-in
	ticketsRead   = "tickets:read"
	ticketsWrite  = "tickets:write"
	contactsRead  = "contacts:read"
	contactsWrite = "contacts:write"
	peopleRead    = "people:read"
)

// admit answers who is calling and whether the role allows it.
func (c *Console) admit(r *http.Request, need string) (who, error) {
	if need == "" {
		return who{}, problem(http.StatusForbidden, "forbidden", "This operation declares no permission and is closed.")
	}
	found, cookie, err := c.auth.Authenticate(r)
	switch {
	case errors.Is(err, ErrNobody) && need == public:
		return who{}, c.sameOrigin(r)
	case errors.Is(err, ErrNobody):
		return who{}, problem(http.StatusUnauthorized, "unauthorized", "Log in first.")
	case err != nil:
		return who{}, err
	}
	if cookie || need == public {
		if err := c.sameOrigin(r); err != nil {
			return who{}, err
		}
	}
	return who{found}, allowed(found, need)
}

// sameOrigin refuses a write that a foreign page made the browser send.
func (c *Console) sameOrigin(r *http.Request) error {
	if err := c.origin.Check(r); err != nil {
		return problem(http.StatusForbidden, "cross_origin", "The request comes from another site and was refused.")
	}
	return nil
}

func allowed(found Caller, need string) error {
	if need == public || need == self {
		return nil
	}
	if found.MustChange {
		return problem(http.StatusForbidden, "password_change_required", "Change your password first.")
	}
	for _, p := range found.Permissions {
		if p == need {
			return nil
		}
	}
	return problem(http.StatusForbidden, "forbidden", "Your role does not allow this.")
}

// inScope hides tickets the caller must not see: a message and a file are as visible as their ticket.
func (c *Console) inScope(ctx context.Context, me who, hctx huma.Context) error {
	scope, _ := hctx.Operation().Metadata[metaScope].(string)
	if scope == "" {
		return nil
	}
	ticket := hctx.Param("id")
	switch scope {
	case "message":
		m, err := c.store.Message(ctx, ticket)
		if err != nil {
			return err
		}
		ticket = m.TicketID
	case "attachment":
		_, of, err := c.store.Attachment(ctx, ticket)
		if err != nil {
			return err
		}
		ticket = of
	}
	return c.sees(ctx, me, ticket)
}

// sees is nil when the ticket is in scope and desk.ErrNotFound when it is not there or not for these eyes.
func (c *Console) sees(ctx context.Context, me who, ticket desk.ID) error {
	ok, err := c.store.VisibleTo(ctx, ticket, me.Scope)
	if err != nil {
		return err
	}
	if !ok {
		return desk.ErrNotFound
	}
	return nil
}

func (c *Console) mustSee(ctx context.Context, ticket desk.ID) error {
	return c.sees(ctx, caller(ctx), ticket)
}

// refuse writes the answer of a request that does not reach its handler.
func refuse(api huma.API, ctx huma.Context, c *Console, err error) {
	p := unexpected(ctx, c.logger, err)
	ctx.SetHeader("Content-Type", "application/problem+json")
	ctx.SetStatus(p.Status)
	if err := api.Marshal(ctx.BodyWriter(), "application/json", p); err != nil {
		c.logger.Debug("answer was not written", "err", err)
	}
}
