package ticketstore

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"

	"hearback/desk"
)

// A deliveryRow is a delivery under change.
type deliveryRow struct {
	id, message, ticket desk.ID
	state               desk.DeliveryState
	attempts            int
	nextAt, giveUpAt    desk.Time
	providerID          string
	partsDone           int
	code, hint          string
}

const deliveryColumns = `d.id, d.message_id, d.ticket_id, d.state, d.attempts, d.next_attempt_at, d.give_up_at, d.provider_id, d.parts_done, d.code, d.hint`

func scanDelivery(row scanner) (*deliveryRow, error) {
	d := &deliveryRow{}
	err := row.Scan(&d.id, &d.message, &d.ticket, &d.state, &d.attempts, &d.nextAt, &d.giveUpAt, &d.providerID, &d.partsDone, &d.code, &d.hint)
	return d, err
}

// Settle records what became of attempts and returns the events to publish. Only deliveries in state sending are settled: one
// that a receipt has overtaken meanwhile stays as the receipt left it.
func (s *Store) Settle(ctx context.Context, settlements []Settlement) ([]desk.Event, error) {
	by := make(map[desk.ID]Settlement, len(settlements))
	ids := make([]desk.ID, 0, len(settlements))
	for _, x := range settlements {
		by[x.DeliveryID] = x
		ids = append(ids, x.DeliveryID)
	}
	events, err := s.redeliver(ctx, ids, func(d *deliveryRow) place {
		x := by[d.id]
		if d.state != desk.DeliverySending {
			return unchanged
		}
		d.settle(x)
		if x.State == desk.DeliveryFailed && slices.Contains(refusedUntried, x.Code) {
			return givesBack
		}
		return keeps
	})
	if err != nil {
		return nil, fmt.Errorf("settle: %w", err)
	}
	return events, nil
}

func (d *deliveryRow) settle(x Settlement) {
	d.state, d.nextAt = x.State, 0
	if x.State == desk.DeliveryQueued {
		d.nextAt = x.NextAt
	}
	if x.FreeAttempt && d.attempts > 0 {
		d.attempts--
	}
	if x.ProviderID != "" {
		d.providerID = clean(x.ProviderID)
	}
	d.code, d.hint = clean(x.Code), clean(x.Hint)
	d.partsDone = max(d.partsDone, x.PartsDone)
}

// RetryDelivery queues a failed or uncertain reply again, with a day's time anew. desk.ErrConflict in any other state,
// desk.ErrNotFound for a message that was never to be sent.
func (s *Store) RetryDelivery(ctx context.Context, message desk.ID, actor desk.Author) ([]desk.Event, error) {
	id, err := one(ctx, s, s.read, plain[desk.ID], `SELECT d.id FROM deliveries d WHERE d.message_id = ?`, message)
	if err != nil {
		return nil, fmt.Errorf("retry delivery: %w", err)
	}
	now := s.now()
	state := desk.DeliveryState("")
	events, err := s.redeliver(ctx, []desk.ID{id}, func(d *deliveryRow) place {
		state = d.state
		if d.state != desk.DeliveryFailed && d.state != desk.DeliveryUncertain {
			return unchanged
		}
		d.state, d.nextAt, d.giveUpAt, d.code, d.hint = desk.DeliveryQueued, now, now.Add(replyLife), "", ""
		return takes
	})
	if err != nil {
		return nil, fmt.Errorf("retry delivery: %w", err)
	}
	if len(events) == 0 {
		return nil, fmt.Errorf("retry delivery: the reply is %s: %w", state, desk.ErrConflict)
	}
	s.log.Info("reply queued again", "message", message, "delivery", id, "by", actor.ID)
	return events, nil
}

// HoldChannel stops a channel's deliveries because its credentials are refused: what waits is held, what is written later too.
func (s *Store) HoldChannel(ctx context.Context, channel desk.ID, reason string) ([]desk.Event, error) {
	err := s.setHeld(ctx, channel, true)
	if err != nil {
		return nil, fmt.Errorf("hold channel: %w", err)
	}
	events, err := s.moveAll(ctx, channel, desk.DeliveryQueued, func(d *deliveryRow) {
		d.state, d.nextAt, d.hint = desk.DeliveryHeld, 0, clean(reason)
	})
	if err != nil {
		return events, fmt.Errorf("hold channel: %w", err)
	}
	return events, nil
}

// ReleaseChannel lets the held deliveries of a channel go on.
func (s *Store) ReleaseChannel(ctx context.Context, channel desk.ID) ([]desk.Event, error) {
	if err := s.setHeld(ctx, channel, false); err != nil {
		return nil, fmt.Errorf("release channel: %w", err)
	}
	now := s.now()
	events, err := s.moveAll(ctx, channel, desk.DeliveryHeld, func(d *deliveryRow) {
		d.state, d.nextAt, d.giveUpAt, d.code, d.hint = desk.DeliveryQueued, now, max(d.giveUpAt, now.Add(replyLife)), "", ""
	})
	if err != nil {
		return events, fmt.Errorf("release channel: %w", err)
	}
	return events, nil
}

