package telephony

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"hearback/connectors"
	"hearback/connectors/telephony/pbx"
	"hearback/desk"
)

func sampleOf(r pbx.Request) connectors.Sample {
	q, _ := url.ParseQuery(r.Query)
	return connectors.Sample{Method: r.Method, Query: q, Header: r.Header, Body: []byte(r.Body)}
}

// TestTryShowsWhatEveryFormatBecomes pastes each provider's last event: it becomes a call with the customer's number and the answer the
// provider would get.
func TestTryShowsWhatEveryFormatBecomes(t *testing.T) {
	now := desk.At(time.Now())
	for _, format := range pbx.Formats {
		centre := pbx.Centre{Format: format, Recordings: "https://record.test/recordings"}
		for _, r := range centre.Requests(pbx.Script{ID: "c1", Scenario: pbx.Answered, Start: now.Std().Add(-time.Hour)}) {
			got := tryAt(centre.Settings(), sampleOf(r), now)
			if got.Call == nil || len(got.Inbounds) == 0 || got.Answer.Status != 200 || got.Call.ID != "c1" && got.Call.ID != "CON-c1" {
				t.Errorf("%s %s becomes %+v", format, r.Type, got)
			}
			if p := got.Problems; len(p) > 0 && !strings.Contains(p[0].Text.En, "no customer's number") {
				t.Errorf("%s %s has problems: %+v", format, r.Type, p)
			}
		}
	}
}

func TestTryTellsWhatIsWrong(t *testing.T) {
	profiled := map[string]string{"format": "profile", "profile": "[time]\nformat = \"unix\"\n" + minimal + "ended_at = \"end\"\noutcome = \"how\"\n"}
	post := func(body string) connectors.Sample {
		return connectors.Sample{Method: "POST", Header: http.Header{}, Body: []byte(body)}
	}
	for name, c := range map[string]struct {
		settings map[string]string
		sample   connectors.Sample
		field    string
		want     string
	}{
		"no JSON":           {map[string]string{"format": "generic"}, post("event=1"), "body", "It would be refused"},
		"profile's mistake": {map[string]string{"format": "profile", "profile": "x = ["}, post("{}"), "profile", "line 1"},
		"nothing said":      {profiled, post(`{"other":1}`), "call_id", "There is no call id"},
		"no time":           {profiled, post(`{"id":1,"end":"soon"}`), "ended_at", `"soon" is no time`},
		"unknown word":      {profiled, post(`{"id":1,"how":"lost"}`), "outcome", `"lost" is not known`},
		"no number":         {profiled, post(`{"id":1}`), "from", "no customer's number"},
		"several calls":     {profiled, post(`[{"id":1},{"id":2}]`), "body", "It tells of 2 calls"},
		"unknown format":    {map[string]string{"format": "fax"}, post("{}"), "format", "cannot be used"},
	} {
		got := tryAt(c.settings, c.sample, desk.At(time.Now()))
		found := false
		for _, p := range got.Problems {
			found = found || p.Field == c.field && strings.Contains(p.Text.En, c.want) && p.Text.Zh != ""
		}
		if !found {
			t.Errorf("%s: %+v", name, got.Problems)
		}
	}
}

func TestTryReadsAnSMSAndAQueryPastedAsBody(t *testing.T) {
	got := tryAt(map[string]string{"format": "twilio"}, connectors.Sample{Body: []byte("MessageSid=SM1&From=%2B8613800138000&Body=hi")}, desk.At(time.Now()))
	if len(got.Inbounds) != 1 || got.Inbounds[0].Text != "hi" || got.Call != nil {
		t.Errorf("%+v", got)
	}
	got = tryAt(map[string]string{"format": "profile", "profile": "clink"},
		connectors.Sample{Method: "GET", Body: []byte("cdr_main_unique_id=1&cdr_customer_number=013800138000&cdr_call_type=1&cdr_status=28&cdr_end_time=1795249805&cdr_bridge_time=1795249800")}, desk.At(time.Now()))
	if got.Call == nil || got.Call.TalkSeconds != 5 || got.Call.From != "+8613800138000" {
		t.Errorf("%+v", got)
	}
}

func FuzzTry(f *testing.F) {
	f.Add("generic", "", []byte(`{"type":"hangup","call_id":"1"}`), "")
	f.Add("profile", "vonage", []byte(`{"status":"completed","uuid":"1"}`), "a=b")
	f.Fuzz(func(t *testing.T, format, profile string, body []byte, query string) {
		q, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		got := tryAt(map[string]string{"format": format, "profile": profile}, connectors.Sample{Query: q, Header: http.Header{}, Body: body}, 1795249805000)
		if got.Call == nil && len(got.Inbounds) == 0 && len(got.Problems) == 0 {
			t.Error("nothing came of it and nothing was said")
		}
	})
}
