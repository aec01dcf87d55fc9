package fleet_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hearback/connectors"
	"hearback/connectors/fleet"
	"hearback/desk"
	"hearback/ticketstore"
)

func now() desk.Time { return desk.At(time.Now()) }

func get(f http.Handler, path string) (int, string) {
	w := httptest.NewRecorder()
	f.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w.Code, w.Body.String()
}

func TestChangedChannelIsOpenedBeforeTheOldOneIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, log, logs := newShelf(now), &trace{}, &bytes.Buffer{}
		ch := desk.Channel{ID: "c1", Kind: "hook", Name: "v1", Enabled: true, Version: 1}
		s.put(ch)
		f := newFleet(s, "n1", kinds(log, nil), logs, nil)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); f.Run(ctx) }()
		synctest.Wait()
		if status, body := get(f, "/c/c1"); status != 200 || body != "v1 /" {
			t.Errorf("bare address: %d %q", status, body)
		}
		if status, body := get(f, "/c/c1/a/b%2Fc"); status != 200 || body != "v1 /a/b/c" {
			t.Errorf("below: %d %q", status, body)
		}
		ch.Name, ch.Version = "v2", 2
		s.put(ch)
		f.Changed()
		synctest.Wait()
		if got := log.all(); !slices.Equal(got, []string{"open v1", "open v2", "close v1"}) {
			t.Errorf("got %v", got)
		}
		ch.Name, ch.Version = "v3", 3 // a lost hint: the sweep sees it
		s.put(ch)
		pass(16 * time.Second) // inside synctest: no real time passes
		synctest.Wait()
		if c, opened, ok := f.Get("c1"); !ok || opened.Name != "v3" || c.(*hook).version != "v3" {
			t.Errorf("after the sweep: %v %v", opened, ok)
		}
		ch.Enabled, ch.Version = false, 4
		s.put(ch)
		f.Changed()
		synctest.Wait()
		if _, _, ok := f.Get("c1"); ok {
			t.Error("a disabled channel is open")
		}
		if status, body := get(f, "/c/c1/x"); status != 404 || strings.Contains(body, "c1") {
			t.Errorf("disabled: %d %q", status, body)
		}
		cancel()
		<-done
		f.Close()
		if got := log.all(); got[len(got)-1] != "close v3" {
			t.Errorf("got %v", got)
		}
	})
}

func TestChannelAddedElsewhereAnswersItsFirstRequest(t *testing.T) {
	s, logs := newShelf(now), &bytes.Buffer{}
	f := newFleet(s, "n1", kinds(&trace{}, nil), logs, nil)
	defer f.Close()
	if err := f.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.put(desk.Channel{ID: "c1", Kind: "hook", Name: "v1", Enabled: true, Version: 1})
	if status, _ := get(f, "/c/c1/x"); status != 200 {
		t.Errorf("the first request was answered %d", status)
	}
	s.put(desk.Channel{ID: "c2", Kind: "hook", Name: "v1", Enabled: true, Version: 1})
	if status, _ := get(f, "/c/c2/x"); status != 404 {
		t.Errorf("unknown addresses make the fleet look more than once a second: %d", status)
	}
}

