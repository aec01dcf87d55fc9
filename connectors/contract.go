package connectors

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"hearback/desk"
)

// A Kind is one type of channel. Each connector package exports exactly one.
type Kind struct {
	Name   string // "email"; the word in the API, the command line and the database
	Title  Text
	Fields []Field // settings and credentials the admin form asks for

	// Decode understands one envelope. It is pure: no network, no clock, no state; the same bytes give the same answer, so
	// that an envelope can be processed again after a fix. No result and no error means: nothing worth showing.
	Decode func(desk.Envelope) ([]desk.Inbound, error)

	// DecodeBig, when set, is Decode for originals kept outside the row (Envelope.RawBlob; Raw is empty): it reads them as a stream,
	// so that memory does not grow with them. Like Decode but for the files it keeps in b.
	DecodeBig func(ctx context.Context, e desk.Envelope, b Blobs) ([]desk.Inbound, error)

	// Open makes a channel ready. It must return quickly and must not fail because the provider is away: that shows in
	// health. It fails on settings that cannot work.
	Open func(context.Context, desk.Channel, Tools) (Connector, error)

	// Test, when set, tries the settings against the provider and says in a sentence what is wrong and how to mend it.
	Test func(context.Context, desk.Channel, Tools) error

	// Check, when set, judges settings that pass their fields' own rules but do not fit together. Pure, like Decode.
	Check func(settings map[string]string) []Problem

	// Acknowledge, when set, is what a customer is told at once when his message opened a ticket; "" for nothing. Pure.
	Acknowledge func(ch desk.Channel, in desk.Inbound, number string) string

	// Embed, when set, is what an admin pastes into his own page: an HTML snippet for this channel.
	Embed func(publicURL string, ch desk.Channel) string

	// Patient tells that customers of this kind do not wait at a screen: their tickets stay with an agent who lost his
	// connection instead of going back to the queue.
	Patient bool

	// Reach, when set, tells whether a channel may write to an address that did not write to it first, and by which conversation
	// (Envelope.Sender). Pure. It makes the channel another way to answer a contact, and one to start a ticket by.
	Reach func(ch desk.Channel, to desk.Identity) (sender string, ok bool)

	// Asks tells that customers of this kind may ask for their tickets' state by writing (a number, "进度"): the house answers.
	Asks bool

	// Mount, when set, is a second public address of the kind's channels: Prefix + the value of the secret field Field.
	Mount *Mount

	// Try, when set, shows what a request of the provider would become, without a channel and changing nothing. Pure.
	Try func(settings map[string]string, s Sample) Trial

	// Consent, when set, lets an admin log in at the provider instead of typing credentials (OAuth 2, RFC 6749 4.1 with PKCE).
	Consent *Consent

	// Demo, when set, are the settings of the channel that the demo adds on first start.
	Demo map[string]string
}

// A Mount is a second public address: /api/v1/cti/{token}.
type Mount struct {
	Prefix string // "/api/v1/cti/"
	Field  string // "token"
}

// A Sample is one request of a provider, pasted by an admin.
type Sample struct {
	Method string
	Query  url.Values
	Header http.Header
	Body   []byte
}

// A Trial is what a sample becomes.
type Trial struct {
	Inbounds []desk.Inbound
	Call     *desk.Call // all events of the sample as one call
	Answer   Answer     // what the provider would be told
	Problems []Problem  // why it cannot be read, or what was left out
}

// An Answer is an HTTP answer.
type Answer struct {
	Status int    `json:"status"`
	Type   string `json:"type"`
	Body   string `json:"body"`
}

// A Consent is a provider's log-in page and what to do with its answer. Channels remember nothing: state and verifier are the
// admin's.
type Consent struct {
	// URL is where the admin's browser goes. An error says in a sentence which setting is missing.
	URL func(ch desk.Channel, redirect, state, verifier string) (string, error)
	// Exchange turns the code into settings to be stored (sealed where their fields are secret).
	Exchange func(ctx context.Context, ch desk.Channel, t Tools, redirect, code, verifier string) (map[string]string, error)
}

// Text is a short text in both languages of the screens.
type Text struct {
	Zh string `json:"zh"`
	En string `json:"en"`
}

// A Problem is one wrong setting, told so that an admin can mend it.
type Problem struct {
	Field string `json:"field"`
	Text  Text   `json:"text"` // What is wrong and what would be right, a sentence.
}

// A Field is one setting of a kind. The admin form, the validation, the sealing at rest, the redaction and the command line
// all come from it.
type Field struct {
	Name     string   `json:"name"`
	Type     string   `json:"type"` // text, password, number, bool, select, textarea, color, list (comma separated)
	Label    Text     `json:"label"`
	Help     Text     `json:"help"`
	Secret   bool     `json:"secret"` // sealed at rest, write-only in the API
	Required bool     `json:"required"`
	Default  string   `json:"default"`
	Pattern  string   `json:"pattern,omitempty"` // RE2, matched against the whole value
	Options  []Option `json:"options,omitempty"`
	MaxLen   int      `json:"max_len,omitempty"` // Bytes; 0 means 4096.
	// Generate, when set and the value is empty at creation, makes one (a webhook secret); it is shown once.
	Generate func() string `json:"-"`
}

