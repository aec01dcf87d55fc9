package ticketstore

import (
	"context"
	"fmt"
	"slices"

	"github.com/jmoiron/sqlx"

	"hearback/desk"
)

// Merge moves what was written on from to the end of into and closes from, which points to into. What its customer writes next
// goes to into. System messages stay where they happened. desk.ErrClosed when either is done, desk.ErrInvalid for a ticket
// into itself.
func (s *Store) Merge(ctx context.Context, into, from desk.ID, actor desk.Author) ([]desk.Event, error) {
	if into == from {
		return nil, fmt.Errorf("merge a ticket into itself: %w", desk.ErrInvalid)
	}
	var events []desk.Event
	err := s.write(ctx, func(t *tx) error {
		lines, err := t.timelines(slices.Sorted(slices.Values([]desk.ID{into, from})))
		if err != nil {
			return err
		}
		a, b := lines[into], lines[from]
		switch {
		case a == nil || b == nil:
			return desk.ErrNotFound
		case a.w.Status.Done() || b.w.Status.Done():
			return desk.ErrClosed
		}
		a.system("merged", actor, "", map[string]string{"ticket_id": from, "number": b.w.Number})
		if err := t.move(b, a, 0); err != nil {
			return err
		}
		if b.w.LastMessageAt > a.w.LastMessageAt {
			a.w.LastMessageAt, a.w.LastMessageText, a.w.LastMessageBy = b.w.LastMessageAt, b.w.LastMessageText, b.w.LastMessageBy
		}
		if b.w.WaitingSince != 0 && (a.w.WaitingSince == 0 || b.w.WaitingSince < a.w.WaitingSince) {
			a.w.WaitingSince = b.w.WaitingSince
		}
		b.w.Status, b.w.ClosedAt, b.w.WaitingSince, b.w.LinkedTicketID = desk.StatusClosed, b.now, 0, into
		b.system("merged", actor, "", map[string]string{"into_id": into, "number": a.w.Number})
		if err := t.save(a, b); err != nil {
			return err
		}
		events = append(a.told(), b.told()...)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("merge: %w", err)
	}
	return events, nil
}

// Split moves firstMessage and what was written after it to a new ticket of the same customer, which waits in the team's queue and
// is the one his next message goes to. desk.ErrInvalid when firstMessage is not on the ticket or is its first message.
func (s *Store) Split(ctx context.Context, ticket, firstMessage desk.ID, actor desk.Author) (desk.Ticket, []desk.Event, error) {
	var (
		made   desk.Ticket
		events []desk.Event
	)
	err := s.write(ctx, func(t *tx) error {
		old, err := t.timeline(ticket)
		if err != nil {
			return err
		}
		if old.w.Status.Done() {
			return desk.ErrClosed
		}
		first, err := t.splitPoint(ticket, firstMessage)
		if err != nil {
			return err
		}
		l, err := t.splitOff(old, first, actor)
		if err != nil {
			return err
		}
		if err := t.move(old, l, first.Seq); err != nil {
			return err
		}
		l.w.lastInSeq = l.w.Version
		old.system("linked", actor, "", map[string]string{"ticket_id": l.w.ID, "number": l.w.Number})
		if err := t.save(old, l); err != nil {
			return err
		}
		made, events = l.w.Ticket, append(old.told(), l.told()...)
		return nil
	})
	if err != nil {
		return desk.Ticket{}, nil, fmt.Errorf("split: %w", err)
	}
	return made, events, nil
}

func (t *tx) splitPoint(ticket, message desk.ID) (desk.Message, error) {
	first, err := one(t.ctx, t.s, t, scanMessage, `SELECT `+messageColumns+` FROM messages m WHERE m.id = ? AND m.ticket_id = ? AND m.direction <> 'system'`, message, ticket)
	if err != nil {
		return first, fmt.Errorf("find message on the ticket: %w", err)
	}
	before, err := one(t.ctx, t.s, t, plain[int], `SELECT COUNT(*) FROM messages WHERE ticket_id = ? AND seq < ? AND direction <> 'system'`, ticket, first.Seq)
	if err == nil && before == 0 {
		err = fmt.Errorf("nothing would be left on the ticket: %w", desk.ErrInvalid)
	}
	return first, err
}

// splitOff makes the new ticket.
func (t *tx) splitOff(old *timeline, first desk.Message, actor desk.Author) (*timeline, error) {
	numbers, err := t.ticketNumbers(old.now, 1)
	if err != nil {
		return nil, err
	}
	o := old.w.Ticket
	w := &ticketWork{Ticket: desk.Ticket{ID: desk.NewID(), Number: numbers[0], Status: desk.StatusNew, Priority: o.Priority,
		Subject: short(first.Text, 80), ChannelID: o.ChannelID, ChannelKind: o.ChannelKind, Sender: o.Sender, ContactID: o.ContactID,
		TeamID: o.TeamID, LastAgentID: o.AssigneeID, Tags: []string{}, Fields: map[string]string{}, WindowClosesAt: o.WindowClosesAt,
		WindowRemaining: o.WindowRemaining, WindowReason: o.WindowReason, LinkedTicketID: o.ID, CreatedAt: old.now, UpdatedAt: old.now}}
	if err := t.insertTickets([]*ticketWork{w}); err != nil {
		return nil, fmt.Errorf("insert ticket: %w", err)
	}
	l := &timeline{t: t, now: old.now, w: w, who: old.who}
	l.system("created", actor, "", map[string]string{"linked_ticket_id": o.ID, "number": o.Number})
	return l, nil
}

// move takes the messages of a ticket from seq on to the end of another, with their files, deliveries, thread keys and search
// words, and lets their senders' conversations go on there.
func (t *tx) move(from, to *timeline, seq int64) error {
	found, err := list(t.ctx, t.s, t, scanMessage, `SELECT `+messageColumns+` FROM messages m
		WHERE m.ticket_id = ? AND m.seq >= ? AND m.direction <> 'system' ORDER BY m.seq`, from.w.ID, seq)
	if err != nil || len(found) == 0 {
		return err
	}
	if err := completeMessages(t.ctx, t.s, t, found); err != nil {
		return err
	}
	b, ids := newBulk("id text, seq bigint", len(found)), make([]desk.ID, 0, len(found))
	for i := range found {
		m := &found[i]
		to.tick()
		m.TicketID, m.Seq = to.w.ID, to.w.Version
		to.tell("message", m)
		b.add(m.ID, m.Seq)
		ids = append(ids, m.ID)
		if m.Direction == desk.DirectionIn || m.Direction == desk.DirectionOut {
			to.w.note(m)
		}
		if m.Direction == desk.DirectionIn {
			to.w.lastInSeq = m.Seq
		}
	}
	to.touched()
	if _, err := t.bulkExec(b, `UPDATE messages SET ticket_id = ?, seq = v.seq FROM v WHERE messages.id = v.id`, to.w.ID); err != nil {
		return fmt.Errorf("move messages: %w", err)
	}
	if _, err := t.bulkExec(b, `UPDATE deliveries SET ticket_id = ?, seq = v.seq FROM v WHERE deliveries.message_id = v.id`, to.w.ID); err != nil {
		return fmt.Errorf("move deliveries: %w", err)
	}
	return t.moveRest(from, to, ids)
}

func (t *tx) moveRest(from, to *timeline, messages []desk.ID) error {
	for _, q := range []string{`UPDATE attachments SET ticket_id = ? WHERE message_id IN (?)`, `UPDATE thread_keys SET ticket_id = ? WHERE message_id IN (?)`} {
		query, args, err := sqlx.In(q, to.w.ID, messages)
		if err != nil {
			return err
		}
		if _, err := t.exec(query, args...); err != nil {
			return fmt.Errorf("move files and thread keys: %w", err)
		}
	}
	if err := moveIndex(t, to.w.ID, messages); err != nil {
		return err
	}
	if err := t.moveCalls(from.w.ID, to.w.ID, messages); err != nil {
		return err
	}
	// Everybody who wrote one of these messages goes on in the other ticket.
	query, args, err := sqlx.In(`SELECT i.channel_id, i.sender FROM messages m JOIN inbox i ON i.id = m.inbox_id WHERE m.id IN (?)
		UNION SELECT d.channel_id, d.sender FROM deliveries d WHERE d.message_id IN (?) AND d.sender <> ''`, messages, messages)
	if err != nil {
		return err
	}
	var keys []senderKey
	found, err := list(t.ctx, t.s, t, func(row scanner) (senderKey, error) {
		var k senderKey
		err := row.Scan(&k.channel, &k.sender)
		return k, err
	}, query, args...)
	if err != nil {
		return err
	}
	keys = append(found, senderKey{from.w.ChannelID, from.w.Sender})
	slices.SortFunc(keys, senderKey.compare)
	b := newBulk("channel_id text, sender text", len(keys))
	for _, k := range slices.Compact(keys) {
		b.add(k.channel, k.sender)
	}
	if _, err := t.bulkExec(b, `UPDATE senders SET ticket_id = ? FROM v WHERE senders.channel_id = v.channel_id AND senders.sender = v.sender
		AND senders.ticket_id = ?`, to.w.ID, from.w.ID); err != nil {
		return fmt.Errorf("move conversations: %w", err)
	}
	if _, err := t.bulkExec(b, `UPDATE senders SET route_ticket_id = ? FROM v WHERE senders.channel_id = v.channel_id AND senders.sender = v.sender
		AND senders.route_ticket_id = ?`, to.w.ID, from.w.ID); err != nil {
		return fmt.Errorf("move ways of answers: %w", err)
	}
	return nil
}
