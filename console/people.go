package console

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"hearback/auth"
	"hearback/desk"
	"hearback/ticketstore"
)

// who is the caller inside the handlers. On a public route it is nobody.
type who struct {
	auth.Principal
	Scope   ticketstore.Scope
	address string // of the client
}

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

// What a route may declare beside a permission.
const (
	public = "public" // no log-in needed
	self   = "self"   // any log-in, also one that must change its password first
)

// admit answers who is calling and whether the role allows it.
func (c *Console) admit(r *http.Request, need string) (who, error) {
	if need == "" {
		return who{}, problem(http.StatusForbidden, "forbidden", "This operation declares no permission and is closed.")
	}
	found, err := c.auth.Authenticate(r)
	if errors.Is(err, auth.ErrNobody) && need == public {
		return who{}, c.sameOrigin(r)
	}
	if err != nil {
		return who{}, err
	}
	if !found.Token {
		if err := c.sameOrigin(r); err != nil {
			return who{}, err
		}
	}
	return who{Principal: found, Scope: found.Scope()}, allowed(found, need)
}

// sameOrigin refuses a write that a foreign page made the browser send.
func (c *Console) sameOrigin(r *http.Request) error {
	if err := c.origin.Check(r); err != nil {
		return problem(http.StatusForbidden, "cross_origin", "The request comes from another site and was refused.")
	}
	return nil
}

func allowed(found auth.Principal, need string) error {
	switch {
	case need == public || need == self:
		return nil
	case found.MustChange:
		return problem(http.StatusForbidden, "password_change_required", "Change your password first.")
	case !found.Can(auth.Permission(need)):
		return problem(http.StatusForbidden, "forbidden", "Your role does not allow this.")
	}
	return nil
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
		if of == "" {
			return nil // an upload that waits for its message: whoever knows its id has just made it
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
