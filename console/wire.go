package console

import (
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hearback/connectors"
	"hearback/desk"
)

// The shapes below are the API's words. They are separate from desk's so that a column may be renamed without anybody
// outside noticing.

// A Page is one piece of a list. Next is the cursor of the following piece, empty at the end.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next" doc:"Pass as cursor for what follows; empty at the end."`
}

// page wraps items; nil becomes an empty list.
func page[T any](items []T, next string) *body[Page[T]] {
	if items == nil {
		items = []T{}
	}
	return &body[Page[T]]{Body: Page[T]{Items: items, Next: next}}
}

// body is an answer that is nothing but its body.
type body[T any] struct{ Body T }

// none is an answer without a body (204).
type none struct{}

// onTicket is a request about the ticket in the path.
type onTicket struct {
	ID string `path:"id" doc:"The ticket."`
}

// onTicketWith is the same with a body.
type onTicketWith[B any] struct {
	ID   string `path:"id" doc:"The ticket."`
	Body B
}

// onTicketMaybe is the same with a body that may be missing.
type onTicketMaybe[B any] struct {
	ID   string `path:"id" doc:"The ticket."`
	Body *B
}

// A PersonRef names an agent.
type PersonRef struct {
	ID   desk.ID `json:"id"`
	Name string  `json:"name"`
}

// A TeamRef names a team.
type TeamRef struct {
	ID   desk.ID `json:"id"`
	Name string  `json:"name"`
}

// A ChannelRef names a channel.
type ChannelRef struct {
	ID   desk.ID `json:"id"`
	Kind string  `json:"kind"`
	Name string  `json:"name"`
}

// A ContactRef names a contact.
type ContactRef struct {
	ID    desk.ID `json:"id"`
	Name  string  `json:"name"`
	Level string  `json:"level"`
}

// A TicketRef names a ticket.
type TicketRef struct {
	ID     desk.ID `json:"id"`
	Number string  `json:"number"`
}

// A Ticket is one row of a list and, with reply.capabilities, the single ticket.
type Ticket struct {
	ID                 desk.ID           `json:"id"`
	Number             string            `json:"number"`
	Status             string            `json:"status" enum:"new,open,waiting,resolved,closed,archived"`
	Priority           string            `json:"priority" enum:"normal,urgent,critical"`
	Subject            string            `json:"subject"`
	Channel            ChannelRef        `json:"channel"`
	Contact            ContactRef        `json:"contact"`
	Assignee           *PersonRef        `json:"assignee"`
	Team               *TeamRef          `json:"team"`
	Tags               []string          `json:"tags"`
	Fields             map[string]string `json:"fields"`
	Version            int64             `json:"version" doc:"The ticket's own clock: rises by one with every change."`
	CreatedAt          desk.Time         `json:"created_at" nullable:"false"`
	UpdatedAt          desk.Time         `json:"updated_at" nullable:"false"`
	FirstReplyAt       desk.Time         `json:"first_reply_at"`
	FirstResponseDueAt desk.Time         `json:"first_response_due_at"`
	ResolutionDueAt    desk.Time         `json:"resolution_due_at"`
	ResolvedAt         desk.Time         `json:"resolved_at"`
	ClosedAt           desk.Time         `json:"closed_at"`
	LastMessage        LastMessage       `json:"last_message"`
	Unread             bool              `json:"unread" doc:"The customer wrote something the reader has not seen."`
	SnoozedUntil       desk.Time         `json:"snoozed_until"`
	LinkedTicket       *TicketRef        `json:"linked_ticket" doc:"The ticket this one continues."`
	Callback           *Callback         `json:"callback" doc:"The promise to call the customer back; null when there is none."`
	Reply              ReplyLimits       `json:"reply"`
}

// TransformSchema says which objects may be null.
func (Ticket) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return orNull(s, "assignee", "team", "linked_ticket", "callback")
}

// LastMessage is the last thing said, for lists.
type LastMessage struct {
	Text string    `json:"text"`
	By   string    `json:"by" enum:",in,out"`
	At   desk.Time `json:"at"`
}

// ReplyLimits is what the composer must know before it is too late.
type ReplyLimits struct {
	ChannelKind    string        `json:"channel_kind"`
	WindowClosesAt desk.Time     `json:"window_closes_at"`
	WindowReason   string        `json:"window_reason" doc:"Why nothing can be sent although the time is not up, e.g. unsubscribed; empty when that is not so."`
	Remaining      int           `json:"remaining" doc:"Replies left before the customer must write again; -1: no limit."`
	Capabilities   *Capabilities `json:"capabilities,omitempty" doc:"Only on the single ticket."`
	Routes         []Route       `json:"routes,omitzero" doc:"Every way an answer can leave, the ticket's own first. Only on the single ticket."`
}

