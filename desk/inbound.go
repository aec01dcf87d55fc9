package desk

import "time"

// EnvelopeType says what an envelope carries.
type EnvelopeType string

const (
	EnvelopeMessage EnvelopeType = "message" // something a customer wrote, or a call: becomes or changes a message
	EnvelopeReceipt EnvelopeType = "receipt" // the provider tells what became of a reply
)

// An Envelope is what a provider handed over, untouched: the raw bytes and what must be known to keep them in order and
// apart. It is stored before it is understood.
type Envelope struct {
	ID         ID                // Made by the connector or, when empty, by Accept.
	ChannelID  ID                // Filled in by the fleet's Inbox.
	Kind       string            // The channel's kind; filled in likewise.
	Type       EnvelopeType      // Empty means EnvelopeMessage.
	ExternalID string            // The provider's id, unique in the channel. Never empty.
	Sender     string            // Whose turn it is: envelopes of one sender are filed in the order they were accepted. Never empty.
	Digest     string            // Hash of what the sender meant, when the same ExternalID may come with other content. "" skips the check.
	Meta       map[string]string // What the transport knew beside the body: header values, remote address, verified claims.
	Raw        []byte            // The body. Over 64 KB it is kept as a blob and Raw is loaded from there.
	RawBlob    string            // Blob key of Raw when it is kept outside the row.
	ReceivedAt Time              // Filled in by Accept when zero.

	// Seq, Duplicate and Conflict are the answer of Accept. Seq counts the envelopes and shown replies of one sender on one
	// channel from 1, strictly rising, in the order they became durable. A duplicate carries ID and Seq of the first one;
	// Conflict tells that the first one's Digest was another.
	Seq       int64
	Duplicate bool
	Conflict  bool
	Attempts  int // How often processing was tried, this time included. Set when claimed.
}

// An Identity is one address of a person on one kind of channel.
type Identity struct {
	Type     string `json:"type"`     // email, phone, webchat, wechat_openid, wechat_unionid, wecom_userid, external (the host page's own user id)
	Value    string `json:"value"`    // Normalized: lower-case address, E.164, open id.
	Scope    string `json:"scope"`    // "" when the value means the same person everywhere; else the channel id it is valid in.
	Verified bool   `json:"verified"` // Proven by the channel (signature, login), not only claimed. Only these join contacts by themselves.
}

// Class sorts messages by who wrote them: only ClassNormal may be answered automatically.
type Class string

const (
	ClassNormal Class = "normal"
	ClassAuto   Class = "auto-reply"
	ClassBounce Class = "bounce"
	ClassLoop   Class = "loop"
	ClassSpam   Class = "spam"
	ClassList   Class = "list"
)

// An Inbound is one envelope understood: what a kind's Decode returns.
type Inbound struct {
	Type        EnvelopeType
	From        Identity   // Who wrote. From.Type and From.Value are never empty for messages.
	Also        []Identity // Further identities of the same person, e.g. e-mail and phone known by the host page.
	Name        string     // What the person calls himself; may be "".
	Level       string     // Customer level when the channel proves it, e.g. "vip".
	Language    string     // BCP 47 tag when known.
	SentAt      Time       // The sender's clock. Zero: the envelope's ReceivedAt.
	Subject     string
	Text        string // What the person wrote, plain text.
	HTML        string // The original HTML when there was one; never shown unsanitized.
	Quoted      string // History and signature split from Text: folded, not lost.
	Attachments []InboundAttachment
	Class       Class    // Empty means ClassNormal.
	Repairs     []string // What had to be mended to read it, in words for the agent.

	// ThreadKeys name conversations this message may belong to, strongest first (e-mail: reply token, In-Reply-To, References).
	// Empty means: the sender's open ticket on this channel (chat). OwnKeys are the keys under which later messages find this one.
	ThreadKeys []string
	OwnKeys    []string
	// Members, when set, are the addresses a message came from and went to; its sender must then belong to the ticket a thread
	// key names (be its customer or a member of an earlier message), or a new ticket linked to it is opened. The first Proven
	// keys need no such check: only who received our answer knows them. A member key is scoped to its ticket by the store.
	Members []string
	Proven  int
	// Topic, when set, is the subject without prefixes: one that has nothing in common with the subject of the ticket a key leads
	// to opens a new ticket linked to it, unless the key is the ticket's number. "" skips the check.
	Topic string
	// UpdateKey, when set, makes this inbound change the message of the same channel and key in place instead of adding one.
	UpdateKey string
	// Call, when set, is one thing a call centre says of a call: the store joins it with what it knows of that call and keeps one
	// message per call. ThreadKeys and UpdateKey are then not used.
	Call *CallReport
	// Ask, when set, is a question the house answers by itself: a ticket's number, or "*" for the customer's open tickets. It opens
	// no ticket; the answer is a job that commits with it.
	Ask string
	// SameAs are keys that are the same on every channel (a mail's Message-ID): a ticket opened by this message is linked with one
	// that another of our mailboxes opened by its copy.
	SameAs []string
	// FreshAfter, when not zero, is how long a resolved or waiting ticket takes further messages of this kind of thread: one that
	// comes later opens a new linked ticket.
	FreshAfter time.Duration
	Headers    *Headers // Who else the message went to and what is known of its origin (e-mail).
	// FromAgent marks what a colleague wrote outside Hearback (WeCom client): filed as an outgoing message, already sent.
	FromAgent bool
	// Retracts, when set, is the external id of a message its writer has taken back: that message is marked, not deleted.
	Retracts string
	NoTicket bool // Keep it in the ledger and, when a ticket is open, on it; but open none for it (subscribe events, automatic mail).
	Fields   map[string]string
	Window   *Window  // How long and how often we may answer after this message; nil leaves the ticket's as it is.
	Receipt  *Receipt // Set when Type is EnvelopeReceipt.
}

