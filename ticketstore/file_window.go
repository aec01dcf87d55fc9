package ticketstore

import (
	"database/sql"

	"hearback/desk"
)

// A window is how long and how often may be written into a conversation.
type window struct {
	closes    desk.Time
	remaining int
	reason    string
	at        desk.Time // when it was told
}

// findSiblings adds the tickets of conversations whose window is told in this batch: they all show it.
func (f *filer) findSiblings(ids map[desk.ID]bool) error {
	asked := map[senderKey]bool{}
	for it, in := range f.inbounds {
		if in.Window != nil {
			asked[it.key] = true
		}
	}
	b := newBulk("channel_id text, sender text", len(asked))
	for k := range asked {
		b.add(k.channel, k.sender)
	}
	return f.t.bulkEach(b, func(row *sql.Rows) error {
		var id desk.ID
		err := row.Scan(&id)
		ids[id] = true
		return err
	}, `SELECT t.id FROM v CROSS JOIN tickets t WHERE t.channel_id = v.channel_id AND t.sender = v.sender AND `+unfinished)
}

// unfinished are tickets t that may still be written on.
const unfinished = `t.status IN ('new', 'open', 'waiting', 'resolved')`

// window keeps what a message tells of its conversation's window, and shows it on all tickets of the conversation. w is the
// ticket the message went to; nil when it went to none.
func (f *filer) window(it *item, told *desk.Window, w *ticketWork) {
	l := it.line
	if told.Widens && l.window.covers(told) {
		return
	}
	l.window = window{closes: told.ClosesAt, remaining: told.Remaining, reason: clean(told.Reason), at: f.now}
	l.dirty = true
	warn := desk.Time(0)
	if told.WarnBefore > 0 && told.ClosesAt > 0 && told.Reason == "" {
		warn = told.ClosesAt.Add(-told.WarnBefore)
	}
	for _, s := range f.siblings[it.key] {
		if s.Status.Done() {
			continue
		}
		was := s.window()
		s.show(l.window)
		s.warnAt = warn
		if s != w && was != s.window() {
			f.touch(s)
			f.out.alone(s, it, f.contact(s.ContactID))
		}
	}
}

// window is what a ticket shows of its conversation's.
func (w *ticketWork) window() window {
	return window{closes: w.WindowClosesAt, remaining: w.WindowRemaining, reason: w.WindowReason}
}

func (w *ticketWork) show(x window) {
	w.WindowClosesAt, w.WindowRemaining, w.WindowReason = x.closes, x.remaining, x.reason
}

// covers tells that a window is open at least as long as another one and lets something through.
func (x window) covers(told *desk.Window) bool {
	return x.at != 0 && x.reason == "" && x.remaining != 0 && (x.closes == 0 || x.closes >= told.ClosesAt)
}
