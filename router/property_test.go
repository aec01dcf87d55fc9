package router

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hearback/bus"
	"hearback/bus/bustest"
	"hearback/desk"
	"hearback/ticketstore"
)

// TestWhateverHappensNothingIsLostOrOwnedTwice lets random things happen to two nodes on one Redis: tickets, heartbeats, time,
// claims, transfers, closings, refused picks, a database or a node that fails between pick and confirmation, and a Redis that
// forgets. At the end everything settles: the board says what SQL says, nobody was picked over his capacity, and nothing waits
// while somebody is free.
func TestWhateverHappensNothingIsLostOrOwnedTwice(t *testing.T) {
	bustest.Each(t, func(t *testing.T, b *bus.Bus) {
		rapid.Check(t, func(r *rapid.T) { newHistory(t, b, r).run(r) })
	})
}

type history struct {
	t      *testing.T
	store  *referee
	clock  *clock
	nodes  [2]*Router
	agents []desk.Agent
	teams  []string
}

func newHistory(t *testing.T, b *bus.Bus, r *rapid.T) *history {
	must(t, b.Client().FlushAll(t.Context()).Err())
	h := &history{t: t, store: newReferee(), clock: newClock(), teams: []string{"", "x", "y"}}
	for i := range rapid.IntRange(1, 5).Draw(r, "agents") {
		teams := rapid.SampledFrom([][]string{nil, {"x"}, {"y"}, {"x", "y"}}).Draw(r, "teams")
		h.agents = append(h.agents, h.store.agent(fmt.Sprintf("a%d", i), rapid.IntRange(1, 4).Draw(r, "capacity"), teams...))
	}
	for i := range h.nodes {
		h.nodes[i] = New(Options{Store: h.store, Bus: b, Clock: h.clock.Now, Node: fmt.Sprint("n", i), Patient: []string{"email"}, Logger: slog.New(slog.DiscardHandler)})
	}
	return h
}

func (h *history) run(r *rapid.T) {
	ctx := h.t.Context()
	for range rapid.IntRange(5, 60).Draw(r, "steps") {
		n := h.nodes[rapid.IntRange(0, 1).Draw(r, "node")]
		a := h.agents[rapid.IntRange(0, len(h.agents)-1).Draw(r, "agent")]
		switch rapid.SampledFrom([]string{"open", "open", "open", "beat", "beat", "beat", "drain", "drain", "sweep", "time", "finish", "finish",
			"claim", "transfer", "team", "flush", "database", "refuse", "crash", "reconcile"}).Draw(r, "step") {
		case "open":
			t := h.store.open(rapid.SampledFrom(h.teams).Draw(r, "team"), rapid.SampledFrom([]string{"webchat", "email"}).Draw(r, "kind"))
			n.Route(ctx, []desk.Ticket{t})
		case "beat":
			n.Beat(ctx, a.ID)
		case "drain":
			n.drain(ctx)
		case "sweep":
			n.sweep(ctx)
		case "reconcile":
			n.reconcile(ctx)
		case "time":
			h.clock.move(time.Duration(rapid.IntRange(1, 40).Draw(r, "seconds")) * time.Second)
		case "finish":
			if id := h.any(r); id != "" {
				done := h.store.finish(id)
				if rapid.Bool().Draw(r, "told") {
					n.Release(ctx, done)
				}
			}
		case "claim":
			if id := h.any(r); id != "" {
				n.Claim(ctx, id, a)
			}
		case "transfer":
			if id := h.any(r); id != "" {
				n.Transfer(ctx, id, a, desk.Author{}, "why not")
			}
		case "team":
			if id := h.any(r); id != "" {
				n.ToTeam(ctx, id, rapid.SampledFrom(h.teams).Draw(r, "team"), desk.Author{}, "why not")
			}
		case "flush":
			must(h.t, n.bus.Client().FlushAll(ctx).Err())
		case "database":
			h.store.fail = errDatabase
			n.drain(ctx)
			h.store.fail = nil
		case "refuse":
			h.store.refuse = func(ticketstore.Assignment) bool { h.store.refuse = nil; return true }
		case "crash": // between the board and SQL
			n.pick(ctx, h.teams)
		}
	}
	h.store.refuse = nil
	h.settle(r)
}

var errDatabase = fmt.Errorf("database is away: %w", desk.ErrUnavailable)

// any is a random active ticket.
func (h *history) any(r *rapid.T) desk.ID {
	n := rapid.IntRange(1, 40).Draw(r, "ticket")
	id := fmt.Sprintf("t%06d", n)
	if t, ok := h.store.tickets[id]; ok && t.Status.Active() {
		return id
	}
	return ""
}

// settle lets two minutes pass with everybody here, and compares.
func (h *history) settle(r *rapid.T) {
	ctx := h.t.Context()
	for range 6 {
		h.clock.move(25 * time.Second)
		for _, n := range h.nodes {
			n.bus.Client().Del(ctx, n.bus.Key("board", "reconciling"))
			for _, step := range []func() error{func() error { return n.sweep(ctx) }, func() error { return n.reconcile(ctx) }} {
				if err := step(); err != nil {
					r.Fatal(err)
				}
			}
			for _, a := range h.agents {
				if err := n.Beat(ctx, a.ID); err != nil {
					r.Fatal(err)
				}
			}
			if err := n.drain(ctx); err != nil {
				r.Fatal(err)
			}
		}
	}
	h.check(r)
}

func (h *history) check(r *rapid.T) {
	n, ctx := h.nodes[0], h.t.Context()
	owned := h.store.owned()
	seats, err := n.seats(ctx)
	if err != nil {
		r.Fatal(err)
	}
	for _, a := range h.agents {
		if s := seats[a.ID]; !s.online || s.used != owned[a.ID] {
			r.Fatalf("%s: board %+v, sql %d", a.ID, s, owned[a.ID])
		}
	}
	var ids []desk.ID
	for id := range h.store.tickets {
		ids = append(ids, id)
	}
	entries, err := n.entries(ctx, ids)
	if err != nil {
		r.Fatal(err)
	}
	for id, t := range h.store.tickets {
		e, on := entries[id]
		if on != t.Status.Active() || on && (e.agent != t.AssigneeID || e.epoch != t.AssignEpoch || (e.state == "A") != (t.AssigneeID != "")) {
			r.Fatalf("%s: board %+v (%v), sql %+v", id, e, on, *t)
		}
		if t.Status != desk.StatusNew {
			continue
		}
		for _, a := range h.agents {
			if s := seats[a.ID]; s.used < s.cap && (t.TeamID == "" || a.Teams != nil && contains(a.Teams, t.TeamID)) {
				r.Fatalf("%s waits while %s is free: %+v", id, a.ID, s)
			}
		}
	}
	h.checkHistory(r)
}

// checkHistory replays what SQL took: epochs rise per ticket, no automatic pick takes an owned ticket.
func (h *history) checkHistory(r *rapid.T) {
	last := map[desk.ID]int64{}
	for _, a := range h.store.history {
		if a.Epoch <= last[a.TicketID] {
			r.Fatalf("%s: epoch %d after %d", a.TicketID, a.Epoch, last[a.TicketID])
		}
		last[a.TicketID] = a.Epoch
		if a.Kind == "assigned" && len(a.Decision) == 0 {
			r.Fatalf("%s: no explanation", a.TicketID)
		}
	}
}
