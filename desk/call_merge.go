package desk

import (
	"cmp"
	"slices"
)

// maxCallEvents is how many events of one type a call keeps, the earliest: a flood must not grow a row without end.
const maxCallEvents = 100

// maxTranscript is the same for pieces of transcript.
const maxTranscript = 300

// With is the call after one more event. The result depends only on the set of events, not on their order or repetition: events
// of one key are joined field by field into what they say together, and of too many always the same ones are kept.
func (c Call) With(e CallEvent) Call {
	e.Agents = slices.DeleteFunc(slices.Clone(e.Agents), func(a string) bool { return a == "" })
	events := slices.Clone(c.Events)
	if i := slices.IndexFunc(events, func(x CallEvent) bool { return x.Key == e.Key }); i >= 0 {
		events[i] = joinEvents(events[i], e)
	} else {
		events = append(events, e)
	}
	return foldCall(c.ID, c.AgentID, bounded(events))
}

// joinEvents is the least event that says what both say: commutative, associative and idempotent. A told time beats a heard one,
// an earlier time a later one.
func joinEvents(a, b CallEvent) CallEvent {
	out := a
	if c := cmp.Or(compareBool(a.Heard, b.Heard), cmp.Compare(a.At, b.At)); c > 0 {
		out.At, out.Heard = b.At, b.Heard
	}
	for _, f := range [][2]*string{{&out.Type, &b.Type}, {&out.Leg, &b.Leg}, {&out.Direction, &b.Direction}, {&out.From, &b.From}, {&out.To, &b.To},
		{&out.FromName, &b.FromName}, {&out.Queue, &b.Queue}, {&out.Outcome, &b.Outcome}, {&out.Cause, &b.Cause}, {&out.By, &b.By},
		{&out.Keys, &b.Keys}, {&out.Label, &b.Label}, {&out.Text, &b.Text}, {&out.Speaker, &b.Speaker}, {&out.Recording, &b.Recording},
		{&out.Callback, &b.Callback}} {
		*f[0] = max(*f[0], *f[1])
	}
	if !slices.Equal(a.Agents, b.Agents) {
		out.Agents = slices.Concat(a.Agents, b.Agents)
		slices.Sort(out.Agents)
		out.Agents = slices.Compact(out.Agents)
	}
	earliest(&out.StartedAt, b.StartedAt)
	earliest(&out.AnsweredAt, b.AnsweredAt)
	out.EndedAt = max(a.EndedAt, b.EndedAt)
	out.Rating, out.Seconds = max(a.Rating, b.Rating), max(a.Seconds, b.Seconds)
	return out
}

// bounded keeps the first events of each type in an order that does not depend on how they came. It sorts them so.
func bounded(events []CallEvent) []CallEvent {
	slices.SortFunc(events, byWeight)
	count := map[string]int{}
	return slices.DeleteFunc(events, func(e CallEvent) bool {
		count[e.Type]++
		return count[e.Type] > maxCallEvents && (e.Type != CallTranscript || count[e.Type] > maxTranscript)
	})
}

// byWeight orders events for conclusions: what is said of the call itself before what is said of its legs, then as calls go. When
// they were heard of plays no part, so that the order of arrival decides nothing.
func byWeight(a, b CallEvent) int {
	return cmp.Or(compareBool(a.Leg != "", b.Leg != ""), cmp.Compare(progressOf(a.Type), progressOf(b.Type)), compareBool(a.Heard, b.Heard),
		cmp.Compare(toldAt(a), toldAt(b)), cmp.Compare(a.Key, b.Key))
}

// byTime orders events as they happened, as far as is known: for what is shown step by step.
func byTime(a, b CallEvent) int {
	return cmp.Or(cmp.Compare(a.At, b.At), byWeight(a, b))
}

func toldAt(e CallEvent) Time {
	if e.Heard {
		return 0
	}
	return e.At
}

// progressOf orders the types as calls go.
func progressOf(typ string) int {
	return slices.Index([]string{CallInitiated, CallIVR, CallQueued, CallRinging, CallAnswered, CallTransferred, CallHangup, CallCDR,
		CallVoicemail, CallRecording, CallTranscript, CallRating}, typ)
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

func earliest(into *Time, told Time) {
	if told != 0 && (*into == 0 || told < *into) {
		*into = told
	}
}
