package storetest

import (
	"fmt"
	"testing"

	"hearback/desk"
	"hearback/normalizer"
	"hearback/ticketstore"
)

// manyTickets fills a store with tickets: a twentieth of them is work, of 50 agents and 5 teams, two words each to be found.
func manyTickets(b *testing.B, w *world, n int) {
	b.Helper()
	series := fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %d) `, n-1)
	hex := "printf('%08d', i)"
	if w.Engine() == "postgres" {
		hex = "lpad(i::text, 8, '0')"
	}
	for _, query := range []string{
		series + `INSERT INTO tickets (id, number, status, priority, subject, channel_id, channel_kind, sender, contact_id, assignee_id, team_id,
			tags, fields, version, waiting_since, created_at, updated_at)
			SELECT 't' || ` + hex + `, 'GD20261121-' || ` + hex + `, CASE WHEN i % 20 > 0 THEN 'closed' WHEN i % 40 = 0 THEN 'open' ELSE 'new' END,
			CASE WHEN i % 7 = 0 THEN 'urgent' ELSE 'normal' END, 's', 'c', 'email', 'x', 'p' || (i % 1000), CASE WHEN i % 20 = 0 AND i % 40 > 0 THEN '' ELSE 'a' || (i % 50) END,
			'team' || (i % 5), '[]', '{}', 1, (i % 9973) * 97 + 1, i, (i % 9973) * 97 FROM n`,
		series + `INSERT INTO messages (id, ticket_id, seq, direction, author_kind, author_id, author_name, text, extra, created_at, updated_at)
			SELECT 'm' || ` + hex + `, 't' || ` + hex + `, 1, 'in', 'contact', '', '', CASE WHEN i % 100 = 0 THEN '我要退款，订单号 ' || i ELSE '什么时候发货，订单号 ' || i END, '{}', 0, 0 FROM n`,
	} {
		if _, err := w.db.Exec(query); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := w.Reindex(b.Context()); err != nil {
		b.Fatal(err)
	}
	if _, err := w.db.Exec(`ANALYZE`); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkDesk(b *testing.B) {
	const n = 100_000
	agent := ticketstore.Scope{AgentID: "a1", Teams: []desk.ID{"team1"}, UnownedOnly: true}
	supervisor := ticketstore.Scope{AgentID: "a1", Teams: []desk.ID{"team1", "team2"}}
	for _, engine := range []string{"sqlite", "postgres"} {
		w := newWorld(b, engine)
		w.opt.Tokenize = normalizer.SearchWords
		manyTickets(b, w, n)
		for _, scope := range []struct {
			name string
			ticketstore.Scope
		}{{"agent", agent}, {"supervisor", supervisor}, {"admin", everything()}} {
			for _, view := range []string{"mine", "queue", "open", "all"} {
				f, err := ticketstore.View(view, "a1")
				if err != nil {
					b.Fatal(err)
				}
				f.Scope = scope.Scope
				benchList(b, w, fmt.Sprintf("%s/%s/%s", engine, scope.name, view), f)
			}
			b.Run(fmt.Sprintf("%s/%s/counts", engine, scope.name), func(b *testing.B) {
				for b.Loop() {
					if _, err := w.Counts(b.Context(), scope.Scope, "a1"); err != nil {
						b.Fatal(err)
					}
				}
			})
			for _, query := range []string{"退款", "发货", "77777", "nothing"} {
				benchList(b, w, fmt.Sprintf("%s/%s/search %s", engine, scope.name, query), ticketstore.TicketFilter{Scope: scope.Scope, Query: query, Sort: "updated"})
			}
		}
	}
}

func benchList(b *testing.B, w *world, name string, f ticketstore.TicketFilter) {
	b.Run(name, func(b *testing.B) {
		for b.Loop() {
			if _, _, err := w.Tickets(b.Context(), f, "a1"); err != nil {
				b.Fatal(err)
			}
		}
	})
}
