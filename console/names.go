package console

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"hearback/desk"
	"hearback/ticketstore"
)

// names knows what agents, teams and channels are called, so that a live event needs no query. It is loaded at the start, again
// whenever an admin changed something, and when an id turns up that it does not know (added by the command line, or by a node
// whose hint was lost). A name that nobody knows is shown empty, never guessed.
type names struct {
	store *ticketstore.Store
	now   atomic.Pointer[directory]
	asked atomic.Int64 // unix milliseconds of the last look for an unknown id
}

const lookEvery = time.Second // for an unknown id: what is not there must not cost a query per event

type directory struct {
	agents   map[desk.ID]desk.Agent
	teams    map[desk.ID]desk.Team
	channels map[desk.ID]ChannelRef
	homes    map[desk.ID]desk.ID // channel to its team
}

func newNames(store *ticketstore.Store) *names {
	n := &names{store: store}
	n.now.Store(&directory{})
	return n
}

// load reads all three lists. On an error what was known stays.
func (n *names) load(ctx context.Context) error {
	agents, err := n.store.Agents(ctx)
	if err != nil {
		return err
	}
	teams, err := n.store.Teams(ctx)
	if err != nil {
		return err
	}
	channels, err := n.store.Channels(ctx)
	if err != nil {
		return err
	}
	d := &directory{agents: map[desk.ID]desk.Agent{}, teams: map[desk.ID]desk.Team{}, channels: map[desk.ID]ChannelRef{}, homes: map[desk.ID]desk.ID{}}
	for _, a := range agents {
		d.agents[a.ID] = a
	}
	for _, t := range teams {
		d.teams[t.ID] = t
	}
	for _, ch := range channels {
		d.channels[ch.ID] = ChannelRef{ID: ch.ID, Kind: ch.Kind, Name: ch.Name}
		if ch.TeamID != "" {
			d.homes[ch.ID] = ch.TeamID
		}
	}
	n.now.Store(d)
	return nil
}

// look loads again for an id that is not known, at most once a second.
func (n *names) look() {
	now, last := time.Now().UnixMilli(), n.asked.Load()
	if n.store == nil || now-last < lookEvery.Milliseconds() || !n.asked.CompareAndSwap(last, now) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookEvery)
	defer cancel()
	_ = n.load(ctx) // what was known stays; the next unknown id tries again
}

func (n *names) agent(id desk.ID) PersonRef {
	a, known := n.now.Load().agents[id]
	if !known {
		n.look()
		a = n.now.Load().agents[id]
	}
	return PersonRef{ID: id, Name: a.Name}
}

func (n *names) team(id desk.ID) TeamRef {
	t, known := n.now.Load().teams[id]
	if !known {
		n.look()
		t = n.now.Load().teams[id]
	}
	return TeamRef{ID: id, Name: t.Name}
}

func (n *names) channel(id desk.ID, kind string) ChannelRef {
	ch, known := n.now.Load().channels[id]
	if !known {
		n.look()
		ch, known = n.now.Load().channels[id]
	}
	if !known {
		return ChannelRef{ID: id, Kind: kind}
	}
	return ch
}

func (n *names) allTeams() []TeamRef {
	all := []TeamRef{}
	for _, t := range n.now.Load().teams {
		all = append(all, TeamRef{ID: t.ID, Name: t.Name})
	}
	slices.SortFunc(all, func(a, b TeamRef) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func (n *names) allChannels() []ChannelRef {
	all := []ChannelRef{}
	for _, ch := range n.now.Load().channels {
		all = append(all, ch)
	}
	slices.SortFunc(all, func(a, b ChannelRef) int { return strings.Compare(a.ID, b.ID) })
	return all
}
