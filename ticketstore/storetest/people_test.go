package storetest

import (
	"errors"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"hearback/desk"
	"hearback/ticketstore"
)

func TestAgentsBelongToTeamsAndKeepTheirAddress(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		money, goods := must(w.SaveTeam(ctx, desk.Team{Name: "财务"}))(t), must(w.SaveTeam(ctx, desk.Team{Name: "物流"}))(t)
		a := must(w.CreateAgent(ctx, desk.Agent{Name: "李雷", Email: " Li@Example.com ", Role: desk.RoleAgent, Teams: []desk.ID{money.ID, goods.ID},
			Skills: []string{"退款", "en"}, Capacity: 6, Language: "zh-CN", Extensions: []string{" 8001", "LiLei", "lilei", ""}, Signature: "李雷\n客服部"}, "hash", true))(t)
		if !slices.Equal(a.Extensions, []string{"8001", "LiLei"}) || a.Signature != "李雷\n客服部" {
			t.Errorf("extensions and signature %+v", a)
		}
		if a.Email != "li@example.com" || !slices.Equal(a.Teams, []desk.ID{money.ID, goods.ID}) || a.Skills[0] != "退款" || a.CreatedAt != noon {
			t.Errorf("%+v", a)
		}
		got, hash, mustChange, err := w.AgentByEmail(ctx, "LI@example.com")
		if err != nil || got.ID != a.ID || hash != "hash" || !mustChange || len(got.Teams) != 2 {
			t.Errorf("%+v, %q, %v, %v", got, hash, mustChange, err)
		}
		if _, err := w.CreateAgent(ctx, desk.Agent{Name: "x", Email: "li@EXAMPLE.com", Role: desk.RoleAgent}, "", false); !errors.Is(err, desk.ErrConflict) {
			t.Error(err)
		}
		a.Teams, a.Skills, a.Name, a.Extensions, a.Signature = []desk.ID{goods.ID}, nil, "韩梅梅", []string{"8002"}, "-- 韩"
		if a = must(w.UpdateAgent(ctx, a))(t); !slices.Equal(a.Teams, []desk.ID{goods.ID}) || a.Name != "韩梅梅" || len(a.Skills) != 0 || a.Extensions[0] != "8002" || a.Signature != "-- 韩" {
			t.Errorf("%+v", a)
		}
		if err := w.SetPassword(ctx, a.ID, "other", false); err != nil {
			t.Fatal(err)
		}
		if hash, mustChange, err := w.Credentials(ctx, a.ID); err != nil || hash != "other" || mustChange {
			t.Error(hash, mustChange, err)
		}
		if _, _, err := w.Credentials(ctx, "none"); !errors.Is(err, desk.ErrNotFound) {
			t.Error(err)
		}
		for _, bad := range []desk.Agent{{Name: "x", Email: "nobody", Role: desk.RoleAgent}, {Name: "x", Email: "x@x", Role: "king"}, {Email: "x@x", Role: desk.RoleAgent},
			{Name: "x", Email: "x@x", Role: desk.RoleAgent, Teams: []desk.ID{"none"}}} {
			if _, err := w.CreateAgent(ctx, bad, "", false); !errors.Is(err, desk.ErrInvalid) {
				t.Errorf("%+v: %v", bad, err)
			}
		}
		if all := must(w.Agents(ctx))(t); len(all) != 1 {
			t.Errorf("%+v", all)
		}
	})
}

func TestTeamsKeepTheirQueuesAndLetters(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		team := must(w.SaveTeam(ctx, desk.Team{Name: "售后", Queues: []string{"400-1", " sales ", "SALES"}, Template: "{{text}}\n{{signature}}"}))(t)
		if got := must(w.Team(ctx, team.ID))(t); !slices.Equal(got.Queues, []string{"400-1", "sales"}) || got.Template != "{{text}}\n{{signature}}" {
			t.Errorf("%+v", got)
		}
		team.Queues, team.Template = nil, ""
		if got := must(w.SaveTeam(ctx, team))(t); len(got.Queues) != 0 || got.Template != "" {
			t.Errorf("taken away: %+v", got)
		}
	})
}

