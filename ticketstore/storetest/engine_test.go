package storetest

import (
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hearback/desk"
	"hearback/ticketstore"
	"hearback/vault"
)

// columns lists "table.column null default?" of a migrated database, without what only one engine has: its search index and the
// migrations' own table.
func columns(t *testing.T, driver, dsn, query string) []string {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var found []string
	for rows.Next() {
		var table, column, kind string
		var required bool
		if err := rows.Scan(&table, &column, &kind, &required); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(table, "search") || strings.HasPrefix(table, "goose") || strings.HasPrefix(table, "sqlite") {
			continue
		}
		found = append(found, fmt.Sprintf("%s.%s %s %v", table, column, sameType[strings.ToUpper(kind)], required))
	}
	slices.Sort(found)
	return found
}

// sameType maps what the engines call their types to one word.
var sameType = map[string]string{"TEXT": "text", "JSONB": "text", "BIGINT": "number", "INTEGER": "number", "BOOLEAN": "bool", "BLOB": "bytes", "BYTEA": "bytes"}

func TestBothEnginesHaveTheSameTablesAndColumns(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hearback.db")
	Open(t, Options(file))
	url := PostgresURL(t)
	Open(t, Options(url))
	lite := columns(t, "sqlite", file, `SELECT m.name, c.name, c.type, c."notnull" <> 0 OR c.pk > 0 FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'`)
	post := columns(t, "pgx", url, `SELECT table_name, column_name, data_type, is_nullable = 'NO' FROM information_schema.columns WHERE table_schema = 'public'`)
	if len(lite) < 150 {
		t.Fatalf("only %d columns found", len(lite))
	}
	for _, c := range lite {
		if !slices.Contains(post, c) {
			t.Errorf("PostgreSQL has no %s", c)
		}
	}
	for _, c := range post {
		if !slices.Contains(lite, c) {
			t.Errorf("SQLite has no %s", c)
		}
	}
}

func eachEngine(t *testing.T, f func(t *testing.T, url string)) {
	for _, name := range slices.Sorted(maps.Keys(engines)) {
		t.Run(name, func(t *testing.T) { f(t, engines[name](t)) })
	}
}

var engines = map[string]func(testing.TB) string{"sqlite": sqliteURL, "postgres": PostgresURL}

func TestWrongMasterKeyStopsTheStartAndChangesNothing(t *testing.T) {
	eachEngine(t, func(t *testing.T, url string) {
		s, err := ticketstore.Open(t.Context(), Options(url))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		other, err := vault.Open(vault.NewKey())
		if err != nil {
			t.Fatal(err)
		}
		opt := Options(url)
		opt.Vault = other
		if _, err := ticketstore.Open(t.Context(), opt); !errors.Is(err, vault.ErrWrongKey) || !strings.Contains(err.Error(), "master key") {
			t.Errorf("opened with a foreign key: %v", err)
		}
		Open(t, Options(url)) // the right key still fits
	})
}

func TestAddressesThatCannotBeOpenedAreNamed(t *testing.T) {
	for _, url := range []string{"", "mysql://x/y", "sqlite:", "postgres://127.0.0.1:1/x?connect_timeout=1"} {
		if s, err := ticketstore.Open(t.Context(), ticketstore.Options{URL: url}); err == nil {
			t.Errorf("opened %q", url)
			s.Close()
		}
	}
}

func TestAReadOnlyDatabaseIsUnavailableAndRecovers(t *testing.T) {
	url := PostgresURL(t)
	opt := Options(url)
	opt.Vault = nil
	s := Open(t, opt)
	set := func(on string) {
		t.Helper()
		db, err := sql.Open("pgx", url)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		var name string
		if err := db.QueryRow(`SELECT current_database()`).Scan(&name); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec("ALTER DATABASE " + name + " SET default_transaction_read_only = " + on); err != nil {
			// The setting holds for this session too once it is on.
			if _, err := db.Exec("BEGIN READ WRITE; ALTER DATABASE " + name + " SET default_transaction_read_only = " + on + "; COMMIT"); err != nil {
				t.Fatal(err)
			}
		}
		// Sessions take the setting over when they begin: end those the store has.
		if _, err := db.Exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`); err != nil {
			t.Fatal(err)
		}
	}
	put := func() error {
		return s.PutInbox(t.Context(), []*ticketstore.Arrival{{ChannelID: channel, Envelopes: []desk.Envelope{{ExternalID: "1", Sender: "v", Raw: []byte("x")}}}}, desk.At(time.Now()))
	}
	set("on")
	if err := put(); !errors.Is(err, desk.ErrUnavailable) {
		t.Errorf("read only: %v", err)
	}
	if err := put(); !errors.Is(err, desk.ErrUnavailable) {
		t.Errorf("read only, second try: %v", err)
	}
	set("off")
	err := put()
	if errors.Is(err, desk.ErrUnavailable) {
		err = put() // the first try may find the ended session
	}
	if err != nil {
		t.Errorf("afterwards: %v", err)
	}
	if n, err := s.LedgerCounts(t.Context()); err != nil || n[""] != 1 {
		t.Errorf("%v envelopes kept, %v", n, err)
	}
}

func TestALockedSQLiteFileIsUnavailableAndRecovers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hearback.db")
	opt := Options(file)
	s := Open(t, opt)
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	put := func(size int) error {
		return s.PutInbox(t.Context(), []*ticketstore.Arrival{{ChannelID: channel, Envelopes: []desk.Envelope{{ExternalID: fmt.Sprint(size), Sender: "v", Raw: make([]byte, size)}}}}, 0)
	}
	// Another process holds the file: writing is refused after the busy timeout.
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	if err := put(1); !errors.Is(err, desk.ErrUnavailable) {
		t.Errorf("locked: %v", err)
	}
	if _, err := db.Exec("ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := put(2); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
