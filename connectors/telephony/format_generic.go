package telephony

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"hearback/connectors"
	"hearback/desk"
)

// generic is our own JSON (docs/telephony.md), signed with Standard Webhooks. A body is one event, a list of them, {"events": […]}, or
// the envelope that Standard Webhooks recommends: {"type": "call.ringing", "timestamp": …, "data": {…}}.
type generic struct{}

func (generic) verify(d *door, r *request) *refusal { return verifyWebhook(d, r) }

// eventID is webhook-id: "the unique identifier of the message, the same when it is sent again".
func (generic) eventID(h http.Header) string { return h.Get(standardwebhooks.HeaderWebhookID) }

func (generic) taken(*settings, *request) connectors.Answer {
	return connectors.Answer{Status: http.StatusOK, Type: "application/json", Body: "{}"}
}

func (generic) refused(status int, detail string) connectors.Answer { return errorJSON(status, detail) }

// errorJSON is {"error": detail}.
func errorJSON(status int, detail string) connectors.Answer {
	b, _ := json.Marshal(struct {
		Error string `json:"error"`
	}{detail})
	return connectors.Answer{Status: status, Type: "application/json", Body: string(b)}
}

func (g generic) read(s *settings, r *request) ([]report, error) {
	body := bytes.TrimSpace(r.Body)
	var bodies []json.RawMessage
	if bytes.HasPrefix(body, []byte("[")) {
		if err := json.Unmarshal(body, &bodies); err != nil {
			return nil, refuse(http.StatusBadRequest, "The body is no JSON.")
		}
	} else {
		var outer struct {
			Events    []json.RawMessage `json:"events"`
			Data      json.RawMessage   `json:"data"`
			Type      word              `json:"type"`
			Timestamp word              `json:"timestamp"`
		}
		if err := json.Unmarshal(body, &outer); err != nil {
			return nil, refuse(http.StatusBadRequest, "The body is no JSON object: docs/telephony.md shows what is expected.")
		}
		if len(outer.Data) > 0 && outer.Data[0] == '{' {
			rep, err := g.event(s, outer.Data, outer.Type, outer.Timestamp)
			if err != nil || rep == nil {
				return nil, err
			}
			return []report{*rep}, nil
		}
		if bodies = outer.Events; bodies == nil {
			bodies = []json.RawMessage{body}
		}
	}
	var out []report
	for _, b := range bodies {
		rep, err := g.event(s, b, "", "")
		if err != nil {
			return nil, err
		}
		if rep != nil {
			if len(bodies) > 1 {
				rep.Raw = b
			}
			out = append(out, *rep)
		}
	}
	return out, nil
}

// genericTypes are the types of our events and what others call them.
var genericTypes = map[string]string{"initiated": desk.CallInitiated, "ringing": desk.CallRinging, "ivr": desk.CallIVR, "dtmf": desk.CallIVR, "queued": desk.CallQueued,
	"answered": desk.CallAnswered, "transferred": desk.CallTransferred, "hangup": desk.CallHangup, "ended": desk.CallHangup, "recording": desk.CallRecording,
	"voicemail": desk.CallVoicemail, "transcript": desk.CallTranscript, "rating": desk.CallRating, "cdr": desk.CallCDR}

var directions = map[string]string{"inbound": "inbound", "in": "inbound", "incoming": "inbound", "outbound": "outbound", "out": "outbound", "outgoing": "outbound",
	"internal": "internal", "local": "internal"}

var outcomes = map[string]string{"answered": "answered", "missed": "missed", "noanswer": "missed", "busy": "busy", "rejected": "rejected", "failed": "failed",
	"canceled": "canceled", "cancelled": "canceled", "voicemail": "voicemail", "forwarded": "forwarded", "blocked": "blocked"}

