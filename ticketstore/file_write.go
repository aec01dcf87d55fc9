package ticketstore

import (
	"cmp"
	"slices"

	"hearback/desk"
)

// outbox is what a File transaction is going to write and tell.
type outbox struct {
	given       []*item // in the caller's order
	messages    []*messageWork
	changes     []*messageWork // messages changed in place
	told        []*messageWork // both, in the order of the tickets' clocks
	decisions   []decisionRow
	texts       []indexed
	attachments []attachmentRow
	deliveries  []*desk.Message // sent elsewhere: their deliveries are born sent
	raised      []desk.DeliveryInfo
	calls       []*callWork // to be told at once
	asked       []Asked
}

// messageWork is a message added or changed here.
type messageWork struct {
	*desk.Message
	it          *item
	inbox       desk.ID // the envelope it came from
	idempotency string
	who         *desk.Contact
	seq         int64 // the ticket's clock after this
	typ         string
	w           *ticketWork
}

type decisionRow struct {
	ticket desk.ID
	kind   string
	detail string
}

type attachmentRow struct {
	desk.Attachment
	ticket  desk.ID
	ref     string
	expires desk.Time
}

// added notes a new message.
func (o *outbox) added(m *desk.Message, w *ticketWork, it *item) *messageWork {
	mw := &messageWork{Message: m, it: it, seq: w.Version, typ: "message", w: w}
	o.messages, o.told = append(o.messages, mw), append(o.told, mw)
	return mw
}

// changed notes a message changed in place.
func (o *outbox) changed(m *desk.Message, w *ticketWork, it *item, who *desk.Contact) {
	mw := &messageWork{Message: m, it: it, who: who, seq: w.Version, typ: "message_update", w: w}
	o.changes, o.told = append(o.changes, mw), append(o.told, mw)
}

// alone notes a change of a ticket that no message tells of.
func (o *outbox) alone(w *ticketWork, it *item, who *desk.Contact) {
	o.told = append(o.told, &messageWork{it: it, who: who, seq: w.Version, typ: "ticket", w: w})
}

// attach notes a message's files: blobs are there already, references are fetched after filing.
func (f *filer) attach(it *item, in *desk.Inbound, m *desk.Message) {
	for _, a := range in.Attachments {
		row := attachmentRow{ticket: m.TicketID, ref: clean(a.Ref), expires: a.ExpiresAt, Attachment: desk.Attachment{
			ID: desk.NewID(), MessageID: m.ID, Name: clean(a.Name), Type: clean(a.Type), Size: a.Size, Blob: a.Blob, Inline: a.Inline,
			ContentID: clean(a.ContentID), State: "stored"}}
		switch {
		case a.Blob != "":
		case a.Ref != "":
			row.State = "pending"
			it.filed.Fetch = true
		default:
			row.State, row.Hint = "failed", "The file came without content."
		}
		m.Attachments = append(m.Attachments, row.Attachment)
		f.out.attachments = append(f.out.attachments, row)
	}
}

// sentElsewhere marks what a colleague wrote outside: it answers the customer and has left already.
func (f *filer) sentElsewhere(m *desk.Message, w *ticketWork) {
	m.Delivery = &desk.DeliveryInfo{ID: desk.NewID(), State: desk.DeliverySent}
	w.FirstReplyAt = cmp.Or(w.FirstReplyAt, m.CreatedAt)
	w.WaitingSince = 0
	f.out.deliveries = append(f.out.deliveries, m)
}

func (f *filer) writeAll() error {
	for _, write := range []func() error{f.writeTickets, f.writeMessages, f.writeParts, f.writeThreads, f.writeDeliveries, f.writeSenders, f.writeCalls, f.writeAsked, f.writeInbox} {
		if err := write(); err != nil {
			return err
		}
	}
	if err := f.t.insertDecisions(f.out.decisions, f.now); err != nil {
		return err
	}
	return indexTexts(f.t, f.out.texts...)
}

func (f *filer) writeTickets() error {
	var fresh, known []*ticketWork
	for _, w := range f.order {
		if w.fresh {
			fresh = append(fresh, w)
		} else {
			known = append(known, w)
		}
	}
	if err := f.t.insertTickets(fresh); err != nil {
		return err
	}
	slices.SortFunc(known, func(a, b *ticketWork) int { return cmp.Compare(a.ID, b.ID) })
	return f.t.updateTickets(known)
}

func (f *filer) writeMessages() error {
	if err := f.t.insertMessages(f.out.messages); err != nil {
		return err
	}
	return f.t.updateMessages(f.out.changes)
}

func (f *filer) writeParts() error { return f.t.insertAttachments(f.out.attachments, f.now) }

func (f *filer) writeThreads() error {
	b := newBulk("channel_id text, key text, ticket_id text, message_id text", 0)
	var fresh []*threadRow
	for _, r := range f.threads {
		if r.fresh {
			fresh = append(fresh, r)
		}
	}
	slices.SortFunc(fresh, func(a, b *threadRow) int { return cmp.Or(cmp.Compare(a.channel, b.channel), cmp.Compare(a.key, b.key)) })
	for _, r := range fresh {
		b.add(r.channel, r.key, r.ticket, r.message)
	}
	return f.t.later(b, nil, `INSERT INTO thread_keys (channel_id, key, ticket_id, message_id)
		SELECT channel_id, key, ticket_id, message_id FROM v WHERE true ON CONFLICT DO NOTHING`)
}

