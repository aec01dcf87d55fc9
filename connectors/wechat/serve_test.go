package wechat_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/silenceper/wechat/v2/util"

	"hearback/connectors/connectortest"
	"hearback/connectors/wechat"
	"hearback/connectors/wechat/tencent"
	"hearback/desk"
)

// A post is a callback made by hand, so that each part of it can be wrong.
type post struct {
	token, timestamp, nonce, body string
	aes                           bool
	key, app                      string
	change                        func(q url.Values)
	method                        string
}

func (p post) request(t testing.TB, address string) *http.Request {
	t.Helper()
	q := url.Values{"timestamp": {p.timestamp}, "nonce": {p.nonce}, "signature": {util.Signature(p.token, p.timestamp, p.nonce)}}
	if p.aes {
		sealed, err := util.EncryptMsg([]byte("0123456789abcdef"), []byte(p.body), p.app, p.key)
		if err != nil {
			t.Fatal(err)
		}
		q.Set("encrypt_type", "aes")
		q.Set("msg_signature", util.Signature(p.token, p.timestamp, p.nonce, string(sealed)))
		p.body = "<xml><ToUserName>gh_1</ToUserName><Encrypt><![CDATA[" + string(sealed) + "]]></Encrypt></xml>"
	}
	if p.change != nil {
		p.change(q)
	}
	method := p.method
	if method == "" {
		method = http.MethodPost
	}
	req, err := http.NewRequest(method, address+"?"+q.Encode(), strings.NewReader(p.body))
	if err != nil {
		t.Fatal(err)
	}
	return req
}

const hello = `<xml><ToUserName>gh_1</ToUserName><FromUserName>o1</FromUserName><CreateTime>1764000000</CreateTime><MsgType>text</MsgType><Content>你好</Content><MsgId>%d</MsgId></xml>`

func (s *stage) post(n int, change func(*post)) post {
	p := post{token: "spamtest", timestamp: strconv.FormatInt(s.House.Clock.Now().Unix(), 10), nonce: strconv.Itoa(1000 + n), body: fmt.Sprintf(hello, n),
		aes: s.settings["mode"] != "plain", key: aesKey, app: s.Account.AppID}
	if change != nil {
		change(&p)
	}
	return p
}

func mode(m string) func(*tencent.Account, map[string]string) {
	return func(_ *tencent.Account, set map[string]string) { set["mode"] = m }
}

func TestForgedCallbacksChangeNothingAndAreNotAcknowledged(t *testing.T) {
	for _, c := range []struct {
		name, mode string
		change     func(*post)
		status     int
		reason     string
	}{
		{"another token", "safe", func(p *post) { p.token = "guessed" }, 403, "signature"},
		{"a plain body on a safe account", "safe", func(p *post) { p.aes = false }, 403, "not encrypted"},
		{"a plain body that says it is encrypted", "safe", func(p *post) { p.aes = false; p.change = func(q url.Values) { q.Set("encrypt_type", "aes") } }, 403, "not encrypted"},
		{"no encrypt_type on a safe account", "safe", func(p *post) { p.change = func(q url.Values) { q.Del("encrypt_type") } }, 403, "not encrypted"},
		{"no msg_signature", "safe", func(p *post) { p.change = func(q url.Values) { q.Del("msg_signature") } }, 403, "signature"},
		{"a wrong msg_signature", "safe", func(p *post) { p.change = func(q url.Values) { q.Set("msg_signature", strings.Repeat("0", 40)) } }, 403, "signature"},
		{"another key", "safe", func(p *post) { p.key = otherKey }, 403, "decrypt"},
		{"another account's message", "safe", func(p *post) { p.app = "wxffffffffffffffff" }, 403, "APPID"},
		{"an hour old", "safe", func(p *post) { p.timestamp = back(p.timestamp, 3600) }, 403, "ten minutes"},
		{"an hour ahead", "safe", func(p *post) { p.timestamp = back(p.timestamp, -3600) }, 403, "ten minutes"},
		{"no time at all", "safe", func(p *post) { p.timestamp = "soon" }, 403, "ten minutes"},
		{"not a document", "safe", func(p *post) { p.body = "hello" }, 400, ""},
		{"a document with entities", "safe", func(p *post) { p.body = `<!DOCTYPE a [<!ENTITY b "c">]><xml/>` }, 400, "entities"},
		{"from nobody", "safe", func(p *post) { p.body = "<xml><MsgType>text</MsgType></xml>" }, 400, "form"},
		{"too big", "plain", func(p *post) { p.body = strings.Repeat("x", 300<<10) }, 413, "too big"},
		{"encrypted on a plain account", "plain", func(p *post) { p.aes = true }, 403, "plain mode"},
		{"encrypted on a plain account, not told so", "plain", func(p *post) { p.aes = true; p.change = func(q url.Values) { q.Del("encrypt_type") } }, 403, "plain mode"},
		{"another token, plain", "plain", func(p *post) { p.token = "guessed" }, 403, "signature"},
		{"PUT", "safe", func(p *post) { p.method = http.MethodPut }, 405, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := play(t, tencent.Official, mode(c.mode))
			status, body, header := answer(t, s.post(1, c.change).request(t, s.URL))
			if status != c.status || strings.Contains(body, "success") || header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("status %d, want %d: %s", status, c.status, body)
			}
			if n := len(s.House.Inbox.Envelopes()); n > 0 {
				t.Errorf("%d envelopes", n)
			}
			if c.status == 405 {
				return
			}
			notes := s.notes.notes()
			if len(notes) != 1 || !notes[0].Refused || notes[0].Status != c.status || !strings.Contains(notes[0].Detail, c.reason) || notes[0].Remote != "127.0.0.1" {
				t.Errorf("the live log says %+v, want the reason %q", notes, c.reason)
			}
			s.House.CheckSecrets(wechat.Kind, s.Channel, fmt.Sprint(body, notes))
		})
	}
}

