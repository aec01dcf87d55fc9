package router

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"hearback/desk"
	"hearback/ticketstore"
)

// A Seat is one agent as the board sees him.
type Seat struct {
	Online       bool
	Availability desk.Availability
	Used         int // of Capacity
	Capacity     int
	OnCall       bool // talks on the phone
}

// Presence is who is here and how loaded, by agent. Agents the board has not heard of are missing.
func (r *Router) Presence(ctx context.Context) (map[desk.ID]Seat, error) {
	if r.board.isAway() {
		return nil, errAway
	}
	if err := r.board.learn(ctx); err != nil {
		return nil, err
	}
	seats, err := r.seats(ctx)
	if err != nil {
		return nil, err
	}
	talking, err := r.talking(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[desk.ID]Seat, len(seats))
	for id, s := range seats {
		word := desk.Away
		switch s.availability {
		case "a":
			word = desk.Available
		case "b":
			word = desk.Busy
		}
		out[id] = Seat{Online: s.online, Availability: word, Used: s.used, Capacity: s.cap, OnCall: talking[id]}
	}
	return out, nil
}

// beats are the last heartbeats this node saw: after the board was lost it tells the new one who is here.
type beats struct {
	mu   sync.Mutex
	last map[desk.ID]time.Time
	gen  string // the generation that was told
}

func (b *beats) note(agent desk.ID, at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.last == nil {
		b.last = map[desk.ID]time.Time{}
	}
	b.last[agent] = at
}

// untold returns the heartbeats younger than lease when gen has not been told of them, and forgets older ones.
func (b *beats) untold(gen string, now time.Time, lease time.Duration) map[desk.ID]time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	fresh := map[desk.ID]time.Time{}
	for id, at := range b.last {
		if now.Sub(at) >= lease {
			delete(b.last, id)
		} else if b.gen != gen {
			fresh[id] = at
		}
	}
	b.gen = gen
	return fresh
}

// Beat renews an agent's presence lease; the websocket hub calls it at every heartbeat of any of his sockets. Several sockets,
// also on several nodes, are one lease.
func (r *Router) Beat(ctx context.Context, agent desk.ID) error {
	now := r.now()
	r.beats.note(agent, now)
	return r.beat(ctx, agent, now)
}

func (r *Router) beat(ctx context.Context, agent desk.ID, at time.Time) error {
	until := at.Add(r.o.Lease).UnixMilli()
	came, err := r.beatOnce(ctx, agent, until)
	if err == nil && came < 0 { // made after the people were last read
		if err = r.seatOne(ctx, agent); err == nil {
			came, err = r.beatOnce(ctx, agent, until)
		}
	}
	if err != nil {
		r.look() // Run finds out what is wrong with the board, and tells the new one of this agent
		return fmt.Errorf("renew lease of agent %s: %w", agent, err)
	}
	if came > 0 {
		r.tellPresence(ctx, agent, true)
		r.look()
	}
	return nil
}

func (r *Router) beatOnce(ctx context.Context, agent desk.ID, until int64) (int, error) {
	cmd, err := r.board.run(ctx, beatScript, agent, until)
	if err != nil {
		return 0, err
	}
	return cmd.Int()
}

func (r *Router) seatOne(ctx context.Context, agent desk.ID) error {
	a, err := r.store.Agent(ctx, agent)
	if err != nil {
		return err
	}
	return r.SetAgent(ctx, a)
}

func (r *Router) tellPresence(ctx context.Context, agent desk.ID, online bool) {
	data := map[string]string{"agent_id": agent, "online": strconv.FormatBool(online)}
	if err := r.bus.Publish(ctx, []desk.Event{{Type: "presence", Data: data}}); err != nil {
		r.logger.Warn("presence was not told", "err", err)
	}
}

// retellBeats tells a board that does not know it yet who is connected to this node.
func (r *Router) retellBeats(ctx context.Context) error {
	for agent, at := range r.beats.untold(r.board.generation(), r.now(), r.o.Lease) {
		if err := r.beat(ctx, agent, at); err != nil {
			return err
		}
	}
	return nil
}

// maxLeaving is how many lost leases one sweep deals with.
const maxLeaving = 200

// reap takes out agents whose lease ended, and gives the waiting customers of those who did not come back to others.
func (r *Router) reap(ctx context.Context) error {
	now := r.now()
	cmd, err := r.board.run(ctx, reapScript, now.UnixMilli(), now.Add(r.o.Grace).UnixMilli(), now.Add(time.Minute).UnixMilli(), maxLeaving)
	if err != nil {
		return err
	}
	answer, err := cmd.Slice()
	if err != nil || len(answer) != 2 {
		return fmt.Errorf("read lost leases: unexpected answer: %w", err)
	}
	for _, agent := range texts(answer[0]) {
		r.tellPresence(ctx, agent, false)
	}
	for _, agent := range texts(answer[1]) {
		if err := r.requeue(ctx, agent); err != nil {
			return fmt.Errorf("requeue tickets of agent %s: %w", agent, err)
		}
		if err := r.board.judge(ctx, r.bus.Client().ZRem(ctx, r.board.key("gone"), agent).Err()); err != nil {
			return err
		}
	}
	return nil
}

// requeue puts the tickets whose customers wait at the screen for an absent agent back into their queues, at their original
// rank. Those a person gave him after he left stay: somebody knew better.
func (r *Router) requeue(ctx context.Context, agent desk.ID) error {
	left, err := r.bus.Client().HGet(ctx, r.board.key("left"), agent).Int64()
	if err == redis.Nil {
		return nil // he is back
	}
	if err := r.board.judge(ctx, err); err != nil {
		return err
	}
	filter := ticketstore.TicketFilter{Scope: ticketstore.Scope{All: true}, Assignee: agent, Status: []desk.Status{desk.StatusOpen}, Limit: 200}
	for {
		rows, next, err := r.store.Tickets(ctx, filter, agent)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if row.AssignEpoch > left || slices.Contains(r.o.Patient, row.ChannelKind) {
				continue
			}
			if err := r.takeAway(ctx, row.Ticket); err != nil {
				return err
			}
		}
		if next == "" {
			return nil
		}
		filter.Cursor = next
	}
}

// requeueAgain looks after agents who have been gone for longer: a customer may have answered on a ticket that waited for him.
func (r *Router) requeueAgain(ctx context.Context) error {
	left, err := r.bus.Client().HKeys(ctx, r.board.key("left")).Result()
	if err := r.board.judge(ctx, err); err != nil {
		return err
	}
	for _, agent := range left {
		err := r.bus.Client().ZScore(ctx, r.board.key("gone"), agent).Err()
		if err == redis.Nil {
			err = r.requeue(ctx, agent)
		}
		if err != nil {
			return fmt.Errorf("requeue tickets of agent %s: %w", agent, err)
		}
	}
	return nil
}

func (r *Router) takeAway(ctx context.Context, t desk.Ticket) error {
	res, err := r.store.Unassign(ctx, t.ID, t.AssignEpoch, nil, "requeued", desk.Author{Kind: "system"}, "agent_offline")
	if err != nil || !res.Taken {
		return err // not taken: it changed hands meanwhile
	}
	if err := r.bus.Publish(ctx, res.Events); err != nil {
		r.logger.Warn("requeued ticket was not told", "ticket", t.ID, "err", err)
	}
	r.look(res.Ticket.TeamID)
	return r.place(ctx, placing{load: loadOf(res.Ticket), over: t.AssignEpoch})
}
