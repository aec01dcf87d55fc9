package telephony

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// tolerance is how far a signed time may be from ours. Standard Webhooks, "Verifying webhook authenticity".
const tolerance = 5 * time.Minute

// errSecret tells of a secret that is no Standard Webhooks secret.
var errSecret = errors.New("it is no Base64 after whsec_")

// webhookKeys reads the secrets of a setting: several, separated by blanks or commas, while they are rotated.
func webhookKeys(secret string) ([]*standardwebhooks.Webhook, error) {
	var out []*standardwebhooks.Webhook
	for _, s := range strings.FieldsFunc(secret, func(r rune) bool { return r == ' ' || r == ',' }) {
		w, err := standardwebhooks.NewWebhook(s)
		if err != nil {
			return nil, errSecret // the library's error tells where, and so a part of it
		}
		out = append(out, w)
	}
	if len(out) == 0 {
		return nil, errors.New("there is no secret")
	}
	return out, nil
}

// verifyWebhook checks a Standard Webhooks signature. The time is judged by the channel's clock, not by the library's.
func verifyWebhook(d *door, r *request) *refusal {
	seconds, err := strconv.ParseInt(r.Header.Get(standardwebhooks.HeaderWebhookTimestamp), 10, 64)
	if err != nil || r.Header.Get(standardwebhooks.HeaderWebhookID) == "" || r.Header.Get(standardwebhooks.HeaderWebhookSignature) == "" {
		return refuse(http.StatusUnauthorized, "The request is not signed: webhook-id, webhook-timestamp and webhook-signature are needed.")
	}
	keys, err := webhookKeys(d.secret)
	if err != nil {
		return refuse(http.StatusUnauthorized, "The channel has no usable secret.")
	}
	for _, k := range keys {
		if k.VerifyIgnoringTimestamp(r.Body, r.Header) != nil {
			continue
		}
		if off := d.now.Std().Sub(time.Unix(seconds, 0)); off > tolerance || off < -tolerance {
			return refuse(http.StatusUnauthorized, "The signed time is more than five minutes away from ours: the request is old or a clock is wrong.")
		}
		return nil
	}
	return refuse(http.StatusUnauthorized, "The signature is not right: check the secret on both sides.")
}

// needToken is the check of formats that only know a secret address.
func needToken(d *door) *refusal {
	if d.tokenSeen {
		return nil
	}
	return refuse(http.StatusUnauthorized, "The address is not the whole one: it ends in the channel's token.")
}

// needPassword takes HTTP basic authentication (RFC 7617), or the token in the address where a provider cannot do that.
func needPassword(d *door, r *request) *refusal {
	user, password, given := basicAuth(r.Header)
	switch {
	case !given && d.tokenSeen:
		return nil
	case !given:
		return refuse(http.StatusUnauthorized, "User and password are needed, or the address with the channel's token.")
	}
	want, pair := d.secret, user+":"+password
	if !strings.Contains(want, ":") {
		pair = password // a secret without a user is the password of any
	}
	if want == "" || subtle.ConstantTimeCompare([]byte(want), []byte(pair)) != 1 {
		return refuse(http.StatusUnauthorized, "User or password is not right.")
	}
	return nil
}

func basicAuth(h http.Header) (user, password string, ok bool) {
	return (&http.Request{Header: h}).BasicAuth()
}

// ownSecret tells whether an admin gave a secret of his own: one that was made by us is for the generic format.
func (d *door) ownSecret() bool { return d.secret != "" && !strings.HasPrefix(d.secret, "whsec_") }

// signedHex checks the hexadecimal HMAC-SHA256 of a body.
func signedHex(secret string, body []byte, signature string) bool {
	return hmac.Equal([]byte(hexMAC(secret, body)), []byte(strings.TrimPrefix(strings.ToLower(strings.TrimSpace(signature)), "sha256=")))
}

func hexMAC(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// readNetworks reads a list of addresses and networks.
func readNetworks(list string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range strings.FieldsFunc(list, func(r rune) bool { return strings.ContainsRune(",，、;； \t\r\n", r) }) {
		if p, err := netip.ParsePrefix(s); err == nil {
			out = append(out, p.Masked())
			continue
		}
		a, err := netip.ParseAddr(s)
		if err != nil {
			return nil, errors.New(strconv.Quote(s) + " is no address and no network")
		}
		out = append(out, netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()))
	}
	return out, nil
}

// allowed tells whether a request may come from where it comes from. The house has put the client's own address in place of a
// trusted proxy's.
func allowed(networks []netip.Prefix, remote string) bool {
	if len(networks) == 0 {
		return true
	}
	ap, err := netip.ParseAddrPort(remote)
	a := ap.Addr()
	if err != nil {
		if a, err = netip.ParseAddr(remote); err != nil {
			return false
		}
	}
	a = a.WithZone("").Unmap()
	for _, p := range networks {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
