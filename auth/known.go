package auth

import (
	"sync"
	"time"

	"hearback/desk"
)

// rememberFor is how long an agent's role and teams may be old on a node that was not told of a change.
const rememberFor = 3 * time.Second

type person struct {
	agent      desk.Agent
	mustChange bool
}

// known remembers agents for a few seconds: a page asks many times a second.
type known struct {
	mu     sync.Mutex
	people map[desk.ID]remembered
	forgot uint64 // counts Forget: what was read before one must not be put after it
}

type remembered struct {
	person
	until desk.Time
}

func newKnown() *known { return &known{people: map[desk.ID]remembered{}} }

func (k *known) get(id desk.ID, now desk.Time) (person, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	r, ok := k.people[id]
	return r.person, ok && now < r.until
}

func (k *known) generation() uint64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.forgot
}

func (k *known) put(p person, now desk.Time, began uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.forgot == began {
		k.people[p.agent.ID] = remembered{p, now.Add(rememberFor)}
	}
}

func (k *known) forget(id desk.ID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.forgot++
	if id == "" {
		clear(k.people)
		return
	}
	delete(k.people, id)
}
