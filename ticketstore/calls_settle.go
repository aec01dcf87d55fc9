package ticketstore

import (
	"cmp"
	"slices"
	"time"

	"hearback/desk"
)

// call files what an envelope tells of a call. All that a batch tells of one call is settled at its first word; the others
// share the outcome.
func (f *filer) call(it *item, in *desk.Inbound) {
	c := f.callOf(it, in)
	if !c.settled {
		c.settled = true
		f.settleCall(c)
	}
	told := c.told[slices.IndexFunc(c.told, func(t callTold) bool { return t.in == in })]
	it.filed.TicketID, it.filed.MessageID = c.ticket, c.message
	switch {
	case c.outcome != "" && in == c.lead().in:
		it.verdict(c.outcome, "")
	case !told.news && !f.closing:
		it.verdict(desk.OutcomeDuplicate, "this event was told before")
	case c.ticket == "":
		it.verdict(desk.OutcomeUpdated, "a call that needs no ticket")
	default:
		it.verdict(desk.OutcomeUpdated, "")
	}
}

func (f *filer) settleCall(c *callWork) {
	lead := c.lead()
	contact := lead.it.people[lead.i]
	w, m := f.tickets[c.ticket], f.updates[c.message]
	if w == nil || m == nil {
		w, m = nil, nil
		c.ticket, c.message = "", ""
	}
	if w != nil && c.wasKnown == "" && c.customer != "" {
		f.named(c, w, contact)
	}
	c.contact = cmp.Or(contact, c.contact)
	if !c.changed {
		return
	}
	before := c.was
	switch {
	case w != nil:
		f.touch(w)
		m.UpdatedAt = f.now
		f.showCall(c, m, lead.in)
		f.out.changed(m, w, lead.it, f.contact(w.ContactID))
	default:
		if w = f.ticketOfCall(c, lead); w == nil {
			break
		}
		before = desk.Call{}
		m = f.writeCall(c, w, lead)
	}
	if w != nil {
		f.attachCall(c, m, lead.it)
		if !w.Status.Done() {
			f.consequences(c, before, w, m, lead.it)
		}
		w.noteCall(m)
	}
	c.missed = c.body.Call.Missed()
	f.out.calls = append(f.out.calls, c)
}

// ticketOfCall finds the ticket a call belongs to or opens one; nil when it needs none.
func (f *filer) ticketOfCall(c *callWork, lead callTold) *ticketWork {
	w := f.joined(c)
	switch {
	case w != nil:
		c.outcome = desk.OutcomeAppended
		if c.body.Call.Direction == "inbound" {
			f.wake(w, lead.it)
		}
	case c.due():
		w = f.openByCall(c, lead)
	default:
		return nil
	}
	if lead.it.key.sender == c.sender && w.ChannelID == c.channel {
		lead.it.line.goesOn(w)
	}
	c.ticket = w.ID
	return w
}

// joined is the open ticket a call goes to: one that waits for this call back, else the caller's latest on this channel that was
// written on not too long ago.
func (f *filer) joined(c *callWork) *ticketWork {
	is := &c.body.Call
	for _, asked := range []string{is.Callback, c.key} {
		if w := f.tickets[f.callbacks[asked]]; w != nil && !w.Status.Done() {
			return w
		}
	}
	if line := c.lead().it.line; line.sender == c.sender {
		if w := f.tickets[line.route]; w != nil && !w.Status.Done() {
			return w
		}
	}
	var best *ticketWork
	for _, w := range f.ofCaller(c) {
		if w.Status.Done() {
			continue
		}
		if is.Direction == "outbound" && w.callsBack(c.customer, cmp.Or(is.StartedAt, f.now)) {
			return w
		}
		if c.body.Policy.Within > 0 && w.ChannelID == c.channel && max(w.LastMessageAt, w.CreatedAt) >= f.now.Add(-c.body.Policy.Within) &&
			(best == nil || w.LastMessageAt > best.LastMessageAt) {
			best = w
		}
	}
	return best
}

// callsBack tells whether a ticket waits for a call to that number, or did within the last day.
func (w *ticketWork) callsBack(number string, at desk.Time) bool {
	return (w.Callback.State == "due" || w.Callback.State == "requested") && w.Callback.Number == number && number != "" && w.Callback.DueAt >= at.Add(-24*time.Hour)
}

