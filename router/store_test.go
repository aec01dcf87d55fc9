package router

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"hearback/bus"
	"hearback/bus/bustest"
	"hearback/desk"
	"hearback/ticketstore"
	"hearback/ticketstore/storetest"
)

var _ Store = (*ticketstore.Store)(nil)

// eachStore runs a test on both engines, each with a real Redis.
func eachStore(t *testing.T, test func(t *testing.T, s *ticketstore.Store, url string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, storetest.SQLite(t), bustest.Redis(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, storetest.Postgres(t), bustest.Redis(t)) })
}

// file opens tickets as intake does, one per sender, and returns them.
func file(t testing.TB, s *ticketstore.Store, from, to int) []desk.Ticket {
	t.Helper()
	ctx := context.Background()
	a := &ticketstore.Arrival{ChannelID: "c"}
	for i := from; i < to; i++ {
		a.Envelopes = append(a.Envelopes, desk.Envelope{ChannelID: "c", Kind: "webchat", Type: desk.EnvelopeMessage,
			ExternalID: fmt.Sprint("e", i), Sender: fmt.Sprint("s", i), Raw: []byte("x")})
	}
	must(t, s.PutInbox(ctx, []*ticketstore.Arrival{a}, desk.At(time.Now().Add(time.Hour))))
	filings := make([]ticketstore.Filing, len(a.Envelopes))
	for i, e := range a.Envelopes {
		filings[i] = ticketstore.Filing{Envelope: e, Plans: []ticketstore.Plan{{}}, Inbounds: []desk.Inbound{{Type: desk.EnvelopeMessage,
			Text: "你好", From: desk.Identity{Type: "webchat", Value: e.Sender, Scope: "c", Verified: true}}}}
	}
	filed, err := s.File(ctx, filings)
	must(t, err)
	var opened []desk.Ticket
	for _, f := range filed {
		opened = append(opened, f.Opened...)
	}
	if len(opened) != to-from {
		t.Fatalf("%d tickets of %d messages", len(opened), to-from)
	}
	return opened
}

func people25(t testing.TB, s *ticketstore.Store) []desk.Agent {
	t.Helper()
	var agents []desk.Agent
	for i := range 25 {
		a, err := s.CreateAgent(t.Context(), desk.Agent{Email: fmt.Sprintf("a%d@example.com", i), Name: fmt.Sprint("a", i),
			Role: desk.RoleAgent, Capacity: 60}, "", false)
		must(t, err)
		agents = append(agents, a)
	}
	return agents
}

func start(t testing.TB, s *ticketstore.Store, url, name string) (*Router, *bus.Bus) {
	t.Helper()
	b := bustest.Open(t, url)
	// The lease outlasts the slowest machine: presence is not what these tests are about.
	r := New(Options{Store: s, Bus: b, Node: name, Logger: slog.New(slog.DiscardHandler), Lease: time.Hour})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); r.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	return r, b
}

// allOwned waits until every active ticket has an owner and returns how many each has.
func allOwned(t testing.TB, s *ticketstore.Store, want int) map[desk.ID]int {
	t.Helper()
	for deadline := time.After(3 * time.Minute); ; {
		owned, free := map[desk.ID]int{}, 0
		for after := ""; ; {
			page, err := s.Loads(context.Background(), after, 1000)
			must(t, err)
			if len(page) == 0 {
				break
			}
			for _, l := range page {
				owned[l.AssigneeID]++
			}
			after = page[len(page)-1].TicketID
		}
		free = owned[""]
		delete(owned, "")
		total := 0
		for _, n := range owned {
			total += n
		}
		if free == 0 && total == want {
			return owned
		}
		select {
		case <-deadline:
			t.Fatalf("%d owned, %d wait, want %d owned", total, free, want)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func TestTwoNodesGiveAThousandTicketsEvenly(t *testing.T) {
	eachStore(t, func(t *testing.T, s *ticketstore.Store, url string) {
		agents := people25(t, s)
		one, _ := start(t, s, url, "n1")
		two, _ := start(t, s, url, "n2")
		here := func() {
			for i, a := range agents {
				[]*Router{one, two}[i%2].Beat(t.Context(), a.ID)
			}
		}
		for online := 0; online < len(agents); { // all of them, before work comes
			here()
			p, err := one.Presence(t.Context())
			if err != nil {
				continue // the board is being built
			}
			online = 0
			for _, seat := range p {
				if seat.Online {
					online++
				}
			}
		}
		var last desk.Ticket
		for i := 0; i < 1000; i += 50 {
			tickets := file(t, s, i, i+50)
			last = tickets[49]
			[]*Router{one, two}[(i/50)%2].Route(t.Context(), tickets)
		}
		owned := allOwned(t, s, 1000)
		lo, hi := 1000, 0
		for _, n := range owned {
			lo, hi = min(lo, n), max(hi, n)
		}
		if len(owned) != 25 || hi-lo > 1 {
			t.Errorf("%d agents have %d to %d", len(owned), lo, hi)
		}
		decisions, err := s.Decisions(t.Context(), last.ID)
		must(t, err)
		var d decision
		for _, x := range decisions {
			if x.Kind == "assigned" {
				must(t, json.Unmarshal(x.Detail, &d))
			}
		}
		if d.Reason != "least_loaded" || len(d.Candidates) != maxCandidates || d.Candidates[0].Why != "chosen: least loaded" {
			t.Errorf("%+v", d)
		}
	})
}

func TestRedisForgettingAtAnyMomentLosesNoTicketAndNoOwner(t *testing.T) {
	eachStore(t, func(t *testing.T, s *ticketstore.Store, url string) {
		agents := people25(t, s)
		one, b := start(t, s, url, "n1")
		two, _ := start(t, s, url, "n2")
		random := rand.New(rand.NewPCG(1, 1))
		const tickets = 400
		for i := 0; i < tickets; i += 20 {
			for k, a := range agents {
				[]*Router{one, two}[k%2].Beat(t.Context(), a.ID)
			}
			opened := file(t, s, i, i+20)
			if random.IntN(2) == 0 {
				must(t, b.Client().FlushAll(t.Context()).Err())
			}
			[]*Router{one, two}[(i/20)%2].Route(t.Context(), opened)
			if random.IntN(3) == 0 {
				must(t, b.Client().FlushAll(t.Context()).Err())
			}
		}
		owned := allOwned(t, s, tickets)
		// What people decide counts at once, and the board follows.
		p, err := one.Presence(t.Context())
		for err != nil {
			p, err = one.Presence(t.Context())
		}
		must(t, one.compare(t.Context()))
		if p, err = one.Presence(t.Context()); err != nil {
			t.Fatal(err)
		}
		for id, n := range owned {
			if p[id].Used != n {
				t.Errorf("%s: board %d, sql %d", id, p[id].Used, n)
			}
		}
	})
}
