package console

import (
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
	Event       *Event       `json:"event" doc:"What the house or a person did; set when direction is system."`
	Repairs     []string     `json:"repairs" doc:"What had to be mended to read it."`
}

// TransformSchema says which objects may be null.
func (Message) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return orNull(s, "delivery", "call", "event")
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

// A Call is one telephone call as known so far.
type Call struct {
	State      string    `json:"state"`
	Direction  string    `json:"direction"`
	From       string    `json:"from"`
	To         string    `json:"to"`
	Queue      string    `json:"queue"`
	Agent      string    `json:"agent"`
	Outcome    string    `json:"outcome"`
	Cause      string    `json:"cause"`
	StartedAt  desk.Time `json:"started_at"`
	AnsweredAt desk.Time `json:"answered_at"`
	EndedAt    desk.Time `json:"ended_at"`
	Notes      []string  `json:"notes"`
}

// An Event is what was done to a ticket, as data: the page puts it into words.
type Event struct {
	Type   string            `json:"type"`
	Actor  Author            `json:"actor"`
	Reason string            `json:"reason"`
	Data   map[string]string `json:"data"`
}

func wireMessage(m desk.Message) Message {
	w := Message{
		ID: m.ID, TicketID: m.TicketID, Seq: m.Seq, Direction: string(m.Direction), Author: Author(m.Author),
		Text: m.Text, HTML: m.HTML, Quoted: m.Quoted, Class: string(m.Class), Attachments: []Attachment{},
		CreatedAt: m.CreatedAt, UpdatedAt: m.UpdatedAt, Repairs: list(m.Repairs),
	}
	for _, a := range m.Attachments {
		w.Attachments = append(w.Attachments, wireAttachment(a))
	}
	if d := m.Delivery; d != nil {
		w.Delivery = &Delivery{ID: d.ID, State: string(d.State), Code: d.Code, Hint: d.Hint, Attempts: d.Attempts, NextAt: d.NextAt}
	}
	if c := m.Call; c != nil {
		w.Call = &Call{
			State: c.State, Direction: c.Direction, From: c.From, To: c.To, Queue: c.Queue, Agent: c.Agent, Outcome: c.Outcome,
			Cause: c.Cause, StartedAt: c.StartedAt, AnsweredAt: c.AnsweredAt, EndedAt: c.EndedAt, Notes: []string{},
		}
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
