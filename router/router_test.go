package router

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"hearback/bus"
	"hearback/bus/bustest"
	"hearback/desk"
	"hearback/ticketstore"
)

// node is one node with its board built and nobody here.
type node struct {
	*Router
	t     testing.TB
	store *referee
	clock *clock
}

func newNode(t testing.TB, b *bus.Bus, store *referee, c *clock) node {
	t.Helper()
	n := node{New(Options{Store: store, Bus: b, Clock: c.Now, Node: "n1", Patient: []string{"email"}, Logger: slog.New(slog.DiscardHandler)}), t, store, c}
	n.work()
	return n
}

// work does what Run does at its next occasions.
func (n node) work() {
	n.t.Helper()
	must(n.t, n.sweep(n.t.Context()))
	must(n.t, n.drain(n.t.Context()))
}

func (n node) here(agents ...desk.Agent) {
	n.t.Helper()
	for _, a := range agents {
		must(n.t, n.Beat(n.t.Context(), a.ID))
	}
	n.work()
}

func (n node) route(tickets ...desk.Ticket) {
	n.t.Helper()
	n.Route(n.t.Context(), tickets)
	must(n.t, n.drain(n.t.Context()))
}

func (n node) used(agent desk.ID) int {
	n.t.Helper()
	p, err := n.Presence(n.t.Context())
	must(n.t, err)
	return p[agent].Used
}

// each runs a test on one node with the embedded and with a real Redis.
func each(t *testing.T, test func(t *testing.T, n node)) {
	bustest.Each(t, func(t *testing.T, b *bus.Bus) { test(t, newNode(t, b, newReferee(), newClock())) })
}

func TestTicketGoesToTheLeastLoadedOnlineAgentOfItsTeam(t *testing.T) {
	each(t, func(t *testing.T, n node) {
		busyOne, free := n.store.agent("a1", 10, "sales"), n.store.agent("a2", 10, "sales")
		other, offline := n.store.agent("a3", 10, "support"), n.store.agent("a4", 10, "sales")
		must(t, n.Refresh(t.Context()))
		n.here(busyOne, free, other)
		first := n.store.open("sales", "webchat")
		_, err := n.Claim(t.Context(), first.ID, busyOne)
		must(t, err)
		second := n.store.open("sales", "webchat")
		n.route(second)
		if got := n.store.get(second.ID); got.AssigneeID != free.ID || got.Status != desk.StatusOpen {
			t.Fatalf("assigned to %q, status %s", got.AssigneeID, got.Status)
		}
		var d decision
		must(t, json.Unmarshal(n.store.decisions[second.ID][0].Detail, &d))
		why := map[string]string{}
		for _, c := range d.Candidates {
			why[c.AgentID] = c.Why
		}
		if d.Reason != "least_loaded" || d.Queue != "sales" || d.Candidates[0].AgentID != free.ID || d.Candidates[0].Name != "name of a2" ||
			why[busyOne.ID] != "more loaded 1/10" || why[other.ID] != "not in team" || why[offline.ID] != "offline" {
			t.Errorf("%+v", d)
		}
	})
}

func TestNobodyThereMeansWaitingAndTheOldestIsDrainedFirst(t *testing.T) {
	each(t, func(t *testing.T, n node) {
		a := n.store.agent("a", 3, "sales")
		must(t, n.Refresh(t.Context()))
		var tickets []desk.Ticket
		for range 6 {
			tickets = append(tickets, n.store.open([]string{"sales", ""}[len(tickets)%2], "webchat"))
		}
		for i := range tickets { // they arrive in the wrong order
			n.route(tickets[len(tickets)-1-i])
		}
		if n.store.unowned() != 6 {
			t.Fatal("nobody is there")
		}
		n.here(a)
		for i, x := range tickets {
			if got := n.store.get(x.ID).AssigneeID; (got == "a") != (i < 3) {
				t.Errorf("ticket %d is with %q", i, got)
			}
		}
		n.route() // a free place pulls the next
		must(t, n.Release(t.Context(), n.store.finish(tickets[1].ID)))
		must(t, n.drain(t.Context()))
		if n.store.get(tickets[3].ID).AssigneeID != "a" || n.store.get(tickets[4].ID).AssigneeID != "" || n.used("a") != 3 {
			t.Error("the freed place must go to the oldest")
		}
		var queued decision
		for _, d := range n.store.decisions[tickets[5].ID] {
			if d.Kind == "queued" {
				must(t, json.Unmarshal(d.Detail, &queued))
			}
		}
		if queued.Reason != "nobody_free" || len(queued.Candidates) != 1 || queued.Candidates[0].Why != "offline" {
			t.Errorf("why it waits: %+v", queued)
		}
	})
}

