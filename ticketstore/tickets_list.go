package ticketstore

import (
	"context"

	"hearback/desk"
)

func (s *Store) Tickets(ctx context.Context, f TicketFilter, reader desk.ID) ([]TicketRow, string, error) {
	return nil, "", errUnwritten
}

func (s *Store) Counts(ctx context.Context, scope Scope, reader desk.ID) (ViewCounts, error) {
	return ViewCounts{}, errUnwritten
}

// View is the filter behind a view's name (mine, queue, waiting, overdue, open, resolved, all) for one reader; an unknown name
// is desk.ErrInvalid. The caller adds the Scope.
func View(name string, reader desk.ID) (TicketFilter, error) {
	return TicketFilter{}, errUnwritten
}
