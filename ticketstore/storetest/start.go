package storetest

import (
	"errors"
	"sync"

	"hearback/desk"
	"hearback/ticketstore"
)

func startLetter(key string) ticketstore.Start {
	return ticketstore.Start{ChannelID: mailbox, ChannelKind: "email", Sender: "li@x", To: desk.Identity{Type: "email", Value: "li@x"}, Name: "李雷",
		TeamID: "team", Subject: "Your order", Text: "It is on its way.", Cc: []string{"boss@x"}, Author: agent, IdempotencyKey: key}
}

func (w *World) start(in ticketstore.Start) ticketstore.StartResult {
	w.Helper()
	got, err := w.Store.Start(w.ctx, in)
	w.ok(err)
	return got
}

func testStart(w *World) {
	got := w.start(startLetter("k"))
	t := w.ticket(got.Ticket.ID)
	if t.Number == "" || t.Status != desk.StatusNew || t.TeamID != "team" || t.Subject != "Your order" || t.Sender != "li@x" || t.ChannelKind != "email" ||
		t.FirstReplyAt == 0 || t.WaitingSince != 0 || t.LastMessageText != "It is on its way." || len(got.Events) != 2 || got.Message.Delivery.State != desk.DeliveryQueued {
		w.Fatalf("%+v\n%+v", t, got)
	}
	c := w.claim()
	if len(c) != 1 || c[0].Outbound.To != startLetter("").To || c[0].Outbound.ToName != "李雷" || c[0].Outbound.Subject != "Your order" || c[0].Outbound.Cc[0] != "boss@x" {
		w.Fatalf("outbound %+v", c)
	}
	if again := w.start(startLetter("k")); !again.Again || again.Ticket.ID != t.ID || again.Message.ID != got.Message.ID || len(again.Events) != 0 {
		w.Errorf("the same key again %+v", again)
	}
	changed := startLetter("k")
	changed.Text = "another"
	if _, err := w.Store.Start(w.ctx, changed); !errors.Is(err, desk.ErrConflict) {
		w.Error("the same key with another text:", err)
	}
	answer := w.sayBy(mailbox, "li@x", "thanks", func(in *desk.Inbound) {
		in.ThreadKeys, in.Members, in.Topic = []string{got.Message.ExternalID, "-"}, []string{"li@x"}, "your order"
		in.From = desk.Identity{Type: "email", Value: "li@x", Verified: true}
	})
	if answer.TicketID != t.ID || w.ticket(t.ID).ContactID != t.ContactID {
		w.Errorf("the answer %+v", answer)
	}
	second := w.start(startLetter("k2"))
	if second.Ticket.ContactID != t.ContactID || second.Ticket.ID == t.ID {
		w.Error("a second letter to the same address goes to somebody else")
	}
	if first, err := w.Store.SenderTicket(w.ctx, mailbox, "li@x"); err != nil || first.ID != t.ID {
		w.Error("the open ticket lost its conversation", err)
	}
	bare := startLetter("k3")
	bare.Text, bare.ContactID = "", t.ContactID
	if got := w.start(bare); got.Message != nil || got.Ticket.ContactID != t.ContactID || got.Ticket.WaitingSince == 0 || len(w.claim()) != 1 {
		w.Errorf("a ticket without a message %+v", got)
	}
	bare.ContactID, bare.IdempotencyKey = "nobody", "k4"
	if _, err := w.Store.Start(w.ctx, bare); !errors.Is(err, desk.ErrNotFound) {
		w.Error("for a contact nobody has:", err)
	}
}

// testStartChat: where no keys tell, what the customer writes goes to the ticket that wrote last.
func testStartChat(w *World) {
	text := startLetter("a")
	text.Sender, text.To, text.Cc = caller, desk.Identity{Type: "phone", Value: caller}, nil
	first := w.start(text)
	phone := func(in *desk.Inbound) { in.From = desk.Identity{Type: "phone", Value: caller, Verified: true} }
	if got := w.sayBy(mailbox, caller, "ok", phone); got.TicketID != first.Ticket.ID {
		w.Error("the answer opened another ticket")
	}
	text.IdempotencyKey = "b"
	second := w.start(text)
	if got := w.sayBy(mailbox, caller, "ok too", phone); got.TicketID != second.Ticket.ID {
		w.Error("the answer did not go to the ticket that wrote last")
	}
	if _, err := w.Store.Reply(w.ctx, ticketstore.ReplyInput{TicketID: first.Ticket.ID, Author: agent, Text: "and?"}); err != nil {
		w.Error(err)
	}
	if got := w.sayBy(mailbox, caller, "well", phone); got.TicketID != first.Ticket.ID {
		w.Error("the first ticket asked last and did not get the answer")
	}
}

// testStartRace lets one key be used by many at once, as an impatient browser does.
func testStartRace(w *World) {
	var mu sync.Mutex
	tickets, fresh := map[desk.ID]bool{}, 0
	var all sync.WaitGroup
	for _, node := range w.nodes(3) {
		for range 3 {
			all.Go(func() {
				got, err := node.Start(w.ctx, startLetter("once"))
				if err != nil {
					w.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				tickets[got.Ticket.ID] = true
				if !got.Again {
					fresh++
				}
			})
		}
	}
	all.Wait()
	if len(tickets) != 1 || fresh != 1 {
		w.Errorf("one letter opened %d tickets, %d times", len(tickets), fresh)
	}
}
