package ticketstore

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations
var migrations embed.FS

// A dialect is where the engines differ; everything else is the same SQL on both.
type dialect struct {
	name       string // "sqlite" or "postgres"
	goose      goose.Dialect
	forUpdate  string // locks the rows of a SELECT; SQLite's one writer needs none
	skipLocked string // the same, passing by rows others hold
	tables     string // counts tables by name
	bind       int
}

var (
	sqliteDialect = dialect{name: "sqlite", goose: goose.DialectSQLite3, bind: sqlx.QUESTION,
		tables: `SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = ?`}
	postgresDialect = dialect{name: "postgres", goose: goose.DialectPostgres, bind: sqlx.DOLLAR,
		forUpdate: " FOR UPDATE", skipLocked: " FOR UPDATE SKIP LOCKED",
		tables: `SELECT COUNT(*) FROM pg_tables WHERE schemaname = ANY (current_schemas(false)) AND tablename = ?`}
)

// dialectOf reads Options.URL: postgres://…, sqlite:PATH or a bare path.
func dialectOf(address string) (dialect, string, error) {
	switch {
	case address == "":
		return dialect{}, "", fmt.Errorf("no database address given")
	case strings.HasPrefix(address, "postgres://"), strings.HasPrefix(address, "postgresql://"):
		return postgresDialect, address, nil
	case strings.HasPrefix(address, "sqlite:"):
		return sqliteDialect, strings.TrimPrefix(address, "sqlite:"), nil
	case strings.Contains(address, "://"):
		scheme, _, _ := strings.Cut(address, "://")
		return dialect{}, "", fmt.Errorf("database address of unknown kind %q: want postgres://… or sqlite:PATH", scheme)
	}
	return sqliteDialect, address, nil
}

// rebind turns ? into the engine's marks. On SQLite they are right already.
func (d dialect) rebind(query string) string {
	if d.bind == sqlx.QUESTION {
		return query
	}
	return sqlx.Rebind(d.bind, query)
}

func (d dialect) hasTable(ctx context.Context, db *sqlx.DB, name string) (bool, error) {
	var n int
	err := db.GetContext(ctx, &n, d.rebind(d.tables), name)
	return n > 0, err
}

// migrate brings the schema up to date. On PostgreSQL an advisory lock makes nodes that start together take turns.
func (s *Store) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations/"+s.dialect.name)
	if err != nil {
		return err
	}
	opts := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true), goose.WithVerbose(false)}
	db := s.read
	if s.writer != nil {
		db = s.writer.db
	} else {
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 60))
		if err != nil {
			return err
		}
		opts = append(opts, goose.WithSessionLocker(locker))
	}
	p, err := goose.NewProvider(s.dialect.goose, db.DB, files, opts...)
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

// sqliteDSN makes the driver's address for a file: WAL so that readers never wait, FULL so that a commit survives a power cut.
func sqliteDSN(path string, readOnly bool) (string, error) {
	if path == "" || strings.HasPrefix(path, ":memory:") {
		return "", fmt.Errorf("want a file for the SQLite database")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("make data folder: %w", err)
	}
	q := url.Values{}
	for _, p := range []string{"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(0)",
		"cache_size(-16000)", "wal_autocheckpoint(4000)", "temp_store(MEMORY)"} {
		q.Add("_pragma", p)
	}
	if readOnly {
		q.Add("_pragma", "query_only(1)")
	}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}).String(), nil
}
