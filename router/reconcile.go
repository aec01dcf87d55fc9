package router

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/redis/go-redis/v9"

	"hearback/desk"
	"hearback/ticketstore"
)

const (
	maxUnconfirmed = 200    // picks one sweep asks SQL about
	maxRecount     = 20_000 // tickets above which loads are not counted again in one step: Redis would stand still too long
)

// sweep looks after what no event announces: lost leases, picks whose confirmation never came, queues with tickets and free
// people. It also finds out when the board is gone.
func (r *Router) sweep(ctx context.Context) error {
	if err := r.board.learn(ctx); err != nil {
		if err := r.afterFailure(ctx, err); err != nil {
			return err
		}
		if r.board.generation() == "" {
			return nil // another node is building it
		}
	}
	if err := r.retellBeats(ctx); err != nil {
		return err
	}
	if err := r.reap(ctx); err != nil {
		return err
	}
	if err := r.confirmLate(ctx); err != nil {
		return err
	}
	r.look()
	return r.drain(ctx)
}

// confirmLate asks SQL about picks that were not confirmed in time: the node that made them may have died between the board
// and SQL, or between SQL and the board.
func (r *Router) confirmLate(ctx context.Context) error {
	late, err := r.bus.Client().ZRangeByScore(ctx, r.board.key("pend"), &redis.ZRangeBy{
		Min: "-inf", Max: fmt.Sprint(r.now().UnixMilli()), Count: maxUnconfirmed}).Result()
	if err := r.board.judge(ctx, err); err != nil || len(late) == 0 {
		return err
	}
	return r.ask(ctx, late)
}

// ask sets tickets of the board to what SQL says of them, whatever the board believes.
func (r *Router) ask(ctx context.Context, ids []desk.ID) error {
	if len(ids) == 0 {
		return nil
	}
	entries, err := r.entries(ctx, ids)
	if err != nil {
		return err
	}
	loads, err := r.loadsByID(ctx, ids)
	if err != nil {
		return fmt.Errorf("ask about tickets: %w", err)
	}
	known := map[desk.ID]ticketstore.Load{}
	for _, l := range loads {
		known[l.TicketID] = l
	}
	placings := make([]placing, len(ids))
	for i, id := range ids {
		l, ok := known[id]
		if !ok {
			l = ticketstore.Load{TicketID: id, Status: desk.StatusClosed}
		}
		placings[i] = placing{load: l, over: entries[id].epoch}
	}
	return r.place(ctx, placings...)
}

// reconcile compares SQL with the board once a minute, on one node: a failover of Redis may have lost writes without losing
// the generation, and what people decided while Redis was away is known to SQL only.
func (r *Router) reconcile(ctx context.Context) error {
	if err := r.board.learn(ctx); err != nil {
		return r.afterFailure(ctx, err)
	}
	mine, err := r.bus.Client().SetNX(ctx, r.bus.Key("board", "reconciling"), r.o.Node, reconcileEvery-sweepEvery).Result()
	if err := r.board.judge(ctx, err); err != nil || !mine {
		return err
	}
	if err := r.Refresh(ctx); err != nil {
		return err
	}
	if err := r.compare(ctx); err != nil {
		return err
	}
	if err := r.requeueAgain(ctx); err != nil {
		return err
	}
	r.look()
	return nil
}

// compare repairs every ticket on which SQL and the board differ, and the loads if they do not add up.
func (r *Router) compare(ctx context.Context) error {
	seen := map[desk.ID]bool{}
	suspects := map[desk.ID]int64{}
	repaired := 0
	err := r.eachLoad(ctx, func(page []ticketstore.Load) error {
		ids := make([]desk.ID, len(page))
		for i, l := range page {
			ids[i] = l.TicketID
			seen[l.TicketID] = true
		}
		entries, err := r.entries(ctx, ids)
		if err != nil {
			return err
		}
		var wrong []desk.ID
		for _, l := range page {
			e, ok := entries[l.TicketID]
			switch {
			case ok && r.agrees(e, l):
			case ok && e.epoch > l.Epoch && r.suspects[l.TicketID] != e.epoch:
				// The board may be right: a pick on its way to SQL. If it still says so in a minute, it is not.
				suspects[l.TicketID] = e.epoch
			default:
				wrong = append(wrong, l.TicketID)
			}
		}
		repaired += len(wrong)
		return r.ask(ctx, wrong) // the page may be old by now
	})
	if err != nil {
		return err
	}
	r.suspects = suspects
	dropped, err := r.dropUnknown(ctx, seen)
	if err != nil {
		return err
	}
	if repaired+dropped > 0 {
		r.logger.Info("the load board was repaired", "tickets", repaired, "dropped", dropped, "node", r.o.Node)
	}
	return r.recount(ctx)
}

// agrees tells whether the board has a ticket as SQL has it.
func (r *Router) agrees(e entry, l ticketstore.Load) bool {
	if e.epoch != l.Epoch || e.agent != l.AssigneeID {
		return false
	}
	return e.state == "A" || e.queue == token(l.TeamID) && e.rank == r.rank(l)
}

// dropUnknown asks SQL about tickets only the board has.
func (r *Router) dropUnknown(ctx context.Context, seen map[desk.ID]bool) (int, error) {
	unknown := map[desk.ID]bool{}
	for cursor := uint64(0); ; {
		fields, next, err := r.bus.Client().HScan(ctx, r.board.key("tk"), cursor, "", 1000).Result()
		if err := r.board.judge(ctx, err); err != nil {
			return 0, err
		}
		for i := 0; i < len(fields); i += 2 {
			if !seen[fields[i]] {
				unknown[fields[i]] = true
			}
		}
		if cursor = next; cursor == 0 {
			break
		}
	}
	for ids := range slices.Chunk(slices.Collect(maps.Keys(unknown)), placeBatch) {
		if err := r.ask(ctx, ids); err != nil {
			return 0, err
		}
	}
	return len(unknown), nil
}

// recount counts the agents' loads again when they may be wrong. In one step, so that no pick comes between.
func (r *Router) recount(ctx context.Context) error {
	n, err := r.bus.Client().HLen(ctx, r.board.key("tk")).Result()
	if err := r.board.judge(ctx, err); err != nil || n > maxRecount {
		return err
	}
	cmd, err := r.board.run(ctx, recountScript)
	if err != nil {
		return err
	}
	if wrong, err := cmd.Int(); err == nil && wrong > 0 {
		r.logger.Warn("loads of agents were wrong and have been counted again", "agents", wrong, "node", r.o.Node)
	}
	return nil
}
