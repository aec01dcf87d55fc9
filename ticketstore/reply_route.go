package ticketstore

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"hearback/desk"
)

// An Answered error refuses a reply because another person replied meanwhile. It is a desk.ErrConflict.
type Answered struct {
	By desk.Author
	At desk.Time
}

// Error names nobody: the caller words it for the reader.
func (a *Answered) Error() string { return "a colleague has answered meanwhile" }

// Unwrap makes it a desk.ErrConflict.
func (a *Answered) Unwrap() error { return desk.ErrConflict }

// unseen refuses a reply written without having seen another person's. The ticket is locked: of two replies in the same
// instant the second one finds the first.
func (w *writing) unseen() error {
	if w.IfSeq == 0 {
		return nil
	}
	found, err := list(w.t.ctx, w.t.s, w.t, func(row scanner) (*Answered, error) {
		a := &Answered{}
		err := row.Scan(&a.By.Kind, &a.By.ID, &a.By.Name, &a.At)
		return a, err
	}, `SELECT m.author_kind, m.author_id, m.author_name, m.created_at FROM messages m WHERE m.ticket_id = ? AND m.seq > ? AND m.direction = 'out'
		AND m.author_kind IN ('agent', 'bot') AND m.author_id <> ? ORDER BY m.seq DESC LIMIT 1`, w.TicketID, w.IfSeq, w.Author.ID)
	if err != nil {
		return fmt.Errorf("look for other answers: %w", err)
	}
	if len(found) > 0 {
		return found[0]
	}
	return nil
}

// leaving is the conversation a reply leaves by.
type leaving struct {
	senderKey
	own       bool // the ticket's own
	remaining int
	window    window
	contact   desk.ID
	ticket    desk.ID   // the conversation's current ticket
	over      bool      // that one is done, or there is none
	route     desk.ID   // another ticket that wrote there last
	held      bool      // the channel's credentials are refused
	siblings  []desk.ID // tickets that show the conversation's quota, when it has one
	counts    bool      // the reply takes a place of the quota
}

// leave finds the conversation the reply leaves by and, when its row may be changed, holds it. Conversations are locked before
// tickets, as in File.
func (w *writing) leave() (leaving, error) {
	r := cmp.Or(w.Route, &Route{})
	var to leaving
	own, err := one(w.t.ctx, w.t.s, w.t, func(row scanner) (own senderKey, err error) {
		return own, row.Scan(&own.channel, &own.sender, &to.remaining, &to.ticket, &to.route, &to.held)
	}, `SELECT t.channel_id, t.sender, COALESCE(s.window_remaining, -1), COALESCE(s.ticket_id, t.id), COALESCE(s.route_ticket_id, ''),
		EXISTS (SELECT 1 FROM channel_health h WHERE h.channel_id = COALESCE(NULLIF(CAST(? AS TEXT), ''), t.channel_id) AND h.held) FROM tickets t
		LEFT JOIN senders s ON s.channel_id = COALESCE(NULLIF(CAST(? AS TEXT), ''), t.channel_id) AND s.sender = COALESCE(NULLIF(CAST(? AS TEXT), ''), t.sender)
		WHERE t.id = ?`, r.ChannelID, r.ChannelID, r.Sender, w.TicketID)
	if err != nil {
		return to, err
	}
	to.senderKey = senderKey{cmp.Or(r.ChannelID, own.channel), cmp.Or(clean(r.Sender), own.sender)}
	to.own = to.senderKey == own
	if to.own && to.remaining <= 0 && to.route == "" && to.ticket == w.TicketID {
		return to, nil // nothing of it will change
	}
	if !to.own {
		if _, err := w.t.exec(`INSERT INTO senders (channel_id, sender, contact_id, from_type, from_value, from_scope)
			SELECT CAST(? AS TEXT), CAST(? AS TEXT), t.contact_id, CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT) FROM tickets t WHERE t.id = ?
			ON CONFLICT DO NOTHING`, to.channel, to.sender, r.To.Type, r.To.Value, r.To.Scope, w.TicketID); err != nil {
			return to, fmt.Errorf("add conversation: %w", err)
		}
	}
	return to, w.lockLine(&to)
}