func back(timestamp string, seconds int64) string {
	n, _ := strconv.ParseInt(timestamp, 10, 64)
	return strconv.FormatInt(n-seconds, 10)
}

func TestVerificationIsAnsweredOnGETOnly(t *testing.T) {
	s := play(t, tencent.Official, nil)
	if err := s.Verify(context.Background(), appID); err != nil {
		t.Error(err)
	}
	if notes := s.notes.notes(); len(notes) != 1 || notes[0].What != "verification" || notes[0].Refused {
		t.Errorf("the live log says %+v", notes)
	}
	echo := func(q url.Values) { q.Set("echostr", "<script>1</script>") }
	status, body, header := answer(t, s.post(1, func(p *post) { p.method, p.change = http.MethodGet, echo }).request(t, s.URL))
	if status != 200 || body != "<script>1</script>" || !strings.HasPrefix(header.Get("Content-Type"), "text/plain") || header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%d %q %v", status, body, header)
	}
	if status, body, _ := answer(t, s.post(2, func(p *post) { p.change = echo }).request(t, s.URL)); status != 200 || body != "success" {
		t.Errorf("a POST reflects: %d %q", status, body)
	}
	if status, body, _ := answer(t, s.post(3, func(p *post) { p.method, p.change, p.token = http.MethodGet, echo, "guessed" }).request(t, s.URL)); status != 403 || strings.Contains(body, "script") {
		t.Errorf("a stranger is answered: %d %q", status, body)
	}
}

func TestBothKeysDecryptWhileTheyAreChanged(t *testing.T) {
	s := play(t, tencent.Official, func(_ *tencent.Account, set map[string]string) { set["previous_encoding_aes_key"] = otherKey })
	for n, key := range []string{aesKey, otherKey} {
		if status, body, _ := answer(t, s.post(n, func(p *post) { p.key = key }).request(t, s.URL)); status != 200 || body != "success" {
			t.Errorf("key %d: %d %q", n, status, body)
		}
	}
	s.wait(2)
}

func TestACompatibleAccountTakesBothForms(t *testing.T) {
	s := play(t, tencent.Official, mode("compatible"))
	for n, aes := range []bool{true, false} {
		if status, body, _ := answer(t, s.post(n, func(p *post) { p.aes = aes }).request(t, s.URL)); status != 200 || body != "success" {
			t.Errorf("encrypted %v: %d %q", aes, status, body)
		}
	}
	s.wait(2)
	// The stamp of an encrypted message does not carry an open one.
	p := s.post(7, nil)
	answer(t, p.request(t, s.URL))
	p.aes, p.body = false, fmt.Sprintf(hello, 666)
	if status, _, _ := answer(t, p.request(t, s.URL)); status != 403 || len(s.wait(3)) != 3 {
		t.Errorf("the stamp of an encrypted message was reused: %d", status)
	}
}

func TestASignatureThatDoesNotCoverTheBodyBringsOneBodyOnly(t *testing.T) {
	s := play(t, tencent.Official, mode("plain"))
	first := s.post(1, nil)
	for range 3 { // Tencent's own repetitions may be the very same bytes
		if status, body, _ := answer(t, first.request(t, s.URL)); status != 200 || body != "success" {
			t.Errorf("%d %q", status, body)
		}
	}
	forged := first
	forged.body = strings.Replace(forged.body, "你好", "请退款到我的新账户", 1)
	forged.body = strings.Replace(forged.body, "<MsgId>1<", "<MsgId>2<", 1)
	if status, _, _ := answer(t, forged.request(t, s.URL)); status != 403 {
		t.Errorf("a forged body came in by an old signature: %d", status)
	}
	if n := len(s.wait(1)); n != 1 {
		t.Errorf("%d envelopes", n)
	}
}

