package ticketstore

import (
	"context"
	"errors"
	"fmt"

	"hearback/desk"
)

const metaQuery = `SELECT value FROM meta WHERE key = ?`

// Meta reads one of the house's own values.
func (s *Store) Meta(ctx context.Context, key string) (value string, found bool, err error) {
	value, err = one(ctx, s, s.read, plain[string], metaQuery, key)
	if errors.Is(err, desk.ErrNotFound) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("read %s: %w", key, err)
	}
	return value, true, nil
}

// SetMetaOnce stores a value unless there is one, and returns the one stored: of several nodes the first wins and all agree.
func (s *Store) SetMetaOnce(ctx context.Context, key, value string) (stored string, err error) {
	err = s.write(ctx, func(t *tx) error {
		if _, err := t.exec(`INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO NOTHING`, key, value); err != nil {
			return err
		}
		stored, err = one(t.ctx, s, t, plain[string], metaQuery, key)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("store %s: %w", key, err)
	}
	return stored, nil
}
