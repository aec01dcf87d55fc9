package storetest

import (
	"errors"
	"slices"
	"sync"
	"time"

	"hearback/desk"
	"hearback/ticketstore"
)

const mailbox = "01900000-0000-7000-8000-0000000000a2"

// sayBy lets somebody write by another channel.
func (w *World) sayBy(channel desk.ID, sender, text string, change ...func(*desk.Inbound)) ticketstore.Filed {
	w.Helper()
	e := w.envelope(sender, text)
	e.ChannelID = channel
	envs := []desk.Envelope{e}
	w.ok(w.Store.PutInbox(w.ctx, []*ticketstore.Arrival{{ChannelID: channel, Envelopes: envs}}, w.in(time.Minute)))
	return w.file(understood(envs[0], change...))[0]
}

// known makes a writer somebody whose login every channel proves.
func known(in *desk.Inbound) {
	in.Also = []desk.Identity{{Type: "external", Value: "u7", Verified: true}}
}

func withWindow(closes desk.Time, remaining int) func(*desk.Inbound) {
	return func(in *desk.Inbound) { in.Window = &desk.Window{ClosesAt: closes, Remaining: remaining} }
}

func testRoute(w *World) {
	chat := w.say("v", "help", known)
	other := w.sayBy(mailbox, "li@x", "another matter", known)
	route := &ticketstore.Route{ChannelID: mailbox, Sender: "li@x", To: desk.Identity{Type: "email", Value: "li@x"}}
	r, err := w.Store.Reply(w.ctx, ticketstore.ReplyInput{TicketID: chat.TicketID, Author: agent, Text: "by mail", IdempotencyKey: "1", Route: route,
		Cc: []string{"Boss <boss@x>"}, Bcc: []string{"log@y"}, Subject: "Your order"})
	w.ok(err)
	if r.Message.ChannelID != mailbox || r.Message.Headers.Subject != "Your order" || r.Message.TicketID != chat.TicketID {
		w.Errorf("reply %+v", r.Message)
	}
	c := w.claim()
	if len(c) != 1 {
		w.Fatalf("claimed %+v", c)
	}
	o := c[0].Outbound
	if o.ChannelID != mailbox || o.Sender != "li@x" || o.To != route.To || o.Subject != "Your order" || !slices.Equal(o.Cc, []string{"Boss <boss@x>"}) ||
		!slices.Equal(o.Bcc, []string{"log@y"}) || o.WindowRemaining != -1 || len(o.InReplyTo) != 0 {
		w.Errorf("outbound %+v", o)
	}
	keyed := func(in *desk.Inbound) {
		known(in)
		in.ThreadKeys, in.Members, in.Topic = []string{r.Message.ExternalID, "-"}, []string{"li@x"}, "your order"
	}
	answer := w.sayBy(mailbox, "li@x", "thanks", keyed)
	if answer.TicketID != chat.TicketID || answer.Outcome != desk.OutcomeAppended {
		w.Errorf("the answer to a reply by another way went to %+v", answer)
	}
	reader := w.sayBy(mailbox, "boss@x", "me too", func(in *desk.Inbound) { keyed(in); in.Also = nil })
	if reader.TicketID != chat.TicketID {
		w.Error("who read a copy may not answer")
	}
	if t, err := w.Store.SenderTicket(w.ctx, mailbox, "li@x"); err != nil || t.ID != other.TicketID {
		w.Error("the other conversation lost its own ticket", t, err)
	}
}

