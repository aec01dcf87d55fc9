package ticketstore

import (
	"context"

	"hearback/desk"
)

func (s *Store) CreateToken(ctx context.Context, token Token, tokenHash string) (Token, error) {
	return Token{}, errUnwritten
}

func (s *Store) TokenByHash(ctx context.Context, tokenHash string) (Token, error) {
	return Token{}, errUnwritten
}

func (s *Store) Tokens(ctx context.Context, agent desk.ID) ([]Token, error) {
	return nil, errUnwritten
}

func (s *Store) RevokeToken(ctx context.Context, agent, id desk.ID) error {
	return errUnwritten
}
