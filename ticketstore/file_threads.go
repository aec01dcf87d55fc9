package ticketstore

import (
	"database/sql"
	"maps"
	"slices"
	"strings"

	"hearback/desk"
)

// threads are the thread keys a batch asks for, and those it adds.
type threads map[threadKey]*threadRow

type threadKey struct{ channel, key string }

type threadRow struct {
	threadKey
	ticket  desk.ID
	message desk.ID
	subject string // of the reply it names, when that had its own
	fresh   bool
}

// updateKey keeps the keys of messages changed in place apart from the conversations' own.
func updateKey(channel desk.ID, key string) threadKey { return threadKey{channel, "u:" + clean(key)} }

func (f *filer) findThreads() error {
	asked := map[threadKey]bool{}
	for it, in := range f.inbounds {
		if in.Call != nil {
			continue
		}
		channel := it.Envelope.ChannelID
		for _, k := range in.ThreadKeys {
			asked[threadKey{channel, clean(k)}] = true
		}
		if in.UpdateKey != "" {
			asked[updateKey(channel, in.UpdateKey)] = true
		}
		for _, k := range in.SameAs {
			asked[copyKey(k)] = true
		}
	}
	b := newBulk("channel_id text, key text", len(asked))
	for k := range asked {
		b.add(k.channel, k.key)
	}
	if err := f.t.bulkEach(b, f.foundThread, `SELECT k.channel_id, k.key, k.ticket_id, k.message_id FROM v
		CROSS JOIN thread_keys k WHERE k.channel_id = v.channel_id AND k.key = v.key`); err != nil {
		return err
	}
	return f.findAnswered()
}

func (f *filer) foundThread(row *sql.Rows) error {
	r := &threadRow{}
	err := row.Scan(&r.channel, &r.key, &r.ticket, &r.message)
	f.keepThread(r)
	return err
}

func (f *filer) foundReply(row *sql.Rows) error {
	r := &threadRow{}
	err := row.Scan(&r.channel, &r.key, &r.ticket, &r.message, &r.subject)
	f.keepThread(r)
	return err
}

// keepThread keeps the first of several rows of a key.
func (f *filer) keepThread(r *threadRow) {
	if f.threads[r.threadKey] == nil {
		f.threads[r.threadKey] = r
	}
}

// findAnswered finds the conversations that keys name without having been registered: our replies by their provider-visible
// ids, and tickets of the channel, or that have answered by it, by "#" and
// their number.
func (f *filer) findAnswered() error {
	replies, numbers := newBulk("channel_id text, key text", 0), newBulk("channel_id text, key text, number text", 0)
	asked := map[threadKey]bool{}
	for it, in := range f.inbounds {
		if in.Call != nil {
			continue
		}
		for _, key := range in.ThreadKeys {
			k := threadKey{it.Envelope.ChannelID, clean(key)}
			if f.threads[k] != nil || asked[k] {
				continue
			}
			asked[k] = true
			if number, ok := strings.CutPrefix(k.key, "#"); ok {
				numbers.add(k.channel, k.key, number)
			} else {
				replies.add(k.channel, k.key)
			}
		}
	}
	if err := f.t.bulkEach(replies, f.foundReply, `SELECT v.channel_id, v.key, d.ticket_id, d.message_id, COALESCE(m.extra->'headers'->>'subject', '') FROM v
			CROSS JOIN deliveries d JOIN messages m ON m.id = d.message_id WHERE d.channel_id = v.channel_id AND d.external_id = v.key
		UNION ALL SELECT v.channel_id, v.key, d.ticket_id, d.message_id, COALESCE(m.extra->'headers'->>'subject', '') FROM v
			CROSS JOIN deliveries d JOIN messages m ON m.id = d.message_id WHERE d.channel_id = v.channel_id AND d.provider_id = v.key AND d.provider_id <> ''`); err != nil {
		return err
	}
	return f.t.bulkEach(numbers, f.foundThread, `SELECT v.channel_id, v.key, t.id, '' FROM v
		CROSS JOIN tickets t WHERE t.number = v.number AND (t.channel_id = v.channel_id
			OR EXISTS (SELECT 1 FROM messages m WHERE m.ticket_id = t.id AND m.channel_id = v.channel_id AND m.direction = 'out'))`)
}

// learn registers a key for messages to come; the first message under a key keeps it.
func (th threads) learn(k threadKey, ticket, message desk.ID) {
	if th[k] == nil {
		th[k] = &threadRow{threadKey: k, ticket: ticket, message: message, fresh: true}
	}
}

// findTickets reads every ticket this batch may write to.
func (f *filer) findTickets() error {
	ids := map[desk.ID]bool{}
	for it := range f.live {
		ids[it.line.ticket] = true
		ids[it.line.route] = true
	}
	for _, r := range f.threads {
		ids[r.ticket] = true
	}
	for _, d := range f.replies {
		ids[d.ticket] = true
	}
	for _, m := range f.retracted {
		ids[m.ticket] = true
	}
	if err := f.findSiblings(ids); err != nil {
		return err
	}
	if err := f.findCallTickets(ids); err != nil {
		return err
	}
	delete(ids, "")
	lock := f.t.s.dialect.forUpdate
	if f.t.try == 0 {
		lock = "" // rarely does anybody else write to a ticket in the same moment: then the update finds out and all is run again
	}
	return f.t.readTickets(slices.Sorted(maps.Keys(ids)), lock, f.has)
}

