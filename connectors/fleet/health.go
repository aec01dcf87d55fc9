package fleet

import (
	"context"
	"time"

	"hearback/desk"
	"hearback/ticketstore"
)

const (
	healthEvery = 30 * time.Second // the same news is written this often at most
	errorLength = 500              // bytes of a health text
	freshAfter  = 5 * time.Minute  // a failure so soon after a success is only a warning
)

// A note is one word about a channel's health.
type note struct {
	channel desk.ID
	ok      bool
	text    string
}

// Light is the colour of a channel's light: "off", "ok", "warning" (it failed, but worked minutes ago) or "error".
func Light(enabled bool, h ticketstore.ChannelHealth) string {
	switch {
	case !enabled:
		return "off"
	case h.Held:
		return "error"
	case h.LastFailureAt == 0 || h.LastFailureAt <= h.LastSuccessAt:
		return "ok"
	case h.LastSuccessAt != 0 && h.LastFailureAt < h.LastSuccessAt.Add(freshAfter):
		return "warning"
	}
	return "error"
}

// report puts a success (nil) or failure on its way to the store. It never blocks: news that finds no room is dropped, and
// repeats itself soon.
func (f *Fleet) report(ch desk.Channel, err error) {
	n := note{channel: ch.ID, ok: err == nil}
	if err != nil {
		n.text = redact(err.Error(), f.secrets(ch))
		if len(n.text) > errorLength {
			n.text = n.text[:errorLength]
		}
		n.text = toValid(n.text)
	}
	select {
	case f.notes <- n:
	default:
	}
}

// writeHealth writes what is new, and what is not new now and then.
func (f *Fleet) writeHealth(ctx context.Context) {
	type told struct {
		note note
		at   time.Time
	}
	last := map[desk.ID]told{}
	for {
		select {
		case <-ctx.Done():
			return
		case n := <-f.notes:
			now := f.o.Now()
			if l, ok := last[n.channel]; ok && l.note.ok == n.ok && now.Sub(l.at) < healthEvery {
				continue
			}
			if err := f.o.Store.SetHealth(ctx, n.channel, n.ok, n.text); err != nil {
				if ctx.Err() == nil {
					f.o.Logger.Warn("health could not be written", "channel", n.channel, "err", err)
				}
				continue
			}
			last[n.channel] = told{n, now}
		}
	}
}
