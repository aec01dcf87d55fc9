package connectortest

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"hearback/connectors"
	"hearback/desk"
)

// An Env is one open channel in a test.
type Env struct {
	House   *House
	Kind    connectors.Kind
	Channel desk.Channel
	Conn    connectors.Connector
	URL     string // where a Webhook listens, "http://127.0.0.1:…/c/<id>"; "" for other connectors

	stop func()
}

// Settings fills in a kind's defaults.
func Settings(kind connectors.Kind, given map[string]string) map[string]string {
	out := map[string]string{}
	for _, f := range kind.Fields {
		if f.Default != "" {
			out[f.Name] = f.Default
		}
	}
	for k, v := range given {
		out[k] = v
	}
	return out
}

// OpenChannel opens a channel of kind in a house, serves it when it is a Webhook and lets it receive when it is a Poller. It is
// closed with the test.
func OpenChannel(t testing.TB, kind connectors.Kind, house *House, settings map[string]string) *Env {
	t.Helper()
	ch := desk.Channel{ID: desk.NewID(), Kind: kind.Name, Name: "Test", Enabled: true, Settings: Settings(kind, settings), Version: 1}
	return openOn(t, kind, house, ch)
}

// Again opens the same channel once more, as a second node does.
func (e *Env) Again(t testing.TB) *Env {
	t.Helper()
	return openOn(t, e.Kind, e.House, e.Channel)
}

func openOn(t testing.TB, kind connectors.Kind, house *House, ch desk.Channel) *Env {
	t.Helper()
	conn, err := kind.Open(context.Background(), ch, house.Tools(ch))
	if err != nil {
		t.Fatalf("open %s: %v", kind.Name, err)
	}
	e := &Env{House: house, Kind: kind, Channel: ch, Conn: conn}
	stops := []func(){func() {
		if err := conn.Close(); err != nil {
			t.Errorf("close %s: %v", kind.Name, err)
		}
	}}
	if hook, ok := conn.(connectors.Webhook); ok {
		prefix := "/c/" + ch.ID
		server := httptest.NewServer(http.StripPrefix(prefix, rooted(hook)))
		e.URL = server.URL + prefix
		stops = append(stops, server.Close)
	}
	if poller, ok := conn.(connectors.Poller); ok {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() {
			defer close(done)
			for ctx.Err() == nil {
				if err := poller.Receive(ctx); err != nil && ctx.Err() == nil {
					house.recordHealth(err)
				}
			}
		}()
		stops = append([]func(){func() { cancel(); <-done }}, stops...)
	}
	e.stop = func() {
		for _, f := range stops {
			f()
		}
		stops = nil
	}
	t.Cleanup(func() { e.stop() })
	return e
}

// rooted gives the bare address as "/", as the fleet does.
func rooted(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "" {
			r.URL.Path = "/"
		}
		h.ServeHTTP(w, r)
	})
}

// Close closes the channel and its server now.
func (e *Env) Close() { e.stop() }

// checkNothingRuns waits until no goroutine of the kind's package is left.
func checkNothingRuns(t testing.TB, kind connectors.Kind) {
	t.Helper()
	mark := "hearback/connectors/" + kind.Name + "."
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(5 * time.Second)
	for {
		left := goroutines(mark)
		if left == "" {
			return
		}
		select {
		case <-tick.C:
		case <-limit:
			t.Errorf("still running after Close:\n%s", left)
			return
		}
	}
}

// goroutines returns the stacks that mention mark and are not the test's own.
func goroutines(mark string) string {
	buf := make([]byte, 1<<20)
	buf = buf[:runtime.Stack(buf, true)]
	var left []string
	for _, g := range strings.Split(string(buf), "\n\n") {
		if strings.Contains(g, mark) && !strings.Contains(g, "testing.tRunner") {
			left = append(left, g)
		}
	}
	return strings.Join(left, "\n\n")
}

var errAway = errors.Join(desk.ErrUnavailable, errors.New("the store is away"))

// NewProvider serves a fake provider on the loopback for the length of the test and returns its address.
func NewProvider(t testing.TB, handle http.HandlerFunc) (url string) {
	s := httptest.NewServer(handle)
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s.URL
}
