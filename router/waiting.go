package router

import (
	"context"
	"encoding/json"
	"slices"

	"hearback/desk"
)

// maxTold is how many tickets per drain get a "queued" decision. In a flood everybody waits for the same reason, and writing it
// a thousand times a second would cost more than it tells.
const maxTold = 8

// rememberFresh keeps some of the tickets that came in, to explain their waiting if they do.
func (r *Router) rememberFresh(tickets []desk.Ticket) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range tickets {
		if len(r.fresh) >= maxTold {
			return
		}
		r.fresh = append(r.fresh, t.ID)
	}
}

// tellWaiting stores why tickets that just came in could not be given to anybody; given are those that could.
func (r *Router) tellWaiting(ctx context.Context, given map[desk.ID]bool) error {
	r.mu.Lock()
	fresh := r.fresh
	r.fresh = nil
	r.mu.Unlock()
	fresh = slices.DeleteFunc(fresh, func(id desk.ID) bool { return given[id] })
	if len(fresh) == 0 {
		return nil
	}
	entries, err := r.entries(ctx, fresh)
	if err != nil {
		return err
	}
	var seats map[desk.ID]seat
	for id, e := range entries {
		if e.state != "Q" {
			continue
		}
		if seats == nil {
			if seats, err = r.seats(ctx); err != nil {
				return err
			}
		}
		detail, _ := json.Marshal(decision{Reason: "nobody_free", Queue: e.queue, Candidates: r.candidates("", e.queue, false, seats),
			WaitedMS: r.waited(id)})
		if err := r.store.AddDecision(ctx, id, "queued", detail); err != nil {
			return err
		}
	}
	return nil
}
