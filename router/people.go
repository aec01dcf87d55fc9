package router

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"hearback/desk"
)

// people is who exists, as last read from SQL.
type people struct {
	mu    sync.Mutex
	known map[desk.ID]desk.Agent
}

func (p *people) set(agents ...desk.Agent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil {
		p.known = map[desk.ID]desk.Agent{}
	}
	for _, a := range agents {
		p.known[a.ID] = a
	}
}

func (p *people) names() map[desk.ID]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	names := make(map[desk.ID]string, len(p.known))
	for id, a := range p.known {
		names[id] = a.Name
	}
	return names
}

// Refresh reads the people again and tells the board: after an admin changed one, and once a minute.
func (r *Router) Refresh(ctx context.Context) error {
	agents, words, err := r.readPeople(ctx)
	if err != nil {
		return err
	}
	err = r.seat(ctx, agents, words)
	r.look()
	if errors.Is(err, errStale) {
		return nil // Run builds the board, with the people as they are then
	}
	return err
}

func (r *Router) readPeople(ctx context.Context) ([]desk.Agent, map[desk.ID]desk.Availability, error) {
	agents, err := r.store.Agents(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("read people for the board: %w", err)
	}
	words, err := r.store.Availabilities(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("read people for the board: %w", err)
	}
	r.people.set(agents...)
	return agents, words, nil
}

// SetAgent tells the board of an agent that was made or changed. What he said of himself stays.
func (r *Router) SetAgent(ctx context.Context, agent desk.Agent) error {
	words, err := r.store.Availabilities(ctx)
	if err != nil {
		return fmt.Errorf("seat agent %s: %w", agent.ID, err)
	}
	r.people.set(agent)
	if err := r.seat(ctx, []desk.Agent{agent}, words); err != nil {
		return err
	}
	r.look()
	return nil
}

// SetAvailability tells the board what an agent says of himself; the caller has stored it.
func (r *Router) SetAvailability(ctx context.Context, agent desk.ID, word desk.Availability) error {
	a, err := r.store.Agent(ctx, agent)
	if err != nil {
		return fmt.Errorf("seat agent %s: %w", agent, err)
	}
	if err := r.seat(ctx, []desk.Agent{a}, map[desk.ID]desk.Availability{agent: word}); err != nil {
		return err
	}
	r.look()
	return nil
}

// seat tells the valid board who there is.
func (r *Router) seat(ctx context.Context, agents []desk.Agent, words map[desk.ID]desk.Availability) error {
	return r.seatOn(agents, words, func(args []any) error {
		_, err := r.board.run(ctx, seatScript, args...)
		return err
	})
}

func (r *Router) seatOn(agents []desk.Agent, words map[desk.ID]desk.Availability, run func(args []any) error) error {
	for batch := range slices.Chunk(agents, placeBatch) {
		var args []any
		for _, a := range batch {
			capacity := a.Capacity
			if capacity <= 0 {
				capacity = r.o.DefaultCapacity
			}
			args = append(args, a.ID, letter(a, words[a.ID]), capacity, tokens(a.Teams), tokens(skills(a.Skills)))
		}
		if err := run(args); err != nil {
			return err
		}
	}
	return nil
}

func letter(a desk.Agent, word desk.Availability) string {
	switch {
	case a.Disabled || word == desk.Away:
		return "x"
	case word == desk.Busy:
		return "b"
	}
	return "a"
}
