package storetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"hearback/desk"
	"hearback/ticketstore"
)

// timeline is a ticket's messages in words: "1 created, 2 in hello".
func (w *World) timeline(ticket desk.ID) string {
	w.Helper()
	messages, err := w.Store.Messages(w.ctx, ticket, 0, 200)
	w.ok(err)
	var lines []string
	for _, m := range messages {
		what := string(m.Direction) + " " + m.Text
		if m.Event != nil {
			what = m.Event.Type
		}
		lines = append(lines, fmt.Sprintf("%d %s", m.Seq, what))
	}
	return strings.Join(lines, ", ")
}

func (w *World) ticket(id desk.ID) desk.Ticket {
	w.Helper()
	t, err := w.Store.Ticket(w.ctx, id)
	w.ok(err)
	return t
}

func testChat(w *World) {
	e := w.put(w.envelope("v1", "你好，我要退款"), w.envelope("v1", "second"), w.envelope("v2", "other"))
	filed := w.file(understood(e[0], func(in *desk.Inbound) { in.Name = "李雷" }), understood(e[1]), understood(e[2]))
	if filed[0].Outcome != desk.OutcomeTicket || filed[1].Outcome != desk.OutcomeAppended || filed[0].TicketID != filed[1].TicketID ||
		filed[2].TicketID == filed[0].TicketID || len(filed[0].Opened) != 1 || len(filed[1].Opened) != 0 {
		w.Fatalf("filed %+v", filed)
	}
	t := w.ticket(filed[0].TicketID)
	if t.Number != "GD20260102-0001" || t.Status != desk.StatusNew || t.Version != 3 || t.Subject != "你好，我要退款" ||
		t.LastMessageText != "second" || t.WaitingSince == 0 || t.WindowRemaining != -1 || t.Sender != "v1" {
		w.Errorf("ticket %+v", t)
	}
	if got := w.timeline(t.ID); got != "1 created, 2 in 你好，我要退款, 3 in second" {
		w.Error(got)
	}
	first := filed[0].Events
	if len(first) != 2 || first[0].Seq != 1 || first[1].Seq != 2 || first[1].Message.Author.Name != "李雷" || first[1].Contact.Name != "李雷" ||
		first[1].Ticket.Number != t.Number || first[1].Type != "message" {
		w.Errorf("events %+v", first)
	}
	again := w.file(understood(e[0]), understood(e[1]))
	if !again[0].Skipped || !again[1].Skipped || w.ticket(t.ID).Version != 3 {
		w.Error("filing again did something")
	}
	if got, err := w.Store.SenderTicket(w.ctx, channel, "v1"); err != nil || got.ID != t.ID {
		w.Error("sender's ticket", got, err)
	}
	next := w.say("v1", "third")
	if next.Outcome != desk.OutcomeAppended || next.TicketID != t.ID || next.Events[0].Seq != 4 {
		w.Errorf("third %+v", next)
	}
}

func testOrderOfFiling(w *World) {
	e := w.put(w.envelope("v", "1"), w.envelope("v", "2"), w.envelope("v", "3"))
	filed := w.file(understood(e[2]), understood(e[1]))
	if !filed[0].Skipped || !filed[1].Skipped {
		w.Fatal("filed later messages before the first")
	}
	filed = w.file(understood(e[1]), understood(e[0]))
	if filed[0].EnvelopeID != e[1].ID || filed[1].Outcome != desk.OutcomeTicket || filed[0].Outcome != desk.OutcomeAppended {
		w.Fatalf("filed %+v", filed)
	}
	w.Clock.Pass(time.Second)
	claimed, err := w.Store.ClaimInbox(w.ctx, 10, w.in(time.Minute))
	w.ok(err)
	if len(claimed) != 1 || string(claimed[0].Raw) != "3" {
		w.Fatalf("claimed %+v", claimed)
	}
	w.file(understood(claimed[0]))
	if got := w.timeline(filed[0].TicketID); got != "1 created, 2 in 1, 3 in 2, 4 in 3" {
		w.Error(got)
	}
}

