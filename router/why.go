package router

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"hearback/desk"
)

// maxCandidates is how many people a decision names. The nearest misses are the interesting ones.
const maxCandidates = 20

// A decision is why a ticket went where it went, as kept in the store.
type decision struct {
	Reason     string      `json:"reason"` // least_loaded, last_agent, nobody_free
	Queue      desk.ID     `json:"queue"`  // team; "" the common queue
	AgentID    desk.ID     `json:"agent_id,omitempty"`
	Epoch      int64       `json:"epoch,omitempty"`
	Candidates []candidate `json:"candidates"`
	WaitedMS   int64       `json:"waited_ms"` // since the ticket was opened
}

// A candidate is one person and why he was chosen or passed over.
type candidate struct {
	AgentID  desk.ID `json:"agent_id"`
	Name     string  `json:"name"`
	Used     int     `json:"used"`
	Capacity int     `json:"capacity"`
	Why      string  `json:"why"`
	nearness int
}

// candidates explains everybody's part in a choice; the chosen one first, then those who could have taken it, then by how
// little was missing. chosen "" explains why nobody was.
func (r *Router) candidates(chosen, queue desk.ID, sticky bool, seats map[desk.ID]seat) []candidate {
	names := r.people.names()
	list := make([]candidate, 0, len(seats))
	for id, s := range seats {
		c := candidate{AgentID: id, Name: names[id], Used: s.used, Capacity: s.cap}
		c.Why, c.nearness = s.why(queue)
		switch {
		case id == chosen && sticky:
			c.Why, c.nearness = "chosen: had this customer before", 0
		case id == chosen:
			c.Why, c.nearness = "chosen: least loaded", 0
		case c.nearness == 1 && chosen == "":
			c.Why = "missing skill"
		case c.nearness == 1 && sticky:
			c.Why = "free, but another one had this customer before"
		case c.nearness == 1:
			c.Why = c.Why + comparison(s, seats[chosen])
		}
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.nearness, b.nearness), cmp.Compare(a.Used*max(b.Capacity, 1), b.Used*max(a.Capacity, 1)),
			strings.Compare(a.AgentID, b.AgentID))
	})
	return list[:min(len(list), maxCandidates)]
}

// why says what speaks against an agent for a queue, and how near he was: 1 nothing, 2 full, 3 busy, 4 away, 5 offline, 6 not in
// the team.
func (s seat) why(queue desk.ID) (string, int) {
	switch {
	case queue != "" && !strings.Contains(s.teams, ","+queue+","):
		return "not in team", 6
	case !s.online:
		return "offline", 5
	case s.availability == "b":
		return "busy", 3
	case s.availability != "a":
		return "away", 4
	case s.used >= s.cap:
		return fmt.Sprintf("full %d/%d", s.used, s.cap), 2
	}
	return "", 1
}

// comparison says why a free agent came after the chosen one.
func comparison(s, chosen seat) string {
	if s.used*max(chosen.cap, 1) > chosen.used*max(s.cap, 1) {
		return fmt.Sprintf("more loaded %d/%d", s.used, s.cap)
	}
	return "as loaded, but was given a ticket later, or lacks a skill"
}
