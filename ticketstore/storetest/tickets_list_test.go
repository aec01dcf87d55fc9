package storetest

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"hearback/desk"
	"hearback/ticketstore"
)

func everything() ticketstore.Scope { return ticketstore.Scope{All: true} }

func subjects(rows []ticketstore.TicketRow) []string {
	var all []string
	for _, r := range rows {
		all = append(all, r.Subject)
	}
	return all
}

func TestListBeginsWithWhoMustBeAnsweredNext(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		ago := func(d time.Duration) desk.Time { return noon.Add(-d) }
		for _, x := range []desk.Ticket{
			{Subject: "10 done", Status: desk.StatusResolved, Priority: desk.PriorityCritical},
			{Subject: "09 put off", WaitingSince: ago(time.Hour), SnoozedUntil: noon.Add(time.Hour), Priority: desk.PriorityCritical},
			{Subject: "08 answered", Status: desk.StatusWaiting, LastMessageAt: ago(time.Hour)},
			{Subject: "07 answered, but urgent", Priority: desk.PriorityUrgent, LastMessageAt: ago(time.Minute)},
			{Subject: "06 waits since ten minutes", WaitingSince: ago(10 * time.Minute), FirstReplyAt: 1, FirstResponseDueAt: ago(time.Hour)},
			{Subject: "05 waits since an hour, window closed", WaitingSince: ago(time.Hour), WindowClosesAt: ago(time.Minute)},
			{Subject: "04 due in an hour", Status: desk.StatusNew, WaitingSince: ago(time.Minute), FirstResponseDueAt: noon.Add(time.Hour)},
			{Subject: "03 window closes in half an hour", WaitingSince: ago(time.Second), WindowClosesAt: noon.Add(30 * time.Minute), FirstResponseDueAt: noon.Add(2 * time.Hour)},
			{Subject: "02 urgent", WaitingSince: ago(time.Second), Priority: desk.PriorityUrgent},
			{Subject: "01 critical", WaitingSince: ago(time.Second), Priority: desk.PriorityCritical},
		} {
			w.ticket(t, x)
		}
		var got []string
		f := ticketstore.TicketFilter{Scope: everything(), Limit: 3}
		for {
			rows, next, err := w.Tickets(t.Context(), f, "")
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, subjects(rows)...)
			w.pass(time.Minute) // the clock of the first page holds for all
			if f.Cursor = next; next == "" {
				break
			}
		}
		if !slices.IsSorted(got) || len(got) != 10 {
			t.Errorf("order:\n%q", got)
		}
	})
}

// A crowd is many different tickets, people and teams, the same on every run.
func (w *world) crowd(t *testing.T, n int) (all []desk.Ticket, people []desk.ID, teams []desk.ID) {
	t.Helper()
	r := rand.New(rand.NewPCG(7, 11))
	people, teams = []desk.ID{"ann", "bob", "cy"}, []desk.ID{"money", "goods"}
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	at := func() desk.Time { return desk.Time(r.IntN(3)) * (noon - 3_600_000 + desk.Time(r.IntN(7_200_000))) / 2 }
	for range n {
		all = append(all, w.ticket(t, desk.Ticket{
			Status:     desk.Status(pick("new", "open", "waiting", "resolved", "closed", "archived")),
			Priority:   desk.Priority(pick("normal", "urgent", "critical")),
			AssigneeID: pick("", "ann", "bob", "cy"), TeamID: pick("", "money", "goods"), ChannelID: pick("mail", "chat"), ContactID: pick("x", "y"),
			SnoozedUntil: at(), FirstResponseDueAt: at(), ResolutionDueAt: at(), FirstReplyAt: at(), WaitingSince: at(),
			CreatedAt: noon, UpdatedAt: noon.Add(time.Duration(r.IntN(5)) * time.Second), WindowClosesAt: at(),
		}))
	}
	return all, people, teams
}

func (w *world) walk(t *testing.T, f ticketstore.TicketFilter, reader desk.ID) (ids []desk.ID) {
	t.Helper()
	for {
		rows, next, err := w.Tickets(t.Context(), f, reader)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if slices.Contains(ids, r.ID) {
				t.Errorf("ticket %s on two pages", r.ID)
			}
			ids = append(ids, r.ID)
		}
		if f.Cursor = next; next == "" {
			return ids
		}
	}
}

