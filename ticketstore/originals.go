package ticketstore

import (
	"context"
	"fmt"

	"hearback/desk"
)

// LedgerByID returns the entries of some envelopes by id; those there are none of are missing.
func (s *Store) LedgerByID(ctx context.Context, ids []desk.ID) (map[desk.ID]LedgerEntry, error) {
	found := map[desk.ID]LedgerEntry{}
	if len(ids) == 0 {
		return found, nil
	}
	entries, err := list(ctx, s, s.read, scanLedger, `SELECT `+ledgerColumns+ledgerTables+`WHERE i.id IN (?)`, ids)
	if err != nil {
		return nil, fmt.Errorf("read ledger: %w", err)
	}
	for _, e := range entries {
		found[e.ID] = e
	}
	return found, nil
}

// Original returns the envelope a customer's message was made of; desk.ErrNotFound for what did not come in by a channel. A raw
// body kept outside the row is named, not read.
func (s *Store) Original(ctx context.Context, m desk.Message) (desk.Envelope, error) {
	if m.Direction != desk.DirectionIn || m.ExternalID == "" {
		return desk.Envelope{}, fmt.Errorf("find original: %w", desk.ErrNotFound)
	}
	env, err := one(ctx, s, s.read, scanEnvelope, `SELECT `+envelopeColumns+ledgerTables+`WHERE i.channel_id = ? AND i.external_id = ?`,
		m.ChannelID, m.ExternalID)
	if err != nil {
		return env, fmt.Errorf("find original: %w", err)
	}
	return env, nil
}

// ContactVisibleTo tells whether a contact has a ticket in a scope. One who does not exist is not visible.
func (s *Store) ContactVisibleTo(ctx context.Context, id desk.ID, scope Scope) (bool, error) {
	where, args := inScope("c.id", scope)
	n, err := one(ctx, s, s.read, plain[int], `SELECT COUNT(*) FROM contacts c WHERE c.id = ? AND `+where, append([]any{id}, args...)...)
	if err != nil {
		return false, fmt.Errorf("look at contact %s: %w", id, err)
	}
	return n > 0, nil
}

// inScope is "the contact in column has a ticket in scope" as SQL.
func inScope(column string, scope Scope) (string, []any) {
	if scope.All {
		return "1 = 1", nil
	}
	where, args := scope.condition()
	return `EXISTS (SELECT 1 FROM tickets t WHERE t.contact_id = ` + column + ` AND ` + where + `)`, args
}

// KeyUsed tells whether a ticket has a message of this idempotency key: what is asked again must be answered as the first time,
// whatever has changed since.
func (s *Store) KeyUsed(ctx context.Context, ticket desk.ID, key string) (bool, error) {
	n, err := one(ctx, s, s.read, plain[int], `SELECT COUNT(*) FROM messages m WHERE m.ticket_id = ? AND m.idempotency_key = ?`, ticket, key)
	if err != nil {
		return false, fmt.Errorf("look for idempotency key: %w", err)
	}
	return n > 0, nil
}
