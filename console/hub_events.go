package console

import (
	"context"
	"slices"
	"time"

	"hearback/desk"
	"hearback/ticketstore"
)

const (
	lookUp     = 500 * time.Millisecond // how long dispatch waits for a name it does not remember
	justOpened = 10 * time.Second       // a ticket so young that was never seen here was on nobody's page
)

// standing is what dispatch remembers of a ticket: who could see it, and what the counts depend on.
type standing struct {
	assignee, team       desk.ID
	status               desk.Status
	snoozed, first, last desk.Time
	replied              bool
}

func standingOf(t *desk.Ticket) standing {
	return standing{
		assignee: t.AssigneeID, team: t.TeamID, status: t.Status, snoozed: t.SnoozedUntil,
		first: t.FirstResponseDueAt, last: t.ResolutionDueAt, replied: t.FirstReplyAt != 0,
	}
}

func (st standing) ticket() desk.Ticket { return desk.Ticket{AssigneeID: st.assignee, TeamID: st.team} }

// dispatch hands out events one after the other until ctx ends.
func (h *hub) dispatch(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.gap:
			if h.missed.Swap(false) {
				h.reload(ctx)
				h.toAll(encode(word{Type: "resync"}))
			}
		case events := <-h.incoming:
			for _, e := range events {
				h.handle(ctx, e)
			}
		}
	}
}

func (h *hub) handle(ctx context.Context, e desk.Event) {
	switch e.Type {
	case "message", "message_update", "ticket":
		h.ticketEvent(ctx, e)
	case "typing", "preview", "online", "offline":
		h.typing(e)
	case "channel", "rules", "people", "teams":
		h.changed(ctx, e)
	case eventSessions:
		h.c.auth.Forget(e.Data["agent_id"])
		h.recheck(h.of(e.Data["agent_id"]))
	case "presence":
		h.presence.look()
	case "call":
		h.callEvent(e)
	case "window":
		h.windowEvent(ctx, e)
	case "channel_log":
		h.logs.touch(e.Data["id"])
	}
}

// toAll is for what everybody may know.
func (h *hub) toAll(f *frame) {
	for _, s := range h.all() {
		s.send(f)
	}
}

// ticketEvent sends the message to those who have the ticket before them, and the ticket to everybody in whose scope it is.
func (h *hub) ticketEvent(ctx context.Context, e desk.Event) {
	if e.Contact != nil {
		h.contacts.put(e.Contact.ID, ContactRef{ID: e.Contact.ID, Name: e.Contact.Name, Level: e.Contact.Level})
	}
	if !h.complete(ctx, &e) {
		return
	}
	if e.Message != nil {
		h.messageEvent(e)
	}
	if e.Ticket != nil {
		h.summaryEvent(ctx, e)
	}
}

// complete reads what was too big to travel between nodes. A node without sockets needs nothing.
func (h *hub) complete(ctx context.Context, e *desk.Event) bool {
	if e.Message != nil || e.Ticket != nil {
		return true
	}
	if len(h.all()) == 0 {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, lookUp)
	defer cancel()
	t, err := h.c.store.Ticket(ctx, e.TicketID)
	if err != nil {
		return false
	}
	e.Ticket = &t
	resync := encode(ticketWord{Type: "resync", TicketID: e.TicketID})
	for _, s := range h.watching(e.TicketID) {
		if e.Type != "ticket" {
			s.send(resync)
		}
	}
	return true
}

func (h *hub) messageEvent(e desk.Event) {
	m := *e.Message
	added := int64(0)
	if e.Type == "message" {
		added = m.Seq
	}
	if m.Direction == desk.DirectionIn {
		if known, _ := h.lastIn.get(m.TicketID); m.Seq > known {
			h.lastIn.put(m.TicketID, m.Seq)
		}
	}
	var f *frame
	for _, s := range h.readers(e) {
		if f == nil {
			f = encode(messageFrame{Type: messageType(e), TicketID: e.TicketID, Seq: e.Seq, Message: h.c.wireMessage(m, h.channelOf(e))})
		}
		s.sendLive(e.TicketID, added, f)
	}
	h.notifyAssigned(e)
}

