package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"hearback/bus/bustest"
	"hearback/connectors/telephony/pbx"
	"hearback/ticketstore/storetest"
)

// callsPlayed is how many calls the replay test plays: HEARBACK_CALLS, or a number that suits every day.
func callsPlayed(t *testing.T) int {
	if s := os.Getenv("HEARBACK_CALLS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 10 {
			t.Fatalf("HEARBACK_CALLS=%q is no number of calls", s)
		}
		return n
	}
	return 300
}

// TestEveryCallStandsOnceHoweverItIsTold plays calls three times over in one shuffled stream over 20 connections while the process is
// killed: that many calls with their durations, and one ticket per caller.
func TestEveryCallStandsOnceHoweverItIsTold(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { replay(t, newGateway(t)) })
	t.Run("postgres", func(t *testing.T) {
		replay(t, newGateway(t, "--database", storetest.PostgresURL(t), "--redis", bustest.Redis(t)))
	})
}

var replayed = []string{pbx.Answered, pbx.Missed, pbx.Transferred, pbx.TwoLegs, pbx.Abandoned}

func replay(t *testing.T, g *gateway) {
	w := newPhoneWorld(t, g, "generic")
	token := g.addAgent("root@example.com", "admin")
	w.open(token)
	scripts := map[string]pbx.Script{}
	var all []pbx.Request
	n := callsPlayed(t)
	for i := range n {
		s := pbx.Script{ID: fmt.Sprintf("call-%05d", i), Scenario: replayed[i%len(replayed)], Customer: pbx.Number("+8613800000000", i/2),
			Start: time.Now().Add(-time.Hour + time.Duration(i%1800)*time.Second), Talk: time.Duration(20+i%100) * time.Second}
		scripts[s.ID] = s
		for _, r := range w.centre.Requests(s) {
			if r.Type != "recording" { // nobody fetches it here
				all = append(all, r)
			}
		}
	}
	stream := pbx.Order{Shuffle: true, Repeat: 2}.Arrange(all, rand.New(rand.NewPCG(uint64(n), 7)))
	w.pour(stream, 5)
	w.checkReplayed(scripts, (n+1)/2)
	g.kill(syscall.SIGTERM)
}

