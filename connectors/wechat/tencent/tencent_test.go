package tencent

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// A world is a stand-in with a channel that takes everything, or what answer says.
type world struct {
	*Tencent
	t      *testing.T
	api    string
	mu     sync.Mutex
	now    time.Time
	got    []string
	answer func(w http.ResponseWriter, r *http.Request)
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func newWorld(t *testing.T, change ...func(*Account)) *world {
	w := &world{t: t, now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
	channel := httptest.NewServer(http.HandlerFunc(w.channel))
	t.Cleanup(channel.Close)
	official := Account{Kind: Official, AppID: "wxb11529c136998cb6", Secret: "s3cret", Token: "spamtest", AESKey: vectorKey, Mode: "safe", Callback: channel.URL, Templates: []string{"TM1"}}
	for _, f := range change {
		f(&official)
	}
	kf := Account{Kind: KF, AppID: "ww1", Secret: "corp", Token: "kft", AESKey: vectorKey, OpenKfID: "wk1", Callback: channel.URL}
	tc, err := New(Options{Accounts: []Account{official, kf}, Now: w.clock, CutAfter: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	w.Tencent = tc
	api := httptest.NewServer(tc)
	t.Cleanup(api.Close)
	w.api = api.URL
	return w
}

// channel opens every callback and keeps it.
func (w *world) channel(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var env struct{ Encrypt string }
	xml.Unmarshal(body, &env)
	q := r.URL.Query()
	if env.Encrypt != "" {
		token, app := "spamtest", "wxb11529c136998cb6"
		if q.Get("encrypt_type") == "" {
			token, app = "kft", "ww1"
		}
		if sign(token, q.Get("timestamp"), q.Get("nonce"), env.Encrypt) != q.Get("msg_signature") {
			w.t.Errorf("msg_signature of %s is wrong", body)
		}
		open, err := unseal(vectorKey, app, env.Encrypt)
		if err != nil {
			w.t.Errorf("open callback: %v", err)
		}
		body = open
	}
	w.mu.Lock()
	w.got = append(w.got, string(body))
	answer := w.answer
	w.mu.Unlock()
	if answer != nil {
		answer(rw, r)
		return
	}
	io.WriteString(rw, "success")
}

// post calls the API and returns errcode and body.
func (w *world) post(path string, in any) (int, string) {
	w.t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(in); err != nil {
		w.t.Fatal(err)
	}
	return w.raw("POST", path, "application/json", b.Bytes())
}

func (w *world) raw(method, path, typ string, body []byte) (int, string) {
	w.t.Helper()
	req, err := http.NewRequest(method, w.api+path, bytes.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", typ)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	all, _ := io.ReadAll(res.Body)
	var out struct {
		ErrCode int `json:"errcode"`
	}
	if res.StatusCode != 200 {
		w.t.Errorf("%s: status %d", path, res.StatusCode)
	}
	json.Unmarshal(all, &out)
	return out.ErrCode, string(all)
}

func (w *world) token(force bool) string {
	w.t.Helper()
	_, body := w.post("/cgi-bin/stable_token", map[string]any{"grant_type": "client_credential", "appid": "wxb11529c136998cb6", "secret": "s3cret", "force_refresh": force})
	return between(body, `"access_token":"`, `"`)
}

func between(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}

func sendText(c *Customer, s string) map[string]any {
	return map[string]any{"touser": c.OpenID, "msgtype": "text", "text": map[string]string{"content": s}}
}

func TestACustomerMayBeAnsweredFiveTimesWithin48Hours(t *testing.T) {
	w := newWorld(t)
	c, token := w.Customer("wxb11529c136998cb6", ""), w.token(false)
	send := "/cgi-bin/message/custom/send?access_token=" + token
	if code, _ := w.post(send, sendText(c, "too early")); code != 45015 {
		t.Errorf("before any message: %d", code)
	}
	if _, err := c.Say(context.Background(), "在吗"); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		if code, body := w.post(send, sendText(c, fmt.Sprint("answer ", i))); code != 0 {
			t.Errorf("answer %d: %s", i, body)
		}
	}
	if code, _ := w.post(send, sendText(c, "sixth")); code != 45047 {
		t.Errorf("sixth: %d", code)
	}
	c.Say(context.Background(), "还在吗")
	w.advance(48 * time.Hour)
	if code, _ := w.post("/cgi-bin/message/custom/send?access_token="+w.token(false), sendText(c, "too late")); code != 45015 {
		t.Errorf("after 48 h: %d", code)
	}
	var texts []string
	for _, s := range c.Answers() {
		texts = append(texts, s.Text)
	}
	if got := strings.Join(texts, ","); got != "answer 0,answer 1,answer 2,answer 3,answer 4" {
		t.Errorf("the phone shows %s", got)
	}
}

func TestATapGivesThreeAnswersInAMinute(t *testing.T) {
	w := newWorld(t)
	c, send := w.Customer("wxb11529c136998cb6", ""), "/cgi-bin/message/custom/send?access_token="+w.token(false)
	if err := c.Click(context.Background(), "HELP"); err != nil {
		t.Fatal(err)
	}
	var codes []int
	for range 4 {
		code, _ := w.post(send, sendText(c, "hello"))
		codes = append(codes, code)
	}
	w.advance(time.Minute)
	code, _ := w.post(send, sendText(c, "hello"))
	if got := fmt.Sprint(append(codes, code)); got != "[0 0 0 45047 45015]" {
		t.Errorf("errcodes are %s", got)
	}
}

func TestTextsOver2048BytesAndEmptyOnesAreRefused(t *testing.T) {
	w := newWorld(t)
	c, send := w.Customer("wxb11529c136998cb6", ""), "/cgi-bin/message/custom/send?access_token="+w.token(false)
	c.Say(context.Background(), "hi")
	for text, want := range map[string]int{"": 44004, strings.Repeat("回", 683): 45002, strings.Repeat("回", 682) + "ab": 0} {
		if code, _ := w.post(send, sendText(c, text)); code != want {
			t.Errorf("%d bytes: %d, want %d", len(text), code, want)
		}
	}
	_, _ = w.raw("POST", send, "application/json", []byte(`{"touser":"`+c.OpenID+`","msgtype":"text","text":{"content":"a \u003cb\u003e \u0026 \u4f60"}}`))
	if got := c.Answers()[1].Text; got != `a \u003cb\u003e \u0026 你` {
		t.Errorf("escapes of < > & are shown as %q", got)
	}
}

func TestAForcedTokenEndsTheOldOneAndAnExpiredOneSaysSo(t *testing.T) {
	w := newWorld(t)
	old := w.token(false)
	if again := w.token(false); again != old {
		t.Error("stable_token gave another token while the first lives")
	}
	forced := w.token(true)
	info := "/cgi-bin/user/info?openid=nobody&access_token="
	for token, want := range map[string]int{old: 40001, forced: 40003, "": 41001, "nonsense": 40001} {
		if code, _ := w.raw("GET", info+token, "", nil); code != want {
			t.Errorf("token %.5s: %d, want %d", token, code, want)
		}
	}
	w.advance(2 * time.Hour)
	if code, _ := w.raw("GET", info+forced, "", nil); code != 42001 {
		t.Errorf("expired: %d", code)
	}
	if code, _ := w.post("/cgi-bin/stable_token", map[string]any{"appid": "wxb11529c136998cb6", "secret": "wrong"}); code != 40125 {
		t.Errorf("wrong secret: %d", code)
	}
}

func TestACallbackIsRepeatedTwiceWithTheSameMsgId(t *testing.T) {
	for name, bad := range map[string]func(w http.ResponseWriter, r *http.Request){
		"status 500": func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(500) },
		"no answer":  func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"bad words":  func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "oops") },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.answer = bad
			c := w.Customer("wxb11529c136998cb6", "")
			id, err := c.Say(context.Background(), "在吗")
			if !errors.Is(err, ErrNotAcknowledged) || len(w.Deliveries()) != 3 {
				t.Errorf("%v after %d deliveries", err, len(w.Deliveries()))
			}
			for _, d := range w.Deliveries() {
				if d.MsgID != id {
					t.Errorf("delivery %d carries %s, want %s", d.Attempt, d.MsgID, id)
				}
			}
			if lines := c.Inbox(); lines[len(lines)-1].From != FromSystem {
				t.Error("the customer is not told that nobody answers")
			}
		})
	}
}

