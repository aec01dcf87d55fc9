package console

import (
	"context"
	"slices"
	"sync"
	"time"

	"hearback/desk"
	"hearback/ticketstore"
)

const (
	callsWaiting  = 2000        // calls whose news wait; more are dropped: they are hints
	strangeCalls  = 50          // calls of nobody in particular that one node begins to show per second
	openShown     = 5           // tickets of a caller that pop up with him
	liveFor       = time.Second // how long a list of the live calls is good for another page
	callerFor     = 30 * time.Second
	callsRecalled = 5000
)

// callBoard shows calls while they ring and are talked on. Dispatch hands over what happened and goes on; the board asks the store
// who calls and tells the pages. Of a call that changes faster than that, only the latest is told.
type callBoard struct {
	h    *hub
	kick chan struct{}

	mu      sync.Mutex
	waiting map[string]desk.CallNews
	order   []string

	toldMu  sync.Mutex
	told    *recall[[]desk.ID]     // agents whose pages show the call: they learn how it goes on
	latest  *recall[desk.CallNews] // the last heard of each call, for pages that come
	callers *recall[whoCalls]
	second  int64
	begun   int // strange calls in this second

	liveMu sync.Mutex
	live   []ticketstore.CallRow
	liveAt time.Time
}

// whoCalls is who calls, as read a moment ago.
type whoCalls struct {
	contact *ContactRef
	tickets []desk.Ticket
	at      time.Time
}

func newCallBoard(h *hub) *callBoard {
	return &callBoard{h: h, kick: make(chan struct{}, 1), waiting: map[string]desk.CallNews{},
		told: newRecall[[]desk.ID](callsRecalled), latest: newRecall[desk.CallNews](callsRecalled), callers: newRecall[whoCalls](callsRecalled)}
}

func callKey(n desk.CallNews) string { return n.ChannelID + "\x00" + n.Call.ID }

// hear keeps what pop-ups show of a call, also while no page is open.
func (b *callBoard) hear(n desk.CallNews) {
	n.Call.Steps, n.Call.Transcript, n.Call.Events = nil, nil, nil
	b.latest.put(callKey(n), n)
}

// take is called by dispatch.
func (b *callBoard) take(n desk.CallNews) {
	if n.Call.Direction == "internal" {
		return // colleagues among themselves
	}
	key := callKey(n)
	b.mu.Lock()
	if _, waits := b.waiting[key]; !waits && len(b.order) < callsWaiting {
		b.order = append(b.order, key)
		b.waiting[key] = n
	} else if waits {
		b.waiting[key] = n
	}
	b.mu.Unlock()
	select {
	case b.kick <- struct{}{}:
	default:
	}
}

func (b *callBoard) next() (desk.CallNews, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.order) == 0 {
		return desk.CallNews{}, false
	}
	key := b.order[0]
	b.order = b.order[1:]
	n := b.waiting[key]
	delete(b.waiting, key)
	return n, true
}

func (b *callBoard) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.kick:
		}
		for ctx.Err() == nil {
			n, ok := b.next()
			if !ok {
				break
			}
			b.tell(ctx, n)
		}
	}
}

// tell sends a call to the pages of those it concerns and of those who were shown it before.
func (b *callBoard) tell(ctx context.Context, n desk.CallNews) {
	key := callKey(n)
	before := b.toldOf(key)
	people, strange := b.audience(n)
	if strange && len(before) == 0 && !b.mayBegin(n) {
		people = nil
	}
	for _, agent := range before {
		people[agent] = true
	}
	sockets := b.socketsOf(people)
	if len(sockets) == 0 {
		return
	}
	b.remember(key, n.Call.State, agents(people))
	w, tickets := b.describe(ctx, n)
	for _, s := range sockets {
		me := s.me()
		f := encode(callFrame{Type: "call", Call: forReader(w, tickets, me)})
		if concerns(n, me.Agent.ID) {
			s.send(f)
			continue
		}
		s.summarize("call\x00"+key, f) // of other people's calls the latest state is enough, and a flood must not close the page
	}
}

func (b *callBoard) toldOf(key string) []desk.ID {
	b.toldMu.Lock()
	defer b.toldMu.Unlock()
	told, _ := b.told.get(key)
	return told
}

// remember who was shown a call, beside those who were before; of one that has ended, nobody.
func (b *callBoard) remember(key, state string, people []desk.ID) {
	b.toldMu.Lock()
	defer b.toldMu.Unlock()
	if state == "ended" {
		b.told.drop(key)
		return
	}
	told, _ := b.told.get(key)
	all := slices.Clone(told)
	for _, agent := range people {
		if !slices.Contains(all, agent) {
			all = append(all, agent)
		}
	}
	b.told.put(key, all)
}

// mayBegin bounds what one second of a flood shows to pages that are not rung.
func (b *callBoard) mayBegin(n desk.CallNews) bool {
	if n.Call.State == "ended" {
		return false
	}
	if now := time.Now().Unix(); now != b.second {
		b.second, b.begun = now, 0
	}
	b.begun++
	return b.begun <= strangeCalls
}

// audience is who is to see a call: those whose phones ring or who talk; else the team whose queue it waits in, and the channel's;
// else, strange tells, those who look after everything.
func (b *callBoard) audience(n desk.CallNews) (people map[desk.ID]bool, strange bool) {
	people = map[desk.ID]bool{}
	for _, agent := range slices.Concat(n.AgentIDs, n.Rang) {
		people[agent] = true
	}
	if len(people) > 0 {
		return people, false
	}
	names := b.h.c.names.now.Load()
	teams := []desk.ID{n.TeamID, names.homes[n.ChannelID]}
	for _, a := range names.agents {
		if slices.ContainsFunc(a.Teams, func(t desk.ID) bool { return slices.Contains(teams, t) }) {
			people[a.ID] = true
		}
	}
	if len(people) > 0 {
		return people, true
	}
	for _, a := range names.agents {
		if a.Role == desk.RoleAdmin || a.Role == desk.RoleSupervisor {
			people[a.ID] = true
		}
	}
	return people, true
}

func agents(people map[desk.ID]bool) []desk.ID {
	all := make([]desk.ID, 0, len(people))
	for agent := range people {
		all = append(all, agent)
	}
	return all
}

func (b *callBoard) socketsOf(people map[desk.ID]bool) []*socket {
	var all []*socket
	for agent := range people {
		all = append(all, b.h.of(agent)...)
	}
	return all
}

// concerns tells whether the agent's phone rings or rang, or whether he talks.
func concerns(n desk.CallNews, agent desk.ID) bool {
	return slices.Contains(n.AgentIDs, agent) || slices.Contains(n.Rang, agent)
}
