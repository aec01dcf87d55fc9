package telephony

import (
	"testing"
	"time"

	"hearback/connectors"
	"hearback/connectors/telephony/pbx"
	"hearback/desk"
)

// BenchmarkEvent is what one signed event costs beside the store: at the door, and when it is filed.
func BenchmarkEvent(b *testing.B) {
	secret := newSecret()
	centre := pbx.Centre{Format: "generic", Secret: secret, Target: "http://desk.test/c/1"}
	requests := centre.Requests(pbx.Script{ID: "c1", Start: time.Now()})
	c, err := Open(b.Context(), desk.Channel{ID: "1", Settings: map[string]string{"format": "generic", "secret": secret, "country": "CN"}}, connectors.Tools{Now: time.Now, PublicURL: "http://desk.test", Address: "http://desk.test/c/1"})
	if err != nil {
		b.Fatal(err)
	}
	signed, err := centre.Signed(b.Context(), requests[3])
	if err != nil {
		b.Fatal(err)
	}
	signed.RequestURI = "/c/1"
	req := &request{Method: "POST", Type: "application/json", Body: []byte(requests[3].Body), At: desk.At(time.Now()), Header: signed.Header}
	var envelopes []desk.Envelope
	b.Run("door", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if ref := c.format.verify(c.door(signed, req.At), req); ref != nil {
				b.Fatal(ref)
			}
			var ref *refusal
			if envelopes, ref = c.read(req); ref != nil {
				b.Fatal(ref)
			}
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Decode(envelopes[0]); err != nil {
				b.Fatal(err)
			}
		}
	})
}
