package main

import (
	"context"
	"sync"
	"time"

	"hearback/desk"
)

// whoIsThere remembers for a moment which teams have somebody to answer: every visitor who opens a chat asks.
type whoIsThere struct {
	mu    sync.Mutex
	until time.Time
	teams map[desk.ID]bool // "" is anybody at all
	known bool
}

const rememberOnline = 2 * time.Second

// anyoneOnline tells whether somebody of a team is there to answer; without a team anybody counts. When the load board cannot
// tell, customers are not told that nobody is there.
func (h *house) anyoneOnline(team desk.ID) bool {
	w := &h.there
	w.mu.Lock()
	defer w.mu.Unlock()
	if now := time.Now(); now.After(w.until) {
		w.teams, w.known = h.teamsOnline()
		w.until = now.Add(rememberOnline)
	}
	return !w.known || w.teams[team]
}

func (h *house) teamsOnline() (map[desk.ID]bool, bool) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	seats, err := h.router.Presence(ctx)
	if err != nil {
		return nil, false
	}
	people, err := h.store.Agents(ctx)
	if err != nil {
		return nil, false
	}
	out := map[desk.ID]bool{}
	for _, p := range people {
		if s := seats[p.ID]; s.Online && s.Availability == desk.Available {
			out[""] = true
			for _, t := range p.Teams {
				out[t] = true
			}
		}
	}
	return out, true
}
