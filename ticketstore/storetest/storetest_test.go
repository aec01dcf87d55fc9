package storetest

import (
	"path/filepath"
	"testing"
)

func sqliteURL(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "hearback.db") }

func TestSQLite(t *testing.T)   { Run(t, sqliteURL) }
func TestPostgres(t *testing.T) { Run(t, migratedURL) }
