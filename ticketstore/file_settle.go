package ticketstore

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"hearback/desk"
)

// ticketWork is a ticket in a transaction's hands.
type ticketWork struct {
	desk.Ticket
	lastInSeq int64
	warnAt    desk.Time // when the agent is warned that the window closes
	was       int64     // the version that was read
	fresh     bool      // made here
	dirty     bool
	opened    bool
	reopened  bool // back to new: waits in a queue again
	resumed   bool // reopened with its owner
}

// settleAll decides what each envelope leads to, in memory; nothing is written yet.
func (f *filer) settleAll() error {
	for it := range f.live {
		if it.Outcome != "" {
			it.verdict(it.Outcome, it.Reason)
			continue
		}
		if len(it.Inbounds) == 0 {
			it.verdict(desk.OutcomeRejected, "nothing to show")
			continue
		}
		for i := range it.Inbounds {
			in := &it.Inbounds[i]
			if in.Receipt != nil || in.Type == desk.EnvelopeReceipt {
				f.receipt(it, in)
				continue
			}
			f.inbound(it, i, in)
		}
	}
	return nil
}

func (f *filer) inbound(it *item, i int, in *desk.Inbound) {
	if in.Ask != "" {
		f.ask(it, i, in)
	}
	switch {
	case in.Call != nil:
		f.call(it, in)
	case in.Retracts != "":
		f.retract(it, in)
	default:
		f.message(it, i, in)
	}
}

// verdict sets the envelope's outcome; of several messages the strongest outcome stays: a ticket before an appended message
// before a change before nothing.
func (it *item) verdict(o desk.Outcome, reason string) {
	if rank(o) < rank(it.filed.Outcome) {
		return
	}
	it.filed.Outcome, it.filed.Reason = o, reason
	if o == desk.OutcomeDead {
		it.state = "dead"
	}
}

func rank(o desk.Outcome) int {
	switch o {
	case desk.OutcomeTicket:
		return 4
	case desk.OutcomeAppended:
		return 3
	case desk.OutcomeUpdated:
		return 2
	case "":
		return 0
	}
	return 1
}

// message files one inbound message.
func (f *filer) message(it *item, i int, in *desk.Inbound) {
	if in.UpdateKey != "" {
		if r := f.threads[updateKey(it.Envelope.ChannelID, in.UpdateKey)]; r != nil && f.change(it, r, in) {
			return
		}
	}
	w, continued := f.ticketFor(it, i, in)
	outcome := desk.OutcomeAppended
	switch {
	case w == nil && (in.NoTicket || in.Ask != ""):
		f.unfiled(it, in)
		return
	case w == nil:
		w, outcome = f.open(it, i, in, continued), desk.OutcomeTicket
	case wakes(in):
		f.wake(w, it)
	}
	if it.moved != "" && w.ContactID == it.moved {
		w.ContactID = it.people[i]
	}
	m := f.write(it, i, in, w).Message
	it.line.goesOn(w)
	if outcome == desk.OutcomeTicket {
		f.link(it, in, w)
	}
	for _, k := range in.SameAs {
		f.threads.learn(copyKey(k), w.ID, m.ID)
	}
	for _, k := range in.OwnKeys {
		f.threads.learn(threadKey{it.Envelope.ChannelID, clean(k)}, w.ID, m.ID)
	}
	f.admit(it, in, w, m.ID)
	if in.UpdateKey != "" {
		f.threads.learn(updateKey(it.Envelope.ChannelID, in.UpdateKey), w.ID, m.ID)
		f.updates[m.ID] = m
	}
	it.verdict(outcome, "")
	it.filed.TicketID, it.filed.MessageID = w.ID, m.ID
}

// unfiled settles a message that opens no ticket, when none is open.
func (f *filer) unfiled(it *item, in *desk.Inbound) {
	if in.Window != nil {
		f.window(it, in.Window, nil)
	}
	if in.Ask != "" {
		it.verdict(desk.OutcomeUpdated, "asked for progress")
		return
	}
	it.verdict(unfiled(in.Class))
}

