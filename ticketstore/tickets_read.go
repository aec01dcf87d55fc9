package ticketstore

import (
	"context"

	"hearback/desk"
)

func (s *Store) Ticket(ctx context.Context, id desk.ID) (desk.Ticket, error) {
	return desk.Ticket{}, errUnwritten
}

func (s *Store) TicketByNumber(ctx context.Context, number string) (desk.Ticket, error) {
	return desk.Ticket{}, errUnwritten
}

func (s *Store) TicketRow(ctx context.Context, id, reader desk.ID) (TicketRow, error) {
	return TicketRow{}, errUnwritten
}

func (s *Store) VisibleTo(ctx context.Context, id desk.ID, scope Scope) (bool, error) {
	return false, errUnwritten
}
