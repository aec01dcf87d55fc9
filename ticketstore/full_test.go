package ticketstore

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"hearback/desk"
)

func TestAFullDiskIsUnavailableAndRecovers(t *testing.T) {
	s, err := Open(t.Context(), Options{URL: filepath.Join(t.TempDir(), "hearback.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	limit := func(pages int) { // the engine's own way to run out of room
		t.Helper()
		if err := s.writer.take(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer s.writer.give()
		var now int
		if err := s.writer.conn.GetContext(t.Context(), &now, fmt.Sprintf("PRAGMA max_page_count = %d", pages)); err != nil {
			t.Fatal(err)
		}
	}
	put := func(id string) error {
		return s.PutInbox(t.Context(), []*Arrival{{ChannelID: "c", Envelopes: []desk.Envelope{{ExternalID: id, Sender: "v", Raw: bytes.Repeat([]byte("x"), 60<<10)}}}}, 0)
	}
	limit(1) // the least it takes is what the file has now
	for i := 0; err == nil; i++ {
		err = put(fmt.Sprint("filler", i))
	}
	if !errors.Is(err, desk.ErrUnavailable) {
		t.Fatalf("full disk: %v", err)
	}
	kept, err := s.LedgerCounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	limit(1 << 20)
	if err := put("after"); err != nil {
		t.Fatalf("with room again: %v", err)
	}
	after, err := s.LedgerCounts(t.Context())
	if err != nil || after[""] != kept[""]+1 {
		t.Errorf("kept %v, then %v, %v", kept, after, err)
	}
	var orphans int
	if err := s.read.Get(&orphans, `SELECT COUNT(*) FROM inbox WHERE id NOT IN (SELECT id FROM inbox_due)`); err != nil || orphans != 0 {
		t.Errorf("%d half-kept envelopes, %v", orphans, err)
	}
}
