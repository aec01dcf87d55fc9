package bus_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hearback/bus"
	"hearback/bus/bustest"
	"hearback/connectors"
	"hearback/desk"
)

var (
	_ connectors.Bus   = (*bus.Line)(nil)
	_ connectors.Cache = (*bus.Bus)(nil)
)

// listen subscribes and returns what arrives; the subscription is in place when it returns.
func listen(t *testing.T, b *bus.Bus) <-chan desk.Event {
	t.Helper()
	got := make(chan desk.Event, 10_000)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b.Subscribe(ctx, func(es []desk.Event) {
			for _, e := range es {
				select {
				case got <- e:
				default:
					t.Error("the test does not keep up")
				}
			}
		})
	}()
	t.Cleanup(func() { cancel(); <-ended })
	awaitListener(t, b, got, "here")
	return got
}

// awaitListener publishes until it is heard: there is no other word for "the other node listens".
func awaitListener(t *testing.T, b *bus.Bus, got <-chan desk.Event, mark string) {
	t.Helper()
	for deadline := time.After(10 * time.Second); ; {
		b.Publish(t.Context(), []desk.Event{{Type: mark}})
		select {
		case e := <-got:
			if e.Type == mark {
				drain(got)
				return
			}
		case <-time.After(10 * time.Millisecond):
		case <-deadline:
			t.Fatal("nobody hears")
		}
	}
}

func drain[T any](c <-chan T) {
	for {
		select {
		case <-c:
		default:
			return
		}
	}
}

func next(t *testing.T, got <-chan desk.Event) desk.Event {
	t.Helper()
	for deadline := time.After(10 * time.Second); ; {
		select {
		case e := <-got:
			if e.Type != "here" && e.Type != "there" {
				return e
			}
		case <-deadline:
			t.Fatal("no event within 10 s")
		}
	}
}

func TestEventsReachTheirOwnNodeBeforePublishReturns(t *testing.T) {
	bustest.Each(t, func(t *testing.T, b *bus.Bus) {
		got := listen(t, b)
		for i := range int64(100) {
			b.Publish(t.Context(), []desk.Event{{Type: "ticket", Seq: i}})
			select {
			case e := <-got:
				if e.Seq != i {
					t.Fatalf("got %d, want %d", e.Seq, i)
				}
			default:
				t.Fatal("not delivered when Publish returned")
			}
		}
	})
}

func TestEventsReachOtherNodesOnceAndInOrder(t *testing.T) {
	url := bustest.Redis(t)
	a, b := bustest.Open(t, url), bustest.Open(t, url)
	got := listen(t, b)
	awaitListener(t, a, got, "there")
	for i := range int64(2000) {
		a.Publish(t.Context(), []desk.Event{{Type: "message", TicketID: "t", Seq: i, Message: &desk.Message{Text: "你好"}}})
	}
	for i := range int64(2000) {
		e := next(t, got)
		if e.Seq != i || e.Message == nil || e.Message.Text != "你好" {
			t.Fatalf("event %d is %+v", i, e)
		}
	}
}

func TestEventTooBigForAHintTravelsWithoutItsBodies(t *testing.T) {
	url := bustest.Redis(t)
	a, b := bustest.Open(t, url), bustest.Open(t, url)
	got := listen(t, b)
	awaitListener(t, a, got, "there")
	a.Publish(t.Context(), []desk.Event{
		{Type: "message", TicketID: "t", Seq: 1, Message: &desk.Message{Text: strings.Repeat("x", 40<<10)}},
		{Type: "message", TicketID: "t", Seq: 2, Message: &desk.Message{Text: strings.Repeat("x", 20<<10)}},
		{Type: "message", TicketID: "t", Seq: 3, Message: &desk.Message{Text: strings.Repeat("x", 20<<10)}},
	})
	for seq := int64(1); seq <= 3; seq++ {
		if e := next(t, got); e.Seq != seq || e.TicketID != "t" || (e.Message == nil) != (seq == 1) {
			t.Fatalf("event %d: %+v", seq, e)
		}
	}
}

func TestLinesAreSeparateAndCrossNodes(t *testing.T) {
	url := bustest.Redis(t)
	a, b := bustest.Open(t, url), bustest.Open(t, url)
	type heard struct{ node, line, text string }
	got := make(chan heard, 1000)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for name, n := range map[string]*bus.Bus{"a": a, "b": b} {
		for _, line := range []string{"one", "two"} {
			go n.Line(line).Subscribe(ctx, func(p []byte) {
				select {
				case got <- heard{name, line, string(p)}:
				default: // must not block; the next one comes
				}
			})
		}
	}
	want := map[heard]bool{{"a", "one", "1"}: true, {"b", "one", "1"}: true, {"a", "two", "2"}: true, {"b", "two", "2"}: true}
	for deadline := time.After(10 * time.Second); len(want) > 0; {
		a.Line("one").Publish(ctx, []byte("1"))
		a.Line("two").Publish(ctx, []byte("2"))
		select {
		case h := <-got:
			if (h.line == "one") != (h.text == "1") {
				t.Fatalf("line %s carried %s", h.line, h.text)
			}
			delete(want, h)
		case <-time.After(10 * time.Millisecond): // not everybody listens yet
		case <-deadline:
			t.Fatalf("never heard: %v", want)
		}
	}
}

