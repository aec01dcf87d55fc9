package ticketstore

import (
	"context"

	"hearback/desk"
)

func (s *Store) CreateSession(ctx context.Context, session Session, tokenHash string) (Session, error) {
	return Session{}, errUnwritten
}

func (s *Store) SessionByHash(ctx context.Context, tokenHash string) (Session, error) {
	return Session{}, errUnwritten
}

func (s *Store) TouchSession(ctx context.Context, id desk.ID, seen, expires desk.Time) error {
	return errUnwritten
}

func (s *Store) Sessions(ctx context.Context, agent desk.ID) ([]Session, error) {
	return nil, errUnwritten
}

func (s *Store) RevokeSession(ctx context.Context, agent, id desk.ID) error {
	return errUnwritten
}

func (s *Store) RevokeSessions(ctx context.Context, agent, except desk.ID) ([]desk.ID, error) {
	return nil, errUnwritten
}
