package fleet_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"testing/synctest"
	"time"

	"hearback/connectors"
	"hearback/connectors/fleet"
	"hearback/desk"
	"hearback/ticketstore"
)

// shelf is a store in memory.
type shelf struct {
	mu       sync.Mutex
	channels map[desk.ID]desk.Channel
	cursors  map[desk.ID][]byte
	leases   map[string]lease
	health   []string
	fail     error
	now      func() desk.Time
}

type lease struct {
	holder string
	until  desk.Time
}

func newShelf(now func() desk.Time) *shelf {
	return &shelf{channels: map[desk.ID]desk.Channel{}, cursors: map[desk.ID][]byte{}, leases: map[string]lease{}, now: now}
}

func (s *shelf) put(ch desk.Channel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.channels[ch.ID] = ch
}

func (s *shelf) Channels(context.Context) ([]desk.Channel, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []desk.Channel
	for _, ch := range s.channels {
		out = append(out, ch)
	}
	return out, s.fail
}

func (s *shelf) Cursor(_ context.Context, ch desk.ID) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cursors[ch], nil
}

func (s *shelf) AppendLog(context.Context, desk.ID, string, string, []byte) (int64, error) {
	return 1, nil
}
func (s *shelf) ReadLog(context.Context, desk.ID, string, int64, int) ([]ticketstore.LogEntry, error) {
	return []ticketstore.LogEntry{{Seq: 7, ID: "x", Inbound: true, Body: []byte("b"), At: 9}}, nil
}
func (s *shelf) LastLog(context.Context, desk.ID, string) (int64, error) { return 7, nil }

func (s *shelf) SetHealth(_ context.Context, ch desk.ID, ok bool, text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ok {
		text = "ok"
	}
	s.health = append(s.health, ch+" "+text)
	return nil
}

func (s *shelf) told() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.health...)
}

func (s *shelf) Lease(_ context.Context, name, holder string, until desk.Time) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return false, s.fail
	}
	if l := s.leases[name]; l.holder != "" && l.holder != holder && l.until > s.now() {
		return false, nil
	}
	s.leases[name] = lease{holder, until}
	return true, nil
}

func (s *shelf) Unlease(_ context.Context, name, holder string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leases[name].holder == holder {
		delete(s.leases, name)
	}
	return nil
}

// probe is a connector that tells what happens to it.
type probe struct {
	log     *trace
	version string
	tools   connectors.Tools
	receive func(context.Context, connectors.Tools) error
}

type trace struct {
	mu    sync.Mutex
	lines []string
}

func (t *trace) add(s string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines = append(t.lines, s)
}

func (t *trace) all() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.lines...)
}

func (p *probe) Capabilities() connectors.Capabilities { return connectors.Capabilities{} }
func (p *probe) Send(context.Context, desk.Outbound) (connectors.Receipt, error) {
	return connectors.Receipt{}, nil
}
func (p *probe) Close() error { p.log.add("close " + p.version); return nil }

// hook is a probe that is called.
type hook struct{ probe }

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/panic" {
		panic("at the disco")
	}
	w.Write([]byte(h.version + " " + r.URL.Path))
}

// fetcher is a probe that goes and fetches.
type fetcher struct{ probe }

func (f *fetcher) Receive(ctx context.Context) error { return f.receive(ctx, f.tools) }

var errBadSettings = errors.New("cannot work with the secret hunter2-hunter2")

// kinds makes a webhook kind and a poller kind that write into log.
func kinds(log *trace, receive func(context.Context, connectors.Tools) error) []connectors.Kind {
	decode := func(desk.Envelope) ([]desk.Inbound, error) { return nil, nil }
	fields := []connectors.Field{{Name: "mood", Type: "text", Default: "good"}, {Name: "password", Type: "password", Secret: true}}
	hookKind := connectors.Kind{Name: "hook", Fields: fields, Decode: decode,
		Open: func(_ context.Context, ch desk.Channel, tools connectors.Tools) (connectors.Connector, error) {
			switch ch.Settings["mood"] {
			case "bad":
				return nil, errBadSettings
			case "panic":
				panic("open")
			}
			v := ch.Name
			log.add("open " + v)
			return &hook{probe{log: log, version: v, tools: tools}}, nil
		}}
	pollKind := connectors.Kind{Name: "poll", Fields: fields, Decode: decode,
		Open: func(_ context.Context, ch desk.Channel, tools connectors.Tools) (connectors.Connector, error) {
			return &fetcher{probe{log: log, version: ch.Name, tools: tools, receive: receive}}, nil
		}}
	return []connectors.Kind{hookKind, pollKind}
}

type sink struct {
	mu  sync.Mutex
	got []desk.Envelope
}

func (s *sink) Accept(_ context.Context, b connectors.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, b.Envelopes...)
	return nil
}

func newFleet(s *shelf, node string, k []connectors.Kind, logs *bytes.Buffer, more func(*fleet.Options)) *fleet.Fleet {
	o := fleet.Options{Kinds: k, Store: s, Inbox: &sink{}, Node: node, Secret: []byte("house"), PublicURL: "https://desk.example.com",
		Logger: slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	if more != nil {
		more(&o)
	}
	return fleet.New(o)
}

// pass lets the bubble's clock run to a moment and waits until everybody who had something to do then has done it. It is for
// testing/synctest only, where no real time goes by.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}
