package router

import (
	"context"
	"encoding/json"

	"hearback/desk"
)

// An entry is a ticket as the board has it.
type entry struct {
	state        string // Q or A
	queue, agent desk.ID
	rank, epoch  int64
	last         desk.ID
}

// UnmarshalJSON reads the board's array.
func (e *entry) UnmarshalJSON(b []byte) error {
	var asked, cost int
	var skills string
	return json.Unmarshal(b, &[]any{&e.state, &asked, &cost, &e.queue, &e.rank, &skills, &e.last, &e.agent, &e.epoch})
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
			var e entry
			if err := json.Unmarshal([]byte(s), &e); err == nil {
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
