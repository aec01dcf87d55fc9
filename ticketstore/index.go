package ticketstore

import (
	"fmt"
	"strconv"
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
	if tokenize == nil || len(texts) == 0 {
		return nil
	}
	write := indexSQLite
	if t.s.dialect.name == "postgres" {
		write = indexPostgres
	}
	texts = lastOfEach(texts) // one statement must not write a row twice
	b := newBulk("message_id text, ticket_id text, words text, singles text", len(texts))
	for _, text := range texts {
		words, singles := tokenize(text.Text)
		b.add(text.MessageID, text.TicketID, words, singles)
	}
	if err := write(t, b); err != nil {
		return fmt.Errorf("index texts: %w", err)
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

// indexPostgres hands over finished vectors: the tokens are folded and cut already, so PostgreSQL's own parser, which costs more
// than all the rest, has nothing to add.
func indexPostgres(t *tx, texts *bulk) error {
	for i := 0; i < len(texts.vals); i += len(texts.cols) {
		texts.vals[i+2], texts.vals[i+3] = vector(texts.vals[i+2].(string)), vector(texts.vals[i+3].(string))
	}
	return t.later(texts, nil, `INSERT INTO search (message_id, ticket_id, words, singles)
		SELECT message_id, ticket_id, CAST(words AS tsvector), CAST(singles AS tsvector) FROM v
		ON CONFLICT (message_id) DO UPDATE SET ticket_id = excluded.ticket_id, words = excluded.words, singles = excluded.singles`)
}

// A vector has room for so many tokens of so many bytes; what lies beyond is not found.
const (
	maxTokens = 10000
	maxToken  = 200
)

// vector writes tokens as a tsvector's text: quoted, each with its place.
func vector(tokens string) string {
	var b strings.Builder
	n := 0
	for token := range strings.FieldsSeq(tokens) {
		if n++; n > maxTokens {
			break
		}
		if len(token) > maxToken {
			continue
		}
		b.WriteByte('\'')
		b.WriteString(tsEscaper.Replace(token))
		b.WriteString("':")
		b.WriteString(strconv.Itoa(n))
		b.WriteByte(' ')
	}
	return b.String()
}

// indexSQLite keeps the index's row numbers in search_rows, because an FTS5 table finds its rows by number only. What is indexed
// already is taken out first; then all rows go in by one statement, because FTS5 writes its tree anew for every statement.
func indexSQLite(t *tx, texts *bulk) error {
	if err := t.later(texts, nil, `DELETE FROM search WHERE rowid IN (SELECT r.n FROM v CROSS JOIN search_rows r WHERE r.message_id = v.message_id)`); err != nil {
		return err
	}
	if err := t.later(texts, nil, `INSERT INTO search_rows (message_id, ticket_id) SELECT message_id, ticket_id FROM v WHERE true
		ON CONFLICT (message_id) DO UPDATE SET ticket_id = excluded.ticket_id`); err != nil {
		return err
	}
	return t.later(texts, nil, `INSERT INTO search (rowid, words, singles)
		SELECT r.n, v.words, v.singles FROM v CROSS JOIN search_rows r WHERE r.message_id = v.message_id`)
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
