package router

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"hearback/desk"
	"hearback/ticketstore"
)

const (
	rebuildLock = 30 * time.Second // how long a node that died while building keeps the others waiting
	loadPage    = 500
)

// extendLock keeps the builder's lock. KEYS 1 lock. ARGV 1 token 2 milliseconds.
var extendLock = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`)

// freeLock gives the builder's lock back. KEYS 1 lock. ARGV 1 token.
var freeLock = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`)

// rebuild makes a board from SQL, unless another node is at it or was faster. The new one lives under keys of its own
// generation: whoever still works with the old one is told so by his next script.
func (r *Router) rebuild(ctx context.Context) error {
	if err := r.board.learn(ctx); err == nil {
		return nil // somebody has built it
	}
	lock, gen := r.bus.Key("board", "building"), desk.NewID()
	mine, err := r.bus.Client().SetNX(ctx, lock, gen, rebuildLock).Result()
	if err := r.board.judge(ctx, err); err != nil {
		return err
	}
	if !mine {
		return nil // the next sweep finds what the other node built
	}
	began := r.now()
	if err := r.buildAndFinish(ctx, lock, gen); err != nil {
		// Others need not wait for the lock to run out.
		freeLock.Run(context.WithoutCancel(ctx), r.bus.Client(), []string{lock}, gen)
		return fmt.Errorf("rebuild the load board: %w", err)
	}
	r.board.believe(gen)
	r.logger.Info("the load board was built from sql", "node", r.o.Node, "took", r.now().Sub(began))
	if err := r.retellBeats(ctx); err != nil {
		return err
	}
	// What changed in SQL while it was read is found by comparing once.
	if err := r.compare(ctx); err != nil {
		return err
	}
	r.look()
	return nil
}

// buildAndFinish builds the board and makes it the valid one, with epochs above all that SQL knows.
func (r *Router) buildAndFinish(ctx context.Context, lock, gen string) error {
	if err := r.build(ctx, lock, gen); err != nil {
		return err
	}
	lowest, err := r.store.MaxEpoch(ctx)
	if err != nil {
		return err
	}
	done, err := finishScript.Run(ctx, r.bus.Client(), []string{r.board.meta(), lock}, gen, gen, lowest+1).Int()
	if err := r.board.judge(ctx, err); err != nil {
		return err
	}
	if done != 1 {
		return fmt.Errorf("redis forgot again meanwhile: %w", errStale)
	}
	return nil
}

// build writes people, tickets and loads under a generation that is not valid yet.
func (r *Router) build(ctx context.Context, lock, gen string) error {
	run := func(script *redis.Script) func([]any) error {
		return func(args []any) error {
			_, err := r.board.runOn(ctx, gen, "", script, args...)
			return err
		}
	}
	agents, words, err := r.readPeople(ctx)
	if err != nil {
		return err
	}
	if err := r.seatOn(agents, words, run(seatScript)); err != nil {
		return err
	}
	owners := map[desk.ID]bool{}
	err = r.eachLoad(ctx, func(page []ticketstore.Load) error {
		placings := make([]placing, len(page))
		for i, l := range page {
			placings[i] = placing{load: l}
			if l.AssigneeID != "" {
				owners[l.AssigneeID] = true
			}
		}
		if kept, err := extendLock.Run(ctx, r.bus.Client(), []string{lock}, gen, rebuildLock.Milliseconds()).Int(); err != nil || kept == 0 {
			return fmt.Errorf("keep the builder's lock: %w", errStale)
		}
		return r.placeOn(placings, run(placeScript))
	})
	if err != nil || len(owners) == 0 {
		return err
	}
	return r.expectBack(ctx, gen, owners)
}

// expectBack gives owners of tickets a lease and the grace to show up: on a new board nobody is known to be here.
func (r *Router) expectBack(ctx context.Context, gen string, owners map[desk.ID]bool) error {
	epoch, err := r.store.MaxEpoch(ctx)
	if err != nil {
		return err
	}
	var gone []redis.Z
	left := map[string]any{}
	until := r.now().Add(r.o.Lease + r.o.Grace).UnixMilli()
	for id := range owners {
		gone = append(gone, redis.Z{Score: float64(until), Member: id})
		left[id] = epoch
	}
	if err := r.bus.Client().ZAdd(ctx, r.board.prefix(gen)+"gone", gone...).Err(); err != nil {
		return err
	}
	return r.bus.Client().HSet(ctx, r.board.prefix(gen)+"left", left).Err()
}

// eachLoad reads all active tickets from SQL, page by page, and the calls that are live.
func (r *Router) eachLoad(ctx context.Context, do func([]ticketstore.Load) error) error {
	for after := ""; ; {
		page, err := r.store.Loads(ctx, after, loadPage)
		if err != nil {
			return fmt.Errorf("read loads: %w", err)
		}
		if len(page) == 0 {
			break
		}
		if err := do(page); err != nil {
			return err
		}
		after = page[len(page)-1].TicketID
	}
	calls, err := r.callLoads(ctx)
	if err != nil || len(calls) == 0 {
		return err
	}
	return do(calls)
}
