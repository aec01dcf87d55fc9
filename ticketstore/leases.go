package ticketstore

import (
	"context"
	"fmt"

	"hearback/desk"
)

// Lease takes or renews the named lease for holder until a time; held tells whether holder has it now. A lease that ran out is
// anybody's.
func (s *Store) Lease(ctx context.Context, name, holder string, until desk.Time) (held bool, err error) {
	err = s.write(ctx, func(t *tx) error {
		n, err := t.exec(`INSERT INTO leases (name, holder, until_at) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE
			SET holder = excluded.holder, until_at = excluded.until_at WHERE leases.holder = excluded.holder OR leases.until_at <= ?`,
			name, holder, int64(until), int64(s.now()))
		held = n > 0
		return err
	})
	if err != nil {
		return false, fmt.Errorf("lease %s: %w", name, err)
	}
	return held, nil
}

// Unlease gives a lease back. One that is somebody else's by now is left alone.
func (s *Store) Unlease(ctx context.Context, name, holder string) error {
	err := s.write(ctx, func(t *tx) error {
		_, err := t.exec(`DELETE FROM leases WHERE name = ? AND holder = ?`, name, holder)
		return err
	})
	if err != nil {
		return fmt.Errorf("give back lease %s: %w", name, err)
	}
	return nil
}

// ForgetLeases drops every lease. Only for a house of one node, when it starts: what stands there was held by the process before.
func (s *Store) ForgetLeases(ctx context.Context) error {
	err := s.write(ctx, func(t *tx) error {
		_, err := t.exec(`DELETE FROM leases`)
		return err
	})
	if err != nil {
		return fmt.Errorf("forget leases: %w", err)
	}
	return nil
}
