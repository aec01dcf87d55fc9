package storetest

import (
	"errors"
	"slices"
	"strings"
	"time"

	"hearback/desk"
	"hearback/ticketstore"
)

// reply answers a ticket.
func (w *World) reply(ticket desk.ID, text, key string) ticketstore.ReplyResult {
	w.Helper()
	r, err := w.Store.Reply(w.ctx, ticketstore.ReplyInput{TicketID: ticket, Author: agent, Text: text, IdempotencyKey: key})
	w.ok(err)
	return r
}

// claim takes due replies for a minute.
func (w *World) claim() []ticketstore.ClaimedDelivery {
	w.Helper()
	c, err := w.Store.ClaimDeliveries(w.ctx, 10, w.in(time.Minute))
	w.ok(err)
	return c
}

func (w *World) settle(s ticketstore.Settlement) []desk.Event {
	w.Helper()
	e, err := w.Store.Settle(w.ctx, []ticketstore.Settlement{s})
	w.ok(err)
	return e
}

// state is how far a reply has come.
func (w *World) state(message desk.ID) desk.DeliveryState {
	w.Helper()
	m, err := w.Store.Message(w.ctx, message)
	w.ok(err)
	return m.Delivery.State
}

func testReply(w *World) {
	id := w.say("v", "help", func(in *desk.Inbound) {
		in.Name, in.Window = "李雷", &desk.Window{ClosesAt: w.in(time.Hour), Remaining: 2}
	}).TicketID
	file, err := w.Store.AddUpload(w.ctx, desk.Attachment{Name: "a.pdf", Type: "application/pdf", Size: 9, Blob: "sha256-9"}, agent.ID)
	w.ok(err)
	in := ticketstore.ReplyInput{TicketID: id, Author: agent, Text: "你好", IdempotencyKey: "k1", AttachmentIDs: []desk.ID{file.ID}}
	got, err := w.Store.Reply(w.ctx, in)
	w.ok(err)
	if got.Message.Seq != 3 || got.Ticket.Version != 3 || got.Message.Delivery.State != desk.DeliveryQueued || len(got.Message.Attachments) != 1 ||
		got.Ticket.FirstReplyAt == 0 || got.Ticket.WaitingSince != 0 || got.Ticket.WindowRemaining != 1 || got.Ticket.LastMessageBy != "out" {
		w.Errorf("reply %+v", got)
	}
	if len(got.Events) != 1 || got.Events[0].Seq != 3 || got.Events[0].Ticket.Version != 3 || got.Events[0].Contact.Name != "李雷" {
		w.Errorf("events %+v", got.Events)
	}
	again, err := w.Store.Reply(w.ctx, in)
	w.ok(err)
	if !again.Again || again.Message.ID != got.Message.ID || len(again.Events) != 0 || again.Message.Delivery == nil {
		w.Errorf("again %+v", again)
	}
	in.Text = "other"
	if _, err := w.Store.Reply(w.ctx, in); !errors.Is(err, desk.ErrConflict) {
		w.Error("the same key with another text:", err)
	}
	in.IdempotencyKey = "k2"
	if _, err := w.Store.Reply(w.ctx, in); !errors.Is(err, desk.ErrInvalid) || w.ticket(id).Version != 3 {
		w.Error("a used upload attached twice:", err)
	}
	note, err := w.Store.Note(w.ctx, id, agent, "internal", nil, "k3")
	w.ok(err)
	if note.Message.Direction != desk.DirectionNote || note.Message.Delivery != nil || note.Ticket.LastMessageText != "你好" {
		w.Errorf("note %+v", note)
	}
	_, _, err = w.Store.Change(w.ctx, ticketstore.Change{TicketID: id, Actor: agent, Status: desk.StatusClosed})
	w.ok(err)
	if _, err := w.Store.Reply(w.ctx, ticketstore.ReplyInput{TicketID: id, Author: agent, Text: "late"}); !errors.Is(err, desk.ErrClosed) {
		w.Error("reply to a closed ticket:", err)
	}
	if _, err := w.Store.Reply(w.ctx, ticketstore.ReplyInput{TicketID: "nowhere", Author: agent}); !errors.Is(err, desk.ErrNotFound) {
		w.Error("reply to no ticket:", err)
	}
}