func TestUrgentOvertakesWithinItsBoostOnly(t *testing.T) {
	each(t, func(t *testing.T, n node) {
		n.store.agent("a", 1)
		must(t, n.Refresh(t.Context()))
		old, young, urgent := n.store.open("", "webchat"), n.store.open("", "webchat"), n.store.open("", "webchat")
		n.store.tickets[old.ID].CreatedAt -= desk.Time((20 * time.Minute).Milliseconds())
		n.store.tickets[urgent.ID].Priority = desk.PriorityUrgent
		n.route(n.store.get(old.ID), n.store.get(young.ID), n.store.get(urgent.ID))
		n.here(n.store.agents["a"])
		for _, want := range []desk.ID{old.ID, urgent.ID, young.ID} {
			if n.store.get(want).AssigneeID != "a" {
				t.Fatalf("%s should be next", want)
			}
			must(t, n.Release(t.Context(), n.store.finish(want)))
			must(t, n.drain(t.Context()))
		}
	})
}

func TestFullAgentsGetNothingAndBusyAndAwayOnesNeither(t *testing.T) {
	each(t, func(t *testing.T, n node) {
		a, b := n.store.agent("a", 1), n.store.agent("b", 5)
		n.here(a, b)
		must(t, n.SetAvailability(t.Context(), "b", desk.Busy))
		n.store.words["b"] = desk.Busy
		n.route(n.store.open("", "webchat"), n.store.open("", "webchat"))
		if n.used("a") != 1 || n.used("b") != 0 || n.store.unowned() != 1 {
			t.Fatal(n.store.owned())
		}
		must(t, n.SetAvailability(t.Context(), "b", desk.Available))
		must(t, n.drain(t.Context()))
		if n.used("b") != 1 {
			t.Fatal("he is available again")
		}
	})
}

func TestStickyToTheLastAgentWhenHeIsFree(t *testing.T) {
	each(t, func(t *testing.T, n node) {
		a, b := n.store.agent("a", 2, "x"), n.store.agent("b", 2, "x")
		n.here(a, b)
		one := n.store.open("x", "webchat")
		_, err := n.Transfer(t.Context(), one.ID, b, desk.Author{}, "test")
		must(t, err)
		again := n.store.open("x", "webchat")
		n.store.tickets[again.ID].LastAgentID = "b"
		n.route(n.store.get(again.ID))
		if n.store.get(again.ID).AssigneeID != "b" {
			t.Fatal("b had this customer before and is free")
		}
		third := n.store.open("x", "webchat")
		n.store.tickets[third.ID].LastAgentID = "b"
		n.route(n.store.get(third.ID))
		if n.store.get(third.ID).AssigneeID != "a" {
			t.Fatal("b is full")
		}
	})
}

func TestRequiredSkillsAndAHeadNobodyCanTake(t *testing.T) {
	bustest.Each(t, func(t *testing.T, b *bus.Bus) {
		store, c := newReferee(), newClock()
		n := node{New(Options{Store: store, Bus: b, Clock: c.Now, Requires: func(l ticketstore.Load) []string {
			if l.Priority == desk.PriorityCritical {
				return []string{"Senior", "zh"}
			}
			return nil
		}}), t, store, c}
		n.work()
		junior := store.agent("junior", 5)
		senior := store.agent("senior", 5)
		senior.Skills = []string{"ZH", " senior "}
		store.agents["senior"] = senior
		n.here(junior)
		hard, easy := store.open("", "webchat"), store.open("", "webchat")
		store.tickets[hard.ID].Priority = desk.PriorityCritical
		n.route(store.get(hard.ID), store.get(easy.ID))
		if store.get(easy.ID).AssigneeID != "junior" || store.get(hard.ID).AssigneeID != "" {
			t.Fatal("the head must not block what is behind it")
		}
		n.here(senior)
		if store.get(hard.ID).AssigneeID != "senior" {
			t.Fatal("the senior came")
		}
	})
}

func TestWholeAgentWeightTakesOnlySomebodyWithNothing(t *testing.T) {
	bustest.Each(t, func(t *testing.T, b *bus.Bus) {
		store, c := newReferee(), newClock()
		n := node{New(Options{Store: store, Bus: b, Clock: c.Now, Weights: map[string]int{"telephony": 0, "webchat": 2}}), t, store, c}
		n.work()
		n.here(store.agent("a", 5), store.agent("b", 5))
		n.route(store.open("", "webchat"))
		n.route(store.open("", "telephony"), store.open("", "telephony"))
		if n.used("a")+n.used("b") != 7 || store.unowned() != 1 {
			t.Fatalf("a %d b %d", n.used("a"), n.used("b"))
		}
	})
}

