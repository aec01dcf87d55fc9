package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hearback/auth"
	"hearback/blobs"
	"hearback/bus"
	"hearback/bus/bustest"
	"hearback/connectors"
	"hearback/connectors/fleet"
	"hearback/console"
	"hearback/desk"
	"hearback/ticketstore"
	"hearback/ticketstore/storetest"
)

// world is a running admin behind the console's guard.
type world struct {
	*testing.T
	store        *ticketstore.Store
	bus          *bus.Bus
	auth         *auth.Auth
	server       *httptest.Server
	admin, agent desk.Agent
	tokens       map[desk.ID]string
	woken        int
	noted        []connectors.Note // what the live log says

	mu   sync.Mutex
	told []string // types of events published
}

// mail is a kind with a secret, a pattern and a value it makes by itself.
var mail = connectors.Kind{
	Name: "mail", Title: connectors.Text{Zh: "邮件", En: "Mail"},
	Fields: []connectors.Field{
		{Name: "address", Type: "text", Required: true, Pattern: `[^@]+@[^@]+`, Label: connectors.Text{Zh: "地址", En: "Address"}},
		{Name: "password", Type: "password", Secret: true, Required: true, Label: connectors.Text{Zh: "密码", En: "Password"}},
		{Name: "hook", Type: "password", Secret: true, Generate: func() string { return "whsec_made_by_itself" }},
	},
	Open: func(context.Context, desk.Channel, connectors.Tools) (connectors.Connector, error) { return nil, nil },
	Test: func(_ context.Context, ch desk.Channel, _ connectors.Tools) error {
		if strings.Contains(ch.Settings["password"], "right") {
			return nil
		}
		return errors.New("the provider refused " + ch.Settings["password"])
	},
	Mount: &connectors.Mount{Prefix: "/api/v1/hooks/", Field: "hook"},
	Try: func(_ map[string]string, s connectors.Sample) connectors.Trial {
		if string(s.Body) == "panic" {
			panic("panic")
		}
		call := desk.Call{}.With(desk.CallEvent{Key: "1", Type: desk.CallHangup, At: 1})
		return connectors.Trial{Call: &call, Answer: connectors.Answer{Status: 200}, Inbounds: []desk.Inbound{{
			From: desk.Identity{Value: "x@y"}, Text: s.Query.Get("event") + " " + s.Header.Get("X-Sign") + " " + string(s.Body),
			Attachments: []desk.InboundAttachment{{Type: "audio/wav"}},
		}}}
	},
	Consent: &connectors.Consent{
		URL: func(_ desk.Channel, redirect, state, _ string) (string, error) {
			return "https://login.example.com/?" + url.Values{"redirect_uri": {redirect}, "state": {state}}.Encode(), nil
		},
		Exchange: func(_ context.Context, ch desk.Channel, _ connectors.Tools, _, code, _ string) (map[string]string, error) {
			if code != "right" {
				return nil, errors.New("the provider refused " + ch.Settings["password"])
			}
			return map[string]string{"password": "right-token-that-is-long-enough"}, nil
		},
	},
	Embed: func(url string, ch desk.Channel) string { return "<a href=\"" + url + "/c/" + ch.ID + "\">" },
}

// noting is a fleet whose live log says what the test wants.
type noting struct {
	*fleet.Fleet
	w *world
}

func (n noting) Log(context.Context, desk.ID) ([]connectors.Note, error) { return n.w.noted, nil }

func inBothWorlds(t *testing.T, claim func(t *testing.T, w *world)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { claim(t, newWorld(t, storetest.SQLite(t))) })
	t.Run("postgres", func(t *testing.T) { claim(t, newWorld(t, storetest.Postgres(t))) })
}