func testDeliveryOrder(w *World) {
	id := w.say("v", "help", func(in *desk.Inbound) { in.Name = "李雷" }).TicketID
	other := w.say("v2", "help").TicketID
	r1, r2, r3 := w.reply(id, "one", "1"), w.reply(id, "two", "2"), w.reply(other, "three", "3")
	c := w.claim()
	if len(c) != 2 || c[0].Outbound.MessageID != r1.Message.ID || c[1].Outbound.MessageID != r3.Message.ID || len(w.claim()) != 0 {
		w.Fatalf("claimed %+v", c)
	}
	o := c[0].Outbound
	if o.Attempt != 1 || o.To.Value != "v" || o.To.Type != "webchat" || o.ToName != "李雷" || o.Sender != "v" || o.Text != "one" || o.ExternalID != r1.Message.ID ||
		len(o.InReplyTo) != 1 || o.Author.Name != "小王" || o.Number == "" || o.Subject != "help" || c[0].GiveUpAt != w.in(24*time.Hour) {
		w.Errorf("outbound %+v", o)
	}
	e := w.settle(ticketstore.Settlement{DeliveryID: o.DeliveryID, State: desk.DeliveryQueued, NextAt: w.in(time.Minute), Hint: "busy", Code: "451"})
	if len(e) != 1 || e[0].Type != "message_update" || e[0].Message.Delivery.Hint != "busy" || e[0].Seq != w.ticket(id).Version {
		w.Errorf("events %+v", e)
	}
	if len(w.claim()) != 0 {
		w.Error("the second reply overtakes the first")
	}
	if due, err := w.Store.NextDeliveryDue(w.ctx); err != nil || due != w.in(time.Minute) {
		w.Error("next due", due, err)
	}
	w.Clock.Pass(2 * time.Minute)
	c = w.claim()
	if len(c) != 2 || c[0].Outbound.Attempt+c[1].Outbound.Attempt != 4 {
		w.Fatalf("second round %+v", c)
	}
	for _, x := range c {
		if x.Interrupted != (x.Outbound.TicketID == other) {
			w.Errorf("interrupted %v for %s", x.Interrupted, x.Outbound.Text)
		}
		w.settle(ticketstore.Settlement{DeliveryID: x.Outbound.DeliveryID, State: desk.DeliverySent, ProviderID: "p-" + x.Outbound.Text, PartsDone: 1})
	}
	c = w.claim()
	if len(c) != 1 || c[0].Outbound.MessageID != r2.Message.ID || !slices.Equal(c[0].Outbound.InReplyTo[1:], []string{"ext-1"}) {
		w.Fatalf("third round %+v", c)
	}
	if e := w.settle(ticketstore.Settlement{DeliveryID: r1.Message.Delivery.ID, State: desk.DeliveryFailed}); len(e) != 0 || w.state(r1.Message.ID) != desk.DeliverySent {
		w.Error("a delivery was settled twice")
	}
}

func testReceipts(w *World) {
	r := w.reply(w.say("v", "help").TicketID, "answer", "1")
	w.settle(ticketstore.Settlement{DeliveryID: w.claim()[0].Outbound.DeliveryID, State: desk.DeliverySent, ProviderID: "wx-1"})
	receipt := func(state desk.DeliveryState, ids ...string) ticketstore.Filed {
		e := w.envelope("v", "")
		e.Type = desk.EnvelopeReceipt
		f := understood(w.put(e)[0])
		f.Inbounds = []desk.Inbound{{Type: desk.EnvelopeReceipt, Receipt: &desk.Receipt{ExternalIDs: ids, State: state, Hint: "h"}}}
		return w.file(f)[0]
	}
	got := receipt(desk.DeliveryRead, "wx-1")
	if got.Outcome != desk.OutcomeUpdated || len(got.Events) != 1 || got.Events[0].Type != "message_update" || w.state(r.Message.ID) != desk.DeliveryRead {
		w.Errorf("read %+v", got)
	}
	if late := receipt(desk.DeliveryDelivered, r.Message.ExternalID); len(late.Events) != 0 || w.state(r.Message.ID) != desk.DeliveryRead {
		w.Error("a late receipt took a state back")
	}
	if bounce := receipt(desk.DeliveryFailed, r.Message.ExternalID); len(bounce.Events) != 1 || w.state(r.Message.ID) != desk.DeliveryFailed {
		w.Error("a bounce is not believed")
	}
	if receipt(desk.DeliveryRead, "wx-1"); w.state(r.Message.ID) != desk.DeliveryFailed {
		w.Error("what failed was read")
	}
	if unknown := receipt(desk.DeliveryRead, "nobody"); !unknown.Skipped {
		w.Errorf("a receipt that comes before its reply is known is not looked at again: %+v", unknown)
	}
	log, err := w.Store.ReadLog(w.ctx, channel, "v", 0, 50)
	w.ok(err)
	if len(log) != 1 {
		w.Errorf("receipts are shown as messages: %d", len(log))
	}
}

