package desk

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// What a call centre may say of a call.
const (
	CallInitiated   = "initiated"
	CallRinging     = "ringing"
	CallIVR         = "ivr"
	CallQueued      = "queued"
	CallAnswered    = "answered"
	CallTransferred = "transferred"
	CallHangup      = "hangup"
	CallRecording   = "recording"
	CallVoicemail   = "voicemail"
	CallTranscript  = "transcript"
	CallRating      = "rating"
	CallCDR         = "cdr" // the final record, with all times in it
)

// A CallEvent is one thing a call centre said of a call. Only what was told is set.
type CallEvent struct {
	Key        string   `json:"key"` // What makes it the same event when it is told again. Never empty.
	Type       string   `json:"type"`
	At         Time     `json:"at"`                  // The call centre's clock, or when we heard of it.
	Leg        string   `json:"leg,omitempty"`       // "" is the call itself.
	Direction  string   `json:"direction,omitempty"` // inbound, outbound, internal
	From       string   `json:"from,omitempty"`      // E.164, or as told when it is no number; "anonymous"
	To         string   `json:"to,omitempty"`
	FromName   string   `json:"from_name,omitempty"`
	Agents     []string `json:"agents,omitempty"` // Extensions, names or addresses it rings at, or who answered.
	Queue      string   `json:"queue,omitempty"`
	StartedAt  Time     `json:"started_at,omitempty"` // Of final records.
	AnsweredAt Time     `json:"answered_at,omitempty"`
	EndedAt    Time     `json:"ended_at,omitempty"`
	Outcome    string   `json:"outcome,omitempty"` // As in Call, when the call centre names it.
	Cause      string   `json:"cause,omitempty"`
	By         string   `json:"by,omitempty"`    // Who hung up: customer, agent, system.
	Keys       string   `json:"keys,omitempty"`  // What the caller pressed.
	Label      string   `json:"label,omitempty"` // What that key means.
	Text       string   `json:"text,omitempty"`  // Transcript.
	Speaker    string   `json:"speaker,omitempty"`
	Rating     int      `json:"rating,omitempty"`
	Seconds    int      `json:"seconds,omitempty"`  // Length of a recording, or of the talk when no times are told.
	Callback   string   `json:"callback,omitempty"` // The id of the callback asked for that this call answers.
}

// A Call is one telephone call as known so far: the fold over its events, the same in whatever order and however often they came.
type Call struct {
	ID          string      `json:"id"`        // The call centre's.
	State       string      `json:"state"`     // ringing, answered, ended
	Direction   string      `json:"direction"` // inbound, outbound, internal
	From        string      `json:"from"`
	To          string      `json:"to"`
	FromName    string      `json:"from_name,omitempty"`
	Queue       string      `json:"queue,omitempty"`
	Ringing     []string    `json:"ringing,omitempty"` // Agents it rings at, while it does.
	Agent       string      `json:"agent,omitempty"`   // Who answered last, as the call centre calls him.
	AgentID     ID          `json:"agent_id,omitempty"`
	Outcome     string      `json:"outcome,omitempty"` // answered, missed, busy, rejected, failed, voicemail, forwarded, canceled
	Cause       string      `json:"cause,omitempty"`
	HangupBy    string      `json:"hangup_by,omitempty"`
	StartedAt   Time        `json:"started_at"`
	AnsweredAt  Time        `json:"answered_at"`
	EndedAt     Time        `json:"ended_at"`
	RingSeconds int         `json:"ring_seconds"`
	TalkSeconds int         `json:"talk_seconds"`
	Steps       []CallStep  `json:"steps,omitempty"` // Queue, keys, transfers, in the order they happened.
	Transcript  []CallLine  `json:"transcript,omitempty"`
	Rating      int         `json:"rating,omitempty"`
	Callback    string      `json:"callback,omitempty"`
	Recordings  int         `json:"recordings,omitempty"`
	Stale       bool        `json:"stale,omitempty"` // Nobody told how it ended; a timer closed it.
	Events      []CallEvent `json:"events,omitempty"`
}

// A CallStep is one thing that happened on the way.
type CallStep struct {
	Type string `json:"type"` // queued, ivr, answered, transferred
	At   Time   `json:"at"`
	What string `json:"what"`
}

