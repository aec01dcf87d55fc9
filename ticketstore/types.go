package ticketstore

import (
	"encoding/json"
	"log/slog"
	"time"

	"hearback/desk"
	// vault is on the floor below
	"hearback/vault"
)

// Options says how to open the store.
type Options struct {
	URL    string // "sqlite:PATH", a bare path, or "postgres://…"
	Vault  *vault.Vault
	Logger *slog.Logger
	Now    func() time.Time // nil: time.Now
	// Tokenize turns text into search words and single characters, space separated (normalizer.SearchWords; same floor, so it
	// is lent). nil: nothing is indexed.
	Tokenize func(text string) (words, singles string)
	// Location decides when a new day of ticket numbers begins. nil: time.Local.
	Location *time.Location
}

// An Arrival is what one Accept call brought: envelopes of one channel and the channel's new cursor (nil: unchanged).
type Arrival struct {
	ChannelID desk.ID
	Envelopes []desk.Envelope // ID, Seq, Duplicate and Conflict are filled in place
	Cursor    []byte
}

// A Plan is what classification proposes for a message, used when it opens a new ticket.
type Plan struct {
	TeamID           desk.ID
	Priority         desk.Priority // "" means normal
	Tags             []string
	Decision         json.RawMessage // stored as a decision of kind "classified"; nil: none
	FirstResponseDue desk.Time       // 0: none
}

// A Filing is one claimed envelope with what it was understood to be.
type Filing struct {
	Envelope desk.Envelope
	Inbounds []desk.Inbound
	Plans    []Plan // parallel to Inbounds
	// Outcome and Reason, when set, settle the envelope without filing anything (rejected, loop, dead).
	Outcome desk.Outcome
	Reason  string
}

// A Filed is what became of a Filing.
type Filed struct {
	EnvelopeID desk.ID
	Outcome    desk.Outcome
	Reason     string
	TicketID   desk.ID
	MessageID  desk.ID
	Opened     []desk.Ticket // tickets this envelope opened: to be queued
	Reopened   []desk.Ticket // tickets it brought back to new: to be queued again
	Resumed    []desk.Ticket // tickets reopened with the owner they had: they count as his load again
	Wrote      []desk.Ticket // tickets a message was added to, as they are now
	Events     []desk.Event  // to be published after the commit
	Skipped    bool          // somebody else settled it meanwhile, or an earlier envelope of the sender is unfinished: nothing was done
	Fetch      bool          // attachments wait to be fetched
	Asked      bool          // a question waits to be answered
}

// A LedgerEntry is one inbox row as the ledger shows it.
type LedgerEntry struct {
	ID         desk.ID
	ChannelID  desk.ID
	Kind       string
	Type       desk.EnvelopeType
	ExternalID string
	Sender     string
	ReceivedAt desk.Time
	State      string // new, done, dead
	Attempts   int
	Outcome    desk.Outcome
	Reason     string
	TicketID   desk.ID
	MessageID  desk.ID
}

// LedgerFilter narrows the ledger. Zero fields do not narrow.
type LedgerFilter struct {
	Outcome   desk.Outcome
	State     string
	ChannelID desk.ID
	Cursor    string // of the page before
	Limit     int    // 0: 50; at most 200
}

// A ReplyInput is an agent's, bot's or the house's answer to a ticket.
type ReplyInput struct {
	TicketID       desk.ID
	Author         desk.Author
	Text           string
	HTML           string
	AttachmentIDs  []desk.ID // uploads made before by the same author
	IdempotencyKey string    // the same key again returns the first message, Again true; with other text desk.ErrConflict
	Automatic      bool
	NewExternalID  func(m desk.Message, t desk.Ticket) string // nil: the message id
	KeepStatus     bool                                       // do not move new/resolved tickets to open
	// Route, when set, makes the reply leave by another way than the ticket's own. The answer to it comes back to this ticket.
	Route   *Route
	Cc, Bcc []string // addresses, for channels that have them
	Subject string   // "" is that of the last customer message
	// IfSeq, when set, refuses the reply with a *Answered error when another person replied after that message.
	IfSeq int64
}

// A Route is another way for a reply: a channel, the conversation on it and the customer's address there. The zero ChannelID is
// the ticket's own channel (for another Means).
type Route struct {
	ChannelID desk.ID
	Sender    string
	To        desk.Identity
	Means     string
}

// A Start opens a ticket by writing to a customer, or by noting what he said elsewhere.
type Start struct {
	ChannelID      desk.ID
	ChannelKind    string
	Sender         string        // the conversation the message leaves by
	To             desk.Identity // whom it goes to; his contact is found or made
	Name           string        // of a new contact
	ContactID      desk.ID       // when the contact is known already
	TeamID         desk.ID
	Assignee       desk.ID // "" leaves it to the router
	Subject        string
	Text, HTML     string // "" opens the ticket without writing to anybody
	Cc, Bcc        []string
	AttachmentIDs  []desk.ID
	Author         desk.Author
	IdempotencyKey string // unique per author; the same again returns the first ticket
	NewExternalID  func(m desk.Message, t desk.Ticket) string
	Means          string
	Due            desk.Time // first response
}

// A CallRow is a call as the store knows it.
type CallRow struct {
	ChannelID desk.ID
	Key       string
	Customer  string
	ContactID desk.ID
	TicketID  desk.ID
	MessageID desk.ID
	Call      desk.Call
	AgentIDs  []desk.ID // whose phones ring, or who talks
	Rang      []desk.ID // at whose phones it has rung
	TeamID    desk.ID   // the queue's, else the channel's
}

// A ReplyResult is the message written and the events to publish.
type ReplyResult struct {
	Message desk.Message
	Ticket  desk.Ticket
	Again   bool
	Events  []desk.Event
}