func TestUploadedPicturesReachThePhoneUntilTheyEnd(t *testing.T) {
	w := newWorld(t)
	c, token := w.Customer("wxb11529c136998cb6", ""), w.token(false)
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	part, _ := form.CreateFormFile("media", "parcel.png")
	part.Write(PNG)
	form.Close()
	code, body := w.raw("POST", "/cgi-bin/media/upload?type=image&access_token="+token, form.FormDataContentType(), b.Bytes())
	id := between(body, `"media_id":"`, `"`)
	if code != 0 || id == "" {
		t.Fatalf("upload: %s", body)
	}
	c.Say(context.Background(), "hi")
	image := map[string]any{"touser": c.OpenID, "msgtype": "image", "image": map[string]string{"media_id": id}}
	if code, _ := w.post("/cgi-bin/message/custom/send?access_token="+token, image); code != 0 || !bytes.Equal(c.Answers()[0].Data, PNG) {
		t.Errorf("send image: %d", code)
	}
	w.advance(3 * 24 * time.Hour)
	if code, body := w.raw("GET", "/cgi-bin/media/get?media_id="+id+"&access_token="+w.token(false), "", nil); code != 40007 {
		t.Errorf("after three days: %s", body)
	}
}

func TestScriptedFaultsHappenOnceInOrder(t *testing.T) {
	w := newWorld(t)
	c, send := w.Customer("wxb11529c136998cb6", ""), "/cgi-bin/message/custom/send?access_token="+w.token(false)
	c.Say(context.Background(), "hi")
	w.Fail("/cgi-bin/message/custom/send", Fault{ErrCode: 45011}, Fault{ErrCode: -1, Done: true})
	var codes []int
	for range 3 {
		code, _ := w.post(send, sendText(c, "x"))
		codes = append(codes, code)
	}
	if got := fmt.Sprint(codes); got != "[45011 -1 0]" || len(c.Answers()) != 2 {
		t.Errorf("errcodes %s, %d lines: the second was done although the answer was an error", got, len(c.Answers()))
	}
}

