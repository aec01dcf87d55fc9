package console

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"hearback/desk"
)

// A Message is one entry of a ticket's timeline, as in REST and on the websocket.
type Message struct {
	ID          desk.ID      `json:"id"`
	TicketID    desk.ID      `json:"ticket_id"`
	Seq         int64        `json:"seq" doc:"The ticket's version when it was written. Never changes."`
	Direction   string       `json:"direction" enum:"in,out,note,system"`
	Author      Author       `json:"author"`
	Text        string       `json:"text"`
	HTML        string       `json:"html" doc:"As the customer's program wrote it: show it only in a sandbox."`
	Quoted      string       `json:"quoted" doc:"History and signature split from the text."`
	Class       string       `json:"class"`
	Attachments []Attachment `json:"attachments"`
	CreatedAt   desk.Time    `json:"created_at" nullable:"false"`
	UpdatedAt   desk.Time    `json:"updated_at"`
	Delivery    *Delivery    `json:"delivery" doc:"How far a reply has come; null for what does not leave."`
	Call        *Call        `json:"call"`
	Headers     *Headers     `json:"headers" doc:"What a mail's head tells: who else it went to, what is known of its origin. null when there is nothing."`
	Means       string       `json:"means" doc:"How a reply leaves when not as a written message: callback, template."`
	Channel     *ChannelRef  `json:"channel" doc:"By which it came or leaves, when that is not the ticket's own."`
	Event       *Event       `json:"event" doc:"What the house or a person did; set when direction is system."`
	Repairs     []string     `json:"repairs" doc:"What had to be mended to read it."`
}

// TransformSchema says which objects may be null.
func (Message) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return orNull(s, "delivery", "call", "event", "headers", "channel")
}

// An Author is who wrote or did something.
type Author struct {
	Kind string  `json:"kind" enum:"contact,agent,bot,system"`
	ID   desk.ID `json:"id"`
	Name string  `json:"name"`
}

// An Attachment is one file of a message.
type Attachment struct {
	ID        desk.ID `json:"id"`
	Name      string  `json:"name"`
	Type      string  `json:"type"`
	Size      int64   `json:"size"`
	URL       string  `json:"url"`
	Inline    bool    `json:"inline"`
	ContentID string  `json:"content_id"`
	State     string  `json:"state" enum:"stored,pending,failed"`
	Hint      string  `json:"hint"`
}

// A Delivery is how far a reply has come.
type Delivery struct {
	ID       desk.ID   `json:"id"`
	State    string    `json:"state" enum:"queued,sending,sent,delivered,read,failed,uncertain,held"`
	Code     string    `json:"code"`
	Hint     string    `json:"hint"`
	Attempts int       `json:"attempts"`
	NextAt   desk.Time `json:"next_at"`
}

// An Event is what was done to a ticket, as data: the page puts it into words.
type Event struct {
	Type   string            `json:"type"`
	Actor  Author            `json:"actor"`
	Reason string            `json:"reason"`
	Data   map[string]string `json:"data"`
}

// Headers are what a mail's head tells the agent. Addresses are "Name <user@host>" or bare.
type Headers struct {
	From    string      `json:"from"`
	ReplyTo string      `json:"reply_to" doc:"Where the writer wants the answer, when it is not from."`
	To      []string    `json:"to"`
	Cc      []string    `json:"cc"`
	Bcc     []string    `json:"bcc" doc:"Of our own mails only."`
	Subject string      `json:"subject"`
	Checks  []MailCheck `json:"checks" doc:"What the receiving server found out about the origin."`
	Badges  []string    `json:"badges" doc:"signed, encrypted, invitation, spoofed, retracted"`
}

// A MailCheck is one verdict of the receiving server.
type MailCheck struct {
	Name   string `json:"name" doc:"spf, dkim, dmarc"`
	Result string `json:"result" doc:"pass, fail, softfail, neutral, none, temperror, permerror"`
	Detail string `json:"detail"`
}

func wireHeaders(h *desk.Headers) *Headers {
	if h == nil {
		return nil
	}
	w := &Headers{
		From: h.From, ReplyTo: h.ReplyTo, To: list(h.To), Cc: list(h.Cc), Bcc: list(h.Bcc), Subject: h.Subject,
		Checks: []MailCheck{}, Badges: list(h.Badges),
	}
	for _, c := range h.Checks {
		w.Checks = append(w.Checks, MailCheck(c))
	}
	return w
}

// wireMessage is a message in the API's words. own is the channel of its ticket.
func (c *Console) wireMessage(m desk.Message, own desk.ID) Message {
	w := Message{
		ID: m.ID, TicketID: m.TicketID, Seq: m.Seq, Direction: string(m.Direction), Author: Author(m.Author),
		Text: m.Text, HTML: m.HTML, Quoted: m.Quoted, Class: string(m.Class), Attachments: []Attachment{},
		CreatedAt: m.CreatedAt, UpdatedAt: m.UpdatedAt, Repairs: list(m.Repairs),
		Headers: wireHeaders(m.Headers), Means: m.Means,
	}
	for _, a := range m.Attachments {
		w.Attachments = append(w.Attachments, wireAttachment(a))
	}
	if d := m.Delivery; d != nil {
		w.Delivery = &Delivery{ID: d.ID, State: string(d.State), Code: d.Code, Hint: d.Hint, Attempts: d.Attempts, NextAt: d.NextAt}
	}
	if m.Call != nil {
		call := wireCall(*m.Call)
		w.Call = &call
	}
	if m.ChannelID != "" && own != "" && m.ChannelID != own {
		by := c.names.channel(m.ChannelID, "")
		w.Channel = &by
	}
	if e := m.Event; e != nil {
		w.Event = &Event{Type: e.Type, Actor: Author(e.Actor), Reason: e.Reason, Data: fields(e.Data)}
	}
	return w
}

func wireAttachment(a desk.Attachment) Attachment {
	return Attachment{
		ID: a.ID, Name: a.Name, Type: a.Type, Size: a.Size, URL: "/api/v1/attachments/" + a.ID,
		Inline: a.Inline, ContentID: a.ContentID, State: a.State, Hint: a.Hint,
	}
}

// channelOf is the channel of a ticket, "" when it cannot be read: a message then shows none of its own. It never changes, so each
// is read once.
func (c *Console) channelOf(ctx context.Context, ticket desk.ID) desk.ID {
	if id, ok := c.homes.get(ticket); ok {
		return id
	}
	t, err := c.store.Ticket(ctx, ticket)
	if err != nil {
		return ""
	}
	c.homes.put(ticket, t.ChannelID)
	return t.ChannelID
}
