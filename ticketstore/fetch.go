package ticketstore

import (
	"context"
	"fmt"

	"hearback/desk"
)

// AttachmentsToFetch claims files that must still be fetched from their provider; each comes again after leaseUntil unless
// SetAttachment settles it. To try one later, just leave it.
func (s *Store) AttachmentsToFetch(ctx context.Context, limit int, leaseUntil desk.Time) ([]PendingAttachment, error) {
	var claimed []PendingAttachment
	err := s.write(ctx, func(t *tx) error {
		var err error
		claimed, err = list(t.ctx, s, t, func(row scanner) (PendingAttachment, error) {
			var p PendingAttachment
			err := row.Scan(&p.ID, &p.MessageID, &p.Name, &p.Type, &p.Size, &p.Blob, &p.Inline, &p.ContentID, &p.State, &p.Hint,
				&p.TicketID, &p.ChannelID, &p.Ref, &p.ExpiresAt, &p.Attempts)
			return p, err
		}, `SELECT `+attachmentColumns+`, f.ticket_id, m.channel_id, f.ref, f.expires_at, f.attempts + 1 FROM attachments f
			JOIN messages m ON m.id = f.message_id WHERE f.state = 'pending' AND f.next_attempt_at <= ? ORDER BY f.next_attempt_at, f.id LIMIT ?`+
			s.dialect.skipLocked, int64(s.now()), limit)
		if err != nil {
			return err
		}
		b := newBulk("id text", len(claimed))
		for _, p := range claimed {
			b.add(p.ID)
		}
		_, err = t.bulkExec(b, `UPDATE attachments SET attempts = attempts + 1, next_attempt_at = ? FROM v WHERE attachments.id = v.id`, int64(leaseUntil))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claim files to fetch: %w", err)
	}
	return claimed, nil
}

// SetAttachment settles a pending file: state stored with its blob, or failed with a hint for the agent. One settled before is
// left as it is and has no events. mediaType "" keeps the declared one.
func (s *Store) SetAttachment(ctx context.Context, id desk.ID, blob string, size int64, mediaType, state, hint string) ([]desk.Event, error) {
	var events []desk.Event
	err := s.write(ctx, func(t *tx) error {
		events = nil
		ticket, err := one(t.ctx, s, t, plain[desk.ID], `SELECT f.ticket_id FROM attachments f WHERE f.id = ?`, id)
		if err != nil {
			return err
		}
		l, err := t.timeline(ticket)
		if err != nil {
			return err
		}
		n, err := t.exec(`UPDATE attachments SET blob = ?, size = ?, type = CASE WHEN ? = '' THEN type ELSE ? END, state = ?, hint = ?
			WHERE id = ? AND state = 'pending'`, blob, size, mediaType, mediaType, state, hint, id)
		if err != nil || n == 0 {
			return err
		}
		message, err := one(t.ctx, s, t, plain[desk.ID], `SELECT f.message_id FROM attachments f WHERE f.id = ?`, id)
		if err != nil {
			return err
		}
		found, err := t.messages([]desk.ID{message})
		if err != nil || len(found) == 0 {
			return err
		}
		l.changed(&found[0])
		if err := t.save(l); err != nil {
			return err
		}
		events = l.told()
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("set attachment: %w", err)
	}
	return events, nil
}
