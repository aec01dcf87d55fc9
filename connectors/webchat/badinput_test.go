package webchat_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"hearback/connectors/webchat"
	"hearback/desk"
)

func TestBadFramesGetAnAnswerAndChangeNothing(t *testing.T) {
	e := open(t, nil)
	token, _ := visitor(t, e, nil)
	w, _ := enter(t, e, token, 0)
	long := strings.Repeat("好", 4001)
	for _, c := range []struct{ name, frame, code string }{
		{"broken JSON", `{"type":"message","text":`, "bad_frame"},
		{"no JSON", `hello`, "bad_frame"},
		{"an array", `[1,2]`, "bad_frame"},
		{"unknown type", `{"type":"launch"}`, "bad_frame"},
		{"no type", `{}`, "bad_frame"},
		{"text is a number", `{"type":"message","client_msg_id":"x","text":5}`, "bad_frame"},
		{"deep", `{"type":"message","client_msg_id":"x","text":"x","extra":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`, "bad_frame"},
		{"invalid UTF-8", "{\"type\":\"message\",\"client_msg_id\":\"x\",\"text\":\"\xff\"}", "bad_frame"},
		{"no client_msg_id", `{"type":"message","text":"x"}`, "bad_frame"},
		{"bad client_msg_id", `{"type":"message","client_msg_id":"a b","text":"x"}`, "bad_frame"},
		{"long client_msg_id", `{"type":"message","client_msg_id":"` + strings.Repeat("a", 65) + `","text":"x"}`, "bad_frame"},
		{"empty text", `{"type":"message","client_msg_id":"x","text":" \n "}`, "bad_frame"},
		{"4,001 characters", `{"type":"message","client_msg_id":"x","text":"` + long + `"}`, "too_long"},
		{"16 KB and a byte", `{"type":"message","client_msg_id":"x","text":"` + strings.Repeat("𝕏", 4000) + strings.Repeat("x", 385) + `"}`, "too_long"},
		{"foreign attachment", `{"type":"message","client_msg_id":"x","attachments":["abc.def"]}`, "forbidden"},
		{"eleven attachments", `{"type":"message","client_msg_id":"x","attachments":["","","","","","","","","","",""]}`, "too_long"},
	} {
		w.write(c.frame)
		if f := w.until("error"); f.Code != c.code {
			t.Errorf("%s: got %q, want %q", c.name, f.Code, c.code)
		}
	}
	w.send("ok", strings.Repeat("好", 4000))
	if f := w.until("ack"); f.Seq != 1 {
		t.Errorf("then a good one: %+v", f)
	}
	if n := len(e.House.Inbox.Envelopes()); n != 1 {
		t.Errorf("%d envelopes", n)
	}
	for range 21 {
		w.write(`nonsense`)
	}
	if code := w.closed(); code != websocket.ClosePolicyViolation {
		t.Errorf("nothing but nonsense closes with %d", code)
	}
}

func TestBinaryAndHugeFramesCloseTheSocket(t *testing.T) {
	e := open(t, nil)
	token, _ := visitor(t, e, nil)
	w, _ := enter(t, e, token, 0)
	if err := w.conn.WriteMessage(websocket.BinaryMessage, []byte{1, 2, 3}); err != nil {
		t.Fatal(err)
	}
	if code := w.closed(); code != websocket.CloseUnsupportedData {
		t.Errorf("binary: closed with %d", code)
	}
	w, _ = enter(t, e, token, 0)
	go w.conn.WriteMessage(websocket.TextMessage, []byte(strings.Repeat("x", 10<<20))) // 10 MB
	if code := w.closed(); code != websocket.CloseMessageTooBig {
		t.Errorf("10 MB: closed with %d", code)
	}
	if n := len(e.House.Inbox.Envelopes()); n != 0 {
		t.Errorf("%d envelopes", n)
	}
}

