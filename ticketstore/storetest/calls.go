package storetest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"time"

	"hearback/desk"
	"hearback/ticketstore"
)

const (
	caller = "+8613812345678"
	other  = "+8613912345678"
)

// callReport is an event of a call with the channel's usual settings.
func callReport(id, customer string, e desk.CallEvent) *desk.CallReport {
	if e.Key == "" {
		e.Key = e.Type + e.Leg
	}
	if e.From == "" && customer != "" && e.Direction != "outbound" {
		e.From = customer
	}
	return &desk.CallReport{ID: id, Event: e, Customer: customer, Open: "every", Within: 24 * time.Hour, CallBackIn: 30 * time.Minute, UrgentAfter: 3}
}

// ring lets a call centre tell an event and understands it.
func (w *World) ring(r *desk.CallReport, change ...func(*desk.Inbound)) ticketstore.Filing {
	w.Helper()
	sender := r.Customer
	if sender == "" {
		sender = "call:" + r.ID
	}
	f := understood(w.put(w.envelope(sender, ""))[0], change...)
	f.Inbounds[0].Call = r
	return f
}

// call files an event at once.
func (w *World) call(r *desk.CallReport, change ...func(*desk.Inbound)) ticketstore.Filed {
	w.Helper()
	return w.file(w.ring(r, change...))[0]
}

// threeOf are the usual events of an inbound call.
func (w *World) threeOf(customer string) []desk.CallEvent {
	at := w.in(-time.Minute)
	return []desk.CallEvent{
		{Type: desk.CallRinging, At: at, Direction: "inbound", From: customer, To: "4001", Agents: []string{"8001"}},
		{Type: desk.CallAnswered, At: at + 5000, Direction: "inbound", From: customer, Agents: []string{"8001"}},
		{Type: desk.CallHangup, At: at + 35000, Direction: "inbound", From: customer, Cause: "normal"},
	}
}

// orders are all orders of n things.
func orders(n int) [][]int {
	if n == 0 {
		return [][]int{{}}
	}
	var all [][]int
	for _, o := range orders(n - 1) {
		for at := range n {
			all = append(all, slices.Insert(slices.Clone(o), at, n-1))
		}
	}
	return all
}

// newsOf are the live hints among events.
func newsOf(events []desk.Event) []desk.CallNews {
	var all []desk.CallNews
	for _, e := range events {
		if e.Type == "call" {
			all = append(all, *e.Call)
		}
	}
	return all
}

func (w *World) callRow(id string) ticketstore.CallRow {
	w.Helper()
	c, err := w.Store.Call(w.ctx, channel, id)
	w.ok(err)
	return c
}

// testCallOrders tells a call in every order, one by one, all at once and twice: it is the same call on one ticket.
func testCallOrders(w *World) {
	var want []byte
	for i, order := range orders(3) {
		for _, together := range []bool{false, true} {
			id, number := fmt.Sprintf("call-%d-%v", i, together), fmt.Sprintf("+86138%07d%d", i, len(fmt.Sprint(together)))
			var filings []ticketstore.Filing
			var results []ticketstore.Filed
			for _, n := range append(order, order...) {
				f := w.ring(callReport(id, number, w.threeOf("")[n]))
				f.Inbounds[0].Call.Event.From = ""
				if filings = append(filings, f); !together {
					results = append(results, w.file(f)...)
				}
			}
			if together {
				results = w.file(filings...)
			}
			first := results[0]
			if first.Outcome != desk.OutcomeTicket || first.MessageID == "" || len(newsOf(first.Events))+len(newsOf(results[2].Events)) == 0 {
				w.Fatalf("%s: first %+v", id, first)
			}
			for n, r := range results {
				if r.TicketID != first.TicketID || r.MessageID != first.MessageID || n >= 3 && (r.Outcome != desk.OutcomeDuplicate || len(r.Events) != 0) {
					w.Errorf("%s: event %d %+v", id, n, r)
				}
			}
			row := w.callRow(id)
			row.Call.ID = ""
			got, _ := json.Marshal(row.Call)
			if want == nil {
				want = got
			}
			if string(got) != string(want) {
				w.Errorf("%s: %s\nwant %s", id, got, want)
			}
			m, err := w.Store.Message(w.ctx, first.MessageID)
			w.ok(err)
			t := w.ticket(first.TicketID)
			if m.Call == nil || m.Call.State != "ended" || m.Call.TalkSeconds != 30 || len(m.Call.Events) != 0 || m.Direction != desk.DirectionIn ||
				t.LastMessageText != "call:answered" || t.WaitingSince != 0 || t.FirstReplyAt == 0 || t.Callback.State == "due" || t.Sender != number {
				w.Errorf("%s: message %+v on ticket %+v", id, m.Call, t)
			}
			messages, err := w.Store.Messages(w.ctx, t.ID, 0, 50)
			w.ok(err)
			if n := len(slices.DeleteFunc(messages, func(m desk.Message) bool { return m.Direction == desk.DirectionSystem })); n != 1 {
				w.Errorf("%s became %d messages", id, n)
			}
		}
	}
}

