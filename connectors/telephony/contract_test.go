package telephony_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"hearback/connectors"
	"hearback/connectors/connectortest"
	"hearback/connectors/fleet"
	"hearback/connectors/telephony"
	"hearback/desk"
)

const (
	secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	token  = "4f9d2c1ab8e07735d0c4"
)

// signed posts a generic event; the same id is the same event.
func signed(t testing.TB, e *connectortest.Env, id, body string) (int, string) {
	t.Helper()
	return post(t, e.URL, "application/json", body, func(r *http.Request) { signAs(r, id, body, e.House.Clock.Now().Unix()) })
}

func signAs(r *http.Request, id, body string, at int64) {
	hook, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		panic(err)
	}
	signature, _ := hook.Sign(id, time.Unix(at, 0), []byte(body))
	r.Header.Set("webhook-id", id)
	r.Header.Set("webhook-timestamp", strconv.FormatInt(at, 10))
	r.Header.Set("webhook-signature", signature)
}

func post(t testing.TB, address, kind, body string, prepare func(*http.Request)) (int, string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	if prepare != nil {
		prepare(r)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(b)
}

func ringing(n int) string {
	return fmt.Sprintf(`{"type":"ringing","call_id":"call-%d","direction":"inbound","from":"+86138001380%02d","to":"+861064368888","agent":"101"}`, n, n)
}

func TestContract(t *testing.T) {
	var hangs atomic.Bool
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	centre := connectortest.NewProvider(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if hangs.Load() {
			select {
			case <-stop:
			case <-r.Context().Done():
			}
			return
		}
		io.WriteString(w, `{}`)
	})
	connectortest.Conformance(t, telephony.Kind, connectortest.Harness{
		Settings: map[string]string{"format": "generic", "secret": secret, "token": token, "callback_url": centre, "callback_secret": secret},
		Deliver: func(t testing.TB, e *connectortest.Env, n int) bool {
			status, _ := signed(t, e, fmt.Sprint("evt-", n), ringing(n))
			http.DefaultClient.CloseIdleConnections()
			return status == http.StatusOK
		},
		Outbound: func(e *connectortest.Env) desk.Outbound {
			return desk.Outbound{DeliveryID: desk.NewID(), MessageID: desk.NewID(), TicketID: desk.NewID(), Number: "GD20260101-0001", ChannelID: e.Channel.ID, Sender: "+8613800138001",
				To: desk.Identity{Type: "phone", Value: "+8613800138001"}, Text: "please call back", Means: "callback", Author: desk.Author{Kind: "agent", ID: desk.NewID(), Name: "Wang Fang"}, Attempt: 1}
		},
		Hang: func(*connectortest.Env) func() { hangs.Store(true); return func() { hangs.Store(false) } },
	})
}

func TestContractOfAddressesWithAToken(t *testing.T) {
	centre := connectortest.NewProvider(t, func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) })
	house := connectortest.NewHouse(t)
	e := connectortest.OpenChannel(t, telephony.Kind, house, map[string]string{"format": "zammad", "token": token, "secret": secret, "callback_url": centre, "callback_secret": secret})
	body := `{"event":"newCall","from":"493023125741","to":"492214710334","direction":"in","callId":"307fa962","user":["Christopher Miller","Emma Taylor"]}`
	for _, c := range []struct {
		path   string
		status int
		answer string
	}{
		{"/" + token, 200, "{}"}, {"/" + token + "/", 200, "{}"}, {"", 401, ""}, {"/" + token + "x", 401, ""}, {"/" + strings.ToUpper(token), 401, ""}, {"/?token=" + token, 401, ""},
	} {
		status, answer := post(t, e.URL+c.path, "application/json", body, nil)
		if status != c.status || c.answer != "" && answer != c.answer || status != 200 && !strings.HasPrefix(answer, `{"error":`) {
			t.Errorf("%q: %d %s", c.path, status, answer)
		}
	}
	if n := len(house.Inbox.Envelopes()); n != 1 {
		t.Errorf("%d envelopes of one event", n)
	}
	house.CheckSecrets(telephony.Kind, e.Channel)
}

