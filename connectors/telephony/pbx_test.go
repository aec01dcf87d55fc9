package telephony

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"hearback/connectors/connectortest"
	"hearback/connectors/telephony/pbx"
	"hearback/desk"
)

// openCentre opens a channel for a format and the stand-in call centre that posts to it.
func openCentre(t *testing.T, format string, more map[string]string) (*connectortest.Env, *pbx.Centre) {
	t.Helper()
	c := &pbx.Centre{Format: format, Token: "0123456789abcdef0123", Secret: newSecret(), Recordings: "https://record.test/recordings"}
	if format == "freeswitch" {
		c.Secret = "cdr:s3cret-of-the-switch"
	}
	if format == "vonage" || format == "placetel" || format == "twilio" {
		c.Secret = "s3cret-of-the-provider"
	}
	settings := c.Settings()
	settings["secret"], settings["token"] = c.Secret, c.Token
	for k, v := range more {
		settings[k] = v
	}
	house := connectortest.NewHouse(t)
	e := connectortest.OpenChannel(t, Kind, house, settings)
	c.Target, c.Public, c.Now = e.URL, "http://desk.test/c/"+e.Channel.ID, house.Clock.Now
	return e, c
}

// calls folds everything the channel has taken.
func calls(t *testing.T, e *connectortest.Env) map[string]desk.Call {
	t.Helper()
	out := map[string]desk.Call{}
	for _, env := range e.House.Inbox.Envelopes() {
		inbounds, err := Decode(env)
		if err != nil {
			t.Fatalf("decode: %v", err)
		}
		for _, in := range inbounds {
			call, ok := out[in.Call.ID]
			if !ok {
				call = desk.Call{ID: in.Call.ID}
			}
			out[in.Call.ID] = call.With(in.Call.Event)
		}
	}
	return out
}

// silent is what a format cannot tell; the call is judged by the rest. Zammad's CTI and its kin tell no times: durations are those
// between the requests.
var silent = map[string]struct{ voicemail, times bool }{
	"zammad": {true, true}, "zammad-form": {true, true}, "sipgate": {true, true}, "placetel": {false, true}, "vonage": {true, false},
}

// TestEveryCallCentreTellsTheSameCall plays each kind of call in each format, in order and shuffled with repetitions: the gateway
// sees one call with its outcome, its duration and the customer's number.
func TestEveryCallCentreTellsTheSameCall(t *testing.T) {
	for _, format := range pbx.Formats {
		t.Run(format, func(t *testing.T) {
			e, centre := openCentre(t, format, nil)
			rnd := rand.New(rand.NewPCG(1, 2))
			scripts := map[string]pbx.Script{}
			for i, scenario := range pbx.Scenarios {
				for _, order := range []pbx.Order{{}, {Shuffle: true, Repeat: 2}} {
					s := pbx.Script{ID: "call-" + scenario, Scenario: scenario, Start: e.House.Clock.Now().Add(-time.Duration(i+10) * time.Minute)}
					if order.Shuffle {
						s.ID += "-shuffled"
					}
					scripts[s.ID] = s
					for _, r := range order.Arrange(centre.Requests(s), rnd) {
						if _, err := centre.Post(context.Background(), r); err != nil {
							t.Fatalf("%s %s: %v", s.ID, r.Type, err)
						}
					}
				}
			}
			got := calls(t, e)
			if len(got) != len(scripts) {
				t.Errorf("%d calls of %d", len(got), len(scripts))
			}
			for id, s := range scripts {
				call, ok := got[id]
				if !ok {
					call, ok = got["CON-"+id]
				}
				if !ok {
					t.Errorf("%s is missing", id)
					continue
				}
				checkPlayed(t, format, s, call)
			}
		})
	}
}

func checkPlayed(t *testing.T, format string, s pbx.Script, call desk.Call) {
	t.Helper()
	cannot := silent[format]
	want := s.Outcome()
	if want == "voicemail" && cannot.voicemail {
		want = "missed"
	}
	if call.State != "ended" || call.Outcome != want {
		t.Errorf("%s ended as %s %s, want %s", call.ID, call.State, call.Outcome, want)
	}
	if direction := map[bool]string{true: "outbound", false: "inbound"}[s.Scenario == pbx.Outbound]; call.Direction != direction {
		t.Errorf("%s is %s, want %s", call.ID, call.Direction, direction)
	}
	customer := call.From
	if call.Direction == "outbound" {
		customer = call.To
	}
	if customer != "+8613800138000" {
		t.Errorf("%s is with %s", call.ID, customer)
	}
	if !cannot.times && call.TalkSeconds != s.TalkSeconds() {
		t.Errorf("%s talked %d s, want %d", call.ID, call.TalkSeconds, s.TalkSeconds())
	}
}
