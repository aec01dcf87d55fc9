package storetest

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"github.com/pressly/goose/v3"

	"hearback/ticketstore"
)

// TestAnOlderDatabaseIsBroughtUpToDate opens a database of the first release that is in use.
func TestAnOlderDatabaseIsBroughtUpToDate(t *testing.T) {
	for name, engine := range map[string]struct {
		driver  string
		dialect goose.Dialect
		open    func(testing.TB) string
	}{
		"sqlite":   {"sqlite", goose.DialectSQLite3, func(t testing.TB) string { return filepath.Join(t.TempDir(), "hearback.db") }},
		"postgres": {"pgx", goose.DialectPostgres, PostgresURL},
	} {
		t.Run(name, func(t *testing.T) {
			address := engine.open(t)
			db, err := sql.Open(engine.driver, address)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			p, err := goose.NewProvider(engine.dialect, db, os.DirFS("../migrations/"+name), goose.WithDisableGlobalRegistry(true))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := p.UpTo(context.Background(), 1); err != nil {
				t.Fatal(err)
			}
			for _, statement := range []string{
				`INSERT INTO tickets (id, number, status, priority, subject, channel_id, channel_kind, sender, contact_id, tags, fields, version, created_at, updated_at,
					window_closes_at, window_remaining) VALUES ('t1', 'GD20260101-0001', 'open', 'normal', 's', 'c1', 'wechat', 'v', 'p1', '[]', '{}', 3, 1, 1, 99, 4)`,
				`INSERT INTO senders (channel_id, sender, contact_id, ticket_id) VALUES ('c1', 'v', 'p1', 't1'), ('c1', 'w', 'p2', '')`,
				`INSERT INTO teams (id, name, created_at, updated_at) VALUES ('m1', 'team', 1, 1)`,
			} {
				if _, err := db.Exec(statement); err != nil {
					t.Fatal(err)
				}
			}
			opt := Options(address)
			opt.Vault = nil
			s := Open(t, opt)
			ticket, err := s.Ticket(t.Context(), "t1")
			if err != nil || ticket.WindowRemaining != 4 || ticket.WindowReason != "" || ticket.Callback.State != "" {
				t.Errorf("%+v, %v", ticket, err)
			}
			if c, err := s.ConversationOf(t.Context(), "c1", "v"); err != nil || c.WindowRemaining != 4 || c.WindowClosesAt != 99 {
				t.Errorf("%+v, %v", c, err)
			}
			if c, err := s.ConversationOf(t.Context(), "c1", "w"); err != nil || c.WindowRemaining != -1 {
				t.Errorf("%+v, %v", c, err)
			}
			r, err := s.Reply(t.Context(), ticketstore.ReplyInput{TicketID: "t1", Author: agent, Text: "x"})
			if err != nil || r.Ticket.WindowRemaining != 3 {
				t.Errorf("%+v, %v", r.Ticket, err)
			}
			if team, err := s.Team(t.Context(), "m1"); err != nil || len(team.Queues) != 0 {
				t.Errorf("%+v, %v", team, err)
			}
		})
	}
}
