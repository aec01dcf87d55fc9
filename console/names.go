package console

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"

	"hearback/desk"
	"hearback/ticketstore"
)

// names knows what agents, teams and channels are called, so that a live event needs no query. It is loaded at the start and
// again whenever an admin changed something; a name it does not know is shown empty, never guessed.
type names struct {
	store *ticketstore.Store
	now   atomic.Pointer[directory]
}

type directory struct {
	agents   map[desk.ID]desk.Agent
	teams    map[desk.ID]desk.Team
	channels map[desk.ID]ChannelRef
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
	d := &directory{agents: map[desk.ID]desk.Agent{}, teams: map[desk.ID]desk.Team{}, channels: map[desk.ID]ChannelRef{}}
	for _, a := range agents {
		d.agents[a.ID] = a
	}
	for _, t := range teams {
		d.teams[t.ID] = t
	}
	for _, ch := range channels {
		d.channels[ch.ID] = ChannelRef{ID: ch.ID, Kind: ch.Kind, Name: ch.Name}
	}
	n.now.Store(d)
	return nil
}

func (n *names) agent(id desk.ID) PersonRef {
	return PersonRef{ID: id, Name: n.now.Load().agents[id].Name}
}

func (n *names) team(id desk.ID) TeamRef {
	return TeamRef{ID: id, Name: n.now.Load().teams[id].Name}
}

func (n *names) channel(id desk.ID, kind string) ChannelRef {
	if ch, ok := n.now.Load().channels[id]; ok {
		return ch
	}
	return ChannelRef{ID: id, Kind: kind}
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
