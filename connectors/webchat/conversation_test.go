package webchat_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"hearback/connectors"
	"hearback/connectors/connectortest"
	"hearback/desk"
)

func TestVisitorAndAgentTalk(t *testing.T) {
	e := open(t, nil)
	token, id := visitor(t, e, map[string]string{"name": "李雷", "email": "Li@Example.com"})
	w, welcome := enter(t, e, token, 0)
	if welcome.Last != 0 || !strings.Contains(string(welcome.Config), `"max_text":4000`) {
		t.Errorf("welcome %+v", welcome)
	}
	w.send("a-1", "你好 <b>x</b> \u202e\u0007")
	first := w.until("event")
	ack := w.until("ack")
	if ack.Seq != 1 || ack.ClientID != "a-1" || ack.ID == "" || ack.ID != first.Event.ID {
		t.Errorf("ack %+v, event %+v", ack, first.Event)
	}
	if first.Event.Text != "你好 <b>x</b> \u202e\u0007" || first.Event.From != "visitor" || first.Event.ClientID != "a-1" || first.Event.At == "" {
		t.Errorf("event %+v", first.Event)
	}
	answer(t, e, id, "您好")
	got := w.events(1)[0]
	if got.Seq != 2 || got.From != "agent" || got.Name != "王芳" || got.Text != "您好" {
		t.Errorf("answer %+v", got)
	}
	in, err := e.Kind.Decode(e.House.Inbox.Envelopes()[0])
	if err != nil || len(in) != 1 || in[0].Text != first.Event.Text || in[0].Name != "李雷" || in[0].From.Value != id || !in[0].From.Verified ||
		len(in[0].Also) != 1 || in[0].Also[0] != (desk.Identity{Type: "email", Value: "li@example.com"}) {
		t.Errorf("decoded %+v, %v", in, err)
	}
}

func TestResumeGivesWhatWasMissedOnceAndInOrder(t *testing.T) {
	e := open(t, map[string]string{"rate_per_minute": "0"})
	token, id := visitor(t, e, nil)
	w, _ := enter(t, e, token, 0)
	w.send("m1", "one")
	w.until("ack")
	w.conn.Close()
	for i := range 450 { // more than two pages
		if i%2 == 0 {
			answer(t, e, id, fmt.Sprint("answer ", i))
		} else {
			say(t, e, token, fmt.Sprint("h", i), fmt.Sprint("words ", i))
		}
	}
	w, welcome := enter(t, e, token, 1)
	if welcome.Last != 451 {
		t.Fatalf("last %d", welcome.Last)
	}
	got := w.events(450)
	if got[0].Seq != 2 || got[449].Seq != 451 {
		t.Errorf("from %d to %d", got[0].Seq, got[449].Seq)
	}
	answer(t, e, id, "live again")
	if last := w.events(1)[0]; last.Seq != 452 {
		t.Errorf("then %d", last.Seq)
	}
}

func TestNewPageGetsTheRecentConversation(t *testing.T) {
	e := open(t, map[string]string{"rate_per_minute": "0"})
	token, id := visitor(t, e, nil)
	for i := range 230 {
		answer(t, e, id, fmt.Sprint(i))
	}
	w, _ := enter(t, e, token, 0)
	if got := w.events(200); got[0].Seq != 31 || got[199].Seq != 230 {
		t.Errorf("from %d to %d", got[0].Seq, got[199].Seq)
	}
	// A position from another life of the database begins anew, too.
	w, _ = enter(t, e, token, 9999)
	if got := w.events(200); got[0].Seq != 31 {
		t.Errorf("from %d", got[0].Seq)
	}
}