func TestRequestsThatLeadNowhere(t *testing.T) {
	s, log, logs := newShelf(now), &trace{}, &bytes.Buffer{}
	s.put(desk.Channel{ID: "c1", Kind: "hook", Name: "v1", Enabled: true, Version: 1})
	s.put(desk.Channel{ID: "c2", Kind: "poll", Name: "p", Enabled: true, Version: 1})
	s.put(desk.Channel{ID: "c3", Kind: "hook", Enabled: true, Version: 1, Settings: map[string]string{"mood": "bad", "password": "hunter2-hunter2"}})
	s.put(desk.Channel{ID: "c4", Kind: "unheard of", Enabled: true, Version: 1})
	s.put(desk.Channel{ID: "c5", Kind: "hook", Enabled: true, Version: 1, Settings: map[string]string{"mood": "panic"}})
	f := newFleet(s, "n1", kinds(log, nil), logs, nil)
	defer f.Close()
	if err := f.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{"/c/": 404, "/c/none": 404, "/c/none/x": 404, "/c/c2/x": 404, "/other": 404, "/c/c3/x": 503, "/c/c4": 503, "/c/c5": 503, "/c/c1/panic": 500, "/c/c1/x": 200} {
		if status, _ := get(f, path); status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
	if strings.Contains(logs.String(), "hunter2") {
		t.Error("a secret was logged")
	}
}

func TestBadSettingsKeepTheOldChannelOpenAndShowInHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, log, logs := newShelf(now), &trace{}, &bytes.Buffer{}
		ch := desk.Channel{ID: "c1", Kind: "hook", Name: "v1", Enabled: true, Version: 1}
		s.put(ch)
		f := newFleet(s, "n1", kinds(log, nil), logs, nil)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); f.Run(ctx) }()
		synctest.Wait()
		ch.Version, ch.Settings = 2, map[string]string{"mood": "bad", "password": "hunter2-hunter2"}
		s.put(ch)
		f.Changed()
		synctest.Wait()
		if _, opened, ok := f.Get("c1"); !ok || opened.Version != 1 {
			t.Errorf("open is %v %v", opened.Version, ok)
		}
		if got := s.told(); len(got) != 1 || got[0] != "c1 open: cannot work with the secret ••••" {
			t.Errorf("health %q", got)
		}
		ch.Version, ch.Settings = 3, nil
		s.put(ch)
		f.Changed()
		synctest.Wait()
		if got := s.told(); len(got) != 2 || got[1] != "c1 ok" {
			t.Errorf("health %q", got)
		}
		cancel()
		<-done
		f.Close()
	})
}

func TestPollerReceivesOnOneNodeAndMovesWithItsCursor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, log, logs := newShelf(now), &trace{}, &bytes.Buffer{}
		s.put(desk.Channel{ID: "c1", Kind: "poll", Name: "p", Enabled: true, Version: 1})
		receive := func(node string) func(context.Context, connectors.Tools) error {
			return func(ctx context.Context, tools connectors.Tools) error {
				log.add(node + " from " + string(tools.Cursor))
				<-ctx.Done()
				return ctx.Err()
			}
		}
		run := func(node string) (stop func()) {
			f := newFleet(s, node, kinds(log, receive(node)), logs, nil)
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() { defer close(done); f.Run(ctx) }()
			return func() { cancel(); <-done; f.Close() }
		}
		stop1 := run("n1")
		synctest.Wait()
		stop2 := run("n2")
		pass(time.Minute)
		if got := strings.Join(log.all(), ","); strings.Count(got, "from") != 1 || !strings.Contains(got, "n1 from ") {
			t.Fatalf("got %v", got)
		}
		s.mu.Lock()
		s.cursors["c1"] = []byte("42")
		s.mu.Unlock()
		stop1()
		pass(15 * time.Second)
		if got := log.all(); !slices.Contains(got, "n2 from 42") {
			t.Errorf("got %v", got)
		}
		stop2()
	})
}

func TestPollerStopsWhenItsLeaseCannotBeRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, log, logs := newShelf(now), &trace{}, &bytes.Buffer{}
		s.put(desk.Channel{ID: "c1", Kind: "poll", Name: "p", Enabled: true, Version: 1})
		f := newFleet(s, "n1", kinds(log, func(ctx context.Context, _ connectors.Tools) error {
			log.add("on")
			<-ctx.Done()
			log.add("off")
			return ctx.Err()
		}), logs, nil)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); f.Run(ctx) }()
		pass(25 * time.Second)
		s.mu.Lock()
		s.fail = errors.New("the database is gone")
		s.mu.Unlock()
		began := time.Now()
		for !slices.Contains(log.all(), "off") {
			pass(time.Second)
		}
		if d := time.Since(began); d > 30*time.Second {
			t.Errorf("it received for %s without a lease", d)
		}
		cancel()
		<-done
		f.Close()
	})
}

