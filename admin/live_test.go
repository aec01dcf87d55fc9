package admin

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"hearback/connectors"
	"hearback/desk"
	"hearback/ticketstore"
)

// addMail makes a channel and returns its id and the answer.
func (w *world) addMail() (desk.ID, map[string]any) {
	w.Helper()
	a := w.want(201, "POST", "/api/v1/channels", `{"kind":"mail","name":"信箱","settings":{"address":"a@b","password":"right-password"}}`)
	return a["id"].(string), a
}

func TestSecondAddressIsShownWholeOnce(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		id, made := w.addMail()
		if made["mount"] != "https://desk.example.com/api/v1/hooks/whsec_made_by_itself" {
			t.Errorf("made: %v", made["mount"])
		}
		if a := w.want(200, "GET", "/api/v1/channels/"+id, ""); a["mount"] != "https://desk.example.com/api/v1/hooks/••••self" {
			t.Errorf("later: %v", a["mount"])
		}
		kind := w.want(200, "GET", "/api/v1/kinds", "")["items"].([]any)[0].(map[string]any)
		if kind["mount"] != "/api/v1/hooks/" || kind["try"] != true || kind["consent"] != true {
			t.Errorf("%v", kind)
		}
	})
}

func TestLiveLogJoinsTheLedger(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		id, _ := w.addMail()
		filed := w.arrive("hello")
		w.noted = []connectors.Note{
			{At: 3000, What: "call", Status: 401, Refused: true, Detail: "wrong signature", Remote: "192.0.2.1"},
			{At: 2000, What: "text", Ref: "m1", Status: 200, Envelope: filed.EnvelopeID}, {At: 1000, What: "text", Envelope: desk.NewID()},
		}
		items := w.want(200, "GET", "/api/v1/channels/"+id+"/log", "")["items"].([]any)
		if len(items) != 3 {
			t.Fatal(items)
		}
		first, second, third := items[0].(map[string]any), items[1].(map[string]any), items[2].(map[string]any)
		if first["refused"] != true || first["detail"] != "wrong signature" || first["outcome"] != "" || first["ticket"] != nil {
			t.Errorf("%v", first)
		}
		number := must(t)(w.store.Ticket(t.Context(), filed.TicketID)).Number
		if second["outcome"] != "ticket" || second["ticket"].(map[string]any)["number"] != number || second["at"] != "1970-01-01T00:00:02.000Z" {
			t.Errorf("%v", second)
		}
		if third["outcome"] != "" {
			t.Errorf("%v", third)
		}
		w.want(404, "GET", "/api/v1/channels/"+desk.NewID()+"/log", "")
	})
}

func must(t *testing.T) func(desk.Ticket, error) desk.Ticket {
	return func(v desk.Ticket, err error) desk.Ticket {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestPastedRequestIsTriedAndChangesNothing(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		try := func(body string) map[string]any {
			sample, _ := json.Marshal(map[string]any{"query": "?event=newCall&x=1", "headers": map[string]string{"x-sign": "s"}, "body": body, "settings": map[string]string{"address": "a@b"}})
			return w.want(200, "POST", "/api/v1/kinds/mail/try", string(sample))
		}
		a := try("hello")
		m := a["messages"].([]any)[0].(map[string]any)
		if m["text"] != "newCall s hello" || m["from"] != "x@y" || m["attachments"].([]any)[0] != "audio/wav" || a["answer"].(map[string]any)["status"] != 200.0 {
			t.Errorf("%v", a)
		}
		if call := a["call"].(map[string]any); call["state"] != "ended" || call["outcome"] != "missed" {
			t.Errorf("%v", call)
		}
		if a := try(strings.Repeat("字", 50000)); len([]rune(a["messages"].([]any)[0].(map[string]any)["text"].(string))) != trialText+1 {
			t.Error("the answer is not bounded")
		}
		if a := w.want(422, "POST", "/api/v1/kinds/mail/try", `{"body":"panic"}`); strings.Contains(a["detail"].(string), "panic") {
			t.Errorf("%v", a)
		}
		w.want(422, "POST", "/api/v1/kinds/mail/try", `{"query":"%zz"}`)
		w.want(422, "POST", "/api/v1/kinds/mail/try", `{"body":"`+strings.Repeat("x", 262145)+`"}`)
		w.want(404, "POST", "/api/v1/kinds/none/try", `{}`)
		if entries, _, err := w.store.Ledger(t.Context(), ticketstore.LedgerFilter{}); err != nil || len(entries) != 0 {
			t.Errorf("%d envelopes, %v", len(entries), err)
		}
	})
}

