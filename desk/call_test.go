package desk_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"hearback/desk"
)

const t0 = desk.Time(1_700_000_000_000)

// at is s seconds into the call.
func at(s int) desk.Time { return t0 + desk.Time(s)*1000 }

func ev(typ string, s int, change ...func(*desk.CallEvent)) desk.CallEvent {
	e := desk.CallEvent{Type: typ, At: at(s), Direction: "inbound", From: "+8613800138000", To: "+861064368888"}
	for _, f := range change {
		f(&e)
	}
	e.Key = fmt.Sprint(e.Type, e.Leg, s)
	return e
}

func leg(id string) func(*desk.CallEvent) {
	return func(e *desk.CallEvent) { e.Leg, e.Direction, e.From, e.To = id, "", "", "" }
}
func agent(ext ...string) func(*desk.CallEvent) { return func(e *desk.CallEvent) { e.Agents = ext } }
func queue(q string) func(*desk.CallEvent)      { return func(e *desk.CallEvent) { e.Queue = q } }
func cause(c string) func(*desk.CallEvent)      { return func(e *desk.CallEvent) { e.Cause = c } }
func outcome(o string) func(*desk.CallEvent)    { return func(e *desk.CallEvent) { e.Outcome = o } }
func outbound(e *desk.CallEvent)                { e.Direction = "outbound" }
func keys(k, label string) func(*desk.CallEvent) {
	return func(e *desk.CallEvent) { e.Keys, e.Label = k, label }
}

func fold(events ...desk.CallEvent) desk.Call {
	c := desk.Call{ID: "call-1"}
	for _, e := range events {
		c = c.With(e)
	}
	return c
}

