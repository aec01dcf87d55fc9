package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hearback/connectors"
	"hearback/delivery"
	"hearback/desk"
	"hearback/ticketstore"
	"hearback/ticketstore/storetest"
)

const channel = "0190a000-0000-7000-8000-000000000002"

// A provider is a connector whose answers the test decides.
type provider struct {
	mu     sync.Mutex
	caps   connectors.Capabilities
	answer func(desk.Outbound) error // nil: taken
	got    []desk.Outbound
}

func (p *provider) Capabilities() connectors.Capabilities { return p.caps }
func (p *provider) Close() error                          { return nil }
func (p *provider) Send(_ context.Context, o desk.Outbound) (connectors.Receipt, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got = append(p.got, o)
	if p.answer != nil {
		return connectors.Receipt{}, p.answer(o)
	}
	return connectors.Receipt{}, nil
}

func (p *provider) texts() (out []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, o := range p.got {
		out = append(out, o.Text)
	}
	return out
}

func (p *provider) set(f func(desk.Outbound) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = f
}

// A bench is a belt on a real store with one provider; the clock only moves when told to.
type bench struct {
	*delivery.Belt
	t      *testing.T
	store  *ticketstore.Store
	p      *provider
	ahead  atomic.Int64
	ticket desk.ID
	news   chan desk.Event
	stop   func()
}

func (b *bench) Get(desk.ID) (connectors.Connector, desk.Channel, bool) {
	return b.p, desk.Channel{ID: channel}, true
}

func (b *bench) now() time.Time {
	return time.Now().Add(time.Duration(b.ahead.Load()) * time.Millisecond)
}

func onEachEngine(t *testing.T, f func(t *testing.T, b *bench)) {
	t.Run("sqlite", func(t *testing.T) { f(t, newBench(t, "sqlite:"+t.TempDir()+"/d.db")) })
	t.Run("postgres", func(t *testing.T) { f(t, newBench(t, storetest.PostgresURL(t))) })
}

func newBench(t *testing.T, url string) *bench {
	b := &bench{t: t, p: &provider{}, news: make(chan desk.Event, 1000)}
	opt := storetest.Options(url)
	opt.Now = b.now
	b.store = storetest.Open(t, opt)
	b.ticket = openTicket(t, b.store)
	b.run()
	t.Cleanup(func() { b.stop() })
	return b
}

func (b *bench) run() {
	b.Belt = delivery.New(delivery.Options{Store: b.store, Fleet: b, Logger: slog.New(slog.DiscardHandler), Now: b.now,
		Publish: func(_ context.Context, events []desk.Event) {
			for _, e := range events {
				b.news <- e
			}
		}})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); b.Run(ctx) }()
	b.stop = func() { cancel(); <-done }
}

// pass moves the clock while nobody claims: the lease of a claim just begun would have run out before it was written.
func (b *bench) pass(d time.Duration) {
	b.stop()
	b.ahead.Add(d.Milliseconds())
	b.run()
}

// openTicket files one customer message and returns its ticket.
func openTicket(t *testing.T, s *ticketstore.Store) desk.ID {
	ctx := context.Background()
	a := &ticketstore.Arrival{ChannelID: channel, Envelopes: []desk.Envelope{{ID: desk.NewID(), ChannelID: channel, Kind: "plain",
		Type: desk.EnvelopeMessage, ExternalID: "m", Sender: "s", Raw: []byte("hi"), ReceivedAt: desk.At(time.Now())}}}
	if err := s.PutInbox(ctx, []*ticketstore.Arrival{a}, desk.At(time.Now().Add(time.Minute))); err != nil {
		t.Fatal(err)
	}
	filed, err := s.File(ctx, []ticketstore.Filing{{Envelope: a.Envelopes[0], Plans: make([]ticketstore.Plan, 1), Inbounds: []desk.Inbound{{
		Type: desk.EnvelopeMessage, Class: desk.ClassNormal, From: desk.Identity{Type: "webchat", Value: "s", Scope: channel}, Text: "hi", SentAt: desk.At(time.Now())}}}})
	if err != nil {
		t.Fatal(err)
	}
	return filed[0].TicketID
}

func (b *bench) reply(text string) desk.ID {
	b.t.Helper()
	r, err := b.store.Reply(context.Background(), ticketstore.ReplyInput{TicketID: b.ticket, Text: text, IdempotencyKey: desk.NewID(),
		Author: desk.Author{Kind: "agent", ID: "a", Name: "Ann"}})
	if err != nil {
		b.t.Fatal(err)
	}
	b.Kick()
	return r.Message.ID
}

// until waits until a message's delivery has reached state and returns it.
func (b *bench) until(message desk.ID, state desk.DeliveryState) desk.DeliveryInfo {
	b.t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		m, err := b.store.Message(context.Background(), message)
		if err != nil {
			b.t.Fatal(err)
		}
		if m.Delivery != nil && m.Delivery.State == state {
			return *m.Delivery
		}
		select {
		case <-b.news:
		case <-time.After(50 * time.Millisecond):
		case <-deadline:
			b.t.Fatalf("the delivery is %+v, want %s", m.Delivery, state)
		}
	}
}

// settledAfter waits until so many attempts of a message are settled, or it has failed, and returns its state.
func (b *bench) settledAfter(message desk.ID, tries int) desk.DeliveryState {
	b.t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		m, err := b.store.Message(context.Background(), message)
		if err != nil {
			b.t.Fatal(err)
		}
		if m.Delivery.State == desk.DeliveryFailed || m.Delivery.State == desk.DeliveryQueued && m.Delivery.Attempts >= tries {
			return m.Delivery.State
		}
		select {
		case <-b.news:
		case <-time.After(10 * time.Millisecond):
		case <-deadline:
			b.t.Fatalf("the delivery is %+v after %d tries", m.Delivery, tries)
		}
	}
}

