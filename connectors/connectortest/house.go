package connectortest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"hearback/connectors"
	"hearback/desk"
)

// A Clock stands still until moved.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now returns the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves it.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// A Signal is a live hint a connector gave.
type Signal struct {
	Type, Sender string
	Data         map[string]string
}

// A House stands for everything a connector may use, all in memory and recorded. Several nodes of one cluster are several calls
// of Tools.
type House struct {
	Clock *Clock
	Inbox *Inbox
	Blobs *Blobs
	Cache *Cache

	t    testing.TB
	logs syncBuffer
	bus  bus

	mu      sync.Mutex
	signals []Signal
	health  []error
	news    chan struct{}
}

// NewHouse makes one. Its clock begins at the real time, because what crosses a socket is judged by others' clocks.
func NewHouse(t testing.TB) *House {
	clock := &Clock{now: time.Now()}
	return &House{Clock: clock, Inbox: NewInbox(clock), Blobs: NewBlobs(), Cache: NewCache(clock), t: t, news: make(chan struct{}, 1)}
}

// Tools lends the house to one open channel.
func (h *House) Tools(ch desk.Channel) connectors.Tools {
	key := sha256.Sum256([]byte("key of " + ch.ID))
	return connectors.Tools{
		Inbox: h.Inbox.channel(ch), Log: h.Inbox.log(ch.ID), Cursor: h.Inbox.Cursor(ch.ID), Blobs: h.Blobs, Cache: h.Cache, Bus: &h.bus,
		HTTP: loopbackClient(h.t), Dial: loopbackDial(h.t), Logger: slog.New(slog.NewTextHandler(&h.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now: h.Clock.Now, PublicURL: "http://desk.test", Address: "http://desk.test/c/" + ch.ID, Key: key[:],
		Health: h.recordHealth, Signal: h.recordSignal, Online: func() bool { return true }, AllowPrivateNetworks: true,
	}
}

func (h *House) recordHealth(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.health = append(h.health, err)
}

func (h *House) recordSignal(typ, sender string, data map[string]string) {
	h.mu.Lock()
	h.signals = append(h.signals, Signal{typ, sender, data})
	h.mu.Unlock()
	select {
	case h.news <- struct{}{}:
	default:
	}
}

// Signals returns the live hints so far.
func (h *House) Signals() []Signal {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]Signal(nil), h.signals...)
}

// WaitSignal waits until a hint of that type has come.
func (h *House) WaitSignal(typ string) Signal {
	h.t.Helper()
	limit := time.After(10 * time.Second)
	for {
		for _, s := range h.Signals() {
			if s.Type == typ {
				return s
			}
		}
		select {
		case <-h.news:
		case <-limit:
			h.t.Fatalf("no signal %q came; there were %v", typ, h.Signals())
		}
	}
}

// Health returns what the connector said of its provider.
func (h *House) Health() []error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]error(nil), h.health...)
}

// Logged returns everything that was logged.
func (h *House) Logged() string { return h.logs.String() }

// CheckSecrets fails the test when a secret of the channel was logged or stands in text.
func (h *House) CheckSecrets(kind connectors.Kind, ch desk.Channel, text ...string) {
	h.t.Helper()
	all := h.Logged() + strings.Join(text, "\n")
	for _, f := range kind.Fields {
		if v := ch.Settings[f.Name]; f.Secret && len(v) >= 4 && strings.Contains(all, v) {
			h.t.Errorf("the secret %s was told", f.Name)
		}
	}
}

// loopbackClient fails the test when anything else than this machine is called.
func loopbackClient(t testing.TB) *http.Client {
	c := &http.Client{Transport: &http.Transport{DialContext: loopbackDial(t), DisableKeepAlives: true}, Timeout: 30 * time.Second}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func loopbackDial(t testing.TB) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(address)
		if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			t.Errorf("left the loopback: %s", address)
			return nil, fmt.Errorf("connect to %s: a test must stay on the loopback", address)
		}
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
