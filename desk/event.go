package desk

// An Event is a hint sent to every node after a commit: what changed, on which ticket, at which version. It may be lost; SQL
// has the truth, and a reader who sees a gap in Seq asks for what is missing.
type Event struct {
	Type     string            `json:"type"` // message, message_update, ticket, typing, channel, channel_log, rules, people, presence, call, window
	TicketID ID                `json:"ticket_id,omitempty"`
	Seq      int64             `json:"seq,omitempty"` // Ticket version after the change.
	Ticket   *Ticket           `json:"ticket,omitempty"`
	Message  *Message          `json:"message,omitempty"`
	Contact  *Contact          `json:"contact,omitempty"` // Name and level, for lists.
	Call     *CallNews         `json:"call,omitempty"`
	Data     map[string]string `json:"data,omitempty"`
}