// pour sends requests over 20 connections and kills the process so many times on the way.
func (w *phoneWorld) pour(stream []pbx.Request, kills int) {
	w.t.Helper()
	var next atomic.Int64
	var wires sync.WaitGroup
	due := make(chan struct{}, kills)
	for range 20 {
		wires.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(stream) {
					return
				}
				if i%(len(stream)/(kills+1)+1) == len(stream)/(kills+1) {
					due <- struct{}{}
				}
				if err := w.centre.Insist(w.t.Context(), stream[i]); err != nil {
					w.t.Errorf("event %s: %v", stream[i].ID, err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { wires.Wait(); close(done) }()
	for killed := 0; ; {
		select {
		case <-due:
			w.kill(syscall.SIGKILL)
			w.start()
			killed++
		case <-done:
			if killed == 0 {
				w.t.Error("the process was never killed: the test shows nothing")
			}
			return
		}
	}
}

// checkReplayed reads everything back: each call once, as its script says, and so many tickets.
func (w *phoneWorld) checkReplayed(scripts map[string]pbx.Script, callers int) {
	w.t.Helper()
	var tickets []ticketView
	seen := map[string]int{}
	wrong := func() (out []string) {
		var err error
		if tickets, err = allTickets(context.Background(), w.admin); err != nil {
			return []string{err.Error()}
		}
		clear(seen)
		for _, ticket := range tickets {
			for _, m := range w.timeline(ticket.ID) {
				if m.Call == nil {
					continue
				}
				seen[m.Call.ID]++
				if s := scripts[m.Call.ID]; m.Call.State != "ended" || m.Call.Outcome != s.Outcome() || m.Call.TalkSeconds != s.TalkSeconds() || m.Call.From != s.Customer {
					out = append(out, fmt.Sprintf("%+v, want %s %d s from %s", *m.Call, s.Outcome(), s.TalkSeconds(), s.Customer))
				}
			}
		}
		return out
	}
	var last []string
	eventually(w.t, 3*time.Minute, "all events are filed", func() bool {
		pending, err := w.admin.pending(context.Background())
		return err == nil && pending == 0
	})
	if last = wrong(); len(last) > 0 {
		w.t.Errorf("%d calls are not as they were told, the first: %s", len(last), last[0])
	}
	if len(seen) != len(scripts) {
		w.t.Errorf("%d calls of %d", len(seen), len(scripts))
	}
	for id, n := range seen {
		if n != 1 {
			w.t.Errorf("%s stands %d times", id, n)
		}
	}
	if len(tickets) != callers {
		w.t.Errorf("%d tickets for %d callers", len(tickets), callers)
	}
}

// pending is how many envelopes wait to be filed.
func (a *apiClient) pending(ctx context.Context) (int, error) {
	var got struct {
		Counts map[string]int `json:"counts"`
	}
	if err := a.do(ctx, "GET", "/api/v1/intake/counts", nil, &got); err != nil {
		return 0, err
	}
	return got.Counts[""], nil
}

// TestAnIntegrationForZammadWorksByChangingTheHost posts Zammad's published payloads to the same path, untouched.
func TestAnIntegrationForZammadWorksByChangingTheHost(t *testing.T) {
	g := newGateway(t)
	w := newPhoneWorld(t, g, "zammad", "country=DE")
	w.open(g.addAgent("root@example.com", "admin"))
	post := func(token, file string) (int, string) {
		t.Helper()
		raw, err := os.ReadFile(filepath.Join("..", "..", "connectors", "telephony", "testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		head, body, _ := bytes.Cut(raw, []byte("\n\n"))
		_, typ, _ := bytes.Cut(head, []byte("Content-Type: "))
		res, err := http.Post(g.base+"/api/v1/cti/"+token, string(typ), bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		return res.StatusCode, strings.TrimSpace(string(b))
	}
	for _, file := range []string{"zammad_newcall_in.http", "zammad_answer_in.http", "zammad_hangup_in.http"} {
		if status, body := post(w.address, file); status != 200 || body != "{}" {
			t.Errorf("%s is answered %d %s", file, status, body)
		}
	}
	ticket := w.onlyTicket()
	eventually(t, 20*time.Second, "the call has ended", func() bool {
		m := w.call(ticket.ID, "307fa962-de8d-4ffc-817b-7f6993204159")
		return m != nil && m.Call.State == "ended" && m.Call.Outcome == "answered" && m.Call.From == "+493023125741" && m.Call.Agent == "Emma Taylor"
	})
	if status, _ := post("another-token-that-is-none", "zammad_newcall_in.http"); status != 401 && status != 404 {
		t.Errorf("an unknown token is answered %d", status)
	}
	for _, file := range []string{"zammad_form_in.http", "zammad_curl_in.http", "zammad_newcall_out.http", "zammad_hangup_out.http"} {
		if status, body := post(w.address, file); status != 200 {
			t.Errorf("%s is answered %d %s", file, status, body)
		}
	}
	g.kill(syscall.SIGTERM)
}

// TestAMissedCallIsCalledBack goes the whole way: missed, the promise, the request to the call centre, its call on the same ticket, done;
// then an SMS, its report of delivery, and the customer's answer by SMS on the same ticket.
func TestAMissedCallIsCalledBack(t *testing.T) {
	for _, byID := range []bool{true, false} {
		t.Run(fmt.Sprintf("callback id told %v", byID), func(t *testing.T) { calledBack(t, byID) })
	}
}

func calledBack(t *testing.T, byID bool) {
	g := newGateway(t, "--allow-private-networks")
	w := newPhoneWorld(t, g, "generic", "sms=twilio", "sms_url=OFFICE", "sms_account=AC1", "sms_key=sms-key-of-the-test", "sms_from=+15005550006")
	w.office.TakeCall = func(pbx.Callback) string { return "made-of-it" }
	w.open(g.addAgent("root@example.com", "admin"))
	w.play(pbx.Script{ID: "missed-1", Scenario: pbx.Missed, Start: time.Now().Add(-time.Minute)})
	ticket := w.onlyTicket()
	eventually(t, 20*time.Second, "a callback is due", func() bool {
		ticket = w.ticket(ticket.ID)
		return ticket.Callback != nil && ticket.Callback.State == "due"
	})
	route, ok := ticket.route("callback")
	if !ok {
		t.Fatalf("no way to call back: %+v", ticket.Reply.Routes)
	}
	var asked callMessage
	body := map[string]string{"text": "问订单号", "route": route, "idempotency_key": "one"}
	if err := w.admin.do(t.Context(), "POST", "/api/v1/tickets/"+ticket.ID+"/replies", body, &asked); err != nil {
		t.Fatal(err)
	}
	eventually(t, 20*time.Second, "the call centre is asked", func() bool { return len(w.office.Callbacks()) == 1 })
	cb := w.office.Callbacks()[0]
	if cb.Number != "+8613800138000" || cb.Note != "问订单号" || cb.Ticket != ticket.Number || cb.ID != asked.ID {
		t.Errorf("it was asked %+v", cb)
	}
	eventually(t, 20*time.Second, "it is under way", func() bool { return w.ticket(ticket.ID).Callback.State == "requested" })
	back := pbx.Script{ID: "made-of-it", Scenario: pbx.Outbound, Start: time.Now()}
	if byID {
		back.Callback = cb.ID
	}
	w.play(back)
	eventually(t, 20*time.Second, "the call stands on the ticket", func() bool {
		m := w.call(ticket.ID, "made-of-it")
		return m != nil && m.Direction == "out" && m.Call.Outcome == "answered"
	})
	eventually(t, 20*time.Second, "the promise is kept", func() bool { return w.ticket(ticket.ID).Callback.State == "done" })
	w.writeSMS(ticket)
	if all, err := allTickets(t.Context(), w.admin); err != nil || len(all) != 1 {
		t.Errorf("%d tickets, %v", len(all), err)
	}
	g.kill(syscall.SIGTERM)
}

// TestACallbackTheCallCentreRefusedCanBeAskedForAgain: the agent reads why, and the retry button asks under the same id.
func TestACallbackTheCallCentreRefusedCanBeAskedForAgain(t *testing.T) {
	g := newGateway(t, "--allow-private-networks")
	w := newPhoneWorld(t, g, "generic")
	w.open(g.addAgent("root@example.com", "admin"))
	w.play(pbx.Script{ID: "missed-1", Scenario: pbx.Missed, Start: time.Now().Add(-time.Minute)})
	ticket := w.ticket(w.onlyTicket().ID)
	route, ok := ticket.route("callback")
	if !ok {
		t.Fatalf("no way to call back: %+v", ticket.Reply.Routes)
	}
	w.office.Refuse("", http.StatusConflict)
	var asked callMessage
	if err := w.admin.do(t.Context(), "POST", "/api/v1/tickets/"+ticket.ID+"/replies", map[string]string{"text": "", "route": route, "idempotency_key": "one"}, &asked); err != nil {
		t.Fatal(err)
	}
	eventually(t, 20*time.Second, "it is refused", func() bool { return w.delivery(ticket.ID, asked.ID) == "failed" })
	w.office.Refuse("", 0)
	if err := w.admin.do(t.Context(), "POST", "/api/v1/messages/"+asked.ID+"/retry", nil, nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, 20*time.Second, "it is taken", func() bool { return w.delivery(ticket.ID, asked.ID) == "sent" })
	if all := w.office.Callbacks(); len(all) != 1 || all[0].ID != asked.ID {
		t.Errorf("the call centre has %+v", all)
	}
	g.kill(syscall.SIGTERM)
}

// writeSMS answers by SMS and lets the customer answer in turn.
func (w *phoneWorld) writeSMS(ticket callTicket) {
	t := w.t
	t.Helper()
	var sent callMessage
	if err := w.admin.do(t.Context(), "POST", "/api/v1/tickets/"+ticket.ID+"/replies", map[string]string{"text": "退款已到账", "idempotency_key": "sms"}, &sent); err != nil {
		t.Fatal(err)
	}
	eventually(t, 20*time.Second, "the SMS is at the gateway", func() bool { return len(w.office.SMS()) == 1 })
	sms := w.office.SMS()[0]
	if sms.To != "+8613800138000" || sms.Text != "退款已到账" || !strings.HasSuffix(sms.StatusURL, "/c/"+w.channel+"/sms") {
		t.Errorf("the gateway has %+v", sms)
	}
	eventually(t, 20*time.Second, "it is sent", func() bool { return w.delivery(ticket.ID, sent.ID) == "sent" })
	w.postSMS("MessageSid=" + sms.ID + "&MessageStatus=delivered&To=%2B8613800138000")
	eventually(t, 20*time.Second, "it is delivered", func() bool { return w.delivery(ticket.ID, sent.ID) == "delivered" })
	w.postSMS("MessageSid=SM-in-1&From=%2B8613800138000&To=%2B15005550006&Body=%E8%B0%A2%E8%B0%A2")
	eventually(t, 20*time.Second, "the customer's SMS stands on the ticket", func() bool {
		for _, m := range w.timeline(ticket.ID) {
			if m.Direction == "in" && m.Text == "谢谢" {
				return true
			}
		}
		return false
	})
}

func (w *phoneWorld) delivery(ticket, message string) string {
	for _, m := range w.timeline(ticket) {
		if m.ID == message && m.Delivery != nil {
			return m.Delivery.State
		}
	}
	return ""
}

// postSMS posts as the SMS gateway does.
func (w *phoneWorld) postSMS(body string) {
	w.t.Helper()
	address := w.base + "/c/" + w.channel + "/sms"
	req, err := http.NewRequest("POST", address, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for k, v := range pbx.TwilioHeader("sms-key-of-the-test", address, body) {
		req.Header.Set(k, v)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 200 {
		w.t.Fatalf("the SMS is answered %d", res.StatusCode)
	}
}

// TestARecordingIsFetchedAndCanBeHeard: the recording comes before the hang-up or after it, with a log-in; the API hands out its bytes.
func TestARecordingIsFetchedAndCanBeHeard(t *testing.T) {
	g := newGateway(t, "--allow-private-networks")
	w := newPhoneWorld(t, g, "generic", "recording_auth=basic", "recording_secret=rec:password-of-recordings", "recording_hosts=127.0.0.1")
	w.office.Login = "rec:password-of-recordings"
	w.open(g.addAgent("root@example.com", "admin"))
	script := pbx.Script{ID: "heard", Scenario: pbx.Answered, Start: time.Now().Add(-2 * time.Minute)}
	requests := w.centre.Requests(script)
	last := len(requests) - 1
	requests[last-1], requests[last] = requests[last], requests[last-1] // the recording overtakes the hang-up
	for _, r := range requests {
		if _, err := w.centre.Post(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	ticket := w.onlyTicket()
	var m *callMessage
	eventually(t, 30*time.Second, "the recording is there", func() bool {
		m = w.call(ticket.ID, "heard")
		return m != nil && m.Call.State == "ended" && len(m.Attachments) == 1 && m.Attachments[0].Size > 0
	})
	want := pbx.WAV(3 * time.Second)
	if a := m.Attachments[0]; !strings.HasPrefix(a.Type, "audio/") || a.Size != int64(len(want)) {
		t.Errorf("%+v", a)
	}
	status, body := getStatus(t, g.base+"/api/v1/attachments/"+m.Attachments[0].ID, "Authorization", "Bearer "+w.admin.token)
	if status != 200 || body != string(want) {
		t.Errorf("status %d, %d bytes of %d", status, len(body), len(want))
	}
	g.kill(syscall.SIGTERM)
}

// TestARefusedEventChangesNothing: a wrong signature, an old time, a replayed id with other content, an unknown address and a body too
// large are refused with their status, stand in the live log without secrets, and leave the store as it was.
func TestARefusedEventChangesNothing(t *testing.T) {
	g := newGateway(t)
	w := newPhoneWorld(t, g, "generic")
	w.open(g.addAgent("root@example.com", "admin"))
	good := w.centre.Requests(pbx.Script{ID: "c1", Scenario: pbx.Missed, Start: time.Now()})
	if _, err := w.centre.Post(t.Context(), good[0]); err != nil {
		t.Fatal(err)
	}
	w.onlyTicket()
	refused := func(c pbx.Centre, r pbx.Request) int {
		t.Helper()
		_, err := c.Post(t.Context(), r)
		if err == nil {
			return 200
		}
		if e, ok := err.(*pbx.Refused); ok {
			return e.Status
		}
		t.Fatal(err)
		return 0
	}
	before := w.counts()
	other := func(change func(c *pbx.Centre, r *pbx.Request)) int {
		c, r := *w.centre, w.centre.Requests(pbx.Script{ID: "c2", Scenario: pbx.Missed, Start: time.Now()})[0]
		change(&c, &r)
		return refused(c, r)
	}
	for name, c := range map[string]struct{ got, want int }{
		"wrong secret": {other(func(c *pbx.Centre, _ *pbx.Request) { c.Secret = standardSecret() }), 401},
		"old": {other(func(c *pbx.Centre, _ *pbx.Request) {
			c.Now = func() time.Time { return time.Now().Add(-6 * time.Minute) }
		}), 401},
		"from the future": {other(func(c *pbx.Centre, _ *pbx.Request) {
			c.Now = func() time.Time { return time.Now().Add(6 * time.Minute) }
		}), 401},
		"replayed id":       {other(func(_ *pbx.Centre, r *pbx.Request) { r.ID = good[0].ID }), 409},
		"unknown channel":   {other(func(c *pbx.Centre, _ *pbx.Request) { c.Target = g.base + "/c/0198" }), 404},
		"unknown token":     {other(func(c *pbx.Centre, _ *pbx.Request) { c.Target = g.base + "/api/v1/cti/no-such-token-anywhere" }), 404},
		"too large":         {other(func(_ *pbx.Centre, r *pbx.Request) { r.Body += strings.Repeat(" ", 1<<20) }), 413},
		"the same again":    {refused(*w.centre, good[0]), 200},
		"no event":          {other(func(_ *pbx.Centre, r *pbx.Request) { r.Body = `{"type":"call.ringing","data":{}}` }), 422},
		"something unheard": {other(func(_ *pbx.Centre, r *pbx.Request) { r.Body = `no json` }), 400},
	} {
		if c.got != c.want {
			t.Errorf("%s is answered %d, want %d", name, c.got, c.want)
		}
	}
	if after := w.counts(); after != before {
		t.Errorf("the ledger was %s and is %s", before, after)
	}
	w.checkLog()
	g.kill(syscall.SIGTERM)
}

// counts is the ledger in one line.
func (w *phoneWorld) counts() string {
	w.t.Helper()
	var got struct {
		Counts map[string]int `json:"counts"`
	}
	if err := w.admin.do(w.t.Context(), "GET", "/api/v1/intake/counts", nil, &got); err != nil {
		w.t.Fatal(err)
	}
	return fmt.Sprint(got.Counts)
}

func (w *phoneWorld) checkLog() {
	t := w.t
	t.Helper()
	var log string
	eventually(t, 20*time.Second, "what was refused stands in the live log", func() bool {
		_, log = getStatus(t, w.base+"/api/v1/channels/"+w.channel+"/log", "Authorization", "Bearer "+w.admin.token)
		return strings.Count(log, `"refused":true`) >= 6 && strings.Contains(log, "signature")
	})
	for _, secret := range []string{w.centre.Secret, w.address, w.office.Secret} {
		if strings.Contains(log, secret) {
			t.Error("the live log holds a secret")
		}
	}
}
