package router

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"hearback/desk"
	"hearback/ticketstore"
)

// What people decide goes to SQL first and to the board after: it works without Redis, and the reconciler tells the board what
// it missed.

// Claim gives a ticket nobody owns to the agent. Taken false: somebody else was first, and Ticket says who. The caller publishes
// the events.
func (r *Router) Claim(ctx context.Context, ticket desk.ID, agent desk.Agent) (ticketstore.AssignResult, error) {
	res, err := r.assignByHand(ctx, ticketstore.Assignment{TicketID: ticket, AgentID: agent.ID, Kind: "claimed", Actor: author(agent),
		Unowned: true, Decision: byHand("claimed", agent.ID, "")})
	if err != nil {
		return res, fmt.Errorf("claim ticket %s: %w", ticket, err)
	}
	return res, nil
}

// Transfer gives a ticket to an agent whatever his load, for a reason that must be told. The caller publishes the events.
func (r *Router) Transfer(ctx context.Context, ticket desk.ID, to desk.Agent, actor desk.Author, reason string) (ticketstore.AssignResult, error) {
	if strings.TrimSpace(reason) == "" {
		return ticketstore.AssignResult{}, fmt.Errorf("transfer ticket %s: a reason is required: %w", ticket, desk.ErrInvalid)
	}
	res, err := r.assignByHand(ctx, ticketstore.Assignment{TicketID: ticket, AgentID: to.ID, Kind: "transferred", Actor: actor,
		Reason: reason, Decision: byHand("transferred", to.ID, reason)})
	if err != nil {
		return res, fmt.Errorf("transfer ticket %s: %w", ticket, err)
	}
	return res, nil
}

// ToTeam puts a ticket back to waiting in a team's queue ("": the common one), for a reason that must be told. The caller
// publishes the events.
func (r *Router) ToTeam(ctx context.Context, ticket, team desk.ID, actor desk.Author, reason string) (ticketstore.AssignResult, error) {
	if strings.TrimSpace(reason) == "" {
		return ticketstore.AssignResult{}, fmt.Errorf("transfer ticket %s: a reason is required: %w", ticket, desk.ErrInvalid)
	}
	res, err := r.store.Unassign(ctx, ticket, -1, &team, "transferred", actor, reason)
	if err != nil {
		return res, fmt.Errorf("transfer ticket %s: %w", ticket, err)
	}
	if res.Taken {
		load := loadOf(res.Ticket)
		load.LastAgentID = "" // he gave it away: it must not come straight back
		r.tellBoard(ctx, load, load.Epoch)
	}
	return res, nil
}

// assignByHand asks SQL, with an epoch the board has not given to anybody else.
func (r *Router) assignByHand(ctx context.Context, a ticketstore.Assignment) (ticketstore.AssignResult, error) {
	var err error
	if a.Epoch, err = r.epoch(ctx, a.TicketID); err != nil {
		return ticketstore.AssignResult{}, err
	}
	for {
		results, err := r.store.Assign(ctx, []ticketstore.Assignment{a})
		if err != nil {
			return ticketstore.AssignResult{}, err
		}
		res := results[0]
		if !res.Taken && res.Ticket.AssignEpoch >= a.Epoch && (!a.Unowned || res.Ticket.AssigneeID == "") && res.Ticket.Status.Active() {
			a.Epoch = res.Ticket.AssignEpoch + 1 // decided without Redis before: the ticket is ahead of the board
			continue
		}
		if res.Taken {
			r.tellBoard(ctx, loadOf(res.Ticket), a.Epoch)
		}
		return res, nil
	}
}

// epoch is a fresh fencing token: the board's next, or without Redis the ticket's next.
func (r *Router) epoch(ctx context.Context, ticket desk.ID) (int64, error) {
	cmd, err := r.board.run(ctx, epochScript)
	if err == nil {
		return cmd.Int64()
	}
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	t, err := r.store.Ticket(ctx, ticket)
	if err != nil {
		return 0, err
	}
	return t.AssignEpoch + 1, nil
}

// tellBoard brings the board up to what SQL decided. The decision stands, whatever the board says.
func (r *Router) tellBoard(ctx context.Context, load ticketstore.Load, over int64) {
	if err := r.place(context.WithoutCancel(ctx), placing{load: load, over: over}); err != nil {
		r.logger.Debug("the board was not told; the reconciler will", "ticket", load.TicketID, "err", err)
	}
	r.look() // whoever gave it away can take another one
}

func author(a desk.Agent) desk.Author {
	kind := "agent"
	if a.Bot {
		kind = "bot"
	}
	return desk.Author{Kind: kind, ID: a.ID, Name: a.Name}
}

func byHand(what string, agent desk.ID, reason string) json.RawMessage {
	detail, _ := json.Marshal(struct {
		Reason  string  `json:"reason"`
		AgentID desk.ID `json:"agent_id"`
		Words   string  `json:"words,omitempty"`
	}{what, agent, reason})
	return detail
}
