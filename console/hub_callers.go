package console

import (
	"context"
	"slices"
	"time"

	"hearback/desk"
	"hearback/ticketstore"
)

// describe is the call with who calls; the caller's tickets are cut to the reader's scope later.
func (b *callBoard) describe(ctx context.Context, n desk.CallNews) (LiveCall, []desk.Ticket) {
	ctx, cancel := context.WithTimeout(ctx, lookUp)
	defer cancel()
	c := n.Call
	w := LiveCall{
		ID: c.ID, Channel: b.h.c.names.channel(n.ChannelID, ""), State: c.State, Direction: c.Direction, From: c.From, FromName: c.FromName,
		To: c.To, Queue: c.Queue, Ticket: b.h.c.linked(ctx, n.TicketID), OpenTickets: []OpenTicket{}, AgentIDs: list(n.AgentIDs),
		StartedAt: c.StartedAt, AnsweredAt: c.AnsweredAt, EndedAt: c.EndedAt, Outcome: c.Outcome,
	}
	who := b.caller(ctx, n.ContactID)
	w.Contact = who.contact
	return w, who.tickets
}

// caller reads who calls once per call, not once per event of it.
func (b *callBoard) caller(ctx context.Context, contact desk.ID) whoCalls {
	if contact == "" {
		return whoCalls{}
	}
	if known, ok := b.callers.get(contact); ok && time.Since(known.at) < callerFor {
		return known
	}
	who := whoCalls{at: time.Now()}
	if ref, ok := b.h.contact(ctx, contact); ok {
		who.contact = &ref
	}
	rows, _, err := b.h.c.store.Tickets(ctx, ticketstore.TicketFilter{
		Scope: ticketstore.Scope{All: true}, ContactID: contact, Sort: "updated", Limit: 4 * openShown,
		Status: []desk.Status{desk.StatusNew, desk.StatusOpen, desk.StatusWaiting, desk.StatusResolved},
	}, "")
	if err != nil {
		b.h.c.logger.Debug("a caller's tickets were not read", "err", err)
		return who
	}
	for _, row := range rows {
		who.tickets = append(who.tickets, row.Ticket)
	}
	b.callers.put(contact, who)
	return who
}

// forReader is the call as one agent may see it.
func forReader(w LiveCall, tickets []desk.Ticket, me who) LiveCall {
	w.OpenTickets = []OpenTicket{}
	for _, t := range tickets {
		if len(w.OpenTickets) < openShown && me.Scope.Sees(t) {
			w.OpenTickets = append(w.OpenTickets, OpenTicket{ID: t.ID, Number: t.Number, Subject: t.Subject, Status: string(t.Status)})
		}
	}
	w.Mine = slices.Contains(w.AgentIDs, me.Agent.ID)
	return w
}

// of lists the live calls that concern an agent, for a page that has just come.
func (b *callBoard) of(ctx context.Context, me who) ([]LiveCall, error) {
	rows, err := b.lately(ctx)
	if err != nil {
		return nil, err
	}
	var all []LiveCall
	for i := len(rows) - 1; i >= 0 && len(all) < strangeCalls; i-- {
		n := b.newest(rows[i].News())
		people, _ := b.audience(n)
		if !people[me.Agent.ID] || n.Call.Direction == "internal" || n.Call.State == "ended" {
			continue
		}
		w, tickets := b.describe(ctx, n)
		all = append(all, forReader(w, tickets, me))
	}
	slices.Reverse(all)
	return all, nil
}

// newest is the call as the store told a moment ago or as was heard since, whichever is further on.
func (b *callBoard) newest(n desk.CallNews) desk.CallNews {
	heard, ok := b.latest.get(callKey(n))
	if ok && progress(heard) > progress(n) {
		return heard
	}
	return n
}

func progress(n desk.CallNews) int {
	return slices.Index([]string{"ringing", "answered", "ended"}, n.Call.State)
}

// lately is the list of live calls, read at most once a second for however many pages.
func (b *callBoard) lately(ctx context.Context) ([]ticketstore.CallRow, error) {
	b.liveMu.Lock()
	defer b.liveMu.Unlock()
	if time.Since(b.liveAt) < liveFor {
		return b.live, nil
	}
	rows, err := b.h.c.store.LiveCalls(ctx)
	if err != nil {
		return nil, err
	}
	b.live, b.liveAt = rows, time.Now()
	return rows, nil
}

// replayCalls shows a page that has just come the calls that concern it. What happened to one meanwhile is told after it: frames of
// a call never go back.
func (s *socket) replayCalls(ctx context.Context) {
	b := s.h.calls
	calls, err := b.of(ctx, s.me())
	if err != nil {
		s.h.c.logger.Debug("live calls were not read", "err", err)
		return
	}
	for _, call := range calls {
		shown := desk.CallNews{ChannelID: call.Channel.ID, Call: desk.Call{ID: call.ID, State: call.State}}
		b.remember(callKey(shown), call.State, []desk.ID{s.me().Agent.ID})
		s.sendPatiently(encode(callFrame{Type: "call", Call: call}))
		if now := b.newest(shown); now.Call.State != call.State {
			w, tickets := b.describe(ctx, now)
			s.sendPatiently(encode(callFrame{Type: "call", Call: forReader(w, tickets, s.me())}))
		}
	}
}
