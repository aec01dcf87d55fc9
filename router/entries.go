package router

import (
	"context"
	"strconv"
	"strings"

	"hearback/desk"
)

// An entry is a ticket as the board has it.
type entry struct {
	state        string // Q or A
	weight       int    // of the agent's capacity while assigned
	queue, agent desk.ID
	rank, epoch  int64
	last         desk.ID
}

func parseEntry(s string) (entry, bool) {
	f := strings.Split(s, "|")
	if len(f) != 9 {
		return entry{}, false
	}
	weight, _ := strconv.Atoi(f[2])
	rank, _ := strconv.ParseInt(f[4], 10, 64)
	epoch, err := strconv.ParseInt(f[8], 10, 64)
	return entry{state: f[0], weight: weight, queue: f[3], rank: rank, last: f[6], agent: f[7], epoch: epoch}, err == nil
}

// entries reads tickets from the board; those it does not have are missing.
func (r *Router) entries(ctx context.Context, ids []desk.ID) (map[desk.ID]entry, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	values, err := r.bus.Client().HMGet(ctx, r.board.key("tk"), ids...).Result()
	if err := r.board.judge(ctx, err); err != nil {
		return nil, err
	}
	out := make(map[desk.ID]entry, len(ids))
	for i, v := range values {
		if s, ok := v.(string); ok {
			if e, ok := parseEntry(s); ok {
				out[ids[i]] = e
			}
		}
	}
	return out, nil
}

// seats reads everybody from the board.
func (r *Router) seats(ctx context.Context) (map[desk.ID]seat, error) {
	hash, err := r.bus.Client().HGetAll(ctx, r.board.key("ag")).Result()
	if err := r.board.judge(ctx, err); err != nil {
		return nil, err
	}
	flat := make([]string, 0, 2*len(hash))
	for k, v := range hash {
		flat = append(flat, k, v)
	}
	return parseSeats(flat), nil
}