func testReopen(w *World) {
	id := w.say("v", "help").TicketID
	_, _, err := w.Store.Change(w.ctx, ticketstore.Change{TicketID: id, Actor: agent, Status: desk.StatusResolved})
	w.ok(err)
	back := w.say("v", "still broken")
	if back.TicketID != id || len(back.Reopened) != 1 || back.Outcome != desk.OutcomeAppended || w.ticket(id).Status != desk.StatusNew {
		w.Fatalf("reopened %+v", back)
	}
	if got := w.timeline(id); got != "1 created, 2 in help, 3 resolved, 4 reopened, 5 in still broken" {
		w.Error(got)
	}
	_, _, err = w.Store.Change(w.ctx, ticketstore.Change{TicketID: id, Actor: agent, Status: desk.StatusClosed})
	w.ok(err)
	next := w.say("v", "another matter")
	if next.TicketID == id || next.Outcome != desk.OutcomeTicket || w.ticket(next.TicketID).LinkedTicketID != id {
		w.Errorf("after the close: %+v", next)
	}
	quiet := w.say("v2", "out of office", func(in *desk.Inbound) { in.NoTicket, in.Class = true, desk.ClassAuto })
	if quiet.Outcome != desk.OutcomeAuto || quiet.TicketID != "" {
		w.Errorf("automatic mail %+v", quiet)
	}
}

func testThreads(w *World) {
	mail := func(id string, refs ...string) func(*desk.Inbound) {
		return func(in *desk.Inbound) { in.OwnKeys, in.ThreadKeys = []string{id}, append(refs, "none") }
	}
	e := w.put(w.envelope("a@x", "first"), w.envelope("b@x", "me too"), w.envelope("a@x", "unrelated"))
	filed := w.file(understood(e[0], mail("m1")), understood(e[1], mail("m2", "m1")), understood(e[2], mail("m3")))
	if filed[1].TicketID != filed[0].TicketID || filed[2].TicketID == filed[0].TicketID {
		w.Fatalf("filed %+v", filed)
	}
	if later := w.say("a@x", "answer", mail("m4", "m2", "m3")); later.TicketID != filed[0].TicketID {
		w.Error("the strongest key does not win")
	}
	_, _, err := w.Store.Change(w.ctx, ticketstore.Change{TicketID: filed[0].TicketID, Actor: agent, Status: desk.StatusClosed})
	w.ok(err)
	next := w.say("a@x", "again", mail("m5", "m1"))
	same := w.say("a@x", "and again", mail("m6", "m1"))
	if next.Outcome != desk.OutcomeTicket || same.TicketID != next.TicketID {
		w.Errorf("a closed thread opened two tickets: %+v %+v", next, same)
	}
}

func testPeople(w *World) {
	login := desk.Identity{Type: "external", Value: "u42", Verified: true}
	a := w.say("browser-1", "hi", func(in *desk.Inbound) { in.Also, in.Name, in.Level = []desk.Identity{login}, "韩梅梅", "vip" })
	b := w.say("browser-2", "me again", func(in *desk.Inbound) { in.Also = []desk.Identity{login} })
	ta, tb := w.ticket(a.TicketID), w.ticket(b.TicketID)
	if ta.ContactID == "" || ta.ContactID != tb.ContactID || ta.ID == tb.ID {
		w.Error("one proven person became two contacts")
	}
	c, err := w.Store.Contact(w.ctx, ta.ContactID)
	w.ok(err)
	if c.Name != "韩梅梅" || c.Level != "vip" || len(c.Identities) != 3 {
		w.Errorf("contact %+v", c)
	}
	claim := w.say("browser-3", "trust me", func(in *desk.Inbound) {
		in.Also = []desk.Identity{{Type: "external", Value: "u42"}}
	})
	if w.ticket(claim.TicketID).ContactID == ta.ContactID {
		w.Error("a mere claim joined a stranger to a contact")
	}
	later := w.say("browser-3", "now logged in", func(in *desk.Inbound) { in.Also = []desk.Identity{login} })
	if later.TicketID != claim.TicketID || w.ticket(later.TicketID).ContactID != ta.ContactID {
		w.Error("a visitor who logs in is not known as himself")
	}
}

func testParts(w *World) {
	got := w.say("v", "see file", func(in *desk.Inbound) {
		in.Attachments = []desk.InboundAttachment{{Name: "a.png", Type: "image/png", Blob: "sha256-1", Size: 3}, {Name: "b.mp3", Ref: "media-9", ExpiresAt: w.in(time.Hour)}}
		in.Window = &desk.Window{ClosesAt: w.in(48 * time.Hour), Remaining: 5}
		in.Fields = map[string]string{"order": "SO-1"}
	})
	if !got.Fetch {
		w.Error("a file to be fetched is not announced")
	}
	m, err := w.Store.Message(w.ctx, got.MessageID)
	w.ok(err)
	if len(m.Attachments) != 2 || m.Attachments[0].State != "stored" || m.Attachments[1].State != "pending" {
		w.Errorf("attachments %+v", m.Attachments)
	}
	t := w.ticket(got.TicketID)
	if t.WindowRemaining != 5 || t.WindowClosesAt != w.in(48*time.Hour) || t.Fields["order"] != "SO-1" {
		w.Errorf("ticket %+v", t)
	}
	todo, err := w.Store.AttachmentsToFetch(w.ctx, 10, w.in(time.Minute))
	w.ok(err)
	if len(todo) != 1 || todo[0].Ref != "media-9" || todo[0].TicketID != t.ID || todo[0].ChannelID != channel {
		w.Fatalf("to fetch %+v", todo)
	}
	if more, err := w.Store.AttachmentsToFetch(w.ctx, 10, w.in(time.Minute)); err != nil || len(more) != 0 {
		w.Errorf("leased file given out again: %v %v", more, err)
	}
	events, err := w.Store.SetAttachment(w.ctx, todo[0].ID, "sha256-2", 77, "audio/mpeg", "stored", "")
	w.ok(err)
	if len(events) != 1 || events[0].Type != "message_update" || events[0].Message.Attachments[1].Size != 77 || events[0].Seq != t.Version+1 {
		w.Errorf("events %+v", events)
	}
}