func TestLastAdminStays(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		create := func(email string) desk.Agent {
			return must(w.CreateAgent(ctx, desk.Agent{Name: email, Email: email, Role: desk.RoleAdmin}, "", false))(t)
		}
		a, b := create("a@x"), create("b@x")
		var errs [2]error
		var both sync.WaitGroup
		for i, x := range []desk.Agent{a, b} {
			both.Go(func() {
				x.Disabled = true
				_, errs[i] = w.UpdateAgent(ctx, x)
			})
		}
		both.Wait()
		if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs[:]...), desk.ErrConflict) {
			t.Errorf("two admins disable themselves: %v", errs)
		}
	})
}

func TestAvailabilityIsWhatTheAgentSays(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		a := must(w.CreateAgent(ctx, desk.Agent{Name: "a", Email: "a@x", Role: desk.RoleAgent}, "", false))(t)
		if all := must(w.Availabilities(ctx))(t); all[a.ID] != desk.Available {
			t.Error(all)
		}
		if err := w.SetAvailability(ctx, a.ID, desk.Away); err != nil {
			t.Fatal(err)
		}
		if all := must(w.Availabilities(ctx))(t); all[a.ID] != desk.Away {
			t.Error(all)
		}
		if err := w.SetAvailability(ctx, a.ID, "asleep"); !errors.Is(err, desk.ErrInvalid) {
			t.Error(err)
		}
		if err := w.SetAvailability(ctx, "none", desk.Busy); !errors.Is(err, desk.ErrNotFound) {
			t.Error(err)
		}
	})
}

func TestTeamInUseCannotBeDeleted(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		team := must(w.SaveTeam(ctx, desk.Team{Name: "财务"}))(t)
		if _, err := w.SaveTeam(ctx, desk.Team{Name: " 财务 "}); !errors.Is(err, desk.ErrConflict) {
			t.Error(err)
		}
		team.Name = "售后"
		if team = must(w.SaveTeam(ctx, team))(t); team.Name != "售后" {
			t.Errorf("%+v", team)
		}
		if all := must(w.Teams(ctx))(t); len(all) != 1 || !reflect.DeepEqual(all[0], team) {
			t.Errorf("%+v", all)
		}
		refused := func(why string) {
			t.Helper()
			if err := w.DeleteTeam(ctx, team.ID); !errors.Is(err, desk.ErrConflict) {
				t.Errorf("deleted although %s: %v", why, err)
			}
		}
		w.ticket(t, desk.Ticket{TeamID: team.ID})
		refused("it has work")
		w.exec(t, `UPDATE tickets SET status = 'closed'`)
		ch := must(w.SaveChannel(ctx, desk.Channel{Kind: "k", Name: "a", TeamID: team.ID}, nil))(t)
		refused("a channel sends to it")
		ch.TeamID = ""
		must(w.SaveChannel(ctx, ch, nil))(t)
		r := must(w.SaveRule(ctx, desk.Rule{Name: "r", Any: []string{"退款"}, TeamID: team.ID}))(t)
		refused("a rule sends to it")
		if err := w.DeleteRule(ctx, r.ID); err != nil {
			t.Fatal(err)
		}
		a := must(w.CreateAgent(ctx, desk.Agent{Name: "a", Email: "a@x", Role: desk.RoleAgent, Teams: []desk.ID{team.ID}}, "", false))(t)
		if err := w.DeleteTeam(ctx, team.ID); err != nil {
			t.Error(err)
		}
		if a = must(w.Agent(ctx, a.ID))(t); len(a.Teams) != 0 {
			t.Errorf("%+v", a)
		}
		if _, err := w.Team(ctx, team.ID); !errors.Is(err, desk.ErrNotFound) {
			t.Error(err)
		}
	})
}