func shown(t interface{ Fatal(...any) }, c desk.Call) string {
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// permutations returns all orders of events.
func permutations(events []desk.CallEvent) [][]desk.CallEvent {
	if len(events) < 2 {
		return [][]desk.CallEvent{slices.Clone(events)}
	}
	var out [][]desk.CallEvent
	for i := range events {
		rest := slices.Concat(events[:i], events[i+1:])
		for _, p := range permutations(rest) {
			out = append(out, append([]desk.CallEvent{events[i]}, p...))
		}
	}
	return out
}

// whole are calls as call centres tell them, and how they end.
var whole = []struct {
	name    string
	events  []desk.CallEvent
	outcome string
	agent   string
	talk    int
}{
	{"answered", []desk.CallEvent{ev("ringing", 0, agent("101", "102")), ev("answered", 5, agent("102")), ev("hangup", 65, cause("normalClearing"))}, "answered", "102", 60},
	{"missed", []desk.CallEvent{ev("ringing", 0, agent("101")), ev("hangup", 20, cause("cancel"))}, "missed", "", 0},
	{"hang-up alone", []desk.CallEvent{ev("hangup", 20)}, "missed", "", 0},
	{"forwarded is not missed", []desk.CallEvent{ev("ringing", 0), ev("hangup", 20, cause("forwarded"), outcome("forwarded"))}, "forwarded", "", 0},
	{"busy is missed too", []desk.CallEvent{ev("ringing", 0), ev("hangup", 20, outcome("busy"))}, "missed", "", 0},
	{"blocked asks for no call back", []desk.CallEvent{ev("hangup", 1, outcome("blocked"))}, "blocked", "", 0},
	{"the record alone", []desk.CallEvent{ev("cdr", 90, agent("7"), func(e *desk.CallEvent) { e.StartedAt, e.AnsweredAt, e.EndedAt = at(0), at(10), at(40) })}, "answered", "7", 30},
	{"a record of a missed call names who was rung", []desk.CallEvent{ev("cdr", 90, agent("7"), outcome("missed"), func(e *desk.CallEvent) { e.StartedAt, e.EndedAt = at(0), at(40) })}, "missed", "", 0},
	{"voicemail", []desk.CallEvent{ev("ringing", 0), ev("answered", 15), ev("voicemail", 40), ev("hangup", 41)}, "voicemail", "", 0},
	{"queue, keys, rating, transcript", []desk.CallEvent{ev("initiated", 0), ev("ivr", 1, keys("2", "退款")), ev("queued", 3, queue("售后")), ev("ringing", 4, agent("103")),
		ev("answered", 6, agent("103")), ev("hangup", 36), ev("rating", 50, func(e *desk.CallEvent) { e.Rating = 5 }),
		ev("transcript", 51, func(e *desk.CallEvent) { e.Text, e.Speaker = "您好", "agent" })}, "answered", "103", 30},
	{"two legs, the first not taken", []desk.CallEvent{ev("ringing", 0), ev("ringing", 1, leg("a"), agent("1")), ev("hangup", 10, leg("a"), outcome("missed")),
		ev("ringing", 11, leg("b"), agent("2")), ev("answered", 14, leg("b"), agent("2")), ev("hangup", 74, leg("b")), ev("hangup", 74)}, "answered", "2", 60},
	{"a machine took it and no agent", []desk.CallEvent{ev("ringing", 0), ev("answered", 1), ev("ringing", 2, leg("a"), agent("1")), ev("hangup", 22, leg("a"), outcome("missed")),
		ev("hangup", 23, outcome("answered"), func(e *desk.CallEvent) { e.Seconds = 22 })}, "missed", "", 0},
	{"transfer", []desk.CallEvent{ev("ringing", 0, leg("a"), agent("1")), ev("answered", 2, leg("a"), agent("1")), ev("transferred", 30, agent("2")), ev("ringing", 31, leg("b"), agent("2")),
		ev("hangup", 32, leg("a")), ev("answered", 35, leg("b"), agent("2")), ev("hangup", 60, leg("b")), ev("hangup", 60)}, "answered", "2", 58},
	{"clocks that disagree", []desk.CallEvent{ev("ringing", 30, agent("1")), ev("answered", 10, agent("1")), ev("hangup", 5)}, "answered", "1", 0},
	{"outbound, refused", []desk.CallEvent{ev("initiated", 0, outbound), ev("hangup", 20, outbound, outcome("busy"))}, "busy", "", 0},
}

func TestCallsEndAsTold(t *testing.T) {
	for _, w := range whole {
		c := fold(w.events...)
		if c.State != "ended" || c.Outcome != w.outcome || c.Agent != w.agent || c.TalkSeconds != w.talk || len(c.Ringing) != 0 {
			t.Errorf("%s: %s %s, agent %q, talked %d s, rings at %v", w.name, c.State, c.Outcome, c.Agent, c.TalkSeconds, c.Ringing)
		}
		if want := w.outcome == "missed" || w.outcome == "voicemail"; c.Missed() != want {
			t.Errorf("%s: missed is %v", w.name, c.Missed())
		}
	}
}

// TestEveryOrderGivesTheSameCall tries all orders of the short calls, each with every single event repeated and with any one lost.
func TestEveryOrderGivesTheSameCall(t *testing.T) {
	for _, w := range whole {
		if len(w.events) > 5 {
			continue
		}
		for lost := -1; lost < len(w.events); lost++ {
			events := slices.Clone(w.events)
			if lost >= 0 {
				events = slices.Delete(events, lost, lost+1)
			}
			want := shown(t, fold(events...))
			for twice := range events {
				for _, order := range permutations(append(slices.Clone(events), events[twice])) {
					if got := shown(t, fold(order...)); got != want {
						t.Fatalf("%s without %d, %d twice: got %s\nwant %s", w.name, lost, twice, got, want)
					}
				}
			}
		}
	}
}

func TestAnySetOfEventsGivesOneCall(t *testing.T) {
	var pool []desk.CallEvent
	for _, w := range whole {
		pool = append(pool, w.events...)
	}
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) desk.CallEvent {
			e := rapid.SampledFrom(pool).Draw(t, "event")
			// Told with the same key and other words, at another time, or with no time at all.
			e.Cause = rapid.SampledFrom([]string{e.Cause, "", "busy"}).Draw(t, "cause")
			e.At += desk.Time(rapid.IntRange(0, 3).Draw(t, "later")) * 1000
			e.Heard = rapid.Bool().Draw(t, "heard")
			e.Agents = rapid.SampledFrom([][]string{e.Agents, nil, {"2", "1"}}).Draw(t, "agents")
			return e
		}), 1, 9).Draw(t, "events")
		order := rapid.Permutation(append(slices.Clone(events), rapid.SliceOfN(rapid.SampledFrom(events), 0, 4).Draw(t, "again")...)).Draw(t, "order")
		if a, b := shown(t, fold(events...)), shown(t, fold(order...)); a != b {
			t.Fatalf("one order: %s\nother: %s", a, b)
		}
	})
}