func testRetryAndHold(w *World) {
	id := w.say("v", "help").TicketID
	r := w.reply(id, "answer", "1")
	if _, err := w.Store.RetryDelivery(w.ctx, r.Message.ID, agent); !errors.Is(err, desk.ErrConflict) {
		w.Error("retried a waiting reply:", err)
	}
	c := w.claim()[0]
	w.settle(ticketstore.Settlement{DeliveryID: c.Outbound.DeliveryID, State: desk.DeliveryUncertain})
	e, err := w.Store.RetryDelivery(w.ctx, r.Message.ID, agent)
	w.ok(err)
	if len(e) != 1 || w.state(r.Message.ID) != desk.DeliveryQueued {
		w.Errorf("retry %+v", e)
	}
	e, err = w.Store.HoldChannel(w.ctx, channel, "password refused")
	w.ok(err)
	later := w.reply(id, "later", "2")
	if len(e) != 1 || w.state(r.Message.ID) != desk.DeliveryHeld || w.state(later.Message.ID) != desk.DeliveryHeld || len(w.claim()) != 0 {
		w.Error("a held channel goes on sending")
	}
	e, err = w.Store.ReleaseChannel(w.ctx, channel)
	w.ok(err)
	if len(e) != 2 || len(w.claim()) != 1 {
		w.Errorf("released %+v", e)
	}
	if _, err := w.Store.RetryDelivery(w.ctx, "nothing", agent); !errors.Is(err, desk.ErrNotFound) {
		w.Error("retry of nothing:", err)
	}
}

func testAssign(w *World) {
	id := w.say("v", "help").TicketID
	assign := func(a ticketstore.Assignment) ticketstore.AssignResult {
		a.TicketID = id
		r, err := w.Store.Assign(w.ctx, []ticketstore.Assignment{a})
		w.ok(err)
		return r[0]
	}
	first := assign(ticketstore.Assignment{AgentID: "a1", Epoch: 5, Kind: "assigned", Unowned: true, Decision: []byte(`{"why":"least load"}`)})
	if !first.Taken || first.Ticket.Status != desk.StatusOpen || first.Ticket.AssigneeID != "a1" || len(first.Events) != 1 ||
		first.Events[0].Message.Event.Data["assignee_id"] != "a1" || first.Events[0].Ticket.AssigneeID != "a1" {
		w.Fatalf("first %+v", first)
	}
	if late := assign(ticketstore.Assignment{AgentID: "a2", Epoch: 4, Kind: "assigned"}); late.Taken || late.Ticket.AssigneeID != "a1" {
		w.Error("an old epoch won")
	}
	if second := assign(ticketstore.Assignment{AgentID: "a2", Epoch: 6, Kind: "claimed", Unowned: true}); second.Taken {
		w.Error("two agents own one ticket")
	}
	moved := assign(ticketstore.Assignment{AgentID: "a2", Epoch: 7, Kind: "transferred", Actor: agent, Reason: "knows more"})
	if !moved.Taken || moved.Ticket.LastAgentID != "a1" || moved.Events[0].Message.Event.Reason != "knows more" {
		w.Errorf("transfer %+v", moved)
	}
	if max, err := w.Store.MaxEpoch(w.ctx); err != nil || max != 7 {
		w.Error("max epoch", max, err)
	}
	if r, err := w.Store.Unassign(w.ctx, id, 5, nil, "requeued", desk.Author{}, "gone"); err != nil || r.Taken {
		w.Error("an old epoch took the ticket away", err)
	}
	team := desk.ID("team-2")
	back, err := w.Store.Unassign(w.ctx, id, 7, &team, "transferred", agent, "not ours")
	w.ok(err)
	if !back.Taken || back.Ticket.Status != desk.StatusNew || back.Ticket.TeamID != team || back.Ticket.LastAgentID != "a2" || back.Ticket.AssigneeID != "" {
		w.Errorf("back %+v", back)
	}
	loads, err := w.Store.Loads(w.ctx, "", 10)
	w.ok(err)
	some, err := w.Store.LoadsByID(w.ctx, []desk.ID{id})
	w.ok(err)
	if len(loads) != 1 || loads[0].Epoch != 7 || loads[0].LastAgentID != "a2" || len(some) != 1 || some[0] != loads[0] {
		w.Errorf("loads %+v %+v", loads, some)
	}
	decisions, err := w.Store.Decisions(w.ctx, id)
	w.ok(err)
	if len(decisions) != 2 || !strings.Contains(string(decisions[0].Detail), "least load") {
		w.Errorf("decisions %+v", decisions)
	}
	if got := w.timeline(id); got != "1 created, 2 in help, 3 assigned, 4 transferred, 5 transferred" {
		w.Error(got)
	}
}