func TestFailingPollerBacksOff(t *testing.T) {
	for name, c := range map[string]struct {
		err      error
		min, max int // attempts within ten minutes
	}{
		"transient":   {errors.New("connection refused"), 7, 16},
		"credentials": {&connectors.SendError{Class: connectors.Credentials, Hint: "wrong password"}, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, log, logs := newShelf(now), &trace{}, &bytes.Buffer{}
				s.put(desk.Channel{ID: "c1", Kind: "poll", Name: "p", Enabled: true, Version: 1})
				f := newFleet(s, "n1", kinds(log, func(context.Context, connectors.Tools) error { log.add("try"); return c.err }), logs, nil)
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan struct{})
				go func() { defer close(done); f.Run(ctx) }()
				pass(10 * time.Minute)
				if n := countTries(log); n < c.min || n > c.max {
					t.Errorf("%d attempts in ten minutes, want %d to %d", n, c.min, c.max)
				}
				if got := s.told(); len(got) == 0 || !strings.Contains(got[0], c.err.Error()) {
					t.Errorf("health %q", got)
				}
				cancel()
				<-done
				f.Close()
			})
		})
	}
}

func countTries(log *trace) (n int) {
	for _, l := range log.all() {
		if l == "try" {
			n++
		}
	}
	return n
}

func TestToolsBelongToTheChannel(t *testing.T) {
	s, log, logs := newShelf(now), &trace{}, &bytes.Buffer{}
	s.put(desk.Channel{ID: "c1", Kind: "hook", Name: "v1", Enabled: true, Version: 1, Settings: map[string]string{"password": "hunter2-hunter2"}})
	s.put(desk.Channel{ID: "c2", Kind: "hook", Name: "v1", Enabled: true, Version: 1})
	in := &sink{}
	signals := ""
	f := newFleet(s, "n1", kinds(log, nil), logs, func(o *fleet.Options) {
		o.Inbox = in
		o.Signal = func(ch desk.ID, typ, sender string, _ map[string]string) { signals += ch + typ + sender }
	})
	defer f.Close()
	if err := f.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	c1, _, _ := f.Get("c1")
	c2, _, _ := f.Get("c2")
	a, b := c1.(*hook).tools, c2.(*hook).tools
	if len(a.Key) != 32 || bytes.Equal(a.Key, b.Key) || a.Address != "https://desk.example.com/c/c1" {
		t.Errorf("key %x, address %s", a.Key, a.Address)
	}
	if err := a.Inbox.Accept(t.Context(), connectors.Batch{Envelopes: []desk.Envelope{{ExternalID: "x"}}}); err != nil || in.got[0].ChannelID != "c1" || in.got[0].Kind != "hook" {
		t.Errorf("accepted %+v, %v", in.got, err)
	}
	if rows, err := a.Log.Read(t.Context(), "s", 0, 1); err != nil || len(rows) != 1 || rows[0].Seq != 7 || !rows[0].Inbound {
		t.Errorf("log %+v, %v", rows, err)
	}
	a.Signal("typing", "v", nil)
	if signals != "c1typingv" {
		t.Error(signals)
	}
	a.Logger.Info("logging in with hunter2-hunter2", "url", "https://x/?p=hunter2-hunter2", "err", errBadSettings)
	if strings.Contains(logs.String(), "hunter2") || !strings.Contains(logs.String(), "channel=c1") {
		t.Error(logs.String())
	}
	if err := f.Test(t.Context(), desk.Channel{ID: "new", Kind: "hook", Settings: map[string]string{"mood": "bad", "password": "hunter2-hunter2"}}); !errors.Is(err, errBadSettings) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("test: %v", err)
	}
}

func TestLight(t *testing.T) {
	at := desk.Time(1_000_000_000)
	for want, h := range map[string]ticketstore.ChannelHealth{
		"ok":      {LastSuccessAt: at, LastFailureAt: at - 1},
		"warning": {LastSuccessAt: at, LastFailureAt: at.Add(time.Minute)},
		"error":   {LastSuccessAt: at, LastFailureAt: at.Add(time.Hour)},
	} {
		if got := fleet.Light(true, h); got != want {
			t.Errorf("%+v: %s, want %s", h, got, want)
		}
	}
	if fleet.Light(true, ticketstore.ChannelHealth{Held: true}) != "error" || fleet.Light(false, ticketstore.ChannelHealth{Held: true}) != "off" || fleet.Light(true, ticketstore.ChannelHealth{}) != "ok" {
		t.Error("held, off or new is wrong")
	}
}