// A CallLine is a piece of what was said.
type CallLine struct {
	Speaker string `json:"speaker,omitempty"`
	Text    string `json:"text"`
	At      Time   `json:"at"`
}

// A CallReport is an inbound's part of a call, with how this channel wants calls filed.
type CallReport struct {
	ID       string // The call centre's id of the call.
	Event    CallEvent
	Customer string // The customer's number in E.164, "" when it is not told or withheld.
	// Open says which calls open a ticket when the caller has none: missed, voicemail (missed ones too), every.
	Open        string
	Within      time.Duration // A ticket of the caller takes this call when its last message is younger.
	CallBackIn  time.Duration // A missed call is a promise to call back within this time. 0: none.
	UrgentAfter int           // From this many missed calls of one ticket on it is urgent. 0: never.
	StaleAfter  time.Duration // Closed by a timer when nothing more is heard. 0: 4 hours.
}

// CallNews is a live hint about a call: who should see it ring.
type CallNews struct {
	ChannelID ID   `json:"channel_id"`
	Call      Call `json:"call"` // without Events
	ContactID ID   `json:"contact_id,omitempty"`
	TeamID    ID   `json:"team_id,omitempty"`
	AgentIDs  []ID `json:"agent_ids,omitempty"` // whose phones ring, or who talks
	TicketID  ID   `json:"ticket_id,omitempty"`
}

const maxCallEvents = 400 // per call; a flood of transcript lines must not grow a row without end

// With is the call after one more event. Told again, an event changes nothing but its time, which is the earliest told.
func (c Call) With(e CallEvent) Call {
	events := slices.Clone(c.Events)
	for i := range events {
		if events[i].Key != e.Key {
			continue
		}
		if e.At < events[i].At {
			events[i].At = e.At
		}
		return foldCall(c.ID, c.AgentID, events)
	}
	if len(events) >= maxCallEvents && e.Type == CallTranscript {
		return c
	}
	return foldCall(c.ID, c.AgentID, append(events, e))
}

// progressOf orders events of the same moment as calls go.
func progressOf(typ string) int {
	return slices.Index([]string{CallInitiated, CallIVR, CallQueued, CallRinging, CallAnswered, CallTransferred, CallHangup, CallCDR,
		CallVoicemail, CallRecording, CallTranscript, CallRating}, typ)
}

// foldCall derives a call from the set of its events. It looks at them in one order, however they came.
func foldCall(id string, agent ID, events []CallEvent) Call {
	slices.SortFunc(events, func(a, b CallEvent) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(progressOf(a.Type), progressOf(b.Type)), cmp.Compare(a.Key, b.Key))
	})
	c := Call{ID: id, AgentID: agent, Events: events}
	f := callFold{c: &c, open: map[string]bool{}}
	for i := range events {
		f.take(&events[i])
	}
	f.finish()
	return c
}

// callFold is what the fold remembers on its way.
type callFold struct {
	c        *Call
	open     map[string]bool // legs heard of; false once they have hung up
	hung     bool            // the call itself has hung up
	lastHang Time
	outcome  string // as named by the call centre
	mailbox  bool
	seconds  int
}

func (f *callFold) take(e *CallEvent) {
	c := f.c
	first(&c.Direction, e.Direction)
	first(&c.From, e.From)
	first(&c.To, e.To)
	first(&c.FromName, e.FromName)
	first(&c.Callback, e.Callback)
	if e.Queue != "" {
		c.Queue = e.Queue
	}
	earliest(&c.StartedAt, cmp.Or(e.StartedAt, f.startOf(e)))
	if e.Leg != "" && e.Type != CallHangup {
		if _, known := f.open[e.Leg]; !known {
			f.open[e.Leg] = true
		}
	}
	switch e.Type {
	case CallRinging:
		c.Ringing = union(c.Ringing, e.Agents)
	case CallQueued:
		f.step(e, e.Queue)
	case CallIVR:
		f.step(e, strings.TrimSpace(e.Keys+" "+e.Label))
	case CallAnswered:
		f.answered(e, cmp.Or(e.AnsweredAt, e.At))
		f.step(e, c.Agent)
	case CallTransferred:
		f.step(e, strings.Join(e.Agents, ", ")+e.Queue)
	case CallHangup:
		f.hangup(e)
	case CallCDR:
		f.hangup(e)
		if e.AnsweredAt != 0 {
			f.answered(e, e.AnsweredAt)
		}
	case CallRecording:
		c.Recordings++
	case CallVoicemail:
		f.mailbox = true
		c.Recordings++
	case CallTranscript:
		c.Transcript = append(c.Transcript, CallLine{Speaker: e.Speaker, Text: e.Text, At: e.At})
	case CallRating:
		c.Rating = e.Rating
	}
}