func TestEveryNodeLearnsThatItMissedSomething(t *testing.T) {
	s := bustest.NewServer(t)
	a, b := bustest.Open(t, s.URL), bustest.Open(t, s.URL)
	got := listen(t, b)
	awaitListener(t, a, got, "there")
	gap := make(chan struct{}, 100)
	b.OnGap(func() { gap <- struct{}{} })
	s.Stop()
	if err := a.Publish(t.Context(), []desk.Event{{Type: "ticket", Seq: 7}}); err != nil {
		t.Fatalf("publishing must not fail when Redis is away: %v", err)
	}
	s.Start()
	select {
	case <-gap:
	case <-time.After(20 * time.Second):
		t.Fatal("no gap was reported")
	}
	awaitListener(t, a, got, "there")
}

func TestOnceMakesOneValueAmongNodes(t *testing.T) {
	url := bustest.Redis(t)
	nodes := []*bus.Bus{bustest.Open(t, url), bustest.Open(t, url), bustest.Open(t, url)}
	var made, running atomic.Int64
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			v, err := nodes[i%3].Once(t.Context(), "token", func(context.Context) (string, time.Duration, error) {
				if running.Add(1) != 1 {
					t.Error("two nodes made it at the same time")
				}
				defer running.Add(-1)
				return fmt.Sprint("value ", made.Add(1)), time.Hour, nil
			})
			if err != nil || v != "value 1" {
				t.Errorf("got %q, %v", v, err)
			}
		})
	}
	wg.Wait()
	if made.Load() != 1 {
		t.Fatalf("made %d times", made.Load())
	}
}

func TestOnceAfterDropMakesANewValueOnce(t *testing.T) {
	bustest.Each(t, func(t *testing.T, b *bus.Bus) {
		n := 0
		get := func() string {
			v, err := b.Once(t.Context(), "token", func(context.Context) (string, time.Duration, error) {
				n++
				return fmt.Sprint(n), time.Hour, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		first := get()
		b.Drop(t.Context(), "token", first)
		second := get()
		if err := b.Drop(t.Context(), "token", first); err != nil { // a late complaint about the old value
			t.Fatal(err)
		}
		if third := get(); first != "1" || second != "2" || third != "2" {
			t.Fatalf("got %s, %s, %s", first, second, third)
		}
	})
}

func TestOnceFailureIsNotKept(t *testing.T) {
	bustest.Each(t, func(t *testing.T, b *bus.Bus) {
		boom := errors.New("boom")
		_, err := b.Once(t.Context(), "k", func(context.Context) (string, time.Duration, error) { return "", 0, boom })
		if !errors.Is(err, boom) {
			t.Fatalf("got %v", err)
		}
		v, err := b.Once(t.Context(), "k", func(context.Context) (string, time.Duration, error) { return "fine", time.Hour, nil })
		if err != nil || v != "fine" {
			t.Fatalf("got %q, %v", v, err)
		}
	})
}

func TestSharedValuesWorkPerNodeWhileRedisIsAway(t *testing.T) {
	s := bustest.NewServer(t)
	b := bustest.Open(t, s.URL)
	s.Stop()
	made := 0
	for range 3 {
		v, err := b.Once(t.Context(), "token", func(context.Context) (string, time.Duration, error) {
			made++
			return "mine", time.Hour, nil
		})
		if err != nil || v != "mine" || made != 1 {
			t.Fatalf("got %q, %v, made %d times", v, err, made)
		}
	}
	for i := range 4 {
		ok, wait, err := b.Allow(t.Context(), "login", 6, 3)
		if err != nil || ok != (i < 3) || (wait > 0) != (i == 3) {
			t.Fatalf("take %d: %v %v %v", i, ok, wait, err)
		}
	}
	if _, err := b.Seen(t.Context(), "nonce", time.Minute); err == nil {
		t.Fatal("Seen must not guess")
	}
}

func TestSeenTellsTheSecondFromTheFirst(t *testing.T) {
	bustest.Each(t, func(t *testing.T, b *bus.Bus) {
		for i := range 3 {
			seen, err := b.Seen(t.Context(), "nonce", time.Minute)
			if err != nil || seen != (i > 0) {
				t.Fatalf("call %d: %v %v", i, seen, err)
			}
		}
	})
}

func TestAllowGivesTheBurstThenTheRate(t *testing.T) {
	bustest.Each(t, func(t *testing.T, b *bus.Bus) {
		for i := range 5 {
			if ok, _, err := b.Allow(t.Context(), "k", 1, 5); !ok || err != nil {
				t.Fatalf("take %d of the burst: %v %v", i, ok, err)
			}
		}
		ok, wait, err := b.Allow(t.Context(), "k", 1, 5)
		if ok || err != nil || wait < 50*time.Second || wait > time.Minute {
			t.Fatalf("after the burst: %v, wait %v, %v", ok, wait, err)
		}
		if ok, _, _ := b.Allow(t.Context(), "other", 1, 5); !ok {
			t.Fatal("keys must not share a bucket")
		}
		if ok, _, _ := b.Allow(t.Context(), "free", 0, 0); !ok {
			t.Fatal("no limit means no limit")
		}
	})
}

func TestAddressesThatMakeNoSenseAreRefusedWithoutTheirPassword(t *testing.T) {
	for _, url := range []string{"localhost:6379", "http://x", "redis+sentinel://u:hunter2@h:1", "redis+cluster://u:hunter2@,h:1",
		"redis://u:hunter2@h:port", "redis://u:hunter2@h/db", "redis+other://u:hunter2@h"} {
		_, err := bus.Open(t.Context(), bus.Options{URL: url})
		if !errors.Is(err, desk.ErrInvalid) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", url, err)
		}
	}
}