func testLateNumber(w *World) {
	e := w.threeOf("")
	first := w.call(callReport("c1", "", e[0]))
	if first.Outcome != desk.OutcomeUpdated || first.TicketID != "" || len(newsOf(first.Events)) != 1 {
		w.Fatalf("before the number is told %+v", first)
	}
	second := w.call(callReport("c1", caller, e[1]), func(in *desk.Inbound) { in.Name = "李雷" })
	t := w.ticket(second.TicketID)
	if second.Outcome != desk.OutcomeTicket || t.Sender != caller {
		w.Fatalf("when it is told %+v", second)
	}
	third := w.call(callReport("c1", "", e[2]))
	if third.MessageID != second.MessageID || third.Outcome != desk.OutcomeUpdated {
		w.Errorf("afterwards %+v", third)
	}
	c, err := w.Store.Contact(w.ctx, t.ContactID)
	w.ok(err)
	if c.Name != "李雷" || len(c.Identities) != 1 || c.Identities[0] != (desk.Identity{Type: "phone", Value: caller, Verified: true}) {
		w.Errorf("contact %+v", c)
	}
	// The end came first and opened a ticket for nobody: the number makes it the caller's.
	missed := w.call(callReport("c2", "", desk.CallEvent{Type: desk.CallHangup, At: w.in(0), Direction: "inbound"}))
	if missed.Outcome != desk.OutcomeTicket || w.ticket(missed.TicketID).Callback.State != "" {
		w.Fatalf("a call that is known by its end only %+v", missed)
	}
	rang := w.call(callReport("c2", other, desk.CallEvent{Type: desk.CallRinging, At: w.in(-time.Minute), Direction: "inbound"}))
	t2 := w.ticket(missed.TicketID)
	if rang.MessageID != missed.MessageID || t2.Sender != other || t2.ContactID == w.callRow("c1").ContactID {
		w.Errorf("late number %+v on %+v", rang, t2)
	}
	c, err = w.Store.Contact(w.ctx, t2.ContactID)
	w.ok(err)
	if c.Identities[0].Value != other || c.Name != other {
		w.Errorf("a caller without a name is called by his number: %+v", c)
	}
}

func testAnonymous(w *World) {
	ticket := func(id string) desk.Ticket {
		e := desk.CallEvent{Type: desk.CallHangup, At: w.in(0), Direction: "inbound", From: "anonymous"}
		return w.ticket(w.call(callReport(id, "", e)).TicketID)
	}
	a, b := ticket("a1"), ticket("a2")
	if a.ID == b.ID || a.ContactID == b.ContactID || a.ContactID == "" || a.Callback.State != "" || a.WaitingSince == 0 {
		w.Errorf("%+v %+v", a, b)
	}
	quiet := callReport("a3", "", desk.CallEvent{Type: desk.CallAnswered, At: w.in(0), From: "anonymous"})
	quiet.Open = "missed"
	if got := w.call(quiet); got.TicketID != "" || w.callRow("a3").ContactID != "" {
		w.Errorf("an answered call of nobody made a contact: %+v", got)
	}
}

