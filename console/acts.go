package console

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"hearback/auth"
	"hearback/desk"
	"hearback/ticketstore"
)

type transferTicket struct {
	ToTeam  string `json:"to_team,omitempty"`
	ToAgent string `json:"to_agent,omitempty"`
	Reason  string `json:"reason" maxLength:"1000" doc:"Required: the next one reads it."`
}

type withReason struct {
	Reason string `json:"reason,omitempty" maxLength:"1000"`
}

type mergeTicket struct {
	Into string `json:"into" minLength:"1" doc:"The ticket that stays: its id or number."`
}

type splitTicket struct {
	MessageID string `json:"message_id" minLength:"1" doc:"This message and everything after it moves into a new ticket."`
}

func (c *Console) registerActs(api huma.API) {
	tag := huma.OperationTags("Acts")
	act := func(id, name, summary string) huma.Operation {
		return post(id, "/api/v1/tickets/{id}/"+name, auth.TicketsWrite, summary, tag, onOne)
	}
	add(api, act("claim", "claim", "Take a ticket nobody owns"), c.claim)
	add(api, act("transfer", "transfer", "Give it to a team or a colleague"), c.transfer)
	add(api, act("resolve", "resolve", "Answered: the customer may say otherwise"), c.resolve)
	add(api, act("close", "close", "Close for good"), c.close)
	add(api, act("reopen", "reopen", "Open again"), c.reopen)
	add(api, act("merge", "merge", "Put this ticket's messages into another"), c.merge)
	add(api, act("split", "split", "Move messages into a new ticket"), c.split)
}

// claim gives an unowned ticket to the caller. Of two at once one wins and the other is told who.
func (c *Console) claim(ctx context.Context, in *onTicket) (*body[Ticket], error) {
	me := caller(ctx)
	result, err := c.router.Claim(ctx, in.ID, me.Agent)
	if err != nil {
		return nil, err
	}
	if !result.Taken && result.Ticket.AssigneeID != me.Agent.ID {
		return nil, c.notTaken(result.Ticket)
	}
	c.publish(ctx, result.Events)
	return c.oneTicket(ctx, in.ID)
}

// notTaken says why a claim did not work: somebody else was first, or there is nothing to take any more.
func (c *Console) notTaken(t desk.Ticket) error {
	if t.AssigneeID == "" {
		return problem(http.StatusConflict, "ticket_closed", "The ticket is not open any more.")
	}
	owner := c.names.agent(t.AssigneeID)
	p := problem(http.StatusConflict, "already_claimed", owner.Name+" has taken this ticket.")
	p.Assignee = &owner
	return p
}

func (c *Console) transfer(ctx context.Context, in *onTicketWith[transferTicket]) (*body[Ticket], error) {
	b := in.Body
	if strings.TrimSpace(b.Reason) == "" {
		return nil, invalid("body.reason", "Say why: the next one starts with it.")
	}
	if (b.ToTeam == "") == (b.ToAgent == "") {
		return nil, invalid("body.to_team", "Name either to_team or to_agent.")
	}
	move := c.toTeam
	if b.ToAgent != "" {
		move = c.toAgent
	}
	if err := move(ctx, in.ID, b); err != nil {
		return nil, err
	}
	return c.oneTicket(ctx, in.ID) // also when it left his scope: he gave it away a moment ago
}

func (c *Console) toAgent(ctx context.Context, ticket desk.ID, b transferTicket) error {
	to, err := c.store.Agent(ctx, b.ToAgent)
	if err != nil || to.Disabled {
		return invalid("body.to_agent", "There is no such agent, or the account is disabled.")
	}
	result, err := c.router.Transfer(ctx, ticket, to, caller(ctx).author(), b.Reason)
	if err != nil {
		return err
	}
	if !result.Taken {
		return problem(http.StatusConflict, "conflict", "The ticket changed meanwhile. Load it again.")
	}
	c.publish(ctx, result.Events)
	return nil
}

