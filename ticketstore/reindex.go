package ticketstore

import (
	"context"
	"fmt"

	"hearback/desk"
)

// Reindex makes every subject and message findable again, after a change of the tokenizer or a restore without the index. It
// works in small transactions beside the running house and can be repeated. It returns how many texts it indexed.
func (s *Store) Reindex(ctx context.Context) (int, error) {
	total := 0
	for _, query := range []string{
		`SELECT id, id, subject FROM tickets WHERE id > ? ORDER BY id LIMIT 500`,
		`SELECT id, ticket_id, text FROM messages WHERE id > ? ORDER BY id LIMIT 500`,
	} {
		n, err := s.reindex(ctx, query)
		total += n
		if err != nil {
			return total, fmt.Errorf("index again: %w", err)
		}
	}
	return total, nil
}

func (s *Store) reindex(ctx context.Context, query string) (total int, err error) {
	var last desk.ID
	for {
		var texts []indexed
		err := s.write(ctx, func(t *tx) (err error) {
			texts, err = list(t.ctx, s, t, into(func(x *indexed) []any {
				return []any{&x.MessageID, &x.TicketID, &x.Text}
			}), query, last)
			if err == nil {
				err = indexTexts(t, texts...)
			}
			return err
		})
		if err != nil || len(texts) == 0 {
			return total, err
		}
		total += len(texts)
		last = texts[len(texts)-1].MessageID
	}
}