// TestTheMountsAddressIsTheToken: the fleet has checked the token and gives the request with the path "/".
func TestTheMountsAddressIsTheToken(t *testing.T) {
	house := connectortest.NewHouse(t)
	ch := desk.Channel{ID: desk.NewID(), Kind: "telephony", Settings: connectortest.Settings(telephony.Kind, map[string]string{"format": "sipgate", "token": token, "secret": secret})}
	conn, err := telephony.Open(t.Context(), ch, house.Tools(ch))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = "/"
		conn.ServeHTTP(w, r)
	}))
	defer server.Close()
	status, answer := post(t, server.URL+"/api/v1/cti/"+token, "application/x-www-form-urlencoded", "event=newCall&direction=in&from=4915112345678&to=4930123456&callId=1", nil)
	back := `"http://desk.test/api/v1/cti/` + token + `"`
	if status != 200 || !strings.Contains(answer, "<Response onAnswer="+back+" onHangup="+back+"/>") {
		t.Errorf("%d %s", status, answer)
	}
	if status, answer = post(t, server.URL+"/api/v1/cti/"+token, "application/x-www-form-urlencoded", "event=hangup&cause=cancel&direction=in&from=4915112345678&to=4930123456&callId=1", nil); status != 200 || !strings.HasSuffix(answer, "<Response/>") {
		t.Errorf("%d %s", status, answer)
	}
	if status, _ = post(t, server.URL+"/api/v1/cti/other", "application/x-www-form-urlencoded", "event=hangup&direction=in&callId=1", nil); status != 401 {
		t.Errorf("another token: %d", status)
	}
}

// TestWhatIsRefusedChangesNothingAndStandsInTheLog: each with the status its provider understands, and no secret in it.
func TestWhatIsRefusedChangesNothingAndStandsInTheLog(t *testing.T) {
	basic := func(pair string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(pair)))
		}
	}
	now := time.Now().Unix()
	generic, tccc := map[string]string{"format": "generic"}, map[string]string{"format": "tccc", "secret": "user:password1"}
	for _, c := range []struct {
		name, path, kind, body string
		settings               map[string]string
		prepare                func(*http.Request)
		status                 int
		answer                 string // part of it
	}{
		{"not signed", "", "application/json", ringing(1), generic, nil, 401, `{"error":`},
		{"wrong signature", "", "application/json", ringing(1), generic, func(r *http.Request) { signAs(r, "a", ringing(2), now) }, 401, `{"error":`},
		{"old", "", "application/json", ringing(1), generic, func(r *http.Request) { signAs(r, "a", ringing(1), now-301) }, 401, "five minutes"},
		{"from the future", "", "application/json", ringing(1), generic, func(r *http.Request) { signAs(r, "a", ringing(1), now+400) }, 401, "five minutes"},
		{"no JSON", "", "application/json", "{", generic, func(r *http.Request) { signAs(r, "a", "{", now) }, 400, `{"error":`},
		{"no call", "", "application/json", `{"type":"ringing"}`, generic, func(r *http.Request) { signAs(r, "a", `{"type":"ringing"}`, now) }, 422, "call_id"},
		{"unknown type", "", "application/json", `{"type":"x","call_id":"1"}`, generic, func(r *http.Request) { signAs(r, "a", `{"type":"x","call_id":"1"}`, now) }, 422, "type"},
		{"over 1 MB", "", "application/json", strings.Repeat(" ", 1<<20+1), generic, nil, 413, "1 MB"},
		{"not allowed from here", "", "application/json", ringing(1), map[string]string{"format": "generic", "allow_ips": "203.0.113.7"}, func(r *http.Request) { signAs(r, "a", ringing(1), now) }, 403, "allowed"},
		{"zammad, no direction", "/" + token, "application/json", `{"event":"newCall","callId":"1"}`, map[string]string{"format": "zammad"}, nil, 422, `{"error":"direction`},
		{"zammad, wrong direction", "/" + token, "application/json", `{"event":"newCall","callId":"1","direction":"up"}`, map[string]string{"format": "zammad"}, nil, 422, `{"error":"direction`},
		{"zammad, unknown event", "/" + token, "application/json", `{"event":"x","callId":"1","direction":"in"}`, map[string]string{"format": "zammad"}, nil, 422, `{"error":"event`},
		{"twilio, not signed", "", "application/x-www-form-urlencoded", "CallSid=1&CallStatus=ringing", map[string]string{"format": "twilio", "secret": "12345abc"}, nil, 401, ""},
		{"freeswitch, wrong password", "", "application/json", `{"variables":{"uuid":"1"}}`, map[string]string{"format": "freeswitch", "secret": "pbx:right1"}, basic("pbx:wrong"), 401, ""},
		{"tccc, nobody", "?action=cdr", "application/json", `{"SessionId":"1"}`, tccc, nil, 401, `{"ErrCode":401`},
		{"tccc, wrong password", "?action=cdr", "application/json", `{"SessionId":"1"}`, tccc, basic("user:password2"), 401, `{"ErrCode":401`},
		{"tccc, no session", "?action=cdr", "application/json", `{}`, tccc, basic("user:password1"), 422, `{"ErrCode":422`},
		{"aliyun, nobody", "", "application/json", `[]`, map[string]string{"format": "aliyun"}, nil, 401, `{"code":401`},
		{"placetel, wrong signature", "/" + token, "application/x-www-form-urlencoded", "event=HungUp&call_id=1", map[string]string{"format": "placetel", "secret": "shared-secret"}, nil, 401, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			house := connectortest.NewHouse(t)
			settings := map[string]string{"secret": secret, "token": token}
			for k, v := range c.settings {
				settings[k] = v
			}
			e, notes := openNoted(t, house, settings)
			status, answer := post(t, e+c.path, c.kind, c.body, c.prepare)
			if status != c.status || !strings.Contains(answer, c.answer) {
				t.Errorf("%d %s", status, answer)
			}
			if n := len(house.Inbox.Envelopes()); n != 0 {
				t.Errorf("%d envelopes", n)
			}
			got := *notes
			if len(got) != 1 || !got[0].Refused || got[0].Status != c.status || got[0].Detail == "" || got[0].Remote != "127.0.0.1" {
				t.Errorf("log: %+v", got)
			}
			for _, s := range []string{token, secret, "password1", "shared-secret", "12345abc"} {
				if strings.Contains(answer+fmt.Sprint(got)+house.Logged(), s) {
					t.Errorf("%q was told: %s %+v", s, answer, got)
				}
			}
		})
	}
}

