package ticketstore

import (
	"cmp"
	"database/sql"
	"slices"
	"strings"
	"time"

	"hearback/desk"
)

type callKey struct{ channel, key string }

func (k callKey) compare(other callKey) int {
	return cmp.Or(cmp.Compare(k.channel, other.channel), cmp.Compare(k.key, other.key))
}

// callBody is the column calls.body: the call with its events, how its channel wants calls filed, and what was resolved of it.
type callBody struct {
	Call   desk.Call  `json:"call"`
	Policy callPolicy `json:"policy"`
	Files  []callFile `json:"files,omitempty"`
	Agents []desk.ID  `json:"agents,omitempty"` // whose phones ring, or who talks
	Rang   []desk.ID  `json:"rang,omitempty"`   // at whose phones it has rung
	Team   desk.ID    `json:"team,omitempty"`   // the queue's, else the channel's
	Opened bool       `json:"opened,omitempty"` // its ticket was opened by it
}

// callPolicy is what a CallReport tells beside its event. It is kept, because a timer may have to end the call.
type callPolicy struct {
	Open        string        `json:"open,omitempty"`
	Within      time.Duration `json:"within,omitempty"`
	CallBackIn  time.Duration `json:"call_back_in,omitempty"`
	UrgentAfter int           `json:"urgent_after,omitempty"`
	StaleAfter  time.Duration `json:"stale_after,omitempty"`
}

// A callFile is a recording or voicemail. It waits here until the call has a message.
type callFile struct {
	Name     string    `json:"name,omitempty"`
	Type     string    `json:"type,omitempty"`
	Size     int64     `json:"size,omitempty"`
	Blob     string    `json:"blob,omitempty"`
	Ref      string    `json:"ref,omitempty"`
	Expires  desk.Time `json:"expires,omitempty"`
	Attached bool      `json:"attached,omitempty"`
}

// callWork is one call in a File transaction.
type callWork struct {
	callKey
	body     callBody
	sender   string
	customer string
	contact  desk.ID
	ticket   desk.ID
	message  desk.ID
	missed   bool
	staleAt  desk.Time
	was      desk.Call // before this batch
	wasKnown string    // the customer's number before this batch
	told     []callTold
	queue    desk.ID // the team of the call's queue
	changed  bool
	settled  bool
	outcome  desk.Outcome // of the envelope that brought its message
}

// callTold is one envelope's word about a call.
type callTold struct {
	it   *item
	i    int
	in   *desk.Inbound
	news bool // it changed the call
}

const staleAfter = 4 * time.Hour

// lockCalls makes and holds the rows of all calls spoken of, in the same order on every node: the first two events of a call,
// filed by two nodes at once, become one call. Then each is folded with what this batch tells.
func (f *filer) lockCalls() error {
	f.gatherCalls()
	if len(f.calls) == 0 {
		return nil
	}
	b := newBulk("channel_id text, call_key text", len(f.calls))
	for _, k := range f.callOrder {
		b.add(k.channel, k.key)
	}
	if _, err := f.t.bulkExec(b, `INSERT INTO calls (channel_id, call_key, state, body, started_at, stale_at, updated_at)
		SELECT channel_id, call_key, 'ringing', '{}', 0, 0, 0 FROM v WHERE true ON CONFLICT DO NOTHING`); err != nil {
		return err
	}
	err := f.t.bulkEach(b, func(row *sql.Rows) error {
		var k callKey
		x := &callWork{}
		if err := row.Scan(&k.channel, &k.key, &x.sender, &x.customer, &x.contact, &x.ticket, &x.message, &x.missed, &x.staleAt, jsonInto{&x.body}); err != nil {
			return err
		}
		c := f.calls[k]
		x.callKey, x.told = k, c.told
		x.was, x.wasKnown = x.body.Call, x.customer
		*c = *x
		return nil
	}, `SELECT c.channel_id, c.call_key, c.sender, c.customer, c.contact_id, c.ticket_id, c.message_id, c.missed, c.stale_at, c.body FROM v
		CROSS JOIN calls c WHERE c.channel_id = v.channel_id AND c.call_key = v.call_key ORDER BY c.channel_id, c.call_key`+f.t.s.dialect.forUpdate)
	if err != nil {
		return err
	}
	for _, k := range f.callOrder {
		f.calls[k].fold(f.now, f.closing)
	}
	return f.findDuty()
}

// gatherCalls collects what the batch tells of each call.
func (f *filer) gatherCalls() {
	for it := range f.live {
		if it.Outcome != "" {
			continue
		}
		for i := range it.Inbounds {
			in := &it.Inbounds[i]
			if in.Call == nil {
				continue
			}
			k := callKey{it.Envelope.ChannelID, clean(in.Call.ID)}
			c := f.calls[k]
			if c == nil {
				if f.calls == nil {
					f.calls = map[callKey]*callWork{}
				}
				c = &callWork{callKey: k}
				f.calls[k] = c
				f.callOrder = append(f.callOrder, k)
			}
			c.told = append(c.told, callTold{it: it, i: i, in: in})
		}
	}
	slices.SortFunc(f.callOrder, callKey.compare)
}

