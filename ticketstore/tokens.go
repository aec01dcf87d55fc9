package ticketstore

import (
	"context"
	"fmt"
	"time"

	"hearback/desk"
)

const tokenQuery = `SELECT id, agent_id, name, last_four, created_at, used_at FROM tokens`

func scanToken(row scanner) (Token, error) {
	var x Token
	err := row.Scan(&x.ID, &x.AgentID, &x.Name, &x.LastFour, &x.CreatedAt, &x.UsedAt)
	return x, err
}

// CreateToken stores an API token under its hash; the token itself is never stored.
func (s *Store) CreateToken(ctx context.Context, token Token, tokenHash string) (Token, error) {
	token.ID = desk.NewID()
	token.CreatedAt, token.UsedAt = s.now(), 0
	err := s.write(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO tokens (token_hash, id, agent_id, name, last_four, created_at) VALUES (?, ?, ?, ?, ?, ?)`,
			tokenHash, token.ID, token.AgentID, token.Name, token.LastFour, token.CreatedAt)
		return err
	})
	if err != nil {
		return Token{}, fmt.Errorf("create token: %w", err)
	}
	return token, nil
}

// usedEvery is how often a token's use is written down: programs call many times a second.
const usedEvery = time.Minute

// TokenByHash reads a token and notes that it was used; desk.ErrNotFound when there is none.
func (s *Store) TokenByHash(ctx context.Context, tokenHash string) (Token, error) {
	x, err := one(ctx, s, s.read, scanToken, tokenQuery+` WHERE token_hash = ?`, tokenHash)
	if now := s.now(); err == nil && now >= x.UsedAt.Add(usedEvery) {
		x.UsedAt = now
		err = s.write(ctx, func(t *tx) error {
			_, err := t.exec(`UPDATE tokens SET used_at = ? WHERE id = ?`, now, x.ID)
			return err
		})
	}
	if err != nil {
		return Token{}, fmt.Errorf("read token: %w", err)
	}
	return x, nil
}

// Tokens lists an agent's API tokens, the newest first.
func (s *Store) Tokens(ctx context.Context, agent desk.ID) ([]Token, error) {
	found, err := list(ctx, s, s.read, scanToken, tokenQuery+` WHERE agent_id = ? ORDER BY id DESC`, agent)
	if err != nil {
		return nil, fmt.Errorf("list tokens of agent %s: %w", agent, err)
	}
	return found, nil
}

// RevokeToken ends one of an agent's tokens; desk.ErrNotFound when it is not his.
func (s *Store) RevokeToken(ctx context.Context, agent, id desk.ID) error {
	err := s.write(ctx, func(t *tx) error {
		return changed(t.exec(`DELETE FROM tokens WHERE id = ? AND agent_id = ?`, id, agent))
	})
	if err != nil {
		return fmt.Errorf("revoke token %s: %w", id, err)
	}
	return nil
}
