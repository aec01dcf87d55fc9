package console

import (
	"encoding/json"

	"github.com/gorilla/websocket"

	"hearback/desk"
)

// frame is one encoded message, shared by every socket it goes to.
type frame struct {
	prepared *websocket.PreparedMessage
}

// encode makes a frame. The shapes below always encode.
func encode(v any) *frame {
	b, err := json.Marshal(v)
	if err != nil {
		b = []byte(`{"type":"resync"}`)
	}
	p, err := websocket.NewPreparedMessage(websocket.TextMessage, b)
	if err != nil {
		panic("prepare a text frame: " + err.Error()) // only for control frames
	}
	return &frame{prepared: p}
}

// fromPage is any frame a page sends.
type fromPage struct {
	Type     string            `json:"type"`
	Build    string            `json:"build"`
	Tickets  map[desk.ID]int64 `json:"tickets"`
	TicketID desk.ID           `json:"ticket_id"`
	Seq      int64             `json:"seq"`
	On       bool              `json:"on"`
	Value    string            `json:"value"`
}

type welcomeFrame struct {
	Type  string    `json:"type"`
	Agent Me        `json:"agent"`
	Build string    `json:"build"`
	Now   desk.Time `json:"now"`
}

type messageFrame struct {
	Type     string  `json:"type"` // message, message_update
	TicketID desk.ID `json:"ticket_id"`
	Seq      int64   `json:"seq"`
	Message  Message `json:"message"`
}

type ticketFrame struct {
	Type     string  `json:"type"`
	TicketID desk.ID `json:"ticket_id"`
	Seq      int64   `json:"seq"`
	Ticket   Ticket  `json:"ticket"`
}

// ticketWord is gone and resync.
type ticketWord struct {
	Type     string  `json:"type"`
	TicketID desk.ID `json:"ticket_id,omitempty"`
}

type countsFrame struct {
	Type   string `json:"type"`
	Counts Counts `json:"counts"`
}

type typingFrame struct {
	Type     string  `json:"type"`
	TicketID desk.ID `json:"ticket_id"`
	Who      Author  `json:"who"`
	On       bool    `json:"on"`
	Preview  string  `json:"preview,omitempty"`
}

type presenceFrame struct {
	Type string `json:"type"`
	Presence
}

type assignedFrame struct {
	Type     string  `json:"type"`
	TicketID desk.ID `json:"ticket_id"`
	Number   string  `json:"number"`
	Reason   string  `json:"reason"`
}

type changedFrame struct {
	Type      string  `json:"type"`
	What      string  `json:"what"`
	ChannelID desk.ID `json:"channel_id,omitempty"`
}

type callFrame struct {
	Type string   `json:"type"`
	Call LiveCall `json:"call"`
}

type windowFrame struct {
	Type      string    `json:"type"`
	TicketID  desk.ID   `json:"ticket_id"`
	Number    string    `json:"number"`
	ClosesAt  desk.Time `json:"closes_at"`
	Remaining int       `json:"remaining"`
}

type errorFrame struct {
	Type   string `json:"type"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

type word struct {
	Type string `json:"type"`
}
