package ticketstore

import (
	"context"
	"fmt"

	"hearback/desk"
)

// Ticket reads one ticket; desk.ErrNotFound when there is none.
func (s *Store) Ticket(ctx context.Context, id desk.ID) (desk.Ticket, error) {
	t, err := one(ctx, s, s.read, scanTicket, `SELECT `+ticketColumns+` FROM tickets t WHERE t.id = ?`, id)
	if err != nil {
		return desk.Ticket{}, fmt.Errorf("read ticket %s: %w", id, err)
	}
	return t, nil
}

// TicketByNumber reads one ticket by the number people know it by.
func (s *Store) TicketByNumber(ctx context.Context, number string) (desk.Ticket, error) {
	t, err := one(ctx, s, s.read, scanTicket, `SELECT `+ticketColumns+` FROM tickets t WHERE t.number = ?`, number)
	if err != nil {
		return desk.Ticket{}, fmt.Errorf("read ticket by number: %w", err)
	}
	return t, nil
}

// rowColumns are a TicketRow's columns behind the ticket's own, and rowJoins the tables they come from; its only argument is
// the reader.
const (
	rowColumns = `, COALESCE(c.name, ''), COALESCE(c.level, ''), COALESCE(a.name, ''), COALESCE(tm.name, ''), ` +
		`COALESCE(ch.name, ''), t.last_in_seq > COALESCE(r.seq, 0)`
	rowJoins = ` LEFT JOIN contacts c ON c.id = t.contact_id LEFT JOIN agents a ON a.id = t.assignee_id` +
		` LEFT JOIN teams tm ON tm.id = t.team_id LEFT JOIN channels ch ON ch.id = t.channel_id` +
		` LEFT JOIN read_marks r ON r.ticket_id = t.id AND r.agent_id = ?`
)

func ticketRowDest(r *TicketRow) []any {
	return append(ticketDest(&r.Ticket), &r.ContactName, &r.ContactLevel, &r.AssigneeName, &r.TeamName, &r.ChannelName, &r.Unread)
}

func scanTicketRow(row scanner) (TicketRow, error) {
	var r TicketRow
	err := row.Scan(ticketRowDest(&r)...)
	return r, err
}

// TicketRow reads one ticket as lists show it to reader.
func (s *Store) TicketRow(ctx context.Context, id, reader desk.ID) (TicketRow, error) {
	r, err := one(ctx, s, s.read, scanTicketRow,
		`SELECT `+ticketColumns+rowColumns+` FROM tickets t`+rowJoins+` WHERE t.id = ?`, reader, id)
	if err != nil {
		return TicketRow{}, fmt.Errorf("read ticket %s: %w", id, err)
	}
	return r, nil
}

// VisibleTo tells whether a ticket lies in a scope. A ticket that does not exist is not visible.
func (s *Store) VisibleTo(ctx context.Context, id desk.ID, scope Scope) (bool, error) {
	where, args := scope.condition()
	n, err := one(ctx, s, s.read, plain[int], `SELECT COUNT(*) FROM tickets t WHERE t.id = ? AND `+where, append([]any{id}, args...)...)
	if err != nil {
		return false, fmt.Errorf("look at ticket %s: %w", id, err)
	}
	return n > 0, nil
}

// condition is the scope as SQL on tickets t. Tickets of no team belong to everybody's queue.
func (sc Scope) condition() (string, []any) {
	if sc.All {
		return "1 = 1", nil
	}
	if sc.AgentID == "" {
		return "1 = 0", nil // a scope that was forgotten shows nothing
	}
	teams := append([]desk.ID{""}, sc.Teams...)
	if sc.UnownedOnly {
		return "(t.assignee_id = ? OR (t.assignee_id = '' AND t.team_id IN (?)))", []any{sc.AgentID, teams}
	}
	return "(t.assignee_id = ? OR t.team_id IN (?))", []any{sc.AgentID, teams}
}

// Sees is condition in Go, for what is sent to open sockets: it must agree with it.
func (sc Scope) Sees(t desk.Ticket) bool {
	if sc.All || sc.AgentID == "" {
		return sc.All
	}
	if t.AssigneeID == sc.AgentID {
		return true
	}
	if sc.UnownedOnly && t.AssigneeID != "" {
		return false
	}
	if t.TeamID == "" {
		return true
	}
	for _, team := range sc.Teams {
		if team == t.TeamID {
			return true
		}
	}
	return false
}
