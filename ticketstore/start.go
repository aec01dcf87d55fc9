package ticketstore

import (
	"cmp"
	"context"
	"fmt"

	"hearback/desk"
)

// A StartResult is the ticket opened, the message on its way (nil when none was written) and the events to publish. Again tells
// that the same key had opened it before.
type StartResult struct {
	Ticket  desk.Ticket
	Message *desk.Message
	Events  []desk.Event
	Again   bool
}

// Start opens a ticket from our side: the customer's contact is found by his proven address or made, and when there is something
// to say it is a message with its delivery, all in one transaction. What he answers comes back to this ticket. The ticket is new:
// the caller lets the router place it, or claims it for Assignee.
//
// desk.ErrConflict when the author used the idempotency key for another text, desk.ErrNotFound for a ContactID nobody has,
// desk.ErrInvalid when an attachment is not his own unused upload.
func (s *Store) Start(ctx context.Context, in Start) (StartResult, error) {
	var out StartResult
	err := s.write(ctx, func(t *tx) error {
		st := starting{Start: in, id: desk.NewID(), message: desk.NewID(), writing: writing{t: t, direction: desk.DirectionOut, ReplyInput: ReplyInput{
			Author: in.Author, Text: in.Text, HTML: in.HTML, AttachmentIDs: in.AttachmentIDs, NewExternalID: in.NewExternalID, Cc: in.Cc, Bcc: in.Bcc,
			Route: &Route{ChannelID: in.ChannelID, Sender: in.Sender, To: in.To, Means: in.Means}}}}
		st.TicketID = st.id
		var err error
		out, err = st.run()
		return err
	})
	if err != nil {
		return StartResult{}, fmt.Errorf("start ticket: %w", err)
	}
	return out, nil
}

// starting is one Start transaction.
type starting struct {
	writing
	Start
	id      desk.ID // the ticket's
	message desk.ID // of the first message, when there is one: the key finds the ticket by it after a merge
}

func (st *starting) run() (StartResult, error) {
	t := st.t
	if again, found, err := st.again(); found || err != nil {
		return again, err
	}
	to, contact, err := st.line()
	if err != nil {
		return StartResult{}, err
	}
	l, err := st.open(to, contact)
	if err != nil {
		return StartResult{}, err
	}
	out := StartResult{}
	if st.Start.Text != "" || st.Start.HTML != "" || len(st.Start.AttachmentIDs) > 0 || st.Means != "" {
		if out.Message, err = st.say(l, to); err != nil {
			return StartResult{}, err
		}
	} else {
		l.w.WaitingSince = l.now // he said something elsewhere, and waits
		to.counts = false
		if err := st.spend(to, l, nil); err != nil {
			return StartResult{}, err
		}
	}
	if err := t.save(l); err != nil {
		return StartResult{}, err
	}
	out.Ticket, out.Events = l.w.Ticket, l.told()
	return out, nil
}

// again claims the author's key, or finds what it opened before. Two starts of one key at once take turns here.
func (st *starting) again() (StartResult, bool, error) {
	t := st.t
	if st.Start.IdempotencyKey == "" {
		return StartResult{}, false, nil
	}
	key := "start:" + st.Start.Author.ID + " " + st.Start.IdempotencyKey
	n, err := t.exec(`INSERT INTO thread_keys (channel_id, key, ticket_id, message_id) VALUES ('', ?, ?, ?) ON CONFLICT DO NOTHING`, key, st.id, st.message)
	if err != nil || n > 0 {
		return StartResult{}, false, err
	}
	first, err := one(t.ctx, t.s, t, into(func(r *threadRow) []any { return []any{&r.ticket, &r.message} }),
		`SELECT ticket_id, message_id FROM thread_keys WHERE channel_id = '' AND key = ?`, key)
	if err != nil {
		return StartResult{}, true, err
	}
	out := StartResult{Again: true}
	if out.Ticket, err = one(t.ctx, t.s, t, scanTicket, `SELECT `+ticketColumns+` FROM tickets t WHERE t.id = ?`, first.ticket); err != nil {
		return StartResult{}, true, err
	}
	found, err := t.messages([]desk.ID{first.message})
	if err != nil {
		return StartResult{}, true, err
	}
	said := ""
	if len(found) > 0 {
		out.Message, said = &found[0], found[0].Text
	}
	if said != clean(st.Start.Text) {
		return StartResult{}, true, fmt.Errorf("this idempotency key belongs to another message: %w", desk.ErrConflict)
	}
	return out, true, nil
}