func (f *filer) writeDeliveries() error {
	b := newBulk("id text, message_id text, ticket_id text, channel_id text, seq bigint, external_id text", 0)
	for _, m := range f.out.deliveries {
		b.add(m.Delivery.ID, m.ID, m.TicketID, m.ChannelID, m.Seq, m.ExternalID)
	}
	if err := f.t.later(b, nil, `INSERT INTO deliveries (id, message_id, ticket_id, channel_id, seq, external_id, automatic, state,
			next_attempt_at, give_up_at, created_at, updated_at)
		SELECT id, message_id, ticket_id, channel_id, seq, external_id, FALSE, 'sent', 0, 0, ?, ? FROM v`, int64(f.now), int64(f.now)); err != nil {
		return err
	}
	b = newBulk("id text, state text, code text, hint text", 0)
	last := map[desk.ID]desk.DeliveryInfo{}
	for _, d := range f.out.raised {
		last[d.ID] = d
	}
	for _, d := range f.out.raised {
		if l, ok := last[d.ID]; ok {
			b.add(l.ID, l.State, l.Code, l.Hint)
			delete(last, d.ID)
		}
	}
	return f.t.later(b, nil, `UPDATE deliveries SET state = v.state, code = v.code, hint = v.hint, next_attempt_at = 0, updated_at = ? FROM v
		WHERE deliveries.id = v.id`, int64(f.now))
}

// writeSenders writes the lines whose person or ticket has changed; within a conversation that is none.
func (f *filer) writeSenders() error {
	changed := map[senderKey]bool{}
	for k, l := range f.senders {
		if l.dirty {
			changed[k] = true
		}
	}
	b := newBulk("channel_id text, sender text, contact_id text, ticket_id text, from_type text, from_value text, from_scope text, "+
		"from_verified boolean, closes bigint, remaining bigint, reason text, at bigint, route text", len(changed))
	for _, k := range sortedKeys(changed) {
		l := f.senders[k]
		b.add(k.channel, k.sender, l.contact, l.ticket, l.from.Type, l.from.Value, l.from.Scope, l.from.Verified,
			l.window.closes, l.window.remaining, l.window.reason, l.window.at, l.route)
	}
	return f.t.later(b, nil, `UPDATE senders SET contact_id = v.contact_id, ticket_id = v.ticket_id,
		from_type = v.from_type, from_value = v.from_value, from_scope = v.from_scope, from_verified = v.from_verified,
		window_closes_at = v.closes, window_remaining = v.remaining, window_reason = v.reason, window_at = v.at, route_ticket_id = v.route FROM v
		WHERE senders.channel_id = v.channel_id AND senders.sender = v.sender`)
}

// writeInbox settles the rows that were filed and moves those put back.
func (f *filer) writeInbox() error {
	if f.closing {
		return nil
	}
	const place = "channel_id text, sender text, seq bigint"
	done := newBulk("id text, state text, outcome text, reason text, ticket_id text, message_id text, attempts bigint", len(f.items))
	gone, later := newBulk(place, len(f.items)), newBulk(place+", at bigint", 0)
	for _, it := range f.items {
		r := it.filed
		switch {
		case !it.skip:
			done.add(it.Envelope.ID, it.state, r.Outcome, r.Reason, r.TicketID, r.MessageID, it.Envelope.Attempts)
			gone.add(it.key.channel, it.key.sender, it.Envelope.Seq)
		case it.later != 0:
			later.add(it.key.channel, it.key.sender, it.Envelope.Seq, it.later)
		}
	}
	if err := f.t.later(done, nil, `INSERT INTO inbox_outcomes (id, state, outcome, reason, ticket_id, message_id, attempts) SELECT * FROM v`); err != nil {
		return err
	}
	if err := f.t.later(gone, nil, `DELETE FROM inbox_due WHERE (channel_id, sender, seq) IN (SELECT channel_id, sender, seq FROM v)`); err != nil {
		return err
	}
	return f.t.later(later, nil, `UPDATE inbox_due SET next_attempt_at = v.at FROM v
		WHERE inbox_due.channel_id = v.channel_id AND inbox_due.sender = v.sender AND inbox_due.seq = v.seq`)
}

// report tells what was done, in the caller's order. Tickets are as they stand at the end.
func (f *filer) report() []Filed {
	final := map[*ticketWork]*desk.Ticket{}
	for _, w := range f.order {
		t := w.Ticket
		final[w] = &t
	}
	for _, mw := range f.out.told {
		r := mw.it.filed
		r.Events = append(r.Events, desk.Event{Type: mw.typ, TicketID: mw.w.ID, Seq: mw.seq, Ticket: final[mw.w], Message: mw.Message, Contact: mw.who})
		if mw.Message != nil && !slices.ContainsFunc(r.Wrote, func(t desk.Ticket) bool { return t.ID == mw.w.ID }) {
			r.Wrote = append(r.Wrote, *final[mw.w])
		}
		w := mw.w
		switch t := *final[w]; {
		case w.opened:
			r.Opened, w.opened, w.reopened, w.resumed = append(r.Opened, t), false, false, false
		case w.reopened:
			r.Reopened, w.reopened = append(r.Reopened, t), false
		case w.resumed:
			r.Resumed, w.resumed = append(r.Resumed, t), false
		}
	}
	for _, c := range f.out.calls {
		r := c.lead().it.filed
		r.Events = append(r.Events, desk.Event{Type: "call", TicketID: c.ticket, Call: c.news()})
	}
	filed := make([]Filed, len(f.out.given))
	for i, it := range f.out.given {
		filed[i] = *it.filed
		filed[i].Skipped = it.skip
	}
	return filed
}
