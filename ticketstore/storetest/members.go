package storetest

import (
	"fmt"

	"hearback/desk"
	"hearback/ticketstore"
)

// letter is what mail says of its conversation: keys of which the first proven need no check, and who it went to.
func letter(id string, proven int, cc []string, refs ...string) func(*desk.Inbound) {
	return func(in *desk.Inbound) {
		in.OwnKeys, in.ThreadKeys, in.Proven = []string{id}, append(refs, "-"), proven
		in.Members = append([]string{in.From.Value}, cc...)
	}
}

func testAnsweredThreads(w *World) {
	first := w.say("a@x", "help", letter("m1", 0, nil))
	r := w.reply(first.TicketID, "answer", "1")
	w.settle(ticketstore.Settlement{DeliveryID: w.claim()[0].Outbound.DeliveryID, State: desk.DeliverySent, ProviderID: "<rewritten@x>"})
	for _, key := range []string{r.Message.ExternalID, "<rewritten@x>", "#" + r.Ticket.Number} {
		if got := w.say("a@x", "answer to "+key, letter("of "+key, 0, nil, key)); got.TicketID != first.TicketID {
			w.Errorf("%s does not name the ticket: %+v", key, got)
		}
	}
	if got := w.say("a@x", "other", letter("m9", 0, nil, "#GD19990101-0001")); got.TicketID == first.TicketID {
		w.Error("an unknown number led to the sender's ticket")
	}
}

func testMembers(w *World) {
	first := w.say("a@x", "help", letter("m1", 0, []string{"boss@x"}))
	r := w.reply(first.TicketID, "answer", "1")
	ours := r.Message.ExternalID
	if got := w.say("boss@x", "me too", letter("m2", 0, nil, ours)); got.TicketID != first.TicketID {
		w.Errorf("who got a copy is no member: %+v", got)
	}
	stranger := w.say("evil@y", "send me the money", letter("m3", 0, nil, ours))
	if stranger.Outcome != desk.OutcomeTicket || stranger.TicketID == first.TicketID || w.ticket(stranger.TicketID).LinkedTicketID != first.TicketID {
		w.Fatalf("a stranger got in: %+v", stranger)
	}
	if again := w.say("evil@y", "well?", letter("m4", 0, nil, ours)); again.TicketID != stranger.TicketID {
		w.Errorf("the stranger's second mail opened another ticket: %+v", again)
	}
	if got := w.say("colleague@z", "for him", letter("m5", 1, nil, ours)); got.TicketID != first.TicketID {
		w.Errorf("the proof was not taken: %+v", got)
	}
	if got := w.say("colleague@z", "more", letter("m6", 0, nil, ours)); got.TicketID != first.TicketID {
		w.Errorf("who was let in is no member: %+v", got)
	}
	e := w.put(w.envelope("b@x", "one"), w.envelope("c@x", "two"), w.envelope("d@x", "three"))
	batch := w.file(understood(e[0], letter("n1", 0, []string{"c@x"})), understood(e[1], letter("n2", 0, nil, "n1")), understood(e[2], letter("n3", 0, nil, "n1")))
	if batch[1].TicketID != batch[0].TicketID || batch[2].TicketID == batch[0].TicketID {
		w.Errorf("within one batch: %+v", batch)
	}
}

func testBounceWakes(w *World) {
	first := w.say("a@x", "help", letter("m1", 0, nil))
	r := w.reply(first.TicketID, "answer", "1")
	w.settle(ticketstore.Settlement{DeliveryID: w.claim()[0].Outbound.DeliveryID, State: desk.DeliverySent})
	_, _, err := w.Store.Change(w.ctx, ticketstore.Change{TicketID: first.TicketID, Actor: agent, Status: desk.StatusResolved})
	w.ok(err)
	f := understood(w.put(w.envelope("mailer-daemon@x", "no such user"))[0], letter("m2", 2, nil, r.Message.ExternalID),
		func(in *desk.Inbound) { in.Class, in.NoTicket = desk.ClassBounce, true })
	f.Inbounds = append([]desk.Inbound{{Type: desk.EnvelopeReceipt, From: f.Inbounds[0].From,
		Receipt: &desk.Receipt{ExternalIDs: []string{r.Message.ExternalID}, State: desk.DeliveryFailed, Hint: "no such user"}}}, f.Inbounds...)
	f.Plans = append(f.Plans, ticketstore.Plan{})
	got := w.file(f)[0]
	if got.Outcome != desk.OutcomeAppended || got.TicketID != first.TicketID || len(got.Reopened) != 1 || w.state(r.Message.ID) != desk.DeliveryFailed {
		w.Errorf("the bounce %+v, the ticket %s", got, w.ticket(first.TicketID).Status)
	}
}

func testTopics(w *World) {
	about := func(topic string) func(*desk.Inbound) {
		return func(in *desk.Inbound) { in.Subject, in.Topic = topic, topic }
	}
	first := w.say("a@x", "help", letter("m1", 0, nil), about("发票开错了 invoice"))
	for n, topic := range []string{"发票开错了 invoice", "[external] 发票开错了 invoice, urgent", "", "ok", "发票开错了"} {
		if got := w.say("a@x", "more", letter(fmt.Sprint("n", n), 0, nil, "m1"), about(topic)); got.TicketID != first.TicketID {
			w.Errorf("%q is taken for another topic", topic)
		}
	}
	other := w.say("a@x", "by the way", letter("m2", 1, nil, "m1"), about("请帮我修改收货地址"))
	if other.TicketID == first.TicketID || w.ticket(other.TicketID).LinkedTicketID != first.TicketID {
		w.Error("another topic went into the old ticket")
	}
	if got := w.say("a@x", "and", letter("m3", 0, nil, "m2", "m1"), about("请帮我修改收货地址")); got.TicketID != other.TicketID {
		w.Error("its answer went elsewhere")
	}
	if got := w.say("a@x", "number", letter("m4", 0, nil, "#"+w.ticket(first.TicketID).Number), about("quite something else")); got.TicketID != first.TicketID {
		w.Error("the number was not obeyed")
	}
}
