package ticketstore

import (
	"context"
	"fmt"

	"hearback/desk"
)

// AppendLog adds an entry to what a sender is shown, numbered in the same line as his own messages. The same id again changes
// nothing and returns the number it has.
func (s *Store) AppendLog(ctx context.Context, channel desk.ID, sender, id string, body []byte) (seq int64, err error) {
	if body == nil {
		body = []byte{}
	}
	err = s.write(ctx, func(t *tx) error {
		// The sender's number is drawn first: it makes two appends of one id take turns.
		if err := t.get(&seq, `INSERT INTO sender_seqs (channel_id, sender, seq) VALUES (?, ?, 1)
			ON CONFLICT (channel_id, sender) DO UPDATE SET seq = sender_seqs.seq + 1 RETURNING seq`, channel, sender); err != nil {
			return fmt.Errorf("number entry: %w", err)
		}
		if seq == 1 {
			if err := t.addSenders([]senderKey{{channel, sender}}); err != nil {
				return fmt.Errorf("add sender: %w", err)
			}
		}
		n, err := t.exec(`INSERT INTO sender_log (channel_id, sender, seq, id, body, at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			channel, sender, seq, id, body, int64(s.now()))
		if err != nil || n > 0 {
			return err
		}
		if err := t.get(&seq, `SELECT seq FROM sender_log WHERE channel_id = ? AND sender = ? AND id = ?`, channel, sender, id); err != nil {
			return fmt.Errorf("find entry: %w", err)
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("append to log: %w", err)
	}
	return seq, nil
}

// ReadLog returns at most limit entries of a sender after seq, rising: his own messages and what AppendLog added. Receipts are
// not part of the conversation.
func (s *Store) ReadLog(ctx context.Context, channel desk.ID, sender string, after int64, limit int) ([]LogEntry, error) {
	entries, err := list(ctx, s, s.read, scanLog, `SELECT seq, id, inbound, body, at FROM (
			SELECT * FROM (SELECT seq, external_id AS id, TRUE AS inbound, raw AS body, received_at AS at FROM inbox
				WHERE channel_id = ? AND sender = ? AND seq > ? AND type = 'message' ORDER BY seq LIMIT ?) a
			UNION ALL
			SELECT * FROM (SELECT seq, id, FALSE AS inbound, body, at FROM sender_log
				WHERE channel_id = ? AND sender = ? AND seq > ? ORDER BY seq LIMIT ?) b
		) both_kinds ORDER BY seq LIMIT ?`, channel, sender, after, limit, channel, sender, after, limit, limit)
	if err != nil {
		return nil, fmt.Errorf("read log: %w", err)
	}
	return entries, nil
}

func scanLog(row scanner) (LogEntry, error) {
	var e LogEntry
	err := row.Scan(&e.Seq, &e.ID, &e.Inbound, &e.Body, &e.At)
	return e, err
}

// LastLog returns the highest number of a sender's conversation, 0 when there is none.
func (s *Store) LastLog(ctx context.Context, channel desk.ID, sender string) (int64, error) {
	var last int64
	err := s.read.GetContext(ctx, &last, s.q(`SELECT COALESCE(MAX(seq), 0) FROM (
		SELECT * FROM (SELECT seq FROM inbox WHERE channel_id = ? AND sender = ? AND type = 'message' ORDER BY seq DESC LIMIT 1) a
		UNION ALL SELECT * FROM (SELECT seq FROM sender_log WHERE channel_id = ? AND sender = ? ORDER BY seq DESC LIMIT 1) b) both_kinds`),
		channel, clean(sender), channel, clean(sender))
	if err != nil {
		return 0, fmt.Errorf("find end of log: %w", s.fault(err))
	}
	return last, nil
}

// SenderTicket returns the current ticket of a sender's conversation; desk.ErrNotFound when he has none.
func (s *Store) SenderTicket(ctx context.Context, channel desk.ID, sender string) (desk.Ticket, error) {
	t, err := one(ctx, s, s.read, scanTicket, `SELECT `+ticketColumns+` FROM tickets t
		JOIN senders s ON s.ticket_id = t.id WHERE s.channel_id = ? AND s.sender = ?`, channel, sender)
	if err != nil {
		return t, fmt.Errorf("find sender's ticket: %w", err)
	}
	return t, nil
}