func (f *filer) openByCall(c *callWork, lead callTold) *ticketWork {
	in := *lead.in
	if in.Subject == "" {
		in.Subject = "☎ " + cmp.Or(c.customer, c.body.Call.From)
	}
	w := f.open(lead.it, lead.i, &in, "")
	w.TeamID = f.duty.teamFor(c, w.TeamID)
	w.Sender = c.sender
	c.body.Opened, c.outcome = true, desk.OutcomeTicket
	return w
}

// named: the number became known after the ticket was opened; it is the caller's now.
func (f *filer) named(c *callWork, w *ticketWork, contact desk.ID) {
	if contact != "" && w.ContactID == c.contact {
		w.ContactID = contact
	}
	if w.ChannelID == c.channel && w.Sender == "call:"+c.key {
		w.Sender = c.sender
		f.renamed = append(f.renamed, w)
		if lead := c.lead(); lead.it.key.sender == c.sender && f.tickets[lead.it.line.ticket] == nil {
			lead.it.line.goesOn(w)
		}
	}
}

// writeCall adds the call's one message.
func (f *filer) writeCall(c *callWork, w *ticketWork, lead callTold) *desk.Message {
	m := &desk.Message{ID: desk.NewID(), ExternalID: c.key, ChannelID: c.channel,
		CreatedAt: sentAt(c.body.Call.StartedAt, lead.it.Envelope.ReceivedAt, f.now)}
	mw := f.add(w, m, lead.it)
	mw.inbox, mw.who = lead.it.Envelope.ID, f.contact(w.ContactID)
	c.message = m.ID
	f.showCall(c, m, lead.in)
	if m.Direction == desk.DirectionIn {
		w.lastInSeq = m.Seq
	}
	f.updates[m.ID] = m
	w.note(m)
	return m
}

// talker is who called a customer.
func (f *filer) talker(c *callWork) desk.Author {
	if a := f.duty.talker(&c.body.Call); a.ID != "" {
		return desk.Author{Kind: "agent", ID: a.ID, Name: a.Name}
	}
	if c.body.Call.Agent != "" {
		return desk.Author{Kind: "agent", Name: c.body.Call.Agent}
	}
	return house
}

// showCall puts the call as known now into its message.
func (f *filer) showCall(c *callWork, m *desk.Message, in *desk.Inbound) {
	is := withoutEvents(c.body.Call)
	m.Call = &is
	m.Direction = desk.DirectionIn
	m.Author, _ = f.writerOf(c.contact, in)
	if is.Direction == "outbound" {
		m.Direction, m.Author = desk.DirectionOut, f.talker(c)
	}
	if said := c.said(); said != m.Text {
		m.Text = said
		f.out.texts = append(f.out.texts, indexed{MessageID: m.ID, TicketID: c.ticket, Text: said})
	}
}

// noteCall keeps lists in step with the call, as long as nothing was written after it.
func (w *ticketWork) noteCall(m *desk.Message) {
	if len(w.LastMessageText) < 5 || w.LastMessageText[:5] != "call:" {
		return
	}
	w.LastMessageText = callWord(m.Call)
	w.LastMessageAt = max(w.LastMessageAt, m.CreatedAt, min(m.Call.EndedAt, m.UpdatedAt))
}

// attachCall gives the message the call's files that it does not have yet.
func (f *filer) attachCall(c *callWork, m *desk.Message, it *item) {
	for i := range c.body.Files {
		file := &c.body.Files[i]
		if file.Attached {
			continue
		}
		file.Attached = true
		f.attach(it, &desk.Inbound{Attachments: []desk.InboundAttachment{{Name: file.Name, Type: file.Type, Size: file.Size, Blob: file.Blob, Ref: file.Ref,
			ExpiresAt: file.Expires}}}, m)
	}
}

// news is what agents see of a call at once.
func (c *callWork) news() *desk.CallNews {
	return &desk.CallNews{ChannelID: c.channel, Call: withoutEvents(c.body.Call), ContactID: c.contact, TeamID: c.body.Team, AgentIDs: c.body.Agents,
		Rang: c.body.Rang, TicketID: c.ticket}
}
