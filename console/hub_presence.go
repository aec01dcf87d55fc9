package console

import (
	"context"
	"time"

	"hearback/desk"
)

const (
	presencePause = time.Second     // between two looks
	presenceEvery = 5 * time.Second // without a reason to look: leases end silently
)

// presenceBoard tells the pages who came, went or got busier. The lights live in Redis and go out by themselves, so it looks
// and compares instead of listening.
type presenceBoard struct {
	c    *Console
	kick chan struct{}
	last map[desk.ID]Presence
}

func newPresenceBoard(c *Console) *presenceBoard {
	return &presenceBoard{c: c, kick: make(chan struct{}, 1), last: map[desk.ID]Presence{}}
}

// look asks for a look soon.
func (p *presenceBoard) look() {
	select {
	case p.kick <- struct{}{}:
	default:
	}
}

func (p *presenceBoard) run(ctx context.Context, h *hub) {
	tick := time.NewTicker(presenceEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.kick:
		case <-tick.C:
		}
		if len(h.all()) > 0 {
			p.round(ctx, h)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(presencePause):
		}
	}
}

// round sends what differs from the last look.
func (p *presenceBoard) round(ctx context.Context, h *hub) {
	ctx, cancel := context.WithTimeout(ctx, frameTime)
	defer cancel()
	now, err := p.c.presence(ctx)
	if err != nil {
		p.c.logger.Debug("presence was not read", "err", err)
		return
	}
	seen := map[desk.ID]Presence{}
	for _, one := range now {
		seen[one.AgentID] = one
		if p.last[one.AgentID] != one {
			h.toAll(encode(presenceFrame{Type: "presence", Presence: one}))
		}
	}
	p.last = seen
}
