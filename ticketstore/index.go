package ticketstore

import (
	"context"
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"

	"hearback/desk"
)

// An indexed is one text the search finds: a message's, or a ticket's subject (MessageID is then the ticket's id).
type indexed struct {
	MessageID desk.ID
	TicketID  desk.ID
	Text      string
}

// indexTexts makes texts findable, in the transaction that writes them. A text indexed before under the same MessageID is
// replaced. tokenize nil indexes nothing.
func indexTexts(ctx context.Context, tx *sqlx.Tx, tokenize func(string) (words, singles string), texts ...indexed) error {
	if tokenize == nil {
		return nil
	}
	const chunk = 200
	for len(texts) > 0 {
		n := min(chunk, len(texts))
		var err error
		if tx.DriverName() == "pgx" {
			err = indexPostgres(ctx, tx, tokenize, texts[:n])
		} else {
			err = indexSQLite(ctx, tx, tokenize, texts[:n])
		}
		if err != nil {
			return fmt.Errorf("index texts: %w", err)
		}
		texts = texts[n:]
	}
	return nil
}

func indexPostgres(ctx context.Context, tx *sqlx.Tx, tokenize func(string) (string, string), texts []indexed) error {
	var (
		rows []string
		args []any
	)
	for _, t := range texts {
		words, singles := tokenize(t.Text)
		rows = append(rows, "(?, ?, to_tsvector('simple', ?), to_tsvector('simple', ?))")
		args = append(args, t.MessageID, t.TicketID, words, singles)
	}
	_, err := tx.ExecContext(ctx, tx.Rebind(`INSERT INTO search (message_id, ticket_id, words, singles) VALUES `+strings.Join(rows, ", ")+
		` ON CONFLICT (message_id) DO UPDATE SET ticket_id = excluded.ticket_id, words = excluded.words, singles = excluded.singles`), args...)
	return err
}

// indexSQLite keeps the index's row numbers in search_rows, because an FTS5 table finds its rows by number only.
func indexSQLite(ctx context.Context, tx *sqlx.Tx, tokenize func(string) (string, string), texts []indexed) error {
	for _, t := range texts {
		var n int64
		err := tx.QueryRowxContext(ctx, `INSERT INTO search_rows (message_id, ticket_id) VALUES (?, ?)
			ON CONFLICT (message_id) DO UPDATE SET ticket_id = excluded.ticket_id RETURNING n`, t.MessageID, t.TicketID).Scan(&n)
		if err != nil {
			return err
		}
		words, singles := tokenize(t.Text)
		if _, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO search (rowid, words, singles) VALUES (?, ?, ?)`, n, words, singles); err != nil {
			return err
		}
	}
	return nil
}

// moveIndex makes messages findable under another ticket, for Merge and Split.
func moveIndex(ctx context.Context, tx *sqlx.Tx, to desk.ID, messages []desk.ID) error {
	if len(messages) == 0 {
		return nil
	}
	table := "search_rows"
	if tx.DriverName() == "pgx" {
		table = "search"
	}
	q, args, err := sqlx.In(`UPDATE `+table+` SET ticket_id = ? WHERE message_id IN (?)`, to, messages)
	if err == nil {
		_, err = tx.ExecContext(ctx, tx.Rebind(q), args...)
	}
	if err != nil {
		return fmt.Errorf("move index: %w", err)
	}
	return nil
}