func testMissedCall(w *World) {
	miss := func(id, customer, open string) ticketstore.Filed {
		r := callReport(id, customer, desk.CallEvent{Type: desk.CallHangup, At: w.in(0), Direction: "inbound"})
		r.Open = open
		return w.call(r)
	}
	answered := callReport("m0", caller, desk.CallEvent{Type: desk.CallAnswered, At: w.in(0)})
	answered.Open = "missed"
	if got := w.call(answered); got.TicketID != "" || got.Outcome != desk.OutcomeUpdated {
		w.Errorf("an answered call opened a ticket: %+v", got)
	}
	if got := miss("v0", other, "voicemail"); got.TicketID != "" {
		w.Error("a missed call opened a ticket where only voicemail does")
	}
	first := miss("m1", caller, "missed")
	t := w.ticket(first.TicketID)
	due := w.in(30 * time.Minute)
	if len(first.Opened) != 1 || t.Callback != (desk.Callback{State: "due", Number: caller, DueAt: due}) || t.FirstResponseDueAt != due || t.WaitingSince == 0 ||
		t.Priority != desk.PriorityNormal || t.LastMessageText != "call:missed" || t.Subject == "" {
		w.Fatalf("ticket %+v", t)
	}
	w.Clock.Pass(time.Minute)
	miss("m2", caller, "missed")
	if got := miss("m3", caller, "missed"); got.TicketID != t.ID || w.ticket(t.ID).Priority != desk.PriorityUrgent || w.ticket(t.ID).Callback.DueAt != due {
		w.Errorf("third missed call %+v", w.ticket(t.ID))
	}
	plain := w.say("someone", "hello")
	rows, _, err := w.Store.Tickets(w.ctx, ticketstore.TicketFilter{Scope: ticketstore.Scope{All: true}}, "")
	w.ok(err)
	if rows[0].ID != t.ID || rows[1].ID != plain.TicketID {
		w.Error("the missed call is not first")
	}
	reply, err := w.Store.Reply(w.ctx, ticketstore.ReplyInput{TicketID: t.ID, Author: agent, Text: "we will call"})
	w.ok(err)
	w.Clock.Pass(time.Hour)
	counts, err := w.Store.Counts(w.ctx, ticketstore.Scope{All: true}, "")
	w.ok(err)
	if counts.Overdue != 1 || reply.Ticket.Callback.State != "due" {
		w.Errorf("an answer in words is no call back: %+v", counts)
	}
	ticket, events, err := w.Store.SetCallback(w.ctx, t.ID, desk.Callback{State: "done", Number: caller, DueAt: due}, agent)
	w.ok(err)
	if ticket.Callback.State != "done" || len(events) != 1 || events[0].Message.Event.Type != "callback" || events[0].Message.Event.Data["to"] != "done" {
		w.Errorf("set by hand %+v", events)
	}
	if _, events, err = w.Store.SetCallback(w.ctx, t.ID, ticket.Callback, agent); err != nil || len(events) != 0 {
		w.Error("what changes nothing was written", err)
	}
	// It was answered after all; we only heard of the end first.
	late := miss("m4", other, "missed")
	w.call(func() *desk.CallReport {
		r := callReport("m4", other, desk.CallEvent{Type: desk.CallAnswered, At: w.in(-time.Minute)})
		r.Open = "missed"
		return r
	}())
	if got := w.ticket(late.TicketID); got.Status != desk.StatusResolved || got.Callback.State != "" || got.WaitingSince != 0 {
		w.Errorf("a ticket for a call that was not missed %+v", got)
	}
}