// An Option is one choice of a select field.
type Option struct {
	Value string `json:"value"`
	Label Text   `json:"label"`
}

// A Batch is what arrived together and the connector's new position (IMAP UIDs, a kf cursor): both commit or neither does.
type Batch struct {
	ChannelID desk.ID // Filled in by the fleet's Inbox.
	Envelopes []desk.Envelope
	Cursor    []byte // nil leaves the stored cursor as it is
}

// Inbox takes raw envelopes into safety.
//
// Accept returns nil only when the whole batch can no longer be lost. Acknowledge upstream ("success" to WeChat, HTTP 2xx, a
// websocket ack, \Seen) after Accept and never before. It fills ID, Seq, Duplicate and Conflict of the given elements in
// place; a duplicate is not an error. Concurrent callers share one transaction. An error wraps desk.ErrUnavailable when the
// store could not take it: answer 503 and let the provider try again.
type Inbox interface {
	Accept(context.Context, Batch) error
}

// A Connector is one open channel.
type Connector interface {
	Capabilities() Capabilities
	// Send hands one reply to the provider and returns once the provider has it. It must give up when ctx ends, must not
	// retry by itself, and must not touch the ticket store. An error that is not a *SendError counts as Transient.
	Send(context.Context, desk.Outbound) (Receipt, error)
	// Close stops what the connector started and says good-bye to open sockets. It returns within a few seconds.
	Close() error
}

// A Poller goes and fetches: Receive runs on the one node that holds the channel's lease until ctx ends or it fails; the fleet
// starts it again with backoff. A *SendError of class Credentials tells that waiting will not help.
type Poller interface {
	Connector
	Receive(context.Context) error
}

// A Webhook is called: mounted at /c/<channel id> and /c/<channel id>/ on every node, with that prefix stripped (the bare
// address arrives as "/").
type Webhook interface {
	Connector
	http.Handler
}

// A Fetcher brings what an InboundAttachment.Ref names, after the message was filed.
type Fetcher interface {
	Connector
	Fetch(ctx context.Context, ref string) (io.ReadCloser, string, error) // body, media type
}

// A Typist shows the customer that an agent is typing. Best effort.
type Typist interface {
	Connector
	Typing(ctx context.Context, sender string, on bool) error
}

// A Receipt is what the provider said when it took a reply.
type Receipt struct {
	ExternalID string             // Provider's id of the reply, when it names one other than ours.
	State      desk.DeliveryState // sent when empty
}

// Capabilities declares a channel's limits as data: delivery fits replies to them, the composer shows them before it is too late.
type Capabilities struct {
	MaxText        int           `json:"max_text"`        // Bytes of UTF-8 per message. 0 means no limit.
	MaxParts       int           `json:"max_parts"`       // Into how many messages a longer text may be split. 0 means 1.
	HTML           bool          `json:"html"`            // Formatted text survives.
	Attachments    []string      `json:"attachments"`     // Media types taken ("image/*", "*/*"); empty: none.
	MaxAttachment  int64         `json:"max_attachment"`  // Bytes each. 0 means no limit.
	ReplyWindow    time.Duration `json:"reply_window"`    // How long after the customer's last message we may write. 0 means always.
	Quota          int           `json:"quota"`           // Messages per customer message. 0 means no limit.
	Resendable     bool          `json:"resendable"`      // Sending the same reply twice shows it once (e-mail: same Message-ID).
	DeliveredKnown bool          `json:"delivered_known"` // The provider tells when it arrived.
	ReadKnown      bool          `json:"read_known"`      // The provider tells when it was read.
	Typing         bool          `json:"typing"`
	Single         bool          `json:"-"`       // A message is a text or one file: a reply with both leaves as several.
	NoText         bool          `json:"no_text"` // No written message can leave; only Means.
	Means          []Means       `json:"means"`   // Other ways an answer can leave.
	History        bool          `json:"-"`       // Send is given the customer's last message to quote (Outbound.Quote).
	SendTimeout    time.Duration `json:"-"`       // 0 means 30 s. Always shorter than the delivery lease.
}

// A Means is a way to answer that is no written message; Send gets its name in Outbound.Means.
type Means struct {
	Name        string `json:"name"` // callback, template
	Title       Text   `json:"title"`
	NeedsText   bool   `json:"needs_text"`
	MaxText     int    `json:"max_text"`
	AfterWindow bool   `json:"after_window"` // Works when the reply window is shut.
	Resendable  bool   `json:"-"`            // Sending it twice does it once.
}

