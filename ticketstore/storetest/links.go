package storetest

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"hearback/desk"
	"hearback/ticketstore"
)

// testCopies: one mail to two of our mailboxes is a ticket in each, linked.
func testCopies(w *World) {
	copied := func(in *desk.Inbound) {
		in.SameAs, in.ThreadKeys, in.OwnKeys = []string{"mid:<1@x>"}, []string{"-"}, []string{"<1@x>"}
	}
	a, b := w.say("li@x", "to both", copied), w.sayBy(mailbox, "li@x", "to both", copied)
	if b.Outcome != desk.OutcomeTicket || w.ticket(b.TicketID).LinkedTicketID != a.TicketID || w.ticket(a.TicketID).LinkedTicketID != "" {
		w.Errorf("%+v", w.ticket(b.TicketID))
	}
	if got, want := w.timeline(a.TicketID), "1 created, 2 in to both, 3 linked"; got != want {
		w.Error(got)
	}
	messages, err := w.Store.Messages(w.ctx, a.TicketID, 2, 1)
	w.ok(err)
	if d := messages[0].Event.Data; d["ticket_id"] != b.TicketID || d["number"] != w.ticket(b.TicketID).Number {
		w.Errorf("linked %+v", d)
	}
	if got := w.timeline(b.TicketID); got != "1 created, 2 in to both, 3 linked" {
		w.Error(got)
	}
	if again := w.say("li@x", "the same once more", copied); w.ticket(again.TicketID).LinkedTicketID != "" {
		w.Error("a ticket of the same channel is no copy")
	}
}

// testCopiesRace lets two nodes file the two copies in the same moment.
func testCopiesRace(w *World) {
	nodes := w.nodes(2)
	for i := range 10 {
		sender := fmt.Sprintf("p%d@x", i)
		copied := func(in *desk.Inbound) {
			in.SameAs, in.ThreadKeys = []string{"mid:<" + sender + ">"}, []string{"-"}
		}
		var filings []ticketstore.Filing
		for _, c := range []desk.ID{channel, mailbox} {
			e := w.envelope(sender, "x")
			e.ChannelID = c
			envs := []desk.Envelope{e}
			w.ok(w.Store.PutInbox(w.ctx, []*ticketstore.Arrival{{ChannelID: c, Envelopes: envs}}, w.in(time.Minute)))
			filings = append(filings, understood(envs[0], copied))
		}
		var ids [2]desk.ID
		var both sync.WaitGroup
		for n, node := range nodes {
			both.Go(func() {
				filed, err := node.File(w.ctx, filings[n:n+1])
				if err != nil {
					w.Error(err)
					return
				}
				ids[n] = filed[0].TicketID
			})
		}
		both.Wait()
		a, b := w.ticket(ids[0]), w.ticket(ids[1])
		if (a.LinkedTicketID == b.ID) == (b.LinkedTicketID == a.ID) {
			w.Errorf("copies filed at once: %q is linked to %q, %q to %q", a.ID, a.LinkedTicketID, b.ID, b.LinkedTicketID)
		}
	}
}

// testFreshAfter: an answer after a long time is a new matter.
func testFreshAfter(w *World) {
	mail := func(keys ...string) func(*desk.Inbound) {
		return func(in *desk.Inbound) {
			in.ThreadKeys, in.OwnKeys, in.FreshAfter = keys, []string{"m1"}, 14*24*time.Hour
		}
	}
	first := w.say("li@x", "first", mail("-"))
	w.Clock.Pass(15 * 24 * time.Hour)
	if got := w.say("li@x", "nobody has looked yet", mail("m1")); got.TicketID != first.TicketID {
		w.Error("a ticket nobody has taken is gone on with however long it lies")
	}
	_, _, err := w.Store.Change(w.ctx, ticketstore.Change{TicketID: first.TicketID, Actor: agent, Status: desk.StatusResolved})
	w.ok(err)
	w.Clock.Pass(13 * 24 * time.Hour)
	if got := w.say("li@x", "soon enough", mail("m1")); got.TicketID != first.TicketID || len(got.Reopened) != 1 {
		w.Errorf("soon enough %+v", got)
	}
	_, _, err = w.Store.Change(w.ctx, ticketstore.Change{TicketID: first.TicketID, Actor: agent, Status: desk.StatusResolved})
	w.ok(err)
	w.Clock.Pass(15 * 24 * time.Hour)
	late := w.say("li@x", "late", mail("m1"))
	if late.Outcome != desk.OutcomeTicket || w.ticket(late.TicketID).LinkedTicketID != first.TicketID || w.ticket(first.TicketID).Status != desk.StatusResolved {
		w.Errorf("late %+v", late)
	}
	if got := w.say("li@x", "and more", mail("m1")); got.TicketID != late.TicketID {
		w.Error("what follows opens a third ticket")
	}
	bounce := w.say("mailer@x", "", func(in *desk.Inbound) { mail("m1")(in); in.NoTicket, in.Class = true, desk.ClassBounce })
	if bounce.TicketID != first.TicketID {
		w.Error("a bounce went elsewhere than to the ticket it speaks of")
	}
}

// testRetract: what a customer takes back is marked, and stays to be read.
func testRetract(w *World) {
	e := w.put(w.envelope("v", "my password is 1234"))[0]
	said := w.file(understood(e))[0]
	back := func(in *desk.Inbound) { in.Retracts, in.Text = e.ExternalID, "" }
	got := w.say("v", "", back)
	m, err := w.Store.Message(w.ctx, said.MessageID)
	w.ok(err)
	if got.Outcome != desk.OutcomeUpdated || got.MessageID != said.MessageID || len(got.Events) != 1 || got.Events[0].Type != "message_update" ||
		m.Headers == nil || !slices.Equal(m.Headers.Badges, []string{"retracted"}) || m.Text != "my password is 1234" {
		w.Errorf("%+v on %+v", got, m)
	}
	if again := w.say("v", "", back); len(again.Events) != 0 || again.Outcome != desk.OutcomeUpdated {
		w.Errorf("again %+v", again)
	}
	if unknown := w.say("v", "", func(in *desk.Inbound) { in.Retracts = "never said" }); unknown.Outcome != desk.OutcomeRejected {
		w.Errorf("unknown %+v", unknown)
	}
	both := w.put(w.envelope("v", "oops"), w.envelope("v", ""))
	filed := w.file(understood(both[0]), understood(both[1], func(in *desk.Inbound) { in.Retracts = both[0].ExternalID }))
	if m, err := w.Store.Message(w.ctx, filed[0].MessageID); err != nil || m.Headers == nil || filed[1].MessageID != filed[0].MessageID {
		w.Errorf("in one batch %+v, %v", filed[1], err)
	}
}
