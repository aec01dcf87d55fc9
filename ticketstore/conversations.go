package ticketstore

import (
	"context"
	"fmt"

	"hearback/desk"
)

// A Conversation is a line by which a contact has written: how he can be answered there.
type Conversation struct {
	ChannelID       desk.ID
	Sender          string
	From            desk.Identity // what he last wrote by
	WindowClosesAt  desk.Time     // 0: never
	WindowRemaining int           // -1: no limit
	WindowReason    string        // why it is shut although the time is not up
}

// Conversations lists the lines by which a contact's tickets came, by channel. One conversation per channel and sender.
func (s *Store) Conversations(ctx context.Context, contact desk.ID) ([]Conversation, error) {
	found, err := list(ctx, s, s.read, into(func(c *Conversation) []any {
		return []any{&c.ChannelID, &c.Sender, &c.From.Type, &c.From.Value, &c.From.Scope, &c.From.Verified, &c.WindowClosesAt, &c.WindowRemaining, &c.WindowReason}
	}), `SELECT s.channel_id, s.sender, s.from_type, s.from_value, s.from_scope, s.from_verified, s.window_closes_at, s.window_remaining, s.window_reason
		FROM (SELECT DISTINCT channel_id, sender FROM tickets WHERE contact_id = ?) t
		JOIN senders s ON s.channel_id = t.channel_id AND s.sender = t.sender WHERE s.contact_id = ? ORDER BY s.channel_id, s.sender`, contact, contact)
	if err != nil {
		return nil, fmt.Errorf("list conversations of contact %s: %w", contact, err)
	}
	return found, nil
}

// ConversationOf reads one line; desk.ErrNotFound when nothing was ever written there.
func (s *Store) ConversationOf(ctx context.Context, channel desk.ID, sender string) (Conversation, error) {
	c := Conversation{ChannelID: channel, Sender: sender}
	_, err := one(ctx, s, s.read, func(row scanner) (struct{}, error) {
		return struct{}{}, row.Scan(&c.From.Type, &c.From.Value, &c.From.Scope, &c.From.Verified, &c.WindowClosesAt, &c.WindowRemaining, &c.WindowReason)
	}, `SELECT from_type, from_value, from_scope, from_verified, window_closes_at, window_remaining, window_reason FROM senders WHERE channel_id = ? AND sender = ?`,
		channel, sender)
	if err != nil {
		return c, fmt.Errorf("read conversation: %w", err)
	}
	return c, nil
}