func TestOfTwoClaimsOneWinsAndTheOtherLearnsWho(t *testing.T) {
	each(t, func(t *testing.T, n node) {
		a, b := n.store.agent("a", 1), n.store.agent("b", 1)
		must(t, n.Refresh(t.Context()))
		x := n.store.open("", "webchat")
		n.route(x)
		results := make(chan ticketstore.AssignResult, 2)
		for _, who := range []desk.Agent{a, b} {
			go func() {
				r, err := n.Claim(context.Background(), x.ID, who)
				if err != nil {
					t.Error(err)
				}
				results <- r
			}()
		}
		one, two := <-results, <-results
		if one.Taken == two.Taken || one.Ticket.AssigneeID != two.Ticket.AssigneeID || one.Ticket.AssigneeID == "" {
			t.Fatalf("%+v %+v", one, two)
		}
		if n.used("a")+n.used("b") != 1 {
			t.Error("the board must count it once")
		}
	})
}

func TestTransferNeedsAReasonAndGoesOverTheCapacity(t *testing.T) {
	each(t, func(t *testing.T, n node) {
		a, b := n.store.agent("a", 1, "x"), n.store.agent("b", 1, "y")
		n.here(a, b)
		one, two := n.store.open("x", "webchat"), n.store.open("x", "webchat")
		n.route(one, two)
		if _, err := n.Transfer(t.Context(), one.ID, b, desk.Author{}, "  "); !errors.Is(err, desk.ErrInvalid) {
			t.Fatal(err)
		}
		if _, err := n.ToTeam(t.Context(), one.ID, "y", desk.Author{}, ""); !errors.Is(err, desk.ErrInvalid) {
			t.Fatal(err)
		}
		for _, id := range []desk.ID{one.ID, two.ID} {
			if r, err := n.Transfer(t.Context(), id, b, desk.Author{}, "knows him"); err != nil || !r.Taken {
				t.Fatal(r, err)
			}
		}
		if n.used("a") != 0 || n.used("b") != 2 {
			t.Errorf("a %d b %d", n.used("a"), n.used("b"))
		}
		if r, err := n.ToTeam(t.Context(), one.ID, "x", desk.Author{}, "wrong team"); err != nil || !r.Taken {
			t.Fatal(r, err)
		}
		must(t, n.drain(t.Context()))
		if n.store.get(one.ID).AssigneeID != "a" || n.used("b") != 1 {
			t.Error("the team's queue gives it to its own")
		}
	})
}

func TestDisabledAgentLeavesThePoolAndAChangedTeamTakesEffect(t *testing.T) {
	each(t, func(t *testing.T, n node) {
		a := n.store.agent("a", 5, "x")
		n.here(a)
		a = n.store.agent("a", 5, "y")
		must(t, n.SetAgent(t.Context(), a))
		n.route(n.store.open("x", "webchat"), n.store.open("y", "webchat"))
		if n.used("a") != 1 || n.store.unowned() != 1 {
			t.Fatal("x is not his team any more")
		}
		a.Disabled = true
		n.store.agents["a"] = a
		must(t, n.SetAgent(t.Context(), a))
		n.route(n.store.open("y", "webchat"))
		if n.used("a") != 1 {
			t.Fatal("he is disabled")
		}
	})
}

func TestPanicInAStepDoesNotEndRun(t *testing.T) {
	r := New(Options{Store: newReferee(), Bus: bustest.Open(t, "embedded"), Logger: slog.New(slog.DiscardHandler)})
	r.step(t.Context(), "test", func(context.Context) error { panic("boom") })
	r.step(t.Context(), "test", func(context.Context) error { return errors.New("fails") })
}

func TestTwoNodesShareOneBoardEvenly(t *testing.T) {
	url := bustest.Redis(t)
	store, c := newReferee(), newClock()
	one, two := newNode(t, bustest.Open(t, url), store, c), newNode(t, bustest.Open(t, url), store, c)
	for i := range 25 {
		a := store.agent(fmt.Sprintf("a%02d", i), 100)
		n := []node{one, two}[i%2]
		must(t, n.Beat(t.Context(), a.ID))
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	go func() { ended <- one.Run(ctx) }()
	go func() { ended <- two.Run(ctx) }()
	for i := range 1000 {
		[]node{one, two}[i%2].Route(ctx, []desk.Ticket{store.open("", "webchat")})
	}
	for deadline := time.After(30 * time.Second); store.unowned() > 0; {
		select {
		case <-deadline:
			t.Fatalf("%d wait", store.unowned())
		case <-time.After(5 * time.Millisecond):
		}
	}
	cancel()
	<-ended
	<-ended
	lo, hi := 1000, 0
	for _, k := range store.owned() {
		lo, hi = min(lo, k), max(hi, k)
	}
	if hi-lo > 1 {
		t.Errorf("%d..%d", lo, hi)
	}
	seen := map[desk.ID]bool{}
	for _, a := range store.history {
		if seen[a.TicketID] {
			t.Errorf("%s was assigned twice", a.TicketID)
		}
		seen[a.TicketID] = true
		if !strings.Contains(string(a.Decision), `"reason":"least_loaded"`) {
			t.Errorf("no explanation: %s", a.Decision)
		}
	}
}