func TestManyWindowsSeeTheSame(t *testing.T) {
	e := open(t, map[string]string{"rate_per_minute": "0"})
	other := e.Again(t) // a second node
	token, id := visitor(t, e, nil)
	var windows []*window
	for i := range 6 {
		node := e
		if i%2 == 1 {
			node = other
		}
		w, _ := enter(t, node, token, 0)
		windows = append(windows, w)
	}
	var wg sync.WaitGroup
	for i, w := range windows {
		wg.Go(func() {
			for n := range 10 {
				w.send(fmt.Sprintf("w%d-%d", i, n), fmt.Sprintf("%d/%d", i, n))
			}
		})
	}
	wg.Wait()
	answer(t, other, id, "from the other node")
	want := ""
	for _, w := range windows {
		got := texts(w.events(61))
		if want == "" {
			want = got
		}
		if got != want {
			t.Fatalf("one window saw\n%s\nanother\n%s", got, want)
		}
	}
}

func TestTooManyWindowsAreRefused(t *testing.T) {
	e := open(t, nil)
	token, _ := visitor(t, e, nil)
	for range 20 {
		enter(t, e, token, 0)
	}
	if _, res, err := dial(t, e, token); err == nil || res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("got %v, %v", res, err)
	}
}

func TestLostHintsAreFoundInTheLog(t *testing.T) {
	e := open(t, nil)
	other := e.Again(t)
	token, id := visitor(t, e, nil)
	w, _ := enter(t, e, token, 0)
	w.send("m1", "one")
	w.until("ack")
	e.House.Deafen(true)
	answer(t, other, id, "unheard")
	e.House.Deafen(false)
	answer(t, other, id, "heard") // the gap is seen
	if got := texts(w.events(2)); got != "agent:unheard agent:heard" {
		t.Errorf("got %s", got)
	}
	e.House.Deafen(true)
	answer(t, other, id, "unheard again") // nothing follows: the wheel finds it. The first socket is in its first slot, so within a second or two
	if got := texts(w.events(1)); got != "agent:unheard again" {
		t.Errorf("got %s", got)
	}
}

func TestSameClientIDIsOneMessage(t *testing.T) {
	e := open(t, nil)
	token, _ := visitor(t, e, nil)
	id, seq := say(t, e, token, "m1", "hello")
	if id2, seq2 := say(t, e, token, "m1", "hello"); id2 != id || seq2 != seq {
		t.Errorf("the second time: %s %d, first %s %d", id2, seq2, id, seq)
	}
	status, out, h := call(t, e, "POST", "/messages", token, map[string]string{"client_msg_id": "m1", "text": "other"})
	if status != 409 || out["code"] != "conflict" || h.Get("Content-Type") != "application/problem+json" {
		t.Errorf("other text: %d %v", status, out)
	}
	w, _ := enter(t, e, token, 0)
	w.send("m1", "hello")
	if f := w.until("ack"); f.ID != id || f.Seq != seq {
		t.Errorf("over websocket: %+v", f)
	}
	w.send("m1", "other")
	if f := w.until("error"); f.Code != "conflict" || f.ClientID != "m1" {
		t.Errorf("conflict over websocket: %+v", f)
	}
	// Another visitor may use the same id.
	token2, _ := visitor(t, e, nil)
	if id3, _ := say(t, e, token2, "m1", "other"); id3 == id {
		t.Error("two visitors share a message")
	}
	if n := len(e.House.Inbox.Envelopes()); n != 2 {
		t.Errorf("%d envelopes", n)
	}
}

func TestStoreAwayIsNotAcknowledgedAndRecovers(t *testing.T) {
	e := open(t, nil)
	token, _ := visitor(t, e, nil)
	w, _ := enter(t, e, token, 0)
	e.House.Inbox.Fail(fmt.Errorf("disk full: %w", desk.ErrUnavailable))
	w.send("m1", "x")
	if f := w.until("error"); f.Code != "unavailable" || f.ClientID != "m1" || f.Retry == 0 {
		t.Errorf("got %+v", f)
	}
	status, out, h := call(t, e, "POST", "/messages", token, map[string]string{"client_msg_id": "m2", "text": "x"})
	if status != 503 || out["code"] != "unavailable" || h.Get("Retry-After") == "" {
		t.Errorf("got %d %v", status, out)
	}
	e.House.Inbox.Fail(nil)
	w.send("m1", "x")
	if f := w.until("ack"); f.Seq != 1 {
		t.Errorf("got %+v", f)
	}
	e.House.Inbox.FailLog(desk.ErrUnavailable)
	w.write(`{"type":"hello","after":0}`)
	if f := w.until("error"); f.Code != "unavailable" {
		t.Errorf("got %+v", f)
	}
	_, err := e.Conn.Send(t.Context(), desk.Outbound{MessageID: "m", Sender: "v"})
	if connectors.AsSendError(err).Class != connectors.Transient {
		t.Errorf("send: %v", err)
	}
}