func testChange(w *World) {
	id := w.say("v", "help").TicketID
	change := func(c ticketstore.Change) (desk.Ticket, []desk.Event, error) {
		c.TicketID, c.Actor = id, agent
		return w.Store.Change(w.ctx, c)
	}
	subject, urgent, tags := "new subject", desk.PriorityUrgent, []string{" 退款 ", "vip", "vip", ""}
	later := w.in(time.Hour)
	for _, c := range []ticketstore.Change{{Subject: &subject}, {Priority: &urgent}, {Tags: &tags}, {Fields: map[string]string{"order": "1", "x": "2"}},
		{Fields: map[string]string{"x": ""}}, {SnoozedUntil: &later}, {Status: desk.StatusWaiting}} {
		before := w.ticket(id).Version
		t, events, err := change(c)
		w.ok(err)
		if len(events) != 1 || t.Version != before+1 || events[0].Seq != t.Version || events[0].Ticket == nil {
			w.Errorf("%+v: events %+v", c, events)
		}
		if _, events, err = change(c); err != nil || len(events) != 0 {
			w.Errorf("%+v again: %v %v", c, events, err)
		}
	}
	t := w.ticket(id)
	if t.Subject != subject || t.Priority != urgent || !slices.Equal(t.Tags, []string{"退款", "vip"}) || len(t.Fields) != 1 || t.SnoozedUntil != later || t.Status != desk.StatusWaiting {
		w.Errorf("ticket %+v", t)
	}
	if back := w.say("v", "I am back"); len(back.Reopened) != 1 || back.Reopened[0].Status != desk.StatusNew || w.ticket(id).SnoozedUntil != 0 {
		w.Errorf("a customer's answer does not wake the ticket: %+v", back)
	}
	closed, _, err := change(ticketstore.Change{Status: desk.StatusClosed, Reason: "done"})
	w.ok(err)
	if closed.ClosedAt == 0 {
		w.Error("no time of closing")
	}
	if _, _, err := change(ticketstore.Change{Subject: &subject}); !errors.Is(err, desk.ErrClosed) {
		w.Error("a closed ticket was changed:", err)
	}
	again, events, err := change(ticketstore.Change{Status: desk.StatusOpen, Reason: "not done"})
	w.ok(err)
	if again.Status != desk.StatusNew || again.ClosedAt != 0 || events[0].Message.Event.Type != "reopened" || events[0].Message.Event.Reason != "not done" {
		w.Errorf("reopened %+v", again)
	}
	if _, _, err := change(ticketstore.Change{Status: "odd"}); !errors.Is(err, desk.ErrInvalid) {
		w.Error("an unknown status:", err)
	}
}

