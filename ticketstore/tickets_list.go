package ticketstore

import (
	"context"
	"fmt"
	"strings"

	"hearback/desk"
)

// active lists the statuses that are work.
var active = []desk.Status{desk.StatusNew, desk.StatusOpen, desk.StatusWaiting}

// View is the filter behind a view's name (mine, queue, waiting, overdue, open, resolved, all) for one reader; an unknown name
// is desk.ErrInvalid. The caller adds the Scope. "mine" and "queue" leave out what is snoozed now.
func View(name string, reader desk.ID) (TicketFilter, error) {
	awake := false
	switch name {
	case "mine":
		return TicketFilter{Assignee: reader, Status: active, Snoozed: &awake}, nil
	case "queue":
		return TicketFilter{Assignee: "none", Status: []desk.Status{desk.StatusNew}, Snoozed: &awake}, nil
	case "waiting":
		return TicketFilter{Status: []desk.Status{desk.StatusWaiting}}, nil
	case "overdue":
		return TicketFilter{Overdue: true}, nil
	case "open":
		return TicketFilter{Status: active}, nil
	case "resolved":
		return TicketFilter{Status: []desk.Status{desk.StatusResolved}, Sort: "updated"}, nil
	case "all":
		return TicketFilter{Sort: "updated"}, nil
	}
	return TicketFilter{}, fmt.Errorf("view %q: %w", name, desk.ErrInvalid)
}

// overdue is what has missed a deadline and is still work; its argument is the moment, three times.
const overdue = `(t.status IN ('new', 'open', 'waiting') AND ((t.first_reply_at = 0 AND t.first_response_due_at > 0 AND t.first_response_due_at < ?)` +
	` OR (t.resolution_due_at > 0 AND t.resolution_due_at < ?) OR (t.callback_state = 'due' AND t.callback_due_at < ?)))`

// conditions are the filter as SQL on tickets t, to be joined with AND.
func (s *Store) conditions(f TicketFilter) ([]string, []any) {
	where, args := f.Scope.condition()
	all := []string{where}
	and := func(condition string, values ...any) {
		all = append(all, condition)
		args = append(args, values...)
	}
	now := s.now()
	if len(f.Status) > 0 {
		and("t.status IN (?)", f.Status)
	}
	same := func(column string, id desk.ID) {
		if id == "none" {
			id = ""
		} else if id == "" {
			return
		}
		and(column+" = ?", id)
	}
	same("t.assignee_id", f.Assignee)
	same("t.team_id", f.TeamID)
	same("t.channel_id", f.ChannelID)
	same("t.contact_id", f.ContactID)
	if f.Overdue {
		and(overdue, now, now, now)
	}
	if f.Snoozed != nil && *f.Snoozed {
		and("t.snoozed_until > ?", now)
	} else if f.Snoozed != nil {
		and("t.snoozed_until <= ?", now)
	}
	if strings.TrimSpace(f.Query) != "" {
		condition, values := s.matching(f.Query)
		and(condition, values...)
	}
	return all, args
}

// Tickets lists what the filter and its scope let through, as reader sees it, and the cursor of the next page ("" at the end).
// A cursor of another sort or of nobody's making is desk.ErrInvalid. Pages are cut by key, not by count: tickets that change
// between two pages are neither shown twice nor do they push others out.
func (s *Store) Tickets(ctx context.Context, f TicketFilter, reader desk.ID) (rows []TicketRow, next string, err error) {
	order, err := s.orderOf(f)
	if err != nil {
		return nil, "", fmt.Errorf("list tickets: %w", err)
	}
	where, args := s.conditions(f)
	after, values := order.after()
	where, args = append(where, after...), append(args, values...)
	limit := pageSize(f.Limit)

	// The page is cut before names are joined to it.
	query := `SELECT ` + ticketColumns + rowColumns + order.columns() + ` FROM (SELECT t.id AS id` + order.named() + ` FROM tickets t WHERE ` +
		strings.Join(where, " AND ") + order.by("t.id") + ` LIMIT ?) k JOIN tickets t ON t.id = k.id` + rowJoins + order.outer()
	args = append(args, limit+1, reader)
	found, err := list(ctx, s, s.read, order.scan, query, args...)
	if err != nil {
		return nil, "", fmt.Errorf("list tickets: %w", err)
	}
	if len(found) > limit {
		found = found[:limit]
		next = order.cursor(found[limit-1])
	}
	rows = make([]TicketRow, len(found))
	for i := range found {
		rows[i] = found[i].TicketRow
	}
	return rows, next, nil
}

// Counts are the numbers beside the views, in one query: each equals the length of its View in that scope.
func (s *Store) Counts(ctx context.Context, scope Scope, reader desk.ID) (ViewCounts, error) {
	where, scoped := scope.condition()
	now := s.now()
	// Work is counted in one pass over what is active; the rest, which grows for ever, by its index.
	query := `SELECT
		COUNT(CASE WHEN t.assignee_id = ? AND t.snoozed_until <= ? THEN 1 END),
		COUNT(CASE WHEN t.assignee_id = '' AND t.status = 'new' AND t.snoozed_until <= ? THEN 1 END),
		COUNT(CASE WHEN t.status = 'waiting' THEN 1 END),
		COUNT(CASE WHEN ` + overdue + ` THEN 1 END),
		COUNT(*),
		(SELECT COUNT(*) FROM tickets t WHERE t.status = 'resolved' AND ` + where + `),
		(SELECT COUNT(*) FROM tickets t WHERE ` + where + `)
		FROM tickets t WHERE t.status IN ('new', 'open', 'waiting') AND ` + where
	args := []any{reader, now, now, now, now, now}
	for range 3 {
		args = append(args, scoped...)
	}
	c, err := one(ctx, s, s.read, into(func(c *ViewCounts) []any {
		return []any{&c.Mine, &c.Queue, &c.Waiting, &c.Overdue, &c.Open, &c.Resolved, &c.All}
	}), query, args...)
	if err != nil {
		return ViewCounts{}, fmt.Errorf("count tickets: %w", err)
	}
	return c, nil
}