// A ClaimedDelivery is a reply whose attempt has been registered, with everything Send needs.
type ClaimedDelivery struct {
	Outbound    desk.Outbound
	GiveUpAt    desk.Time
	PartsDone   int  // parts of a split text the provider already has
	Interrupted bool // an earlier attempt began and nobody knows how it ended (its lease ran out in state sending)
}

// A Settlement is what became of one attempt.
type Settlement struct {
	DeliveryID  desk.ID
	State       desk.DeliveryState // queued (try again at NextAt), sent, delivered, read, failed, uncertain, held
	NextAt      desk.Time
	ProviderID  string
	Code, Hint  string
	FreeAttempt bool // Throttled: the attempt is given back
	PartsDone   int  // parts of a split text the provider has by now; never falls
}

// An Assignment is the router's pick, to be confirmed by SQL.
type Assignment struct {
	TicketID desk.ID
	AgentID  desk.ID
	Epoch    int64
	Kind     string          // assigned, claimed, transferred
	Actor    desk.Author     // who caused it; the system for automatic picks
	Decision json.RawMessage // why, with the candidates passed over
	// Unowned restricts the assignment to tickets nobody owns; without it a new owner replaces the old one (transfer).
	Unowned bool
	Reason  string
}

// An AssignResult tells whether SQL accepted a pick. Taken false means the pick must be released; Ticket is as it stands.
type AssignResult struct {
	Taken  bool
	Ticket desk.Ticket
	Events []desk.Event
}

// A Load is one ticket as the router must know it to rebuild its board.
type Load struct {
	TicketID    desk.ID
	Status      desk.Status
	AssigneeID  desk.ID
	Epoch       int64
	TeamID      desk.ID
	LastAgentID desk.ID
	ChannelKind string
	Priority    desk.Priority
	DueAt       desk.Time // first response due; zero: created_at decides
	CreatedAt   desk.Time
}

// A Decision is one stored "why".
type Decision struct {
	ID     desk.ID
	Kind   string
	At     desk.Time
	Detail json.RawMessage
}

// Scope limits what a person sees. All wins over the rest; otherwise tickets assigned to AgentID, plus those of Teams and of no
// team (with UnownedOnly, of these only the ones nobody owns). A scope that names nobody shows nothing.
type Scope struct {
	All         bool
	AgentID     desk.ID
	Teams       []desk.ID
	UnownedOnly bool // agents: of their teams' tickets only those nobody owns
}

// TicketFilter narrows a ticket list. Zero fields do not narrow.
type TicketFilter struct {
	Scope     Scope
	Status    []desk.Status
	Assignee  desk.ID // "none": nobody
	TeamID    desk.ID
	ChannelID desk.ID
	ContactID desk.ID
	Query     string // a ticket number or words, Chinese included
	Overdue   bool
	Snoozed   *bool
	Sort      string // "next" (what must be answered next, the default), "updated", "created"
	Cursor    string
	Limit     int // 0: 50; at most 200
}

// A TicketRow is a ticket with the names a list shows.
type TicketRow struct {
	desk.Ticket
	ContactName  string
	ContactLevel string
	AssigneeName string
	TeamName     string
	ChannelName  string
	Unread       bool // customer messages the reader has not seen
}

// ViewCounts are the live numbers beside the views.
type ViewCounts struct {
	Mine, Queue, Waiting, Overdue, Open, Resolved, All int
}

// A Change is one act of a person on a ticket. Exactly one field group is used per call.
type Change struct {
	TicketID     desk.ID
	Actor        desk.Author
	Status       desk.Status // resolve, close, reopen (to open or new)
	Reason       string
	Subject      *string
	Priority     *desk.Priority
	Tags         *[]string
	Fields       map[string]string // nil value "" removes a key
	SnoozedUntil *desk.Time
}

// A SecretStatus is what may be shown of a stored secret.
type SecretStatus struct {
	Field    string
	LastFour string
}

// ChannelHealth is a channel's light.
type ChannelHealth struct {
	LastSuccessAt desk.Time
	LastFailureAt desk.Time
	LastError     string
	Held          bool // credentials refused: deliveries wait
	Waiting       int  // deliveries queued or held
}

// A Session is one log-in of one browser.
type Session struct {
	ID        desk.ID
	AgentID   desk.ID
	UserAgent string
	Address   string
	CreatedAt desk.Time
	SeenAt    desk.Time
	ExpiresAt desk.Time
}

// A Token is an API token as listed: never the secret itself.
type Token struct {
	ID        desk.ID
	AgentID   desk.ID
	Name      string
	LastFour  string
	CreatedAt desk.Time
	UsedAt    desk.Time
}

// A Job is a durable piece of later work.
type Job struct {
	ID         desk.ID
	Kind       string
	DedupeKey  string // "" for none; a second job of the same key is not stored
	Payload    json.RawMessage
	RunAt      desk.Time
	Attempts   int
	Max        int // attempts before it is dead
	DeadlineAt desk.Time
}

// A PendingAttachment is a file that must still be fetched from its provider.
type PendingAttachment struct {
	desk.Attachment
	TicketID  desk.ID
	ChannelID desk.ID
	Ref       string    // what connectors.Fetcher.Fetch needs
	ExpiresAt desk.Time // when Ref stops working; 0: never
	Attempts  int       // this one included
}

// A LogEntry is one line of a sender's conversation: an inbound envelope of type message, or what AppendLog added.
type LogEntry struct {
	Seq     int64
	ID      string // inbound: the envelope's external id
	Inbound bool
	Body    []byte // inbound: the envelope's Raw (nil when it was kept as a blob)
	At      desk.Time
}
