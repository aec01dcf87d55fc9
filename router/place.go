package router

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"hearback/desk"
	"hearback/ticketstore"
)

// placeBatch is how many tickets one script call takes.
const placeBatch = 200

// A placing is what SQL says of a ticket, on its way to the board.
type placing struct {
	load ticketstore.Load
	over int64 // the board's own state up to this epoch gives way, even if it is later than SQL's
}

// loadOf is a ticket as the board must know it.
func loadOf(t desk.Ticket) ticketstore.Load {
	return ticketstore.Load{TicketID: t.ID, Status: t.Status, AssigneeID: t.AssigneeID, Epoch: t.AssignEpoch, TeamID: t.TeamID,
		LastAgentID: t.LastAgentID, ChannelKind: t.ChannelKind, Priority: t.Priority, DueAt: t.FirstResponseDueAt, CreatedAt: t.CreatedAt}
}

// rank orders a queue: what is due first comes first, which makes the waiting older by itself. A priority moves it forward by
// a fixed time, so that nobody is overtaken for ever.
func (r *Router) rank(l ticketstore.Load) int64 {
	due := cmp.Or(l.DueAt, l.CreatedAt)
	return int64(due) - r.o.Boost[l.Priority].Milliseconds()
}

func (r *Router) weight(kind string) int {
	if kind == callKind {
		return 0
	}
	if w, ok := r.o.Weights[kind]; ok {
		return max(w, 0)
	}
	return 1
}

// args is the placing as place.lua reads it.
func (r *Router) args(p placing) []any {
	l := p.load
	state := "-"
	switch {
	case !l.Status.Active():
	case l.AssigneeID != "":
		state = "A"
	case l.Status == desk.StatusNew || l.Status == desk.StatusOpen:
		state = "Q" // a waiting one without an owner waits for the customer, not for us
	}
	var required []string
	if r.o.Requires != nil && state == "Q" {
		required = r.o.Requires(l)
	}
	return []any{l.TicketID, state, r.weight(l.ChannelKind), token(l.TeamID), r.rank(l), tokens(skills(required)), token(l.LastAgentID),
		token(l.AssigneeID), l.Epoch, p.over}
}

// place tells the valid board what SQL says.
func (r *Router) place(ctx context.Context, placings ...placing) error {
	return r.placeOn(placings, func(args []any) error {
		_, err := r.board.run(ctx, placeScript, args...)
		return err
	})
}

func (r *Router) placeOn(placings []placing, run func(args []any) error) error {
	for batch := range slices.Chunk(placings, placeBatch) {
		args := make([]any, 0, len(batch)*10)
		for _, p := range batch {
			args = append(args, r.args(p)...)
		}
		if err := run(args); err != nil {
			return err
		}
	}
	return nil
}

// token makes s safe to stand in the board's values and lists. Ids are; names of skills may not be.
func token(s string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == ',' || c == '"' || c == '\\' || c == utf8.RuneError {
			return '_'
		}
		return c
	}, s)
}

// tokens joins words to ",a,b,".
func tokens(words []string) string {
	if len(words) == 0 {
		return ","
	}
	safe := make([]string, len(words))
	for i, w := range words {
		safe[i] = token(w)
	}
	return "," + strings.Join(safe, ",") + ","
}

// skills are compared without regard to case and outer white space.
func skills(words []string) []string {
	out := make([]string, 0, len(words))
	for _, w := range words {
		if w = strings.ToLower(strings.TrimSpace(w)); w != "" {
			out = append(out, w)
		}
	}
	return out
}