func TestBadRequestsGetAProblemAndChangeNothing(t *testing.T) {
	e := open(t, nil)
	token, _ := visitor(t, e, nil)
	for _, c := range []struct {
		name, method, path, token, body string
		status                          int
		code                            string
	}{
		{"no token", "POST", "/messages", "", `{"client_msg_id":"x","text":"x"}`, 401, "forbidden"},
		{"forged token", "POST", "/messages", token[:len(token)-3] + "abc", `{"client_msg_id":"x","text":"x"}`, 401, "token_invalid"},
		{"nonsense token", "GET", "/events", "abc", ``, 401, "token_invalid"},
		{"broken JSON", "POST", "/messages", token, `{"client_msg_id":`, 400, "bad_frame"},
		{"deep JSON", "POST", "/messages", token, strings.Repeat("[", 30000), 400, "bad_frame"},
		{"too long", "POST", "/messages", token, `{"client_msg_id":"x","text":"` + strings.Repeat("x", 4001) + `"}`, 413, "too_long"},
		{"body of 10 MB", "POST", "/messages", token, strings.Repeat("x", 10<<20), 413, "too_long"},
		{"bad position", "GET", "/events?after=-1", token, ``, 400, "bad_frame"},
		{"no such path", "GET", "/nothing", "", ``, 404, "not_found"},
		{"bare address", "GET", "/", "", ``, 404, "not_found"},
		{"wrong method", "GET", "/messages", "", ``, 405, "bad_frame"},
		{"websocket without upgrade", "GET", "/ws", token, ``, 401, "forbidden"},
		{"bad e-mail", "POST", "/visitors", "", `{"email":"nobody"}`, 422, "invalid"},
		{"long name", "POST", "/visitors", "", `{"name":"` + strings.Repeat("n", 121) + `"}`, 422, "invalid"},
	} {
		status, out, h := call(t, e, c.method, c.path, c.token, c.body)
		if status != c.status || out["code"] != c.code || h.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: got %d %v", c.name, status, out)
		}
	}
	if n := len(e.House.Inbox.Envelopes()); n != 0 {
		t.Errorf("%d envelopes", n)
	}
}

func TestExpiredTokenIsRefusedAndOldOneRenewed(t *testing.T) {
	e := open(t, nil)
	token, id := visitor(t, e, nil)
	e.House.Clock.Advance(48 * time.Hour)
	_, welcome := enter(t, e, token, 0)
	if welcome.Token == "" || welcome.Token == token {
		t.Error("no fresh token after two days")
	}
	status, out, _ := call(t, e, "POST", "/visitors", token, nil)
	if status != 201 || out["visitor_id"] != id {
		t.Errorf("with a valid token: %d %v", status, out)
	}
	e.House.Clock.Advance(179 * 24 * time.Hour)
	if status, out, _ := call(t, e, "GET", "/events", token, nil); status != 401 || out["code"] != "token_expired" {
		t.Errorf("got %d %v", status, out)
	}
	if status, _, _ := call(t, e, "GET", "/events", welcome.Token, nil); status != 200 {
		t.Errorf("the renewed token: %d", status)
	}
	if _, res, err := dial(t, e, token); err == nil || res.StatusCode != 401 {
		t.Errorf("socket: %v", res)
	}
}

func TestForeignOriginsAreRefused(t *testing.T) {
	e := open(t, nil)
	token, _ := visitor(t, e, nil)
	for _, origin := range []string{"https://evil.example", "null", shop + ".evil.example", "http://shop.example.com", shop + ":8443"} {
		if _, res, err := dial(t, e, token, "Origin", origin); err == nil || res.StatusCode != http.StatusForbidden {
			t.Errorf("socket from %s: %v", origin, res)
		}
		status, _, h := call(t, e, "POST", "/visitors", "", nil, "Origin", origin)
		if status != http.StatusForbidden || h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("visitors from %s: %d", origin, status)
		}
	}
	own := e.URL[:strings.Index(e.URL, "/c/")]
	for _, origin := range []string{shop, own, "http://desk.test"} {
		if _, _, err := dial(t, e, token, "Origin", origin); err != nil {
			t.Errorf("socket from %s: %v", origin, err)
		}
		status, _, h := call(t, e, "OPTIONS", "/messages", "", nil, "Origin", origin, "Access-Control-Request-Method", "POST")
		if status != 204 || h.Get("Access-Control-Allow-Origin") != origin || !strings.Contains(h.Get("Access-Control-Allow-Headers"), "Authorization") {
			t.Errorf("preflight from %s: %d %v", origin, status, h)
		}
	}
}

