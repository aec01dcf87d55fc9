package admin

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"hearback/desk"
	"hearback/ticketstore/storetest"
)

func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestSecretGoesInAndNeverComesOut(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		made := w.want(201, "POST", "/api/v1/channels", `{"kind":"mail","name":"Support","settings":{"address":"a@b.c","password":"very secret 4321"}}`)
		id := made["id"].(string)
		if made["made"].(map[string]any)["hook"] != "whsec_made_by_itself" || made["url"] != "https://desk.example.com/c/"+id || made["embed"] == "" {
			t.Fatal(made)
		}
		if made["secrets"].(map[string]any)["password"] != "••••4321" || made["health"].(map[string]any)["state"] != "ok" {
			t.Fatal(made)
		}
		if !w.wasTold("channel") {
			t.Error("no node was told")
		}
		for _, a := range []map[string]any{
			w.want(200, "GET", "/api/v1/channels/"+id, ""), w.want(200, "GET", "/api/v1/channels", ""),
			w.want(200, "PATCH", "/api/v1/channels/"+id, `{"settings":{"password":"","address":"x@y.z"}}`),
			w.want(200, "GET", "/api/v1/audit", ""), w.want(200, "POST", "/api/v1/channels/"+id+"/test", ""),
		} {
			if s := text(t, a); strings.Contains(s, "very secret") || strings.Contains(s, "made_by_itself") {
				t.Error(s)
			}
		}
		ch, err := w.store.Channel(t.Context(), id)
		w.ok(err)
		if ch.Settings["password"] != "very secret 4321" || ch.Settings["address"] != "x@y.z" {
			t.Error("an empty secret must keep the stored one")
		}
	})
}

func TestWrongSettingsNameTheirFields(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	a := w.want(422, "POST", "/api/v1/channels", `{"kind":"mail","name":"x","settings":{"address":"nobody","colour":"red"}}`)
	got := text(t, a["errors"])
	for _, field := range []string{"body.settings.address", "body.settings.password", "body.settings.colour"} {
		if !strings.Contains(got, field) {
			t.Errorf("no %s in %s", field, got)
		}
	}
	w.want(422, "POST", "/api/v1/channels", `{"kind":"pigeon","name":"x"}`)
	w.want(422, "POST", "/api/v1/channels", `{"kind":"mail","name":"x","team_id":"nowhere","settings":{"address":"a@b","password":"p"}}`)
	if all := w.want(200, "GET", "/api/v1/channels", ""); len(all["items"].([]any)) != 0 {
		t.Error(all)
	}
	kinds := w.want(200, "GET", "/api/v1/kinds", "")
	if s := text(t, kinds); !strings.Contains(s, `"secret":true`) || !strings.Contains(s, "邮件") {
		t.Error(s)
	}
}

func TestChannelTestTellsWhatIsWrongWithoutTheSecret(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	id := w.want(201, "POST", "/api/v1/channels", `{"kind":"mail","name":"x","settings":{"address":"a@b","password":"wrong password"}}`)["id"].(string)
	a := w.want(200, "POST", "/api/v1/channels/"+id+"/test", "")
	if a["ok"] != false || !strings.Contains(a["detail"].(string), "refused") || strings.Contains(a["detail"].(string), "wrong password") {
		t.Error(a)
	}
	w.want(200, "PATCH", "/api/v1/channels/"+id, `{"settings":{"password":"the right one"},"enabled":false}`)
	if a = w.want(200, "POST", "/api/v1/channels/"+id+"/test", ""); a["ok"] != true {
		t.Error(a)
	}
	if one := w.want(200, "GET", "/api/v1/channels/"+id, ""); one["health"].(map[string]any)["state"] != "off" {
		t.Error(one["health"])
	}
	old := fmt.Sprint(1)
	if a := w.want(409, "PATCH", "/api/v1/channels/"+id, `{"name":"y","version":`+old+`}`); a["code"] != "conflict" {
		t.Error(a)
	}
}

