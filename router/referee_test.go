package router

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"hearback/desk"
	"hearback/ticketstore"
)

// referee is the ticket store as far as routing knows it, in memory, with the same conditions as the SQL.
type referee struct {
	mu        sync.Mutex
	tickets   map[desk.ID]*desk.Ticket
	agents    map[desk.ID]desk.Agent
	words     map[desk.ID]desk.Availability
	decisions map[desk.ID][]ticketstore.Decision
	history   []ticketstore.Assignment // that were taken, in order
	fail      error                    // every call fails with it
	refuse    func(ticketstore.Assignment) bool
	n         int
}

func newReferee() *referee {
	return &referee{tickets: map[desk.ID]*desk.Ticket{}, agents: map[desk.ID]desk.Agent{}, words: map[desk.ID]desk.Availability{},
		decisions: map[desk.ID][]ticketstore.Decision{}}
}

func (s *referee) agent(id string, capacity int, teams ...string) desk.Agent {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := desk.Agent{ID: id, Name: "name of " + id, Capacity: capacity, Teams: teams}
	s.agents[id] = a
	return a
}

// open makes a new ticket; created n milliseconds after the first.
func (s *referee) open(team, kind string) desk.Ticket {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	t := &desk.Ticket{ID: fmt.Sprintf("t%06d", s.n), Status: desk.StatusNew, TeamID: team, ChannelKind: kind, Priority: desk.PriorityNormal,
		CreatedAt: desk.Time(1_700_000_000_000 + int64(s.n))}
	s.tickets[t.ID] = t
	return *t
}

func (s *referee) get(id desk.ID) desk.Ticket {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *s.tickets[id]
}

func (s *referee) finish(id desk.ID) desk.Ticket {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tickets[id].Status = desk.StatusResolved
	return *s.tickets[id]
}

// owned counts active tickets per agent.
func (s *referee) owned() map[desk.ID]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[desk.ID]int{}
	for _, t := range s.tickets {
		if t.Status.Active() && t.AssigneeID != "" {
			out[t.AssigneeID]++
		}
	}
	return out
}

func (s *referee) unowned() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, t := range s.tickets {
		if t.Status == desk.StatusNew {
			n++
		}
	}
	return n
}

func (s *referee) Assign(_ context.Context, list []ticketstore.Assignment) ([]ticketstore.AssignResult, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return nil, s.fail
	}
	out := make([]ticketstore.AssignResult, len(list))
	for i, a := range list {
		t := s.tickets[a.TicketID]
		if t == nil {
			continue
		}
		if t.AssignEpoch < a.Epoch && t.Status.Active() && (!a.Unowned || t.AssigneeID == "") && (s.refuse == nil || !s.refuse(a)) {
			if t.AssigneeID != "" {
				t.LastAgentID = t.AssigneeID
			}
			t.AssigneeID, t.AssignEpoch, t.Version = a.AgentID, a.Epoch, t.Version+1
			if t.Status == desk.StatusNew {
				t.Status = desk.StatusOpen
			}
			s.history = append(s.history, a)
			s.decisions[t.ID] = append(s.decisions[t.ID], ticketstore.Decision{Kind: a.Kind, Detail: a.Decision})
			out[i].Taken = true
			out[i].Events = []desk.Event{{Type: "ticket", TicketID: t.ID, Seq: t.Version}}
		}
		out[i].Ticket = *t
	}
	return out, nil
}

func (s *referee) Unassign(_ context.Context, id desk.ID, epoch int64, toTeam *desk.ID, kind string, _ desk.Author, _ string) (ticketstore.AssignResult, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return ticketstore.AssignResult{}, s.fail
	}
	t := s.tickets[id]
	if t == nil {
		return ticketstore.AssignResult{}, desk.ErrNotFound
	}
	if epoch >= 0 && epoch != t.AssignEpoch || !t.Status.Active() {
		return ticketstore.AssignResult{Ticket: *t}, nil
	}
	t.LastAgentID, t.AssigneeID, t.Status = cmp.Or(t.AssigneeID, t.LastAgentID), "", desk.StatusNew
	if toTeam != nil {
		t.TeamID = *toTeam
	}
	s.decisions[id] = append(s.decisions[id], ticketstore.Decision{Kind: kind})
	return ticketstore.AssignResult{Taken: true, Ticket: *t}, nil
}

func (s *referee) Loads(_ context.Context, after desk.ID, limit int) ([]ticketstore.Load, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []ticketstore.Load
	for _, t := range s.tickets {
		if t.ID > after && t.Status.Active() {
			out = append(out, loadOf(*t))
		}
	}
	slices.SortFunc(out, func(a, b ticketstore.Load) int { return cmp.Compare(a.TicketID, b.TicketID) })
	return out[:min(limit, len(out))], s.fail
}

func (s *referee) LoadsByID(_ context.Context, ids []desk.ID) ([]ticketstore.Load, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []ticketstore.Load
	for _, id := range ids {
		if t := s.tickets[id]; t != nil {
			out = append(out, loadOf(*t))
		}
	}
	return out, s.fail
}

func (s *referee) MaxEpoch(context.Context) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	top := int64(0)
	for _, t := range s.tickets {
		top = max(top, t.AssignEpoch)
	}
	return top, s.fail
}

func (s *referee) AddDecision(_ context.Context, id desk.ID, kind string, detail json.RawMessage) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.decisions[id] = append(s.decisions[id], ticketstore.Decision{Kind: kind, Detail: detail})
	return s.fail
}

func (s *referee) Ticket(_ context.Context, id desk.ID) (desk.Ticket, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.tickets[id]; t != nil {
		return *t, s.fail
	}
	return desk.Ticket{}, desk.ErrNotFound
}

func (s *referee) Tickets(_ context.Context, f ticketstore.TicketFilter, _ desk.ID) ([]ticketstore.TicketRow, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var rows []ticketstore.TicketRow
	for _, t := range s.tickets {
		if t.AssigneeID == f.Assignee && slices.Contains(f.Status, t.Status) {
			rows = append(rows, ticketstore.TicketRow{Ticket: *t})
		}
	}
	return rows, "", s.fail
}

func (s *referee) Agents(context.Context) ([]desk.Agent, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []desk.Agent
	for _, a := range s.agents {
		out = append(out, a)
	}
	return out, s.fail
}

func (s *referee) Agent(_ context.Context, id desk.ID) (desk.Agent, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.agents[id]
	if !ok {
		return a, desk.ErrNotFound
	}
	return a, s.fail
}

func (s *referee) Availabilities(context.Context) (map[desk.ID]desk.Availability, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[desk.ID]desk.Availability{}
	for id, w := range s.words {
		out[id] = w
	}
	return out, s.fail
}

// clock is a clock that stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.UnixMilli(1_700_000_100_000)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
