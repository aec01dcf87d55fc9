package storetest

import (
	"encoding/json"
	"slices"
	"sync"
	"time"

	"hearback/desk"
	"hearback/ticketstore"
)

// testWindowWarning: the agent is told once, before the window closes, when the customer still waits.
func testWindowWarning(w *World) {
	window := func(in *desk.Inbound) {
		in.Window = &desk.Window{ClosesAt: w.in(48 * time.Hour), Remaining: 5, WarnBefore: 30 * time.Minute}
	}
	waits, answered := w.say("v", "help", window), w.say("v2", "help", window)
	closes := w.in(48 * time.Hour)
	w.reply(answered.TicketID, "done", "1")
	warn := func() []desk.Event {
		w.Helper()
		var mu sync.Mutex
		var events []desk.Event
		var all sync.WaitGroup
		for _, node := range w.nodes(2) {
			all.Go(func() {
				e, err := node.WindowWarnings(w.ctx, 10)
				if err != nil {
					w.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				events = append(events, e...)
			})
		}
		all.Wait()
		return events
	}
	if next, err := w.Store.NextWindowWarning(w.ctx); err != nil || next != w.in(47*time.Hour+30*time.Minute) {
		w.Error("next warning", next, err)
	}
	if e := warn(); len(e) != 0 {
		w.Errorf("warned before its time: %+v", e)
	}
	w.Clock.Pass(47*time.Hour + 30*time.Minute)
	e := warn()
	if len(e) != 2 || e[0].Type != "message" || e[0].Message.Event.Type != "window_closing" || e[0].Message.Event.Data["closes_at"] != closes.String() ||
		e[1].Type != "window" || e[1].TicketID != waits.TicketID || e[1].Ticket == nil {
		w.Fatalf("warning %+v", e)
	}
	if e := warn(); len(e) != 0 {
		w.Error("warned twice")
	}
	if next, err := w.Store.NextWindowWarning(w.ctx); err != nil || next != 0 {
		w.Error("next warning", next, err)
	}
	w.say("v", "hello?", window)
	if next, err := w.Store.NextWindowWarning(w.ctx); err != nil || next != w.in(47*time.Hour+30*time.Minute) {
		w.Error("a new message does not begin a new window", next, err)
	}
}

// testUnreachable: who has left can be written no more, until he comes back.
func testUnreachable(w *World) {
	first := w.say("v", "one", withWindow(w.in(time.Hour), 5))
	made, _, err := w.Store.Split(w.ctx, first.TicketID, w.say("v", "two").MessageID, agent)
	w.ok(err)
	gone := func(in *desk.Inbound) {
		in.NoTicket, in.Window = true, &desk.Window{ClosesAt: w.in(time.Hour), Remaining: 5, Reason: "unsubscribed"}
	}
	left := w.say("v", "", gone)
	for _, id := range []desk.ID{first.TicketID, made.ID} {
		if w.ticket(id).WindowReason != "unsubscribed" {
			w.Errorf("%+v", w.ticket(id))
		}
	}
	if i := slices.IndexFunc(left.Events, func(e desk.Event) bool { return e.Type == "ticket" && e.TicketID == first.TicketID }); i < 0 || left.Events[i].Ticket.WindowReason == "" {
		w.Errorf("nobody is told: %+v", left.Events)
	}
	w.reply(first.TicketID, "are you there?", "1")
	if c := w.claim(); len(c) != 1 || c[0].Outbound.WindowReason != "unsubscribed" {
		w.Errorf("delivery is not told: %+v", c)
	}
	w.say("v", "back again", withWindow(w.in(2*time.Hour), 5))
	if t := w.ticket(first.TicketID); t.WindowReason != "" || t.WindowRemaining != 5 || t.WindowClosesAt != w.in(2*time.Hour) {
		w.Errorf("back again: %+v", t)
	}
	tap := func(in *desk.Inbound) {
		in.NoTicket, in.Window = true, &desk.Window{ClosesAt: w.in(time.Minute), Remaining: 3, Widens: true}
	}
	w.say("v", "", tap)
	if t := w.ticket(first.TicketID); t.WindowRemaining != 5 || t.WindowClosesAt != w.in(2*time.Hour) {
		w.Errorf("a tap on the menu took hours: %+v", t)
	}
	w.say("v", "", gone)
	w.say("v", "", tap) // subscribed again
	if t := w.ticket(first.TicketID); t.WindowReason != "" || t.WindowRemaining != 3 || t.WindowClosesAt != w.in(time.Minute) {
		w.Errorf("a tap does not open what was shut: %+v", t)
	}
	stranger := w.say("nobody", "", gone)
	conv, err := w.Store.ConversationOf(w.ctx, channel, "nobody")
	if stranger.TicketID != "" || err != nil || conv.WindowReason != "unsubscribed" {
		w.Error("without a ticket it is forgotten", stranger, conv, err)
	}
	if later := w.say("nobody", "hi"); w.ticket(later.TicketID).WindowReason != "unsubscribed" {
		w.Error("a new ticket does not show how its conversation stands")
	}
}

// testAsk: a question about progress is answered by the house, once, and opens no ticket.
func testAsk(w *World) {
	asks := func(in *desk.Inbound) { in.Ask, in.NoTicket, in.Language = "*", true, "zh-CN" }
	none := w.say("v", "进度", asks)
	if none.TicketID != "" || none.Outcome != desk.OutcomeUpdated || !none.Asked {
		w.Errorf("without a ticket %+v", none)
	}
	open := w.say("v", "help")
	_, err := w.Store.Reply(w.ctx, ticketstore.ReplyInput{TicketID: open.TicketID, Author: agent, Text: "soon"})
	w.ok(err)
	e := w.put(w.envelope("v", "进度"))[0]
	again := w.file(understood(e, asks))[0]
	if again.TicketID != open.TicketID || again.Outcome != desk.OutcomeAppended || !again.Asked || w.ticket(open.TicketID).WaitingSince != 0 {
		w.Errorf("with a ticket %+v", again)
	}
	if twice := w.file(understood(e, asks))[0]; !twice.Skipped {
		w.Error("filed twice")
	}
	jobs, err := w.Store.ClaimJobs(w.ctx, []string{"answer"}, 10, w.in(time.Minute))
	w.ok(err)
	if len(jobs) != 2 {
		w.Fatalf("jobs %+v", jobs)
	}
	var asked ticketstore.Asked
	w.ok(json.Unmarshal(jobs[1].Payload, &asked))
	if asked != (ticketstore.Asked{ChannelID: channel, Sender: "v", To: desk.Identity{Type: "webchat", Value: "v", Scope: channel, Verified: true}, Ask: "*",
		EnvelopeID: e.ID, Language: "zh-CN"}) || jobs[1].DedupeKey != "answer:"+e.ID {
		w.Errorf("asked %+v, %+v", asked, jobs[1])
	}
}
