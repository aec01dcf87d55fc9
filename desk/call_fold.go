package desk

import (
	"cmp"
	"slices"
	"strings"
)

// foldCall derives a call from the set of its events.
//
// State, direction, numbers and outcome are drawn from the events by weight, so that they do not depend on the order of arrival
// even where the call centre tells no times. What happened step by step, who answered last and in which queue it was are drawn by time.
func foldCall(id string, agent ID, events []CallEvent) Call {
	c := Call{ID: id, AgentID: agent, Events: events}
	f := callFold{c: &c, legs: map[string]*callLeg{}}
	for i := range events {
		f.weigh(&events[i])
	}
	ordered := slices.Clone(events)
	slices.SortFunc(ordered, byTime)
	for i := range ordered {
		f.tell(&ordered[i])
	}
	f.finish(ordered)
	return c
}

// callFold is what the fold remembers on its way.
type callFold struct {
	c        *Call
	legs     map[string]*callLeg // "" is the call itself
	started  Time                // as told by final records
	known    bool                // the call itself was heard of, not only its legs
	mailbox  Time                // when a message was left
	recorded []string
}

// callLeg is one connection of a call.
type callLeg struct {
	rang     bool
	answered bool
	agents   bool // who answered was named
	at       Time // when it was answered, as told; 0 when only known that it was
	heardAt  Time // when we heard that it was answered
	hung     bool
	final    Time // end as final records tell
	end      Time // end by the hang-up's time
	endHeard bool // that time is when we heard of it
	outcome  string
	cause    string
	by       string
	seconds  int
	stale    Time
}

func (f *callFold) leg(name string) *callLeg {
	l := f.legs[name]
	if l == nil {
		l = &callLeg{}
		f.legs[name] = l
	}
	return l
}

// weigh takes an event's part in state, numbers and outcome. Events come by weight: the first to say something is believed.
func (f *callFold) weigh(e *CallEvent) {
	c, l := f.c, f.leg(e.Leg)
	first(&c.Direction, e.Direction)
	first(&c.From, e.From)
	first(&c.To, e.To)
	first(&c.FromName, e.FromName)
	first(&c.Callback, e.Callback)
	earliest(&f.started, e.StartedAt)
	if p := progressOf(e.Type); p <= progressOf(CallCDR) {
		f.known = f.known || e.Leg == ""
		if p <= progressOf(CallHangup) && e.Cause != causeStale {
			earliest(&c.StartedAt, e.At-Time(e.Seconds*1000)) // only a hang-up tells how long was talked before
		}
	}
	switch e.Type {
	case CallRinging:
		l.rang = true
	case CallAnswered:
		l.answer(e, cmp.Or(e.AnsweredAt, toldAt(*e)), e.At)
	case CallHangup, CallCDR:
		l.hangup(e)
	case CallVoicemail:
		earliest(&f.mailbox, e.At)
	case CallRating:
		c.Rating = e.Rating
	}
	if e.Recording != "" || e.Type == CallRecording || e.Type == CallVoicemail {
		f.recorded = union(f.recorded, []string{cmp.Or(e.Recording, e.Key)})
	}
}

// causeStale is the cause of the hang-up that a timer adds to a call whose end nobody told.
const causeStale = "stale"

func (l *callLeg) answer(e *CallEvent, told, heard Time) {
	l.answered, l.agents = true, l.agents || len(e.Agents) > 0
	earliest(&l.at, told)
	earliest(&l.heardAt, heard)
}

// answeredAt is when the connection was answered as well as it is known.
func (l *callLeg) answeredAt() Time { return cmp.Or(l.at, l.heardAt) }

func (l *callLeg) hangup(e *CallEvent) {
	if e.Cause == causeStale {
		l.stale = max(l.stale, e.At)
		return
	}
	l.final = max(l.final, e.EndedAt)
	switch {
	case !l.hung, l.endHeard && !e.Heard:
		l.end, l.endHeard = e.At, e.Heard
	case l.endHeard == e.Heard && e.Type == CallHangup:
		l.end = max(l.end, e.At)
	}
	l.hung = true
	first(&l.cause, e.Cause)
	first(&l.by, e.By)
	if e.Outcome != "" && (l.outcome == "" || e.Type == CallCDR) {
		l.outcome = e.Outcome
	}
	l.seconds = max(l.seconds, e.Seconds)
	if e.AnsweredAt != 0 || e.Outcome == "answered" || e.Seconds > 0 && e.Outcome == "" {
		l.answer(e, e.AnsweredAt, 0)
	}
}

