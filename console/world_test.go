package console

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gorilla/websocket"

	"hearback/auth"
	"hearback/blobs"
	"hearback/bus"
	"hearback/bus/bustest"
	"hearback/connectors"
	"hearback/connectors/fleet"
	"hearback/desk"
	"hearback/router"
	"hearback/ticketstore"
	"hearback/ticketstore/storetest"
)

// world is one running console with real store, bus and files. Agents come with an API token.
type world struct {
	testing.TB
	store   *ticketstore.Store
	bus     *bus.Bus
	console *Console
	api     huma.API
	server  *httptest.Server
	auth    *auth.Auth
	tokens  map[desk.ID]string
	router  *seats
	fleet   *channels
	kicks   chan struct{}
	stop    func() // stops the console

	support, finance      desk.Team
	admin, wang, li, boss desk.Agent // li and wang: support; boss: supervisor of finance
	channel               desk.Channel
	envelopes             int
}

// inBothWorlds runs one claim on SQLite and on PostgreSQL.
func inBothWorlds(t *testing.T, claim func(t *testing.T, w *world)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { claim(t, newWorld(t, storetest.SQLite(t))) })
	t.Run("postgres", func(t *testing.T) { claim(t, newWorld(t, storetest.Postgres(t))) })
}

func newWorld(t testing.TB, store *ticketstore.Store) *world {
	w := &world{TB: t, store: store, bus: bustest.Open(t, "embedded"), kicks: make(chan struct{}, 100)}
	w.auth, w.tokens = auth.New(auth.Options{Store: store}), map[desk.ID]string{}
	w.support = must(store.SaveTeam(t.Context(), desk.Team{Name: "Support"}))(t)
	w.finance = must(store.SaveTeam(t.Context(), desk.Team{Name: "财务"}))(t)
	w.admin = w.agent("admin", desk.RoleAdmin)
	w.wang = w.agent("wang", desk.RoleAgent, w.support.ID)
	w.li = w.agent("li", desk.RoleAgent, w.support.ID)
	w.boss = w.agent("boss", desk.RoleSupervisor, w.finance.ID)
	w.channel = must(store.SaveChannel(t.Context(), desk.Channel{Kind: "webchat", Name: "网站", Enabled: true}, nil))(t)
	w.router = &seats{store: store, beats: make(chan desk.ID, 1000)}
	w.fleet = &channels{channel: w.channel, typed: make(chan string, 100)}
	files := must(blobs.Open(t.TempDir()))(t)
	mux := http.NewServeMux()
	w.api = NewAPI(mux, "test", slog.New(slog.DiscardHandler))
	w.console = New(Options{
		Store: store, Router: w.router, Fleet: w.fleet, Auth: w.auth, Bus: w.bus, Blobs: fleet.Files(files),
		Kick:   func() { w.kicks <- struct{}{} },
		Logger: slog.New(slog.DiscardHandler), Node: "n1", Build: "test",
	})
	w.console.Register(w.api, mux)
	w.run()
	w.server = httptest.NewServer(mux)
	t.Cleanup(w.server.Close)
	return w
}

// run runs the console until the test ends.
func (w *world) run() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); w.console.Run(ctx) }()
	w.stop = func() { cancel(); <-ended }
	w.Cleanup(w.stop)
}

