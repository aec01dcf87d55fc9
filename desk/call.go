package desk

import "time"

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
	Heard      bool     `json:"heard,omitempty"`     // At is when we heard of it: no time was told, so it orders nothing.
	Leg        string   `json:"leg,omitempty"`       // One of the call's connections, e.g. to an agent's phone. "" is the call itself.
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
	Seconds    int      `json:"seconds,omitempty"`   // Length of a recording, or of the talk when no times are told.
	Recording  string   `json:"recording,omitempty"` // What makes a recording the same one when several events name it.
	Callback   string   `json:"callback,omitempty"`  // The id of the callback asked for that this call answers.
}

// A Call is one telephone call as known so far: the fold over its events, the same in whatever order and however often they came.
type Call struct {
	ID         string   `json:"id"`        // The call centre's.
	State      string   `json:"state"`     // ringing, answered, ended
	Direction  string   `json:"direction"` // inbound, outbound, internal
	From       string   `json:"from"`
	To         string   `json:"to"`
	FromName   string   `json:"from_name,omitempty"`
	Queue      string   `json:"queue,omitempty"`
	Ringing    []string `json:"ringing,omitempty"`     // Agents it rings at now.
	Agent      string   `json:"agent,omitempty"`       // Who answered last, as the call centre calls him.
	AgentNames []string `json:"agent_names,omitempty"` // All that it calls him: extension, address, name.
	AgentID    ID       `json:"agent_id,omitempty"`
	// Outcome is set when it ended. Inbound: answered, missed, voicemail, forwarded, blocked (why it was missed stands in Cause).
	// Outbound and internal also: busy, rejected, failed, canceled.
	Outcome     string      `json:"outcome,omitempty"`
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
	// Open says which calls open a ticket when the caller has none: missed (voicemail is one of them), voicemail (only those that
	// left one), every.
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
	Rang      []ID `json:"rang,omitempty"`      // at whose phones it has rung: they learn that it is over or somebody else took it
	TicketID  ID   `json:"ticket_id,omitempty"`
}

// Missed tells whether an inbound call ended without anybody talking to the customer: it wants to be called back.
func (c Call) Missed() bool {
	return c.State == "ended" && c.Direction == "inbound" && (c.Outcome == "missed" || c.Outcome == "voicemail")
}
