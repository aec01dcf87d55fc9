package ticketstore

import (
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
// replaced. Without Options.Tokenize nothing is indexed.
func indexTexts(t *tx, texts ...indexed) error {
	tokenize := t.s.opt.Tokenize
	if tokenize == nil {
		return nil
	}
	write := indexSQLite
	if t.s.dialect.name == "postgres" {
		write = indexPostgres
	}
	texts = lastOfEach(texts) // one statement must not write a row twice
	const chunk = 200
	for len(texts) > 0 {
		n := min(chunk, len(texts))
		if err := write(t, tokenize, texts[:n]); err != nil {
			return fmt.Errorf("index texts: %w", err)
		}
		texts = texts[n:]
	}
	return nil
}

// lastOfEach keeps the last text of each message.
func lastOfEach(texts []indexed) []indexed {
	at := make(map[desk.ID]int, len(texts))
	var kept []indexed
	for _, t := range texts {
		if i, seen := at[t.MessageID]; seen {
			kept[i] = t
			continue
		}
		at[t.MessageID] = len(kept)
		kept = append(kept, t)
	}
	return kept
}

func indexPostgres(t *tx, tokenize func(string) (string, string), texts []indexed) error {
	var (
		rows []string
		args []any
	)
	for _, text := range texts {
		words, singles := tokenize(text.Text)
		rows = append(rows, "(?, ?, to_tsvector('simple', ?), to_tsvector('simple', ?))")
		args = append(args, text.MessageID, text.TicketID, words, singles)
	}
	_, err := t.exec(`INSERT INTO search (message_id, ticket_id, words, singles) VALUES `+strings.Join(rows, ", ")+
		` ON CONFLICT (message_id) DO UPDATE SET ticket_id = excluded.ticket_id, words = excluded.words, singles = excluded.singles`, args...)
	return err
}

// indexSQLite keeps the index's row numbers in search_rows, because an FTS5 table finds its rows by number only.
func indexSQLite(t *tx, tokenize func(string) (string, string), texts []indexed) error {
	for _, text := range texts {
		n, err := one(t.ctx, t.s, t, plain[int64], `INSERT INTO search_rows (message_id, ticket_id) VALUES (?, ?)
			ON CONFLICT (message_id) DO UPDATE SET ticket_id = excluded.ticket_id RETURNING n`, text.MessageID, text.TicketID)
		if err != nil {
			return err
		}
		words, singles := tokenize(text.Text)
		if _, err := t.exec(`INSERT OR REPLACE INTO search (rowid, words, singles) VALUES (?, ?, ?)`, n, words, singles); err != nil {
			return err
		}
	}
	return nil
}

// moveIndex makes messages findable under another ticket, for Merge and Split.
func moveIndex(t *tx, to desk.ID, messages []desk.ID) error {
	if len(messages) == 0 {
		return nil
	}
	table := "search_rows"
	if t.s.dialect.name == "postgres" {
		table = "search"
	}
	q, args, err := sqlx.In(`UPDATE `+table+` SET ticket_id = ? WHERE message_id IN (?)`, to, messages)
	if err == nil {
		_, err = t.exec(q, args...)
	}
	if err != nil {
		return fmt.Errorf("move index: %w", err)
	}
	return nil
}
