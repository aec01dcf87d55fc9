package ticketstore

import "hearback/desk"

// messageExtra is the column messages.extra: what only the timeline needs.
type messageExtra struct {
	Event   *desk.SystemEvent `json:"event,omitempty"`
	Call    *desk.Call        `json:"call,omitempty"`
	Repairs []string          `json:"repairs,omitempty"`
	Headers *desk.Headers     `json:"headers,omitempty"`
	Means   string            `json:"means,omitempty"`
}

// messageColumns are a message's columns in the order scanMessage reads them, of the table named or aliased m.
const messageColumns = `m.id, m.ticket_id, m.seq, m.direction, m.author_kind, m.author_id, m.author_name, m.text, m.html, ` +
	`m.quoted, m.class, m.extra, m.channel_id, m.external_id, m.created_at, m.updated_at`

func scanMessage(row scanner) (desk.Message, error) {
	var (
		m desk.Message
		x messageExtra
	)
	err := row.Scan(&m.ID, &m.TicketID, &m.Seq, &m.Direction, &m.Author.Kind, &m.Author.ID, &m.Author.Name, &m.Text, &m.HTML,
		&m.Quoted, &m.Class, jsonInto{&x}, &m.ChannelID, &m.ExternalID, &m.CreatedAt, &m.UpdatedAt)
	m.Event, m.Call, m.Repairs, m.Headers, m.Means = x.Event, x.Call, x.Repairs, x.Headers, x.Means
	return m, err
}

// extraOf is what messages.extra is written with.
func extraOf(m desk.Message) string {
	return toJSON(messageExtra{Event: m.Event, Call: m.Call, Repairs: m.Repairs, Headers: m.Headers, Means: m.Means})
}
