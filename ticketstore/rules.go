package ticketstore

import (
	"context"

	"hearback/desk"
)

func (s *Store) Rules(ctx context.Context) ([]desk.Rule, error) {
	return nil, errUnwritten
}

func (s *Store) Rule(ctx context.Context, id desk.ID) (desk.Rule, error) {
	return desk.Rule{}, errUnwritten
}

func (s *Store) SaveRule(ctx context.Context, r desk.Rule) (desk.Rule, error) {
	return desk.Rule{}, errUnwritten
}

func (s *Store) DeleteRule(ctx context.Context, id desk.ID) error {
	return errUnwritten
}
