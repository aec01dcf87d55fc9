package telephony

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"hearback/desk"
)

// finish makes an event fit to be kept and returns the customer's number, "" when it is not told.
func (s *settings) finish(e *desk.CallEvent, customer string, received desk.Time) string {
	for _, t := range []*desk.Time{&e.At, &e.StartedAt, &e.AnsweredAt, &e.EndedAt} {
		// A clock that is a day ahead, or in another century, tells nothing.
		if *t < 946_684_800_000 || *t > received.Add(24*time.Hour) {
			*t = 0
		}
	}
	if e.At == 0 {
		e.At, e.Heard = received, true
	}
	e.Leg, e.Queue, e.FromName = clean(e.Leg, 200), clean(e.Queue, 200), clean(e.FromName, 200)
	e.Cause, e.By, e.Outcome, e.Speaker = clean(e.Cause, 200), clean(e.By, 50), clean(e.Outcome, 50), clean(e.Speaker, 100)
	e.Keys, e.Label, e.Text, e.Callback = clean(e.Keys, 100), clean(e.Label, 200), clean(e.Text, 4000), clean(e.Callback, 200)
	e.Rating, e.Seconds = max(0, min(e.Rating, 100)), max(0, min(e.Seconds, 7*24*3600))
	var agents []string
	for _, a := range e.Agents {
		if a = clean(a, 200); a != "" && !slices.Contains(agents, a) && len(agents) < 50 {
			agents = append(agents, a)
		}
	}
	e.Agents = agents
	return s.parties(e, customer)
}

// parties puts the numbers of an event into one notation and returns the customer's.
func (s *settings) parties(e *desk.CallEvent, named string) string {
	e.From, e.To = clean(e.From, 100), clean(e.To, 100)
	if e.Direction != "" && extension(e.From) && extension(e.To) {
		e.Direction = "internal" // telephone systems call it in or out, but nobody outside is part of it
	}
	if e.Direction == "outbound" && len(e.Agents) == 0 && extension(e.From) {
		e.Agents = []string{e.From}
	}
	told := customerTold(e, named)
	from, _ := s.e164(e.From)
	to, _ := s.e164(e.To)
	customer := ""
	switch told {
	case e.From:
		customer = from
	case e.To:
		customer = to
	default:
		customer, _ = s.e164(told)
	}
	e.From, e.To = shown(e.From, from), shown(e.To, to)
	return customer
}

// customerTold is the customer's number as told: who called, or was called by us, unless he is named.
func customerTold(e *desk.CallEvent, named string) string {
	switch {
	case named != "":
		return named
	case e.Direction == "internal" || e.Leg != "" && e.Direction == "": // a leg alone does not tell who called whom
		return ""
	case e.Direction == "outbound":
		return e.To
	}
	return e.From
}

// callID keeps ids of a bearable length; longer ones by their hash.
func callID(told string) string {
	id := clean(told, 200)
	if id != "" && len(told) <= 200 {
		return id
	}
	sum := sha256.Sum256([]byte(told))
	return hex.EncodeToString(sum[:])
}

// eventKey is the hash of what an event says. When no time is told two presses of one key say the same: the provider's id, if it
// has one, keeps them apart.
func eventKey(rep *report, e *desk.CallEvent, requestID string, n int) string {
	said := struct {
		Call      string
		Event     desk.CallEvent
		Customer  string
		ID        string
		Recording string
		N         int
	}{Call: rep.Call, Event: *e, Customer: rep.Customer}
	if e.At == 0 {
		said.ID, said.N = firstOf(requestID, rep.ID), n
	}
	if n == 0 && rep.Recording != nil {
		said.Recording = firstOf(rep.Recording.ID, rep.Recording.Ref)
	}
	b, _ := json.Marshal(said) // plain data: cannot fail
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:12])
}

func firstOf(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}

func fieldsOf(told map[string]string) map[string]string {
	var out map[string]string
	for _, name := range slices.Sorted(maps.Keys(told)) {
		if n, v := clean(name, 60), clean(told[name], 500); n != "" && v != "" && len(out) < 20 {
			if out == nil {
				out = map[string]string{}
			}
			out[n] = v
		}
	}
	return out
}

// attachments are what is to be fetched.
func (r *recording) attachments(typ string, received desk.Time) []desk.InboundAttachment {
	if r == nil || r.Ref == "" || len(r.Ref) > 4000 {
		return nil
	}
	name := clean(r.Name, 200)
	if name == "" {
		name = "recording"
		if typ == desk.CallVoicemail {
			name = "voicemail"
		}
	}
	expires := r.ExpiresAt
	if expires < received {
		expires = 0 // told without sense
	}
	return []desk.InboundAttachment{{Name: name, Type: clean(r.Type, 100), Ref: r.Ref, ExpiresAt: expires}}
}
