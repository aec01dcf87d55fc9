package telephony

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"hearback/desk"
)

// What an envelope's Meta holds beside the channel's settings (traveling).
const (
	metaMethod = "method" // when not POST
	metaQuery  = "query"
	metaType   = "content_type"
	metaID     = "event_id" // the provider's id of the request
	metaBare   = "bare"     // Raw is the query: the request had no body
	metaEvent  = "event"    // for the live log
	metaCall   = "call"
)

// envelope is how one report is kept.
func (c *Connector) envelope(req *request, rep *report, n, of int) desk.Envelope {
	e := desk.Envelope{ID: desk.NewID(), Type: desk.EnvelopeMessage, Raw: rep.Raw, Meta: maps.Clone(c.meta), ReceivedAt: req.At}
	put := func(name, value string) {
		if value != "" {
			e.Meta[name] = value
		}
	}
	if e.Raw == nil {
		e.Raw = req.Body
	}
	query := c.withoutToken(req.Query)
	if len(e.Raw) == 0 {
		e.Raw, e.Meta[metaBare] = []byte(query), "1"
	} else {
		put(metaQuery, query)
	}
	if req.Method != http.MethodPost {
		put(metaMethod, req.Method)
	}
	put(metaType, clean(req.Type, 200))
	put(metaID, req.ID)
	in := inboundsOf(c.set, "", req, rep)[0]
	put(metaEvent, in.Call.Event.Type)
	put(metaCall, in.Call.ID)
	e.Sender = "call:" + in.Call.ID
	if in.Call.Customer != "" {
		e.Sender = in.Call.Customer
	}
	e.ExternalID, e.Digest = c.externalID(req, rep, n, of), ""
	if req.ID != "" || rep.ID != "" {
		sum := sha256.Sum256(e.Raw)
		e.Digest = hex.EncodeToString(sum[:16])
	}
	return e
}

// externalID names a report: by the provider's id, else by what it says.
func (c *Connector) externalID(req *request, rep *report, n, of int) string {
	id := rep.ID
	if req.ID != "" {
		id = req.ID
		if of > 1 {
			id = fmt.Sprintf("%s:%d", id, n)
		}
	}
	if id == "" {
		return "said:" + eventKey(rep, &rep.Event, "", 0)
	}
	if id = "id:" + id; len(id) > 200 {
		sum := sha256.Sum256([]byte(id))
		id = "id:" + hex.EncodeToString(sum[:])
	}
	return id
}

// withoutToken takes the channel's secrets out of a query before it is kept.
func (c *Connector) withoutToken(query string) string {
	form, err := url.ParseQuery(query)
	if err != nil || query == "" {
		return query
	}
	found := false
	for name, all := range form {
		for i, v := range all {
			if len(v) >= 4 && (v == c.ch.Settings["token"] || v == c.ch.Settings["secret"]) {
				form[name][i], found = "", true
			}
		}
	}
	if !found {
		return query
	}
	return form.Encode()
}

// Decode understands one envelope: what ServeHTTP kept. It is pure; the channel's settings came with the envelope.
func Decode(e desk.Envelope) ([]desk.Inbound, error) {
	if e.Meta[metaSMS] != "" {
		return decodeSMS(e)
	}
	s := readSettings(e.Meta)
	f, err := formatOf(s)
	if err != nil {
		return nil, fmt.Errorf("decode call event: %w", err)
	}
	req := &request{Method: e.Meta[metaMethod], Query: e.Meta[metaQuery], Type: e.Meta[metaType], ID: e.Meta[metaID], Body: e.Raw, At: e.ReceivedAt}
	if req.Method == "" {
		req.Method = http.MethodPost
	}
	if e.Meta[metaBare] != "" {
		req.Query, req.Body = string(e.Raw), nil
	}
	reports, err := f.read(s, req)
	if err != nil {
		return nil, fmt.Errorf("decode call event: %w", err)
	}
	var out []desk.Inbound
	for i := range reports {
		out = append(out, inboundsOf(s, e.ChannelID, req, &reports[i])...)
	}
	return out, nil
}

// inboundsOf makes of a report what the desk files: one inbound per event, the first with the recording.
func inboundsOf(s *settings, channel desk.ID, req *request, rep *report) []desk.Inbound {
	call, whose := callID(rep.Call), ""
	var out []desk.Inbound
	for i, e := range slices.Concat([]desk.CallEvent{rep.Event}, rep.More) {
		e.Key = eventKey(rep, &e, req.ID, i)
		if i == 0 && rep.Recording != nil {
			e.Recording = clean(firstOf(rep.Recording.ID, rep.Recording.Ref), 300)
		}
		customer := s.finish(&e, rep.Customer, req.At)
		if i == 0 {
			whose = customer
		} else if customer == "" {
			customer = whose // what one report tells is of one customer
		}
		in := desk.Inbound{Type: desk.EnvelopeMessage, From: desk.Identity{Type: "call", Value: call, Scope: channel}, Call: s.report(call, e, customer)}
		if customer != "" {
			in.From = desk.Identity{Type: "phone", Value: customer, Verified: true}
		}
		if e.Direction != "outbound" {
			in.Name = e.FromName
		}
		if !e.Heard {
			in.SentAt = e.At
		}
		if i == 0 {
			in.Fields = fieldsOf(rep.Fields)
			in.Attachments = rep.Recording.attachments(e.Type, req.At)
		}
		out = append(out, in)
	}
	return out
}

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

// parties puts the numbers of an event into one notation and returns the customer's: who called, or was called by us.
func (s *settings) parties(e *desk.CallEvent, customer string) string {
	e.From, e.To = clean(e.From, 100), clean(e.To, 100)
	from, _ := s.e164(e.From)
	to, _ := s.e164(e.To)
	e.From, e.To = shown(e.From, from), shown(e.To, to)
	switch {
	case customer != "":
		number, _ := s.e164(customer)
		return number
	case e.Direction == "internal" || e.Leg != "" && e.Direction == "": // a leg alone does not tell who called whom
		return ""
	case e.Direction == "outbound":
		return to
	}
	return from
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
