package ticketstore

import (
	"context"
	"fmt"

	"hearback/desk"
)

// SetPassword stores the hash of an agent's new password; mustChange makes him choose another at his next log-in.
func (s *Store) SetPassword(ctx context.Context, agent desk.ID, passwordHash string, mustChange bool) error {
	err := s.write(ctx, func(t *tx) error {
		return changed(t.exec(`UPDATE agents SET password_hash = ?, must_change = ?, updated_at = ? WHERE id = ?`, passwordHash, mustChange, s.now(), agent))
	})
	if err != nil {
		return fmt.Errorf("set password of agent %s: %w", agent, err)
	}
	return nil
}

// SetAvailability notes what an agent says of himself.
func (s *Store) SetAvailability(ctx context.Context, agent desk.ID, av desk.Availability) error {
	if av != desk.Available && av != desk.Busy && av != desk.Away {
		return fmt.Errorf("set availability %q: %w", av, desk.ErrInvalid)
	}
	err := s.write(ctx, func(t *tx) error {
		return changed(t.exec(`UPDATE agents SET availability = ? WHERE id = ?`, av, agent))
	})
	if err != nil {
		return fmt.Errorf("set availability of agent %s: %w", agent, err)
	}
	return nil
}

// Availabilities is what every agent says of himself.
func (s *Store) Availabilities(ctx context.Context) (map[desk.ID]desk.Availability, error) {
	type said struct {
		agent desk.ID
		av    desk.Availability
	}
	found, err := list(ctx, s, s.read, into(func(x *said) []any {
		return []any{&x.agent, &x.av}
	}), `SELECT id, availability FROM agents`)
	if err != nil {
		return nil, fmt.Errorf("read availabilities: %w", err)
	}
	all := make(map[desk.ID]desk.Availability, len(found))
	for _, x := range found {
		all[x.agent] = x.av
	}
	return all, nil
}

// Credentials reads the hash of an agent's password and whether he must choose another; desk.ErrNotFound when there is no such agent.
func (s *Store) Credentials(ctx context.Context, agent desk.ID) (passwordHash string, mustChange bool, err error) {
	type kept struct {
		hash string
		must bool
	}
	k, err := one(ctx, s, s.read, into(func(k *kept) []any {
		return []any{&k.hash, &k.must}
	}), `SELECT password_hash, must_change FROM agents WHERE id = ?`, agent)
	if err != nil {
		return "", false, fmt.Errorf("read credentials of agent %s: %w", agent, err)
	}
	return k.hash, k.must, nil
}
