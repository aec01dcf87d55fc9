package pbx

import (
	"bytes"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSignaturesAreThePublishedOnes: the vectors of Standard Webhooks (libraries/go/webhook_test.go) and Twilio's helper libraries.
func TestSignaturesAreThePublishedOnes(t *testing.T) {
	const secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", `{"test": 2432232314}`
	r := httptest.NewRequest("POST", "/", nil)
	at := time.Unix(1614265330, 0)
	signStandard(r, secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", body, at)
	if got := r.Header.Get("webhook-signature"); got != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Errorf("Standard Webhooks: %s", got)
	}
	if err := VerifyStandard(r.Header, []byte(body), secret, at.Add(4*time.Minute)); err != nil {
		t.Error(err)
	}
	for name, err := range map[string]error{
		"old":     VerifyStandard(r.Header, []byte(body), secret, at.Add(6*time.Minute)),
		"early":   VerifyStandard(r.Header, []byte(body), secret, at.Add(-6*time.Minute)),
		"changed": VerifyStandard(r.Header, []byte(body+" "), secret, at),
		"foreign": VerifyStandard(r.Header, []byte(body), "whsec_AAAA", at),
		"bare":    VerifyStandard(http.Header{}, []byte(body), secret, at),
	} {
		if err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	form := "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212"
	if got := TwilioHeader("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", form)["X-Twilio-Signature"]; got != "RSOYDt4T1cUTdK1PDd93/VVr8B8=" {
		t.Errorf("Twilio: %s", got)
	}
	if got := TwilioHeader("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", "Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234")["X-Twilio-Signature"]; got != "IK+Dwps556ElfBT0I3Rgjkr1wJU=" {
		t.Errorf("Twilio, repeated parameters: %s", got)
	}
}

func TestAnOrderIsTheSameForTheSameSeed(t *testing.T) {
	c := Centre{Format: "generic"}
	all := c.Requests(Script{ID: "1", Start: time.Unix(1795249805, 0)})
	o := Order{Shuffle: true, Repeat: 2, Lose: .2}
	ids := func() (out []string) {
		for _, r := range o.Arrange(all, rand.New(rand.NewPCG(5, 6))) {
			out = append(out, r.ID)
		}
		return out
	}
	a, b := ids(), ids()
	if strings.Join(a, " ") != strings.Join(b, " ") || len(a)%3 != 0 || len(a) >= 3*len(all) {
		t.Errorf("%v\n%v of %d", a, b, len(all))
	}
	if strings.Join(a, " ") == strings.Join(slices.Sorted(slices.Values(a)), " ") {
		t.Error("nothing was shuffled")
	}
}

func TestRecordingsWantTheirLoginAndExpire(t *testing.T) {
	now := time.Unix(1795249805, 0)
	o := &Office{Login: "u:p", Expires: now.Add(time.Hour), Now: func() time.Time { return now }}
	get := func(password string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "/recordings/1.wav", nil)
		r.SetBasicAuth("u", password)
		w := httptest.NewRecorder()
		o.ServeHTTP(w, r)
		return w
	}
	if w := get("p"); w.Code != 200 || !bytes.HasPrefix(w.Body.Bytes(), []byte("RIFF")) || o.Fetched("1.wav") != 1 {
		t.Errorf("%d, fetched %d times", w.Code, o.Fetched("1.wav"))
	}
	if w := get("other"); w.Code != 401 {
		t.Errorf("a wrong password is answered %d", w.Code)
	}
	now = now.Add(2 * time.Hour)
	if w := get("p"); w.Code != 403 {
		t.Errorf("an expired link is answered %d", w.Code)
	}
}

// TestEveryFormatTellsOfEveryScenario: no kind of call is silent in any format, and each request has its moment.
func TestEveryFormatTellsOfEveryScenario(t *testing.T) {
	for _, format := range Formats {
		for _, scenario := range Scenarios {
			c := Centre{Format: format}
			all := c.Requests(Script{ID: "1", Scenario: scenario, Start: time.Unix(1795249805, 0)})
			if len(all) == 0 {
				t.Errorf("%s says nothing of %s", format, scenario)
			}
			for _, r := range all {
				if r.At.IsZero() || r.Type == "" {
					t.Errorf("%s %s: %+v", format, scenario, r)
				}
			}
		}
	}
}
