package router

import (
	"context"
	"fmt"
	"strings"

	"hearback/desk"
	"hearback/ticketstore"
)

// callKind is the channel kind of the load that a talk on the phone is; it weighs the whole agent.
const callKind = "call"

// callPrefix begins the ids under which calls stand on the board beside tickets.
const callPrefix = "call:"

// OnCall tells the board who talks on the phone: such an agent is given nothing until he has hung up. A lost word is made up for by
// the next comparison with SQL.
func (r *Router) OnCall(ctx context.Context, calls []desk.CallNews) error {
	var placings []placing
	ended := false
	for _, c := range calls {
		if c.Call.AgentID == "" || c.Call.State == "ringing" {
			continue
		}
		placings = append(placings, placing{load: callLoad(c.ChannelID, c.Call)})
		ended = ended || c.Call.State == "ended"
	}
	if len(placings) == 0 {
		return nil
	}
	if err := r.place(ctx, placings...); err != nil {
		return fmt.Errorf("place calls: %w", err)
	}
	if ended {
		r.look() // somebody is free again
	}
	return nil
}

func callLoad(channel desk.ID, c desk.Call) ticketstore.Load {
	l := ticketstore.Load{TicketID: callPrefix + channel + ":" + c.ID, Status: desk.StatusOpen, AssigneeID: c.AgentID, ChannelKind: callKind, CreatedAt: c.StartedAt}
	if c.State == "ended" {
		l.Status = desk.StatusClosed
	}
	return l
}

// callLoads are the talks that SQL knows of.
func (r *Router) callLoads(ctx context.Context) ([]ticketstore.Load, error) {
	if r.o.Calls == nil {
		return nil, nil
	}
	rows, err := r.o.Calls(ctx)
	if err != nil {
		return nil, fmt.Errorf("read calls: %w", err)
	}
	var loads []ticketstore.Load
	for _, row := range rows {
		if row.Call.State == "answered" && row.Call.AgentID != "" {
			loads = append(loads, callLoad(row.ChannelID, row.Call))
		}
	}
	return loads, nil
}

// loadsByID reads tickets and calls.
func (r *Router) loadsByID(ctx context.Context, ids []desk.ID) ([]ticketstore.Load, error) {
	var tickets []desk.ID
	calls := map[desk.ID]bool{}
	for _, id := range ids {
		if strings.HasPrefix(id, callPrefix) {
			calls[id] = true
		} else {
			tickets = append(tickets, id)
		}
	}
	loads, err := r.store.LoadsByID(ctx, tickets)
	if err != nil || len(calls) == 0 {
		return loads, err
	}
	all, err := r.callLoads(ctx)
	for _, l := range all {
		if calls[l.TicketID] {
			loads = append(loads, l)
		}
	}
	return loads, err
}

// talking are the agents whom the board has on the phone.
func (r *Router) talking(ctx context.Context) (map[desk.ID]bool, error) {
	agents, err := r.bus.Client().HVals(ctx, r.board.key("phones")).Result()
	if err := r.board.judge(ctx, err); err != nil {
		return nil, err
	}
	out := make(map[desk.ID]bool, len(agents))
	for _, id := range agents {
		out[id] = true
	}
	return out, nil
}