func (w *world) agent(name string, role desk.Role, teams ...desk.ID) desk.Agent {
	w.Helper()
	a := must(w.store.CreateAgent(w.Context(), desk.Agent{
		Email: name + "@example.com", Name: name, Role: role, Teams: teams, Capacity: 10,
	}, "", false))(w.TB)
	secret, _, err := w.auth.AddToken(w.Context(), a.ID, "test")
	w.ok(err)
	w.tokens[a.ID] = secret
	return a
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// arrive files a customer's message and publishes its events, as intake does.
func (w *world) arrive(sender, text, team string) (desk.ID, desk.Message) {
	w.Helper()
	w.envelopes++
	env := []desk.Envelope{{
		ChannelID: w.channel.ID, Kind: "webchat", Type: desk.EnvelopeMessage, ExternalID: desk.NewID(), Sender: sender, Raw: []byte(text),
	}}
	lease := desk.At(time.Now().Add(time.Minute))
	w.ok(w.store.PutInbox(w.Context(), []*ticketstore.Arrival{{ChannelID: w.channel.ID, Envelopes: env}}, lease))
	filed := must(w.store.File(w.Context(), []ticketstore.Filing{{
		Envelope: env[0],
		Inbounds: []desk.Inbound{{
			Type: desk.EnvelopeMessage, Text: text, Name: "王芳",
			From: desk.Identity{Type: "webchat", Value: sender, Scope: w.channel.ID, Verified: true},
		}},
		Plans: []ticketstore.Plan{{TeamID: team}},
	}}))(w.TB)
	w.ok(w.bus.Publish(w.Context(), filed[0].Events))
	return filed[0].TicketID, must(w.store.Message(w.Context(), filed[0].MessageID))(w.TB)
}

// give assigns a ticket as the router does.
func (w *world) give(ticket desk.ID, to desk.Agent) {
	w.Helper()
	got := must(w.router.Transfer(w.Context(), ticket, to, desk.Author{Kind: "system"}, "least load"))(w.TB)
	if !got.Taken {
		w.Fatal("not assigned")
	}
	w.ok(w.bus.Publish(w.Context(), got.Events))
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// do makes a request as an agent ("": nobody) and returns status and decoded body.
func (w *world) do(who desk.Agent, method, path string, body any) (int, map[string]any) {
	w.Helper()
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	default:
		encoded, err := json.Marshal(b)
		w.ok(err)
		reader = bytes.NewReader(encoded)
	}
	r, err := http.NewRequest(method, w.server.URL+path, reader)
	w.ok(err)
	if reader != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	return w.send(who, r)
}

func (w *world) send(who desk.Agent, r *http.Request) (int, map[string]any) {
	w.Helper()
	if who.ID != "" {
		r.Header.Set("Authorization", "Bearer "+w.tokens[who.ID])
	}
	answer, err := w.server.Client().Do(r)
	w.ok(err)
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	w.ok(err)
	var decoded map[string]any
	if len(raw) > 0 && strings.Contains(answer.Header.Get("Content-Type"), "json") {
		w.ok(json.Unmarshal(raw, &decoded))
	}
	return answer.StatusCode, decoded
}

// want makes a request and ends the test unless it is answered with status.
func (w *world) want(status int, who desk.Agent, method, path string, body any) map[string]any {
	w.Helper()
	got, answer := w.do(who, method, path, body)
	if got != status {
		w.Fatalf("%s %s: %d %v, want %d", method, path, got, answer, status)
	}
	return answer
}

// tab is an agent's page: its socket.
type tab struct {
	t    testing.TB
	conn *websocket.Conn
}

func (w *world) open(who desk.Agent, hello string) *tab {
	w.Helper()
	header := http.Header{"Authorization": {"Bearer " + w.tokens[who.ID]}}
	conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(w.server.URL, "http")+"/ws", header)
	w.ok(err)
	w.Cleanup(func() { conn.Close() })
	p := &tab{w.TB, conn}
	if hello != "" {
		p.say(hello)
		p.until("welcome")
	}
	return p
}

func (p *tab) say(frame string) {
	p.t.Helper()
	if err := p.conn.WriteMessage(websocket.TextMessage, []byte(frame)); err != nil {
		p.t.Fatal(err)
	}
}

// ping waits until everything said before has been handled.
func (p *tab) ping() {
	p.t.Helper()
	p.say(`{"type":"ping"}`)
	p.until("pong")
}

// quiet ends the test when a frame of one of the types comes before everything said and published has been handled.
func (p *tab) quiet(kinds ...string) {
	p.t.Helper()
	p.say(`{"type":"ping"}`)
	for f := p.next(); f.Type != "pong"; f = p.next() {
		if slices.Contains(kinds, f.Type) {
			p.t.Errorf("unexpected %+v", f)
		}
	}
}

func equalJSON(t testing.TB, a, b any) bool {
	t.Helper()
	x, err := json.Marshal(a)
	y, err2 := json.Marshal(b)
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	return bytes.Equal(x, y)
}

// seen is a frame as a page decodes it.
type seen struct {
	Type     string  `json:"type"`
	TicketID desk.ID `json:"ticket_id"`
	Seq      int64   `json:"seq"`
	Message  Message `json:"message"`
	Ticket   Ticket  `json:"ticket"`
	Counts   Counts  `json:"counts"`
	Who      Author  `json:"who"`
	On       bool    `json:"on"`
	Code     string  `json:"code"`
	Number   string  `json:"number"`
	Reason   string  `json:"reason"`
	What     string  `json:"what"`

	Call      LiveCall  `json:"call"`
	ClosesAt  desk.Time `json:"closes_at"`
	Remaining int       `json:"remaining"`
	ChannelID desk.ID   `json:"channel_id"`
	Presence
}

func (p *tab) next() seen {
	p.t.Helper()
	p.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, data, err := p.conn.ReadMessage()
	if err != nil {
		p.t.Fatalf("read frame: %v", err)
	}
	var f seen
	if err := json.Unmarshal(data, &f); err != nil {
		p.t.Fatalf("frame %s: %v", data, err)
	}
	return f
}

