package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"hearback/connectors"
	"hearback/desk"
)

const (
	logLines   = 100                    // kept of each channel
	logEvery   = 150 * time.Millisecond // lines wait this long to be written together
	logKept    = 7 * 24 * time.Hour     // after the last line
	tellEvery  = time.Second            // pages are told of new lines this often at most
	longDetail = 300                    // bytes of a sentence
	longWord   = 120                    // bytes of everything else
)

// Recent keeps the last lines of something where all nodes see them. The bus does.
type Recent interface {
	Remember(ctx context.Context, key string, keep int, ttl time.Duration, lines [][]byte) error // the oldest first
	Recall(ctx context.Context, key string) ([][]byte, error)                                    // the newest first
}

// logbook gathers the channels' lines and writes them together: a thousand events a second cost one write in logEvery. Only the
// last logLines of a channel can ever be read, so no more wait.
type logbook struct {
	mu      sync.Mutex
	waiting map[desk.ID]*page
	lines   map[desk.ID][]connectors.Note // written by this node lately, the newest last: what is shown without Redis
	wake    chan struct{}
}

// page is what waits of one channel, in a ring.
type page struct {
	notes   [logLines]connectors.Note
	n       int // ever added
	secrets []string
}

func newLogbook() *logbook {
	return &logbook{waiting: map[desk.ID]*page{}, lines: map[desk.ID][]connectors.Note{}, wake: make(chan struct{}, 1)}
}

// add never blocks and encodes nothing: it runs inside webhooks.
func (b *logbook) add(channel desk.ID, secrets []string, n connectors.Note) {
	b.mu.Lock()
	p := b.waiting[channel]
	if p == nil {
		p = &page{secrets: secrets}
		b.waiting[channel] = p
	}
	p.notes[p.n%logLines] = n
	p.n++
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// take empties the book: each channel's last lines, the oldest first.
func (b *logbook) take() map[desk.ID][]connectors.Note {
	b.mu.Lock()
	waiting := b.waiting
	b.waiting = map[desk.ID]*page{}
	b.mu.Unlock()
	out := map[desk.ID][]connectors.Note{}
	for channel, p := range waiting {
		for i := max(p.n-logLines, 0); i < p.n; i++ {
			out[channel] = append(out[channel], tidy(p.notes[i%logLines], p.secrets))
		}
	}
	return out
}

// keep remembers lines on this node.
func (b *logbook) keep(channel desk.ID, notes []connectors.Note) {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := append(b.lines[channel], notes...)
	b.lines[channel] = slices.Clone(all[max(len(all)-logLines, 0):])
}

func (b *logbook) kept(channel desk.ID) []connectors.Note {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.lines[channel])
}

// tidy bounds a line and takes the channel's secrets out of it, whoever put them there.
func tidy(n connectors.Note, secrets []string) connectors.Note {
	for _, s := range []struct {
		text *string
		max  int
	}{{&n.What, longWord}, {&n.Ref, longWord}, {&n.Detail, longDetail}, {&n.Remote, longWord}} {
		*s.text = redact(*s.text, secrets)
		if len(*s.text) > s.max {
			*s.text = (*s.text)[:s.max]
		}
		*s.text = toValid(*s.text)
	}
	return n
}

// note is what a channel's tools call.
func (f *Fleet) note(ch desk.Channel) func(connectors.Note) {
	secrets := f.secrets(ch)
	return func(n connectors.Note) {
		if n.At == 0 {
			n.At = desk.At(f.o.Now())
		}
		f.book.add(ch.ID, secrets, n)
	}
}

// writeLog writes what the book gathered until ctx ends, and tells pages of it.
func (f *Fleet) writeLog(ctx context.Context) {
	told, untold := map[desk.ID]time.Time{}, map[desk.ID]bool{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.book.wake:
		}
		for again := true; again && ctx.Err() == nil; again = len(untold) > 0 {
			pause(ctx, logEvery)
			for channel, notes := range f.book.take() {
				f.writePage(ctx, channel, notes)
				untold[channel] = true
			}
			now := time.Now()
			for channel := range untold {
				if f.o.Noted != nil && now.Sub(told[channel]) >= tellEvery {
					f.o.Noted(channel)
					told[channel] = now
				}
				if f.o.Noted == nil || told[channel].Equal(now) {
					delete(untold, channel)
				}
			}
		}
	}
}

func (f *Fleet) writePage(ctx context.Context, channel desk.ID, notes []connectors.Note) {
	f.book.keep(channel, notes)
	if f.o.Recent == nil {
		return
	}
	lines := make([][]byte, 0, len(notes))
	for _, n := range notes {
		line, err := json.Marshal(n)
		if err != nil {
			continue // a Note always encodes
		}
		lines = append(lines, line)
	}
	if err := f.o.Recent.Remember(ctx, "channel_log:"+channel, logLines, logKept, lines); err != nil && ctx.Err() == nil {
		f.o.Logger.Debug("a channel's live log was not written; it shows what this node saw", "channel", channel, "err", err)
	}
}

// Log is what came in by a channel lately, on all nodes, the newest first; when Redis is away, what this node saw.
func (f *Fleet) Log(ctx context.Context, channel desk.ID) ([]connectors.Note, error) {
	var notes []connectors.Note
	if f.o.Recent != nil {
		lines, err := f.o.Recent.Recall(ctx, "channel_log:"+channel)
		if ctx.Err() != nil {
			return nil, fmt.Errorf("read live log: %w", ctx.Err())
		}
		for _, line := range lines {
			var n connectors.Note
			if json.Unmarshal(line, &n) == nil {
				notes = append(notes, n)
			}
		}
		if err != nil {
			notes = nil
		}
	}
	if notes == nil {
		notes = f.book.kept(channel)
		slices.Reverse(notes)
	}
	slices.SortStableFunc(notes, func(a, b connectors.Note) int { return int(b.At - a.At) })
	return notes[:min(len(notes), logLines)], nil
}
