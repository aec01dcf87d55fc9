package console

import (
	"context"
	"sync"
	"time"

	"hearback/auth"
	"hearback/desk"
)

// windowEvent warns the owner that the time to answer is nearly over.
func (h *hub) windowEvent(ctx context.Context, e desk.Event) {
	if !h.complete(ctx, &e) || e.Ticket == nil || e.Ticket.AssigneeID == "" {
		return
	}
	f := encode(windowFrame{Type: "window", TicketID: e.TicketID, Number: e.Ticket.Number, ClosesAt: e.Ticket.WindowClosesAt, Remaining: e.Ticket.WindowRemaining})
	for _, s := range h.of(e.Ticket.AssigneeID) {
		s.send(f)
	}
}

// logBoard tells admins' pages that channels' live logs have new lines, at most once a second.
type logBoard struct {
	kick  chan struct{}
	mu    sync.Mutex
	dirty map[desk.ID]bool
}

func newLogBoard() *logBoard {
	return &logBoard{kick: make(chan struct{}, 1), dirty: map[desk.ID]bool{}}
}

func (l *logBoard) touch(channel desk.ID) {
	l.mu.Lock()
	l.dirty[channel] = true
	l.mu.Unlock()
	select {
	case l.kick <- struct{}{}:
	default:
	}
}

func (l *logBoard) run(ctx context.Context, h *hub) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.kick:
		}
		l.mu.Lock()
		dirty := l.dirty
		l.dirty = map[desk.ID]bool{}
		l.mu.Unlock()
		for channel := range dirty {
			f := encode(changedFrame{Type: "changed", What: "channel_log", ChannelID: channel})
			for _, s := range h.all() {
				if s.me().Can(auth.ChannelsWrite) {
					s.summarize("log\x00"+channel, f)
				}
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
	}
}

// callEvent hands a call to the board. A talk that begins or ends shows in the agent's light.
func (h *hub) callEvent(e desk.Event) {
	if e.Call == nil {
		return
	}
	h.calls.hear(*e.Call)
	if len(h.all()) == 0 {
		return
	}
	h.calls.take(*e.Call)
	if e.Call.Call.State != "ringing" && len(e.Call.AgentIDs) > 0 {
		h.presence.look()
	}
}