// event reads one event; nil when it is of a kind that changes nothing (held, resumed).
func (g generic) event(s *settings, body []byte, typ, at word) (*report, error) {
	var e genericEvent
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, unreadable("An event is not as docs/telephony.md describes it.")
	}
	typ, at = cmp.Or(typ, e.Type), cmp.Or(e.OccurredAt, at)
	told := strings.TrimPrefix(typ.String(), "call.")
	kind := oneOf(genericTypes, told)
	switch {
	case told == "held" || told == "resumed":
		return nil, nil
	case kind == "":
		return nil, unreadable("type %q is none of initiated, ringing, ivr, queued, answered, transferred, hangup, recording, voicemail, transcript, rating, cdr.", clean(told, 40))
	case e.CallID.String() == "":
		return nil, unreadable("call_id is missing.")
	}
	rep := &report{Call: e.CallID.String(), ID: "", Customer: e.Customer.Number, Fields: map[string]string{}}
	out := &rep.Event
	*out = desk.CallEvent{Type: kind, At: moment(at.String(), s.zone), Leg: e.LegID.String(), Direction: oneOf(directions, e.Direction.String()),
		From: e.From.Number, To: e.To.Number, FromName: firstOf(e.From.Name, e.Customer.Name), Agents: slices.Concat(e.Agent, e.Agents), Queue: e.Queue.String(),
		StartedAt: moment(e.StartedAt.String(), s.zone), AnsweredAt: moment(e.AnsweredAt.String(), s.zone), EndedAt: moment(e.EndedAt.String(), s.zone),
		Outcome: oneOf(outcomes, e.Outcome.String()), Cause: firstOf(e.Hangup.Cause.String(), e.Cause.String(), e.Hangup.SIP.String(), e.Hangup.Q850.String()),
		By: e.Hangup.By.String(), Callback: e.CallbackID.String()}
	if parent := e.ParentID.String(); parent != "" && parent != rep.Call { // a leg that is told of as a call
		rep.Call, out.Leg = parent, firstOf(out.Leg, e.CallID.String())
	}
	if kind == desk.CallHangup || kind == desk.CallCDR {
		out.Seconds = wholeSeconds(e.TalkTime.String())
	}
	if e.ID.String() != "" {
		rep.ID = rep.Call + "/" + e.ID.String()
	}
	for name, w := range e.UserData {
		rep.Fields[name] = w.String()
	}
	g.extras(s, &e, rep)
	return rep, nil
}

// extras are the parts of an event that are events of their own: keys, what was said, the rating, a recording.
func (g generic) extras(s *settings, e *genericEvent, rep *report) {
	main := &rep.Event
	var more []desk.CallEvent
	for _, k := range e.IVR {
		more = append(more, desk.CallEvent{Type: desk.CallIVR, At: moment(k.At.String(), s.zone), Keys: k.Key.String(), Label: k.Label.String()})
	}
	if e.DTMF.String() != "" {
		more = append(more, desk.CallEvent{Type: desk.CallIVR, At: main.At, Keys: e.DTMF.String()})
	}
	for _, l := range e.Transcript {
		more = append(more, desk.CallEvent{Type: desk.CallTranscript, At: g.lineAt(s, main, l.Start.String()), Text: l.Text.String(), Speaker: l.Speaker.String()})
	}
	if n := wholeSeconds(e.Rating.String()); n > 0 {
		more = append(more, desk.CallEvent{Type: desk.CallRating, At: main.At, Rating: n})
	}
	if r := e.Recording; r != nil && r.URL.String() != "" {
		rep.Recording = &recording{ID: r.ID.String(), Ref: r.URL.String(), Type: r.Type.String(), ExpiresAt: moment(r.ExpiresAt.String(), s.zone)}
		if main.Type == desk.CallRecording || main.Type == desk.CallVoicemail {
			main.Seconds = wholeSeconds(r.Duration.String())
		}
	}
	// An event that is nothing but its part is that part: {"type": "ivr", "ivr": [{"key": "1"}]}.
	if len(more) > 0 && more[0].Type == main.Type {
		main.Keys, main.Label, main.Text, main.Speaker, main.Rating = more[0].Keys, more[0].Label, more[0].Text, more[0].Speaker, more[0].Rating
		if more[0].At != 0 {
			main.At = more[0].At
		}
		more = more[1:]
	}
	for i := range more {
		if more[i].At == 0 && main.At != 0 {
			more[i].At = main.At + desk.Time(i) // a millisecond each keeps their order
		}
	}
	rep.More = more
}

// lineAt is when a piece of transcript was said.
func (generic) lineAt(s *settings, main *desk.CallEvent, start string) desk.Time {
	if at := moment(start, s.zone); at != 0 || start == "" {
		return at
	}
	begin := cmp.Or(main.AnsweredAt, main.StartedAt, main.At)
	if begin == 0 {
		return 0
	}
	return begin + desk.Time(wholeSeconds(start)*1000)
}
