package storetest

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"hearback/desk"
	"hearback/normalizer"
	"hearback/ticketstore"
)

// A world is one engine's store with a clock to set and a second connection that writes rows as they are.
type world struct {
	*ticketstore.Store
	db   *sqlx.DB
	opt  ticketstore.Options
	tick *atomic.Int64
}

// noon is when every world begins.
const noon desk.Time = 1_795_262_400_000

// inBothWorlds runs one claim on SQLite and on PostgreSQL.
func inBothWorlds(t *testing.T, claim func(t *testing.T, w *world)) {
	t.Helper()
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			claim(t, newWorld(t, engine))
		})
	}
}

func newWorld(t testing.TB, engine string) *world {
	t.Helper()
	driver, url, dsn := "sqlite", "", ""
	if engine == "postgres" {
		url = PostgresURL(t)
		driver, dsn = "pgx", url
	} else {
		path := filepath.Join(t.TempDir(), "hearback.db")
		url, dsn = "sqlite:"+path, "file:"+path+"?_pragma=busy_timeout(5000)"
	}
	w := &world{opt: Options(url), tick: new(atomic.Int64)}
	w.tick.Store(int64(noon))
	w.opt.Now = func() time.Time { return time.UnixMilli(w.tick.Load()) }
	w.opt.Tokenize = normalizer.SearchWords
	w.Store = Open(t, w.opt)
	db, err := sqlx.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	w.db = db
	return w
}

func (w *world) pass(d time.Duration) { w.tick.Add(d.Milliseconds()) }

func (w *world) exec(t *testing.T, query string, args ...any) {
	t.Helper()
	if _, err := w.db.Exec(w.db.Rebind(query), args...); err != nil {
		t.Fatal(err)
	}
}

// put writes a row given as "column", value pairs.
func (w *world) put(t *testing.T, table string, pairs ...any) {
	t.Helper()
	var columns, marks []string
	var values []any
	for i := 0; i < len(pairs); i += 2 {
		columns, marks, values = append(columns, pairs[i].(string)), append(marks, "?"), append(values, pairs[i+1])
	}
	w.exec(t, fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", table, strings.Join(columns, ", "), strings.Join(marks, ", ")), values...)
}

// ticket writes a ticket as it is given, without the house's rules.
func (w *world) ticket(t *testing.T, x desk.Ticket) desk.Ticket {
	t.Helper()
	if x.ID == "" {
		x.ID = desk.NewID()
	}
	if x.Number == "" {
		x.Number = "GD-" + x.ID
	}
	if x.Status == "" {
		x.Status = desk.StatusOpen
	}
	if x.Priority == "" {
		x.Priority = desk.PriorityNormal
	}
	w.put(t, "tickets", "id", x.ID, "number", x.Number, "status", string(x.Status), "priority", string(x.Priority), "subject", x.Subject,
		"channel_id", x.ChannelID, "channel_kind", x.ChannelKind, "sender", x.Sender, "contact_id", x.ContactID, "assignee_id", x.AssigneeID,
		"team_id", x.TeamID, "tags", `["a"]`, "fields", `{"k":"v"}`, "version", max(x.Version, 1), "last_message_at", int64(x.LastMessageAt),
		"first_reply_at", int64(x.FirstReplyAt), "first_response_due_at", int64(x.FirstResponseDueAt), "resolution_due_at", int64(x.ResolutionDueAt),
		"window_closes_at", int64(x.WindowClosesAt), "waiting_since", int64(x.WaitingSince), "snoozed_until", int64(x.SnoozedUntil),
		"created_at", int64(x.CreatedAt), "updated_at", int64(x.UpdatedAt))
	return x
}

// message writes a message as it is given.
func (w *world) message(t *testing.T, m desk.Message) desk.Message {
	t.Helper()
	if m.ID == "" {
		m.ID = desk.NewID()
	}
	if m.Direction == "" {
		m.Direction = desk.DirectionIn
	}
	w.put(t, "messages", "id", m.ID, "ticket_id", m.TicketID, "seq", m.Seq, "direction", string(m.Direction), "author_kind", m.Author.Kind,
		"author_id", m.Author.ID, "author_name", m.Author.Name, "text", m.Text, "extra", "{}", "created_at", int64(m.CreatedAt), "updated_at", 0)
	return m
}

func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