func testCallJoins(w *World) {
	first := w.call(callReport("j1", caller, desk.CallEvent{Type: desk.CallHangup, At: w.in(0), Direction: "inbound"}))
	sms := w.say(caller, "call me please")
	if sms.TicketID != first.TicketID {
		w.Error("what the caller writes goes elsewhere")
	}
	_, _, err := w.Store.Change(w.ctx, ticketstore.Change{TicketID: first.TicketID, Actor: agent, Status: desk.StatusResolved})
	w.ok(err)
	w.Clock.Pass(time.Hour)
	again := w.call(callReport("j2", caller, desk.CallEvent{Type: desk.CallRinging, At: w.in(0), Direction: "inbound"}))
	if again.TicketID != first.TicketID || again.Outcome != desk.OutcomeAppended || again.MessageID == first.MessageID || len(again.Reopened) != 1 {
		w.Errorf("the same caller an hour later %+v", again)
	}
	w.Clock.Pass(25 * time.Hour)
	if late := w.call(callReport("j3", caller, desk.CallEvent{Type: desk.CallRinging, At: w.in(0), Direction: "inbound"})); late.TicketID == first.TicketID {
		w.Error("a call joined a ticket nobody wrote on for a day")
	}
	internal := w.call(callReport("j4", "", desk.CallEvent{Type: desk.CallHangup, At: w.in(0), Direction: "internal", From: "8001"}))
	if internal.TicketID != "" {
		w.Error("colleagues who talk opened a ticket")
	}
}

func testCallBack(w *World) {
	out := func(id, typ string, change ...func(*desk.CallEvent)) ticketstore.Filed {
		e := desk.CallEvent{Type: typ, At: w.in(0), Direction: "outbound", From: "4001", To: caller, Agents: []string{"8001"}}
		for _, f := range change {
			f(&e)
		}
		return w.call(callReport(id, caller, e))
	}
	missed := w.call(callReport("b1", caller, desk.CallEvent{Type: desk.CallHangup, At: w.in(0), Direction: "inbound"}))
	w.Clock.Pass(10 * time.Minute)
	if got := out("b2", desk.CallInitiated); got.TicketID != missed.TicketID || w.ticket(missed.TicketID).Callback.State != "due" {
		w.Fatalf("a call to the number %+v", got)
	}
	got := out("b2", desk.CallAnswered)
	t := w.ticket(missed.TicketID)
	m, err := w.Store.Message(w.ctx, got.MessageID)
	w.ok(err)
	if t.Callback.State != "done" || t.FirstReplyAt == 0 || t.WaitingSince != 0 || m.Direction != desk.DirectionOut || m.Author.Name != "8001" {
		w.Errorf("called back: %+v %+v", t, m)
	}
	// A callback asked for on another channel's ticket, by the id of the reply that asked.
	chat := w.say("visitor", "please call me")
	r, err := w.Store.Reply(w.ctx, ticketstore.ReplyInput{TicketID: chat.TicketID, Author: agent, Text: "ask about the invoice",
		Route: &ticketstore.Route{ChannelID: channel, Sender: other, To: desk.Identity{Type: "phone", Value: other}, Means: "callback"}})
	w.ok(err)
	if cb := r.Ticket.Callback; cb.State != "requested" || cb.Number != other || cb.DueAt == 0 || r.Message.Means != "callback" {
		w.Fatalf("asked for a callback %+v", cb)
	}
	if r.Ticket.WaitingSince == 0 || r.Ticket.FirstReplyAt != 0 {
		w.Error("asking for a call counts as an answer")
	}
	attempt := func(id, typ string) ticketstore.Filed {
		return w.call(callReport(id, other, desk.CallEvent{Type: typ, At: w.in(0), Direction: "outbound", To: other, Callback: r.Message.ID}))
	}
	if got := attempt("b3", desk.CallInitiated); got.TicketID != chat.TicketID {
		w.Errorf("the callback's own call went to %+v", got)
	}
	if attempt("b3", desk.CallHangup); w.ticket(chat.TicketID).Callback.State != "due" {
		w.Error("after an attempt nobody answered it is not due again")
	}
	if attempt("b4", desk.CallAnswered); w.ticket(chat.TicketID).Callback.State != "done" {
		w.Error("answered, and still not done")
	}
}