func testMergeAndSplit(w *World) {
	a, b := w.say("a", "order is late").TicketID, w.say("b", "same order, late").TicketID
	w.reply(b, "looking", "1")
	events, err := w.Store.Merge(w.ctx, a, b, agent)
	w.ok(err)
	if got := w.timeline(a); got != "1 created, 2 in order is late, 3 merged, 4 in same order, late, 5 out looking" {
		w.Error(got)
	}
	if got := w.timeline(b); got != "1 created, 4 merged" || w.ticket(b).Status != desk.StatusClosed || w.ticket(b).LinkedTicketID != a || len(events) != 4 {
		w.Error(got, len(events))
	}
	if next := w.say("b", "any news?"); next.TicketID != a {
		w.Error("after a merge the customer's next message opens another ticket")
	}
	if _, err := w.Store.Merge(w.ctx, a, b, agent); !errors.Is(err, desk.ErrClosed) {
		w.Error("merged twice:", err)
	}
	if c := w.claim(); len(c) != 1 || c[0].Outbound.TicketID != a {
		w.Errorf("the waiting reply did not move: %+v", c)
	}
	second := w.say("a", "and a new matter")
	made, _, err := w.Store.Split(w.ctx, a, second.MessageID, agent)
	w.ok(err)
	if got := w.timeline(made.ID); got != "1 created, 2 in and a new matter" || made.LinkedTicketID != a || made.Number == w.ticket(a).Number {
		w.Error(got)
	}
	if next := w.say("a", "more of it"); next.TicketID != made.ID {
		w.Error("after a split the customer's next message goes to the old ticket")
	}
	first, err := w.Store.Messages(w.ctx, a, 1, 1)
	w.ok(err)
	if _, _, err := w.Store.Split(w.ctx, a, first[0].ID, agent); !errors.Is(err, desk.ErrInvalid) {
		w.Error("split off everything:", err)
	}
}

func testJobsAndLeases(w *World) {
	job := ticketstore.Job{Kind: "callback", DedupeKey: "t1", Payload: []byte(`{"n":1}`), RunAt: w.in(time.Minute), Max: 2, DeadlineAt: w.in(time.Hour)}
	if ok, err := w.Store.Enqueue(w.ctx, job); err != nil || !ok {
		w.Fatal(ok, err)
	}
	if ok, err := w.Store.Enqueue(w.ctx, job); err != nil || ok {
		w.Error("stored twice", err)
	}
	claim := func() []ticketstore.Job {
		j, err := w.Store.ClaimJobs(w.ctx, []string{"callback", "other"}, 5, w.in(time.Minute))
		w.ok(err)
		return j
	}
	if len(claim()) != 0 {
		w.Error("claimed before its time")
	}
	w.Clock.Pass(time.Minute)
	j := claim()
	if len(j) != 1 || j[0].Attempts != 1 || !strings.Contains(string(j[0].Payload), "1") || len(claim()) != 0 {
		w.Fatalf("jobs %+v", j)
	}
	w.ok(w.Store.FailJob(w.ctx, j[0].ID, "no answer", w.in(time.Second)))
	w.Clock.Pass(time.Second)
	if j = claim(); len(j) != 1 || j[0].Attempts != 2 {
		w.Fatalf("second try %+v", j)
	}
	w.ok(w.Store.FailJob(w.ctx, j[0].ID, "no answer", w.in(time.Second)))
	w.Clock.Pass(time.Hour)
	if len(claim()) != 0 {
		w.Error("tried more often than allowed")
	}
	lease := func(who string, want bool) {
		w.Helper()
		if got, err := w.Store.Lease(w.ctx, "mailbox", who, w.in(time.Minute)); err != nil || got != want {
			w.Errorf("%s has the lease: %v %v", who, got, err)
		}
	}
	lease("n1", true)
	lease("n2", false)
	lease("n1", true)
	w.Clock.Pass(time.Minute)
	lease("n2", true)
	w.ok(w.Store.Unlease(w.ctx, "mailbox", "n1"))
	lease("n1", false)
	w.ok(w.Store.Unlease(w.ctx, "mailbox", "n2"))
	lease("n1", true)
	w.ok(w.Store.ForgetLeases(w.ctx))
	if got, err := w.Store.Lease(w.ctx, "mailbox", "somebody new", w.in(time.Minute)); err != nil || !got {
		w.Errorf("a forgotten lease is still held: %v", err)
	}
}
