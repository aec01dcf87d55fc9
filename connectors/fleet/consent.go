package fleet

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"hearback/connectors"
	"hearback/desk"
)

// consentWithin is how long an admin may take at the provider's log-in page.
const consentWithin = 10 * time.Minute

// ErrConsent is a state that is not ours, used before, too old or another admin's.
var ErrConsent = errors.New("this log-in at the provider was not begun here, or took too long; begin it again")

// A consentState travels through the provider and comes back. It is signed; what must stay secret (the verifier) is derived from it
// with the workspace's key and never travels.
type consentState struct {
	Channel desk.ID   `json:"c"`
	Agent   desk.ID   `json:"a"`
	Nonce   string    `json:"n"`
	Until   desk.Time `json:"u"`
}

// RedirectPath is where providers send the admin's browser back to, below the public URL.
const RedirectPath = "/api/v1/oauth/callback"

// Begin is the provider's log-in page for a channel (RFC 6749, 4.1.1; PKCE by RFC 7636).
func (f *Fleet) Begin(ch desk.Channel, agent desk.ID) (url string, err error) {
	kind, ok := f.kinds[ch.Kind]
	if !ok || kind.Consent == nil {
		return "", fmt.Errorf("this kind of channel has no log-in at its provider: %w", desk.ErrInvalid)
	}
	defer f.contained(ch, &err)
	state := f.sign(consentState{ch.ID, agent, rand.Text(), desk.At(f.o.Now().Add(consentWithin))})
	ch.Settings, _ = Complete(kind, ch.Settings, false)
	return kind.Consent.URL(ch, f.o.PublicURL+RedirectPath, state, f.verifier(state))
}

// ConsentOf tells which channel a state that came back belongs to. It is taken once, within its time, and only from the admin who
// began; anything else is ErrConsent.
func (f *Fleet) ConsentOf(ctx context.Context, state string, agent desk.ID) (desk.ID, error) {
	s, ok := f.unseal(state)
	if !ok || s.Agent != agent || s.Until < desk.At(f.o.Now()) {
		return "", ErrConsent
	}
	used, err := f.usedConsent(ctx, s.Nonce)
	if err != nil {
		return "", err
	}
	if used {
		return "", ErrConsent
	}
	return s.Channel, nil
}

// Exchange turns the provider's code into settings to be stored. state is one that ConsentOf took.
func (f *Fleet) Exchange(ctx context.Context, ch desk.Channel, state, code string) (settings map[string]string, err error) {
	kind, ok := f.kinds[ch.Kind]
	if !ok || kind.Consent == nil {
		return nil, fmt.Errorf("this kind of channel has no log-in at its provider: %w", desk.ErrInvalid)
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	defer f.contained(ch, &err)
	ch.Settings, _ = Complete(kind, ch.Settings, false)
	tools := f.tools(kind, ch, nil, closedInbox{})
	tools.Health, tools.Note = func(error) {}, func(connectors.Note) {}
	return kind.Consent.Exchange(ctx, ch, tools, f.o.PublicURL+RedirectPath, code, f.verifier(state))
}

// contained makes a panic an error and takes the channel's secrets out of it.
func (f *Fleet) contained(ch desk.Channel, err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("panic: %v", p)
	}
	if *err != nil {
		*err = redacted{redact((*err).Error(), f.secrets(ch)), *err}
	}
}

// usedConsent marks a state as used. Without a cache nothing is shared, and the nonce is remembered here.
func (f *Fleet) usedConsent(ctx context.Context, nonce string) (bool, error) {
	if f.o.Cache != nil {
		return f.o.Cache.Seen(ctx, "consent:"+nonce, consentWithin)
	}
	f.looking.Lock()
	defer f.looking.Unlock()
	used := f.consents[nonce]
	if f.consents == nil {
		f.consents = map[string]bool{}
	}
	f.consents[nonce] = true
	return used, nil
}

func (f *Fleet) mac(what, text string) []byte {
	mac := hmac.New(sha256.New, f.o.Secret)
	mac.Write([]byte(what + ":" + text))
	return mac.Sum(nil)
}

func (f *Fleet) sign(s consentState) string {
	plain, err := json.Marshal(s)
	if err != nil {
		panic("encode four plain fields: " + err.Error())
	}
	body := base64.RawURLEncoding.EncodeToString(plain)
	return body + "." + base64.RawURLEncoding.EncodeToString(f.mac("consent state", body))
}

func (f *Fleet) unseal(state string) (s consentState, ok bool) {
	body, sum, _ := strings.Cut(state, ".")
	given, err := base64.RawURLEncoding.DecodeString(sum)
	if err != nil || !hmac.Equal(given, f.mac("consent state", body)) {
		return s, false
	}
	plain, err := base64.RawURLEncoding.DecodeString(body)
	return s, err == nil && json.Unmarshal(plain, &s) == nil
}

// verifier is the PKCE code verifier: 43 characters that only we can derive from the state.
func (f *Fleet) verifier(state string) string {
	return base64.RawURLEncoding.EncodeToString(f.mac("consent verifier", state))
}