// openNoted serves a channel whose live log is kept.
func openNoted(t *testing.T, house *connectortest.House, settings map[string]string) (address string, notes *[]connectors.Note) {
	t.Helper()
	ch := desk.Channel{ID: desk.NewID(), Kind: "telephony", Settings: connectortest.Settings(telephony.Kind, settings)}
	notes = new([]connectors.Note)
	tools := house.Tools(ch)
	tools.Note = func(n connectors.Note) { *notes = append(*notes, n) }
	conn, err := telephony.Open(t.Context(), ch, tools)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.StripPrefix("/c/"+ch.ID, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "" {
			r.URL.Path = "/"
		}
		conn.ServeHTTP(w, r)
	})))
	t.Cleanup(server.Close)
	return server.URL + "/c/" + ch.ID, notes
}

func TestRepeatsAreTakenAndConflictsRefused(t *testing.T) {
	house := connectortest.NewHouse(t)
	e, notes := openNoted(t, house, map[string]string{"format": "generic", "secret": secret, "token": token})
	now := house.Clock.Now().Unix()
	for i, c := range []struct {
		body   string
		status int
	}{{ringing(1), 200}, {ringing(1), 200}, {ringing(2), 409}} {
		status, answer := post(t, e, "application/json", c.body, func(r *http.Request) { signAs(r, "evt-1", c.body, now+int64(i)) })
		if status != c.status {
			t.Errorf("try %d: %d %s", i, status, answer)
		}
	}
	if n := len(house.Inbox.Envelopes()); n != 1 {
		t.Errorf("%d envelopes", n)
	}
	if got := *notes; len(got) != 3 || got[0].Refused || got[0].What != "ringing" || got[0].Ref != "call-1" || got[0].Envelope == "" || got[1].Detail == "" || !got[2].Refused {
		t.Errorf("log: %+v", got)
	}
}

