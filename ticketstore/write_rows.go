package ticketstore

import (
	"hearback/desk"
)

// The statements that write tickets, messages and their parts, many rows at a time. File, Reply, Assign and the desk's changes
// all write through these.

const ticketState = "id text, status text, priority text, subject text, contact_id text, assignee_id text, assign_epoch bigint, team_id text, " +
	"last_agent_id text, tags jsonb, fields jsonb, version bigint, last_message_at bigint, last_message_text text, last_message_by text, " +
	"first_reply_at bigint, first_response_due_at bigint, resolution_due_at bigint, window_closes_at bigint, window_remaining bigint, " +
	"window_reason text, window_warn_at bigint, callback_state text, callback_number text, callback_due_at bigint, waiting_since bigint, last_in_seq bigint, linked_ticket_id text, snoozed_until bigint, updated_at bigint, resolved_at bigint, closed_at bigint"

// stateOf lists a ticket's changeable columns in the order of ticketState.
func (w *ticketWork) stateOf() []any {
	t := &w.Ticket
	return []any{t.ID, t.Status, t.Priority, t.Subject, t.ContactID, t.AssigneeID, t.AssignEpoch, t.TeamID,
		t.LastAgentID, toJSON(t.Tags), toJSON(t.Fields), t.Version, t.LastMessageAt, t.LastMessageText, t.LastMessageBy,
		t.FirstReplyAt, t.FirstResponseDueAt, t.ResolutionDueAt, t.WindowClosesAt, t.WindowRemaining,
		t.WindowReason, w.warnAt, t.Callback.State, t.Callback.Number, t.Callback.DueAt, t.WaitingSince, w.lastInSeq, t.LinkedTicketID, t.SnoozedUntil, t.UpdatedAt, t.ResolvedAt, t.ClosedAt}
}

func (t *tx) insertTickets(fresh []*ticketWork) error {
	b := newBulk(ticketState+", number text, channel_id text, channel_kind text, sender text, created_at bigint", len(fresh))
	for _, w := range fresh {
		b.add(append(w.stateOf(), w.Number, w.ChannelID, w.ChannelKind, w.Sender, w.CreatedAt)...)
	}
	return t.later(b, nil, `INSERT INTO tickets (id, status, priority, subject, contact_id, assignee_id, assign_epoch, team_id,
		last_agent_id, tags, fields, version, last_message_at, last_message_text, last_message_by, first_reply_at, first_response_due_at,
		resolution_due_at, window_closes_at, window_remaining, window_reason, window_warn_at, callback_state, callback_number, callback_due_at,
		waiting_since, last_in_seq, linked_ticket_id, snoozed_until, updated_at,
		resolved_at, closed_at, number, channel_id, channel_kind, sender, created_at) SELECT * FROM v`)
}

// updateTickets writes tickets that were read and changed in memory; errOvertaken when one was changed by somebody else
// meanwhile, which a lock taken when it was read rules out.
func (t *tx) updateTickets(known []*ticketWork) error {
	b := newBulk(ticketState+", was bigint", len(known))
	for _, w := range known {
		b.add(append(w.stateOf(), w.was)...)
	}
	return t.later(b, func(n int64) error {
		if n != int64(len(known)) {
			return errOvertaken
		}
		return nil
	}, `UPDATE tickets SET status = v.status, priority = v.priority, subject = v.subject, contact_id = v.contact_id,
		assignee_id = v.assignee_id, assign_epoch = v.assign_epoch, team_id = v.team_id, last_agent_id = v.last_agent_id, tags = v.tags,
		fields = v.fields, version = v.version, last_message_at = v.last_message_at, last_message_text = v.last_message_text,
		last_message_by = v.last_message_by, first_reply_at = v.first_reply_at, first_response_due_at = v.first_response_due_at,
		resolution_due_at = v.resolution_due_at, window_closes_at = v.window_closes_at, window_remaining = v.window_remaining,
		window_reason = v.window_reason, window_warn_at = v.window_warn_at, callback_state = v.callback_state, callback_number = v.callback_number,
		callback_due_at = v.callback_due_at,
		waiting_since = v.waiting_since, last_in_seq = v.last_in_seq, linked_ticket_id = v.linked_ticket_id, snoozed_until = v.snoozed_until,
		updated_at = v.updated_at, resolved_at = v.resolved_at, closed_at = v.closed_at FROM v WHERE tickets.id = v.id AND tickets.version = v.was`)
}

func (t *tx) insertMessages(fresh []*messageWork) error {
	b := newBulk("id text, ticket_id text, seq bigint, direction text, author_kind text, author_id text, author_name text, text text, html text, "+
		"quoted text, class text, extra jsonb, channel_id text, external_id text, inbox_id text?, idempotency_key text?, created_at bigint, updated_at bigint", len(fresh))
	for _, m := range fresh {
		b.add(m.ID, m.TicketID, m.Seq, m.Direction, m.Author.Kind, m.Author.ID, m.Author.Name, m.Text, m.HTML,
			m.Quoted, m.Class, extraOf(*m.Message), m.ChannelID, m.ExternalID, orNull(m.inbox), orNull(m.idempotency), m.CreatedAt, m.UpdatedAt)
	}
	return t.later(b, nil, `INSERT INTO messages (id, ticket_id, seq, direction, author_kind, author_id, author_name, text, html,
		quoted, class, extra, channel_id, external_id, inbox_id, idempotency_key, created_at, updated_at) SELECT * FROM v`)
}

// updateMessages writes the content of messages changed in place; where they stand never changes.
func (t *tx) updateMessages(changes []*messageWork) error {
	b := newBulk("id text, direction text, author_kind text, author_id text, author_name text, text text, extra jsonb, updated_at bigint", len(changes))
	seen := map[desk.ID]bool{}
	for _, m := range changes {
		if !seen[m.ID] {
			seen[m.ID] = true
			b.add(m.ID, m.Direction, m.Author.Kind, m.Author.ID, m.Author.Name, m.Text, extraOf(*m.Message), m.UpdatedAt)
		}
	}
	return t.later(b, nil, `UPDATE messages SET direction = v.direction, author_kind = v.author_kind, author_id = v.author_id, author_name = v.author_name,
		text = v.text, extra = v.extra, updated_at = v.updated_at FROM v WHERE messages.id = v.id`)
}

func (t *tx) insertAttachments(rows []attachmentRow, now desk.Time) error {
	b := newBulk("id text, message_id text, ticket_id text, name text, type text, size bigint, blob text, inline boolean, content_id text, "+
		"state text, ref text, hint text, expires_at bigint", len(rows))
	for _, a := range rows {
		b.add(a.ID, a.MessageID, a.ticket, a.Name, a.Type, a.Size, a.Blob, a.Inline, a.ContentID, a.State, a.ref, a.Hint, a.expires)
	}
	return t.later(b, nil, `INSERT INTO attachments (id, message_id, ticket_id, name, type, size, blob, inline, content_id, state, ref, hint,
		expires_at, created_at) SELECT id, message_id, ticket_id, name, type, size, blob, inline, content_id, state, ref, hint, expires_at, ? FROM v`, int64(now))
}

func (t *tx) insertDecisions(rows []decisionRow, now desk.Time) error {
	b := newBulk("id text, ticket_id text, kind text, detail jsonb", len(rows))
	for _, d := range rows {
		b.add(desk.NewID(), d.ticket, d.kind, d.detail)
	}
	return t.later(b, nil, `INSERT INTO decisions (id, ticket_id, kind, at, detail) SELECT id, ticket_id, kind, ?, detail FROM v`, int64(now))
}

// orNull makes the empty string NULL.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}