// Tools is all an open channel may use of the house.
type Tools struct {
	Inbox                Inbox
	Cursor               []byte // The last committed position; nil at first.
	Log                  Log    // The numbered record of each sender's conversation, for channels that show it themselves.
	Blobs                Blobs
	HTTP                 *http.Client                                                         // Refuses private addresses (SSRF) unless the operator allows them; 30 s timeout.
	Dial                 func(ctx context.Context, network, address string) (net.Conn, error) // For protocols other than HTTP: refuses private addresses likewise.
	Cache                Cache                                                                // Shared by all nodes.
	Bus                  Bus                                                                  // Live hints between the nodes' instances of this channel.
	Logger               *slog.Logger                                                         // Carries channel and kind.
	Now                  func() time.Time
	PublicURL            string                                           // https://desk.example.com, without a trailing slash.
	Address              string                                           // The channel's own public address: PublicURL + "/c/" + id.
	Keep                 func(context.Context, map[string]string) error   // Stores settings the provider has changed by itself (a renewed token), sealed where secret; the channel is opened anew. nil: it cannot.
	Health               func(error)                                      // Call with nil after every success at the provider, with the error after a failure.
	Note                 func(Note)                                       // Adds a line to the channel's live log. Never blocks.
	Signal               func(typ, sender string, data map[string]string) // A passing live hint to the agents of the sender's ticket: "typing", "online", "offline", "preview". Never durable.
	Key                  []byte                                           // 32 bytes only this channel has, the same on every node and after every restart: signs what visitors carry.
	Online               func() bool                                      // Whether somebody is there to answer this channel. nil: not known.
	AllowPrivateNetworks bool
}

// A Note is one line of a channel's live log: what came in and what was done with it. It holds no secret and no message text.
type Note struct {
	At       desk.Time `json:"at"`       // Filled in when zero.
	What     string    `json:"what"`     // newCall, verification, text, sync …
	Ref      string    `json:"ref"`      // The provider's id of it, e.g. the call's.
	Status   int       `json:"status"`   // HTTP status answered; 0 when there was none.
	Refused  bool      `json:"refused"`  // Nothing was changed.
	Detail   string    `json:"detail"`   // Why it was refused, a sentence.
	Remote   string    `json:"remote"`   // Address it came from.
	Envelope desk.ID   `json:"envelope"` // What was accepted; its outcome stands in the ledger.
}

// Log is the durable, numbered conversation of each sender on one channel: what Accept took (Inbound) and what Append added.
type Log interface {
	// Append adds an entry shown to the sender, numbered in the same line as his own messages. The same id again changes
	// nothing and returns the number it has.
	Append(ctx context.Context, sender, id string, body []byte) (seq int64, err error)
	// Read returns at most limit entries with Seq > after in rising order.
	Read(ctx context.Context, sender string, after int64, limit int) ([]Entry, error)
	// Last returns the highest Seq of the sender, 0 when there is none.
	Last(ctx context.Context, sender string) (int64, error)
}

// An Entry is one line of a sender's conversation. For inbound entries Body is the envelope's Raw, ID its ExternalID.
type Entry struct {
	Seq     int64
	ID      string
	Inbound bool
	Body    []byte
	At      desk.Time
}

// Blobs keeps files under the hash of their content.
type Blobs interface {
	// Put stores what r yields, at most max bytes (0: no limit), and returns its key, size and sniffed media type. More than
	// max is an error wrapping desk.ErrInvalid and stores nothing.
	Put(ctx context.Context, r io.Reader, max int64) (Blob, error)
	// Open returns the content; desk.ErrNotFound when there is none.
	Open(ctx context.Context, key string) (io.ReadSeekCloser, error)
}

// A Blob is one stored file.
type Blob struct {
	Key  string // "sha256-<hex>"
	Size int64
	Type string
}

// Cache holds values all nodes share.
type Cache interface {
	// Once returns the value under key, or makes it: among all nodes only one runs make at a time, the others wait for its
	// value. The value lives for the returned duration.
	Once(ctx context.Context, key string, make func(context.Context) (value string, ttl time.Duration, err error)) (string, error)
	// Drop forgets key if it still holds value (a token refused by the provider).
	Drop(ctx context.Context, key, value string) error
	// Seen marks key for ttl and tells whether it was marked before (nonce replay).
	Seen(ctx context.Context, key string, ttl time.Duration) (bool, error)
	// Allow takes one from a rate bucket of at most burst that refills at perMinute; when empty it says how long to wait.
	Allow(ctx context.Context, key string, perMinute, burst int) (ok bool, wait time.Duration, err error)
}

// Bus carries live hints between the nodes' instances of one channel. Messages may be lost, never reordered by one publisher.
type Bus interface {
	Publish(ctx context.Context, payload []byte) error
	// Subscribe calls f for every payload, also for those of this node, until ctx ends. f must not block.
	Subscribe(ctx context.Context, f func(payload []byte)) error
}
