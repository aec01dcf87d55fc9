package ticketstore

import (
	"context"

	"hearback/desk"
)

func (s *Store) Messages(ctx context.Context, ticket desk.ID, after int64, limit int) ([]desk.Message, error) {
	return nil, errUnwritten
}

func (s *Store) LastMessages(ctx context.Context, ticket desk.ID, before int64, limit int) ([]desk.Message, error) {
	return nil, errUnwritten
}

func (s *Store) Message(ctx context.Context, id desk.ID) (desk.Message, error) {
	return desk.Message{}, errUnwritten
}

func (s *Store) MarkRead(ctx context.Context, agent, ticket desk.ID, seq int64) error {
	return errUnwritten
}
