package router

import (
	"testing"
	"time"

	"hearback/desk"
)

func TestLostLeaseRequeuesChatsAfterTheGraceAtTheirRank(t *testing.T) {
	each(t, func(t *testing.T, n node) {
		a, b := n.store.agent("a", 5), n.store.agent("b", 2)
		n.here(a)
		chat, mail, waiting := n.store.open("", "webchat"), n.store.open("", "email"), n.store.open("", "webchat")
		n.route(chat, mail, waiting)
		n.store.tickets[waiting.ID].Status = desk.StatusWaiting
		n.clock.move(20 * time.Second)
		n.here(a) // renewed in time
		n.clock.move(29 * time.Second)
		n.work()
		if p, _ := n.Presence(t.Context()); !p["a"].Online {
			t.Fatal("the lease was renewed")
		}
		n.clock.move(2 * time.Second)
		n.here(b)
		if p, _ := n.Presence(t.Context()); p["a"].Online || !p["b"].Online {
			t.Fatal("the lease is lost")
		}
		n.route(n.store.open("", "webchat"), n.store.open("", "webchat"), n.store.open("", "webchat"))
		if n.used("b") != 2 || n.used("a") != 3 {
			t.Fatal("an absent agent gets nothing")
		}
		n.clock.move(59 * time.Second)
		must(t, n.Beat(t.Context(), "b"))
		n.work()
		if n.store.get(chat.ID).AssigneeID != "a" {
			t.Fatal("the grace is not over")
		}
		n.clock.move(2 * time.Second)
		n.work()
		if got := n.store.get(chat.ID); got.AssigneeID != "" || got.Status != desk.StatusNew {
			t.Fatalf("%+v", got)
		}
		if n.store.get(mail.ID).AssigneeID != "a" || n.store.get(waiting.ID).AssigneeID != "a" || n.used("a") != 2 {
			t.Fatal("mail and tickets that wait for the customer stay")
		}
		for id, o := range n.store.tickets { // a place becomes free: the requeued one is the oldest
			if o.AssigneeID == "b" {
				must(t, n.Release(t.Context(), n.store.finish(id)))
				break
			}
		}
		must(t, n.drain(t.Context()))
		if n.store.get(chat.ID).AssigneeID != "b" {
			t.Fatal("its rank is the original one")
		}
	})
}

func TestComingBackWithinTheGraceKeepsEverything(t *testing.T) {
	each(t, func(t *testing.T, n node) {
		n.here(n.store.agent("a", 5))
		x := n.store.open("", "webchat")
		n.route(x)
		n.clock.move(40 * time.Second)
		n.work()
		n.here(n.store.agents["a"])
		for range 3 {
			n.clock.move(25 * time.Second)
			n.here(n.store.agents["a"])
		}
		if n.store.get(x.ID).AssigneeID != "a" || n.used("a") != 1 {
			t.Fatal("nothing should have happened")
		}
	})
}

func TestCustomerWhoAnswersAnAbsentAgentIsNotForgotten(t *testing.T) {
	each(t, func(t *testing.T, n node) {
		n.here(n.store.agent("a", 5))
		x, given := n.store.open("", "webchat"), n.store.open("elsewhere", "webchat")
		n.route(x)
		n.store.tickets[x.ID].Status = desk.StatusWaiting
		for range 2 {
			n.clock.move(61 * time.Second)
			n.work()
		}
		if n.store.get(x.ID).AssigneeID != "a" {
			t.Fatal("it waits for the customer, not for us")
		}
		_, err := n.Transfer(t.Context(), given.ID, n.store.agents["a"], desk.Author{}, "only he knows")
		must(t, err)
		n.store.tickets[x.ID].Status = desk.StatusOpen // the customer wrote
		must(t, n.reconcile(t.Context()))
		if n.store.get(x.ID).AssigneeID != "" || n.store.get(given.ID).AssigneeID != "a" {
			t.Fatal("the answer must reach somebody who is here; what a person gave him knowingly stays")
		}
	})
}
