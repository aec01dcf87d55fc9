package fleet_test

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"hearback/connectors"
	"hearback/connectors/fleet"
	"hearback/desk"
)

// mounted are the kinds of the tests with a second address for the webhook kind.
func mounted(log *trace) []connectors.Kind {
	all := kinds(log, nil)
	all[0].Mount = &connectors.Mount{Prefix: "/api/v1/cti/", Field: "password"}
	return all
}

func TestTokenLeadsToItsChannelAndNothingElseDoes(t *testing.T) {
	s, logs := newShelf(now), &bytes.Buffer{}
	for id, token := range map[string]string{"c1": "token-of-one", "c2": "token-of-two"} {
		s.put(desk.Channel{ID: id, Kind: "hook", Name: id, Enabled: true, Version: 1, Settings: map[string]string{"password": token}})
	}
	s.put(desk.Channel{ID: "c3", Kind: "hook", Name: "c3", Enabled: true, Version: 1}) // no token: no second address
	s.put(desk.Channel{ID: "c4", Kind: "poll", Name: "c4", Enabled: true, Version: 1, Settings: map[string]string{"password": "token-of-poll"}})
	f := newFleet(s, "n1", mounted(&trace{}), logs, nil)
	defer f.Close()
	if err := f.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := f.Mounts(); len(got) != 1 || got[0] != "/api/v1/cti/" {
		t.Fatalf("mounts %v", got)
	}
	for path, want := range map[string]string{
		"/api/v1/cti/token-of-one": "c1 /", "/api/v1/cti/token-of-two/": "c2 /", "/api/v1/cti/token-of-two/more/of it": "c2 /more/of it",
	} {
		if status, body := get(f, strings.ReplaceAll(path, " ", "%20")); status != 200 || body != want {
			t.Errorf("%s: %d %q", path, status, body)
		}
	}
	for _, path := range []string{"", "token-of-on", "token-of-one-", "token-of-poll", "c1", "%00", strings.Repeat("x", 5000)} {
		if status, body := get(f, "/api/v1/cti/"+path); status != 404 || strings.Contains(body, "token") {
			t.Errorf("%q: %d %q", path, status, body)
		}
	}
}

func TestTokenOfChannelThatWouldNotOpenIsAnsweredLater(t *testing.T) {
	s, logs := newShelf(now), &bytes.Buffer{}
	s.put(desk.Channel{ID: "c1", Kind: "hook", Enabled: true, Version: 1, Settings: map[string]string{"password": "token-of-one", "mood": "bad"}})
	f := newFleet(s, "n1", mounted(&trace{}), logs, nil)
	defer f.Close()
	if err := f.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status, _ := get(f, "/api/v1/cti/token-of-one"); status != http.StatusServiceUnavailable {
		t.Errorf("its token: %d", status)
	}
	if status, _ := get(f, "/api/v1/cti/token-of-two"); status != http.StatusNotFound {
		t.Errorf("nobody's token: %d", status)
	}
	if strings.Contains(logs.String(), "token-of-one") {
		t.Error("the token is in the log")
	}
}

// bucket is a cache that lets n pass.
type bucket struct {
	connectors.Cache
	n    int
	keys []string
	used map[string]bool
}

func (b *bucket) Allow(_ context.Context, key string, _, _ int) (bool, time.Duration, error) {
	b.n--
	b.keys = append(b.keys, key)
	return b.n >= 0, time.Second, nil
}

func (b *bucket) Seen(_ context.Context, key string, _ time.Duration) (bool, error) {
	seen := b.used[key]
	b.used[key] = true
	return seen, nil
}

func TestGuessingTokensIsSlowedAndDoesNotSlowOthers(t *testing.T) {
	s, logs := newShelf(now), &bytes.Buffer{}
	s.put(desk.Channel{ID: "c1", Kind: "hook", Name: "c1", Enabled: true, Version: 1, Settings: map[string]string{"password": "token-of-one"}})
	limit := &bucket{n: 2}
	f := newFleet(s, "n1", mounted(&trace{}), logs, func(o *fleet.Options) { o.Cache = limit })
	defer f.Close()
	if err := f.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got []int
	for range 4 {
		status, _ := get(f, "/api/v1/cti/guess")
		got = append(got, status)
	}
	if got[1] != 404 || got[2] != 429 || got[3] != 429 {
		t.Errorf("guesses: %v", got)
	}
	if status, _ := get(f, "/api/v1/cti/token-of-one"); status != 200 {
		t.Errorf("the right token: %d", status)
	}
	if len(limit.keys) != 4 || !strings.Contains(limit.keys[0], "192.0.2.1") {
		t.Errorf("asked for %v", limit.keys)
	}
}
