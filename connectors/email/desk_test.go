package email_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"hearback/blobs"
	"hearback/connectors"
	"hearback/connectors/email"
	"hearback/connectors/email/mailtest"
	"hearback/connectors/fleet"
	"hearback/delivery"
	"hearback/desk"
	"hearback/intake"
	"hearback/ticketstore"
	"hearback/ticketstore/storetest"
)

// A house is the real way a mail goes: fleet, intake, store, delivery. It stops with the test, or before by stop.
type house struct {
	t       testing.TB
	store   *ticketstore.Store
	channel desk.Channel
	out     *delivery.Belt
	news    chan desk.Event
	stop    func()
	now     func() time.Time
}

func openHouse(t testing.TB, store *ticketstore.Store, set map[string]string) *house {
	t.Helper()
	return openHouseAt(t, store, set, time.Now)
}

// openHouseAt is a house with a clock of the test's; its store should have the same.
func openHouseAt(t testing.TB, store *ticketstore.Store, set map[string]string, now func() time.Time) *house {
	t.Helper()
	h := &house{t: t, store: store, news: make(chan desk.Event, 1<<16), now: now}
	secrets := []string{}
	for _, f := range email.Kind.Fields {
		if f.Secret {
			secrets = append(secrets, f.Name)
		}
	}
	var err error
	h.channel, err = store.SaveChannel(t.Context(), desk.Channel{Kind: "email", Name: "Support", Enabled: true, Settings: set}, secrets)
	if err != nil {
		t.Fatal(err)
	}
	h.run()
	t.Cleanup(func() { h.stop() })
	return h
}

// run starts everything, as a process does.
func (h *house) run() {
	files, err := blobs.Open(h.t.TempDir())
	if err != nil {
		h.t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	publish := func(_ context.Context, events []desk.Event) {
		for _, e := range events {
			h.news <- e
		}
	}
	kinds := []connectors.Kind{email.Kind}
	in := intake.New(intake.Options{Store: h.store, Blobs: fleet.Files(files), Kinds: kinds, Logger: log, Publish: publish, Now: h.now})
	f := fleet.New(fleet.Options{Kinds: kinds, Store: h.store, Inbox: in, Blobs: fleet.Files(files), Logger: log, PublicURL: "http://desk.test",
		Node: desk.NewID(), Secret: []byte("test"), AllowPrivateNetworks: true})
	h.out = delivery.New(delivery.Options{Store: h.store, Fleet: f, Publish: publish, Logger: log, Now: h.now})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{}, 3)
	for _, run := range []func(context.Context) error{in.Run, f.Run, h.out.Run} {
		go func() { run(ctx); done <- struct{}{} }()
	}
	h.stop = func() {
		cancel()
		for range 3 {
			<-done
		}
		f.Close()
		h.stop = func() {}
	}
}

// message waits for a message that f takes.
func (h *house) message(what string, f func(desk.Message) bool) desk.Message {
	h.t.Helper()
	limit := time.After(time.Minute)
	for {
		select {
		case e := <-h.news:
			if e.Message != nil && f(*e.Message) {
				return *e.Message
			}
		case <-limit:
			h.t.Fatal("no message: ", what)
		}
	}
}

func (h *house) customer(text string) desk.Message {
	h.t.Helper()
	return h.message(text, func(m desk.Message) bool { return m.Direction == desk.DirectionIn && strings.Contains(m.Text, text) })
}

var wang = desk.Author{Kind: "agent", ID: "01900000-0000-7000-8000-0000000a9e27", Name: "王芳"}

func (h *house) reply(ticket desk.ID, text string) desk.Message {
	h.t.Helper()
	r, err := h.store.Reply(context.Background(), ticketstore.ReplyInput{TicketID: ticket, Author: wang, Text: text, IdempotencyKey: desk.NewID()})
	if err != nil {
		h.t.Fatal(err)
	}
	h.out.Kick()
	return r.Message
}

func (h *house) until(id desk.ID, state desk.DeliveryState) desk.Message {
	h.t.Helper()
	var m desk.Message
	mailtest.Eventually(h.t, fmt.Sprint("the reply is ", state), func() bool {
		var err error
		if m, err = h.store.Message(context.Background(), id); err != nil {
			h.t.Fatal(err)
		}
		return m.Delivery != nil && m.Delivery.State == state
	})
	return m
}

func onEachEngine(t *testing.T, f func(t *testing.T, s *ticketstore.Store)) {
	t.Run("sqlite", func(t *testing.T) { f(t, storetest.SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { f(t, storetest.Postgres(t)) })
}