// startOf is when the call began as far as an event tells: recordings and the like come long after.
func (f *callFold) startOf(e *CallEvent) Time {
	if p := progressOf(e.Type); p > progressOf(CallHangup) {
		return 0
	}
	return e.At
}

func (f *callFold) answered(e *CallEvent, at Time) {
	earliest(&f.c.AnsweredAt, at)
	if len(e.Agents) > 0 {
		f.c.Agent = e.Agents[0]
	}
}

func (f *callFold) hangup(e *CallEvent) {
	if e.Leg != "" {
		f.open[e.Leg] = false
	} else {
		f.hung = true
	}
	f.lastHang = max(f.lastHang, cmp.Or(e.EndedAt, e.At))
	f.seconds = max(f.seconds, e.Seconds)
	if e.Outcome != "" {
		f.outcome = e.Outcome
	}
	if e.Cause != "" {
		f.c.Cause = e.Cause
	}
	if e.By != "" {
		f.c.HangupBy = e.By
	}
	f.c.Stale = f.c.Stale || e.Cause == "stale"
}

// finish draws the conclusions that need all events.
func (f *callFold) finish() {
	c := f.c
	c.Direction = cmp.Or(c.Direction, "inbound")
	c.State = "ringing"
	if c.AnsweredAt != 0 || f.outcome == "answered" {
		c.State = "answered"
	}
	if f.ended() {
		c.State, c.EndedAt = "ended", f.lastHang
		c.Outcome = f.conclude()
	}
	if c.State != "ringing" {
		c.Ringing = nil
	}
	end := cmp.Or(c.AnsweredAt, c.EndedAt)
	c.RingSeconds = seconds(c.StartedAt, end)
	c.TalkSeconds = max(seconds(c.AnsweredAt, c.EndedAt), f.seconds)
	if c.State == "ended" && c.Outcome != "answered" {
		c.TalkSeconds = 0
	}
}

// ended: the call itself was hung up, or every leg that was heard of.
func (f *callFold) ended() bool {
	if f.hung || len(f.open) == 0 {
		return f.hung
	}
	for _, open := range f.open {
		if open {
			return false
		}
	}
	return true
}

func (f *callFold) conclude() string {
	c := f.c
	switch {
	case f.mailbox:
		return "voicemail"
	case c.AnsweredAt != 0:
		return "answered"
	case f.outcome != "":
		return f.outcome
	case c.Direction == "inbound":
		return "missed"
	}
	return "failed"
}

func (f *callFold) step(e *CallEvent, what string) {
	f.c.Steps = append(f.c.Steps, CallStep{Type: e.Type, At: e.At, What: what})
}

func first(into *string, told string) {
	if *into == "" {
		*into = told
	}
}

func earliest(into *Time, told Time) {
	if told != 0 && (*into == 0 || told < *into) {
		*into = told
	}
}

func union(a, b []string) []string {
	for _, x := range b {
		if !slices.Contains(a, x) {
			a = append(a, x)
		}
	}
	return a
}

func seconds(from, to Time) int {
	if from == 0 || to <= from {
		return 0
	}
	return int((to - from + 500) / 1000)
}

// Missed tells whether an inbound call ended without anybody talking to the customer.
func (c Call) Missed() bool {
	return c.State == "ended" && c.Direction == "inbound" && c.AnsweredAt == 0 && c.Outcome != "forwarded" && c.Outcome != "answered" || c.Outcome == "voicemail"
}
