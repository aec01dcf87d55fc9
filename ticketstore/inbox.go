package ticketstore

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"hearback/desk"
)

// PutInbox makes arrivals durable in one transaction and fills ID, Seq, Duplicate and Conflict of their envelopes once it has
// committed. Rows are born claimed until leaseUntil, so that the node that accepted them may file them at once; after a crash
// the lease runs out and ClaimInbox gives them to any node. leaseUntil 0: due at once.
//
// An envelope whose external id the channel has brought before is a duplicate of the first, within one call too.
func (s *Store) PutInbox(ctx context.Context, arrivals []*Arrival, leaseUntil desk.Time) error {
	var done *putting
	err := s.writeKeyed(ctx, func(t *tx) error {
		p := newPutting(t, arrivals, leaseUntil)
		if err := p.run(); err != nil {
			return err
		}
		done = p
		return p.cursors(arrivals)
	})
	if err != nil {
		return fmt.Errorf("put inbox: %w", err)
	}
	done.tell()
	return nil
}

// putting is one PutInbox transaction.
type putting struct {
	t      *tx
	lease  desk.Time
	rows   []*inboxRow
	firsts map[inboxKey]*inboxRow // by external id: the row this call would store
}

type inboxKey struct{ channel, external string }

// senderKey names the line an envelope waits in.
type senderKey struct{ channel, sender string }

func (k senderKey) compare(other senderKey) int {
	return cmp.Or(cmp.Compare(k.channel, other.channel), cmp.Compare(k.sender, other.sender))
}

// An inboxRow is an envelope on its way into the inbox. The envelope itself is touched only after the commit.
type inboxRow struct {
	env       *desk.Envelope
	id        desk.ID
	key       inboxKey
	from      senderKey
	at        desk.Time
	seq       int64
	digest    string
	duplicate bool
	conflict  bool
	first     *inboxRow // the row of this call it repeats
}

func newPutting(t *tx, arrivals []*Arrival, lease desk.Time) *putting {
	p := &putting{t: t, lease: lease, firsts: map[inboxKey]*inboxRow{}}
	now := t.s.now()
	for _, a := range arrivals {
		for i := range a.Envelopes {
			e := &a.Envelopes[i]
			channel := cmp.Or(e.ChannelID, a.ChannelID)
			r := &inboxRow{env: e, id: e.ID, key: inboxKey{channel, clean(e.ExternalID)}, from: senderKey{channel, clean(e.Sender)},
				at: cmp.Or(e.ReceivedAt, now), digest: clean(e.Digest)}
			if r.id == "" {
				r.id = desk.NewID()
			}
			if first, again := p.firsts[r.key]; again {
				r.first, r.duplicate = first, true
			} else {
				p.firsts[r.key] = r
			}
			p.rows = append(p.rows, r)
		}
	}
	return p
}

// run numbers first and looks for duplicates only when the insert refused some: their numbers are then left out of the line.
func (p *putting) run() error {
	fresh := p.fresh()
	if err := p.number(fresh); err != nil {
		return fmt.Errorf("number envelopes: %w", err)
	}
	stored := int64(0)
	if err := p.insert(fresh, &stored); err != nil {
		return fmt.Errorf("insert envelopes: %w", err)
	}
	if err := p.due(fresh); err != nil {
		return fmt.Errorf("insert due rows: %w", err)
	}
	if err := p.t.flush(); err != nil {
		return fmt.Errorf("insert envelopes: %w", err)
	}
	if stored != int64(len(fresh)) {
		if err := p.findStored(fresh); err != nil {
			return fmt.Errorf("find duplicates: %w", err)
		}
	}
	return nil
}

// fresh are the rows not known to be duplicates.
func (p *putting) fresh() []*inboxRow {
	var rows []*inboxRow
	for _, r := range p.rows {
		if !r.duplicate {
			rows = append(rows, r)
		}
	}
	return rows
}

// findStored marks the rows whose external id is in the inbox under another id.
func (p *putting) findStored(rows []*inboxRow) error {
	b := newBulk("channel_id text, external_id text", len(rows))
	for _, r := range rows {
		b.add(r.key.channel, r.key.external)
	}
	return p.t.bulkEach(b, func(row *sql.Rows) error {
		var (
			key        inboxKey
			id, digest string
			seq        int64
		)
		if err := row.Scan(&key.channel, &key.external, &id, &seq, &digest); err != nil {
			return err
		}
		r := p.firsts[key]
		if r == nil || r.id == id && r.seq == seq {
			return nil // stored by this very transaction
		}
		r.duplicate, r.id, r.seq = true, id, seq
		r.conflict = r.digest != "" && digest != "" && r.digest != digest
		r.digest = cmp.Or(digest, r.digest) // repeats within this call are compared with what is stored
		return nil
	}, `SELECT i.channel_id, i.external_id, i.id, i.seq, i.digest FROM v
		CROSS JOIN inbox i WHERE i.channel_id = v.channel_id AND i.external_id = v.external_id`)
}