// line holds the conversation the message leaves by and finds whose it is.
func (st *starting) line() (leaving, desk.ID, error) {
	t, in := st.t, &st.Start
	to := leaving{senderKey: senderKey{in.ChannelID, clean(in.Sender)}, own: true}
	if _, err := t.exec(`INSERT INTO senders (channel_id, sender, from_type, from_value, from_scope) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		to.channel, to.sender, in.To.Type, in.To.Value, in.To.Scope); err != nil {
		return to, "", fmt.Errorf("add conversation: %w", err)
	}
	if err := st.lockLine(&to); err != nil {
		return to, "", err
	}
	contact, err := st.contact(to)
	if err != nil {
		return to, "", fmt.Errorf("find contact: %w", err)
	}
	if _, err := t.exec(`INSERT INTO identities (type, value, scope, contact_id, verified, created_at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		in.To.Type, in.To.Value, in.To.Scope, contact, in.To.Verified, int64(t.s.now())); err != nil {
		return to, "", fmt.Errorf("add identity: %w", err)
	}
	_, err = t.exec(`UPDATE senders SET contact_id = ? WHERE channel_id = ? AND sender = ? AND contact_id = ''`, contact, to.channel, to.sender)
	return to, contact, err
}

// contact is the one named, the one the conversation is with, the owner of the proven address, or a new one.
func (st *starting) contact(to leaving) (desk.ID, error) {
	t, in := st.t, &st.Start
	if in.ContactID != "" {
		return one(t.ctx, t.s, t, plain[desk.ID], `SELECT id FROM contacts WHERE id = ?`, in.ContactID)
	}
	if to.contact != "" {
		return to.contact, nil
	}
	owners, err := list(t.ctx, t.s, t, plain[desk.ID], `SELECT contact_id FROM identities WHERE type = ? AND value = ? AND scope = ? AND verified = ?`,
		in.To.Type, in.To.Value, in.To.Scope, true)
	if err != nil || len(owners) > 0 {
		return append(owners, "")[0], err
	}
	id := desk.NewID()
	return id, putContact(t, desk.Contact{ID: id, Name: clean(in.Name)}, true)
}

// open makes the ticket.
func (st *starting) open(to leaving, contact desk.ID) (*timeline, error) {
	t, in, now := st.t, &st.Start, st.t.s.now()
	numbers, err := t.ticketNumbers(now, 1)
	if err != nil {
		return nil, err
	}
	subject := clean(in.Subject)
	w := &ticketWork{Ticket: desk.Ticket{ID: st.id, Number: numbers[0], Status: desk.StatusNew, Priority: desk.PriorityNormal,
		Subject: cmp.Or(subject, short(in.Text, 80)), ChannelID: in.ChannelID, ChannelKind: in.ChannelKind, Sender: to.sender, ContactID: contact, TeamID: in.TeamID,
		Tags: []string{}, Fields: map[string]string{}, FirstResponseDueAt: in.Due, CreatedAt: now, UpdatedAt: now}}
	w.show(to.window)
	if err := t.insertTickets([]*ticketWork{w}); err != nil {
		return nil, fmt.Errorf("insert ticket: %w", err)
	}
	l := &timeline{t: t, now: now, w: w}
	people := newPeople(now)
	b := newBulk("id text", 1)
	b.add(contact)
	if err := t.readContacts(b, &people); err != nil {
		return nil, err
	}
	if c := people.contacts[contact]; c != nil {
		l.who = &desk.Contact{ID: c.ID, Name: c.Name, Level: c.Level, Language: c.Language}
	}
	l.system("created", in.Author, "", map[string]string{"started": "true"})
	if subject != "" {
		l.texts = append(l.texts, indexed{MessageID: w.ID, TicketID: w.ID, Text: subject})
	}
	return l, nil
}

// say writes the first message and queues it.
func (st *starting) say(l *timeline, to leaving) (*desk.Message, error) {
	w := &st.writing
	var others []*timeline
	if to.counts {
		all, err := w.t.timelines(to.siblings)
		if err != nil {
			return nil, err
		}
		for _, id := range to.siblings {
			if o := all[id]; o != nil {
				others = append(others, o)
			}
		}
	}
	m, err := w.send(l, to, others, st.message)
	if err != nil {
		return nil, err
	}
	if err := w.attach(m); err != nil {
		return nil, fmt.Errorf("attach: %w", err)
	}
	if err := w.t.save(others...); err != nil {
		return nil, err
	}
	for _, o := range others {
		l.events = append(l.events, o.told()...)
	}
	return m, nil
}