// testRouteChat does the same where no keys tell which message is answered.
func testRouteChat(w *World) {
	chat := w.say("v", "help", known)
	other := w.sayBy(mailbox, "openid", "another matter", known)
	route := &ticketstore.Route{ChannelID: mailbox, Sender: "openid"}
	by := func(ticket desk.ID, r *ticketstore.Route, text string) {
		_, err := w.Store.Reply(w.ctx, ticketstore.ReplyInput{TicketID: ticket, Author: agent, Text: text, Route: r})
		w.ok(err)
	}
	by(chat.TicketID, route, "here I am")
	if c := w.claim(); len(c) != 1 || c[0].Outbound.To.Value != "openid" || c[0].Outbound.To.Type != "webchat" {
		w.Errorf("without an address it goes to who wrote there last: %+v", c)
	}
	if got := w.sayBy(mailbox, "openid", "fine"); got.TicketID != chat.TicketID {
		w.Error("the answer went elsewhere")
	}
	by(other.TicketID, nil, "and your other matter")
	if got := w.sayBy(mailbox, "openid", "that too"); got.TicketID != other.TicketID {
		w.Error("after its own reply the conversation does not go on in its own ticket")
	}
	by(chat.TicketID, route, "still there?")
	_, _, err := w.Store.Change(w.ctx, ticketstore.Change{TicketID: chat.TicketID, Actor: agent, Status: desk.StatusClosed})
	w.ok(err)
	if got := w.sayBy(mailbox, "openid", "yes"); got.TicketID != other.TicketID {
		w.Error("after the end of the ticket that wrote last the conversation's own is not gone on with")
	}
	// After a merge the answer comes to the ticket the other went into.
	asked, into := w.say("v3", "by mail please"), w.say("v4", "the same matter")
	by(asked.TicketID, route, "asked by the other way")
	_, err = w.Store.Merge(w.ctx, into.TicketID, asked.TicketID, agent)
	w.ok(err)
	if got := w.sayBy(mailbox, "openid", "answered"); got.TicketID != into.TicketID {
		w.Error("after a merge the answer went elsewhere")
	}
	w.claim()
	fresh := &ticketstore.Route{ChannelID: mailbox, Sender: "never", To: desk.Identity{Type: "webchat", Value: "never", Scope: mailbox}}
	second := w.say("v2", "new")
	by(second.TicketID, fresh, "first word")
	if c := w.claim(); len(c) != 1 || c[0].Outbound.To.Value != "never" {
		w.Errorf("first word %+v", c)
	}
	if got := w.sayBy(mailbox, "never", "who are you?"); got.TicketID != second.TicketID || w.ticket(got.TicketID).ContactID != w.ticket(second.TicketID).ContactID {
		w.Error("who was written to first is not known when he answers")
	}
}

func testAnsweredMeanwhile(w *World) {
	id := w.say("v", "help").TicketID
	seen := w.ticket(id).Version
	try := func(who, key string) error {
		_, err := w.Store.Reply(w.ctx, ticketstore.ReplyInput{TicketID: id, Author: desk.Author{Kind: "agent", ID: who, Name: who}, Text: "me", IdempotencyKey: key, IfSeq: seen})
		return err
	}
	_, err := w.Store.Reply(w.ctx, ticketstore.ReplyInput{TicketID: id, Author: desk.Author{Kind: "system"}, Text: "received", Automatic: true})
	w.ok(err)
	var mu sync.Mutex
	var passed []string
	var refused []error
	var all sync.WaitGroup
	for _, who := range []string{"a", "b", "c", "d"} {
		all.Go(func() {
			err := try(who, who)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				passed = append(passed, who)
			} else {
				refused = append(refused, err)
			}
		})
	}
	all.Wait()
	if len(passed) != 1 || len(refused) != 3 {
		w.Fatalf("%v passed, %v refused", passed, refused)
	}
	var answered *ticketstore.Answered
	if err := refused[0]; !errors.As(err, &answered) || answered.By.Name != passed[0] || answered.At == 0 || !errors.Is(err, desk.ErrConflict) {
		w.Errorf("refusal %v", err)
	}
	if err := try(passed[0], "again"); err != nil {
		w.Error("one's own answer stands in the way:", err)
	}
	if err := try(passed[0], passed[0]); err != nil {
		w.Error("the same key again:", err)
	}
}

