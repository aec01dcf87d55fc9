package ticketstore

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"hearback/desk"
)

// envelopeColumns are an envelope's columns in the order scanEnvelope reads them, of the inbox as i and inbox_due as d.
const envelopeColumns = `i.id, i.channel_id, i.kind, i.type, i.external_id, i.sender, i.seq, i.digest, i.meta, i.raw, i.raw_blob, ` +
	`i.received_at, COALESCE(d.attempts, 0)`

func scanEnvelope(row scanner) (desk.Envelope, error) {
	var e desk.Envelope
	err := row.Scan(&e.ID, &e.ChannelID, &e.Kind, &e.Type, &e.ExternalID, &e.Sender, &e.Seq, &e.Digest, jsonInto{&e.Meta}, &e.Raw,
		&e.RawBlob, &e.ReceivedAt, &e.Attempts)
	return e, err
}

// claimLock is the advisory lock that makes claims of several nodes take turns: two claims side by side could split one
// sender's line between them.
const claimLock = 0x6865617262610001

// ClaimInbox takes at most limit due rows, oldest first, and leases them until leaseUntil: whoever claims must File or FailInbox
// them before, or they come again. A row is left alone while an earlier unfinished one of its sender is leased or backing off.
func (s *Store) ClaimInbox(ctx context.Context, limit int, leaseUntil desk.Time) ([]desk.Envelope, error) {
	var claimed []desk.Envelope
	err := s.write(ctx, func(t *tx) error {
		claimed = nil
		if err := t.lockClaims(); err != nil {
			return err
		}
		var err error
		claimed, err = t.dueEnvelopes(limit)
		if err != nil {
			return fmt.Errorf("find due envelopes: %w", err)
		}
		b := newBulk("channel_id text, sender text, seq bigint", len(claimed))
		for i := range claimed {
			e := &claimed[i]
			e.Attempts++
			b.add(e.ChannelID, e.Sender, e.Seq)
		}
		_, err = t.bulkExec(b, `UPDATE inbox_due SET next_attempt_at = ?, attempts = attempts + 1 FROM v
			WHERE inbox_due.channel_id = v.channel_id AND inbox_due.sender = v.sender AND inbox_due.seq = v.seq`, int64(leaseUntil))
		if err != nil || len(claimed) == limit {
			return err
		}
		return t.postponeBlocked(leaseUntil)
	})
	if err != nil {
		return nil, fmt.Errorf("claim inbox: %w", err)
	}
	return claimed, nil
}

func (t *tx) lockClaims() error {
	if t.s.dialect.name != "postgres" {
		return nil // one writer: claims take turns anyway
	}
	_, err := t.exec(`SELECT pg_advisory_xact_lock(?)`, int64(claimLock))
	return err
}

// dueEnvelopes orders by due time, then place in the sender's line. A row qualifies unless an earlier unfinished one of its
// sender would not be claimed before it: because it is not due yet, or because it comes later in this order and may fall off
// the limit's end.
func (t *tx) dueEnvelopes(limit int) ([]desk.Envelope, error) {
	now := int64(t.s.now())
	return list(t.ctx, t.s, t, scanEnvelope, `SELECT `+envelopeColumns+` FROM (SELECT * FROM inbox_due q WHERE q.next_attempt_at <= ? AND NOT EXISTS (
			SELECT 1 FROM inbox_due e WHERE e.channel_id = q.channel_id AND e.sender = q.sender AND e.seq < q.seq
			AND (e.next_attempt_at > ? OR e.next_attempt_at > q.next_attempt_at))
		ORDER BY q.next_attempt_at, q.seq LIMIT ?) d JOIN inbox i ON i.id = d.id ORDER BY d.next_attempt_at, d.seq`, now, now, limit)
}

// blockedFor is how long a due row is left alone that waits behind an unfinished one of its sender.
const blockedFor = 250 * time.Millisecond

// postponeBlocked moves the due rows that could not be claimed a little ahead, so that NextInboxDue does not make the belts
// ask without a pause.
func (t *tx) postponeBlocked(leaseUntil desk.Time) error {
	now := t.s.now()
	next := min(now.Add(blockedFor), leaseUntil)
	_, err := t.exec(`UPDATE inbox_due SET next_attempt_at = ? WHERE next_attempt_at <= ?`, int64(next), int64(now))
	return err
}

// FailInbox puts a row back until retryAt with the reason it could not be filed, or marks it dead: then it waits for Reprocess
// and no longer holds up its sender. A row settled meanwhile is left as it is.
func (s *Store) FailInbox(ctx context.Context, id desk.ID, reason string, retryAt desk.Time, dead bool) error {
	err := s.write(ctx, func(t *tx) error {
		if !dead {
			_, err := t.exec(`UPDATE inbox_due SET next_attempt_at = ?, reason = ? WHERE `+dueOf, int64(retryAt), reason, id)
			return err
		}
		_, err := t.exec(`INSERT INTO inbox_outcomes (id, state, outcome, reason, ticket_id, message_id, attempts)
			SELECT d.id, 'dead', 'dead', CAST(? AS TEXT), '', '', d.attempts FROM inbox_due d WHERE `+dueOf+` ON CONFLICT DO NOTHING`, reason, id)
		if err == nil {
			_, err = t.exec(`DELETE FROM inbox_due WHERE `+dueOf, id)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("fail inbox row: %w", err)
	}
	return nil
}

// dueOf finds an envelope's due row by the envelope's id.
const dueOf = `(channel_id, sender, seq) = (SELECT i.channel_id, i.sender, i.seq FROM inbox i WHERE i.id = ?)`

// Reprocess makes a row due again that ended without being filed: dead, rejected, spam and the like. desk.ErrConflict when it
// is in a ticket already or still on its way.
func (s *Store) Reprocess(ctx context.Context, id desk.ID) error {
	err := s.write(ctx, func(t *tx) error {
		n, err := t.exec(`DELETE FROM inbox_outcomes WHERE id = ? AND message_id = ''`, id)
		if err != nil {
			return err
		}
		if n == 0 {
			return t.whyNotAgain(id)
		}
		_, err = t.exec(`INSERT INTO inbox_due (channel_id, sender, seq, id, next_attempt_at, attempts)
			SELECT channel_id, sender, seq, id, CAST(? AS BIGINT), 0 FROM inbox WHERE id = ? ON CONFLICT DO NOTHING`, int64(s.now()), id)
		return err
	})
	if err != nil {
		return fmt.Errorf("reprocess: %w", err)
	}
	return nil
}

func (t *tx) whyNotAgain(id desk.ID) error {
	var n int
	if err := t.get(&n, `SELECT COUNT(*) FROM inbox WHERE id = ?`, id); err != nil {
		return err
	}
	if n == 0 {
		return desk.ErrNotFound
	}
	return fmt.Errorf("envelope is filed or on its way: %w", desk.ErrConflict)
}

// NextInboxDue tells when the next unfinished row falls due; 0 when none waits.
func (s *Store) NextInboxDue(ctx context.Context) (desk.Time, error) {
	var due sql.NullInt64
	if err := s.read.GetContext(ctx, &due, `SELECT MIN(next_attempt_at) FROM inbox_due`); err != nil {
		return 0, fmt.Errorf("find next due inbox row: %w", s.fault(err))
	}
	return desk.Time(due.Int64), nil
}