func (s *Store) setHeld(ctx context.Context, channel desk.ID, held bool) error {
	return s.write(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO channel_health (channel_id, held) VALUES (?, ?) ON CONFLICT (channel_id) DO UPDATE SET held = excluded.held`, channel, held)
		return err
	})
}

// moveAll changes all deliveries of a channel that are in one state, some hundred per transaction so that nobody waits long.
func (s *Store) moveAll(ctx context.Context, channel desk.ID, from desk.DeliveryState, change func(*deliveryRow)) ([]desk.Event, error) {
	var all []desk.Event
	after := desk.ID("")
	// Written out, so that the indexes of unfinished deliveries serve: a channel's whole history is long.
	which := "d.state = 'held'"
	if from == desk.DeliveryQueued {
		which = "d.state IN ('queued', 'sending') AND d.state = 'queued'"
	}
	for {
		ids, err := list(ctx, s, s.read, plain[desk.ID], `SELECT d.id FROM deliveries d WHERE `+which+` AND d.channel_id = ? AND d.id > ? ORDER BY d.id LIMIT 200`,
			channel, after)
		if err != nil || len(ids) == 0 {
			return all, err
		}
		events, err := s.redeliver(ctx, ids, func(d *deliveryRow) place {
			if d.state != from {
				return unchanged
			}
			change(d)
			return keeps
		})
		if err != nil {
			return all, err
		}
		all, after = append(all, events...), ids[len(ids)-1]
	}
}

// place is what a change of a delivery means for its place of the conversation's quota.
type place int

const (
	unchanged place = iota // nothing was changed at all
	keeps
	takes     // one, when it has none
	givesBack // the one it has
)

// redeliver changes deliveries: change tells whether it did. Tickets are locked before their deliveries are read, as everywhere,
// so that the states read are the states written over.
func (s *Store) redeliver(ctx context.Context, ids []desk.ID, change func(*deliveryRow) place) ([]desk.Event, error) {
	var events []desk.Event
	err := s.write(ctx, func(t *tx) error {
		events = nil
		lines, err := t.deliveryTickets(ids)
		if err != nil {
			return err
		}
		rows, err := t.deliveries(ids)
		if err != nil {
			return err
		}
		places := map[place][]desk.ID{}
		rows = slices.DeleteFunc(rows, func(d *deliveryRow) bool {
			if lines[d.ticket] == nil {
				return true
			}
			p := change(d)
			places[p] = append(places[p], d.id)
			return p == unchanged
		})
		if len(rows) == 0 {
			return nil
		}
		for _, p := range []place{takes, givesBack} {
			moved, err := t.movePlaces(places[p], p == givesBack)
			if err == nil {
				err = t.showQuota(moved, lines)
			}
			if err != nil {
				return err
			}
		}
		if err := t.updateDeliveries(rows); err != nil {
			return err
		}
		events, err = t.tellDeliveries(rows, lines)
		return err
	})
	return events, err
}

func (t *tx) deliveryTickets(ids []desk.ID) (map[desk.ID]*timeline, error) {
	rows, err := t.deliveries(ids)
	if err != nil {
		return nil, err
	}
	tickets := map[desk.ID]bool{}
	for _, d := range rows {
		tickets[d.ticket] = true
	}
	return t.timelines(slices.Sorted(maps.Keys(tickets)))
}

func (t *tx) deliveries(ids []desk.ID) ([]*deliveryRow, error) {
	b := newBulk("id text", len(ids))
	for _, id := range ids {
		b.add(id)
	}
	var rows []*deliveryRow
	err := t.bulkEach(b, func(row *sql.Rows) error {
		d, err := scanDelivery(row)
		rows = append(rows, d)
		return err
	}, `SELECT `+deliveryColumns+` FROM v CROSS JOIN deliveries d WHERE d.id = v.id`)
	return rows, err
}

func (t *tx) updateDeliveries(rows []*deliveryRow) error {
	b := newBulk("id text, state text, attempts bigint, next_at bigint, give_up_at bigint, provider_id text, parts_done bigint, code text, hint text", len(rows))
	for _, d := range rows {
		b.add(d.id, d.state, d.attempts, d.nextAt, d.giveUpAt, d.providerID, d.partsDone, d.code, d.hint)
	}
	_, err := t.bulkExec(b, `UPDATE deliveries SET state = v.state, attempts = v.attempts, next_attempt_at = v.next_at, give_up_at = v.give_up_at,
		provider_id = v.provider_id, parts_done = v.parts_done, code = v.code, hint = v.hint, updated_at = ? FROM v WHERE deliveries.id = v.id`, int64(t.s.now()))
	return err
}

// tellDeliveries counts the tickets' clocks up and makes one message_update for every delivery changed.
func (t *tx) tellDeliveries(rows []*deliveryRow, lines map[desk.ID]*timeline) ([]desk.Event, error) {
	ids := make([]desk.ID, 0, len(rows))
	for _, d := range rows {
		ids = append(ids, d.message)
	}
	found, err := t.messages(ids)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b desk.Message) int { return int(a.Seq - b.Seq) })
	for i := range found {
		lines[found[i].TicketID].changed(&found[i])
	}
	if err := t.save(slices.Collect(maps.Values(lines))...); err != nil {
		return nil, err
	}
	var events []desk.Event
	for _, id := range slices.Sorted(maps.Keys(lines)) {
		events = append(events, lines[id].told()...)
	}
	return events, nil
}
