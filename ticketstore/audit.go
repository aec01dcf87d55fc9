package ticketstore

import (
	"context"
	"encoding/json"
	"fmt"

	"hearback/desk"
)

// An AuditEntry is one act of a person that others may ask about.
type AuditEntry struct {
	ID      desk.ID
	At      desk.Time
	ActorID desk.ID
	Action  string // channel.update, agent.create, …
	Object  string // what it was done to: an id
	Detail  json.RawMessage
}

// Audit writes down what somebody did. detail becomes JSON and must hold no secret; nil is nothing more to say.
func (s *Store) Audit(ctx context.Context, actor desk.ID, action, object string, detail any) error {
	body := []byte("{}")
	if detail != nil {
		var err error
		if body, err = json.Marshal(detail); err != nil {
			return fmt.Errorf("audit %s: %w", action, err)
		}
	}
	err := s.write(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO audit (id, at, actor_id, action, object, detail) VALUES (?, ?, ?, ?, ?, ?)`,
			desk.NewID(), s.now(), actor, action, object, rawJSON(body))
		return err
	})
	if err != nil {
		return fmt.Errorf("audit %s: %w", action, err)
	}
	return nil
}

// AuditTrail lists what was written down, the latest first.
func (s *Store) AuditTrail(ctx context.Context, cursor string, limit int) (entries []AuditEntry, next string, err error) {
	where, args := "1 = 1", []any{}
	if cursor != "" {
		var last desk.ID
		if err := decodeCursor(cursor, &last); err != nil {
			return nil, "", fmt.Errorf("list audit: %w", err)
		}
		where, args = "id < ?", []any{last}
	}
	limit = pageSize(limit)
	entries, err = list(ctx, s, s.read, into(func(e *AuditEntry) []any {
		return []any{&e.ID, &e.At, &e.ActorID, &e.Action, &e.Object, jsonInto{&e.Detail}}
	}), `SELECT id, at, actor_id, action, object, detail FROM audit WHERE `+where+` ORDER BY id DESC LIMIT ?`, append(args, limit+1)...)
	if err != nil {
		return nil, "", fmt.Errorf("list audit: %w", err)
	}
	entries, next = pageByID(entries, limit, func(e AuditEntry) desk.ID { return e.ID })
	return entries, next, nil
}
