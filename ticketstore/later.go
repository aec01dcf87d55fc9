package ticketstore

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// A queued statement is a write nobody waits for inside its transaction.
type queued struct {
	sql   string
	args  []any
	check func(touched int64) error // nil: any number will do
}

// later runs a statement over all rows of b before the transaction commits: on PostgreSQL together with the others in one round
// trip, in their order; on SQLite at once, where there is no distance to save. check judges how many rows it touched.
//
// Nothing read afterwards in this transaction may depend on it.
func (t *tx) later(b *bulk, check func(int64) error, query string, args ...any) error {
	if t.flushes == nil {
		n, err := t.bulkExec(b, query, args...)
		if err == nil && check != nil {
			err = check(n)
		}
		return err
	}
	return t.inParts(b, query, args, func(q string, all []any) error {
		t.queue = append(t.queue, queued{sql: q, args: all, check: check})
		return nil
	})
}

// flush sends what later has queued.
func (t *tx) flush() error {
	if len(t.queue) == 0 {
		return nil
	}
	q := t.queue
	t.queue = nil
	return t.flushes(t.ctx, q)
}

// sendQueued is flush on a PostgreSQL connection; driver is what database/sql calls it.
func sendQueued(ctx context.Context, driver any, queue []queued) error {
	c, ok := driver.(*stdlib.Conn)
	if !ok {
		return fmt.Errorf("unexpected driver connection %T", driver)
	}
	batch := &pgx.Batch{}
	for _, q := range queue {
		batch.Queue(q.sql, q.args...)
	}
	results := c.Conn().SendBatch(ctx, batch)
	for _, q := range queue {
		tag, err := results.Exec()
		if err == nil && q.check != nil {
			err = q.check(tag.RowsAffected())
		}
		if err != nil {
			results.Close() // its own error is the same one
			return err
		}
	}
	return results.Close()
}
