package ticketstore

import (
	"database/sql"
	"strings"
	"unicode"

	"hearback/desk"
)

// A member is somebody who wrote in a ticket.
type member struct {
	ticket desk.ID
	sender string
}

// memberKey notes that mail of a ticket went to or came from an address.
func memberKey(channel, ticket desk.ID, address string) threadKey {
	return threadKey{channel, "m:" + ticket + " " + clean(address)}
}

// isCustomer needs no question: most messages come from the customer the ticket is about.
func (f *filer) isCustomer(it *item, i int, w *ticketWork) bool {
	return w.Sender == it.key.sender || it.line.route == w.ID || i < len(it.people) && it.people[i] != "" && it.people[i] == w.ContactID
}

// findMembers asks, for messages that only claim to belong to a ticket, whether their writer has been part of it.
func (f *filer) findMembers() error {
	keys, wrote := newBulk("channel_id text, key text", 0), newBulk("ticket_id text, sender text", 0)
	asked := map[threadKey]bool{}
	for it := range f.live {
		for i := range it.Inbounds {
			in := &it.Inbounds[i]
			if in.Members == nil || it.Outcome != "" {
				continue
			}
			for n := min(in.Proven, len(in.ThreadKeys)); n < len(in.ThreadKeys); n++ {
				r := f.threads[threadKey{it.Envelope.ChannelID, clean(in.ThreadKeys[n])}]
				if r == nil || f.tickets[r.ticket] == nil || f.isCustomer(it, i, f.tickets[r.ticket]) {
					continue
				}
				for _, address := range []string{in.From.Value, it.key.sender} {
					if k := memberKey(it.Envelope.ChannelID, r.ticket, address); !asked[k] {
						asked[k] = true
						keys.add(k.channel, k.key)
						wrote.add(r.ticket, clean(address))
					}
				}
			}
		}
	}
	if err := f.t.bulkEach(keys, f.foundThread, `SELECT k.channel_id, k.key, k.ticket_id, k.message_id FROM v
		CROSS JOIN thread_keys k WHERE k.channel_id = v.channel_id AND k.key = v.key`); err != nil {
		return err
	}
	// After a merge the keys of the other ticket name the old one; who wrote is known by the messages themselves.
	return f.t.bulkEach(wrote, func(row *sql.Rows) error {
		var m member
		err := row.Scan(&m.ticket, &m.sender)
		f.members[m] = true
		return err
	}, `SELECT m.ticket_id, i.sender FROM v CROSS JOIN messages m JOIN inbox i ON i.id = m.inbox_id
		WHERE m.ticket_id = v.ticket_id AND i.sender = v.sender`)
}

// mayFollow tells whether key number n of a message may lead to a ticket.
func (f *filer) mayFollow(it *item, i int, in *desk.Inbound, w *ticketWork, n int) bool {
	return n < in.Proven || in.Members == nil || f.belongs(it, i, in, w)
}

// strayed tells whether a topic has nothing to do with a subject any more. Both must say enough to be compared; an addition, a
// cut or a mangled half is no other topic.
func strayed(topic, subject string) bool {
	a, b := pairsOf(topic), pairsOf(subject)
	if len(a) < 3 || len(b) < 3 {
		return false
	}
	shared := 0
	for p := range a {
		if b[p] {
			shared++
		}
	}
	return shared*5 < min(len(a), len(b))
}

// pairsOf are the pairs of neighbouring letters and digits of a text, in lower case.
func pairsOf(s string) map[[2]rune]bool {
	out := map[[2]rune]bool{}
	var last rune
	for _, r := range strings.ToLower(s) {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			continue
		}
		if last != 0 {
			out[[2]rune{last, r}] = true
		}
		last = r
	}
	return out
}

// belongs tells whether the writer of a message may write in a ticket.
func (f *filer) belongs(it *item, i int, in *desk.Inbound, w *ticketWork) bool {
	channel := it.Envelope.ChannelID
	return f.isCustomer(it, i, w) || f.members[member{w.ID, it.key.sender}] || f.threads[memberKey(channel, w.ID, in.From.Value)] != nil ||
		f.threads[memberKey(channel, w.ID, it.key.sender)] != nil
}

// admit makes everybody a message came from or went to a member of its ticket.
func (f *filer) admit(it *item, in *desk.Inbound, w *ticketWork, message desk.ID) {
	if in.Members == nil || in.NoTicket {
		return
	}
	f.members[member{w.ID, it.key.sender}] = true
	for _, address := range in.Members {
		if address != w.Sender {
			f.threads.learn(memberKey(it.Envelope.ChannelID, w.ID, address), w.ID, message)
		}
	}
}
