package ticketstore

import (
	"context"
	"fmt"

	"hearback/desk"
)

// PostponeAttachment lets a file that could not be fetched yet come again at a time, with what is known of why.
func (s *Store) PostponeAttachment(ctx context.Context, id desk.ID, at desk.Time, hint string) error {
	err := s.write(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE attachments SET next_attempt_at = ?, hint = ? WHERE id = ? AND state = 'pending'`, int64(at), clean(hint), id)
		return err
	})
	if err != nil {
		return fmt.Errorf("postpone attachment: %w", err)
	}
	return nil
}

// NextAttachmentDue tells when the next file to be fetched falls due; 0 when none waits.
func (s *Store) NextAttachmentDue(ctx context.Context) (desk.Time, error) {
	due, err := list(ctx, s, s.read, plain[desk.Time], `SELECT f.next_attempt_at FROM attachments f WHERE f.state = 'pending' ORDER BY f.next_attempt_at LIMIT 1`)
	if err != nil {
		return 0, fmt.Errorf("find next due attachment: %w", err)
	}
	if len(due) == 0 {
		return 0, nil
	}
	return due[0], nil
}
