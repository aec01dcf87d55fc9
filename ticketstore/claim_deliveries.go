package ticketstore

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"hearback/desk"
)

// dueDeliveries are replies whose turn it is: due, and no earlier reply of their ticket by
// the same channel unfinished. Failed and uncertain ones do
// not hold up those behind them.
const dueDeliveries = `d.state IN ('queued', 'sending') AND NOT EXISTS (SELECT 1 FROM deliveries e
	WHERE e.ticket_id = d.ticket_id AND e.channel_id = d.channel_id AND e.seq < d.seq AND e.state IN ('queued', 'sending', 'held'))`

// ClaimDeliveries registers an attempt for at most limit replies whose turn it is and returns them with all Send needs. An attempt
// not settled by leaseUntil is claimed again, Interrupted.
func (s *Store) ClaimDeliveries(ctx context.Context, limit int, leaseUntil desk.Time) ([]ClaimedDelivery, error) {
	var claimed []ClaimedDelivery
	err := s.write(ctx, func(t *tx) error {
		c := claiming{t: t}
		if err := c.take(limit); err != nil {
			return fmt.Errorf("find due replies: %w", err)
		}
		if len(c.claimed) == 0 {
			claimed = nil
			return nil
		}
		if err := c.register(leaseUntil); err != nil {
			return fmt.Errorf("register attempts: %w", err)
		}
		if err := c.complete(); err != nil {
			return err
		}
		claimed = c.claimed
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("claim deliveries: %w", err)
	}
	return claimed, nil
}

// claiming is one ClaimDeliveries transaction.
type claiming struct {
	t       *tx
	claimed []ClaimedDelivery
}

func (c *claiming) take(limit int) error {
	var err error
	c.claimed, err = list(c.t.ctx, c.t.s, c.t, func(row scanner) (ClaimedDelivery, error) {
		var x ClaimedDelivery
		o := &x.Outbound
		var state desk.DeliveryState
		err := row.Scan(&o.DeliveryID, &o.MessageID, &o.TicketID, &o.ChannelID, &o.ExternalID, &o.Automatic, &o.Attempt, &x.GiveUpAt, &x.PartsDone, &state)
		x.Interrupted = state == desk.DeliverySending
		o.Attempt++
		return x, err
	}, `SELECT d.id, d.message_id, d.ticket_id, d.channel_id, d.external_id, d.automatic, d.attempts, d.give_up_at, d.parts_done, d.state
		FROM deliveries d WHERE d.next_attempt_at <= ? AND `+dueDeliveries+` ORDER BY d.next_attempt_at, d.id LIMIT ?`+c.t.s.dialect.skipLocked,
		int64(c.t.s.now()), limit)
	return err
}

// register counts the attempt before it is made: if we crash while the provider answers, the customer gets one late reply
// instead of a burst of them.
func (c *claiming) register(leaseUntil desk.Time) error {
	b := newBulk("id text", len(c.claimed))
	for _, x := range c.claimed {
		b.add(x.Outbound.DeliveryID)
	}
	_, err := c.t.bulkExec(b, `UPDATE deliveries SET state = 'sending', attempts = attempts + 1, next_attempt_at = ?, updated_at = ? FROM v
		WHERE deliveries.id = v.id`, int64(leaseUntil), int64(c.t.s.now()))
	return err
}

// complete adds message, ticket, customer, files and the conversation's ids.
func (c *claiming) complete() error {
	at := map[desk.ID]*desk.Outbound{}
	b := newBulk("id text", len(c.claimed))
	for i := range c.claimed {
		o := &c.claimed[i].Outbound
		at[o.MessageID] = o
		b.add(o.MessageID)
	}
	err := c.read(b, at)
	if err != nil {
		return fmt.Errorf("read replies: %w", err)
	}
	err = c.t.bulkEach(b, func(row *sql.Rows) error {
		f, err := scanAttachment(row)
		x := at[f.MessageID]
		x.Attachments = append(x.Attachments, f)
		return err
	}, `SELECT `+attachmentColumns+` FROM v CROSS JOIN attachments f WHERE f.message_id = v.id ORDER BY f.id`)
	if err != nil {
		return fmt.Errorf("read files: %w", err)
	}
	return c.conversation(b, at)
}

// read fills in the reply, whom it goes to, the letter it is written in and how long its conversation takes it.
func (c *claiming) read(b *bulk, at map[desk.ID]*desk.Outbound) error {
	return c.t.bulkEach(b, func(row *sql.Rows) error {
		var id desk.ID
		var o desk.Outbound
		var x messageExtra
		var places int
		err := row.Scan(&id, &o.Text, &o.HTML, &o.Author.Kind, &o.Author.ID, &o.Author.Name, &o.CreatedAt, jsonInto{&x}, &o.Number, &o.Subject,
			&o.Means, &places, &o.Sender, &o.ToName, &o.To.Type, &o.To.Value, &o.To.Scope, &o.WindowClosesAt, &o.WindowRemaining, &o.WindowReason,
			&o.Signature, &o.Template, &o.Extension, &o.ReplyTo)
		if o.WindowRemaining >= 0 {
			o.WindowRemaining += places
		}
		if x.Headers != nil {
			o.Cc, o.Bcc, o.Subject = x.Headers.Cc, x.Headers.Bcc, cmp.Or(x.Headers.Subject, o.Subject)
		}
		to := at[id]
		o.DeliveryID, o.MessageID, o.TicketID, o.ChannelID, o.ExternalID = to.DeliveryID, to.MessageID, to.TicketID, to.ChannelID, to.ExternalID
		o.Automatic, o.Attempt = to.Automatic, to.Attempt
		*to = o
		return err
	}, `SELECT m.id, m.text, m.html, m.author_kind, m.author_id, m.author_name, m.created_at, m.extra, t.number,
		COALESCE((SELECT e.extra->'headers'->>'subject' FROM messages e WHERE e.ticket_id = m.ticket_id AND e.seq < m.seq AND e.direction = 'in'
			AND e.seq >= m.seq - 200 AND e.channel_id = m.channel_id AND e.extra->'headers'->>'subject' <> '' ORDER BY e.seq DESC LIMIT 1), t.subject),
		d.means, d.places, COALESCE(NULLIF(d.sender, ''), t.sender), COALESCE(c.name, ''),
		CASE WHEN d.to_value <> '' THEN d.to_type ELSE COALESCE(s.from_type, '') END,
		CASE WHEN d.to_value <> '' THEN d.to_value ELSE COALESCE(s.from_value, '') END,
		CASE WHEN d.to_value <> '' THEN d.to_scope ELSE COALESCE(s.from_scope, '') END,
		COALESCE(s.window_closes_at, 0), COALESCE(s.window_remaining, -1), COALESCE(s.window_reason, ''), COALESCE(a.signature, ''), COALESCE(tm.template, ''),
		COALESCE(a.extensions->>0, ''),
		CASE WHEN d.to_value <> '' THEN '' ELSE COALESCE((SELECT e.extra->'headers'->>'reply_to' FROM messages e WHERE e.ticket_id = m.ticket_id
			AND e.seq < m.seq AND e.seq >= m.seq - 200 AND e.direction = 'in' AND e.channel_id = m.channel_id AND e.author_id = t.contact_id
			ORDER BY e.seq DESC LIMIT 1), '') END
		FROM v CROSS JOIN messages m JOIN deliveries d ON d.message_id = m.id JOIN tickets t ON t.id = m.ticket_id
		LEFT JOIN contacts c ON c.id = t.contact_id
		LEFT JOIN senders s ON s.channel_id = m.channel_id AND s.sender = COALESCE(NULLIF(d.sender, ''), t.sender)
		LEFT JOIN agents a ON a.id = m.author_id LEFT JOIN teams tm ON tm.id = t.team_id WHERE m.id = v.id`)
}

// references bounds how far back InReplyTo looks, in steps of the ticket's clock.
const references = 60

// conversation lists the provider-visible ids of what was written before, oldest first, the last customer message last.
func (c *claiming) conversation(b *bulk, at map[desk.ID]*desk.Outbound) error {
	last := map[desk.ID]string{}
	err := c.t.bulkEach(b, func(row *sql.Rows) error {
		var id desk.ID
		var external string
		var direction desk.Direction
		err := row.Scan(&id, &external, &direction)
		at[id].InReplyTo = append(at[id].InReplyTo, external)
		if direction == desk.DirectionIn {
			last[id] = external
		}
		return err
	}, `SELECT m.id, e.external_id, e.direction FROM v CROSS JOIN messages m
		JOIN messages e ON e.ticket_id = m.ticket_id AND e.seq < m.seq AND e.seq >= m.seq - ?
		WHERE m.id = v.id AND e.external_id <> '' AND e.direction IN ('in', 'out') AND e.channel_id = m.channel_id ORDER BY m.id, e.seq`, references)
	if err != nil {
		return fmt.Errorf("read conversation: %w", err)
	}
	for id, external := range last {
		o := at[id]
		o.InReplyTo = append(slices.DeleteFunc(o.InReplyTo, func(x string) bool { return x == external }), external)
	}
	return nil
}

// Quote returns what the customer said last before a reply, nil when he has not written.
func (s *Store) Quote(ctx context.Context, reply desk.ID) (*desk.Quote, error) {
	found, err := list(ctx, s, s.read, func(row scanner) (desk.Quote, error) {
		var q desk.Quote
		err := row.Scan(&q.Author, &q.Text, &q.At)
		return q, err
	}, `SELECT e.author_name, e.text, e.created_at FROM messages m JOIN messages e ON e.ticket_id = m.ticket_id AND e.seq < m.seq
		WHERE m.id = ? AND e.direction = 'in' ORDER BY e.seq DESC LIMIT 1`, reply)
	if err != nil {
		return nil, fmt.Errorf("quote: %w", err)
	}
	if len(found) == 0 {
		return nil, nil
	}
	return &found[0], nil
}

// NextDeliveryDue tells when the next reply whose turn it is falls due; 0 when none waits.
func (s *Store) NextDeliveryDue(ctx context.Context) (desk.Time, error) {
	due, err := list(ctx, s, s.read, plain[desk.Time], `SELECT d.next_attempt_at FROM deliveries d WHERE `+dueDeliveries+` ORDER BY d.next_attempt_at LIMIT 1`)
	if err != nil {
		return 0, fmt.Errorf("find next due reply: %w", err)
	}
	if len(due) == 0 {
		return 0, nil
	}
	return due[0], nil
}