func TestRulesAreTriedInTheirOrder(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		a := must(w.SaveRule(ctx, desk.Rule{Name: "退款", Enabled: true, All: []string{"退款"}, Any: []string{"快", "急"}, Not: []string{"谢谢"},
			Channels: []desk.ID{"c"}, TeamID: "t", Priority: desk.PriorityUrgent, Tags: []string{"money"}}))(t)
		b := must(w.SaveRule(ctx, desk.Rule{Name: "发货", Any: []string{"发货"}}))(t)
		if a.Version != 1 || a.Position >= b.Position || a.All[0] != "退款" || a.Priority != desk.PriorityUrgent || a.Tags[0] != "money" || a.Channels[0] != "c" {
			t.Errorf("%+v, %+v", a, b)
		}
		old := a
		a.Position = b.Position + 1
		if a = must(w.SaveRule(ctx, a))(t); a.Version != 2 {
			t.Errorf("%+v", a)
		}
		if all := must(w.Rules(ctx))(t); len(all) != 2 || all[0].ID != b.ID {
			t.Errorf("%+v", all)
		}
		if got := must(w.Rule(ctx, a.ID))(t); got.Version != 2 || got.Not[0] != "谢谢" {
			t.Errorf("%+v", got)
		}
		if _, err := w.SaveRule(ctx, old); !errors.Is(err, desk.ErrConflict) {
			t.Error(err)
		}
		if _, err := w.SaveRule(ctx, desk.Rule{Name: "matches nothing"}); !errors.Is(err, desk.ErrInvalid) {
			t.Error(err)
		}
		if err := w.DeleteRule(ctx, "none"); !errors.Is(err, desk.ErrNotFound) {
			t.Error(err)
		}
	})
}

func TestContactsAreFoundAndNeverStolen(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		mail := desk.Identity{Type: "email", Value: "fang@example.com", Verified: true}
		a := must(w.SaveContact(ctx, desk.Contact{Name: "王芳", Level: "vip", Fields: map[string]string{"订单号": "7"}, Identities: []desk.Identity{mail}}))(t)
		b := must(w.SaveContact(ctx, desk.Contact{Name: "Bob", Company: "Acme_1"}))(t)
		if len(a.Identities) != 1 || a.Identities[0] != mail || a.Fields["订单号"] != "7" {
			t.Errorf("%+v", a)
		}
		b.Identities, b.Name = []desk.Identity{mail}, "thief"
		if _, err := w.SaveContact(ctx, b); !errors.Is(err, desk.ErrConflict) {
			t.Error(err)
		}
		if b = must(w.Contact(ctx, b.ID))(t); b.Name != "Bob" || len(b.Identities) != 0 {
			t.Errorf("half of it was stored: %+v", b)
		}
		a.Identities, a.Note = []desk.Identity{{Type: "phone", Value: "+8613812345678"}}, "likes tea"
		if a = must(w.SaveContact(ctx, a))(t); len(a.Identities) != 2 || a.Note != "likes tea" {
			t.Errorf("%+v", a)
		}
		for query, want := range map[string]string{"": "Bob王芳", "芳": "王芳", "bob": "Bob", "acme_": "Bob", "acme%": "", "fang@example.com": "王芳", "13812345678": "王芳"} {
			var got string
			cursor := ""
			for {
				found, next, err := w.Contacts(ctx, query, cursor, 1)
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range found {
					got += c.Name
				}
				if cursor = next; next == "" {
					break
				}
			}
			if got != want {
				t.Errorf("%q finds %q, want %q", query, got, want)
			}
		}
		if _, _, err := w.Contacts(ctx, "", "?", 1); !errors.Is(err, desk.ErrInvalid) {
			t.Error(err)
		}
		if _, err := w.SaveContact(ctx, desk.Contact{ID: "none"}); !errors.Is(err, desk.ErrNotFound) {
			t.Error(err)
		}
	})
}