func TestEveryoneSeesAndCountsHisOwnTicketsOnly(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		all, people, teams := w.crowd(t, 150)
		scopes := []ticketstore.Scope{everything(), {}, {Teams: teams}, {AgentID: "ann"}, {AgentID: "bob", Teams: teams[:1]}, {AgentID: "cy", Teams: teams},
			{AgentID: "ann", UnownedOnly: true}, {AgentID: "bob", Teams: teams[:1], UnownedOnly: true}}
		for _, scope := range scopes {
			var want []desk.ID
			for _, x := range all {
				if scope.Sees(x) {
					want = append(want, x.ID)
				}
				if seen, err := w.VisibleTo(t.Context(), x.ID, scope); err != nil || seen != scope.Sees(x) {
					t.Fatalf("%+v: VisibleTo(%s) = %v, %v; Sees says %v", scope, x.ID, seen, err, !seen)
				}
			}
			for _, sort := range []string{"next", "updated", "created"} {
				got := w.walk(t, ticketstore.TicketFilter{Scope: scope, Sort: sort, Limit: 17}, people[0])
				slices.Sort(got)
				if !slices.Equal(got, want) {
					t.Errorf("%+v by %s: %d tickets, want %d", scope, sort, len(got), len(want))
				}
			}
			for _, reader := range people {
				w.compareCounts(t, scope, reader)
			}
		}
	})
}

func (w *world) compareCounts(t *testing.T, scope ticketstore.Scope, reader desk.ID) {
	t.Helper()
	c := must(w.Counts(t.Context(), scope, reader))(t)
	for view, want := range map[string]int{"mine": c.Mine, "queue": c.Queue, "waiting": c.Waiting, "overdue": c.Overdue, "open": c.Open,
		"resolved": c.Resolved, "all": c.All} {
		f := must(ticketstore.View(view, reader))(t)
		f.Scope = scope
		if got := len(w.walk(t, f, reader)); got != want {
			t.Errorf("%+v, %s: view %s lists %d, counts %d", scope, reader, view, got, want)
		}
	}
}

func TestFiltersNarrow(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		all, _, _ := w.crowd(t, 60)
		yes, no := true, false
		for name, c := range map[string]struct {
			f    ticketstore.TicketFilter
			keep func(desk.Ticket) bool
		}{
			"status":   {ticketstore.TicketFilter{Status: []desk.Status{"new", "closed"}}, func(x desk.Ticket) bool { return x.Status == "new" || x.Status == "closed" }},
			"assignee": {ticketstore.TicketFilter{Assignee: "bob"}, func(x desk.Ticket) bool { return x.AssigneeID == "bob" }},
			"nobody":   {ticketstore.TicketFilter{Assignee: "none"}, func(x desk.Ticket) bool { return x.AssigneeID == "" }},
			"team":     {ticketstore.TicketFilter{TeamID: "goods"}, func(x desk.Ticket) bool { return x.TeamID == "goods" }},
			"no team":  {ticketstore.TicketFilter{TeamID: "none"}, func(x desk.Ticket) bool { return x.TeamID == "" }},
			"channel":  {ticketstore.TicketFilter{ChannelID: "mail"}, func(x desk.Ticket) bool { return x.ChannelID == "mail" }},
			"contact":  {ticketstore.TicketFilter{ContactID: "y"}, func(x desk.Ticket) bool { return x.ContactID == "y" }},
			"snoozed":  {ticketstore.TicketFilter{Snoozed: &yes}, func(x desk.Ticket) bool { return x.SnoozedUntil > noon }},
			"awake":    {ticketstore.TicketFilter{Snoozed: &no}, func(x desk.Ticket) bool { return x.SnoozedUntil <= noon }},
		} {
			c.f.Scope = everything()
			var want []desk.ID
			for _, x := range all {
				if c.keep(x) {
					want = append(want, x.ID)
				}
			}
			got := w.walk(t, c.f, "")
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("%s: %d tickets, want %d", name, len(got), len(want))
			}
		}
	})
}

