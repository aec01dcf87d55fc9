package ticketstore

import (
	"context"
	"encoding/json"

	"hearback/desk"
)

func (s *Store) Audit(ctx context.Context, actor desk.ID, action, object string, detail any) error {
	return errUnwritten
}

func (s *Store) AuditTrail(ctx context.Context, cursor string, limit int) ([]AuditEntry, string, error) {
	return nil, "", errUnwritten
}

// An AuditEntry is one act of a person that others may ask about.
type AuditEntry struct {
	ID      desk.ID
	At      desk.Time
	ActorID desk.ID
	Action  string
	Object  string
	Detail  json.RawMessage
}
