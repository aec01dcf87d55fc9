package ticketstore

import (
	"encoding/json"
	"fmt"

	"hearback/desk"
)

// ticketColumns are a ticket's columns in the order of ticketDest, of the table named or aliased t.
const ticketColumns = `t.id, t.number, t.status, t.priority, t.subject, t.channel_id, t.channel_kind, t.sender, t.contact_id, ` +
	`t.assignee_id, t.assign_epoch, t.team_id, t.last_agent_id, t.tags, t.fields, t.version, t.last_message_at, ` +
	`t.last_message_text, t.last_message_by, t.first_reply_at, t.first_response_due_at, t.resolution_due_at, ` +
	`t.window_closes_at, t.window_remaining, t.window_reason, t.callback_state, t.callback_number, t.callback_due_at, t.waiting_since, t.linked_ticket_id, t.snoozed_until, t.created_at, ` +
	`t.updated_at, t.resolved_at, t.closed_at`

// ticketDest lists where ticketColumns are scanned to.
func ticketDest(t *desk.Ticket) []any {
	return []any{&t.ID, &t.Number, &t.Status, &t.Priority, &t.Subject, &t.ChannelID, &t.ChannelKind, &t.Sender, &t.ContactID,
		&t.AssigneeID, &t.AssignEpoch, &t.TeamID, &t.LastAgentID, jsonInto{&t.Tags}, jsonInto{&t.Fields}, &t.Version, &t.LastMessageAt,
		&t.LastMessageText, &t.LastMessageBy, &t.FirstReplyAt, &t.FirstResponseDueAt, &t.ResolutionDueAt,
		&t.WindowClosesAt, &t.WindowRemaining, &t.WindowReason, &t.Callback.State, &t.Callback.Number, &t.Callback.DueAt, &t.WaitingSince, &t.LinkedTicketID, &t.SnoozedUntil, &t.CreatedAt,
		&t.UpdatedAt, &t.ResolvedAt, &t.ClosedAt}
}

// scanner is a row: *sql.Row, *sql.Rows and sqlx's.
type scanner interface{ Scan(dest ...any) error }

func scanTicket(row scanner) (desk.Ticket, error) {
	var t desk.Ticket
	err := row.Scan(ticketDest(&t)...)
	return t, err
}

// jsonInto scans a JSON column, which drivers hand over as text or bytes, into what it points to.
type jsonInto struct{ into any }

// Scan implements sql.Scanner. NULL and the empty string leave the target as it is.
func (j jsonInto) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		return nil
	case string:
		if v == "" {
			return nil
		}
		return json.Unmarshal([]byte(v), j.into)
	case []byte:
		if len(v) == 0 {
			return nil
		}
		return json.Unmarshal(v, j.into)
	}
	return fmt.Errorf("scan json: unexpected %T", src)
}

// toJSON is what a JSON column is written with: text, which both engines take. nil slices and maps become [] and {}.
func toJSON(v any) string {
	switch x := v.(type) {
	case []string:
		if x == nil {
			return "[]"
		}
	case map[string]string:
		if x == nil {
			return "{}"
		}
	}
	return jsonText(v)
}