func TestPagesStayWholeWhileTicketsChange(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		for i := range 6 {
			w.ticket(t, desk.Ticket{Subject: string(rune('a' + i)), UpdatedAt: noon.Add(-time.Duration(i) * time.Minute)})
		}
		f := ticketstore.TicketFilter{Scope: everything(), Sort: "updated", Limit: 3}
		first, next, err := w.Tickets(t.Context(), f, "")
		if err != nil || !slices.Equal(subjects(first), []string{"a", "b", "c"}) {
			t.Fatal(subjects(first), err)
		}
		// A new ticket and one that moved up push nothing out of the next page.
		w.ticket(t, desk.Ticket{Subject: "new", UpdatedAt: noon.Add(time.Minute)})
		w.exec(t, `UPDATE tickets SET updated_at = ? WHERE subject = 'b'`, int64(noon)+1)
		f.Cursor = next
		second, next, err := w.Tickets(t.Context(), f, "")
		if err != nil || next != "" || !slices.Equal(subjects(second), []string{"d", "e", "f"}) {
			t.Error(subjects(second), next, err)
		}
	})
}

func TestForeignCursorsAndUnknownWordsAreInvalid(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		for range 3 {
			w.ticket(t, desk.Ticket{})
		}
		_, next, err := w.Tickets(t.Context(), ticketstore.TicketFilter{Scope: everything(), Limit: 1}, "")
		if err != nil || next == "" {
			t.Fatal(next, err)
		}
		for _, f := range []ticketstore.TicketFilter{{Cursor: "?"}, {Cursor: "bm9wZQ"}, {Cursor: "e30"}, {Cursor: next, Sort: "updated"}, {Sort: "subject; DROP TABLE tickets"}} {
			if _, _, err := w.Tickets(t.Context(), f, ""); !errors.Is(err, desk.ErrInvalid) {
				t.Errorf("%+v: %v", f, err)
			}
		}
		if _, err := ticketstore.View("secret", ""); !errors.Is(err, desk.ErrInvalid) {
			t.Error(err)
		}
	})
}

func TestRowNamesPeopleAndShowsWhatIsUnread(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		team := must(w.SaveTeam(ctx, desk.Team{Name: "财务"}))(t)
		agent := must(w.CreateAgent(ctx, desk.Agent{Name: "李雷", Email: "li@example.com", Role: desk.RoleAgent}, "", false))(t)
		contact := must(w.SaveContact(ctx, desk.Contact{Name: "王芳", Level: "vip"}))(t)
		channel := must(w.SaveChannel(ctx, desk.Channel{Kind: "email", Name: "客服邮箱"}, nil))(t)
		x := w.ticket(t, desk.Ticket{Number: "GD20261121-0007", ContactID: contact.ID, AssigneeID: agent.ID, TeamID: team.ID, ChannelID: channel.ID})
		w.exec(t, `UPDATE tickets SET last_in_seq = 5 WHERE id = ?`, x.ID)

		row := must(w.TicketRow(ctx, x.ID, agent.ID))(t)
		if row.ContactName != "王芳" || row.ContactLevel != "vip" || row.AssigneeName != "李雷" || row.TeamName != "财务" || row.ChannelName != "客服邮箱" || !row.Unread {
			t.Errorf("%+v", row)
		}
		if row.Tags[0] != "a" || row.Fields["k"] != "v" || row.WindowRemaining != -1 {
			t.Errorf("%+v", row.Ticket)
		}
		for _, step := range []struct {
			seq    int64
			unread bool
		}{{4, true}, {9, false}, {2, false}} {
			if err := w.MarkRead(ctx, agent.ID, x.ID, step.seq); err != nil {
				t.Fatal(err)
			}
			rows, _, err := w.Tickets(ctx, ticketstore.TicketFilter{Scope: everything()}, agent.ID)
			if err != nil || rows[0].Unread != step.unread {
				t.Errorf("read to %d: %+v, %v", step.seq, rows, err)
			}
		}
		if row := must(w.TicketRow(ctx, x.ID, "somebody else"))(t); !row.Unread {
			t.Error("read by one is read by all")
		}
		if y := must(w.TicketByNumber(ctx, "GD20261121-0007"))(t); y.ID != x.ID {
			t.Error(y)
		}
		if _, err := w.Store.Ticket(ctx, "none"); !errors.Is(err, desk.ErrNotFound) {
			t.Error(err)
		}
	})
}