// channelOf is the channel of the event's ticket, mostly known without asking.
func (h *hub) channelOf(e desk.Event) desk.ID {
	if e.Ticket != nil {
		h.c.homes.put(e.TicketID, e.Ticket.ChannelID)
		return e.Ticket.ChannelID
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookUp)
	defer cancel()
	return h.c.channelOf(ctx, e.TicketID)
}

// messageType of an event of type ticket that carries a message (a system line) is that of an added message.
func messageType(e desk.Event) string {
	if e.Type == "message_update" {
		return e.Type
	}
	return "message"
}

// readers are those who watch the ticket and its owner, as far as they may see it.
func (h *hub) readers(e desk.Event) []*socket {
	list := h.watching(e.TicketID)
	if e.Ticket == nil {
		return list
	}
	var may []*socket
	for _, s := range list {
		if s.me().Scope.Sees(*e.Ticket) {
			may = append(may, s)
		}
	}
	if e.Ticket.AssigneeID == "" {
		return may
	}
	for _, s := range h.of(e.Ticket.AssigneeID) {
		if !s.isWatching(e.TicketID) {
			may = append(may, s)
		}
	}
	return may
}

// notifyAssigned tells an agent that somebody, or the router, gave him a ticket.
func (h *hub) notifyAssigned(e desk.Event) {
	if e.Ticket == nil || e.Message.Event == nil || e.Ticket.AssigneeID == "" {
		return
	}
	what := e.Message.Event
	if what.Type != "assigned" && what.Type != "transferred" || what.Actor.ID == e.Ticket.AssigneeID {
		return
	}
	f := encode(assignedFrame{Type: "assigned", TicketID: e.TicketID, Number: e.Ticket.Number, Reason: what.Reason})
	for _, s := range h.of(e.Ticket.AssigneeID) {
		s.send(f)
	}
}

// summaryEvent sends the ticket as lists show it, and gone to those who could see it until now.
func (h *hub) summaryEvent(ctx context.Context, e desk.Event) {
	sockets := h.all()
	before, known := h.seen.get(e.TicketID)
	now := standingOf(e.Ticket)
	h.seen.put(e.TicketID, now)
	if len(sockets) == 0 {
		return
	}
	contact, ok := h.contact(ctx, e.Ticket.ContactID)
	if !ok {
		h.toScope(sockets, *e.Ticket, encode(ticketWord{Type: "resync", TicketID: e.TicketID}))
		return
	}
	fresh := e.Ticket.UpdatedAt < e.Ticket.CreatedAt.Add(justOpened)
	variants := h.variants(ctx, e, contact)
	for _, s := range sockets {
		me := s.me()
		sees := me.Scope.Sees(*e.Ticket)
		saw := known && me.Scope.Sees(before.ticket()) || !known && !fresh
		switch {
		case sees:
			s.summarize(e.TicketID, variants(s))
		case saw:
			s.unwatch(e.TicketID)
			s.send(encode(ticketWord{Type: "gone", TicketID: e.TicketID}))
		}
		if (sees || saw) && before != now {
			h.counts.touch(me.Agent.ID, false)
		}
	}
	if known && before.assignee != now.assignee || !known {
		h.presence.look()
	}
}

func (h *hub) toScope(sockets []*socket, t desk.Ticket, f *frame) {
	for _, s := range sockets {
		if s.me().Scope.Sees(t) {
			s.send(f)
		}
	}
}