func testRecordings(w *World) {
	file := func(ref string) func(*desk.Inbound) {
		return func(in *desk.Inbound) {
			in.Attachments = []desk.InboundAttachment{{Name: "r.mp3", Type: "audio/mpeg", Ref: ref, ExpiresAt: w.in(time.Hour)}}
		}
	}
	policy := func(r *desk.CallReport) *desk.CallReport { r.Open = "voicemail"; return r }
	early := w.call(policy(callReport("r1", caller, desk.CallEvent{Type: desk.CallRecording, At: w.in(0)})), file("u1"))
	if early.TicketID != "" || early.Fetch {
		w.Fatalf("a recording before its call %+v", early)
	}
	got := w.call(policy(callReport("r1", caller, desk.CallEvent{Type: desk.CallVoicemail, At: w.in(0), Direction: "inbound"})), file("u2"))
	if got.Outcome != desk.OutcomeTicket && got.TicketID != "" {
		w.Fatalf("voicemail %+v", got)
	}
	ended := w.call(policy(callReport("r1", caller, desk.CallEvent{Type: desk.CallHangup, At: w.in(0), Direction: "inbound"})), file("u2"))
	again := w.call(policy(callReport("r1", caller, desk.CallEvent{Type: desk.CallHangup, At: w.in(0), Direction: "inbound"})), file("u1"))
	m, err := w.Store.Message(w.ctx, w.callRow("r1").MessageID)
	w.ok(err)
	if len(m.Attachments) != 2 || m.Attachments[0].State != "pending" || again.Outcome != desk.OutcomeDuplicate || m.Call.Outcome != "voicemail" {
		w.Errorf("recordings %+v (%+v, %+v)", m.Attachments, ended, again)
	}
	todo, err := w.Store.AttachmentsToFetch(w.ctx, 10, w.in(time.Minute))
	w.ok(err)
	if len(todo) != 2 || todo[0].ChannelID != channel || todo[0].Ref == todo[1].Ref {
		w.Errorf("to fetch %+v", todo)
	}
	said := w.call(policy(callReport("r1", caller, desk.CallEvent{Type: desk.CallTranscript, At: w.in(0), Text: "请回电", Speaker: "customer"})))
	if m, err = w.Store.Message(w.ctx, said.MessageID); err != nil || m.Text != "customer: 请回电" || len(m.Attachments) != 2 {
		w.Errorf("transcript %q, %v", m.Text, err)
	}
}

func testRinging(w *World) {
	team, err := w.Store.SaveTeam(w.ctx, desk.Team{Name: "售后", Queues: []string{"Sales", "4009"}})
	w.ok(err)
	person := func(name string, extensions ...string) desk.ID {
		a, err := w.Store.CreateAgent(w.ctx, desk.Agent{Name: name, Email: name + "@x", Role: desk.RoleAgent, Extensions: extensions}, "", false)
		w.ok(err)
		return a.ID
	}
	a, b := person("a", "8001", "Seat-A"), person("b", "8002")
	news := func(e desk.CallEvent) desk.CallNews {
		w.Helper()
		e.At, e.Direction = w.in(0), "inbound"
		w.Clock.Pass(time.Second)
		filed := w.call(callReport("n1", caller, e))
		got := newsOf(filed.Events)
		if len(got) != 1 || got[0].TicketID != filed.TicketID || len(got[0].Call.Events) != 0 || got[0].ContactID == "" || got[0].ChannelID != channel {
			w.Fatalf("news %+v", got)
		}
		return got[0]
	}
	n := news(desk.CallEvent{Type: desk.CallQueued, Queue: "sales"})
	if n.TeamID != team.ID || len(n.AgentIDs) != 0 || w.ticket(n.TicketID).TeamID != team.ID {
		w.Errorf("queued %+v", n)
	}
	n = news(desk.CallEvent{Type: desk.CallRinging, Agents: []string{"SEAT-a", "8002", "8009"}})
	if !reflect.DeepEqual(n.AgentIDs, []desk.ID{a, b}) || n.Call.State != "ringing" {
		w.Errorf("ringing %+v", n)
	}
	live, err := w.Store.LiveCalls(w.ctx)
	w.ok(err)
	if len(live) != 1 || !reflect.DeepEqual(live[0].News(), n) {
		w.Errorf("live %+v, want %+v", live, n)
	}
	n = news(desk.CallEvent{Type: desk.CallAnswered, Agents: []string{"8002"}})
	if !reflect.DeepEqual(n.AgentIDs, []desk.ID{b}) || !reflect.DeepEqual(n.Rang, []desk.ID{a, b}) || n.Call.AgentID != b {
		w.Errorf("answered %+v", n)
	}
	if n = news(desk.CallEvent{Type: desk.CallHangup}); n.Call.State != "ended" || n.Call.AgentID != b {
		w.Errorf("ended %+v", n)
	}
	if live, err := w.Store.LiveCalls(w.ctx); err != nil || len(live) != 0 {
		w.Error("a call that has ended is live", live, err)
	}
}

