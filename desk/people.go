package desk

// Role is what a person may do; scopes follow from it.
type Role string

const (
	RoleAdmin      Role = "admin"      // everything
	RoleSupervisor Role = "supervisor" // tickets and people of his teams
	RoleAgent      Role = "agent"      // his own tickets and the queues of his teams
)

// An Agent is a person who answers. Bots are agents too (Bot true): assigned, answering and handing over the same way.
type Agent struct {
	ID         ID
	Email      string
	Name       string
	Role       Role
	Teams      []ID
	Skills     []string
	Capacity   int // Weighted units of work at once; 0 means the default of 10.
	Bot        bool
	Disabled   bool
	Language   string
	Extensions []string // What call centres call him: extension, seat number, user name. Compared without regard to case.
	Signature  string   // Below his letters.
	CreatedAt  Time
	UpdatedAt  Time
}

// A Team is a group that shares a queue.
type Team struct {
	ID        ID
	Name      string
	Queues    []string // Names and numbers of the call queues that are this team's. Compared without regard to case.
	Template  string   // Its letters: {{text}} with {{signature}}, {{agent}}, {{customer}}, {{number}}. "" is the text with the signature below.
	CreatedAt Time
	UpdatedAt Time
}

// A Rule classifies by keywords. Rules are tried in ascending Position; the first that matches decides the team and the
// priority, every one that matches adds its tags.
type Rule struct {
	ID        ID
	Name      string
	Position  int
	Enabled   bool
	All       []string // every one must occur
	Any       []string // at least one must occur; empty with All non-empty is fine
	Not       []string // none may occur
	Channels  []ID     // only on these; empty means all
	TeamID    ID
	Priority  Priority // "" leaves it
	Tags      []string
	Version   int64
	CreatedAt Time
	UpdatedAt Time
}

// Availability is what an agent says of himself; being connected is separate.
type Availability string

const (
	Available Availability = "available"
	Busy      Availability = "busy"
	Away      Availability = "away"
)

// A Channel is one mailbox, account, widget or number that customers reach us by.
type Channel struct {
	ID        ID
	Kind      string
	Name      string
	Enabled   bool
	TeamID    ID                // Where tickets go that no rule sends elsewhere; "" for the common queue.
	Settings  map[string]string // Plain settings and opened secrets together while in memory. Never logged.
	Version   int64             // Counts changes: the fleet reloads when it differs.
	CreatedAt Time
	UpdatedAt Time
}
