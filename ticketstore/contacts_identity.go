package ticketstore

import (
	"context"
	"fmt"

	"hearback/desk"
)

// ContactOf finds the contact an identity belongs to; desk.ErrNotFound when nobody has it.
func (s *Store) ContactOf(ctx context.Context, i desk.Identity) (desk.ID, error) {
	id, err := one(ctx, s, s.read, plain[desk.ID], `SELECT contact_id FROM identities WHERE type = ? AND value = ? AND scope = ?`, i.Type, i.Value, i.Scope)
	if err != nil {
		return "", fmt.Errorf("find contact by identity: %w", err)
	}
	return id, nil
}