// until reads frames up to one of a type and returns it.
func (p *tab) until(kind string) seen {
	p.t.Helper()
	for {
		if f := p.next(); f.Type == kind {
			return f
		}
	}
}

// closed reads until the socket ends and returns the close code.
func (p *tab) closed() int {
	p.t.Helper()
	p.conn.SetReadDeadline(time.Now().Add(15 * time.Second))
	for {
		if _, _, err := p.conn.ReadMessage(); err != nil {
			var closed *websocket.CloseError
			if errors.As(err, &closed) {
				return closed.Code
			}
			p.t.Fatalf("ended without a close frame: %v", err)
		}
	}
}

// seats is a load board with endless room: SQL alone decides.
type seats struct {
	store *ticketstore.Store
	beats chan desk.ID
	gone  error
	mu    sync.Mutex
	seats map[desk.ID]router.Seat
}

func (s *seats) sit(agent desk.ID, seat router.Seat) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seats = map[desk.ID]router.Seat{agent: seat}
}

func (s *seats) assign(ctx context.Context, ticket, to desk.ID, kind string, actor desk.Author, unowned bool, reason string) (ticketstore.AssignResult, error) {
	if s.gone != nil {
		return ticketstore.AssignResult{}, s.gone
	}
	t, err := s.store.Ticket(ctx, ticket)
	if err != nil {
		return ticketstore.AssignResult{}, err
	}
	got, err := s.store.Assign(ctx, []ticketstore.Assignment{{
		TicketID: ticket, AgentID: to, Epoch: t.AssignEpoch + 1, Kind: kind, Actor: actor, Unowned: unowned, Reason: reason,
	}})
	if err != nil {
		return ticketstore.AssignResult{}, err
	}
	return got[0], nil
}

func (s *seats) Claim(ctx context.Context, ticket desk.ID, agent desk.Agent) (ticketstore.AssignResult, error) {
	return s.assign(ctx, ticket, agent.ID, "claimed", desk.Author{Kind: "agent", ID: agent.ID, Name: agent.Name}, true, "")
}

func (s *seats) Transfer(ctx context.Context, ticket desk.ID, to desk.Agent, actor desk.Author, reason string) (ticketstore.AssignResult, error) {
	return s.assign(ctx, ticket, to.ID, "transferred", actor, false, reason)
}

func (s *seats) ToTeam(ctx context.Context, ticket, team desk.ID, actor desk.Author, reason string) (ticketstore.AssignResult, error) {
	return s.store.Unassign(ctx, ticket, -1, &team, "transferred", actor, reason)
}

func (s *seats) Queue(context.Context, desk.Ticket) error   { return nil }
func (s *seats) Release(context.Context, desk.Ticket) error { return nil }
func (s *seats) Beat(_ context.Context, agent desk.ID) error {
	s.beats <- agent
	return nil
}
func (s *seats) SetAvailability(context.Context, desk.ID, desk.Availability) error { return nil }
func (s *seats) Presence(context.Context) (map[desk.ID]router.Seat, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seats, nil
}

// channels has one open channel that can show typing, and what a test adds.
type channels struct {
	channel desk.Channel
	typed   chan string
	more    []line
}

// A line is another open channel: what it can do and whom it may write to.
type line struct {
	channel desk.Channel
	able    connectors.Capabilities
	reach   func(desk.Channel, desk.Identity) (string, bool)
}

func (c *channels) Get(id desk.ID) (connectors.Connector, desk.Channel, bool) {
	for _, l := range c.more {
		if l.channel.ID == id {
			return &chat{c, l.able}, l.channel, true
		}
	}
	able := connectors.Capabilities{MaxText: 4000, Attachments: []string{"image/*"}, Typing: true}
	return &chat{c, able}, c.channel, id == c.channel.ID
}

func (c *channels) Channels() []desk.Channel {
	all := []desk.Channel{c.channel}
	for _, l := range c.more {
		all = append(all, l.channel)
	}
	return all
}

func (c *channels) Kind(name string) (connectors.Kind, bool) {
	kind := connectors.Kind{Name: name, Title: connectors.Text{Zh: name, En: name}}
	for _, l := range c.more {
		if l.channel.Kind == name {
			kind.Reach = l.reach
		}
	}
	return kind, true
}

type chat struct {
	c    *channels
	able connectors.Capabilities
}

func (c *chat) Capabilities() connectors.Capabilities { return c.able }
func (*chat) Send(context.Context, desk.Outbound) (connectors.Receipt, error) {
	return connectors.Receipt{}, nil
}
func (*chat) Close() error { return nil }
func (c *chat) Typing(_ context.Context, sender string, on bool) error {
	c.c.typed <- sender
	return nil
}
