package main

import (
	"database/sql"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
)

// setReadOnly switches a PostgreSQL database to read only, or back, also for the connections that are open.
func setReadOnly(t *testing.T, url string, on bool) {
	t.Helper()
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var name string
	if err := db.QueryRow("SELECT current_database()").Scan(&name); err != nil {
		t.Fatal(err)
	}
	value := "off"
	if on {
		value = "on"
	}
	for _, q := range []string{
		`SET default_transaction_read_only = off`,
		`ALTER DATABASE "` + name + `" SET default_transaction_read_only = ` + value,
		`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
	} {
		if _, err := db.Exec(q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
}
