package ticketstore

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"hearback/desk"
)

// replyLife is how long sending a reply is tried.
const replyLife = 24 * time.Hour

// Reply writes an answer and its delivery in one transaction; it leaves when delivery claims it. desk.ErrClosed when the ticket
// is done, desk.ErrConflict when the idempotency key was used for another text, desk.ErrInvalid when an attachment is not the
// author's own unused upload.
//
// With a Route it leaves by another conversation, and what the customer answers there comes back to this ticket. A written reply
// takes a place of its conversation's quota; whether there is one is for the caller and delivery to ask. An *Answered error, with
// IfSeq, when another person replied after that message.
//
// A person's first reply sets first_reply_at; a reply to an owned ticket that was new or resolved opens it. A ticket nobody owns
// stays in its queue.
func (s *Store) Reply(ctx context.Context, in ReplyInput) (ReplyResult, error) {
	var out ReplyResult
	err := s.write(ctx, func(t *tx) error {
		w := writing{t: t, ReplyInput: in, direction: desk.DirectionOut}
		var err error
		out, err = w.run()
		return err
	})
	if err != nil {
		return ReplyResult{}, fmt.Errorf("reply: %w", err)
	}
	return out, nil
}

// Note writes an internal message that never leaves; otherwise it is like Reply.
func (s *Store) Note(ctx context.Context, ticket desk.ID, author desk.Author, text string, attachments []desk.ID, idempotencyKey string) (ReplyResult, error) {
	var out ReplyResult
	err := s.write(ctx, func(t *tx) error {
		w := writing{t: t, direction: desk.DirectionNote, ReplyInput: ReplyInput{TicketID: ticket, Author: author, Text: text,
			AttachmentIDs: attachments, IdempotencyKey: idempotencyKey}}
		var err error
		out, err = w.run()
		return err
	})
	if err != nil {
		return ReplyResult{}, fmt.Errorf("note: %w", err)
	}
	return out, nil
}

// writing is one Reply or Note transaction.
type writing struct {
	t *tx
	ReplyInput
	direction desk.Direction
}

func (w *writing) run() (ReplyResult, error) {
	if w.direction == desk.DirectionOut {
		return w.reply()
	}
	l, err := w.t.timeline(w.TicketID)
	if err != nil {
		return ReplyResult{}, err
	}
	if again, found, err := w.again(l); found || err != nil {
		return again, err
	}
	if l.w.Status.Done() {
		return ReplyResult{}, desk.ErrClosed
	}
	m := &desk.Message{ID: desk.NewID(), Direction: w.direction, Author: w.Author, Text: clean(w.Text), HTML: clean(w.HTML), ChannelID: l.w.ChannelID}
	l.add(m).idempotency = clean(w.IdempotencyKey)
	return w.finish(l, m)
}

func (w *writing) reply() (ReplyResult, error) {
	to, err := w.leave()
	if err != nil {
		return ReplyResult{}, err
	}
	l, others, err := w.openLines(to)
	if err != nil {
		return ReplyResult{}, err
	}
	if again, found, err := w.again(l); found || err != nil {
		return again, err
	}
	if l.w.Status.Done() {
		return ReplyResult{}, desk.ErrClosed
	}
	if err := w.unseen(); err != nil {
		return ReplyResult{}, err
	}
	m, err := w.send(l, to, others, desk.NewID())
	if err != nil {
		return ReplyResult{}, err
	}
	return w.finish(l, m, others...)
}

// send writes a message into a ticket and queues its delivery. others are the tickets that show the same quota.
func (w *writing) send(l *timeline, to leaving, others []*timeline, id desk.ID) (*desk.Message, error) {
	m := &desk.Message{ID: id, Direction: w.direction, Author: w.Author, Text: clean(w.Text), HTML: clean(w.HTML), ChannelID: to.channel,
		Means: w.means(), Headers: w.headers()}
	m.ExternalID = m.ID
	if w.NewExternalID != nil {
		m.ExternalID = clean(w.NewExternalID(*m, l.w.Ticket))
	}
	w.answered(l)
	if m.Means == "callback" {
		number := cmp.Or(w.Route.To.Value, to.sender)
		l.w.Callback = desk.Callback{State: "requested", Number: clean(number), DueAt: cmp.Or(l.w.Callback.DueAt, l.now)}
	}
	if err := w.spend(to, l, others); err != nil {
		return nil, err
	}
	l.add(m).idempotency = clean(w.IdempotencyKey)
	l.w.note(m)
	if err := w.deliver(l, m, to); err != nil {
		return nil, fmt.Errorf("queue delivery: %w", err)
	}
	if err := w.admitReaders(m); err != nil {
		return nil, fmt.Errorf("admit readers: %w", err)
	}
	return m, nil
}