func TestAStoreThatIsAwayIsTriedAgain(t *testing.T) {
	house := connectortest.NewHouse(t)
	e, notes := openNoted(t, house, map[string]string{"format": "tccc", "secret": "u:pw-1234", "token": token})
	house.Inbox.Fail(fmt.Errorf("accept: %w", desk.ErrUnavailable))
	push := func() (int, string) {
		return post(t, e+"?action=cdr&version=1", "application/json", `{"SessionId":"s","Caller":"13800138000","StartTimestamp":1780000000,"EndedTimestamp":1780000009,"EndStatusString":"ivrGiveUp"}`, func(r *http.Request) {
			r.SetBasicAuth("u", "pw-1234")
			r.Header.Set("X-TCCC-PUSH-UUID", "push-1")
		})
	}
	if status, answer := push(); status != 503 || strings.Contains(answer, `"ErrCode":0`) || !(*notes)[0].Refused {
		t.Errorf("%d %s", status, answer)
	}
	house.Inbox.Fail(nil)
	if status, answer := push(); status != 200 || answer != `{"ErrCode":0,"ErrMsg":""}` || len(house.Inbox.Envelopes()) != 1 {
		t.Errorf("%d %s", status, answer)
	}
}

func TestSecretsInTheAddressAreNotKept(t *testing.T) {
	house := connectortest.NewHouse(t)
	e, _ := openNoted(t, house, map[string]string{"format": "zammad", "secret": secret, "token": token})
	post(t, e+"/"+token+"?t="+token+"&secret="+url.QueryEscape(secret), "application/json", `{"event":"hangup","callId":"1","direction":"in"}`, nil)
	all := house.Inbox.Envelopes()
	if len(all) != 1 || bytes.Contains([]byte(fmt.Sprint(all[0])), []byte(token)) || strings.Contains(fmt.Sprint(all[0]), secret) {
		t.Errorf("%+v", all)
	}
}

func TestSettingsAreChecked(t *testing.T) {
	for _, c := range []struct {
		settings map[string]string
		field    string
	}{
		{map[string]string{"secret": secret}, ""},
		{map[string]string{"secret": "no base64 !"}, "secret"},
		{map[string]string{"format": "twilio", "secret": "whsec_bWFkZSBoZXJl"}, "secret"},
		{map[string]string{"format": "twilio", "secret": "12345"}, ""},
		{map[string]string{"secret": secret, "country": "XX"}, "country"},
		{map[string]string{"secret": secret, "country": "de"}, ""},
		{map[string]string{"secret": secret, "allow_ips": "10.0.0.300"}, "allow_ips"},
		{map[string]string{"secret": secret, "time_zone": "Asia/Peking"}, "time_zone"},
	} {
		got := ""
		for _, p := range telephony.Kind.Check(c.settings) {
			got = p.Field
			if p.Text.Zh == "" || p.Text.En == "" {
				t.Errorf("%v: words are missing", c.settings)
			}
		}
		if got != c.field {
			t.Errorf("%v: problem with %q, want %q", c.settings, got, c.field)
		}
	}
	full, made := fleet.Complete(telephony.Kind, nil, true)
	if problems := fleet.Validate(telephony.Kind, full); len(problems) > 0 || made["secret"] == "" || len(made["token"]) != 48 {
		t.Errorf("a channel made without settings: %+v", problems)
	}
}

func TestTheKindsTestPlaysACallAndAsksTheCallCentre(t *testing.T) {
	house := connectortest.NewHouse(t)
	var asked atomic.Int32
	centre := connectortest.NewProvider(t, func(w http.ResponseWriter, r *http.Request) { asked.Add(1); io.Copy(io.Discard, r.Body) })
	ch := desk.Channel{ID: desk.NewID(), Kind: "telephony", Settings: connectortest.Settings(telephony.Kind, map[string]string{"secret": secret, "token": token, "callback_url": centre, "callback_secret": secret})}
	if err := telephony.Kind.Test(context.Background(), ch, house.Tools(ch)); err != nil || asked.Load() == 0 {
		t.Errorf("%v, asked %d times", err, asked.Load())
	}
	ch.Settings["secret"] = "whsec_not base64"
	if err := telephony.Kind.Test(context.Background(), ch, house.Tools(ch)); err == nil || strings.Contains(err.Error(), "not base64") {
		t.Errorf("a secret that cannot sign: %v", err)
	}
	if n := len(house.Inbox.Envelopes()); n != 0 {
		t.Errorf("the test kept %d envelopes", n)
	}
}