// unfiled is the outcome of a message that opens no ticket.
func unfiled(c desk.Class) (desk.Outcome, string) {
	switch c {
	case desk.ClassSpam:
		return desk.OutcomeSpam, ""
	case desk.ClassLoop:
		return desk.OutcomeLoop, ""
	case desk.ClassAuto, desk.ClassBounce, desk.ClassList:
		return desk.OutcomeAuto, string(c)
	}
	return desk.OutcomeRejected, "opens no ticket, and none is open"
}

// wakes tells whether a message brings a resting ticket back: what a person wrote does, machines' mail and colleagues do not.
func wakes(in *desk.Inbound) bool {
	return !in.FromAgent && !in.NoTicket && in.Ask == "" && (in.Class == "" || in.Class == desk.ClassNormal)
}

// wake brings a resolved or waiting ticket back to its owner, or to the queue when it has none.
func (f *filer) wake(w *ticketWork, it *item) {
	w.SnoozedUntil = 0
	if w.Status != desk.StatusResolved && w.Status != desk.StatusWaiting {
		return
	}
	was := w.Status
	w.Status = desk.StatusOpen
	if w.AssigneeID == "" {
		w.Status = desk.StatusNew
	}
	w.reopened = w.Status == desk.StatusNew
	if was == desk.StatusResolved {
		w.ResolvedAt = 0
		w.resumed = !w.reopened
		f.system(w, it, "reopened", map[string]string{"from": string(was)})
	}
}

// open starts a new ticket.
func (f *filer) open(it *item, i int, in *desk.Inbound, continued desk.ID) *ticketWork {
	var plan Plan
	if i < len(it.Plans) {
		plan = it.Plans[i]
	}
	w := &ticketWork{fresh: true, opened: true, Ticket: desk.Ticket{
		ID: desk.NewID(), Status: desk.StatusNew, Priority: cmp.Or(plan.Priority, desk.PriorityNormal), Subject: subjectOf(in),
		ChannelID: it.Envelope.ChannelID, ChannelKind: it.Envelope.Kind, Sender: it.key.sender, ContactID: it.people[i],
		TeamID: plan.TeamID, Tags: slices.Clone(plan.Tags), Fields: map[string]string{}, FirstResponseDueAt: plan.FirstResponseDue,
		LinkedTicketID: continued, CreatedAt: f.now, UpdatedAt: f.now,
	}}
	w.show(it.line.window)
	if w.Tags == nil {
		w.Tags = []string{}
	}
	if old := f.tickets[continued]; old != nil {
		w.LastAgentID = cmp.Or(old.AssigneeID, old.LastAgentID)
	}
	f.has(w)
	f.system(w, it, "created", linked(continued))
	if plan.Decision != nil {
		f.out.decisions = append(f.out.decisions, decisionRow{ticket: w.ID, kind: "classified", detail: rawJSON(plan.Decision)})
	}
	if in.Subject != "" {
		f.out.texts = append(f.out.texts, indexed{MessageID: w.ID, TicketID: w.ID, Text: clean(in.Subject)})
	}
	return w
}

func linked(continued desk.ID) map[string]string {
	if continued == "" {
		return nil
	}
	return map[string]string{"linked_ticket_id": continued}
}

// write adds the message to its ticket and moves the ticket's own marks.
func (f *filer) write(it *item, i int, in *desk.Inbound, w *ticketWork) *messageWork {
	author, who := f.writerOf(cmp.Or(it.people[i], w.ContactID), in)
	m := f.add(w, &desk.Message{
		ID: desk.NewID(), Direction: desk.DirectionIn, Author: author, Text: clean(in.Text), HTML: clean(in.HTML), Quoted: clean(in.Quoted),
		Class: in.Class, Repairs: in.Repairs, Headers: in.Headers, ExternalID: it.Envelope.ExternalID, ChannelID: it.Envelope.ChannelID,
		CreatedAt: sentAt(in.SentAt, it.Envelope.ReceivedAt, f.now),
	}, it)
	m.inbox, m.who = it.Envelope.ID, who
	if in.FromAgent {
		m.Direction = desk.DirectionOut
		f.sentElsewhere(m.Message, w)
	} else {
		w.lastInSeq = m.Seq
		if wakes(in) && w.WaitingSince == 0 {
			w.WaitingSince = m.CreatedAt
		}
	}
	w.note(m.Message)
	if in.Window != nil {
		f.window(it, in.Window, w)
	}
	if len(in.Fields) > 0 {
		if w.Fields == nil {
			w.Fields = map[string]string{}
		}
		maps.Copy(w.Fields, in.Fields)
	}
	f.attach(it, in, m.Message)
	if m.Text != "" {
		f.out.texts = append(f.out.texts, indexed{MessageID: m.ID, TicketID: w.ID, Text: m.Text})
	}
	return m
}