// finish writes the message, its files and the tickets.
func (w *writing) finish(l *timeline, m *desk.Message, others ...*timeline) (ReplyResult, error) {
	if err := w.attach(m); err != nil {
		return ReplyResult{}, fmt.Errorf("attach: %w", err)
	}
	if err := w.t.save(append(others, l)...); err != nil {
		return ReplyResult{}, err
	}
	events := l.told()
	for _, o := range others {
		events = append(events, o.told()...)
	}
	return ReplyResult{Message: *m, Ticket: l.w.Ticket, Events: events}, nil
}

// again finds the message an idempotency key was used for before.
func (w *writing) again(l *timeline) (ReplyResult, bool, error) {
	if w.IdempotencyKey == "" {
		return ReplyResult{}, false, nil
	}
	found, err := list(w.t.ctx, w.t.s, w.t, scanMessage, `SELECT `+messageColumns+` FROM messages m WHERE m.ticket_id = ? AND m.idempotency_key = ?`,
		w.TicketID, w.IdempotencyKey)
	if err != nil || len(found) == 0 {
		return ReplyResult{}, false, err
	}
	if m := found[0]; m.Text != clean(w.Text) || m.HTML != clean(w.HTML) || m.Author.ID != w.Author.ID || m.Direction != w.direction {
		return ReplyResult{}, true, fmt.Errorf("this idempotency key belongs to another message: %w", desk.ErrConflict)
	}
	if err := completeMessages(w.t.ctx, w.t.s, w.t, found); err != nil {
		return ReplyResult{}, true, err
	}
	return ReplyResult{Message: found[0], Ticket: l.w.Ticket, Again: true}, true, nil
}

// answered moves the ticket on: what the house writes by itself answers nobody.
func (w *writing) answered(l *timeline) {
	ticket := l.w
	if w.Automatic {
		return
	}
	if w.means() != "callback" { // asking for a call is not an answer yet
		ticket.FirstReplyAt = cmp.Or(ticket.FirstReplyAt, l.now)
		ticket.WaitingSince = 0
	}
	if w.KeepStatus {
		return
	}
	switch {
	case ticket.Status == desk.StatusNew && ticket.AssigneeID != "":
		ticket.Status = desk.StatusOpen
	case ticket.Status == desk.StatusResolved:
		ticket.Status, ticket.ResolvedAt = desk.StatusOpen, 0
		if ticket.AssigneeID == "" {
			ticket.Status = desk.StatusNew
		}
		l.system("reopened", w.Author, "", map[string]string{"from": string(desk.StatusResolved)})
	}
}

// deliver queues the reply; on a channel whose credentials are refused it is held with the others.
func (w *writing) deliver(l *timeline, m *desk.Message, to leaving) error {
	d := &desk.DeliveryInfo{ID: desk.NewID(), State: desk.DeliveryQueued, NextAt: l.now}
	if to.held {
		d.State, d.NextAt = desk.DeliveryHeld, 0
	}
	m.Delivery = d
	sender, address := to.sender, desk.Identity{}
	if to.own {
		sender = ""
	}
	if w.Route != nil {
		address = w.Route.To
	}
	places := 0
	if to.counts {
		places = 1
	}
	_, err := w.t.exec(`INSERT INTO deliveries (id, message_id, ticket_id, channel_id, seq, external_id, automatic, state, next_attempt_at,
		give_up_at, created_at, updated_at, means, sender, to_type, to_value, to_scope, places) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		d.ID, m.ID, m.TicketID, m.ChannelID, m.Seq, m.ExternalID, w.Automatic, string(d.State), int64(d.NextAt), int64(l.now.Add(replyLife)), int64(l.now), int64(l.now),
		m.Means, sender, address.Type, address.Value, address.Scope, places)
	return err
}

// attach gives the author's waiting uploads to the message, in the order asked for.
func (w *writing) attach(m *desk.Message) error {
	if len(w.AttachmentIDs) == 0 {
		return nil
	}
	q, args, err := sqlx.In(`UPDATE attachments SET message_id = ?, ticket_id = ? WHERE id IN (?) AND message_id = '' AND uploaded_by = ?`,
		m.ID, m.TicketID, w.AttachmentIDs, w.Author.ID)
	if err != nil {
		return err
	}
	n, err := w.t.exec(q, args...)
	if err != nil {
		return err
	}
	if n != int64(len(w.AttachmentIDs)) {
		return fmt.Errorf("%d of %d files are no unused uploads of the author: %w", int64(len(w.AttachmentIDs))-n, len(w.AttachmentIDs), desk.ErrInvalid)
	}
	m.Attachments, err = list(w.t.ctx, w.t.s, w.t, scanAttachment, `SELECT `+attachmentColumns+` FROM attachments f WHERE f.message_id = ? ORDER BY f.id`, m.ID)
	return err
}
