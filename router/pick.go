package router

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"hearback/desk"
	"hearback/ticketstore"
)

const (
	lookTickets = 32 // per queue: one nobody can take does not block the others
	lookAgents  = 64 // per queue: twice the picks, so that the least loaded is always among them
	maxPicks    = 32
	confirmIn   = 10 * time.Second
)

// A pick is a pair the board proposes.
type pick struct {
	ticket, agent desk.ID
	epoch         int64
	sticky        bool
	queue         desk.ID
	rank          int64
	weight        int
}

// A seat is an agent as the board has him.
type seat struct {
	online       bool
	availability string // a, b or x
	used, cap    int
	teams        string // ",a,b,"
	skills       string
}

// UnmarshalJSON reads the board's array.
func (s *seat) UnmarshalJSON(b []byte) error {
	var on, seq int64
	err := json.Unmarshal(b, &[]any{&on, &s.availability, &s.cap, &s.used, &seq, &s.teams, &s.skills})
	s.online = on == 1
	return err
}

// drain assigns what can be assigned in the queues that look named.
func (r *Router) drain(ctx context.Context) error {
	queues, all := r.toLookAt()
	if all {
		known, err := r.knownQueues(ctx)
		if err != nil {
			return err
		}
		for _, q := range known {
			if !slices.Contains(queues, q) {
				queues = append(queues, q)
			}
		}
	}
	if len(queues) == 0 {
		return nil
	}
	given := map[desk.ID]bool{}
	for ctx.Err() == nil {
		picks, before, more, err := r.pick(ctx, queues)
		if err != nil {
			return r.afterFailure(ctx, err)
		}
		if err := r.settle(ctx, picks, before); err != nil {
			return err
		}
		for _, p := range picks {
			given[p.ticket] = true
		}
		if len(picks) == 0 || !more {
			return r.tellWaiting(ctx, given)
		}
	}
	return ctx.Err()
}

// afterFailure builds the board when it is gone.
func (r *Router) afterFailure(ctx context.Context, err error) error {
	if errors.Is(err, errStale) {
		return r.rebuild(ctx)
	}
	return err
}

// knownQueues are those that may have tickets.
func (r *Router) knownQueues(ctx context.Context) ([]desk.ID, error) {
	if r.board.generation() == "" {
		if err := r.board.learn(ctx); err != nil {
			return nil, r.afterFailure(ctx, err)
		}
	}
	queues, err := r.bus.Client().SMembers(ctx, r.board.key("qs")).Result()
	if err := r.board.judge(ctx, err); err != nil {
		return nil, err
	}
	// The common queue is always worth a look: with a stale generation in mind the others come back empty, and the script
	// that follows finds out.
	if !slices.Contains(queues, "") {
		queues = append(queues, "")
	}
	return queues, nil
}

// pick asks the board for pairs. before is the board's agents as they were when it chose; more tells that not all waiting
// tickets were looked at.
func (r *Router) pick(ctx context.Context, queues []desk.ID) (picks []pick, before map[desk.ID]seat, more bool, err error) {
	args := []any{lookTickets, lookAgents, maxPicks, r.now().Add(confirmIn).UnixMilli()}
	for _, q := range queues {
		args = append(args, token(q))
	}
	cmd, err := r.board.run(ctx, pickScript, args...)
	if err != nil {
		return nil, nil, false, err
	}
	answer, err := cmd.Slice()
	if err != nil || len(answer) != 3 {
		return nil, nil, false, fmt.Errorf("read the board's picks: unexpected answer: %w", err)
	}
	chosen := texts(answer[0])
	for p := range slices.Chunk(chosen, 7) {
		epoch, _ := strconv.ParseInt(p[2], 10, 64)
		rank, _ := strconv.ParseInt(p[5], 10, 64)
		weight, _ := strconv.Atoi(p[6])
		picks = append(picks, pick{p[0], p[1], epoch, p[3] == "1", p[4], rank, weight})
	}
	return picks, parseSeats(texts(answer[1])), answer[2] == int64(1), nil
}

// settle lets SQL confirm picks, gives back those it refused, and tells everybody of the others.
func (r *Router) settle(ctx context.Context, picks []pick, before map[desk.ID]seat) error {
	if len(picks) == 0 {
		return nil
	}
	assignments := make([]ticketstore.Assignment, len(picks))
	for i, p := range picks {
		assignments[i] = ticketstore.Assignment{TicketID: p.ticket, AgentID: p.agent, Epoch: p.epoch, Kind: "assigned",
			Actor: desk.Author{Kind: "system"}, Decision: r.explain(p, before), Unowned: true, Reason: p.reason()}
		if s, ok := before[p.agent]; ok { // the next pick of this batch saw him with one more
			s.used += p.weight
			before[p.agent] = s
		}
	}
	results, err := r.store.Assign(ctx, assignments)
	if err != nil {
		// Nothing was decided. The picks stay pending; sweep asks SQL about them.
		return fmt.Errorf("assign %d tickets: %w", len(picks), err)
	}
	var events []desk.Event
	var confirmed []any
	var refused []placing
	for i, res := range results {
		if res.Taken {
			confirmed = append(confirmed, picks[i].ticket)
			events = append(events, res.Events...)
			continue
		}
		load := loadOf(res.Ticket)
		load.TicketID = picks[i].ticket // a ticket that is gone comes back empty, which is no load
		refused = append(refused, placing{load: load, over: picks[i].epoch})
	}
	if err := r.bus.Publish(ctx, events); err != nil {
		r.logger.Warn("assignments were not told", "err", err)
	}
	if len(confirmed) > 0 {
		if err := r.board.judge(ctx, r.bus.Client().ZRem(ctx, r.board.key("pend"), confirmed...).Err()); err != nil {
			return err // sweep finds them confirmed
		}
	}
	if len(refused) > 0 {
		r.logger.Debug("picks were refused by sql and given back", "count", len(refused))
		r.look() // those that still wait, and the people who are free again
		return r.place(ctx, refused...)
	}
	return nil
}

func (p pick) reason() string {
	if p.sticky {
		return "last_agent"
	}
	return "least_loaded"
}

// texts turns a Redis array into strings.
func texts(v any) []string {
	list, _ := v.([]any)
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = fmt.Sprint(x)
	}
	return out
}

// parseSeats reads the board's hash of agents.
func parseSeats(hash []string) map[desk.ID]seat {
	seats := make(map[desk.ID]seat, len(hash)/2)
	for i := 0; i+1 < len(hash); i += 2 {
		var s seat
		if json.Unmarshal([]byte(hash[i+1]), &s) == nil {
			seats[hash[i]] = s
		}
	}
	return seats
}

// explain is the decision of a pick as it is stored.
func (r *Router) explain(p pick, before map[desk.ID]seat) json.RawMessage {
	detail, _ := json.Marshal(decision{
		Reason: p.reason(), Queue: p.queue, AgentID: p.agent, Epoch: p.epoch,
		Candidates: r.candidates(p.agent, p.queue, p.sticky, before),
		WaitedMS:   r.waited(p.ticket),
	})
	return detail
}

// waited is how many milliseconds ago a ticket was opened: its id tells (UUIDv7 begins with 48 bits of unix milliseconds).
func (r *Router) waited(ticket desk.ID) int64 {
	if len(ticket) != 36 {
		return 0
	}
	opened, err := strconv.ParseInt(ticket[:8]+ticket[9:13], 16, 64)
	if err != nil {
		return 0
	}
	return max(0, r.now().UnixMilli()-opened)
}