func TestAgentIsAddedChangedAndLockedOut(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		team := w.want(201, "POST", "/api/v1/teams", `{"name":"Support"}`)["id"].(string)
		w.want(409, "POST", "/api/v1/teams", `{"name":"Support"}`)
		a := w.want(201, "POST", "/api/v1/agents", `{"email":"Li@Example.com","name":"李","teams":["`+team+`"],"skills":["退款"],"password":"first password"}`)
		if a["email"] != "li@example.com" || a["role"] != "agent" || a["capacity"] != 10.0 || !w.wasTold("people") {
			t.Fatal(a)
		}
		id := a["id"].(string)
		w.want(409, "POST", "/api/v1/agents", `{"email":"li@example.com","name":"two"}`)
		w.want(422, "POST", "/api/v1/agents", `{"email":"z@example.com","name":"z","password":"short"}`)
		w.want(422, "PATCH", "/api/v1/agents/"+id, `{"name":"changed","password":"short"}`)
		w.want(422, "PATCH", "/api/v1/agents/"+id, `{"teams":["nowhere"]}`)
		login, err := w.auth.LogIn(t.Context(), "li@example.com", "first password", "", "")
		w.ok(err)
		if !login.Principal.MustChange {
			t.Error("a given password must be changed")
		}
		w.want(200, "PATCH", "/api/v1/agents/"+id, `{"disabled":true,"capacity":5}`)
		if left, _ := w.store.Sessions(t.Context(), id); len(left) != 0 {
			t.Error("a disabled agent is still logged in")
		}
		one := w.want(200, "GET", "/api/v1/agents/"+id, "")
		if one["name"] != "李" || one["disabled"] != true || one["capacity"] != 5.0 {
			t.Error(one)
		}
		if a := w.want(409, "PATCH", "/api/v1/agents/"+w.admin.ID, `{"role":"agent"}`); a["detail"] != "This is the last admin." {
			t.Error(a)
		}
		if s := text(t, w.want(200, "GET", "/api/v1/audit", "")); strings.Contains(s, "first password") || !strings.Contains(s, "agent.changed") {
			t.Error(s)
		}
	})
}

func TestTokenIsShownOnceAndRevoked(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	made := w.want(201, "POST", "/api/v1/tokens", `{"name":"importer"}`)
	secret := made["token"].(string)
	all := text(t, w.want(200, "GET", "/api/v1/tokens", ""))
	if strings.Contains(all, secret) || !strings.Contains(all, secret[len(secret)-4:]) {
		t.Error(all)
	}
	w.tokens[w.admin.ID], secret = secret, w.tokens[w.admin.ID]
	w.want(200, "GET", "/api/v1/agents", "")
	w.want(204, "DELETE", "/api/v1/tokens/"+made["id"].(string), "")
	w.want(401, "GET", "/api/v1/agents", "")
	w.tokens[w.admin.ID] = secret
	w.want(404, "DELETE", "/api/v1/tokens/"+made["id"].(string), "")
}

func TestRuleTakesListsInBothForms(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		a := w.want(201, "POST", "/api/v1/rules", `{"name":"退款","any":"退款，退货、refund; 退 钱\n退款","tags":["a","b,c"],"priority":"urgent"}`)
		if got := text(t, a["any"]); got != `["退款","退货","refund","退 钱"]` {
			t.Error(got)
		}
		if got := text(t, a["tags"]); got != `["a","b","c"]` || !w.wasTold("rules") {
			t.Error(got)
		}
		id := a["id"].(string)
		b := w.want(200, "PATCH", "/api/v1/rules/"+id, `{"not":["不退款"],"version":1}`)
		if len(b["any"].([]any)) != 4 || text(t, b["not"]) != `["不退款"]` {
			t.Error(b)
		}
		w.want(409, "PATCH", "/api/v1/rules/"+id, `{"name":"late","version":1}`)
		for _, bad := range []string{`{"name":"x"}`, `{"name":"x","any":" , "}`, `{"any":["x"]}`, `{"name":"x","any":["y"],"team_id":"nowhere"}`, `{"name":"x","any":5}`} {
			w.want(422, "POST", "/api/v1/rules", bad)
		}
		w.want(204, "DELETE", "/api/v1/rules/"+id, "")
		w.want(404, "DELETE", "/api/v1/rules/"+id, "")
	})
}