// TestOrderOfArrivalDecidesNothing: where no times are told events carry the time we heard of them, which differs by order.
func TestOrderOfArrivalDecidesNothing(t *testing.T) {
	for _, w := range whole {
		if len(w.events) > 5 {
			continue
		}
		want := fold(w.events...)
		for _, order := range permutations(w.events) {
			c := desk.Call{ID: "call-1"}
			for i, e := range order {
				e.At, e.Heard, e.StartedAt, e.AnsweredAt, e.EndedAt = at(i), true, 0, 0, 0
				c = c.With(e)
			}
			timed := want.TalkSeconds > 0 && order[0].Type == "cdr" // its times were all it told
			if c.State != want.State || c.Outcome != want.Outcome && !timed || c.Direction != want.Direction || c.From != want.From || c.Cause != want.Cause {
				t.Fatalf("%s: %s %s %s, want %s %s", w.name, c.State, c.Outcome, c.Cause, want.State, want.Outcome)
			}
			if c.TalkSeconds < 0 || c.RingSeconds < 0 || c.EndedAt < c.StartedAt || c.AnsweredAt != 0 && (c.AnsweredAt < c.StartedAt || c.EndedAt < c.AnsweredAt) {
				t.Fatalf("%s: times run backwards: %+v", w.name, c)
			}
		}
	}
}

func TestAnyOneLostIsTheSameCallStill(t *testing.T) {
	ring, answer := ev("ringing", 0, agent("102")), ev("answered", 5, agent("102"))
	hang := ev("hangup", 65, agent("102"), func(e *desk.CallEvent) { e.Seconds, e.Outcome = 60, "answered" })
	for name, c := range map[string]desk.Call{"ringing lost": fold(answer, hang), "answer lost": fold(ring, hang), "only the hang-up": fold(hang)} {
		if c.State != "ended" || c.Outcome != "answered" || c.Agent != "102" || c.TalkSeconds != 60 || c.AnsweredAt != at(5) {
			t.Errorf("%s: %s %s, agent %q, %d s from %s", name, c.State, c.Outcome, c.Agent, c.TalkSeconds, c.AnsweredAt)
		}
	}
	if c := fold(ring, answer); c.State != "answered" || c.Outcome != "" {
		t.Errorf("hang-up lost: %s %q", c.State, c.Outcome)
	}
}

func TestRecordingBeforeTheHangupAndAfterIsTheSame(t *testing.T) {
	rec := ev("recording", 70, func(e *desk.CallEvent) { e.Recording = "RE1" })
	ring, hang := ev("ringing", 0), ev("hangup", 65)
	before, after := fold(rec, ring, hang), fold(ring, hang, rec, ev("cdr", 80, func(e *desk.CallEvent) { e.Recording = "RE1" }))
	if before.Recordings != 1 || after.Recordings != 1 || before.Outcome != "answered" || after.Outcome != "answered" {
		t.Errorf("%d %s, %d %s", before.Recordings, before.Outcome, after.Recordings, after.Outcome)
	}
	if c := fold(rec, ev("hangup", 65, outcome("missed"))); c.Outcome != "missed" {
		t.Errorf("a recorded ring that was not taken: %s", c.Outcome)
	}
}

