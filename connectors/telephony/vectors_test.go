package telephony

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"hearback/desk"
)

// Published in the RequestValidatorTest of Twilio's libraries.
func TestTwiliosVectorsPass(t *testing.T) {
	const secret, address = "12345", "https://mycompany.com/myapp.php?foo=1&bar=2"
	form := func(pairs ...string) string {
		v := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			v.Add(pairs[i], pairs[i+1])
		}
		return v.Encode()
	}
	call := form("CallSid", "CA1234567890ABCDE", "Caller", "+14158675309", "Digits", "1234", "From", "+14158675309", "To", "+18005551212")
	older := form("CallSid", "CA1234567890ABCDE", "Caller", "+12349013030", "Digits", "1234", "From", "+12349013030", "To", "+18005551212")
	repeated := form("Sid", "CA123", "SidAccount", "AC123", "Digits", "5678", "Digits", "1234", "Digits", "1234")
	const jsonBody, jsonHash = `{"property": "value", "boolean": true}`, "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
	for _, c := range []struct {
		name, public, kind, body, signature string
		ok                                  bool
	}{
		{"form", address, "application/x-www-form-urlencoded", call, "RSOYDt4T1cUTdK1PDd93/VVr8B8=", true},
		{"older form", address, "application/x-www-form-urlencoded", older, "0/KCTR6DLpKmkAf8muzZqo1nDgQ=", true},
		{"repeated parameters", address, "application/x-www-form-urlencoded", repeated, "IK+Dwps556ElfBT0I3Rgjkr1wJU=", true},
		{"repeated parameters, all counted", address, "application/x-www-form-urlencoded", repeated, "eMV0TTCyejiqoUSkV7IwWuk0CRc=", false},
		{"json", address + "&bodySHA256=" + jsonHash, "application/json", jsonBody, "a9nBmqA0ju/hNViExpshrM61xv4=", true},
		{"json with another body", address + "&bodySHA256=" + jsonHash, "application/json", jsonBody + " ", "a9nBmqA0ju/hNViExpshrM61xv4=", false},
		{"json without its hash", address, "application/json", jsonBody, "a9nBmqA0ju/hNViExpshrM61xv4=", false},
		{"our address has the port", "https://mycompany.com:443/myapp.php?foo=1&bar=2", "application/x-www-form-urlencoded", call, "RSOYDt4T1cUTdK1PDd93/VVr8B8=", true},
		{"another address", "https://mycompany.com/other.php", "application/x-www-form-urlencoded", call, "RSOYDt4T1cUTdK1PDd93/VVr8B8=", false},
		{"another signature", address, "application/x-www-form-urlencoded", call, "ASOYDt4T1cUTdK1PDd93/VVr8B8=", false},
		{"none", address, "application/x-www-form-urlencoded", call, "", false},
	} {
		u, _ := url.Parse(c.public)
		r := &request{Method: "POST", Type: c.kind, Query: u.RawQuery, Body: []byte(c.body), Header: http.Header{"X-Twilio-Signature": {c.signature}}}
		ref := verifyTwilio(&door{secret: secret, urls: []string{c.public}}, r)
		if (ref == nil) != c.ok || ref != nil && ref.status != http.StatusUnauthorized {
			t.Errorf("%s: %+v", c.name, ref)
		}
	}
}

func TestTwilioSignsAddressesWithTheirPort(t *testing.T) {
	r := &request{Method: "POST", Type: "application/x-www-form-urlencoded", Body: []byte("a=b"), Header: http.Header{}}
	d := &door{secret: "12345", urls: []string{"https://desk.example.com:443/c/1"}}
	if err := sign("twilio", d, r); err != nil {
		t.Fatal(err)
	}
	for _, ours := range []string{"https://desk.example.com/c/1", "https://desk.example.com:443/c/1"} {
		if ref := verifyTwilio(&door{secret: "12345", urls: []string{ours}}, r); ref != nil {
			t.Errorf("%s: %s", ours, ref.detail)
		}
	}
}

