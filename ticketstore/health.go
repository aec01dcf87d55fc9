package ticketstore

import (
	"context"
	"errors"
	"fmt"

	"hearback/desk"
)

type channelLight struct {
	channel desk.ID
	ChannelHealth
}

func scanLight(row scanner) (channelLight, error) {
	var l channelLight
	err := row.Scan(&l.channel, &l.LastSuccessAt, &l.LastFailureAt, &l.LastError, &l.Held, &l.Waiting)
	return l, err
}

// lights reads health together with the replies that wait; the two counts each have an index of their own.
const lights = `SELECT ch.id, COALESCE(h.last_success_at, 0), COALESCE(h.last_failure_at, 0), COALESCE(h.last_error, ''), COALESCE(h.held, ?),
	COALESCE(q.n, 0) + COALESCE(w.n, 0) FROM channels ch LEFT JOIN channel_health h ON h.channel_id = ch.id
	LEFT JOIN (SELECT channel_id, COUNT(*) AS n FROM deliveries WHERE state IN ('queued', 'sending') GROUP BY channel_id) q ON q.channel_id = ch.id
	LEFT JOIN (SELECT channel_id, COUNT(*) AS n FROM deliveries WHERE state = 'held' GROUP BY channel_id) w ON w.channel_id = ch.id`

// Health is one channel's light; desk.ErrNotFound when there is no such channel.
func (s *Store) Health(ctx context.Context, channel desk.ID) (ChannelHealth, error) {
	l, err := one(ctx, s, s.read, scanLight, lights+` WHERE ch.id = ?`, false, channel)
	if err != nil {
		return ChannelHealth{}, fmt.Errorf("read health of channel %s: %w", channel, err)
	}
	return l.ChannelHealth, nil
}

// HealthAll is every channel's light.
func (s *Store) HealthAll(ctx context.Context) (map[desk.ID]ChannelHealth, error) {
	found, err := list(ctx, s, s.read, scanLight, lights, false)
	if err != nil {
		return nil, fmt.Errorf("read health of channels: %w", err)
	}
	all := make(map[desk.ID]ChannelHealth, len(found))
	for _, l := range found {
		all[l.channel] = l.ChannelHealth
	}
	return all, nil
}

// SetHealth notes that a channel worked, or how it failed; a success clears the last error. Whether deliveries are held is
// HoldChannel's and ReleaseChannel's matter.
func (s *Store) SetHealth(ctx context.Context, channel desk.ID, ok bool, errText string) error {
	if len(errText) > 500 {
		errText = clean(errText[:500])
	}
	column := "last_failure_at"
	if ok {
		column, errText = "last_success_at", ""
	}
	err := s.write(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO channel_health (channel_id, `+column+`, last_error) VALUES (?, ?, ?)
			ON CONFLICT (channel_id) DO UPDATE SET `+column+` = excluded.`+column+`, last_error = excluded.last_error`, channel, s.now(), errText)
		return err
	})
	if err != nil {
		return fmt.Errorf("set health of channel %s: %w", channel, err)
	}
	return nil
}

// Cursor is the position up to which a channel's provider was read; nil when it never was.
func (s *Store) Cursor(ctx context.Context, channel desk.ID) ([]byte, error) {
	cursor, err := one(ctx, s, s.read, plain[[]byte], `SELECT cursor FROM channel_cursors WHERE channel_id = ?`, channel)
	if errors.Is(err, desk.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read cursor of channel %s: %w", channel, err)
	}
	return cursor, nil
}
