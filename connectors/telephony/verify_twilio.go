package telephony

import (
	"crypto/hmac"
	"crypto/sha1" // what X-Twilio-Signature is made with
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// verifyTwilio checks X-Twilio-Signature: twilio.com/docs/usage/security. It is made over the public address as the provider knows
// it, so every form our own has is tried: with and without the port, with and without a slash at the end.
func verifyTwilio(d *door, r *request) *refusal {
	given, err := base64.StdEncoding.DecodeString(strings.TrimSpace(r.Header.Get("X-Twilio-Signature")))
	if r.Header.Get("X-Twilio-Signature") == "" || err != nil {
		return refuse(http.StatusUnauthorized, "The request is not signed: X-Twilio-Signature is needed.")
	}
	if !d.ownSecret() {
		return refuse(http.StatusUnauthorized, "The channel has no auth token to check the signature with.")
	}
	params := formParams(r)
	if len(params) == 0 && len(r.Body) > 0 && !bodyHashed(r) {
		return refuse(http.StatusUnauthorized, "The body is not the signed one: bodySHA256 in the address is not its hash.")
	}
	for _, u := range d.urls {
		for _, variant := range portVariants(u) {
			if hmac.Equal(given, twilioMAC(d.secret, variant, params)) {
				return nil
			}
		}
	}
	return refuse(http.StatusUnauthorized, "The signature is not right: check the auth token, and that the address is the public one.")
}

// twilioMAC signs an address followed by all parameters, sorted by name; the values of one name are sorted and each counts once.
func twilioMAC(token, address string, params url.Values) []byte {
	mac := hmac.New(sha1.New, []byte(token))
	mac.Write([]byte(address))
	for _, name := range slices.Sorted(maps.Keys(params)) {
		all := slices.Clone(params[name])
		slices.Sort(all)
		for _, value := range slices.Compact(all) {
			mac.Write([]byte(name + value))
		}
	}
	return mac.Sum(nil)
}

// bodyHashed tells whether the address holds the body's hash, which the signature then covers.
func bodyHashed(r *request) bool {
	query, err := url.ParseQuery(r.Query)
	want, err2 := hex.DecodeString(query.Get("bodySHA256"))
	sum := sha256.Sum256(r.Body)
	return err == nil && err2 == nil && hmac.Equal(want, sum[:])
}

// portVariants returns an address as it is, without its port, and with the port of its scheme.
func portVariants(address string) []string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return []string{address}
	}
	// The text is changed, not the URL: writing it anew could encode the rest in another way.
	with := func(host string) string { return strings.Replace(address, "//"+u.Host, "//"+host, 1) }
	host := u.Host
	if u.Port() != "" {
		host = strings.TrimSuffix(u.Host, ":"+u.Port())
	}
	port := ":443"
	if u.Scheme == "http" {
		port = ":80"
	}
	return []string{address, with(host), with(host + port)}
}