// sentAt trusts the sender's clock only as far as it does not run ahead of ours.
func sentAt(told, received, now desk.Time) desk.Time {
	received = cmp.Or(received, now)
	if told > 0 && told <= received {
		return told
	}
	return received
}

// note keeps what lists show of the last message.
func (w *ticketWork) note(m *desk.Message) {
	w.LastMessageAt, w.LastMessageText, w.LastMessageBy = m.CreatedAt, short(m.Text, 140), string(m.Direction)
	if m.Call != nil {
		w.LastMessageText = callWord(m.Call)
	}
}

// subjectOf is the given subject or the first words of the message.
func subjectOf(in *desk.Inbound) string {
	if s := strings.TrimSpace(in.Subject); s != "" {
		return short(s, 200)
	}
	return short(in.Text, 80)
}

// short puts text on one line of at most n characters.
func short(text string, n int) string {
	text = clean(text)
	if cut := n * 16; len(text) > cut { // far more bytes than can be shown: do not look at all of them
		text = strings.ToValidUTF8(text[:cut], "")
	}
	line := strings.Join(strings.Fields(text), " ")
	seen := 0
	for at := range line {
		if seen == n {
			return line[:at]
		}
		seen++
	}
	return line
}

// system adds what the house did.
func (f *filer) system(w *ticketWork, it *item, typ string, data map[string]string) *desk.Message {
	m := f.add(w, &desk.Message{ID: desk.NewID(), Direction: desk.DirectionSystem, Author: house, CreatedAt: f.now,
		Event: &desk.SystemEvent{Type: typ, Actor: house, Data: data}}, it)
	m.who = f.contact(w.ContactID)
	return m.Message
}

var house = desk.Author{Kind: "system"}

// add gives a message its place in the ticket's timeline.
func (f *filer) add(w *ticketWork, m *desk.Message, it *item) *messageWork {
	f.touch(w)
	m.TicketID, m.Seq, m.UpdatedAt = w.ID, w.Version, f.now
	return f.out.added(m, w, it)
}

// touch counts the ticket's clock up by one change.
func (f *filer) touch(w *ticketWork) {
	w.Version++
	w.UpdatedAt = f.now
	if !w.dirty {
		w.dirty = true
		f.order = append(f.order, w)
	}
}

// change replaces a message's content in place; false when it or its ticket is gone.
func (f *filer) change(it *item, r *threadRow, in *desk.Inbound) bool {
	m, w := f.updates[r.message], f.tickets[r.ticket]
	if m == nil || w == nil {
		return false
	}
	f.touch(w)
	m.UpdatedAt = f.now
	if in.Text != "" {
		m.Text = clean(in.Text)
		f.out.texts = append(f.out.texts, indexed{MessageID: m.ID, TicketID: w.ID, Text: m.Text})
		w.LastMessageText = short(m.Text, 140)
	}
	if len(in.Fields) > 0 {
		if w.Fields == nil {
			w.Fields = map[string]string{}
		}
		maps.Copy(w.Fields, in.Fields)
	}
	f.attach(it, in, m)
	f.out.changed(m, w, it, f.contact(w.ContactID))
	it.verdict(desk.OutcomeUpdated, "")
	it.filed.TicketID, it.filed.MessageID = w.ID, m.ID
	return true
}