// A Window limits replies after a customer's message.
type Window struct {
	ClosesAt  Time `json:"closes_at"` // Zero: never.
	Remaining int  `json:"remaining"` // -1: no limit.
	// Reason, when set, says why nothing can be sent although the time is not up, e.g. "unsubscribed". It shuts every open ticket of
	// the sender.
	Reason string `json:"reason,omitempty"`
	// WarnBefore is how long before ClosesAt the agent is warned. 0: not at all.
	WarnBefore time.Duration `json:"warn_before,omitempty"`
	// Widens tells that this window counts only where none that closes later is open: a tap on a menu gives a minute and takes no hours.
	Widens bool `json:"widens,omitempty"`
}

// Headers are what a mail's head tells the agent. Addresses are "Name <user@host>" or bare.
type Headers struct {
	From    string   `json:"from,omitempty"`
	ReplyTo string   `json:"reply_to,omitempty"` // Where the writer wants the answer, when it is not From.
	To      []string `json:"to,omitempty"`
	Cc      []string `json:"cc,omitempty"`
	Bcc     []string `json:"bcc,omitempty"` // Of our own mails only.
	Subject string   `json:"subject,omitempty"`
	Checks  []Check  `json:"checks,omitempty"`
	Badges  []string `json:"badges,omitempty"` // signed, encrypted, invitation, spoofed, retracted
}

// A Check is one verdict of the receiving server about where a mail came from.
type Check struct {
	Name   string `json:"name"`   // spf, dkim, dmarc
	Result string `json:"result"` // pass, fail, softfail, neutral, none, temperror, permerror
	Detail string `json:"detail,omitempty"`
}

// An InboundAttachment comes with its bytes, as a blob already stored, or as a reference the connector can fetch later.
type InboundAttachment struct {
	Name      string
	Type      string // Media type as declared; the store sniffs too.
	Size      int64
	Inline    bool
	ContentID string
	Data      []byte
	Blob      string // Key of a blob stored before.
	Ref       string // What Fetcher.Fetch needs (a media id, a URL). Fetched after filing.
	ExpiresAt Time   // When Ref stops working.
}

// A Receipt is the provider's word about replies sent before.
type Receipt struct {
	ExternalIDs []string // Provider-visible ids of the replies spoken of.
	State       DeliveryState
	Hint        string
	Code        string
}

// Outcome is where an inbound item ended: exactly one each, visible in the ledger.
type Outcome string

const (
	OutcomeTicket    Outcome = "ticket"   // filed in a new ticket
	OutcomeAppended  Outcome = "appended" // filed in a ticket that was there
	OutcomeUpdated   Outcome = "updated"  // changed a message in place (a call, a receipt)
	OutcomeDuplicate Outcome = "duplicate"
	OutcomeAuto      Outcome = "auto-reply"
	OutcomeLoop      Outcome = "loop"
	OutcomeSpam      Outcome = "spam"
	OutcomeRejected  Outcome = "rejected"
	OutcomeDead      Outcome = "dead"
)
