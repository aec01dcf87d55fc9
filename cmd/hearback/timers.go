package main

import (
	"context"
	"time"

	"hearback/desk"
)

// timersEvery is how often the house looks at what time alone brings about.
const timersEvery = 5 * time.Second

// watchTimers does what no message announces: agents are warned before a reply window closes, and calls of which nothing more was
// heard are closed. Every node looks; the store lets each thing happen once.
func (h *house) watchTimers(ctx context.Context) error {
	tick := time.NewTicker(timersEvery)
	defer tick.Stop()
	for {
		h.warnWindows(ctx)
		h.closeStaleCalls(ctx)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func (h *house) warnWindows(ctx context.Context) {
	events, err := h.store.WindowWarnings(ctx, 100)
	switch {
	case err == nil && len(events) > 0:
		h.publish(ctx, events)
	case err != nil && ctx.Err() == nil:
		h.log.Warn("closing reply windows could not be looked for; trying again", "err", err)
	}
}

func (h *house) closeStaleCalls(ctx context.Context) {
	closed, err := h.store.CloseStaleCalls(ctx)
	if err != nil {
		if ctx.Err() == nil {
			h.log.Warn("calls nobody ended could not be looked for; trying again", "err", err)
		}
		return
	}
	h.intake.Tell(ctx, closed)
}

// tellCalls lets the router know who talks.
func (h *house) tellCalls(ctx context.Context, calls []desk.CallNews) {
	if err := h.router.OnCall(ctx, calls); err != nil {
		h.log.Warn("the load board was not told of a call; its next comparison does it", "err", err)
	}
}
