package storetest

import (
	"path/filepath"
	"testing"
	"time"

	"hearback/ticketstore"
	"hearback/vault"
)

// SQLite opens a fresh store in a temporary file.
func SQLite(t testing.TB) *ticketstore.Store {
	t.Helper()
	return Open(t, Options("sqlite:"+filepath.Join(t.TempDir(), "hearback.db")))
}

// Postgres opens a fresh store in a database of its own on the private server.
func Postgres(t testing.TB) *ticketstore.Store {
	t.Helper()
	return Open(t, Options(migratedURL(t)))
}

// Options are what tests open stores with: a vault of its own key and UTC days.
func Options(url string) ticketstore.Options {
	return ticketstore.Options{URL: url, Vault: testVault, Location: time.UTC, Tokenize: pairs}
}

// Open opens a store and closes it when the test ends.
func Open(t testing.TB, opt ticketstore.Options) *ticketstore.Store {
	t.Helper()
	s, err := ticketstore.Open(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close store: %v", err)
		}
	})
	return s
}

var testVault = func() *vault.Vault {
	v, err := vault.Open(vault.NewKey())
	if err != nil {
		panic(err)
	}
	return v
}()

// pairs is a small stand-in for the normalizer's tokenizer: words at spaces, pairs of neighbouring Han characters.
func pairs(text string) (words, singles string) {
	var last rune
	for _, r := range text {
		if r < 0x80 {
			words += string(r)
			last = 0
			continue
		}
		if last != 0 {
			words += " " + string(last) + string(r)
		}
		singles += " " + string(r)
		last = r
	}
	return words, singles
}