// number draws the next seqs of each sender, senders in sorted order so that two nodes never wait for each other in a circle.
func (p *putting) number(rows []*inboxRow) error {
	count := map[senderKey]int64{}
	for _, r := range rows {
		count[r.from]++
	}
	b := newBulk("channel_id text, sender text, n bigint", len(count))
	for _, k := range sortedKeys(count) {
		b.add(k.channel, k.sender, count[k])
	}
	next, first := make(map[senderKey]int64, len(count)), []senderKey{}
	err := p.t.bulkEach(b, func(row *sql.Rows) error {
		var k senderKey
		var last int64
		if err := row.Scan(&k.channel, &k.sender, &last); err != nil {
			return err
		}
		if next[k] = last - count[k]; next[k] == 0 {
			first = append(first, k)
		}
		return nil
	}, `INSERT INTO sender_seqs (channel_id, sender, seq) SELECT channel_id, sender, n FROM v WHERE true
		ON CONFLICT (channel_id, sender) DO UPDATE SET seq = sender_seqs.seq + excluded.seq RETURNING channel_id, sender, seq`)
	if err == nil {
		err = p.t.addSenders(first)
	}
	if err != nil {
		return err
	}
	for _, r := range rows {
		next[r.from]++
		r.seq = next[r.from]
	}
	return nil
}

// addSenders makes the rows that filing holds, for senders who were just given their first number.
func (t *tx) addSenders(first []senderKey) error {
	slices.SortFunc(first, senderKey.compare)
	b := newBulk("channel_id text, sender text", len(first))
	for _, k := range first {
		b.add(k.channel, k.sender)
	}
	_, err := t.bulkExec(b, `INSERT INTO senders (channel_id, sender) SELECT channel_id, sender FROM v WHERE true ON CONFLICT DO NOTHING`)
	return err
}

func sortedKeys[T any](m map[senderKey]T) []senderKey {
	keys := make([]senderKey, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, senderKey.compare)
	return keys
}

// insert stores the envelopes that are new and counts them.
func (p *putting) insert(rows []*inboxRow, stored *int64) error {
	b := newBulk("id text, channel_id text, kind text, type text, external_id text, sender text, seq bigint, digest text, "+
		"meta jsonb, raw bytea, raw_blob text, received_at bigint", len(rows))
	for _, r := range rows {
		e := r.env
		raw := e.Raw
		if e.RawBlob != "" {
			raw = nil
		} else if raw == nil {
			raw = []byte{}
		}
		b.add(r.id, r.key.channel, e.Kind, cmp.Or(e.Type, desk.EnvelopeMessage), r.key.external, r.from.sender, r.seq, r.digest,
			toJSON(e.Meta), raw, e.RawBlob, r.at)
	}
	return p.t.later(b, func(n int64) error { *stored = n; return nil }, `INSERT INTO inbox (id, channel_id, kind, type, external_id, sender, seq, digest, meta, raw, raw_blob,
		received_at) SELECT * FROM v WHERE true ON CONFLICT DO NOTHING`)
}

// due makes the rows that were stored wait to be filed. Born claimed, they are in their first attempt already.
func (p *putting) due(rows []*inboxRow) error {
	attempts := 1
	if p.lease == 0 {
		attempts = 0
	}
	b := newBulk("channel_id text, sender text, seq bigint, id text", len(rows))
	for _, r := range rows {
		b.add(r.from.channel, r.from.sender, r.seq, r.id)
	}
	return p.t.later(b, nil, `INSERT INTO inbox_due (channel_id, sender, seq, id, next_attempt_at, attempts)
		SELECT v.channel_id, v.sender, v.seq, v.id, ?, ? FROM v CROSS JOIN inbox i WHERE i.id = v.id AND i.seq = v.seq AND i.channel_id = v.channel_id
		AND i.sender = v.sender`, int64(p.lease), attempts)
}

// cursors stores the last position of each channel that brought one.
func (p *putting) cursors(arrivals []*Arrival) error {
	last := map[senderKey][]byte{}
	for _, a := range arrivals {
		if a.Cursor != nil {
			last[senderKey{channel: a.ChannelID}] = a.Cursor
		}
	}
	b := newBulk("channel_id text, cursor bytea", len(last))
	for _, k := range sortedKeys(last) {
		b.add(k.channel, last[k])
	}
	_, err := p.t.bulkExec(b, `INSERT INTO channel_cursors (channel_id, cursor) SELECT channel_id, cursor FROM v WHERE true
		ON CONFLICT (channel_id) DO UPDATE SET cursor = excluded.cursor`)
	if err != nil {
		return fmt.Errorf("store cursors: %w", err)
	}
	return nil
}

// tell writes what became of the rows into the callers' envelopes, after the commit.
func (p *putting) tell() {
	for _, r := range p.rows {
		if r.first != nil {
			f := r.first
			r.id, r.seq = f.id, f.seq
			r.conflict = r.digest != "" && f.digest != "" && r.digest != f.digest
		}
		e := r.env
		e.ID, e.ChannelID, e.ReceivedAt = r.id, r.key.channel, r.at
		e.Seq, e.Duplicate, e.Conflict = r.seq, r.duplicate, r.conflict
		e.ExternalID, e.Sender = r.key.external, r.from.sender
		if e.Type == "" {
			e.Type = desk.EnvelopeMessage
		}
		if !e.Duplicate && p.lease != 0 {
			e.Attempts = 1
		}
	}
}