func TestDryRunShowsWordsAndOutcomeAndChangesNothing(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		team := w.want(201, "POST", "/api/v1/teams", `{"name":"财务"}`)["id"].(string)
		w.arrive("😀 我要退 款，谢谢")
		w.arrive("where is my parcel")
		a := w.want(200, "POST", "/api/v1/rules/dry-run", `{"rule":{"name":"r","any":["退款"],"team_id":"`+team+`","priority":"urgent","tags":["钱"]}}`)
		if a["checked"] != 2.0 || a["matched"] != 1.0 {
			t.Fatal(a)
		}
		item := a["items"].([]any)[0].(map[string]any)
		m := item["matched_words"].([]any)[0].(map[string]any)
		units := []rune{} // UTF-16 as scripts count
		for _, r := range item["text"].(string) {
			if r > 0xffff {
				units = append(units, 0)
			}
			units = append(units, r)
		}
		if m["word"] != "退款" || m["text"] != "退 款" || string(units[int(m["start"].(float64)):int(m["end"].(float64))]) != "退 款" {
			t.Error(m)
		}
		before, after := item["before"].(map[string]any), item["after"].(map[string]any)
		if before["team"] != nil || after["team"].(map[string]any)["name"] != "财务" || after["priority"] != "urgent" || !slices.Contains(after["tags"].([]any), any("钱")) {
			t.Error(before, after)
		}
		if rules := w.want(200, "GET", "/api/v1/rules", ""); len(rules["items"].([]any)) != 0 {
			t.Error("a dry run was saved")
		}
		if a := w.want(200, "POST", "/api/v1/rules/dry-run", `{"rules":[]}`); a["matched"] != 0.0 {
			t.Error(a)
		}
	})
}

func TestLedgerShowsWhereEverythingEnded(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		filed := w.arrive("hello")
		all := w.want(200, "GET", "/api/v1/intake?outcome=ticket", "")["items"].([]any)
		if len(all) != 1 || all[0].(map[string]any)["ticket"].(map[string]any)["id"] != filed.TicketID {
			t.Fatal(all)
		}
		one := w.want(200, "GET", "/api/v1/intake/"+filed.EnvelopeID, "")
		if one["raw"] != "hello��" || one["size"] != 7.0 || one["truncated"] != false {
			t.Error(one)
		}
		if n := w.want(200, "GET", "/api/v1/intake/counts", "")["counts"].(map[string]any)["ticket"]; n != 1.0 {
			t.Error(n)
		}
		w.want(409, "POST", "/api/v1/intake/"+filed.EnvelopeID+"/process", "")
		w.want(404, "GET", "/api/v1/intake/"+desk.NewID(), "")
		if w.woken != 0 {
			t.Error("woken for nothing")
		}
	})
}

func TestHealthIsTheWorstOfAll(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	if a := w.want(200, "GET", "/api/v1/health", ""); a["state"] != "ok" {
		t.Error(a)
	}
	id := w.want(201, "POST", "/api/v1/channels", `{"kind":"mail","name":"Box","settings":{"address":"a@b","password":"p"}}`)["id"].(string)
	w.ok(w.store.SetHealth(t.Context(), id, false, "the mailbox is full"))
	if a := w.want(200, "GET", "/api/v1/health", ""); a["state"] != "error" || !strings.Contains(text(t, a), "mailbox is full") {
		t.Error(a)
	}
}
