package intake_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hearback/blobs"
	"hearback/connectors"
	"hearback/connectors/fleet"
	"hearback/desk"
	"hearback/intake"
	"hearback/normalizer"
	"hearback/ticketstore"
	"hearback/ticketstore/storetest"
)

// plain is a channel kind whose envelopes are their own text; "poison" cannot be decoded and "bomb" panics.
var plain = connectors.Kind{Name: "plain", Decode: func(e desk.Envelope) ([]desk.Inbound, error) {
	switch text := string(e.Raw); {
	case strings.HasPrefix(text, "poison"):
		return nil, errors.New("not readable")
	case strings.HasPrefix(text, "bomb"):
		panic("boom")
	case text == "":
		return nil, nil
	default:
		return []desk.Inbound{{From: desk.Identity{Type: "webchat", Value: e.Sender, Scope: e.ChannelID}, Name: e.Sender, Text: text}}, nil
	}
}}

// A bench is a running belt on a real store, with a clock that only moves when told to.
type bench struct {
	*intake.Belt
	t      *testing.T
	store  *counting
	ahead  atomic.Int64 // milliseconds the clock was moved
	mu     sync.Mutex
	routed []desk.Ticket
	seen   chan struct{} // one signal per published batch
}

// counting counts transactions and can be made to fail or wait.
type counting struct {
	*ticketstore.Store
	puts atomic.Int64
	gate atomic.Pointer[chan struct{}]
	fail atomic.Pointer[error]
}

func (c *counting) PutInbox(ctx context.Context, a []*ticketstore.Arrival, until desk.Time) error {
	c.puts.Add(1)
	if g := c.gate.Load(); g != nil {
		<-*g
	}
	if err := c.fail.Load(); err != nil {
		return *err
	}
	return c.Store.PutInbox(ctx, a, until)
}

func onEachEngine(t *testing.T, f func(t *testing.T, b *bench)) {
	t.Run("sqlite", func(t *testing.T) { f(t, newBench(t, "sqlite:"+t.TempDir()+"/i.db")) })
	t.Run("postgres", func(t *testing.T) { f(t, newBench(t, storetest.PostgresURL(t))) })
}

func newBench(t *testing.T, url string) *bench {
	files, err := blobs.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, seen: make(chan struct{}, 1000)}
	opt := storetest.Options(url)
	opt.Now, opt.Tokenize = b.now, normalizer.SearchWords
	b.store = &counting{Store: storetest.Open(t, opt)}
	b.Belt = intake.New(intake.Options{
		Store: b.store, Blobs: fleet.Files(files), Kinds: []connectors.Kind{plain}, Logger: slog.New(slog.DiscardHandler),
		Now: b.now,
		Route: func(_ context.Context, list []desk.Ticket) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.routed = append(b.routed, list...)
		},
		Publish: func(context.Context, []desk.Event) { b.seen <- struct{}{} },
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return b
}

func (b *bench) now() time.Time {
	return time.Now().Add(time.Duration(b.ahead.Load()) * time.Millisecond)
}

const channel = "0190a000-0000-7000-8000-000000000001"

func envelope(sender, id, text string) desk.Envelope {
	return desk.Envelope{ChannelID: channel, Kind: "plain", ExternalID: id, Sender: sender, Digest: text, Raw: []byte(text)}
}

func (b *bench) accept(list ...desk.Envelope) []desk.Envelope {
	b.t.Helper()
	if err := b.Accept(context.Background(), connectors.Batch{Envelopes: list}); err != nil {
		b.t.Fatal(err)
	}
	return list
}

// until waits for the ledger to hold n entries of an outcome.
func (b *bench) until(outcome desk.Outcome, n int) {
	b.t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		counts, err := b.store.LedgerCounts(context.Background())
		if err != nil {
			b.t.Fatal(err)
		}
		if counts[outcome] >= n {
			return
		}
		select {
		case <-b.seen:
		case <-time.After(20 * time.Millisecond):
			b.Kick()
		case <-deadline:
			b.t.Fatalf("the ledger says %v, want %d %s", counts, n, outcome)
		}
	}
}

// untilTried waits until an envelope was tried so often.
func (b *bench) untilTried(externalID string, tries int) {
	b.t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		all, _, err := b.store.Ledger(context.Background(), ticketstore.LedgerFilter{})
		if err != nil {
			b.t.Fatal(err)
		}
		for _, e := range all {
			if e.ExternalID == externalID && e.Attempts >= tries {
				return
			}
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-deadline:
			b.t.Fatalf("%s was not tried %d times", externalID, tries)
		}
	}
}