func refuse(class connectors.Class, code string) func(desk.Outbound) error {
	return func(desk.Outbound) error {
		return &connectors.SendError{Class: class, Code: code, After: time.Minute}
	}
}

func TestRepliesLeaveInOrderWhenTheFirstIsThrottled(t *testing.T) {
	onEachEngine(t, func(t *testing.T, b *bench) {
		b.p.set(refuse(connectors.Throttled, "45011"))
		first := b.reply("one")
		info := b.until(first, desk.DeliveryQueued)
		for info.Hint == "" {
			info = b.until(first, desk.DeliveryQueued)
		}
		if info.Attempts != 0 {
			t.Errorf("throttling spent %d attempts", info.Attempts)
		}
		second := b.reply("two")
		b.p.set(nil)
		b.pass(2 * time.Minute)
		b.until(second, desk.DeliverySent)
		if got := fmt.Sprint(b.p.texts()); got != "[one one two]" {
			t.Errorf("the provider saw %s", got)
		}
	})
}

func TestEachClassLeadsToItsState(t *testing.T) {
	for _, c := range []struct {
		name  string
		err   error
		again bool // Resendable
		want  desk.DeliveryState
	}{
		{"permanent", &connectors.SendError{Class: connectors.Permanent, Code: "45015", Hint: "48 h are over"}, false, desk.DeliveryFailed},
		{"credentials", &connectors.SendError{Class: connectors.Credentials}, false, desk.DeliveryHeld},
		{"uncertain", &connectors.SendError{Class: connectors.Uncertain}, false, desk.DeliveryUncertain},
		{"timeout without a class", context.DeadlineExceeded, false, desk.DeliveryUncertain},
		{"uncertain but resendable", &connectors.SendError{Class: connectors.Uncertain}, true, desk.DeliveryQueued},
		{"no class", errors.New("connection refused"), false, desk.DeliveryQueued},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, "sqlite:"+t.TempDir()+"/d.db")
			b.p.caps.Resendable = c.again
			tried := make(chan struct{}, 10)
			b.p.set(func(desk.Outbound) error { tried <- struct{}{}; return c.err })
			m := b.reply("hello")
			<-tried
			info := b.until(m, c.want)
			for c.want == desk.DeliveryQueued && info.Hint == "" {
				info = b.until(m, c.want)
			}
			if info.Hint == "" || info.Attempts != 1 {
				t.Errorf("the agent sees %+v", info)
			}
		})
	}
}

func TestPanicWhileSendingIsNotRepeatedBlindly(t *testing.T) {
	b := newBench(t, "sqlite:"+t.TempDir()+"/d.db")
	b.p.set(func(desk.Outbound) error { panic("boom") })
	b.until(b.reply("hello"), desk.DeliveryUncertain)
}

func TestTransientFailureIsTriedAgainAndGivenUpAfterADay(t *testing.T) {
	onEachEngine(t, func(t *testing.T, b *bench) {
		b.p.set(refuse(connectors.Transient, "-1"))
		m := b.reply("hello")
		for tries := 1; b.settledAfter(m, tries) == desk.DeliveryQueued && tries < 50; tries++ {
			b.pass(time.Hour)
		}
		info := b.until(m, desk.DeliveryFailed)
		if n := len(b.p.texts()); n < 5 {
			t.Errorf("given up after %d tries: %+v", n, info)
		}
	})
}

func TestSendCutByACrashIsNotRepeatedUnlessHarmless(t *testing.T) {
	onEachEngine(t, func(t *testing.T, b *bench) {
		for _, harmless := range []bool{false, true} {
			b.stop()
			// The crash: an attempt is registered and nobody lives to settle it.
			m := b.reply("hello " + fmt.Sprint(harmless))
			claimed, err := b.store.ClaimDeliveries(context.Background(), 10, desk.At(b.now().Add(time.Minute)))
			if err != nil || len(claimed) != 1 {
				t.Fatalf("claimed %d, %v", len(claimed), err)
			}
			b.p.caps.Resendable = harmless
			b.ahead.Add(2 * time.Minute.Milliseconds())
			b.run()
			if harmless {
				b.until(m, desk.DeliverySent)
			} else {
				b.until(m, desk.DeliveryUncertain)
			}
			if sent := slices.Contains(b.p.texts(), "hello "+fmt.Sprint(harmless)); sent != harmless {
				t.Errorf("harmless %v: sent again %v", harmless, sent)
			}
		}
	})
}

func TestPartsAlreadySentAreNotSentAgain(t *testing.T) {
	onEachEngine(t, func(t *testing.T, b *bench) {
		b.p.caps = connectors.Capabilities{MaxText: 6, MaxParts: 3}
		fail := true
		b.p.set(func(o desk.Outbound) error {
			if o.Text == "two" && fail {
				fail = false
				return errors.New("line broke")
			}
			return nil
		})
		m := b.reply("one\ntwo\nthree")
		for info := b.until(m, desk.DeliveryQueued); info.Hint == ""; {
			info = b.until(m, desk.DeliveryQueued)
		}
		b.pass(time.Hour)
		b.until(m, desk.DeliverySent)
		if got := fmt.Sprint(b.p.texts()); got != "[one two two three]" {
			t.Errorf("the provider saw %s", got)
		}
	})
}
