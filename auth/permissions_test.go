package auth

import (
	"strings"
	"testing"

	"hearback/desk"
)

// every permission in the order of the columns below.
var every = []Permission{TicketsRead, TicketsWrite, ContactsRead, ContactsWrite, PeopleRead, PeopleWrite, RulesRead, RulesWrite,
	ChannelsRead, ChannelsWrite, IntakeRead, IntakeWrite, HealthRead, AuditRead}

func TestRolesMayWhatTheTableSays(t *testing.T) {
	//                                    tickets contacts people rules channels intake health audit
	//                                    r w     r w      r w    r w   r w      r w    r      r
	for role, want := range map[desk.Role]string{
		desk.RoleAgent:      "1 1     1 1      1 0    0 0   0 0      0 0    0      0",
		desk.RoleSupervisor: "1 1     1 1      1 0    1 0   1 0      0 0    1      0",
		desk.RoleAdmin:      "1 1     1 1      1 1    1 1   1 1      1 1    1      1",
		"":                  "0 0     0 0      0 0    0 0   0 0      0 0    0      0",
		"king":              "0 0     0 0      0 0    0 0   0 0      0 0    0      0",
	} {
		p := Principal{Agent: desk.Agent{Role: role}}
		columns := strings.Fields(want)
		granted := 0
		for i, permission := range every {
			if p.Can(permission) != (columns[i] == "1") {
				t.Errorf("%s %s: %v", role, permission, p.Can(permission))
			}
			if columns[i] == "1" {
				granted++
			}
		}
		if len(p.Permissions()) != granted {
			t.Errorf("%s: %q", role, p.Permissions())
		}
	}
}

func TestScopeFollowsTheRole(t *testing.T) {
	mine := desk.Ticket{AssigneeID: "me", TeamID: "other"}
	ourQueue, ourColleague := desk.Ticket{TeamID: "us"}, desk.Ticket{TeamID: "us", AssigneeID: "colleague"}
	common, commonOwned := desk.Ticket{}, desk.Ticket{AssigneeID: "colleague"}
	theirs := desk.Ticket{TeamID: "other"}
	for role, want := range map[desk.Role]string{
		desk.RoleAgent: "110100", desk.RoleSupervisor: "111110", desk.RoleAdmin: "111111", "king": "000000",
	} {
		scope := Principal{Agent: desk.Agent{ID: "me", Role: role, Teams: []desk.ID{"us"}}}.Scope()
		got := ""
		for _, x := range []desk.Ticket{mine, ourQueue, ourColleague, common, commonOwned, theirs} {
			got += map[bool]string{true: "1", false: "0"}[scope.Sees(x)]
		}
		if got != want {
			t.Errorf("%s sees %s, want %s", role, got, want)
		}
	}
}