// back follows the provider's redirect as the admin's browser does and returns where it ends.
func (w *world) back(query url.Values) *url.URL {
	w.Helper()
	r, err := http.NewRequest("GET", w.server.URL+"/api/v1/oauth/callback?"+query.Encode(), nil)
	w.ok(err)
	r.Header.Set("Authorization", "Bearer "+w.tokens[w.admin.ID])
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(r)
	w.ok(err)
	answer.Body.Close()
	if answer.StatusCode != http.StatusSeeOther {
		w.Fatalf("answered %d", answer.StatusCode)
	}
	to, err := url.Parse(answer.Header.Get("Location"))
	w.ok(err)
	return to
}

func TestLoginAtTheProviderFillsInTheSettings(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		id, _ := w.addMail()
		begin := func() string {
			page, err := url.Parse(w.want(200, "POST", "/api/v1/channels/"+id+"/consent", "")["url"].(string))
			w.ok(err)
			if page.Host != "login.example.com" || page.Query().Get("redirect_uri") != "https://desk.example.com/api/v1/oauth/callback" {
				t.Errorf("%s", page)
			}
			return page.Query().Get("state")
		}
		state := begin()
		to := w.back(url.Values{"state": {state}, "code": {"right"}})
		if to.Path != "/admin/channels/"+id || to.Query().Get("consent") != "ok" || to.Host != "desk.example.com" {
			t.Errorf("%s", to)
		}
		ch, err := w.store.Channel(t.Context(), id)
		if err != nil || ch.Settings["password"] != "right-token-that-is-long-enough" || ch.Settings["address"] != "a@b" {
			t.Errorf("%v", err)
		}
		if a := w.want(200, "GET", "/api/v1/channels/"+id, ""); a["secrets"].(map[string]any)["password"] != "••••ough" {
			t.Errorf("%v", a["secrets"])
		}
		for name, c := range map[string]struct {
			query   url.Values
			problem string
		}{
			"the same state again": {url.Values{"state": {state}, "code": {"right"}}, "state"},
			"a forged state":       {url.Values{"state": {"x.y"}, "code": {"right"}}, "state"},
			"the admin said no":    {url.Values{"state": {begin()}, "error": {"access_denied"}}, "denied"},
			"the provider said no": {url.Values{"state": {begin()}, "code": {"wrong"}}, "provider"},
		} {
			to := w.back(c.query)
			if to.Query().Get("consent") != "failed" || to.Query().Get("problem") != c.problem || to.Query().Get("detail") == "" {
				t.Errorf("%s: %s", name, to)
			}
			if strings.Contains(to.String(), "right-token-that-is-long-enough") {
				t.Errorf("%s: a secret is in the address: %s", name, to)
			}
		}
		if after, _ := w.store.Channel(t.Context(), id); after.Version != ch.Version {
			t.Error("a refusal changed the channel")
		}
	})
}

func TestTeamsHaveQueuesAndALetterAndAgentsExtensions(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		team := w.want(201, "POST", "/api/v1/teams", `{"name":"售后","queues":["after-sales"," ","after-sales","400"],"template":"您好\n{{text}}\n{{signature}}"}`)
		if len(team["queues"].([]any)) != 2 || !strings.Contains(team["template"].(string), "{{text}}") {
			t.Errorf("%v", team)
		}
		path := "/api/v1/teams/" + team["id"].(string)
		if a := w.want(200, "PATCH", path, `{"name":"售后组"}`); len(a["queues"].([]any)) != 2 || a["name"] != "售后组" || a["template"] == "" {
			t.Errorf("%v", a)
		}
		if a := w.want(200, "PATCH", path, `{"queues":[],"template":""}`); len(a["queues"].([]any)) != 0 || a["template"] != "" || a["name"] != "售后组" {
			t.Errorf("%v", a)
		}
		w.want(422, "PATCH", path, `{"template":"no place for the text"}`)
		one := w.want(201, "POST", "/api/v1/agents", `{"email":"zhao@example.com","name":"赵","extensions":["8001","sip:zhao"],"signature":"赵"}`)
		if len(one["extensions"].([]any)) != 2 || one["signature"] != "赵" {
			t.Errorf("%v", one)
		}
		if a := w.want(200, "PATCH", "/api/v1/agents/"+one["id"].(string), `{"extensions":["8002"]}`); a["extensions"].([]any)[0] != "8002" || a["signature"] != "赵" {
			t.Errorf("%v", a)
		}
	})
}
