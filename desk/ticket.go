package desk

// Status is a ticket's state. The words are the API's.
type Status string

const (
	StatusNew      Status = "new"      // 待分配: nobody owns it
	StatusOpen     Status = "open"     // 处理中: an agent owns it
	StatusWaiting  Status = "waiting"  // 待客户反馈: waiting for the customer
	StatusResolved Status = "resolved" // 待客户确认: answered, the customer may say otherwise
	StatusClosed   Status = "closed"   // 已关闭: read only
	StatusArchived Status = "archived" // 已归档
)

// Active tells whether a ticket takes further messages without being reopened.
func (s Status) Active() bool { return s == StatusNew || s == StatusOpen || s == StatusWaiting }

// Done tells whether a ticket is closed for good: nothing is written on it any more, a new message opens a linked one.
func (s Status) Done() bool { return s == StatusClosed || s == StatusArchived }

// Priority orders tickets of equal age.
type Priority string

const (
	PriorityNormal   Priority = "normal"   // 普通
	PriorityUrgent   Priority = "urgent"   // 紧急
	PriorityCritical Priority = "critical" // 特急
)

// A Ticket is one matter of one contact.
type Ticket struct {
	ID                 ID
	Number             string // GD20260101-0001
	Status             Status
	Priority           Priority
	Subject            string
	ChannelID          ID
	ChannelKind        string
	Sender             string // The conversation on that channel by which replies leave (Envelope.Sender).
	ContactID          ID
	AssigneeID         ID // "" when nobody owns it.
	AssignEpoch        int64
	TeamID             ID // "" for no team.
	LastAgentID        ID // Who owned it before; the router prefers him.
	Tags               []string
	Fields             map[string]string
	Version            int64 // The ticket's own clock: every change counts it up.
	LastMessageAt      Time
	LastMessageText    string // First 140 characters of the last customer or agent message, for lists.
	LastMessageBy      string // in or out
	FirstReplyAt       Time
	FirstResponseDueAt Time
	ResolutionDueAt    Time
	WindowClosesAt     Time
	WindowRemaining    int    // -1: no limit
	WindowReason       string // Why nothing can be sent although the time is not up; "" when it can.
	Callback           Callback
	WaitingSince       Time // The oldest customer message nobody answered yet; zero when none waits.
	LinkedTicketID     ID   // The ticket this one continues.
	SnoozedUntil       Time
	CreatedAt          Time
	UpdatedAt          Time
	ResolvedAt         Time
	ClosedAt           Time
}

// A Callback is the promise to call a customer back.
type Callback struct {
	State  string // "" none, due, requested (the call centre was asked), done
	Number string // E.164
	DueAt  Time
}

// Direction says which way a message went.
type Direction string

const (
	DirectionIn     Direction = "in"
	DirectionOut    Direction = "out"
	DirectionNote   Direction = "note"   // internal, never leaves
	DirectionSystem Direction = "system" // what the house did: assigned, transferred, resolved
)

// An Author is who wrote a message.
type Author struct {
	Kind string `json:"kind"` // contact, agent, bot, system
	ID   ID     `json:"id"`
	Name string `json:"name"`
}

// A Message is one entry of a ticket's timeline. Seq is the ticket's version when it was written: unique and rising per ticket.
type Message struct {
	ID          ID
	TicketID    ID
	Seq         int64
	Direction   Direction
	Author      Author
	Text        string
	HTML        string
	Quoted      string
	Class       Class
	Event       *SystemEvent // Set when Direction is system.
	Call        *Call
	Headers     *Headers
	Means       string // How a reply leaves when not as a written message: callback, template.
	Attachments []Attachment
	Repairs     []string
	ExternalID  string // Provider-visible id of this message, minted with it for replies.
	ChannelID   ID     // By which it came or leaves; "" is the ticket's own.
	CreatedAt   Time
	UpdatedAt   Time
	Delivery    *DeliveryInfo // For outgoing messages.
}

// A SystemEvent is what the house or a person did to a ticket, as data: the console puts it into words of the reader's language.
type SystemEvent struct {
	Type   string            `json:"type"` // created, assigned, unassigned, claimed, transferred, resolved, closed, reopened, classified, linked, merged, requeued, status, priority, tags, fields
	Actor  Author            `json:"actor"`
	Reason string            `json:"reason,omitempty"`
	Data   map[string]string `json:"data,omitempty"`
}

// An Attachment is a stored file of a message.
type Attachment struct {
	ID        ID     `json:"id"`
	MessageID ID     `json:"message_id"`
	Name      string `json:"name"`
	Type      string `json:"type"`
	Size      int64  `json:"size"`
	Blob      string `json:"-"`
	Inline    bool   `json:"inline,omitempty"`
	ContentID string `json:"content_id,omitempty"`
	State     string `json:"state"` // stored, pending (still to be fetched), failed
	Hint      string `json:"hint,omitempty"`
}

// A Contact is a person who writes to us.
type Contact struct {
	ID         ID
	Name       string
	Level      string // "", "vip", or what the admin defines
	Language   string
	Company    string
	Note       string
	Fields     map[string]string
	Identities []Identity
	CreatedAt  Time
	UpdatedAt  Time
}
