package ticketstore

import (
	"context"

	"hearback/desk"
)

func (s *Store) Teams(ctx context.Context) ([]desk.Team, error) {
	return nil, errUnwritten
}

func (s *Store) Team(ctx context.Context, id desk.ID) (desk.Team, error) {
	return desk.Team{}, errUnwritten
}

func (s *Store) SaveTeam(ctx context.Context, t desk.Team) (desk.Team, error) {
	return desk.Team{}, errUnwritten
}

func (s *Store) DeleteTeam(ctx context.Context, id desk.ID) error {
	return errUnwritten
}