// TestEveryVerbOfACustomerIsAReadableCallback has each one in every mode.
func TestEveryVerbOfACustomerIsAReadableCallback(t *testing.T) {
	for _, mode := range []string{"plain", "compatible", "safe"} {
		t.Run(mode, func(t *testing.T) {
			w := newWorld(t, func(a *Account) { a.Mode = mode })
			c, ctx := w.Customer("wxb11529c136998cb6", ""), context.Background()
			must := func(_ string, err error) {
				t.Helper()
				if err != nil {
					t.Error(err)
				}
			}
			must(c.Say(ctx, "a ]]> b"))
			must(c.SendImage(ctx, "a.png", PNG))
			must(c.SendVoice(ctx, AMR, "你好"))
			must(c.SendVideo(ctx, MP4, PNG, true))
			must(c.Location(ctx, 31.2, 121.5, "上海"))
			must(c.Link(ctx, "t", "d", "https://example.com"))
			must("", c.Subscribe(ctx, "42"))
			must("", c.Scan(ctx, "42"))
			must("", c.Click(ctx, "K"))
			must("", c.Unsubscribe(ctx))
			var kinds []string
			for _, body := range w.got {
				var m struct{ MsgType, Event, Content string }
				if err := xml.Unmarshal([]byte(body), &m); err != nil {
					t.Errorf("%v: %s", err, body)
				}
				kinds = append(kinds, m.MsgType+m.Event)
			}
			if got := strings.Join(kinds, " "); got != "text image voice shortvideo location link eventsubscribe eventSCAN eventCLICK eventunsubscribe" {
				t.Errorf("callbacks are %s", got)
			}
		})
	}
}