func TestLongPollAndEventStreamShowTheSameLog(t *testing.T) {
	e := open(t, nil)
	token, id := visitor(t, e, nil)
	say(t, e, token, "m1", "one")
	answer(t, e, id, "two")
	status, out, _ := call(t, e, "GET", "/events?after=0", token, nil)
	if status != 200 || len(out["items"].([]any)) != 2 || out["last"].(float64) != 2 {
		t.Fatalf("got %d %v", status, out)
	}
	// An empty poll returns at once without wait, and keeps the position.
	if _, out, _ = call(t, e, "GET", "/events?after=2", token, nil); len(out["items"].([]any)) != 0 || out["last"].(float64) != 2 {
		t.Errorf("got %v", out)
	}
	done := make(chan map[string]any, 1)
	go func() {
		_, out, _ := call(t, e, "GET", "/events?after=2&wait=25", token, nil)
		done <- out
	}()
	answer(t, e, id, "three")
	select {
	case out := <-done:
		if items := out["items"].([]any); len(items) != 1 || items[0].(map[string]any)["text"] != "three" {
			t.Errorf("got %v", out)
		}
	case <-time.After(limit):
		t.Fatal("the poll did not return")
	}
	stream(t, e, token, id)
}

func stream(t *testing.T, e *connectortest.Env, token, id string) {
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, "GET", e.URL+"/events?after=0", nil)
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Last-Event-ID", "2")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if ct := res.Header.Get("Content-Type"); ct != "text/event-stream" {
		t.Fatal(ct)
	}
	lines := bufio.NewScanner(res.Body)
	next := func(prefix string) string {
		for lines.Scan() {
			if rest, ok := strings.CutPrefix(lines.Text(), prefix); ok {
				return rest
			}
		}
		t.Fatalf("stream ended: %v", lines.Err())
		return ""
	}
	if got := next("id: "); got != "3" {
		t.Errorf("first id %s", got)
	}
	answer(t, e, id, "four\nlines")
	next("data: ")
	if got := next("id: "); got != "4" {
		t.Errorf("second id %s", got)
	}
	var ev event
	if err := json.Unmarshal([]byte(next("data: ")), &ev); err != nil || ev.Text != "four\nlines" {
		t.Errorf("got %+v, %v", ev, err)
	}
}

func TestShutdownSendsWindowsElsewhere(t *testing.T) {
	e := open(t, nil)
	token, id := visitor(t, e, nil)
	w, _ := enter(t, e, token, 0)
	poll := make(chan int, 1)
	go func() {
		status, _, _ := call(t, e, "GET", "/events?after=0&wait=25", token, nil)
		poll <- status
	}()
	answer(t, e, id, "bye") // the poll has it, so it was there
	<-poll
	closing := make(chan struct{})
	go func() { defer close(closing); e.Close() }()
	if code := w.closed(); code != websocket.CloseServiceRestart {
		t.Errorf("closed with %d", code)
	}
	<-closing
}

func TestTypingPassesBothWays(t *testing.T) {
	e := open(t, nil)
	token, id := visitor(t, e, nil)
	w, _ := enter(t, e, token, 0)
	if err := e.Conn.(connectors.Typist).Typing(t.Context(), id, true); err != nil {
		t.Fatal(err)
	}
	if f := w.until("typing"); !f.On {
		t.Errorf("got %+v", f)
	}
	w.write(map[string]any{"type": "typing", "on": true, "preview": "I wan"})
	w.write(map[string]any{"type": "typing", "on": true, "preview": "too soon"})
	if s := e.House.WaitSignal("preview"); s.Sender != id || s.Data["text"] != "I wan" {
		t.Errorf("got %+v", s)
	}
	w.write(map[string]any{"type": "typing", "on": false})
	w.write(map[string]any{"type": "ping"})
	w.until("pong")
	for _, s := range e.House.Signals() {
		if s.Data["text"] == "too soon" {
			t.Error("typing is not throttled")
		}
	}
	if n := len(e.House.Inbox.Envelopes()); n != 0 {
		t.Errorf("typing was stored: %d", n)
	}
}