func TestRatesHold(t *testing.T) {
	e := open(t, map[string]string{"rate_per_minute": "60", "visitors_per_minute": "10"})
	token, _ := visitor(t, e, nil)
	w, _ := enter(t, e, token, 0)
	for i := range 20 { // the burst
		w.send(fmt.Sprint("m", i), "x")
		w.until("ack")
	}
	w.send("m20", "x")
	if f := w.until("error"); f.Code != "rate" || f.ClientID != "m20" || f.Retry < 1 {
		t.Errorf("got %+v", f)
	}
	status, _, h := call(t, e, "POST", "/messages", token, map[string]string{"client_msg_id": "m21", "text": "x"})
	if status != 429 || h.Get("Retry-After") == "" {
		t.Errorf("over HTTP: %d", status)
	}
	if asked := e.House.Cache.Asked(); asked == 0 || asked > 10 {
		t.Errorf("the shared cache was asked %d times for 21 messages", asked)
	}
	e.House.Clock.Advance(2 * time.Second)
	w.send("m20", "x")
	w.until("ack")
	e.House.Cache.Fail(fmt.Errorf("redis is gone")) // the benefit of the doubt
	e.House.Clock.Advance(time.Second)
	w.send("m22", "x")
	w.until("ack")
	e.House.Cache.Fail(nil)

	refused := 0
	for range 12 {
		if status, _, _ := call(t, e, "POST", "/visitors", "", nil); status == 429 {
			refused++
		}
	}
	if refused == 0 {
		t.Error("one address may make any number of visitors")
	}
	if status, _, _ := call(t, e, "POST", "/visitors", token, nil); status != 201 {
		t.Errorf("a known visitor is refused: %d", status)
	}
}

func TestChatterIsLimited(t *testing.T) {
	e := open(t, nil)
	token, _ := visitor(t, e, nil)
	w, _ := enter(t, e, token, 0)
	for range 60 {
		w.write(`{"type":"ping"}`)
	}
	if f := w.until("error"); f.Code != "rate" {
		t.Errorf("got %+v", f)
	}
}

func TestSlowReaderIsShownTheDoor(t *testing.T) {
	e := open(t, map[string]string{"rate_per_minute": "0"})
	token, id := visitor(t, e, nil)
	slow, _ := enter(t, e, token, 0)
	fast, _ := enter(t, e, token, 0)
	text := strings.Repeat("long ", 3000)
	const n = 700 // 10 MB: more than the sender's buffer and the queue hold
	for i := range int64(n) {
		out := desk.Outbound{MessageID: fmt.Sprint("r", i), Sender: id, Text: text, Author: desk.Author{Kind: "agent"}}
		if _, err := e.Conn.Send(t.Context(), out); err != nil {
			t.Fatal(err)
		}
		if f := fast.until("event"); f.Seq != i+1 {
			t.Fatalf("the fast window got %d, want %d", f.Seq, i+1)
		}
	}
	if code := slow.closed(); code != 4008 {
		t.Errorf("closed with %d", code)
	}
	back, _ := enter(t, e, token, n-3)
	if got := back.events(3); got[2].Seq != n {
		t.Errorf("after coming back: %d", got[2].Seq)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"id":"1","client_msg_id":"x","text":"hi","files":[{"name":"a","type":"b","size":1,"blob":"c"}],"who":{"n":"Li","s":"42","pr":true}}`), "message")
	f.Add([]byte(`{"state":"read","ids":["a"]}`), "receipt")
	f.Fuzz(func(t *testing.T, raw []byte, typ string) {
		in, err := webchat.Decode(desk.Envelope{Type: desk.EnvelopeType(typ), Sender: "v", ChannelID: "c", Raw: raw})
		for _, i := range in {
			if err != nil || strings.ContainsRune(i.Text+i.Name, 0) || i.Type == desk.EnvelopeMessage && i.From.Value != "v" {
				t.Errorf("got %+v, %v", i, err)
			}
		}
		if _, err := json.Marshal(in); err != nil {
			t.Error(err)
		}
	})
}