func TestConcurrentAcceptsShareOneTransaction(t *testing.T) {
	onEachEngine(t, func(t *testing.T, b *bench) {
		gate := make(chan struct{})
		b.store.gate.Store(&gate)
		var callers sync.WaitGroup
		for n := range 100 {
			callers.Go(func() {
				got := []desk.Envelope{envelope(fmt.Sprint("s", n), fmt.Sprint("m", n), "hello")}
				if err := b.Accept(context.Background(), connectors.Batch{Envelopes: got}); err != nil {
					t.Error(err)
				}
				if got[0].ID == "" || got[0].Seq != 1 || got[0].Duplicate {
					t.Errorf("accept answered %+v", got[0])
				}
			})
		}
		// The first caller's transaction is held open; all others pile up behind it.
		for b.store.puts.Load() == 0 {
			<-time.After(time.Millisecond)
		}
		close(gate)
		callers.Wait()
		if n := b.store.puts.Load(); n > 50 {
			t.Errorf("%d transactions for 100 concurrent callers", n)
		}
		b.until(desk.OutcomeTicket, 100)
	})
}

func TestRepeatedEnvelopeGetsTheFirstAnswer(t *testing.T) {
	onEachEngine(t, func(t *testing.T, b *bench) {
		first := b.accept(envelope("s", "m1", "hello"))[0]
		again := b.accept(envelope("s", "m1", "hello"))[0]
		if !again.Duplicate || again.Conflict || again.ID != first.ID || again.Seq != first.Seq {
			t.Errorf("repetition answered %+v, first was %+v", again, first)
		}
		if other := b.accept(envelope("s", "m1", "something else"))[0]; !other.Conflict {
			t.Errorf("the same id with other content answered %+v", other)
		}
	})
}

func TestPoisonIsPutAsideAndItsNeighboursFlow(t *testing.T) {
	onEachEngine(t, func(t *testing.T, b *bench) {
		b.accept(envelope("a", "1", "hello"), envelope("b", "2", "poison"), envelope("c", "3", "bomb"), envelope("d", "4", "hello"))
		b.until(desk.OutcomeTicket, 2)
		for tries := 2; tries <= 3; tries++ {
			b.ahead.Add(time.Hour.Milliseconds())
			b.Kick()
			b.untilTried("2", tries)
			b.untilTried("3", tries)
		}
		b.until(desk.OutcomeDead, 2)
		dead, _, err := b.store.Ledger(context.Background(), ticketstore.LedgerFilter{Outcome: desk.OutcomeDead})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range dead {
			if e.Reason == "" {
				t.Errorf("%s is dead without a reason", e.ExternalID)
			}
		}
	})
}

func TestWhatTheStoreRefusesIsNotAcknowledged(t *testing.T) {
	onEachEngine(t, func(t *testing.T, b *bench) {
		full := fmt.Errorf("disk full: %w", desk.ErrUnavailable)
		b.store.fail.Store(&full)
		if err := b.Accept(context.Background(), connectors.Batch{Envelopes: []desk.Envelope{envelope("s", "m", "x")}}); !errors.Is(err, desk.ErrUnavailable) {
			t.Errorf("accept answered %v, want desk.ErrUnavailable", err)
		}
		b.store.fail.Store(nil)
		if got := b.accept(envelope("s", "m", "x"))[0]; got.Duplicate {
			t.Error("the refused envelope was kept after all")
		}
		b.until(desk.OutcomeTicket, 1)
	})
}

func TestMessagesOfOneSenderMakeOneTicketInOrder(t *testing.T) {
	onEachEngine(t, func(t *testing.T, b *bench) {
		const people, each = 8, 25
		var writers sync.WaitGroup
		for p := range people {
			writers.Go(func() {
				for i := range each {
					e := []desk.Envelope{envelope(fmt.Sprint("s", p), fmt.Sprintf("%d-%d", p, i), fmt.Sprintf("message %02d", i))}
					if err := b.Accept(context.Background(), connectors.Batch{Envelopes: e}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		writers.Wait()
		b.until(desk.OutcomeAppended, people*(each-1))
		b.mu.Lock()
		defer b.mu.Unlock()
		if len(b.routed) != people {
			t.Fatalf("%d tickets were opened for %d senders", len(b.routed), people)
		}
		for _, ticket := range b.routed {
			all, err := b.store.Messages(context.Background(), ticket.ID, 0, 100)
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for _, m := range all {
				if m.Direction != desk.DirectionIn {
					continue
				}
				if want := fmt.Sprintf("message %02d", n); m.Text != want {
					t.Errorf("%s: message %d is %q", ticket.Number, n, m.Text)
				}
				n++
			}
			if n != each {
				t.Errorf("%s holds %d messages", ticket.Number, n)
			}
		}
	})
}

func TestBigOriginalIsKeptAsAFileAndRead(t *testing.T) {
	onEachEngine(t, func(t *testing.T, b *bench) {
		text := strings.Repeat("很长的邮件 ", 10_000)
		b.accept(envelope("s", "big", text))
		b.until(desk.OutcomeTicket, 1)
		b.mu.Lock()
		defer b.mu.Unlock()
		all, err := b.store.Messages(context.Background(), b.routed[0].ID, 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range all {
			if m.Direction == desk.DirectionIn && m.Text != text {
				t.Errorf("%d bytes came back of %d", len(m.Text), len(text))
			}
		}
	})
}
