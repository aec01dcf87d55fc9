package console

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"hearback/auth"
	"hearback/desk"
	"hearback/ticketstore"
)

type listTickets struct {
	View     string   `query:"view" enum:"mine,queue,waiting,overdue,open,resolved,all" doc:"A view of the inbox; the other parameters narrow it further."`
	Status   []string `query:"status" doc:"Comma separated: new, open, waiting, resolved, closed, archived."`
	Assignee string   `query:"assignee" doc:"An agent's id, me, or none."`
	Team     string   `query:"team"`
	Channel  string   `query:"channel"`
	Contact  string   `query:"contact"`
	Q        string   `query:"q" maxLength:"200" doc:"A ticket number or words."`
	Sort     string   `query:"sort" enum:"next,updated,created"`
	Cursor   string   `query:"cursor" maxLength:"500"`
	Limit    int      `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

func (c *Console) registerTickets(api huma.API) {
	tag := huma.OperationTags("Tickets")
	add(api, get("list-tickets", "/api/v1/tickets", auth.TicketsRead, "List tickets", tag), c.listTickets)
	add(api, get("count-tickets", "/api/v1/tickets/counts", auth.TicketsRead, "Count the views", tag), c.countTickets)
	add(api, get("get-ticket", "/api/v1/tickets/{id}", auth.TicketsRead, "One ticket", tag, onOne), c.getTicket)
	add(api, patch("change-ticket", "/api/v1/tickets/{id}", auth.TicketsWrite, "Change fields of a ticket", tag, onOne), c.changeTicket)
	add(api, get("list-messages", "/api/v1/tickets/{id}/messages", auth.TicketsRead, "A ticket's timeline", tag, onOne), c.listMessages)
	add(api, get("list-decisions", "/api/v1/tickets/{id}/decisions", auth.TicketsRead, "How it was classified and assigned, and why", tag, onOne), c.listDecisions)
	add(api, post("mark-read", "/api/v1/tickets/{id}/read", auth.TicketsRead, "I have seen up to this message", tag, onOne, answers(http.StatusNoContent)), c.markRead)
}

// listTickets answers GET /api/v1/tickets: the view's filter, narrowed by the query, inside the caller's scope.
func (c *Console) listTickets(ctx context.Context, in *listTickets) (*body[Page[Ticket]], error) {
	me := caller(ctx)
	filter, err := ticketFilter(in, me)
	if err != nil {
		return nil, err
	}
	rows, next, err := c.store.Tickets(ctx, filter, me.Agent.ID)
	if err != nil {
		return nil, err
	}
	items := make([]Ticket, 0, len(rows))
	for _, row := range rows {
		items = append(items, c.wireRow(ctx, row))
	}
	return page(items, next), nil
}

func ticketFilter(in *listTickets, me who) (ticketstore.TicketFilter, error) {
	var f ticketstore.TicketFilter
	if in.View != "" {
		var err error
		if f, err = ticketstore.View(in.View, me.Agent.ID); err != nil {
			return f, invalid("query.view", "There is no such view.")
		}
	}
	for _, s := range in.Status {
		status := desk.Status(s)
		if !knownStatus(status) {
			return f, invalid("query.status", "Use new, open, waiting, resolved, closed or archived.")
		}
		f.Status = append(f.Status, status)
	}
	if in.Assignee == "me" {
		in.Assignee = me.Agent.ID
	}
	set(&f.Assignee, in.Assignee)
	set(&f.TeamID, in.Team)
	set(&f.ChannelID, in.Channel)
	set(&f.ContactID, in.Contact)
	set(&f.Query, in.Q)
	set(&f.Sort, in.Sort)
	f.Scope, f.Cursor, f.Limit = me.Scope, in.Cursor, in.Limit
	return f, nil
}

// set overwrites what the view says only with something.
func set(to *string, value string) {
	if value != "" {
		*to = value
	}
}

func knownStatus(s desk.Status) bool {
	return s.Active() || s.Done() || s == desk.StatusResolved
}

func (c *Console) countTickets(ctx context.Context, _ *struct{}) (*body[Counts], error) {
	me := caller(ctx)
	n, err := c.store.Counts(ctx, me.Scope, me.Agent.ID)
	if err != nil {
		return nil, err
	}
	return &body[Counts]{Counts(n)}, nil
}

func (c *Console) getTicket(ctx context.Context, in *onTicket) (*body[Ticket], error) {
	return c.oneTicket(ctx, in.ID)
}

// oneTicket is the answer of every act on a ticket: the ticket as it stands now, with the channel's limits.
func (c *Console) oneTicket(ctx context.Context, id desk.ID) (*body[Ticket], error) {
	row, err := c.store.TicketRow(ctx, id, caller(ctx).Agent.ID)
	if err != nil {
		return nil, err
	}
	t := c.wireRow(ctx, row)
	if open, _, ok := c.fleet.Get(row.ChannelID); ok {
		t.Reply.Capabilities = wireCapabilities(open.Capabilities())
	}
	all, err := c.ways(ctx, row.Ticket)
	if err != nil {
		return nil, err
	}
	t.Reply.Routes = routes(all)
	return &body[Ticket]{t}, nil
}

type changeTicket struct {
	Subject      *string           `json:"subject,omitempty" maxLength:"500"`
	Priority     *string           `json:"priority,omitempty" enum:"normal,urgent,critical"`
	Tags         *[]string         `json:"tags,omitempty" maxItems:"50" maxLength:"100"`
	Fields       map[string]string `json:"fields,omitempty" maxProperties:"100" doc:"Keys to set; an empty value removes the key."`
	SnoozedUntil optionalTime      `json:"snoozed_until,omitempty" doc:"Out of sight until then; null wakes it."`
}

// changeTicket answers PATCH: each given field is one change of the ticket, so that each stands in its timeline.
func (c *Console) changeTicket(ctx context.Context, in *onTicketWith[changeTicket]) (*body[Ticket], error) {
	for _, change := range in.Body.changes() {
		change.TicketID, change.Actor = in.ID, caller(ctx).author()
		_, events, err := c.store.Change(ctx, change)
		if err != nil {
			return nil, err
		}
		c.publish(ctx, events)
	}
	return c.oneTicket(ctx, in.ID)
}

func (b changeTicket) changes() []ticketstore.Change {
	var all []ticketstore.Change
	if b.Subject != nil {
		all = append(all, ticketstore.Change{Subject: b.Subject})
	}
	if b.Priority != nil {
		p := desk.Priority(*b.Priority)
		all = append(all, ticketstore.Change{Priority: &p})
	}
	if b.Tags != nil {
		all = append(all, ticketstore.Change{Tags: b.Tags})
	}
	if len(b.Fields) > 0 {
		all = append(all, ticketstore.Change{Fields: b.Fields})
	}
	if b.SnoozedUntil.Given {
		all = append(all, ticketstore.Change{SnoozedUntil: &b.SnoozedUntil.Time})
	}
	return all
}

type listMessages struct {
	ID     string `path:"id"`
	After  int64  `query:"after" minimum:"0" doc:"Only what was written after this seq, oldest first."`
	Before int64  `query:"before" minimum:"0" doc:"The last messages before this seq. Without after and before: the last of all."`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

// listMessages answers with rising seq whatever was asked. Going back, next is the before of the page above; going forward,
// the after of the page below.
func (c *Console) listMessages(ctx context.Context, in *listMessages) (*body[Page[Message]], error) {
	read := func() ([]desk.Message, error) { return c.store.LastMessages(ctx, in.ID, in.Before, in.Limit) }
	forward := in.After > 0
	if forward {
		read = func() ([]desk.Message, error) { return c.store.Messages(ctx, in.ID, in.After, in.Limit) }
	}
	messages, err := read()
	if err != nil {
		return nil, err
	}
	own := c.channelOf(ctx, in.ID)
	items := make([]Message, 0, len(messages))
	for _, m := range messages {
		items = append(items, c.wireMessage(m, own))
	}
	return page(items, nextMessages(messages, forward, in.Limit)), nil
}

func (c *Console) listDecisions(ctx context.Context, in *onTicket) (*body[Page[Decision]], error) {
	all, err := c.store.Decisions(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	items := make([]Decision, 0, len(all))
	for _, d := range all {
		items = append(items, Decision{ID: d.ID, Kind: d.Kind, At: d.At, Detail: Detail(d.Detail)})
	}
	return page(items, ""), nil
}

type markRead struct {
	Seq int64 `json:"seq" minimum:"0"`
}

func (c *Console) markRead(ctx context.Context, in *onTicketWith[markRead]) (*none, error) {
	me := caller(ctx).Agent.ID
	if err := c.store.MarkRead(ctx, me, in.ID, in.Body.Seq); err != nil {
		return nil, err
	}
	c.hub.markRead(me, in.ID, in.Body.Seq)
	return &none{}, nil
}