func TestStateNeverGoesBackWhileACallGoesOn(t *testing.T) {
	rank := map[string]int{"ringing": 0, "answered": 1, "ended": 2}
	for _, w := range whole {
		if strings.HasPrefix(w.name, "a machine") {
			continue // it counts as answered until an agent's phone is known to ring
		}
		for _, order := range permutations(w.events[:min(5, len(w.events))]) {
			c, last := desk.Call{ID: "call-1"}, 0
			for _, e := range order {
				c = c.With(e)
				if rank[c.State] < last && !strings.HasPrefix(w.name, "t") { // legs alone may all have hung up before the next is heard of
					t.Fatalf("%s: back to %s", w.name, c.State)
				}
				last = rank[c.State]
			}
		}
	}
}

func TestATimersEndGivesWayToTheRealOne(t *testing.T) {
	ring, stale := ev("ringing", 0, agent("1")), ev("hangup", 4*3600, cause("stale"))
	c := fold(ring, stale)
	if c.State != "ended" || !c.Stale || c.Outcome != "missed" || c.EndedAt != at(0) {
		t.Errorf("closed by the timer: %+v", c)
	}
	answered, hang := ev("answered", 3, agent("1")), ev("hangup", 63)
	c = fold(stale, hang, ring, answered)
	if c.Stale || c.Outcome != "answered" || c.TalkSeconds != 60 || c.EndedAt != at(63) {
		t.Errorf("told late: %+v", c)
	}
}

func TestPhonesRingUntilTakenOrHungUp(t *testing.T) {
	ring := []desk.CallEvent{ev("ringing", 0), ev("ringing", 1, leg("a"), agent("1")), ev("ringing", 1, leg("b"), agent("2"))}
	if c := fold(ring...); !slices.Equal(c.Ringing, []string{"1", "2"}) {
		t.Errorf("rings at %v", c.Ringing)
	}
	if c := fold(append(slices.Clone(ring), ev("hangup", 9, leg("a")))...); c.State != "ringing" || !slices.Equal(c.Ringing, []string{"2"}) {
		t.Errorf("%s, rings at %v", c.State, c.Ringing)
	}
	taken := append(slices.Clone(ring), ev("answered", 5, leg("b"), agent("2")))
	if c := fold(taken...); c.State != "answered" || len(c.Ringing) != 0 || c.Agent != "2" {
		t.Errorf("%s by %s, rings at %v", c.State, c.Agent, c.Ringing)
	}
	if c := fold(append(taken, ev("ringing", 30, leg("c"), agent("3")))...); c.State != "answered" || !slices.Equal(c.Ringing, []string{"3"}) {
		t.Errorf("transfer: %s, rings at %v", c.State, c.Ringing)
	}
}

func TestAFloodOfTranscriptKeepsTheSameFirstPieces(t *testing.T) {
	var flood []desk.CallEvent
	for i := range 400 {
		flood = append(flood, ev("transcript", i, func(e *desk.CallEvent) { e.Text = fmt.Sprint(i) }))
	}
	forth := fold(flood...)
	slices.Reverse(flood)
	back := fold(append(flood, ev("hangup", 500))...)
	if len(forth.Transcript) != 300 || shown(t, forth.With(ev("hangup", 500))) != shown(t, back) {
		t.Errorf("%d pieces kept", len(forth.Transcript))
	}
}

func TestSameKeyWithOtherWordsIsJoined(t *testing.T) {
	a, b := ev("hangup", 5, cause("busy"), agent("2", "1")), ev("hangup", 5, agent("3"))
	b.At, b.Queue = at(3), "售后"
	one, other := fold(a, b), fold(b, a)
	if shown(t, one) != shown(t, other) || one.Cause != "busy" || one.Queue != "售后" || one.EndedAt != at(3) || len(one.Events) != 1 {
		t.Errorf("%s\n%s", shown(t, one), shown(t, other))
	}
}

func BenchmarkCallFold(b *testing.B) {
	events := whole[9].events
	for b.Loop() {
		fold(events...)
	}
}
