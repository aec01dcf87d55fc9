package telephony

import (
	"net/http"
	"testing"
	"unicode/utf8"

	"hearback/desk"
)

// fuzzFormat reads any bytes as a request of a format, the way of the door and then, for what was taken, the way of Decode: both must
// survive, agree, and give events that can be kept.
func fuzzFormat(f *testing.F, format string) {
	for _, w := range told {
		if w.format == format {
			for _, r := range w.requests {
				f.Add("action=cdr", "application/json", []byte(r))
				f.Add("", "application/x-www-form-urlencoded", []byte(r))
			}
		}
	}
	for _, body := range sampleBodies[format] {
		f.Add("", "", []byte(body))
	}
	f.Add("", "multipart/form-data; boundary=x", []byte("--x\r\nContent-Disposition: form-data; name=\"event\"\r\n\r\nnewCall\r\n--x--\r\n"))
	c := channelOf(f, format, still)
	f.Fuzz(func(t *testing.T, query, kind string, body []byte) {
		req := &request{Method: http.MethodPost, Query: query, Type: kind, Body: body, At: desk.At(still())}
		envelopes, ref := c.read(req)
		if ref != nil {
			if ref.status < 400 || ref.status > 499 || ref.detail == "" {
				t.Errorf("refused with %d %q", ref.status, ref.detail)
			}
			return
		}
		call := desk.Call{}
		for _, e := range envelopes {
			if e.ExternalID == "" || e.Sender == "" || len(e.Raw) == 0 || len(e.ExternalID) > 250 {
				t.Fatalf("envelope %+v", e)
			}
			inbounds, err := Decode(e)
			if err != nil || len(inbounds) == 0 {
				t.Fatalf("taken, but not decoded: %v, %d inbounds of %q", err, len(inbounds), e.Raw)
			}
			for _, in := range inbounds {
				checkInbound(t, in)
				call = call.With(in.Call.Event)
			}
		}
		if call.TalkSeconds < 0 || call.RingSeconds < 0 || call.EndedAt != 0 && call.EndedAt < call.StartedAt {
			t.Errorf("times run backwards: %+v", call)
		}
	})
}

func checkInbound(t *testing.T, in desk.Inbound) {
	e := in.Call.Event
	if in.From.Type == "" || in.From.Value == "" || in.Call.ID == "" || len(in.Call.ID) > 200 || e.Key == "" || e.Type == "" || e.At == 0 {
		t.Fatalf("inbound %+v %+v", in, in.Call)
	}
	for _, s := range append([]string{in.Call.ID, in.Name, e.From, e.To, e.Leg, e.Queue, e.Cause, e.Keys, e.Label, e.Text, e.Outcome}, e.Agents...) {
		if !utf8.ValidString(s) || len(s) > 4000 {
			t.Fatalf("text %q", s)
		}
	}
}

func FuzzGeneric(f *testing.F)    { fuzzFormat(f, "generic") }
func FuzzZammad(f *testing.F)     { fuzzFormat(f, "zammad") }
func FuzzSipgate(f *testing.F)    { fuzzFormat(f, "sipgate") }
func FuzzPlacetel(f *testing.F)   { fuzzFormat(f, "placetel") }
func FuzzTwilio(f *testing.F)     { fuzzFormat(f, "twilio") }
func FuzzFreeSWITCH(f *testing.F) { fuzzFormat(f, "freeswitch") }
func FuzzTCCC(f *testing.F)       { fuzzFormat(f, "tccc") }
func FuzzAliyun(f *testing.F)     { fuzzFormat(f, "aliyun") }

func FuzzMoment(f *testing.F) {
	for _, s := range []string{"1780000000", "1780000000123", "1780000000123456", "2026-05-28T20:26:40Z", "2026-05-28 20:26:40", "Thu, 28 May 2026 20:26:40 +0000", "20260528202640", "0", "", "NaN", "1e300"} {
		f.Add(s)
	}
	zone := readSettings(nil).zone
	f.Fuzz(func(t *testing.T, s string) {
		if at := moment(s, zone); at != moment(s, zone) {
			t.Error("not pure")
		}
	})
}
