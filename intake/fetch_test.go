package intake_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"hearback/blobs"
	"hearback/connectors"
	"hearback/connectors/fleet"
	"hearback/desk"
	"hearback/intake"
	"hearback/ticketstore"
	"hearback/ticketstore/storetest"
)

// media is a provider's store of files: each reference answers with its script, one entry per try.
type media struct {
	connectors.Connector
	mu    sync.Mutex
	tries map[string]int
	give  map[string][]func() (string, error)
}

func (m *media) Get(desk.ID) (connectors.Connector, desk.Channel, bool) {
	return m, desk.Channel{}, true
}

func (m *media) Fetch(_ context.Context, ref string) (io.ReadCloser, string, error) {
	m.mu.Lock()
	script := m.give[ref]
	n := min(m.tries[ref], len(script)-1)
	m.tries[ref]++
	m.mu.Unlock()
	content, err := script[n]()
	return io.NopCloser(strings.NewReader(content)), "audio/amr", err
}

func gives(content string) func() (string, error) {
	return func() (string, error) { return content, nil }
}

func fails(err error) func() (string, error) { return func() (string, error) { return "", err } }

// A fetching is a store with one message whose files wait, and a clock that moves when told.
type fetching struct {
	*intake.Fetch
	store   *ticketstore.Store
	files   *blobs.Store
	media   *media
	message desk.ID
	mu      sync.Mutex
	ahead   time.Duration
	events  chan struct{}
}

func (f *fetching) now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Now().Add(f.ahead)
}

func onEachStore(t *testing.T, give map[string][]func() (string, error), test func(t *testing.T, f *fetching)) {
	t.Run("sqlite", func(t *testing.T) { test(t, newFetching(t, "sqlite:"+t.TempDir()+"/f.db", give)) })
	t.Run("postgres", func(t *testing.T) { test(t, newFetching(t, storetest.PostgresURL(t), give)) })
}

func newFetching(t *testing.T, url string, give map[string][]func() (string, error)) *fetching {
	files, err := blobs.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	f := &fetching{files: files, media: &media{give: give, tries: map[string]int{}}, events: make(chan struct{}, 100)}
	opt := storetest.Options(url)
	opt.Now = f.now
	f.store = storetest.Open(t, opt)
	e := &ticketstore.Arrival{ChannelID: channel, Envelopes: []desk.Envelope{envelope("s", "m", "look")}}
	if err := f.store.PutInbox(t.Context(), []*ticketstore.Arrival{e}, desk.At(f.now().Add(time.Hour))); err != nil {
		t.Fatal(err)
	}
	in := desk.Inbound{Type: desk.EnvelopeMessage, Text: "look", From: desk.Identity{Type: "webchat", Value: "s", Scope: channel}}
	for ref := range give {
		in.Attachments = append(in.Attachments, desk.InboundAttachment{Name: ref, Type: "audio/amr", Ref: ref, ExpiresAt: desk.At(f.now().Add(time.Hour))})
	}
	filed, err := f.store.File(t.Context(), []ticketstore.Filing{{Envelope: e.Envelopes[0], Inbounds: []desk.Inbound{in}, Plans: []ticketstore.Plan{{}}}})
	if err != nil || !filed[0].Fetch {
		t.Fatalf("%+v %v", filed, err)
	}
	f.message = filed[0].MessageID
	f.Fetch = intake.NewFetch(intake.FetchOptions{Store: f.store, Fleet: f.media, Blobs: fleet.Files(files), Logger: slog.New(slog.DiscardHandler),
		Now: f.now, MaxSize: 1 << 20, Publish: func(context.Context, []desk.Event) { f.events <- struct{}{} }})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); f.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	return f
}

func (f *fetching) tried(ref string) int {
	f.media.mu.Lock()
	defer f.media.mu.Unlock()
	return f.media.tries[ref]
}

// attachment waits until a file is settled, moving the clock past every pause.
func (f *fetching) attachment(t *testing.T, ref string) desk.Attachment {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		m, err := f.store.Message(t.Context(), f.message)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range m.Attachments {
			if a.Name == ref && a.State != "pending" {
				return a
			}
		}
		select {
		case <-f.events:
		case <-time.After(20 * time.Millisecond):
			f.mu.Lock()
			f.ahead += 3 * time.Second
			f.mu.Unlock()
			f.Kick()
		case <-deadline:
			t.Fatalf("%s was not settled: %+v", ref, m.Attachments)
		}
	}
}

func TestFilesAreFetchedAfterFilingAndTriedAgain(t *testing.T) {
	busy := errors.New("busy")
	onEachStore(t, map[string][]func() (string, error){
		"at once":    {gives("#!AMR\nxx")},
		"third time": {fails(busy), fails(busy), gives("\x89PNG\r\n\x1a\n")},
		"a panic":    {func() (string, error) { panic("boom") }, gives("hello")},
	}, func(t *testing.T, f *fetching) {
		for ref, want := range map[string]struct {
			typ, content string
			tries        int
		}{"at once": {"audio/amr", "#!AMR\nxx", 1}, "third time": {"image/png", "\x89PNG\r\n\x1a\n", 3}, "a panic": {"text/plain", "hello", 2}} {
			a := f.attachment(t, ref)
			if a.State != "stored" || a.Type != want.typ || a.Size != int64(len(want.content)) || f.tried(ref) != want.tries {
				t.Errorf("%s: %+v after %d tries", ref, a, f.tried(ref))
				continue
			}
			r, err := f.files.Open(t.Context(), a.Blob)
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := io.ReadAll(r); !bytes.Equal(got, []byte(want.content)) {
				t.Errorf("%s holds %q", ref, got)
			}
			r.Close()
		}
	})
}

func TestWhatCannotBeFetchedIsMarkedWithItsReason(t *testing.T) {
	onEachStore(t, map[string][]func() (string, error){
		"gone":     {fails(&connectors.SendError{Class: connectors.Permanent, Code: "40007", Hint: "WeChat has deleted it."})},
		"too big":  {gives(strings.Repeat("x", 2<<20))},
		"run out":  {fails(errors.New("still busy"))},
		"anything": {gives("x")},
	}, func(t *testing.T, f *fetching) {
		if a := f.attachment(t, "gone"); a.State != "failed" || a.Hint != "WeChat has deleted it." || f.tried("gone") != 1 {
			t.Errorf("%+v after %d tries", a, f.tried("gone"))
		}
		if a := f.attachment(t, "too big"); a.State != "failed" || !strings.Contains(a.Hint, "larger than 1 MB") || f.tried("too big") != 1 {
			t.Errorf("%+v", a)
		}
		if a := f.attachment(t, "anything"); a.State != "stored" {
			t.Errorf("%+v", a)
		}
		f.mu.Lock()
		f.ahead += time.Hour
		f.mu.Unlock()
		f.Kick()
		if a := f.attachment(t, "run out"); a.State != "failed" || !strings.Contains(a.Hint, "before the provider deleted it") {
			t.Errorf("%+v", a)
		}
	})
}