func (w *writing) lockLine(to *leaving) error {
	status, err := one(w.t.ctx, w.t.s, w.t, func(row scanner) (status desk.Status, err error) {
		x := &to.window
		return status, row.Scan(&x.closes, &x.remaining, &x.reason, &to.contact, &to.ticket, &to.route, &status, &to.held)
	}, `SELECT s.window_closes_at, s.window_remaining, s.window_reason, s.contact_id, s.ticket_id, s.route_ticket_id,
		COALESCE((SELECT t.status FROM tickets t WHERE t.id = s.ticket_id), ''),
		EXISTS (SELECT 1 FROM channel_health h WHERE h.channel_id = s.channel_id AND h.held) FROM senders s WHERE s.channel_id = ? AND s.sender = ?`+w.t.s.dialect.forUpdate,
		to.channel, to.sender)
	if err != nil {
		return fmt.Errorf("lock conversation: %w", err)
	}
	to.remaining, to.over = to.window.remaining, status == "" || status.Done()
	to.counts = to.remaining > 0 && w.means() == ""
	if !to.counts {
		return nil
	}
	to.siblings, err = list(w.t.ctx, w.t.s, w.t, plain[desk.ID], `SELECT t.id FROM tickets t WHERE t.channel_id = ? AND t.sender = ? AND `+unfinished,
		to.channel, to.sender)
	if err != nil {
		return fmt.Errorf("find the conversation's tickets: %w", err)
	}
	return nil
}

// means is how the reply leaves when not as a written message.
func (w *writing) means() string {
	if w.Route == nil {
		return ""
	}
	return clean(w.Route.Means)
}

// spend takes a place of the conversation's quota and notes which ticket wrote there last: the answer comes back to it. A
// conversation whose own ticket is done goes on in a new one of its own.
func (w *writing) spend(to leaving, l *timeline, others []*timeline) error {
	remaining, ticket, route := to.remaining, to.ticket, w.TicketID
	if to.own && to.over {
		ticket = w.TicketID
	}
	if ticket == w.TicketID {
		route = ""
	}
	if to.counts {
		remaining--
		l.w.spent(to)
		for _, o := range others {
			if o.w.spent(to) {
				o.alone()
			}
		}
	}
	if remaining == to.remaining && ticket == to.ticket && route == to.route {
		return nil
	}
	_, err := w.t.exec(`UPDATE senders SET window_remaining = ?, ticket_id = ?, route_ticket_id = ? WHERE channel_id = ? AND sender = ?`,
		remaining, ticket, route, to.channel, to.sender)
	if err != nil {
		return fmt.Errorf("note in conversation: %w", err)
	}
	return nil
}

// spent shows on a ticket of the conversation that one reply less may be written.
func (w *ticketWork) spent(to leaving) bool {
	if w.ChannelID != to.channel || w.Sender != to.sender || w.WindowRemaining <= 0 {
		return false
	}
	w.WindowRemaining--
	return true
}

// openLines locks the reply's ticket, and those that show the same quota, by rising id.
func (w *writing) openLines(to leaving) (*timeline, []*timeline, error) {
	ids := map[desk.ID]bool{w.TicketID: true}
	for _, id := range to.siblings {
		ids[id] = true
	}
	all, err := w.t.timelines(slices.Sorted(maps.Keys(ids)))
	if err != nil {
		return nil, nil, err
	}
	l := all[w.TicketID]
	if l == nil {
		return nil, nil, desk.ErrNotFound
	}
	delete(all, w.TicketID)
	var others []*timeline
	for _, id := range to.siblings {
		if o := all[id]; o != nil {
			others = append(others, o)
		}
	}
	return l, others, nil
}

// headers keeps whom a letter went to, when that is not the customer alone, and its own subject.
func (w *writing) headers() *desk.Headers {
	if len(w.Cc) == 0 && len(w.Bcc) == 0 && w.Subject == "" {
		return nil
	}
	return &desk.Headers{Cc: cleanAllText(w.Cc), Bcc: cleanAllText(w.Bcc), Subject: clean(w.Subject)}
}

func cleanAllText(texts []string) []string {
	out := make([]string, 0, len(texts))
	for _, t := range texts {
		out = append(out, clean(t))
	}
	return out
}

// admitReaders makes everybody a letter goes to a member of its ticket, so that their answers come back to it.
func (w *writing) admitReaders(m *desk.Message) error {
	addresses := slices.Concat(w.Cc, w.Bcc)
	if w.Route != nil && w.Route.To.Type == "email" {
		addresses = append(addresses, w.Route.To.Value)
	}
	b := newBulk("channel_id text, key text", len(addresses))
	for _, a := range addresses {
		k := memberKey(m.ChannelID, m.TicketID, bareAddress(a))
		b.add(k.channel, k.key)
	}
	_, err := w.t.bulkExec(b, `INSERT INTO thread_keys (channel_id, key, ticket_id, message_id)
		SELECT channel_id, key, ?, ? FROM v WHERE true ON CONFLICT DO NOTHING`, m.TicketID, m.ID)
	return err
}

// bareAddress takes user@host out of "Name <user@host>".
func bareAddress(a string) string {
	if i := strings.LastIndexByte(a, '<'); i >= 0 {
		a, _, _ = strings.Cut(a[i+1:], ">")
	}
	return strings.ToLower(strings.TrimSpace(a))
}