// ended is when the connection ended as well as it is known.
func (l *callLeg) ended() Time { return cmp.Or(l.final, l.end) }

// tell takes an event's part in what is shown step by step. Events come by time.
func (f *callFold) tell(e *CallEvent) {
	c := f.c
	if e.Queue != "" {
		c.Queue = e.Queue
	}
	switch e.Type {
	case CallQueued:
		f.step(e, e.Queue)
	case CallIVR:
		f.step(e, strings.TrimSpace(e.Keys+" "+e.Label))
	case CallAnswered:
		if len(e.Agents) > 0 {
			c.Agent, c.AgentNames = e.Agents[0], e.Agents
		}
		f.step(e, c.Agent)
	case CallTransferred:
		f.step(e, strings.Join(append(slices.Clone(e.Agents), nonEmpty(e.Queue)...), ", "))
	case CallHangup, CallCDR:
		if c.Agent == "" && len(e.Agents) > 0 && f.leg(e.Leg).answered {
			c.Agent, c.AgentNames = e.Agents[0], e.Agents
		}
	}
	if e.Text != "" || e.Type == CallTranscript { // a voicemail may come with what was said
		c.Transcript = append(c.Transcript, CallLine{Speaker: e.Speaker, Text: e.Text, At: e.At})
	}
}

func (f *callFold) step(e *CallEvent, what string) {
	f.c.Steps = append(f.c.Steps, CallStep{Type: e.Type, At: e.At, What: what})
}

// finish draws the conclusions that need all events.
func (f *callFold) finish(ordered []CallEvent) {
	c, main := f.c, f.leg("")
	c.Direction = cmp.Or(c.Direction, "inbound")
	c.Recordings = len(f.recorded)
	c.StartedAt = cmp.Or(f.started, c.StartedAt)
	talked := f.talked()
	c.State = "ringing"
	if talked {
		c.State, c.AnsweredAt = "answered", f.answeredAt()
	}
	if f.over() {
		c.State = "ended"
		f.end(ordered)
		c.Outcome = f.conclude(talked)
		c.Cause, c.HangupBy = f.cause(), main.by
	}
	if c.State != "ended" {
		c.Ringing = f.ringing(ordered)
	}
	f.durations(ordered, talked)
}

// talked tells whether a person took the call. Unless who took it was named, a call whose legs rang and were not taken was answered
// by a machine, and so was one that the call centre says ended otherwise.
func (f *callFold) talked() bool {
	legs := false
	for name, l := range f.legs {
		if name == "" {
			continue
		}
		if l.answered {
			return true
		}
		legs = legs || l.rang || l.hung
	}
	main := f.legs[""]
	return main.answered && (main.agents || !legs && (main.outcome == "" || main.outcome == "answered"))
}

// answeredAt is when the first person took the call.
func (f *callFold) answeredAt() Time {
	var at Time
	for name, l := range f.legs {
		if name != "" && l.answered {
			earliest(&at, l.answeredAt())
		}
	}
	// A machine answers before a leg does: the call's own time counts when a person is known to have taken it there.
	if main := f.legs[""]; main.answered && (main.agents || at == 0) {
		earliest(&at, main.answeredAt())
	}
	return at
}

// over: the call itself was hung up, a message was left, or all there is are legs and they have hung up. Of a call that was heard
// of itself the legs decide nothing: the next agent's phone may ring a moment later.
func (f *callFold) over() bool {
	main := f.legs[""]
	if main.hung || main.stale != 0 || f.mailbox != 0 {
		return true
	}
	if f.known || len(f.legs) == 1 {
		return false
	}
	for name, l := range f.legs {
		if name != "" && !l.hung {
			return false
		}
	}
	return true
}

