package pbx

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// What can happen in a call.
const (
	Answered    = "answered"    // IVR, queue, one phone rings, talk
	Missed      = "missed"      // a phone rings, nobody answers
	Voicemail   = "voicemail"   // nobody answers, the caller leaves a message
	Transferred = "transferred" // talk with one agent, then with another
	TwoLegs     = "two-legs"    // two phones ring, one answers
	Abandoned   = "abandoned"   // the caller gives up in the queue
	Outbound    = "outbound"    // an agent calls the customer, who answers
)

// Scenarios are all of them.
var Scenarios = []string{Answered, Missed, Voicemail, Transferred, TwoLegs, Abandoned, Outbound}

// A Script is one call: who, when, and what happens.
type Script struct {
	ID       string
	Scenario string
	Customer string // E.164
	Name     string // what the network shows as the caller's name
	Line     string // our number, E.164
	Agent    string // extension whose phone rings first
	Other    string // extension of the second agent, for transfers and two legs
	Queue    string
	Start    time.Time
	Ring     time.Duration // how long it rings
	Talk     time.Duration // how long they talk, in all
	Callback string        // of an outbound call: the callback it answers
}

// A step is one thing that happens.
type step struct {
	kind  string // start, ivr, queue, ring, answer, transfer, hangup, recording, voicemail
	at    time.Time
	leg   string // "" is the call itself
	agent string
	cause string // of a hangup: normal, noanswer, cancel
	by    string // customer, agent
	url   string // of a recording
	took  time.Duration
}

// fill gives what is left open its usual value.
func (s Script) fill() Script {
	set := func(v *string, to string) {
		if *v == "" {
			*v = to
		}
	}
	set(&s.Scenario, Answered)
	set(&s.Customer, "+8613800138000")
	set(&s.Line, "+861064368888")
	set(&s.Agent, "8001")
	set(&s.Other, "8002")
	set(&s.Queue, "售后")
	if s.Ring == 0 {
		s.Ring = 6 * time.Second
	}
	if s.Talk == 0 {
		s.Talk = 42 * time.Second
	}
	s.Start = s.Start.Truncate(time.Second) // providers that tell seconds must tell the same call
	return s
}

// Outbound tells whether we call the customer.
func (s Script) outbound() bool { return s.Scenario == Outbound }

// from and to are the numbers in the direction of the call.
func (s Script) from() string {
	if s.outbound() {
		return s.Line
	}
	return s.Customer
}

func (s Script) to() string {
	if s.outbound() {
		return s.Customer
	}
	return s.Line
}

// TalkSeconds is how long the customer and an agent talk.
func (s Script) TalkSeconds() int {
	s = s.fill()
	switch s.Scenario {
	case Missed, Voicemail, Abandoned:
		return 0
	}
	return int(s.Talk / time.Second)
}

// Outcome is how the call ends, in the gateway's words.
func (s Script) Outcome() string {
	switch s.fill().Scenario {
	case Missed, Abandoned:
		return "missed"
	case Voicemail:
		return "voicemail"
	}
	return "answered"
}

// Ended is when it is over.
func (s Script) Ended() time.Time {
	s = s.fill()
	for _, st := range s.steps("") {
		if st.kind == "hangup" && st.leg == "" {
			return st.at
		}
	}
	return s.Start
}

// steps are what happens, in order. recordings is the address they are kept under.
func (s Script) steps(recordings string) []step {
	s = s.fill()
	at := s.Start
	next := func(d time.Duration) time.Time {
		at = at.Add(d)
		return at
	}
	file := fmt.Sprintf("%s/%s.wav", recordings, s.ID)
	out := []step{{kind: "start", at: at, agent: s.Agent}}
	add := func(st step) { out = append(out, st) }
	if s.Scenario == Answered || s.Scenario == Abandoned {
		add(step{kind: "ivr", at: next(time.Second)})
		add(step{kind: "queue", at: next(time.Second)})
	}
	switch s.Scenario {
	case Abandoned:
		add(step{kind: "hangup", at: next(s.Ring), cause: "cancel", by: "customer"})
		return out
	case TwoLegs:
		add(step{kind: "ring", at: next(time.Second), leg: s.ID + "-a", agent: s.Agent})
		add(step{kind: "ring", at: at, leg: s.ID + "-b", agent: s.Other})
		add(step{kind: "answer", at: next(s.Ring), leg: s.ID + "-b", agent: s.Other})
		add(step{kind: "hangup", at: at, leg: s.ID + "-a", agent: s.Agent, cause: "elsewhere"})
	default:
		add(step{kind: "ring", at: next(time.Second), agent: s.Agent})
		if s.Scenario == Missed || s.Scenario == Voicemail {
			add(step{kind: "hangup", at: next(s.Ring), cause: "noanswer", by: "customer"})
			if s.Scenario == Voicemail {
				add(step{kind: "voicemail", at: next(12 * time.Second), url: file, took: 3 * time.Second})
			}
			return out
		}
		add(step{kind: "answer", at: next(s.Ring), agent: s.Agent})
	}
	end := at.Add(s.Talk)
	if s.Scenario == Transferred {
		add(step{kind: "transfer", at: next(s.Talk / 2), agent: s.Other})
		add(step{kind: "answer", at: at, agent: s.Other})
	}
	at = end
	if s.Scenario == TwoLegs {
		add(step{kind: "hangup", at: at, leg: s.ID + "-b", agent: s.Other, cause: "normal", by: "customer"})
	}
	add(step{kind: "hangup", at: at, cause: "normal", by: "customer"})
	add(step{kind: "recording", at: next(2 * time.Second), url: file, took: s.Talk})
	return out
}

// find is the first step of a kind; ok tells whether there is one.
func find(steps []step, kind string) (step, bool) {
	for _, st := range steps {
		if st.kind == kind && (kind != "hangup" || st.leg == "") {
			return st, true
		}
	}
	return step{}, false
}

// Number is the n-th number after a given one; its length stays.
func Number(first string, n int) string {
	digits := strings.TrimPrefix(first, "+")
	v, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return first
	}
	return "+" + strconv.FormatUint(v+uint64(n), 10)
}
