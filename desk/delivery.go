package desk

// DeliveryState is how far a reply has come. sent, delivered and read only ever rise.
type DeliveryState string

const (
	DeliveryQueued    DeliveryState = "queued"
	DeliverySending   DeliveryState = "sending"
	DeliverySent      DeliveryState = "sent"
	DeliveryDelivered DeliveryState = "delivered"
	DeliveryRead      DeliveryState = "read"
	DeliveryFailed    DeliveryState = "failed"
	DeliveryUncertain DeliveryState = "uncertain" // may have been sent; a person decides
	DeliveryHeld      DeliveryState = "held"      // the channel's credentials are refused; goes on when they are mended
)

// DeliveryInfo is what the agent sees of a delivery.
type DeliveryInfo struct {
	ID       ID            `json:"id"`
	State    DeliveryState `json:"state"`
	Code     string        `json:"code,omitempty"`
	Hint     string        `json:"hint"`
	Attempts int           `json:"attempts"`
	NextAt   Time          `json:"next_at"`
}

// An Outbound is one reply on its way to a provider: everything Send needs, nothing it has to look up.
type Outbound struct {
	DeliveryID  ID
	MessageID   ID
	TicketID    ID
	Number      string // The ticket's number, for subjects and links.
	ChannelID   ID
	Sender      string   // Envelope.Sender of the conversation the reply belongs to.
	To          Identity // The customer's identity on this channel.
	ToName      string
	ReplyTo     string // Where the customer's last message asks answers to go (its Headers.ReplyTo), when that is not To.
	Cc          []string
	Bcc         []string
	Subject     string
	Text        string
	HTML        string
	Attachments []Attachment // Blobs are opened through Tools.Blobs.
	ExternalID  string       // Minted in the reply's transaction: Message-ID, msgid. The same on every attempt.
	InReplyTo   []string     // External ids of the conversation, oldest first, the last inbound last.
	Quote       *Quote       // The customer's last message before, for channels whose Capabilities want History.
	// Means is how it leaves when not as a written message: one of the channel's Capabilities.Means, e.g. "callback", "template".
	Means string
	// Signature is the agent's and Template the team's (with {{text}}, {{signature}}, {{agent}}, {{customer}}, {{number}}), for channels
	// that write letters. Both may be "".
	Signature string
	Template  string
	// WindowClosesAt and WindowRemaining are the ticket's, for the conversation the reply leaves by: zero and -1 when there is no limit.
	WindowClosesAt  Time
	WindowRemaining int    // the place this reply holds counts as free
	WindowReason    string // why the conversation is shut although its time is not up, e.g. "unsubscribed"
	Author          Author
	Extension       string // The author's telephone, for channels that have him called; "" when he has none.
	Automatic       bool   // Written by the house, not a person: e-mail marks it, and limits apply.
	Attempt         int
	CreatedAt       Time
}

// A Quote is an earlier message, repeated below an answer.
type Quote struct {
	Author string
	Text   string
	At     Time
}