// end finds when the call ended. One that a timer closed ended when last heard of.
func (f *callFold) end(ordered []CallEvent) {
	c, main := f.c, f.legs[""]
	switch {
	case main.hung:
		c.EndedAt = main.ended()
	case f.mailbox != 0:
		c.EndedAt = f.mailbox
	case main.stale != 0:
		c.Stale = true
		for i := range ordered {
			if ordered[i].Cause != causeStale {
				c.EndedAt = max(c.EndedAt, ordered[i].At)
			}
		}
		c.EndedAt = cmp.Or(c.EndedAt, main.stale)
	default:
		for _, l := range f.legs {
			c.EndedAt = max(c.EndedAt, l.ended())
		}
	}
}

// named is the outcome the call centre told: of the call itself before that of its legs, of those the one that says most.
func (f *callFold) named() string {
	told := map[string]bool{}
	for name, l := range f.legs {
		if name != "" {
			told[l.outcome] = true
		}
	}
	if own := f.legs[""].outcome; own != "" && own != "answered" {
		return own
	}
	for _, o := range []string{"voicemail", "forwarded", "blocked", "rejected", "busy", "canceled", "failed", "missed"} {
		if told[o] {
			return o
		}
	}
	return ""
}

func (f *callFold) conclude(talked bool) string {
	named := f.named()
	inbound := f.c.Direction == "inbound"
	switch {
	case f.mailbox != 0, !talked && named == "voicemail":
		return "voicemail"
	case talked:
		return "answered"
	case named == "forwarded", named == "blocked":
		return named
	case named == "" && len(f.recorded) > 0:
		return "answered" // what was recorded was said
	case inbound:
		return "missed"
	}
	return cmp.Or(named, "failed")
}

// cause is why it ended as told, or the outcome told that an inbound call has in its cause.
func (f *callFold) cause() string {
	if cause := f.legs[""].cause; cause != "" {
		return cause
	}
	if named := f.named(); named != f.c.Outcome {
		return named
	}
	if f.c.Stale {
		return causeStale
	}
	return ""
}

// ringing lists whose phones ring now. When the call was answered only legs that began later by the call centre's own clock do:
// a transfer.
func (f *callFold) ringing(ordered []CallEvent) []string {
	var out []string
	for i := range ordered {
		e := &ordered[i]
		l := f.legs[e.Leg]
		if e.Type != CallRinging || l.hung || l.answered && e.Leg != "" {
			continue
		}
		if f.c.State == "ringing" || e.Leg != "" && !e.Heard && e.At > f.c.AnsweredAt {
			out = union(out, e.Agents)
		}
	}
	return out
}

// durations are never negative, whatever the clocks say.
func (f *callFold) durations(ordered []CallEvent, talked bool) {
	c, main := f.c, f.legs[""]
	if c.StartedAt == 0 && len(c.Events) > 0 { // nothing but final records without their times, or a recording
		c.StartedAt = cmp.Or(c.AnsweredAt, c.EndedAt, ordered[0].At)
	}
	if talked && c.AnsweredAt == 0 && c.EndedAt != 0 {
		c.AnsweredAt = max(c.EndedAt-Time(f.told()*1000), c.StartedAt)
	}
	c.AnsweredAt = after(c.AnsweredAt, c.StartedAt)
	c.EndedAt = after(after(c.EndedAt, c.AnsweredAt), c.StartedAt)
	c.RingSeconds = seconds(c.StartedAt, cmp.Or(c.AnsweredAt, c.EndedAt))
	if c.State == "ended" && c.Outcome != "answered" && c.Agent == "" {
		c.AnsweredAt = 0 // a mailbox took it
	}
	if c.Outcome == "answered" && talked {
		c.TalkSeconds = cmp.Or(main.seconds, seconds(c.AnsweredAt, c.EndedAt), f.told())
	}
}

// told is how long was talked as the call centre says.
func (f *callFold) told() (n int) {
	for _, l := range f.legs {
		n = max(n, l.seconds)
	}
	return n
}

// after moves a moment that is known to be not before another one.
func after(at, other Time) Time {
	if at == 0 {
		return 0
	}
	return max(at, other)
}

func first(into *string, told string) {
	if *into == "" {
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

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// seconds rounds to whole seconds; 0 when to is not after from.
func seconds(from, to Time) int {
	if from == 0 || to <= from {
		return 0
	}
	return int((to - from + 500) / 1000)
}
