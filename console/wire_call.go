package console

import (
	"github.com/danielgtaylor/huma/v2"

	"hearback/desk"
)

// A Call is one telephone call as known so far.
type Call struct {
	ID          desk.ID    `json:"id" doc:"The call centre's."`
	State       string     `json:"state" enum:"ringing,answered,ended"`
	Direction   string     `json:"direction" enum:"inbound,outbound,internal"`
	From        string     `json:"from" doc:"E.164 where it is a number; anonymous when withheld."`
	To          string     `json:"to"`
	FromName    string     `json:"from_name"`
	Queue       string     `json:"queue"`
	Ringing     []string   `json:"ringing" doc:"Whose phones ring, as the call centre calls them."`
	Agent       string     `json:"agent" doc:"Who answered, as the call centre calls him."`
	AgentID     desk.ID    `json:"agent_id" doc:"Who that is here; empty when nobody is known by it."`
	Outcome     string     `json:"outcome" doc:"answered, missed, busy, rejected, failed, voicemail, forwarded, canceled; empty until it ended."`
	Cause       string     `json:"cause"`
	HangupBy    string     `json:"hangup_by" doc:"customer, agent, system"`
	StartedAt   desk.Time  `json:"started_at"`
	AnsweredAt  desk.Time  `json:"answered_at"`
	EndedAt     desk.Time  `json:"ended_at"`
	RingSeconds int        `json:"ring_seconds"`
	TalkSeconds int        `json:"talk_seconds"`
	Steps       []CallStep `json:"steps" doc:"Queue, keys, transfers, in the order they happened."`
	Transcript  []CallLine `json:"transcript"`
	Rating      int        `json:"rating" doc:"0: none."`
	Callback    string     `json:"callback" doc:"The callback asked for that this call answers."`
	Recordings  int        `json:"recordings"`
	Stale       bool       `json:"stale" doc:"Nobody told how it ended; a timer closed it."`
}

// A CallStep is one thing that happened on the way.
type CallStep struct {
	Type string    `json:"type" doc:"queued, ivr, answered, transferred"`
	At   desk.Time `json:"at"`
	What string    `json:"what"`
}

// A CallLine is a piece of what was said.
type CallLine struct {
	Speaker string    `json:"speaker"`
	Text    string    `json:"text"`
	At      desk.Time `json:"at"`
}

func wireCall(c desk.Call) Call {
	w := Call{
		ID: c.ID, State: c.State, Direction: c.Direction, From: c.From, To: c.To, FromName: c.FromName, Queue: c.Queue,
		Ringing: list(c.Ringing), Agent: c.Agent, AgentID: c.AgentID, Outcome: c.Outcome, Cause: c.Cause, HangupBy: c.HangupBy,
		StartedAt: c.StartedAt, AnsweredAt: c.AnsweredAt, EndedAt: c.EndedAt, RingSeconds: c.RingSeconds, TalkSeconds: c.TalkSeconds,
		Steps: []CallStep{}, Transcript: []CallLine{}, Rating: c.Rating, Callback: c.Callback, Recordings: c.Recordings, Stale: c.Stale,
	}
	for _, s := range c.Steps {
		w.Steps = append(w.Steps, CallStep(s))
	}
	for _, l := range c.Transcript {
		w.Transcript = append(w.Transcript, CallLine(l))
	}
	return w
}

// A LiveCall is a call that rings or is talked on, with who calls: what pops up.
type LiveCall struct {
	ID          desk.ID      `json:"id" doc:"The call centre's; unique together with the channel."`
	Channel     ChannelRef   `json:"channel"`
	State       string       `json:"state" enum:"ringing,answered,ended"`
	Direction   string       `json:"direction" enum:"inbound,outbound,internal"`
	From        string       `json:"from"`
	FromName    string       `json:"from_name"`
	To          string       `json:"to"`
	Queue       string       `json:"queue"`
	Contact     *ContactRef  `json:"contact" doc:"Who calls, when he is known."`
	Ticket      *TicketRef   `json:"ticket" doc:"The call's ticket, once it has one."`
	OpenTickets []OpenTicket `json:"open_tickets" doc:"The caller's, inside the reader's scope; at most 5, the latest first."`
	AgentIDs    []desk.ID    `json:"agent_ids" doc:"Whose phones ring, or who talks."`
	Mine        bool         `json:"mine" doc:"The reader's phone rings, or he talks."`
	StartedAt   desk.Time    `json:"started_at"`
	AnsweredAt  desk.Time    `json:"answered_at"`
	EndedAt     desk.Time    `json:"ended_at"`
	Outcome     string       `json:"outcome"`
}

// TransformSchema says which objects may be null.
func (LiveCall) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return orNull(s, "contact", "ticket")
}

// An OpenTicket is one matter the caller may be calling about.
type OpenTicket struct {
	ID      desk.ID `json:"id"`
	Number  string  `json:"number"`
	Subject string  `json:"subject"`
	Status  string  `json:"status" enum:"new,open,waiting,resolved"`
}