// variants encodes the ticket at most twice: for those who have seen the customer's last words and for those who have not.
func (h *hub) variants(ctx context.Context, e desk.Event, contact ContactRef) func(*socket) *frame {
	last, known := h.lastIn.get(e.TicketID)
	fromCustomer := e.Ticket.LastMessageBy == string(desk.DirectionIn)
	var made [2]*frame
	return func(s *socket) *frame {
		read, _ := s.readTo.get(e.TicketID)
		unread := fromCustomer && (known && read < last || !known && !s.isWatching(e.TicketID))
		i := 0
		if unread {
			i = 1
		}
		if made[i] == nil {
			w := h.c.liveTicket(ctx, *e.Ticket, contact)
			w.Unread = unread
			made[i] = encode(ticketFrame{Type: "ticket", TicketID: e.TicketID, Seq: e.Ticket.Version, Ticket: w})
		}
		return made[i]
	}
}

// contact is remembered, or read once.
func (h *hub) contact(ctx context.Context, id desk.ID) (ContactRef, bool) {
	if ref, ok := h.contacts.get(id); ok {
		return ref, true
	}
	ctx, cancel := context.WithTimeout(ctx, lookUp)
	defer cancel()
	found, err := h.c.store.Contact(ctx, id)
	if err != nil {
		return ContactRef{}, false
	}
	ref := ContactRef{ID: id, Name: found.Name, Level: found.Level}
	h.contacts.put(id, ref)
	return ref, true
}

// liveTicket is wireRow for a ticket out of an event: the names come from memory.
func (c *Console) liveTicket(ctx context.Context, t desk.Ticket, contact ContactRef) Ticket {
	w := wireTicket(t)
	w.Channel, w.Contact = c.names.channel(t.ChannelID, t.ChannelKind), contact
	if t.AssigneeID != "" {
		owner := c.names.agent(t.AssigneeID)
		w.Assignee = &owner
	}
	if t.TeamID != "" {
		team := c.names.team(t.TeamID)
		w.Team = &team
	}
	w.LinkedTicket = c.linked(ctx, t.LinkedTicketID)
	return w
}

// typing goes to those who have the ticket before them, except to whoever is typing.
func (h *hub) typing(e desk.Event) {
	if e.Type == "online" || e.Type == "offline" {
		return
	}
	author := Author{Kind: e.Data["kind"], ID: e.Data["id"], Name: e.Data["name"]}
	if author.Kind == "" {
		author.Kind = "contact"
	}
	if e.Contact != nil {
		author.ID, author.Name = e.Contact.ID, e.Contact.Name
	}
	f := encode(typingFrame{Type: "typing", TicketID: e.TicketID, Who: author, On: e.Data["on"] != "false", Preview: e.Data["preview"]})
	for _, s := range h.watching(e.TicketID) {
		me := s.me()
		if me.Agent.ID != author.ID && (e.Ticket == nil || me.Scope.Sees(*e.Ticket)) {
			s.send(f)
		}
	}
}

// changed loads names and people again and tells the pages to.
func (h *hub) changed(ctx context.Context, e desk.Event) {
	if e.Type == "people" || e.Type == "teams" {
		h.c.auth.Forget("")
	}
	h.reload(ctx)
	what := e.Type
	if what == "channel" {
		what = "channels"
	}
	h.toAll(encode(changedFrame{Type: "changed", What: what}))
	if e.Type == "people" || e.Type == "teams" {
		h.recheck(h.all())
		h.presence.look()
	}
}

func (h *hub) reload(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, frameTime)
	defer cancel()
	if err := h.c.names.load(ctx); err != nil {
		h.c.logger.Warn("names were not loaded again", "err", err)
	}
}

// recheck looks whether log-ins still stand: a socket whose log-in ended is closed, one whose scope changed loads again.
func (h *hub) recheck(sockets []*socket) {
	for _, s := range sockets {
		old := s.me()
		now, err := h.admit(s.request)
		if err != nil {
			if fromError(err).Status < 500 {
				s.fail(closeSession, "session ended")
			}
			continue
		}
		s.person.Store(&now)
		if !sameScope(old.Scope, now.Scope) {
			s.send(encode(word{Type: "resync"}))
		}
	}
}

func sameScope(a, b ticketstore.Scope) bool {
	return a.All == b.All && a.AgentID == b.AgentID && a.UnownedOnly == b.UnownedOnly && slices.Equal(a.Teams, b.Teams)
}
