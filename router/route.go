package router

import (
	"context"
	"errors"

	"hearback/desk"
)

// Route queues tickets that were opened or reopened and asks for somebody to take them. It returns soon and reports nothing:
// SQL has the tickets, and whatever goes wrong here the reconciler finds.
func (r *Router) Route(ctx context.Context, tickets []desk.Ticket) {
	if len(tickets) == 0 {
		return
	}
	placings := make([]placing, len(tickets))
	queues := make([]desk.ID, 0, 1)
	for i, t := range tickets {
		placings[i] = placing{load: loadOf(t)}
		queues = append(queues, t.TeamID)
	}
	if err := r.place(ctx, placings...); err != nil {
		// One line for an outage, not one per ticket: Run's own steps say that Redis is away.
		r.logger.Debug("tickets wait in SQL until the board is back", "count", len(tickets), "ticket", tickets[0].ID, "err", err)
		if errors.Is(err, errStale) {
			r.look()
		}
		return
	}
	r.rememberFresh(tickets)
	r.look(queues...)
}

// Queue tells that a ticket is active (again), or that its team or priority changed: its owner carries it, without one it waits.
func (r *Router) Queue(ctx context.Context, t desk.Ticket) error {
	if err := r.place(ctx, placing{load: loadOf(t)}); err != nil {
		return err
	}
	r.look(t.TeamID)
	return nil
}

// Release tells that a ticket is no load any more: resolved, closed or merged. Its owner can take the next one.
func (r *Router) Release(ctx context.Context, t desk.Ticket) error {
	if t.Status.Active() {
		t.Status = desk.StatusClosed
	}
	if err := r.place(ctx, placing{load: loadOf(t)}); err != nil {
		return err
	}
	r.look()
	return nil
}
