package router

import (
	"errors"
	"testing"
	"time"

	"hearback/bus/bustest"
	"hearback/desk"
	"hearback/ticketstore"
)

func TestRefusedPickIsGivenBack(t *testing.T) {
	each(t, func(t *testing.T, n node) {
		n.here(n.store.agent("a", 5))
		x := n.store.open("", "webchat")
		n.store.refuse = func(ticketstore.Assignment) bool { n.store.refuse = nil; return true }
		n.Route(t.Context(), []desk.Ticket{x})
		must(t, n.drain(t.Context()))
		must(t, n.drain(t.Context()))
		if n.store.get(x.ID).AssigneeID != "a" || n.used("a") != 1 {
			t.Fatal("given back, then picked again")
		}
	})
}

func TestClosedMeanwhileMeansNoLoad(t *testing.T) {
	each(t, func(t *testing.T, n node) {
		x := n.store.open("", "webchat")
		n.route(x)
		n.store.finish(x.ID) // the board is not told
		n.here(n.store.agent("a", 5))
		if n.used("a") != 0 {
			t.Fatal("sql refused, the load must be given back")
		}
	})
}

func TestDatabaseAwayBetweenPickAndConfirmationLosesNothing(t *testing.T) {
	each(t, func(t *testing.T, n node) {
		n.here(n.store.agent("a", 5))
		x := n.store.open("", "webchat")
		n.store.fail = errors.New("database is away")
		n.Route(t.Context(), []desk.Ticket{x})
		if n.drain(t.Context()) == nil {
			t.Fatal("must tell")
		}
		n.store.fail = nil
		n.clock.move(11 * time.Second)
		n.work()
		if n.store.get(x.ID).AssigneeID != "a" || n.used("a") != 1 {
			t.Fatalf("%+v used %d", n.store.get(x.ID), n.used("a"))
		}
	})
}

func TestRedisAmnesia(t *testing.T) {
	each(t, func(t *testing.T, n node) {
		a, b := n.store.agent("a", 3), n.store.agent("b", 3)
		n.here(a, b)
		for range 8 {
			n.route(n.store.open("", "webchat"))
		}
		top, _ := n.store.MaxEpoch(t.Context())
		must(t, n.bus.Client().FlushAll(t.Context()).Err())
		late := n.store.open("", "webchat")
		n.Route(t.Context(), []desk.Ticket{late}) // to nowhere
		n.work()
		n.work()
		if n.used("a") != 3 || n.used("b") != 3 || n.store.unowned() != 3 {
			t.Fatalf("a %d b %d, %d wait", n.used("a"), n.used("b"), n.store.unowned())
		}
		if p, _ := n.Presence(t.Context()); !p["a"].Online || !p["b"].Online {
			t.Fatal("their heartbeats were young enough")
		}
		for id, x := range n.store.tickets {
			if x.AssigneeID == "a" {
				must(t, n.Release(t.Context(), n.store.finish(id)))
				break
			}
		}
		must(t, n.drain(t.Context()))
		if got := n.store.history[len(n.store.history)-1]; got.Epoch <= top {
			t.Fatalf("epoch %d after %d", got.Epoch, top)
		}
	})
}

func TestWithoutRedisPeopleStillDecideAndTheBoardCatchesUp(t *testing.T) {
	s := bustest.NewServer(t)
	store, c := newReferee(), newClock()
	n := newNode(t, bustest.Open(t, s.URL), store, c)
	a, b := store.agent("a", 5), store.agent("b", 5)
	n.here(a, b)
	one, two, three := store.open("", "webchat"), store.open("", "webchat"), store.open("", "webchat")
	n.route(one)
	s.Stop()
	n.Route(t.Context(), []desk.Ticket{two, three})
	if r, err := n.Claim(t.Context(), two.ID, b); err != nil || !r.Taken {
		t.Fatal(r, err)
	}
	if r, err := n.Transfer(t.Context(), one.ID, b, desk.Author{}, "x"); err != nil || !r.Taken {
		t.Fatal(r, err)
	}
	if r, err := n.ToTeam(t.Context(), two.ID, "", desk.Author{}, "x"); err != nil || !r.Taken {
		t.Fatal(r, err)
	}
	if r, err := n.Claim(t.Context(), two.ID, a); err != nil || !r.Taken {
		t.Fatal(r, err)
	}
	s.Start()
	c.move(2 * time.Second)
	n.work()
	n.work()
	if store.get(three.ID).AssigneeID == "" || store.get(one.ID).AssigneeID != "b" || store.get(two.ID).AssigneeID != "a" {
		t.Fatal(store.owned())
	}
	if got := store.owned(); n.used("a") != got["a"] || n.used("b") != got["b"] {
		t.Fatalf("board %d %d, sql %v", n.used("a"), n.used("b"), got)
	}
}

func TestReconcilerRepairsWhatTheBoardMissed(t *testing.T) {
	each(t, func(t *testing.T, n node) {
		n.here(n.store.agent("a", 5), n.store.agent("b", 5))
		gone, stray, lost := n.store.open("", "webchat"), n.store.open("", "webchat"), n.store.open("nobody", "webchat")
		n.route(gone, stray)
		n.store.finish(gone.ID)
		n.store.tickets[stray.ID].AssigneeID = "b"
		n.store.tickets[stray.ID].AssignEpoch = 1000
		n.bus.Client().HSet(t.Context(), n.board.key("ag"), "a", `[1,"a",5,4,1,",",","]`) // a failover lost writes
		must(t, n.reconcile(t.Context()))
		if n.used("a") != 0 || n.used("b") != 1 {
			t.Fatalf("a %d b %d", n.used("a"), n.used("b"))
		}
		entries, _ := n.entries(t.Context(), []desk.ID{gone.ID, stray.ID, lost.ID})
		if _, ok := entries[gone.ID]; ok || entries[stray.ID].agent != "b" || entries[lost.ID].queue != "nobody" {
			t.Fatalf("%+v", entries)
		}
	})
}