func TestRepliesBecomeDeliveredAndRead(t *testing.T) {
	e := open(t, nil)
	token, id := visitor(t, e, nil)
	say(t, e, token, "m1", "hello")
	first := answer(t, e, id, "written while he was away")
	w, _ := enter(t, e, token, 0)
	events := w.events(2)
	go func() { // a browser answers pings by itself; this client does while it reads
		for {
			if _, _, err := w.conn.ReadMessage(); err != nil {
				return
			}
		}
	}()
	wantReceipt(t, e, desk.DeliveryDelivered, first.ExternalID)
	w.write(map[string]any{"type": "read", "seq": events[1].Seq})
	wantReceipt(t, e, desk.DeliveryRead, first.ExternalID)
	second := answer(t, e, id, "live")
	wantReceipt(t, e, desk.DeliveryDelivered, second.ExternalID)
	w.write(map[string]any{"type": "read", "seq": 1 << 60}) // nobody has read what is not written yet
	wantReceipt(t, e, desk.DeliveryRead, second.ExternalID)
	w.conn.Close()
	third := answer(t, e, id, "over HTTP")
	if status, _, _ := call(t, e, "POST", "/read", token, map[string]int64{"seq": 4}); status != 204 {
		t.Errorf("read: %d", status)
	}
	wantReceipt(t, e, desk.DeliveryRead, third.ExternalID)
}

// wantReceipt waits for a receipt that names the reply.
func wantReceipt(t *testing.T, e *connectortest.Env, state desk.DeliveryState, external string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	_, err := e.House.Inbox.Wait(ctx, func(all []desk.Envelope) bool {
		for _, env := range all {
			if env.Type != desk.EnvelopeReceipt {
				continue
			}
			in, err := e.Kind.Decode(env)
			if err != nil || len(in) != 1 || in[0].Receipt == nil {
				t.Fatalf("decode receipt: %+v, %v", in, err)
			}
			for _, id := range in[0].Receipt.ExternalIDs {
				if id == external && in[0].Receipt.State == state {
					return true
				}
			}
		}
		return false
	})
	if err != nil {
		t.Fatalf("no receipt %s: %v", state, err)
	}
}

func TestAgentsHearThatAVisitorIsThereAndWhenHeIsGoneForGood(t *testing.T) {
	e := open(t, nil)
	token, id := visitor(t, e, nil)
	say(t, e, token, "m1", "hello")
	w, _ := enter(t, e, token, 0)
	if s := e.House.WaitSignal("online"); s.Sender != id {
		t.Errorf("got %+v", s)
	}
	e.House.Clock.Advance(40 * time.Second) // a long stay, then a reload: nobody is told
	w.conn.Close()
	w, _ = enter(t, e, token, 0)
	w.conn.Close()
	for _, s := range e.House.Signals() {
		if s.Type == "offline" {
			t.Error("a reload counts as leaving")
		}
	}
	gone, _ := enter(t, e, token, 0) // the server has seen the other windows end once it serves this one
	gone.conn.Close()
	e.House.Clock.Advance(time.Hour)
	advance := time.NewTicker(100 * time.Millisecond) // the wheel turns once a second, the last window may end after that hour
	defer advance.Stop()
	limit := time.After(limit)
	for {
		for _, s := range e.House.Signals() {
			if s.Type == "offline" && s.Sender == id {
				return
			}
		}
		select {
		case <-advance.C:
			e.House.Clock.Advance(time.Minute)
		case <-limit:
			t.Fatal("nobody was told that he left")
		}
	}
}
