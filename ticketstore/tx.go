package ticketstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"
)

// A tx is one write transaction. It belongs to the function given to Store.write and carries its context.
type tx struct {
	ctx context.Context
	s   *Store
	try int  // from 0: how often this transaction was run before
	on  conn // *sqlx.Tx, or SQLite's writer with its prepared statements

	queue   []queued                              // see later
	flushes func(context.Context, []queued) error // nil on SQLite
}

// conn is what *sqlx.Tx and writer have in common.
type conn interface {
	sqlx.QueryerContext
	sqlx.ExecerContext
}

// write runs f in one transaction: all of it commits or nothing does. Errors of the database come back as the desk's.
//
// PostgreSQL may pick the transaction as the victim of a deadlock or a serialization failure; it is then run again, so f must
// not keep results of a failed run.
func (s *Store) write(ctx context.Context, f func(*tx) error) error {
	return s.writeOn(ctx, s.read, f)
}

// writeKeyed is write for a transaction whose statements find every row by a key.
func (s *Store) writeKeyed(ctx context.Context, f func(*tx) error) error {
	return s.writeOn(ctx, s.keyed, f)
}

// writeRepeatable is writeKeyed for a transaction that finds its work again when it is undone: on PostgreSQL the commit does not
// wait for the disk (synchronous_commit off). Any later commit that waits carries it along, so nothing that builds on it and
// was promised to anybody can survive without it; a crash of the database itself (not of the gateway) within the same moment
// undoes it, and the work is done again. SQLite waits always.
func (s *Store) writeRepeatable(ctx context.Context, f func(*tx) error) error {
	return s.writeOn(ctx, s.repeats, f)
}

func (s *Store) writeOn(ctx context.Context, pool *sqlx.DB, f func(*tx) error) error {
	run := func(ctx context.Context, try int, f func(*tx) error) error { return s.writePostgres(ctx, pool, try, f) }
	if s.writer != nil {
		run = s.writeSQLite
	}
	for try := 0; ; try++ {
		err := run(ctx, try, f)
		if err == nil || try == 3 || !isVictim(err) {
			return s.fault(err)
		}
	}
}

func (s *Store) writePostgres(ctx context.Context, pool *sqlx.DB, try int, f func(*tx) error) (err error) {
	c, err := pool.Connx(ctx)
	if err != nil {
		return fmt.Errorf("take connection: %w", err)
	}
	defer c.Close() // gives it back
	on, err := c.BeginTxx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer on.Rollback() // nothing after a commit; also on panic
	t := &tx{ctx: ctx, s: s, try: try, on: on, flushes: func(ctx context.Context, q []queued) error {
		return c.Raw(func(driver any) error { return sendQueued(ctx, driver, q) })
	}}
	if err := f(t); err != nil {
		return err
	}
	if err := t.flush(); err != nil {
		return err
	}
	if err := on.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// writeSQLite waits for the one writing connection. Once the transaction has begun it is not interrupted: it is short, and an
// interrupted statement costs a goroutine per call.
func (s *Store) writeSQLite(ctx context.Context, try int, f func(*tx) error) (err error) {
	c := s.writer
	if err := c.take(ctx); err != nil {
		return err
	}
	defer c.give()
	ctx = context.WithoutCancel(ctx)
	if _, err := c.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		c.suspect(err)
		return fmt.Errorf("begin: %w", err)
	}
	committed := false
	defer func() {
		if !committed {
			_, undone := c.ExecContext(ctx, "ROLLBACK")
			c.suspect(undone)
		}
	}()
	if err := f(&tx{ctx: ctx, s: s, try: try, on: c}); err != nil {
		return err
	}
	if _, err := c.ExecContext(ctx, "COMMIT"); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	committed = true
	return nil
}

// q writes a query with ? marks in the engine's own way.
func (s *Store) q(query string) string { return s.dialect.rebind(query) }

// exec runs a statement and returns how many rows it touched.
func (t *tx) exec(query string, args ...any) (int64, error) {
	r, err := t.on.ExecContext(t.ctx, t.s.q(query), cleanAll(args)...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// get reads one row into dest (a struct with db tags, or a plain value); sql.ErrNoRows when there is none.
func (t *tx) get(dest any, query string, args ...any) error {
	return sqlx.GetContext(t.ctx, t.on, dest, t.s.q(query), cleanAll(args)...)
}

// all reads every row into dest, a pointer to a slice.
func (t *tx) all(dest any, query string, args ...any) error {
	return sqlx.SelectContext(t.ctx, t.on, dest, t.s.q(query), cleanAll(args)...)
}

// each calls scan for every row.
func (t *tx) each(scan func(*sql.Rows) error, query string, args ...any) error {
	rows, err := t.on.QueryContext(t.ctx, t.s.q(query), cleanAll(args)...)
	if err != nil {
		return err
	}
	return eachRow(rows, scan)
}

func eachRow(rows *sql.Rows, scan func(*sql.Rows) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// QueryContext lets list and one read inside the transaction. The query must be rebound already.
func (t *tx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return t.on.QueryContext(ctx, query, args...)
}

// noRow tells that a query found nothing.
func noRow(err error) bool { return errors.Is(err, sql.ErrNoRows) }
