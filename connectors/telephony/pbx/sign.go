package pbx

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// standardKey is the key of a Standard Webhooks secret.
func standardKey(secret string) ([]byte, error) {
	return base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
}

func standardSignature(key []byte, id, timestamp, body string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "." + body))
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// signStandard is https://www.standardwebhooks.com: id.timestamp.body under HMAC-SHA256.
func signStandard(r *http.Request, secret, id, body string, at time.Time) {
	first, _, _ := strings.Cut(secret, " ")
	key, err := standardKey(first)
	if err != nil {
		key = nil // the gateway will refuse it, and say why
	}
	ts := strconv.FormatInt(at.Unix(), 10)
	r.Header.Set("webhook-id", id)
	r.Header.Set("webhook-timestamp", ts)
	r.Header.Set("webhook-signature", standardSignature(key, id, ts, body))
}

// VerifyStandard checks a request signed with Standard Webhooks as the receiving side must: all three headers, five minutes, any of
// the signatures.
func VerifyStandard(h http.Header, body []byte, secret string, now time.Time) error {
	id, ts := h.Get("webhook-id"), h.Get("webhook-timestamp")
	n, err := strconv.ParseInt(ts, 10, 64)
	if err != nil || id == "" {
		return errors.New("webhook-id or webhook-timestamp is missing")
	}
	if d := now.Unix() - n; d > 300 || d < -300 {
		return fmt.Errorf("webhook-timestamp is %d s off", d)
	}
	key, err := standardKey(secret)
	if err != nil {
		return errors.New("the secret is not Base64")
	}
	want := standardSignature(key, id, ts, string(body))
	for _, given := range strings.Fields(h.Get("webhook-signature")) {
		if hmac.Equal([]byte(given), []byte(want)) {
			return nil
		}
	}
	return errors.New("no signature fits")
}

func signPlacetel(r *http.Request, secret, body string) {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	r.Header.Set("X-PLACETEL-SIGNATURE", hex.EncodeToString(mac.Sum(nil)))
}

// signTwilio: the whole address, then every parameter's name and value in the order of names.
func signTwilio(r *http.Request, token, address, body string) {
	form, err := url.ParseQuery(body)
	if err != nil {
		form = nil
	}
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	text := address
	for _, name := range names {
		values := slices.Clone(form[name])
		slices.Sort(values)
		for _, v := range slices.Compact(values) {
			text += name + v
		}
	}
	mac := hmac.New(sha1.New, []byte(token))
	mac.Write([]byte(text))
	r.Header.Set("X-Twilio-Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// signVonage is a JWT (HS256) whose payload_hash is the body's SHA-256.
func signVonage(r *http.Request, secret, body string, at time.Time) {
	sum := sha256.Sum256([]byte(body))
	raw := base64.RawURLEncoding
	token := raw.EncodeToString([]byte(`{"typ":"JWT","alg":"HS256"}`)) + "." +
		raw.EncodeToString(fmt.Appendf(nil, `{"iat":%d,"jti":"%x","iss":"Vonage","payload_hash":"%x"}`, at.Unix(), sum[:8], sum))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(token))
	r.Header.Set("Authorization", "Bearer "+token+"."+raw.EncodeToString(mac.Sum(nil)))
}

// TwilioHeader is the signature of a form that Twilio posts to an address.
func TwilioHeader(token, address, body string) map[string]string {
	r := http.Request{Header: http.Header{}}
	signTwilio(&r, token, address, body)
	return map[string]string{"X-Twilio-Signature": r.Header.Get("X-Twilio-Signature")}
}
