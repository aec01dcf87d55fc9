package ticketstore

import (
	"context"
	"fmt"
	"slices"

	"github.com/jmoiron/sqlx"

	"hearback/desk"
)

// WindowWarnings claims at most limit tickets whose reply window closes soon and returns what is to be published. On those where
// the customer still waits it writes one system message of type window_closing and adds an event of type window; the others are
// passed over, as are windows shut meanwhile. Nodes may do it at once.
func (s *Store) WindowWarnings(ctx context.Context, limit int) ([]desk.Event, error) {
	var events []desk.Event
	err := s.write(ctx, func(t *tx) error {
		events = nil
		ids, err := list(t.ctx, s, t, plain[desk.ID], `SELECT t.id FROM tickets t WHERE t.window_warn_at > 0 AND t.window_warn_at <= ?
			ORDER BY t.window_warn_at, t.id LIMIT ?`+s.dialect.skipLocked, int64(s.now()), limit)
		if err != nil || len(ids) == 0 {
			return err
		}
		lines, err := t.timelines(slices.Sorted(slices.Values(ids)))
		if err != nil {
			return err
		}
		q, args, err := sqlx.In(`UPDATE tickets SET window_warn_at = 0 WHERE id IN (?)`, ids)
		if err != nil {
			return err
		}
		if _, err := t.exec(q, args...); err != nil {
			return fmt.Errorf("note warnings: %w", err)
		}
		for _, id := range ids {
			if l := lines[id]; l != nil && l.warn() {
				if err := t.save(l); err != nil {
					return err
				}
				events = append(events, l.told()...)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("warn of closing windows: %w", err)
	}
	return events, nil
}

// warn tells that the window closes, when that matters to anybody.
func (l *timeline) warn() bool {
	w := l.w
	w.warnAt = 0
	if !w.Status.Active() || w.WaitingSince == 0 || w.WindowReason != "" || w.WindowRemaining == 0 || w.WindowClosesAt <= l.now {
		return false
	}
	data := map[string]string{"closes_at": w.WindowClosesAt.String()}
	l.system("window_closing", house, "", data)
	l.events = append(l.events, desk.Event{Type: "window", TicketID: w.ID, Seq: w.Version, Contact: l.who, Data: data})
	return true
}

// NextWindowWarning tells when the next ticket is to be looked at by WindowWarnings; 0 when none.
func (s *Store) NextWindowWarning(ctx context.Context) (desk.Time, error) {
	due, err := one(ctx, s, s.read, plain[desk.Time], `SELECT COALESCE(MIN(window_warn_at), 0) FROM tickets WHERE window_warn_at > 0`)
	if err != nil {
		return 0, fmt.Errorf("find next closing window: %w", err)
	}
	return due, nil
}
