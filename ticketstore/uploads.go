package ticketstore

import (
	"context"
	"fmt"

	"hearback/desk"
)

// AddUpload stores an uploaded file's row, which waits for the message it will belong to; only uploadedBy may attach it. The blob
// must be stored already.
func (s *Store) AddUpload(ctx context.Context, a desk.Attachment, uploadedBy desk.ID) (desk.Attachment, error) {
	if a.ID == "" {
		a.ID = desk.NewID()
	}
	a.MessageID, a.State = "", "stored"
	err := s.write(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO attachments (id, message_id, ticket_id, name, type, size, blob, inline, content_id, state, uploaded_by, created_at)
			VALUES (?, '', '', ?, ?, ?, ?, ?, ?, ?, ?, ?)`, a.ID, a.Name, a.Type, a.Size, a.Blob, a.Inline, a.ContentID, a.State, uploadedBy, s.now())
		return err
	})
	if err != nil {
		return desk.Attachment{}, fmt.Errorf("add upload: %w", err)
	}
	return a, nil
}

// Attachment reads a file's row and the ticket it belongs to: "" while it is an upload that waits for its message.
func (s *Store) Attachment(ctx context.Context, id desk.ID) (file desk.Attachment, ticket desk.ID, err error) {
	type owned struct {
		desk.Attachment
		ticket desk.ID
	}
	found, err := one(ctx, s, s.read, into(func(f *owned) []any {
		return []any{&f.ticket, &f.ID, &f.MessageID, &f.Name, &f.Type, &f.Size, &f.Blob, &f.Inline, &f.ContentID, &f.State, &f.Hint}
	}), `SELECT f.ticket_id, `+attachmentColumns+` FROM attachments f WHERE f.id = ?`, id)
	if err != nil {
		return desk.Attachment{}, "", fmt.Errorf("read attachment %s: %w", id, err)
	}
	return found.Attachment, found.ticket, nil
}