func testStaleCalls(w *World) {
	at := w.in(0)
	r := callReport("s1", caller, desk.CallEvent{Type: desk.CallRinging, At: at, Direction: "inbound"})
	r.Open = "missed"
	w.call(r)
	talk := callReport("s2", other, desk.CallEvent{Type: desk.CallAnswered, At: at, Direction: "inbound"})
	talk.StaleAfter = time.Hour
	w.call(talk)
	if next, err := w.Store.NextStaleCall(w.ctx); err != nil || next != w.in(time.Hour) {
		w.Error("next", next, err)
	}
	if closed, err := w.Store.CloseStaleCalls(w.ctx); err != nil || len(closed) != 0 {
		w.Error("closed before its time", closed, err)
	}
	w.Clock.Pass(4*time.Hour + time.Minute)
	var closed []ticketstore.Filed
	for _, node := range w.nodes(2) {
		c, err := node.CloseStaleCalls(w.ctx)
		w.ok(err)
		closed = append(closed, c...)
	}
	if len(closed) != 2 || len(newsOf(closed[0].Events))+len(newsOf(closed[1].Events)) != 2 {
		w.Fatalf("closed %+v", closed)
	}
	missed, talked := w.callRow("s1"), w.callRow("s2")
	if !missed.Call.Stale || missed.Call.Outcome != "missed" || w.ticket(missed.TicketID).Callback.State != "due" || talked.Call.Outcome != "answered" || talked.Call.EndedAt != at {
		w.Errorf("%+v\n%+v", missed, talked)
	}
	// What was told before changes nothing; its true end, heard of after all, does.
	if again := w.call(r); again.Outcome != desk.OutcomeDuplicate || !w.callRow("s1").Call.Stale {
		w.Errorf("told again %+v", again)
	}
	if next, err := w.Store.NextStaleCall(w.ctx); err != nil || next != 0 {
		w.Error("next", next, err)
	}
	w.call(callReport("s2", other, desk.CallEvent{Type: desk.CallHangup, At: at + 60000, Direction: "inbound"}))
	if c := w.callRow("s2").Call; c.Stale || c.TalkSeconds != 60 {
		w.Errorf("after its end %+v", c)
	}
	if next, err := w.Store.NextStaleCall(w.ctx); err != nil || next != 0 {
		w.Error("next", next, err)
	}
}

func testCallMoves(w *World) {
	a := w.call(callReport("k1", caller, desk.CallEvent{Type: desk.CallRinging, At: w.in(0), Direction: "inbound"}))
	b := w.say("v", "help")
	_, err := w.Store.Merge(w.ctx, b.TicketID, a.TicketID, agent)
	w.ok(err)
	if got := w.call(callReport("k1", caller, desk.CallEvent{Type: desk.CallAnswered, At: w.in(0), Direction: "inbound"})); got.TicketID != b.TicketID || got.MessageID != a.MessageID {
		w.Errorf("after the merge the call goes on in %+v", got)
	}
}
