package console

import (
	"context"
	"sync"
	"time"

	"hearback/desk"
)

const (
	countsPause = time.Second // between two rounds of counting
	countsShare = 10          // a round that took long is followed by a rest this many times as long
)

// counts sends each agent the numbers beside his views after they changed: at most once a second, and less often when
// counting takes the database long.
type counts struct {
	c    *Console
	kick chan struct{}

	mu    sync.Mutex
	dirty map[desk.ID]bool // true: send even when nothing changed (a page said hello)
	last  map[desk.ID]Counts
}

func newCounts(c *Console) *counts {
	return &counts{c: c, kick: make(chan struct{}, 1), dirty: map[desk.ID]bool{}, last: map[desk.ID]Counts{}}
}

// touch tells that an agent's numbers may have changed.
func (n *counts) touch(agent desk.ID, always bool) {
	n.mu.Lock()
	n.dirty[agent] = n.dirty[agent] || always
	n.mu.Unlock()
	select {
	case n.kick <- struct{}{}:
	default:
	}
}

func (n *counts) run(ctx context.Context, h *hub) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.kick:
		}
		began := time.Now()
		n.round(ctx, h)
		rest := max(countsPause, countsShare*time.Since(began))
		select {
		case <-ctx.Done():
			return
		case <-time.After(rest):
		}
	}
}

// round counts for everybody who is dirty and still here.
func (n *counts) round(ctx context.Context, h *hub) {
	n.mu.Lock()
	dirty := n.dirty
	n.dirty = map[desk.ID]bool{}
	n.mu.Unlock()
	for agent, always := range dirty {
		sockets := h.of(agent)
		if len(sockets) == 0 {
			delete(n.last, agent)
			continue
		}
		found, err := n.c.store.Counts(ctx, sockets[0].me().Scope, agent)
		if err != nil {
			n.c.logger.Debug("views were not counted", "err", err)
			continue
		}
		now := Counts(found)
		if last, known := n.last[agent]; known && last == now && !always {
			continue
		}
		n.last[agent] = now
		f := encode(countsFrame{Type: "counts", Counts: now})
		for _, s := range sockets {
			s.send(f)
		}
	}
}