func TestSessionsEndByTimeAndByHand(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		open := func(agent desk.ID, hash string, life time.Duration) ticketstore.Session {
			w.pass(time.Second)
			return must(w.CreateSession(ctx, ticketstore.Session{AgentID: agent, UserAgent: "Firefox", Address: "192.0.2.1", ExpiresAt: desk.Time(w.tick.Load()).Add(life)}, hash))(t)
		}
		a, b, c := open("ann", "ha", time.Minute), open("ann", "hb", time.Hour), open("ann", "hc", time.Hour)
		other := open("bob", "ho", time.Hour)
		if got := must(w.SessionByHash(ctx, "ha"))(t); got != a {
			t.Errorf("%+v, want %+v", got, a)
		}
		w.pass(2 * time.Minute)
		if _, err := w.SessionByHash(ctx, "ha"); !errors.Is(err, desk.ErrNotFound) {
			t.Errorf("an expired session: %v", err)
		}
		if err := w.TouchSession(ctx, b.ID, desk.Time(w.tick.Load()), noon.Add(3*time.Hour)); err != nil {
			t.Fatal(err)
		}
		all := must(w.Sessions(ctx, "ann"))(t)
		if len(all) != 2 || all[0].ID != b.ID || all[0].ExpiresAt != noon.Add(3*time.Hour) || all[1].ID != c.ID {
			t.Errorf("%+v", all)
		}
		if err := w.RevokeSession(ctx, "ann", other.ID); !errors.Is(err, desk.ErrNotFound) {
			t.Errorf("revoked somebody else's: %v", err)
		}
		ended := must(w.RevokeSessions(ctx, "ann", b.ID))(t)
		slices.Sort(ended)
		if !slices.Contains(ended, c.ID) || slices.Contains(ended, b.ID) || slices.Contains(ended, other.ID) {
			t.Error(ended)
		}
		if err := w.RevokeSession(ctx, "ann", b.ID); err != nil {
			t.Error(err)
		}
		if all := must(w.Sessions(ctx, "ann"))(t); len(all) != 0 {
			t.Errorf("%+v", all)
		}
		must(w.SessionByHash(ctx, "ho"))(t)
	})
}

func TestTokensAreRevokedByTheirOwnerOnly(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		a := must(w.CreateToken(ctx, ticketstore.Token{AgentID: "ann", Name: "ci", LastFour: "abcd"}, "hash"))(t)
		w.pass(time.Minute)
		got := must(w.TokenByHash(ctx, "hash"))(t)
		if got.ID != a.ID || got.UsedAt != noon.Add(time.Minute) || got.LastFour != "abcd" {
			t.Errorf("%+v", got)
		}
		w.pass(time.Second)
		must(w.TokenByHash(ctx, "hash"))(t)
		if all := must(w.Tokens(ctx, "ann"))(t); len(all) != 1 || all[0] != got {
			t.Errorf("%+v, want the use of a minute ago", all)
		}
		if err := w.RevokeToken(ctx, "bob", a.ID); !errors.Is(err, desk.ErrNotFound) {
			t.Error(err)
		}
		if err := w.RevokeToken(ctx, "ann", a.ID); err != nil {
			t.Error(err)
		}
		if _, err := w.TokenByHash(ctx, "hash"); !errors.Is(err, desk.ErrNotFound) {
			t.Error(err)
		}
	})
}

func TestFirstWriterOfAValueWins(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		if _, found, err := w.Meta(ctx, "install"); found || err != nil {
			t.Error(found, err)
		}
		var got [8]string
		var all sync.WaitGroup
		for i := range got {
			all.Go(func() { got[i], _ = w.SetMetaOnce(ctx, "install", string(rune('a'+i))) })
		}
		all.Wait()
		stored, found, err := w.Meta(ctx, "install")
		if err != nil || !found {
			t.Fatal(err)
		}
		for _, g := range got {
			if g != stored {
				t.Errorf("%q, stored %q", got, stored)
			}
		}
	})
}

func TestAuditTellsTheLatestFirst(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		for _, action := range []string{"a", "b", "c"} {
			if err := w.Audit(ctx, "ann", action, "object", map[string]string{"name": action}); err != nil {
				t.Fatal(err)
			}
		}
		first, next, err := w.AuditTrail(ctx, "", 2)
		if err != nil || len(first) != 2 || first[0].Action != "c" || next == "" || first[0].At != noon || first[0].ActorID != "ann" {
			t.Fatalf("%+v, %q, %v", first, next, err)
		}
		last, next, err := w.AuditTrail(ctx, next, 2)
		if err != nil || len(last) != 1 || last[0].Action != "a" || next != "" || len(last[0].Detail) == 0 {
			t.Errorf("%+v, %q, %v", last, next, err)
		}
		if err := w.Audit(ctx, "ann", "nothing more", "", nil); err != nil {
			t.Error(err)
		}
	})
}
