package ticketstore

import (
	"context"
	"fmt"
	"slices"

	"hearback/desk"
)

// Messages reads a ticket's timeline behind seq after (0: from the beginning), rising, with attachments and deliveries. limit 0
// means 200, which is also the most.
func (s *Store) Messages(ctx context.Context, ticket desk.ID, after int64, limit int) ([]desk.Message, error) {
	if limit <= 0 {
		limit = 200
	}
	found, err := list(ctx, s, s.read, scanMessage,
		`SELECT `+messageColumns+` FROM messages m WHERE m.ticket_id = ? AND m.seq > ? ORDER BY m.seq LIMIT ?`, ticket, after, pageSize(limit))
	if err == nil {
		err = s.complete(ctx, found)
	}
	if err != nil {
		return nil, fmt.Errorf("read messages of %s: %w", ticket, err)
	}
	return found, nil
}

// LastMessages reads the end of a ticket's timeline, or what stands before seq before (0: the very end), rising.
func (s *Store) LastMessages(ctx context.Context, ticket desk.ID, before int64, limit int) ([]desk.Message, error) {
	if before <= 0 {
		before = 1 << 62
	}
	found, err := list(ctx, s, s.read, scanMessage,
		`SELECT `+messageColumns+` FROM messages m WHERE m.ticket_id = ? AND m.seq < ? ORDER BY m.seq DESC LIMIT ?`, ticket, before, pageSize(limit))
	if err == nil {
		slices.Reverse(found)
		err = s.complete(ctx, found)
	}
	if err != nil {
		return nil, fmt.Errorf("read last messages of %s: %w", ticket, err)
	}
	return found, nil
}

// Message reads one message with its attachments and delivery; desk.ErrNotFound when there is none.
func (s *Store) Message(ctx context.Context, id desk.ID) (desk.Message, error) {
	m, err := one(ctx, s, s.read, scanMessage, `SELECT `+messageColumns+` FROM messages m WHERE m.id = ?`, id)
	if err != nil {
		return desk.Message{}, fmt.Errorf("read message %s: %w", id, err)
	}
	found := []desk.Message{m}
	if err := s.complete(ctx, found); err != nil {
		return desk.Message{}, fmt.Errorf("read message %s: %w", id, err)
	}
	return found[0], nil
}

// complete adds attachments and deliveries in two queries, however many messages there are.
func (s *Store) complete(ctx context.Context, found []desk.Message) error {
	return completeMessages(ctx, s, s.read, found)
}

func completeMessages(ctx context.Context, s *Store, from source, found []desk.Message) error {
	if len(found) == 0 {
		return nil
	}
	at := make(map[desk.ID]*desk.Message, len(found))
	var ids, sent []desk.ID
	for i := range found {
		m := &found[i]
		at[m.ID] = m
		ids = append(ids, m.ID)
		if m.Direction == desk.DirectionOut {
			sent = append(sent, m.ID)
		}
	}
	files, err := list(ctx, s, from, scanAttachment,
		`SELECT `+attachmentColumns+` FROM attachments f WHERE f.message_id IN (?) ORDER BY f.id`, ids)
	if err != nil {
		return fmt.Errorf("read attachments: %w", err)
	}
	for _, f := range files {
		m := at[f.MessageID]
		m.Attachments = append(m.Attachments, f)
	}
	if len(sent) == 0 {
		return nil
	}
	deliveries, err := list(ctx, s, from, scanDeliveryInfo, `SELECT d.message_id, `+deliveryInfoColumns+` FROM deliveries d WHERE d.message_id IN (?)`, sent)
	if err != nil {
		return fmt.Errorf("read deliveries: %w", err)
	}
	for _, d := range deliveries {
		at[d.message].Delivery = &d.DeliveryInfo
	}
	return nil
}

const deliveryInfoColumns = `d.id, d.state, d.code, d.hint, d.attempts, CASE WHEN d.state = 'queued' THEN d.next_attempt_at ELSE 0 END`

type messageDelivery struct {
	message desk.ID
	desk.DeliveryInfo
}

func scanDeliveryInfo(row scanner) (messageDelivery, error) {
	var d messageDelivery
	err := row.Scan(&d.message, &d.ID, &d.State, &d.Code, &d.Hint, &d.Attempts, &d.NextAt)
	return d, err
}

const attachmentColumns = `f.id, f.message_id, f.name, f.type, f.size, f.blob, f.inline, f.content_id, f.state, f.hint`

func scanAttachment(row scanner) (desk.Attachment, error) {
	var f desk.Attachment
	err := row.Scan(&f.ID, &f.MessageID, &f.Name, &f.Type, &f.Size, &f.Blob, &f.Inline, &f.ContentID, &f.State, &f.Hint)
	return f, err
}

// MarkRead notes that an agent has seen a ticket's messages up to seq. The mark never goes back.
func (s *Store) MarkRead(ctx context.Context, agent, ticket desk.ID, seq int64) error {
	err := s.write(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO read_marks (agent_id, ticket_id, seq) VALUES (?, ?, ?)
			ON CONFLICT (agent_id, ticket_id) DO UPDATE SET seq = excluded.seq WHERE read_marks.seq < excluded.seq`, agent, ticket, seq)
		return err
	})
	if err != nil {
		return fmt.Errorf("mark %s read: %w", ticket, err)
	}
	return nil
}