// has keeps a ticket the batch may write to.
func (f *filer) has(w *ticketWork) {
	f.tickets[w.ID] = w
	k := senderKey{w.ChannelID, w.Sender}
	f.siblings[k] = append(f.siblings[k], w)
	if len(f.calls) > 0 {
		f.byContact[w.ContactID] = append(f.byContact[w.ContactID], w)
		if w.Callback.Number != "" {
			f.byNumber[w.Callback.Number] = append(f.byNumber[w.Callback.Number], w)
		}
	}
}

// lockTickets reads tickets by id for the rest of the transaction. ids must rise, so that transactions never wait for each
// other in a circle.
func (t *tx) lockTickets(ids []desk.ID, keep func(*ticketWork)) error {
	return t.readTickets(ids, t.s.dialect.forUpdate, keep)
}

func (t *tx) readTickets(ids []desk.ID, lock string, keep func(*ticketWork)) error {
	b := newBulk("id text", len(ids))
	for _, id := range ids {
		b.add(id)
	}
	return t.bulkEach(b, func(row *sql.Rows) error {
		w := &ticketWork{}
		err := row.Scan(append(ticketDest(&w.Ticket), &w.lastInSeq, &w.warnAt)...)
		w.was = w.Version
		keep(w)
		return err
	}, `SELECT `+ticketColumns+`, t.last_in_seq, t.window_warn_at FROM v CROSS JOIN tickets t WHERE t.id = v.id ORDER BY t.id`+lock)
}

// ticketFor finds the ticket a message belongs to, nil when it needs a new one; continued is then the ended ticket it follows, or
// the one its writer refers to without belonging there.
func (f *filer) ticketFor(it *item, i int, in *desk.Inbound) (w *ticketWork, continued desk.ID) {
	own := f.tickets[it.line.ticket]
	if len(in.ThreadKeys) == 0 {
		w = f.spokenTo(it, own)
	} else {
		var strange *ticketWork
		if w, strange = f.byThread(it, i, in); w == nil && strange != nil {
			if follows(own, strange) {
				return own, ""
			}
			return nil, strange.ID
		}
		if w != nil && (w.Status.Done() || f.stale(it, in, w)) && follows(own, w) {
			w = own
		}
	}
	if w != nil && (w.Status.Done() || f.stale(it, in, w)) {
		return nil, w.ID
	}
	return w, ""
}

// spokenTo is the ticket that wrote last into a conversation without thread keys: its own, or one that answered by this way.
func (f *filer) spokenTo(it *item, own *ticketWork) *ticketWork {
	route := f.tickets[it.line.route]
	if route != nil && (own == nil || own.Status.Done() || !route.Status.Done()) {
		return route
	}
	return own
}

// goesOn notes the ticket a conversation is in now. One of another conversation that wrote here is remembered apart: it must not
// cost this one its own.
func (l *senderLine) goesOn(w *ticketWork) {
	if w.ID == l.route || w.ID == l.ticket {
		return
	}
	l.ticket, l.route, l.dirty = w.ID, "", true
}

// follows: the sender's conversation goes on in the ticket that was opened after the other.
func follows(own, other *ticketWork) bool {
	return own != nil && own.LinkedTicketID == other.ID && !own.Status.Done()
}

// byThread follows the strongest key that may be followed. strange is a ticket named by a key whose writer does not belong to it, or
// who writes about something else.
func (f *filer) byThread(it *item, i int, in *desk.Inbound) (w, strange *ticketWork) {
	for n, k := range in.ThreadKeys {
		r := f.threads[threadKey{it.Envelope.ChannelID, clean(k)}]
		if r == nil {
			continue
		}
		w := f.tickets[r.ticket]
		if w == nil {
			continue
		}
		named := strings.HasPrefix(k, "#")
		if f.mayFollow(it, i, in, w, n) && (named || !strayed(in.Topic, w.Subject) || r.subject != "" && !strayed(in.Topic, r.subject)) {
			return w, nil
		}
		if strange == nil {
			strange = w
		}
	}
	return nil, strange
}

// readUpdated reads the messages that calls and receipts change in place.
func (f *filer) readUpdated() error {
	ids := map[desk.ID]bool{}
	for _, c := range f.calls {
		ids[c.message] = true
	}
	for _, m := range f.retracted {
		ids[m.message] = true
	}
	delete(ids, "")
	for it, in := range f.inbounds {
		if in.UpdateKey != "" && in.Call == nil {
			if r := f.threads[updateKey(it.Envelope.ChannelID, in.UpdateKey)]; r != nil {
				ids[r.message] = true
			}
		}
	}
	for _, d := range f.replies {
		ids[d.message] = true
	}
	found, err := f.t.messages(slices.Sorted(maps.Keys(ids)))
	for i := range found {
		f.updates[found[i].ID] = &found[i]
	}
	return err
}

// messages reads messages by id with attachments and deliveries.
func (t *tx) messages(ids []desk.ID) ([]desk.Message, error) {
	b := newBulk("id text", len(ids))
	for _, id := range ids {
		b.add(id)
	}
	var found []desk.Message
	err := t.bulkEach(b, func(row *sql.Rows) error {
		m, err := scanMessage(row)
		found = append(found, m)
		return err
	}, `SELECT `+messageColumns+` FROM v CROSS JOIN messages m WHERE m.id = v.id`)
	if err != nil {
		return nil, err
	}
	return found, completeMessages(t.ctx, t.s, t, found)
}