func (c *Console) toTeam(ctx context.Context, ticket desk.ID, b transferTicket) error {
	if _, err := c.store.Team(ctx, b.ToTeam); err != nil {
		return invalid("body.to_team", "There is no such team.")
	}
	result, err := c.router.ToTeam(ctx, ticket, b.ToTeam, caller(ctx).author(), b.Reason)
	if err != nil {
		return err
	}
	c.publish(ctx, result.Events)
	return nil
}

func (c *Console) resolve(ctx context.Context, in *onTicketMaybe[withReason]) (*body[Ticket], error) {
	return c.moveTo(ctx, in.ID, desk.StatusResolved, reasonOf(in))
}

func (c *Console) close(ctx context.Context, in *onTicketMaybe[withReason]) (*body[Ticket], error) {
	return c.moveTo(ctx, in.ID, desk.StatusClosed, reasonOf(in))
}

func reasonOf(in *onTicketMaybe[withReason]) string {
	if in.Body == nil {
		return ""
	}
	return in.Body.Reason
}

// reopen makes a resolved or closed ticket somebody's work again. Its owner keeps it; without one it is queued.
func (c *Console) reopen(ctx context.Context, in *onTicketWith[withReason]) (*body[Ticket], error) {
	if strings.TrimSpace(in.Body.Reason) == "" {
		return nil, invalid("body.reason", "Say why it is opened again.")
	}
	t, err := c.store.Ticket(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	to := desk.StatusOpen
	if t.AssigneeID == "" {
		to = desk.StatusNew
	}
	return c.moveTo(ctx, in.ID, to, in.Body.Reason)
}

// moveTo changes the status and tells the router what became of the load.
func (c *Console) moveTo(ctx context.Context, id desk.ID, to desk.Status, reason string) (*body[Ticket], error) {
	t, events, err := c.store.Change(ctx, ticketstore.Change{TicketID: id, Actor: caller(ctx).author(), Status: to, Reason: reason})
	if err != nil {
		return nil, err
	}
	c.publish(ctx, events)
	c.settleLoad(ctx, t)
	return c.oneTicket(ctx, id)
}

// settleLoad keeps the board true after a change of status. The board is rebuilt from SQL by the reconciler, so a failure
// here costs a minute of a stale number and is no failure of the request.
func (c *Console) settleLoad(ctx context.Context, t desk.Ticket) {
	settle := c.router.Queue
	if !t.Status.Active() {
		settle = c.router.Release
	}
	if err := settle(ctx, t); err != nil {
		c.logger.Warn("the load board was not told; the reconciler will", "ticket", t.ID, "err", err)
	}
}

func (c *Console) merge(ctx context.Context, in *onTicketWith[mergeTicket]) (*body[Ticket], error) {
	into, err := c.findTicket(ctx, in.Body.Into)
	if err != nil {
		return nil, err
	}
	if into == in.ID {
		return nil, invalid("body.into", "A ticket cannot be merged into itself.")
	}
	events, err := c.store.Merge(ctx, into, in.ID, caller(ctx).author())
	if err != nil {
		return nil, err
	}
	c.publish(ctx, events)
	if from, err := c.store.Ticket(ctx, in.ID); err == nil {
		c.settleLoad(ctx, from)
	}
	return c.oneTicket(ctx, into)
}

// findTicket takes an id or a number and answers only inside the caller's scope.
func (c *Console) findTicket(ctx context.Context, name string) (desk.ID, error) {
	id := name
	if t, err := c.store.TicketByNumber(ctx, name); err == nil {
		id = t.ID
	}
	if err := c.mustSee(ctx, id); err != nil {
		return "", invalid("body.into", "There is no such ticket.")
	}
	return id, nil
}

func (c *Console) split(ctx context.Context, in *onTicketWith[splitTicket]) (*body[Ticket], error) {
	m, err := c.store.Message(ctx, in.Body.MessageID)
	if err != nil || m.TicketID != in.ID {
		return nil, invalid("body.message_id", "This message is not in the ticket.")
	}
	t, events, err := c.store.Split(ctx, in.ID, in.Body.MessageID, caller(ctx).author())
	if err != nil {
		return nil, err
	}
	c.publish(ctx, events)
	c.settleLoad(ctx, t)
	return c.oneTicket(ctx, t.ID)
}
