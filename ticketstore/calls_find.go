package ticketstore

import (
	"database/sql"

	"hearback/desk"
)

// findCallTickets adds the tickets the batch's calls may belong to: their own, the callers' open ones, those that wait for a call
// to this number or asked for this callback.
func (f *filer) findCallTickets(ids map[desk.ID]bool) error {
	if len(f.calls) == 0 {
		return nil
	}
	contacts, numbers, messages, asked := newBulk("id text", 0), newBulk("number text", 0), newBulk("id text", 0), newBulk("channel_id text, key text", 0)
	for _, k := range f.callOrder {
		c := f.calls[k]
		ids[c.ticket] = true
		if c.ticket != "" {
			continue
		}
		lead := c.lead()
		if contact := f.people.contacts[lead.it.people[lead.i]]; contact != nil && contact.stored {
			contacts.add(contact.ID)
		}
		if c.customer != "" && c.body.Call.Direction == "outbound" {
			numbers.add(c.customer)
		}
		if c.body.Call.Direction != "inbound" {
			asked.add(c.channel, c.key)
		}
		if c.body.Call.Callback != "" {
			messages.add(c.body.Call.Callback)
		}
	}
	keep := func(row *sql.Rows) error {
		var id desk.ID
		err := row.Scan(&id)
		ids[id] = true
		return err
	}
	if err := f.t.bulkEach(contacts, keep, `SELECT t.id FROM v CROSS JOIN tickets t WHERE t.contact_id = v.id AND `+unfinished); err != nil {
		return err
	}
	if err := f.t.bulkEach(numbers, func(row *sql.Rows) error {
		var number string
		var id desk.ID
		err := row.Scan(&number, &id)
		ids[id] = true
		return err
	}, `SELECT v.number, t.id FROM v CROSS JOIN tickets t WHERE t.callback_number = v.number AND t.callback_state IN ('due', 'requested')`); err != nil {
		return err
	}
	if err := f.findAskedFor(asked, ids); err != nil {
		return err
	}
	return f.t.bulkEach(messages, func(row *sql.Rows) error {
		var message, ticket desk.ID
		err := row.Scan(&message, &ticket)
		f.callbacks[message] = ticket
		ids[ticket] = true
		return err
	}, `SELECT m.id, m.ticket_id FROM v CROSS JOIN messages m WHERE m.id = v.id`)
}

// findAskedFor adds the tickets whose callback the call centre answered with a call's id.
func (f *filer) findAskedFor(asked *bulk, ids map[desk.ID]bool) error {
	return f.t.bulkEach(asked, func(row *sql.Rows) error {
		var key string
		var ticket desk.ID
		err := row.Scan(&key, &ticket)
		f.callbacks[key] = ticket
		ids[ticket] = true
		return err
	}, `SELECT v.key, d.ticket_id FROM v CROSS JOIN deliveries d
		WHERE d.channel_id = v.channel_id AND d.provider_id = v.key AND d.provider_id <> '' AND d.means = 'callback'`)
}

// ofCaller are the tickets read or opened here that a call could join.
func (f *filer) ofCaller(c *callWork) []*ticketWork {
	lead := c.lead()
	contact := lead.it.people[lead.i]
	var all []*ticketWork
	if contact != "" {
		all = append(all, f.byContact[contact]...)
	}
	if c.customer != "" {
		all = append(all, f.byNumber[c.customer]...)
	}
	return all
}

// countMissed asks how many calls were missed on the tickets of those missed now.
func (f *filer) countMissed() error {
	b := newBulk("id text", 0)
	asked := map[desk.ID]bool{}
	for _, k := range f.callOrder {
		c := f.calls[k]
		if !c.body.Call.Missed() || c.missed || c.body.Policy.UrgentAfter == 0 {
			continue
		}
		all := f.ofCaller(c)
		if w := f.tickets[c.ticket]; w != nil {
			all = append(all, w)
		}
		for _, w := range all {
			if !asked[w.ID] {
				asked[w.ID] = true
				b.add(w.ID)
			}
		}
	}
	return f.t.bulkEach(b, func(row *sql.Rows) error {
		var id desk.ID
		var n int
		err := row.Scan(&id, &n)
		f.missedOn[id] = n
		return err
	}, `SELECT c.ticket_id, COUNT(*) FROM v CROSS JOIN calls c WHERE c.ticket_id = v.id AND c.missed GROUP BY c.ticket_id`)
}

// writeCalls stores the calls that changed, and the line of tickets whose caller became known.
func (f *filer) writeCalls() error {
	if len(f.calls) == 0 {
		return nil
	}
	b := newBulk("channel_id text, call_key text, sender text, customer text, contact_id text, ticket_id text, message_id text, state text, agent_id text, "+
		"body jsonb, started_at bigint, missed boolean, stale_at bigint", len(f.calls))
	for _, k := range f.callOrder {
		if c := f.calls[k]; c.changed {
			is := &c.body.Call
			b.add(k.channel, k.key, c.sender, c.customer, c.contact, c.ticket, c.message, is.State, is.AgentID, jsonText(c.body), is.StartedAt, c.missed, c.staleAt)
		}
	}
	if err := f.t.later(b, nil, `UPDATE calls SET sender = v.sender, customer = v.customer, contact_id = v.contact_id, ticket_id = v.ticket_id,
		message_id = v.message_id, state = v.state, agent_id = v.agent_id, body = v.body, started_at = v.started_at, missed = v.missed,
		stale_at = v.stale_at, updated_at = ? FROM v WHERE calls.channel_id = v.channel_id AND calls.call_key = v.call_key`, int64(f.now)); err != nil {
		return err
	}
	lines := newBulk("id text, sender text", len(f.renamed))
	for _, w := range f.renamed {
		lines.add(w.ID, w.Sender)
	}
	return f.t.later(lines, nil, `UPDATE tickets SET sender = v.sender FROM v WHERE tickets.id = v.id`)
}