// A Callback is the promise to call a customer back.
type Callback struct {
	State  string    `json:"state" enum:"due,requested,done" doc:"requested: the call centre was asked to connect the call."`
	Number string    `json:"number" doc:"Masked: 138****5678."`
	DueAt  desk.Time `json:"due_at"`
}

// A Route is one way an answer can leave.
type Route struct {
	ID             string          `json:"id" doc:"For replies' route. Opaque; the ticket's own way of writing has the empty id."`
	Channel        ChannelRef      `json:"channel"`
	Means          string          `json:"means" doc:"Empty: a written message; else what the channel does instead: callback, template, …"`
	Title          connectors.Text `json:"title" doc:"What the composer calls it."`
	To             string          `json:"to" doc:"Where it goes, masked: 138****5678, a***@example.com. Empty: the conversation the customer wrote in."`
	Own            bool            `json:"own" doc:"By the ticket's own channel."`
	Open           bool            `json:"open" doc:"It can be taken now."`
	Why            string          `json:"why" doc:"Why it is not open, a sentence; empty when it is."`
	WhyCode        string          `json:"why_code" enum:",window_closed,quota_used,unreachable,channel_closed,no_address" doc:"The same for programs."`
	WindowClosesAt desk.Time       `json:"window_closes_at"`
	Remaining      int             `json:"remaining" doc:"-1: no limit."`
	Capabilities   Capabilities    `json:"capabilities"`
}

// Capabilities are a channel's limits.
type Capabilities struct {
	MaxText        int      `json:"max_text" doc:"Bytes of UTF-8 per message; 0: no limit."`
	MaxParts       int      `json:"max_parts" doc:"Into how many messages a longer text may be split."`
	HTML           bool     `json:"html"`
	Attachments    []string `json:"attachments" doc:"Media types taken; empty: none."`
	MaxAttachment  int64    `json:"max_attachment" doc:"Bytes each; 0: no limit."`
	ReplyWindow    int64    `json:"reply_window" doc:"Seconds after the customer's last message in which we may write; 0: always."`
	Quota          int      `json:"quota" doc:"Replies per customer message; 0: no limit."`
	DeliveredKnown bool     `json:"delivered_known"`
	ReadKnown      bool     `json:"read_known"`
	Typing         bool     `json:"typing"`
	NoText         bool     `json:"no_text" doc:"No written message can leave; only means."`
	Means          []Means  `json:"means" doc:"Other ways an answer can leave by this channel."`
}

// Means is a way to answer that is no written message.
type Means struct {
	Name        string          `json:"name"`
	Title       connectors.Text `json:"title"`
	NeedsText   bool            `json:"needs_text"`
	MaxText     int             `json:"max_text" doc:"Bytes of UTF-8; 0: no limit."`
	AfterWindow bool            `json:"after_window" doc:"Works when the reply window is shut."`
}

func wireCapabilities(c connectors.Capabilities) *Capabilities {
	w := &Capabilities{
		MaxText: c.MaxText, MaxParts: max(c.MaxParts, 1), HTML: c.HTML, Attachments: list(c.Attachments), MaxAttachment: c.MaxAttachment,
		ReplyWindow: int64(c.ReplyWindow / time.Second), Quota: c.Quota,
		DeliveredKnown: c.DeliveredKnown, ReadKnown: c.ReadKnown, Typing: c.Typing, NoText: c.NoText, Means: []Means{},
	}
	for _, m := range c.Means {
		w.Means = append(w.Means, Means{Name: m.Name, Title: m.Title, NeedsText: m.NeedsText, MaxText: m.MaxText, AfterWindow: m.AfterWindow})
	}
	return w
}

// orNull lets the named object properties be null; huma itself knows null only for plain values.
func orNull(s *huma.Schema, names ...string) *huma.Schema {
	for _, name := range names {
		p := s.Properties[name]
		if p == nil || p.Ref == "" {
			continue
		}
		s.Properties[name] = &huma.Schema{
			AnyOf: []*huma.Schema{{Ref: p.Ref}, {Type: "null"}}, Description: p.Description,
		}
	}
	return s
}

// list is a list that is never null in JSON.
func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// fields is a map that is never null in JSON.
func fields(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

// timeAlias tells the spec that desk.Time is a nullable RFC 3339 string.
func timeAlias(r huma.Registry) {
	r.RegisterTypeAlias(reflect.TypeFor[desk.Time](), reflect.TypeFor[*time.Time]())
}