// Published in libraries/go/webhook_test.go of Standard Webhooks.
func TestStandardWebhooksVectorPasses(t *testing.T) {
	const secret, right = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	const signedAt = desk.Time(1614265330000)
	for _, c := range []struct {
		name, secret, signature, body string
		now                           desk.Time
		ok                            bool
	}{
		{"the vector", secret, right, `{"test": 2432232314}`, signedAt, true},
		{"among several", secret, "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= v2,xyz " + right, `{"test": 2432232314}`, signedAt, true},
		{"with the old secret while rotating", "whsec_bmV3IHNlY3JldCBuZXcgc2VjcmV0 " + secret, right, `{"test": 2432232314}`, signedAt, true},
		{"five minutes late", secret, right, `{"test": 2432232314}`, signedAt + 299_000, true},
		{"old", secret, right, `{"test": 2432232314}`, signedAt + 301_000, false},
		{"from the future", secret, right, `{"test": 2432232314}`, signedAt - 301_000, false},
		{"another body", secret, right, `{"test": 2432232315}`, signedAt, false},
		{"another version", secret, strings.Replace(right, "v1,", "v2,", 1), `{"test": 2432232314}`, signedAt, false},
		{"another secret", "whsec_bmV3IHNlY3JldCBuZXcgc2VjcmV0", right, `{"test": 2432232314}`, signedAt, false},
		{"no signature", secret, "", `{"test": 2432232314}`, signedAt, false},
	} {
		h := http.Header{}
		h.Set("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek")
		h.Set("webhook-timestamp", "1614265330")
		h.Set("webhook-signature", c.signature)
		ref := verifyWebhook(&door{secret: c.secret, now: c.now}, &request{Body: []byte(c.body), Header: h})
		if (ref == nil) != c.ok || ref != nil && (ref.status != http.StatusUnauthorized || strings.Contains(ref.detail, "MfKQ")) {
			t.Errorf("%s: %+v", c.name, ref)
		}
	}
}

func TestPasswordsAndTokens(t *testing.T) {
	basic := func(user, password string) http.Header {
		r := &http.Request{Header: http.Header{}}
		r.SetBasicAuth(user, password)
		return r.Header
	}
	for _, c := range []struct {
		name   string
		d      door
		header http.Header
		ok     bool
	}{
		{"user and password", door{secret: "pbx:secret"}, basic("pbx", "secret"), true},
		{"another user", door{secret: "pbx:secret"}, basic("p", "secret"), false},
		{"a password of any user", door{secret: "whsec_abc"}, basic("freeswitch", "whsec_abc"), true},
		{"an empty password", door{secret: ""}, basic("", ""), false},
		{"the token alone", door{secret: "pbx:secret", tokenSeen: true}, http.Header{}, true},
		{"the token with a wrong password", door{secret: "pbx:secret", tokenSeen: true}, basic("pbx", "x"), false},
		{"nothing", door{secret: "pbx:secret"}, http.Header{}, false},
	} {
		if ref := needPassword(&c.d, &request{Header: c.header}); (ref == nil) != c.ok {
			t.Errorf("%s: %+v", c.name, ref)
		}
	}
}

func TestPlacetelSignature(t *testing.T) {
	body := []byte("event=IncomingCall&from=022129191999")
	good := http.Header{"X-Placetel-Signature": {hexMAC("shared", body)}}
	for _, c := range []struct {
		name string
		d    door
		h    http.Header
		ok   bool
	}{
		{"signed", door{secret: "shared"}, good, true},
		{"signed with another secret", door{secret: "other", tokenSeen: true}, good, false},
		{"not signed", door{secret: "shared", tokenSeen: true}, http.Header{}, false},
		{"no secret of its own, with the token", door{secret: "whsec_made", tokenSeen: true}, http.Header{}, true},
		{"no secret of its own, no token", door{secret: "whsec_made"}, good, false},
	} {
		if ref := (placetel{}).verify(&c.d, &request{Body: body, Header: c.h}); (ref == nil) != c.ok {
			t.Errorf("%s: %+v", c.name, ref)
		}
	}
}

func TestAllowedAddresses(t *testing.T) {
	networks, err := readNetworks("203.0.113.7, 198.51.100.0/24，2001:db8::/32")
	if err != nil {
		t.Fatal(err)
	}
	for remote, want := range map[string]bool{"203.0.113.7:4711": true, "203.0.113.8:1": false, "198.51.100.200:1": true, "[2001:db8::1]:443": true, "[::ffff:203.0.113.7]:1": true,
		"[2001:db9::1]:443": false, "nonsense": false, "203.0.113.7": true} {
		if got := allowed(networks, remote); got != want {
			t.Errorf("%s: %v", remote, got)
		}
	}
	if _, err := readNetworks("10.0.0.0/33"); err == nil {
		t.Error("a wrong network was taken")
	}
}
