package ticketstore

import (
	"database/sql"
	"hash/fnv"
	"slices"

	"hearback/desk"
)

// copyKey is a key that is the same on every channel.
func copyKey(key string) threadKey { return threadKey{"", clean(key)} }

// lockCopies makes nodes that file copies of one mail at once take turns: the second sees the ticket the first has opened.
func (f *filer) lockCopies() error {
	if f.t.s.dialect.name != "postgres" {
		return nil // one writer
	}
	var locks []int64
	for _, in := range f.inbounds {
		for _, key := range in.SameAs {
			h := fnv.New64a()
			h.Write([]byte("copy " + clean(key)))
			locks = append(locks, int64(h.Sum64()))
		}
	}
	slices.Sort(locks)
	locks = slices.Compact(locks)
	b := newBulk("id bigint", len(locks))
	for _, l := range locks {
		b.add(l)
	}
	_, err := f.t.bulkExec(b, `SELECT pg_advisory_xact_lock(v.id) FROM v`)
	return err
}

// link joins a ticket opened by a message with the one another channel's copy of it has opened.
func (f *filer) link(it *item, in *desk.Inbound, w *ticketWork) {
	for _, key := range in.SameAs {
		r := f.threads[copyKey(key)]
		if r == nil {
			continue
		}
		other := f.tickets[r.ticket]
		if other == nil || other.ID == w.ID || other.ChannelID == w.ChannelID {
			continue
		}
		if w.LinkedTicketID == "" {
			w.LinkedTicketID = other.ID
		}
		f.system(w, it, "linked", map[string]string{"ticket_id": other.ID, "number": other.Number})
		if !other.Status.Done() {
			f.linked = append(f.linked, f.system(other, it, "linked", map[string]string{"ticket_id": w.ID}))
		}
		return
	}
}

// nameLinked puts the numbers of tickets opened here into what other tickets say of them.
func (f *filer) nameLinked() {
	for _, m := range f.linked {
		if w := f.tickets[m.Event.Data["ticket_id"]]; w != nil {
			m.Event.Data["number"] = w.Number
		}
	}
}

// stale tells whether a message comes so long after the last one that it begins a matter of its own.
func (f *filer) stale(it *item, in *desk.Inbound, w *ticketWork) bool {
	if in.FreshAfter <= 0 || in.NoTicket || w.Status == desk.StatusNew || w.LastMessageAt == 0 {
		return false
	}
	return sentAt(in.SentAt, it.Envelope.ReceivedAt, f.now) > w.LastMessageAt.Add(in.FreshAfter)
}

// findRetracted finds the messages that writers take back in this batch, by the envelopes they came in.
func (f *filer) findRetracted() error {
	b := newBulk("channel_id text, external_id text", 0)
	for it, in := range f.inbounds {
		if in.Retracts != "" {
			b.add(it.Envelope.ChannelID, in.Retracts)
		}
	}
	return f.t.bulkEach(b, func(row *sql.Rows) error {
		var k replyKey
		var r replyRow
		err := row.Scan(&k.channel, &k.external, &r.message, &r.ticket)
		f.retracted[k] = r
		return err
	}, `SELECT v.channel_id, v.external_id, m.id, m.ticket_id FROM v CROSS JOIN inbox i JOIN inbox_outcomes o ON o.id = i.id JOIN messages m ON m.id = o.message_id
		WHERE i.channel_id = v.channel_id AND i.external_id = v.external_id`)
}

// retractedBadge marks a message its writer has taken back; its text stays.
const retractedBadge = "retracted"

// retract marks the message a writer has taken back.
func (f *filer) retract(it *item, in *desk.Inbound) {
	m, w := f.takenBack(replyKey{it.Envelope.ChannelID, clean(in.Retracts)})
	if m == nil || w == nil {
		it.verdict(desk.OutcomeRejected, "takes back no message that is known")
		return
	}
	it.verdict(desk.OutcomeUpdated, "")
	it.filed.TicketID, it.filed.MessageID = w.ID, m.ID
	h := desk.Headers{}
	if m.Headers != nil {
		h = *m.Headers
	}
	if slices.Contains(h.Badges, retractedBadge) {
		return
	}
	h.Badges = append(slices.Clone(h.Badges), retractedBadge)
	m.Headers, m.UpdatedAt = &h, f.now
	f.touch(w)
	f.out.changed(m, w, it, f.contact(w.ContactID))
}

// takenBack is the message, be it stored or filed in this very batch.
func (f *filer) takenBack(k replyKey) (*desk.Message, *ticketWork) {
	if r, ok := f.retracted[k]; ok {
		return f.updates[r.message], f.tickets[r.ticket]
	}
	for _, mw := range f.out.messages {
		if mw.inbox != "" && mw.ChannelID == k.channel && mw.ExternalID == k.external {
			return mw.Message, mw.w
		}
	}
	return nil, nil
}