func testVerdicts(w *World) {
	e := w.put(w.envelope("spammer", "buy"))[0]
	filed := w.file(ticketstore.Filing{Envelope: e, Outcome: desk.OutcomeSpam, Reason: "listed"})[0]
	if filed.Outcome != desk.OutcomeSpam || len(filed.Events) != 0 {
		w.Errorf("filed %+v", filed)
	}
	entry, env, err := w.Store.LedgerEntryByID(w.ctx, e.ID)
	w.ok(err)
	if entry.State != "done" || entry.Outcome != desk.OutcomeSpam || entry.Reason != "listed" || string(env.Raw) != "buy" {
		w.Errorf("ledger %+v", entry)
	}
	w.ok(w.Store.Reprocess(w.ctx, e.ID))
	claimed, err := w.Store.ClaimInbox(w.ctx, 5, w.in(time.Minute))
	w.ok(err)
	if len(claimed) != 1 || claimed[0].ID != e.ID {
		w.Fatalf("after process again: %+v", claimed)
	}
	ham := w.file(understood(claimed[0]))[0]
	if err := w.Store.Reprocess(w.ctx, e.ID); ham.Outcome != desk.OutcomeTicket || err == nil {
		w.Error("a filed envelope may be processed again", err)
	}
	items, _, err := w.Store.Ledger(w.ctx, ticketstore.LedgerFilter{Outcome: desk.OutcomeTicket})
	w.ok(err)
	counts, err := w.Store.LedgerCounts(w.ctx)
	w.ok(err)
	if len(items) != 1 || items[0].TicketID != ham.TicketID || counts[desk.OutcomeTicket] != 1 {
		w.Errorf("ledger %+v counts %v", items, counts)
	}
}

func testPoison(w *World) {
	got := w.say("v\x00", "text\x00\xff", func(in *desk.Inbound) {
		in.Name, in.HTML, in.Subject = "n\x00", "<b>\x00\xfe</b>", "s\x00\u202e"
		in.Fields, in.Repairs, in.OwnKeys = map[string]string{"k\x00": "\xff"}, []string{"r\x00"}, []string{"key\x00"}
		in.Also = []desk.Identity{{Type: "email", Value: "a\x00@b"}}
	})
	m, err := w.Store.Message(w.ctx, got.MessageID)
	w.ok(err)
	if m.Text != "text\uFFFD\uFFFD" || !strings.Contains(w.ticket(got.TicketID).Subject, "\u202e") {
		w.Errorf("text %q", m.Text)
	}
	if next := w.say("v\x00", "more"); next.TicketID != got.TicketID {
		w.Error("a sender with a broken name is two senders")
	}
}

func testManyAtOnce(w *World) {
	var envs []desk.Envelope
	for i := range 150 {
		envs = append(envs, w.envelope(fmt.Sprintf("v%d", i%50), fmt.Sprint(i)))
	}
	var filings []ticketstore.Filing
	for _, e := range w.put(envs...) {
		filings = append(filings, understood(e))
	}
	numbers := map[string]bool{}
	opened := 0
	for _, f := range w.file(filings...) {
		opened += len(f.Opened)
		for _, t := range f.Opened {
			numbers[t.Number] = true
		}
	}
	if opened != 50 || len(numbers) != 50 || !numbers["GD20260102-0050"] {
		w.Errorf("opened %d tickets with %d numbers", opened, len(numbers))
	}
	if !slices.Contains([]int{3}, strings.Count(w.timeline(func() desk.ID {
		t, err := w.Store.SenderTicket(w.ctx, channel, "v7")
		w.ok(err)
		return t.ID
	}()), " in ")) {
		w.Error("a sender's three messages are not in his ticket")
	}
}
