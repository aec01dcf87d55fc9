package ticketstore

import (
	"context"
	"fmt"
	"strings"

	"hearback/desk"
)

// ledgerTables joins an envelope with what still waits and what became of it.
const ledgerTables = ` FROM inbox i LEFT JOIN inbox_due d ON d.channel_id = i.channel_id AND d.sender = i.sender AND d.seq = i.seq
	LEFT JOIN inbox_outcomes o ON o.id = i.id `

const ledgerColumns = `i.id, i.channel_id, i.kind, i.type, i.external_id, i.sender, i.received_at, COALESCE(o.state, 'new'), ` +
	`COALESCE(o.attempts, d.attempts, 0), COALESCE(o.outcome, ''), COALESCE(o.reason, d.reason, ''), COALESCE(o.ticket_id, ''), COALESCE(o.message_id, '')`

func scanLedger(row scanner) (LedgerEntry, error) {
	var e LedgerEntry
	err := row.Scan(&e.ID, &e.ChannelID, &e.Kind, &e.Type, &e.ExternalID, &e.Sender, &e.ReceivedAt, &e.State, &e.Attempts, &e.Outcome,
		&e.Reason, &e.TicketID, &e.MessageID)
	return e, err
}

// Ledger lists what arrived, newest first, with what became of it. next is the following page's cursor, "" at the end.
func (s *Store) Ledger(ctx context.Context, f LedgerFilter) (items []LedgerEntry, next string, err error) {
	where, args := []string{"1 = 1"}, []any{}
	narrow := func(condition string, value string) {
		if value != "" {
			where, args = append(where, condition), append(args, value)
		}
	}
	narrow("o.outcome = ?", string(f.Outcome))
	switch f.State {
	case "new":
		where = append(where, "d.id IS NOT NULL")
	default:
		narrow("o.state = ?", f.State)
	}
	narrow("i.channel_id = ?", f.ChannelID)
	if f.Cursor != "" {
		var last desk.ID
		if err := decodeCursor(f.Cursor, &last); err != nil {
			return nil, "", err
		}
		narrow("i.id < ?", last)
	}
	limit := pageSize(f.Limit)
	items, err = list(ctx, s, s.read, scanLedger, `SELECT `+ledgerColumns+ledgerTables+`WHERE `+strings.Join(where, " AND ")+
		` ORDER BY i.id DESC LIMIT ?`, append(args, limit+1)...)
	if err != nil {
		return nil, "", fmt.Errorf("list ledger: %w", err)
	}
	items, next = pageByID(items, limit, func(e LedgerEntry) desk.ID { return e.ID })
	return items, next, nil
}

// LedgerEntryByID returns one entry with its envelope; desk.ErrNotFound when there is none.
func (s *Store) LedgerEntryByID(ctx context.Context, id desk.ID) (LedgerEntry, desk.Envelope, error) {
	entry, err := one(ctx, s, s.read, scanLedger, `SELECT `+ledgerColumns+ledgerTables+`WHERE i.id = ?`, id)
	if err != nil {
		return entry, desk.Envelope{}, fmt.Errorf("read ledger entry: %w", err)
	}
	env, err := one(ctx, s, s.read, scanEnvelope, `SELECT `+envelopeColumns+ledgerTables+`WHERE i.id = ?`, id)
	if err != nil {
		return entry, env, fmt.Errorf("read envelope: %w", err)
	}
	return entry, env, nil
}

// LedgerCounts counts envelopes by outcome; "" counts those on their way.
func (s *Store) LedgerCounts(ctx context.Context) (map[desk.Outcome]int, error) {
	counts := map[desk.Outcome]int{}
	rows, err := s.read.QueryContext(ctx, `SELECT outcome, COUNT(*) FROM inbox_outcomes GROUP BY outcome
		UNION ALL SELECT '', COUNT(*) FROM inbox_due`)
	if err != nil {
		return nil, fmt.Errorf("count ledger: %w", s.fault(err))
	}
	defer rows.Close()
	for rows.Next() {
		var o desk.Outcome
		var n int
		if err := rows.Scan(&o, &n); err != nil {
			return nil, fmt.Errorf("count ledger: %w", s.fault(err))
		}
		counts[o] = n
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("count ledger: %w", s.fault(err))
	}
	return counts, nil
}