func newWorld(t *testing.T, store *ticketstore.Store) *world {
	w := &world{T: t, store: store, bus: bustest.Open(t, "embedded"), auth: auth.New(auth.Options{Store: store}), tokens: map[desk.ID]string{}}
	w.admin, w.agent = w.person("admin", desk.RoleAdmin), w.person("wang", desk.RoleAgent)
	files, err := blobs.Open(t.TempDir())
	w.ok(err)
	quiet := slog.New(slog.DiscardHandler)
	f := fleet.New(fleet.Options{Kinds: []connectors.Kind{mail}, Store: store, Logger: quiet, PublicURL: "https://desk.example.com", Secret: []byte("house")})
	mux := http.NewServeMux()
	api := console.NewAPI(mux, "test", quiet)
	console.New(console.Options{Store: store, Auth: w.auth, Bus: w.bus, Logger: quiet}).Register(api, mux)
	New(Options{
		Store: store, Fleet: noting{f, w}, Auth: w.auth, Bus: w.bus, Actor: console.Actor, Wake: func() { w.woken++ },
		Blobs: fleet.Files(files), Logger: quiet, PublicURL: "https://desk.example.com",
	}).Register(api)
	w.listen()
	w.server = httptest.NewServer(mux)
	t.Cleanup(w.server.Close)
	return w
}

// listen writes down what every node is told.
func (w *world) listen() {
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan struct{})
	once := sync.OnceFunc(func() { close(ready) })
	go func() {
		defer close(ended)
		w.bus.Subscribe(ctx, func(events []desk.Event) {
			once()
			w.mu.Lock()
			defer w.mu.Unlock()
			for _, e := range events {
				w.told = append(w.told, e.Type)
			}
		})
	}()
	for listening := false; !listening; {
		w.ok(w.bus.Publish(ctx, []desk.Event{{Type: "ready"}}))
		select {
		case <-ready:
			listening = true
		case <-time.After(time.Millisecond):
		}
	}
	w.Cleanup(func() { cancel(); <-ended })
}

// wasTold tells whether a type of event was published since the last question.
func (w *world) wasTold(kind string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	found := slices.Contains(w.told, kind)
	w.told = nil
	return found
}

func (w *world) person(name string, role desk.Role) desk.Agent {
	w.Helper()
	a, err := w.store.CreateAgent(w.Context(), desk.Agent{Email: name + "@example.com", Name: name, Role: role}, "", false)
	w.ok(err)
	secret, _, err := w.auth.AddToken(w.Context(), a.ID, "test")
	w.ok(err)
	w.tokens[a.ID] = secret
	return a
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// want makes a request and ends the test unless it is answered with status.
func (w *world) want(status int, method, path, body string) map[string]any {
	w.Helper()
	r, err := http.NewRequest(method, w.server.URL+path, bytes.NewReader([]byte(body)))
	w.ok(err)
	r.Header.Set("Authorization", "Bearer "+w.tokens[w.admin.ID])
	r.Header.Set("Content-Type", "application/json")
	answer, err := w.server.Client().Do(r)
	w.ok(err)
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	w.ok(err)
	if answer.StatusCode != status {
		w.Fatalf("%s %s: %d %s, want %d", method, path, answer.StatusCode, raw, status)
	}
	var decoded map[string]any
	if len(raw) > 0 {
		w.ok(json.Unmarshal(raw, &decoded))
	}
	return decoded
}

// arrive files a message of a new sender.
func (w *world) arrive(text string) ticketstore.Filed {
	w.Helper()
	sender := desk.NewID()
	env := []desk.Envelope{{ChannelID: "c1", Kind: "mail", Type: desk.EnvelopeMessage, ExternalID: sender, Sender: sender, Raw: []byte(text + "\x00\xff")}}
	w.ok(w.store.PutInbox(w.Context(), []*ticketstore.Arrival{{ChannelID: "c1", Envelopes: env}}, desk.At(time.Now().Add(time.Minute))))
	filed, err := w.store.File(w.Context(), []ticketstore.Filing{{
		Envelope: env[0], Plans: []ticketstore.Plan{{}},
		Inbounds: []desk.Inbound{{Type: desk.EnvelopeMessage, Text: text, From: desk.Identity{Type: "email", Value: sender}}},
	}})
	w.ok(err)
	return filed[0]
}
