package ticketstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/jmoiron/sqlx"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// A pool's session settings; they live here so that an operator's defaults cannot weaken them.
var (
	// usual: a commit that returns is on disk.
	usual = map[string]string{"synchronous_commit": "on"}
	// keyed is for statements that find every row by a key. A plan made while a table was small would read all of it, and is
	// kept until the table's next statistics: with a table that grows by thousands of rows a second that is far too long.
	keyed = map[string]string{"synchronous_commit": "on", "enable_seqscan": "off"}
	// repeats is keyed, for work that repeats itself when a crash of the database undoes it.
	repeats = map[string]string{"synchronous_commit": "off", "enable_seqscan": "off"}
)

// openPostgres opens a pool; the first query connects.
func openPostgres(dsn string, settings map[string]string) (*sqlx.DB, error) {
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		// pgx hides the password in its message.
		return nil, fmt.Errorf("read database address: %w", err)
	}
	cfg.RuntimeParams["application_name"] = "hearback"
	maps.Copy(cfg.RuntimeParams, settings)
	cfg.StatementCacheCapacity = 512
	db := stdlib.OpenDB(*cfg)
	db.SetMaxOpenConns(max(12, 4*runtime.NumCPU()))
	db.SetMaxIdleConns(max(12, 4*runtime.NumCPU()))
	db.SetConnMaxIdleTime(5 * time.Minute)
	return sqlx.NewDb(db, "pgx"), nil
}

// openSQLite opens the readers' pool and the one writer. The writer comes first: it makes the file and its WAL mode.
func openSQLite(ctx context.Context, path string) (*sqlx.DB, *writer, error) {
	sqlx.BindDriver("sqlite", sqlx.QUESTION) // sqlx 1.4 does not know this name
	dsn, err := sqliteDSN(path, false)
	if err != nil {
		return nil, nil, err
	}
	wdb, err := sqlx.Open("sqlite", dsn)
	if err != nil {
		return nil, nil, fmt.Errorf("open database file: %w", err)
	}
	wdb.SetMaxOpenConns(1)
	if err := wdb.PingContext(ctx); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open database file %s: %w", path, err), wdb.Close())
	}
	dsn, err = sqliteDSN(path, true)
	if err != nil {
		return nil, nil, errors.Join(err, wdb.Close())
	}
	rdb, err := sqlx.Open("sqlite", dsn)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open database file: %w", err), wdb.Close())
	}
	rdb.SetMaxOpenConns(max(4, runtime.NumCPU()))
	rdb.SetMaxIdleConns(max(4, runtime.NumCPU()))
	return rdb, &writer{db: wdb, turn: make(chan struct{}, 1)}, nil
}

// A writer is SQLite's only writing connection, pinned, with its prepared statements: writing the same statement anew for
// every message would cost more than running it.
type writer struct {
	db    *sqlx.DB
	turn  chan struct{} // holds one token while somebody writes
	conn  *sqlx.Conn
	stmts map[string]*sqlx.Stmt
	bad   bool // the connection must not be used again
}

// maxStmts bounds the prepared statements kept; the store's own are about a hundred in a few batch sizes each.
const maxStmts = 512

// take waits for the turn and makes sure there is a connection.
func (w *writer) take(ctx context.Context) error {
	select {
	case w.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	if w.bad {
		w.drop()
	}
	if w.conn != nil {
		return nil
	}
	c, err := w.db.Connx(context.WithoutCancel(ctx))
	if err != nil {
		w.give()
		return fmt.Errorf("take writing connection: %w", err)
	}
	w.conn, w.stmts = c, map[string]*sqlx.Stmt{}
	return nil
}

func (w *writer) give() { <-w.turn }

// suspect marks the connection as broken when err says so; the next writer gets a new one.
func (w *writer) suspect(err error) {
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || (err != nil && strings.Contains(err.Error(), "within a transaction")) {
		w.bad = true
	}
}

func (w *writer) drop() error {
	var errs []error
	for _, st := range w.stmts {
		errs = append(errs, st.Close())
	}
	if w.conn != nil {
		// Raw with ErrBadConn makes the pool close the connection instead of keeping it.
		if w.bad {
			_ = w.conn.Raw(func(any) error { return driver.ErrBadConn })
		}
		errs = append(errs, w.conn.Close())
	}
	w.conn, w.stmts, w.bad = nil, nil, false
	return errors.Join(errs...)
}

func (w *writer) close() error {
	w.turn <- struct{}{} // wait for the transaction under way; never given back
	return errors.Join(w.drop(), w.db.Close())
}

// stmt returns the prepared form of query, nil when enough are kept already.
func (w *writer) stmt(ctx context.Context, query string) (*sqlx.Stmt, error) {
	if st, ok := w.stmts[query]; ok {
		return st, nil
	}
	if len(w.stmts) >= maxStmts {
		return nil, nil
	}
	st, err := w.conn.PreparexContext(ctx, query)
	if err != nil {
		return nil, err
	}
	w.stmts[query] = st
	return st, nil
}

// ExecContext, QueryContext, QueryxContext and QueryRowxContext make writer a conn.
func (w *writer) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	st, err := w.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	if st == nil {
		return w.conn.ExecContext(ctx, query, args...)
	}
	return st.ExecContext(ctx, args...)
}

// QueryContext is part of conn.
func (w *writer) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	st, err := w.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	if st == nil {
		return w.conn.QueryContext(ctx, query, args...)
	}
	return st.QueryContext(ctx, args...)
}

// QueryxContext is part of conn.
func (w *writer) QueryxContext(ctx context.Context, query string, args ...any) (*sqlx.Rows, error) {
	st, err := w.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	if st == nil {
		return w.conn.QueryxContext(ctx, query, args...)
	}
	return st.QueryxContext(ctx, args...)
}

// QueryRowxContext is part of conn; a statement that cannot be prepared shows its error at Scan.
func (w *writer) QueryRowxContext(ctx context.Context, query string, args ...any) *sqlx.Row {
	st, err := w.stmt(ctx, query)
	if err != nil || st == nil {
		return w.conn.QueryRowxContext(ctx, query, args...)
	}
	return st.QueryRowxContext(ctx, args...)
}