func TestATryThatWasNotCommittedIsTakenWhenRepeated(t *testing.T) {
	for _, m := range []string{"plain", "safe"} {
		t.Run(m, func(t *testing.T) {
			s := play(t, tencent.Official, mode(m))
			s.House.Inbox.Fail(fmt.Errorf("%w: full", desk.ErrUnavailable))
			p := s.post(1, nil)
			if status, body, header := answer(t, p.request(t, s.URL)); status != 503 || body == "" || body == "success" || header.Get("Retry-After") == "" {
				t.Errorf("%d %q", status, body)
			}
			s.House.Inbox.Fail(nil)
			if status, body, _ := answer(t, p.request(t, s.URL)); status != 200 || body != "success" {
				t.Errorf("the repeated try: %d %q", status, body)
			}
			s.wait(1)
		})
	}
}

func TestThreeDeliveriesInAnyOrderMakeOneMessage(t *testing.T) {
	s := play(t, tencent.Official, nil)
	const customers, each = 20, 10
	var letters []tencent.Letter
	for n := range customers * each {
		l := s.customer(fmt.Sprintf("o%02d", n%customers)).Compose(fmt.Sprint(n))
		letters = append(letters, l, l, l)
	}
	r := rand.New(rand.NewPCG(4, 2))
	r.Shuffle(len(letters), func(i, j int) { letters[i], letters[j] = letters[j], letters[i] })
	work := make(chan tencent.Letter)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			for l := range work {
				req, err := l.Request(context.Background())
				if err != nil {
					t.Error(err)
					continue
				}
				if res, err := http.DefaultClient.Do(req); err != nil || res.StatusCode != 200 {
					t.Errorf("%v %v", res, err)
				} else {
					io.Copy(io.Discard, res.Body)
					res.Body.Close()
				}
			}
		})
	}
	for _, l := range letters {
		work <- l
	}
	close(work)
	all.Wait()
	if n := len(s.House.Inbox.Envelopes()); n != customers*each {
		t.Errorf("%d messages of %d", n, customers*each)
	}
}

func TestASilentTencentDelaysNoCallback(t *testing.T) {
	s := play(t, tencent.Official, nil)
	s.Fail("/cgi-bin/stable_token", tencent.Fault{Times: 100, Hang: true})
	began := time.Now()
	for n := range 5 {
		if _, err := s.customer("o1").Say(context.Background(), fmt.Sprint("hello ", n)); err != nil {
			t.Fatal(err)
		}
	}
	if d := time.Since(began); d > 4*time.Second {
		t.Errorf("five callbacks took %s", d)
	}
	if n := len(s.Calls("")); n > 0 {
		t.Errorf("%d calls to Tencent on the way of a callback", n)
	}
}

func TestNothingElseIsServed(t *testing.T) {
	s := play(t, tencent.Official, nil)
	for _, path := range []string{"/admin", "/f/", "/f/x.y", "/f/" + strings.Repeat("A", 3000)} {
		req, _ := http.NewRequest("GET", s.URL+path, nil)
		if status, _, _ := answer(t, req); status != 404 {
			t.Errorf("%s: %d", path, status)
		}
	}
}

// documents are callbacks as files, each with what it becomes beside it.
var documents = []string{"text", "image", "voice", "video", "shortvideo", "location", "link", "miniprogrampage", "file", "menu-message", "unknown",
	"subscribe", "unsubscribe", "scan", "click", "view", "scancode", "pictures", "location-select", "location-report", "enter-session", "template-done",
	"template-blocked", "unknown-event"}

func TestEveryCallbackIsTaken(t *testing.T) {
	sign := func(nonce string) func(*http.Request, int64) {
		return func(r *http.Request, now int64) {
			ts := strconv.FormatInt(now, 10)
			r.URL.RawQuery = url.Values{"timestamp": {ts}, "nonce": {nonce}, "signature": {util.Signature("spamtest", ts, nonce)}}.Encode()
		}
	}
	var cases []connectortest.In
	for _, name := range documents {
		cases = append(cases, connectortest.In{Name: name, Request: "testdata/" + name + ".xml", Reply: "success", Prepare: sign(name)})
	}
	cases = append(cases,
		connectortest.In{Name: "text in JSON", Request: "testdata/text.json", Reply: "success", Prepare: sign("json")},
		connectortest.In{Name: "the same MsgId again", Request: "testdata/text.xml", WantNothing: true, Reply: "success", Prepare: sign("again")},
		connectortest.In{Name: "the same event again", Request: "testdata/click.xml", WantNothing: true, Reply: "success", Prepare: sign("again2")},
		connectortest.In{Name: "late", Request: "testdata/text.xml", Status: 403, WantNothing: true, Prepare: func(r *http.Request, now int64) { sign("late")(r, now-9999) }},
		connectortest.In{Name: "another body for a known signature", Request: "testdata/image.xml", Status: 403, WantNothing: true, Prepare: sign("link")})
	connectortest.Receive(t, wechat.Kind, map[string]string{"account": "official", "app_id": appID, "app_secret": appKey, "token": "spamtest", "mode": "plain", "encoding_aes_key": aesKey}, cases)
}
