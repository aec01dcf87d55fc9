package ticketstore

import (
	"context"
	"fmt"

	"hearback/desk"
)

const sessionQuery = `SELECT id, agent_id, user_agent, address, created_at, seen_at, expires_at FROM sessions`

func scanSession(row scanner) (Session, error) {
	var x Session
	err := row.Scan(&x.ID, &x.AgentID, &x.UserAgent, &x.Address, &x.CreatedAt, &x.SeenAt, &x.ExpiresAt)
	return x, err
}

// CreateSession stores a log-in under the hash of its token; the token itself is never stored. Sessions that have expired are
// swept out with it.
func (s *Store) CreateSession(ctx context.Context, session Session, tokenHash string) (Session, error) {
	session.ID = desk.NewID()
	session.CreatedAt = s.now()
	session.SeenAt = session.CreatedAt
	err := s.write(ctx, func(t *tx) error {
		if _, err := t.exec(`DELETE FROM sessions WHERE expires_at <= ?`, session.CreatedAt); err != nil {
			return err
		}
		_, err := t.exec(`INSERT INTO sessions (token_hash, id, agent_id, user_agent, address, created_at, seen_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			tokenHash, session.ID, session.AgentID, session.UserAgent, session.Address, session.CreatedAt, session.SeenAt, session.ExpiresAt)
		return err
	})
	if err != nil {
		return Session{}, fmt.Errorf("create session: %w", err)
	}
	return session, nil
}

// SessionByHash reads the session of a token; desk.ErrNotFound when there is none or it has expired.
func (s *Store) SessionByHash(ctx context.Context, tokenHash string) (Session, error) {
	x, err := one(ctx, s, s.read, scanSession, sessionQuery+` WHERE token_hash = ? AND expires_at > ?`, tokenHash, s.now())
	if err != nil {
		return Session{}, fmt.Errorf("read session: %w", err)
	}
	return x, nil
}

// TouchSession notes that a session was used and until when it lives now.
func (s *Store) TouchSession(ctx context.Context, id desk.ID, seen, expires desk.Time) error {
	err := s.write(ctx, func(t *tx) error {
		return changed(t.exec(`UPDATE sessions SET seen_at = ?, expires_at = ? WHERE id = ?`, seen, expires, id))
	})
	if err != nil {
		return fmt.Errorf("touch session %s: %w", id, err)
	}
	return nil
}

// Sessions lists where an agent is logged in, the last used first.
func (s *Store) Sessions(ctx context.Context, agent desk.ID) ([]Session, error) {
	found, err := list(ctx, s, s.read, scanSession, sessionQuery+` WHERE agent_id = ? AND expires_at > ? ORDER BY seen_at DESC, id DESC`, agent, s.now())
	if err != nil {
		return nil, fmt.Errorf("list sessions of agent %s: %w", agent, err)
	}
	return found, nil
}

// RevokeSession ends one of an agent's sessions; desk.ErrNotFound when it is not his or has ended.
func (s *Store) RevokeSession(ctx context.Context, agent, id desk.ID) error {
	err := s.write(ctx, func(t *tx) error {
		return changed(t.exec(`DELETE FROM sessions WHERE id = ? AND agent_id = ?`, id, agent))
	})
	if err != nil {
		return fmt.Errorf("revoke session %s: %w", id, err)
	}
	return nil
}

// RevokeSessions ends all of an agent's sessions but one ("": all) and returns which.
func (s *Store) RevokeSessions(ctx context.Context, agent, except desk.ID) (ended []desk.ID, err error) {
	err = s.write(ctx, func(t *tx) error {
		ended, err = list(t.ctx, s, t, plain[desk.ID], `DELETE FROM sessions WHERE agent_id = ? AND id <> ? RETURNING id`, agent, except)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("revoke sessions of agent %s: %w", agent, err)
	}
	return ended, nil
}
