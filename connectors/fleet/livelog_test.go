package fleet_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hearback/bus"
	"hearback/bus/bustest"
	"hearback/connectors"
	"hearback/connectors/fleet"
	"hearback/desk"
)

// shelfOfLines counts the writes.
type shelfOfLines struct {
	mu     sync.Mutex
	writes int
	lines  [][]byte // the newest first
	fail   error
}

func (s *shelfOfLines) Remember(_ context.Context, _ string, keep int, _ time.Duration, lines [][]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	for _, l := range lines {
		s.lines = append([][]byte{l}, s.lines...)
	}
	s.lines = s.lines[:min(len(s.lines), keep)]
	return s.fail
}

func (s *shelfOfLines) Recall(context.Context, string) ([][]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lines, s.fail
}

func (s *shelfOfLines) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writes
}

// noting runs a fleet with one channel and lends its Note.
func noting(t *testing.T, more func(*fleet.Options)) (*fleet.Fleet, func(connectors.Note)) {
	s, logs := newShelf(now), &bytes.Buffer{}
	s.put(desk.Channel{ID: "c1", Kind: "hook", Name: "c1", Enabled: true, Version: 1, Settings: map[string]string{"password": "hunter2-hunter2"}})
	f := newFleet(s, "n1", kinds(&trace{}, nil), logs, more)
	if err := f.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); f.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done; f.Close() })
	conn, _, _ := f.Get("c1")
	return f, conn.(*hook).tools.Note
}

func TestThousandEventsASecondCostFewWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared, told := &shelfOfLines{}, 0
		f, note := noting(t, func(o *fleet.Options) {
			o.Recent, o.Noted = shared, func(channel desk.ID) { told++ }
		})
		for i := range 2000 { // one second of them
			note(connectors.Note{What: "ringing", Ref: fmt.Sprint(i)})
			pass(time.Millisecond / 2)
		}
		pass(2 * time.Second)
		synctest.Wait()
		if n := shared.count(); n < 5 || n > 8 {
			t.Errorf("%d writes in a second", n)
		}
		if told < 1 || told > 3 {
			t.Errorf("pages were told %d times in three seconds", told)
		}
		got, err := f.Log(t.Context(), "c1")
		if err != nil || len(got) != 100 || got[0].Ref != "1999" || got[99].Ref != "1900" || got[0].At == 0 {
			t.Errorf("%d lines, %v", len(got), err)
		}
	})
}

func TestLiveLogHoldsNoSecretAndNoNovel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, note := noting(t, nil)
		note(connectors.Note{What: "call", Refused: true, Status: 401, Detail: "wrong secret hunter2-hunter2 " + strings.Repeat("错", 1000), Ref: strings.Repeat("r", 1000)})
		pass(time.Second)
		synctest.Wait()
		got, err := f.Log(t.Context(), "c1")
		if err != nil || len(got) != 1 {
			t.Fatal(got, err)
		}
		if n := got[0]; strings.Contains(n.Detail, "hunter2") || len(n.Detail) > 300 || len(n.Ref) > 120 || !n.Refused || n.Status != 401 || strings.ContainsRune(n.Detail, '�') {
			t.Errorf("%+v", n)
		}
	})
}

func TestLiveLogWithoutRedisShowsWhatThisNodeSaw(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, note := noting(t, func(o *fleet.Options) { o.Recent = &shelfOfLines{fail: errors.New("Redis is away")} })
		for i := range 150 {
			note(connectors.Note{What: fmt.Sprint(i)})
			pass(10 * time.Millisecond)
		}
		pass(time.Second)
		synctest.Wait()
		if got, err := f.Log(t.Context(), "c1"); err != nil || len(got) != 100 || got[0].What != "149" {
			t.Errorf("%d lines, %v", len(got), err)
		}
	})
}

func TestEveryNodeReadsTheSameLiveLog(t *testing.T) {
	bustest.Each(t, func(t *testing.T, b *bus.Bus) {
		told := make(chan desk.ID, 10)
		_, note := noting(t, func(o *fleet.Options) { o.Recent, o.Noted = b, func(c desk.ID) { told <- c } })
		other, _ := noting(t, func(o *fleet.Options) { o.Recent, o.Node = b, "n2" })
		note(connectors.Note{At: 1000, What: "first"})
		note(connectors.Note{At: 2000, What: "second", Envelope: "e1"})
		if c := <-told; c != "c1" {
			t.Fatal(c)
		}
		got, err := other.Log(t.Context(), "c1")
		if err != nil || len(got) != 2 || got[0].What != "second" || got[0].Envelope != "e1" || got[1].At != 1000 {
			t.Errorf("%+v %v", got, err)
		}
	})
}

func BenchmarkNote(b *testing.B) {
	s := newShelf(now)
	s.put(desk.Channel{ID: "c1", Kind: "hook", Name: "c1", Enabled: true, Version: 1})
	f := newFleet(s, "n1", kinds(&trace{}, nil), &bytes.Buffer{}, nil)
	defer f.Close()
	if err := f.Reload(b.Context()); err != nil {
		b.Fatal(err)
	}
	conn, _, _ := f.Get("c1")
	note := conn.(*hook).tools.Note
	for b.Loop() {
		note(connectors.Note{What: "newCall", Ref: "abc", Status: 200})
	}
}
