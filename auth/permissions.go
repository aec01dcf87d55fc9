package auth

import (
	"slices"

	"hearback/desk"
	"hearback/ticketstore"
)

// A Permission is one thing a role may do. The words are those the routes declare and the pages ask for.
type Permission string

const (
	TicketsRead   Permission = "tickets:read"  // within the role's scope
	TicketsWrite  Permission = "tickets:write" // within the role's scope: answer, note, claim, transfer, resolve
	ContactsRead  Permission = "contacts:read"
	ContactsWrite Permission = "contacts:write"
	PeopleRead    Permission = "people:read" // agents, teams, presence
	PeopleWrite   Permission = "people:write"
	RulesRead     Permission = "rules:read"
	RulesWrite    Permission = "rules:write"
	ChannelsRead  Permission = "channels:read"
	ChannelsWrite Permission = "channels:write"
	IntakeRead    Permission = "intake:read"  // the ledger and the raw originals, of all teams
	IntakeWrite   Permission = "intake:write" // process again
	HealthRead    Permission = "health:read"
	AuditRead     Permission = "audit:read"
)

// roles is all there is to know about who may do what.
var roles = map[desk.Role][]Permission{
	desk.RoleAgent: {TicketsRead, TicketsWrite, ContactsRead, ContactsWrite, PeopleRead},
	desk.RoleSupervisor: {TicketsRead, TicketsWrite, ContactsRead, ContactsWrite, PeopleRead,
		RulesRead, ChannelsRead, HealthRead},
	desk.RoleAdmin: {TicketsRead, TicketsWrite, ContactsRead, ContactsWrite, PeopleRead, PeopleWrite,
		RulesRead, RulesWrite, ChannelsRead, ChannelsWrite, IntakeRead, IntakeWrite, HealthRead, AuditRead},
}

// A Principal is who makes a request.
type Principal struct {
	Agent      desk.Agent
	SessionID  desk.ID // "" for an API token
	Token      bool    // a program with an API token: it may do what its owner may
	MustChange bool    // the password was given by somebody else: only changing it should be allowed
}

// Can tells whether the principal's role has a permission. A role nobody knows has none.
func (p Principal) Can(need Permission) bool { return slices.Contains(roles[p.Agent.Role], need) }

// Permissions lists them all, for pages.
func (p Principal) Permissions() []string {
	var all []string
	for _, x := range roles[p.Agent.Role] {
		all = append(all, string(x))
	}
	return all
}

// Scope is which tickets the principal sees: an admin all of them; a supervisor his own, those of his teams and those of no
// team; an agent his own and, of his teams and of no team, those nobody owns.
func (p Principal) Scope() ticketstore.Scope {
	switch p.Agent.Role {
	case desk.RoleAdmin:
		return ticketstore.Scope{All: true, AgentID: p.Agent.ID}
	case desk.RoleSupervisor:
		return ticketstore.Scope{AgentID: p.Agent.ID, Teams: p.Agent.Teams}
	case desk.RoleAgent:
		return ticketstore.Scope{AgentID: p.Agent.ID, Teams: p.Agent.Teams, UnownedOnly: true}
	}
	return ticketstore.Scope{} // sees nothing
}