// testQuota counts what may be written on all tickets of a conversation.
func testQuota(w *World) {
	first := w.say("v", "one", withWindow(w.in(time.Hour), 2))
	made, _, err := w.Store.Split(w.ctx, first.TicketID, w.say("v", "two").MessageID, agent)
	w.ok(err)
	left := func(want int) {
		w.Helper()
		for _, id := range []desk.ID{first.TicketID, made.ID} {
			if got := w.ticket(id).WindowRemaining; got != want {
				w.Errorf("%d left on %s, want %d", got, id, want)
			}
		}
	}
	left(2)
	r := w.reply(first.TicketID, "a", "a")
	left(1)
	if len(r.Events) != 2 || r.Events[1].Type != "ticket" || r.Events[1].TicketID != made.ID || r.Events[1].Ticket.WindowRemaining != 1 {
		w.Errorf("events %+v", r.Events)
	}
	w.reply(first.TicketID, "a", "a")
	left(1)
	w.reply(made.ID, "b", "b")
	over := w.reply(first.TicketID, "c", "c")
	left(0)
	c := w.claim()
	if len(c) != 2 || c[0].Outbound.WindowRemaining != 1 || c[1].Outbound.WindowRemaining != 1 || c[0].Outbound.WindowClosesAt != w.in(time.Hour) {
		w.Fatalf("claimed %+v", c)
	}
	events := w.settle(ticketstore.Settlement{DeliveryID: c[0].Outbound.DeliveryID, State: desk.DeliveryFailed, Code: "window_closed"})
	left(1)
	if len(events) != 3 {
		w.Errorf("events %+v", events)
	}
	_, err = w.Store.RetryDelivery(w.ctx, c[0].Outbound.MessageID, agent)
	w.ok(err)
	left(0)
	w.settle(ticketstore.Settlement{DeliveryID: c[1].Outbound.DeliveryID, State: desk.DeliveryFailed, Code: "refused"})
	left(0)
	for c = w.claim(); len(c) > 0 && c[0].Outbound.MessageID != over.Message.ID; c = w.claim() {
		w.settle(ticketstore.Settlement{DeliveryID: c[0].Outbound.DeliveryID, State: desk.DeliverySent})
	}
	if len(c) != 1 || c[0].Outbound.WindowRemaining != 0 {
		w.Errorf("one too many has a place: %+v", c)
	}
	w.settle(ticketstore.Settlement{DeliveryID: c[0].Outbound.DeliveryID, State: desk.DeliveryFailed, Code: "quota_used"})
	left(0)
	w.say("v", "three", withWindow(w.in(2*time.Hour), 5))
	left(5)
	conv, err := w.Store.Conversations(w.ctx, w.ticket(made.ID).ContactID)
	w.ok(err)
	if len(conv) != 1 || conv[0].WindowRemaining != 5 || conv[0].WindowClosesAt != w.in(2*time.Hour) || conv[0].From.Value != "v" {
		w.Errorf("conversations %+v", conv)
	}
}

// testQuotaRace lets many take the last places at once.
func testQuotaRace(w *World) {
	first := w.say("v", "one", withWindow(0, 4))
	made, _, err := w.Store.Split(w.ctx, first.TicketID, w.say("v", "two").MessageID, agent)
	w.ok(err)
	var writers sync.WaitGroup
	for i, node := range w.nodes(2) {
		for k := range 4 {
			writers.Go(func() {
				id := []desk.ID{first.TicketID, made.ID}[(i+k)%2]
				if _, err := node.Reply(w.ctx, ticketstore.ReplyInput{TicketID: id, Author: agent, Text: "x"}); err != nil {
					w.Error(err)
				}
			})
		}
	}
	writers.Wait()
	if a, b := w.ticket(first.TicketID).WindowRemaining, w.ticket(made.ID).WindowRemaining; a != 0 || b != 0 {
		w.Errorf("%d and %d left", a, b)
	}
	places := 0
	for range 8 {
		for _, c := range w.claim() {
			places += c.Outbound.WindowRemaining
			w.settle(ticketstore.Settlement{DeliveryID: c.Outbound.DeliveryID, State: desk.DeliverySent})
		}
	}
	if places != 4 {
		w.Errorf("%d replies have a place of 4", places)
	}
}

func testLetters(w *World) {
	team, err := w.Store.SaveTeam(w.ctx, desk.Team{Name: "t", Template: "{{text}}--{{signature}}"})
	w.ok(err)
	a, err := w.Store.CreateAgent(w.ctx, desk.Agent{Name: "A", Email: "a@x", Role: desk.RoleAgent, Signature: "A of T"}, "", false)
	w.ok(err)
	e := w.put(w.envelope("v", "hi"))[0]
	f := understood(e, func(in *desk.Inbound) {
		in.Subject, in.Headers = "First", &desk.Headers{From: "V <v@x>", Subject: "First", Checks: []desk.Check{{Name: "spf", Result: "pass"}}}
	})
	f.Plans[0].TeamID = team.ID
	id := w.file(f)[0].TicketID
	second := w.say("v", "hello", func(in *desk.Inbound) { in.Headers = &desk.Headers{Subject: "Re: Second"} })
	if m, err := w.Store.Message(w.ctx, second.MessageID); err != nil || m.Headers == nil || m.Headers.Subject != "Re: Second" {
		w.Error("headers", m.Headers, err)
	}
	_, err = w.Store.Reply(w.ctx, ticketstore.ReplyInput{TicketID: id, Author: desk.Author{Kind: "agent", ID: a.ID, Name: "A"}, Text: "answer",
		Route: &ticketstore.Route{Means: "template"}})
	w.ok(err)
	c := w.claim()
	if len(c) != 1 {
		w.Fatalf("claimed %+v", c)
	}
	if o := c[0].Outbound; o.Signature != "A of T" || o.Template != team.Template || o.Subject != "Re: Second" || o.Means != "template" || o.Sender != "v" {
		w.Errorf("outbound %+v", o)
	}
}