// callOf is the call an inbound speaks of.
func (f *filer) callOf(it *item, in *desk.Inbound) *callWork {
	return f.calls[callKey{it.Envelope.ChannelID, clean(in.Call.ID)}]
}

const staleKey = "stale" // of the event a timer adds

// fold joins the batch's events with the call. closing: a timer ends it, unless it was heard of again meanwhile.
func (c *callWork) fold(now desk.Time, closing bool) {
	c.body.Call.ID = c.key
	for i := range c.told {
		in := c.told[i].in
		if closing && (c.staleAt == 0 || c.staleAt > now) {
			continue
		}
		r := in.Call
		if !closing {
			c.body.Policy = callPolicy{Open: r.Open, Within: r.Within, CallBackIn: r.CallBackIn, UrgentAfter: r.UrgentAfter, StaleAfter: r.StaleAfter}
		}
		c.told[i].news = c.hear(cleanEvent(r.Event))
		if c.keepFiles(in) {
			c.told[i].news = true
		}
		c.customer = cmp.Or(c.customer, clean(r.Customer))
	}
	c.sender = "call:" + c.key
	if c.customer != "" {
		c.sender = c.customer
	}
	for i := range c.told {
		c.told[i].in.From = c.caller()
	}
	switch {
	case c.body.Call.State == "ended":
		c.staleAt = 0
	case c.changed:
		c.staleAt = now.Add(cmp.Or(c.body.Policy.StaleAfter, staleAfter))
	}
}

// hear joins an event with the call; false when it says nothing new. A call that a timer has ended and that is heard of again goes
// on.
func (c *callWork) hear(e desk.CallEvent) bool {
	was := c.body.Call
	if e.Key != staleKey {
		was.Events = slices.DeleteFunc(slices.Clone(was.Events), func(e desk.CallEvent) bool { return e.Key == staleKey })
	}
	is := was.With(e)
	if jsonText(is.Events) == jsonText(was.Events) {
		return false
	}
	c.body.Call, c.changed = is, true
	return true
}

// cleanEvent mends what the database could not hold.
func cleanEvent(e desk.CallEvent) desk.CallEvent {
	for _, s := range []*string{&e.Key, &e.Type, &e.Leg, &e.Direction, &e.From, &e.To, &e.FromName, &e.Queue, &e.Outcome, &e.Cause, &e.By, &e.Keys, &e.Label,
		&e.Text, &e.Speaker, &e.Recording, &e.Callback} {
		*s = clean(*s)
	}
	e.Agents = slices.Clone(e.Agents)
	for i := range e.Agents {
		e.Agents[i] = clean(e.Agents[i])
	}
	return e
}

// keepFiles notes the files an event brought; the same file told again is one.
func (c *callWork) keepFiles(in *desk.Inbound) (news bool) {
	for _, a := range in.Attachments {
		file := callFile{Name: clean(a.Name), Type: clean(a.Type), Size: a.Size, Blob: a.Blob, Ref: clean(a.Ref), Expires: a.ExpiresAt}
		known := slices.ContainsFunc(c.body.Files, func(k callFile) bool { return k.Blob == file.Blob && k.Ref == file.Ref })
		if !known && (file.Blob != "" || file.Ref != "") {
			c.body.Files = append(c.body.Files, file)
			c.changed, news = true, true
		}
	}
	return news
}

// caller is who the call is with: his number, or the call itself when it is withheld.
func (c *callWork) caller() desk.Identity {
	if c.customer == "" {
		return desk.Identity{Type: "call", Value: c.key, Scope: c.channel}
	}
	return desk.Identity{Type: "phone", Value: c.customer, Verified: true}
}

// due tells whether the call needs a ticket, having none. While the number may still be told, it waits: the caller may have one.
func (c *callWork) due() bool {
	is := &c.body.Call
	if is.Direction == "internal" || c.customer == "" && is.State != "ended" && is.From == "" {
		return false
	}
	switch c.body.Policy.Open {
	case "every":
		return true
	case "voicemail":
		return is.Outcome == "voicemail"
	}
	return is.Missed()
}

// nobody: a withheld number makes no contact as long as the call needs no ticket.
func (c *callWork) nobody() bool { return c.customer == "" && c.ticket == "" && !c.due() }

// lead is the word that speaks for the batch: the first that came by the caller's own line.
func (c *callWork) lead() callTold {
	for _, t := range c.told {
		if t.it.key.sender == c.sender {
			return t
		}
	}
	return c.told[0]
}

// said is what was said in the call: transcript and voicemail.
func (c *callWork) said() string {
	var b strings.Builder
	for _, line := range c.body.Call.Transcript {
		if line.Text == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		if line.Speaker != "" {
			b.WriteString(line.Speaker + ": ")
		}
		b.WriteString(line.Text)
	}
	return b.String()
}

// callWord is what lists show of a call: "call:" and how it ended or stands. The console puts it into words.
func callWord(c *desk.Call) string {
	if c.State == "ended" {
		return "call:" + cmp.Or(c.Outcome, "ended")
	}
	return "call:" + c.State
}

// withoutEvents is the call as messages and news carry it.
func withoutEvents(c desk.Call) desk.Call {
	c.Events = nil
	return c
}
