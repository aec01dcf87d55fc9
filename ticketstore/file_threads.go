package ticketstore

import (
	"database/sql"
	"maps"
	"slices"

	"hearback/desk"
)

// threads are the thread keys a batch asks for, and those it adds.
type threads map[threadKey]*threadRow

type threadKey struct{ channel, key string }

type threadRow struct {
	threadKey
	ticket  desk.ID
	message desk.ID
	fresh   bool
}

// updateKey keeps the keys of messages changed in place apart from the conversations' own.
func updateKey(channel desk.ID, key string) threadKey { return threadKey{channel, "u:" + clean(key)} }

func (f *filer) findThreads() error {
	asked := map[threadKey]bool{}
	for it, in := range f.inbounds {
		channel := it.Envelope.ChannelID
		for _, k := range in.ThreadKeys {
			asked[threadKey{channel, clean(k)}] = true
		}
		if in.UpdateKey != "" {
			asked[updateKey(channel, in.UpdateKey)] = true
		}
	}
	b := newBulk("channel_id text, key text", len(asked))
	for k := range asked {
		b.add(k.channel, k.key)
	}
	return f.t.bulkEach(b, func(row *sql.Rows) error {
		r := &threadRow{}
		err := row.Scan(&r.channel, &r.key, &r.ticket, &r.message)
		f.threads[r.threadKey] = r
		return err
	}, `SELECT k.channel_id, k.key, k.ticket_id, k.message_id FROM v
		CROSS JOIN thread_keys k WHERE k.channel_id = v.channel_id AND k.key = v.key`)
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
	}
	for _, r := range f.threads {
		ids[r.ticket] = true
	}
	for _, d := range f.replies {
		ids[d.ticket] = true
	}
	delete(ids, "")
	lock := f.t.s.dialect.forUpdate
	if f.t.try == 0 {
		lock = "" // rarely does anybody else write to a ticket in the same moment: then the update finds out and all is run again
	}
	return f.t.readTickets(slices.Sorted(maps.Keys(ids)), lock, func(w *ticketWork) { f.tickets[w.ID] = w })
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
		err := row.Scan(append(ticketDest(&w.Ticket), &w.lastInSeq)...)
		w.was = w.Version
		keep(w)
		return err
	}, `SELECT `+ticketColumns+`, t.last_in_seq FROM v CROSS JOIN tickets t WHERE t.id = v.id ORDER BY t.id`+lock)
}

// ticketFor finds the ticket a message belongs to, nil when it needs a new one; continued is then the ended ticket it follows.
func (f *filer) ticketFor(it *item, in *desk.Inbound) (w *ticketWork, continued desk.ID) {
	own := f.tickets[it.line.ticket]
	if len(in.ThreadKeys) > 0 {
		w = f.byThread(it.Envelope.ChannelID, in.ThreadKeys)
		if w != nil && w.Status.Done() && own != nil && own.LinkedTicketID == w.ID && !own.Status.Done() {
			w = own // the conversation goes on in the ticket that followed
		}
	} else {
		w = own
	}
	if w != nil && w.Status.Done() {
		return nil, w.ID
	}
	return w, ""
}

func (f *filer) byThread(channel desk.ID, keys []string) *ticketWork {
	for _, k := range keys {
		if r := f.threads[threadKey{channel, clean(k)}]; r != nil {
			if w := f.tickets[r.ticket]; w != nil {
				return w
			}
		}
	}
	return nil
}

// readUpdated reads the messages that calls and receipts change in place.
func (f *filer) readUpdated() error {
	ids := map[desk.ID]bool{}
	for it, in := range f.inbounds {
		if in.UpdateKey != "" {
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
