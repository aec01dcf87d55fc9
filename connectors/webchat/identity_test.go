package webchat_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"hearback/connectors/connectortest"
	"hearback/desk"
)

func jwt(key, header string, claims map[string]any) string {
	enc := base64.RawURLEncoding
	body, _ := json.Marshal(claims)
	signed := enc.EncodeToString([]byte(header)) + "." + enc.EncodeToString(body)
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(signed))
	return signed + "." + enc.EncodeToString(h.Sum(nil))
}

const hs256 = `{"alg":"HS256","typ":"JWT"}`

// identities says something and returns what the house learns of the visitor.
func identities(t *testing.T, e *connectortest.Env, token, clientID string) (desk.Inbound, map[string]desk.Identity) {
	t.Helper()
	say(t, e, token, clientID, "hello")
	all := e.House.Inbox.Envelopes()
	in, err := e.Kind.Decode(all[len(all)-1])
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]desk.Identity{}
	for _, i := range in[0].Also {
		out[i.Type] = i
	}
	return in[0], out
}

func TestSignedIdentityIsVerified(t *testing.T) {
	e := open(t, nil)
	claims := map[string]any{"sub": "user-42", "exp": e.House.Clock.Now().Add(time.Hour).Unix(), "name": "王芳", "email": "wang@example.com", "level": "vip"}
	token, id := visitor(t, e, map[string]string{"identity_token": jwt(secret, hs256, claims), "name": "Mallory"})
	in, also := identities(t, e, token, "m1")
	if in.Name != "王芳" || in.Level != "vip" ||
		also["external"] != (desk.Identity{Type: "external", Value: "user-42", Scope: e.Channel.ID, Verified: true}) ||
		also["email"] != (desk.Identity{Type: "email", Value: "wang@example.com", Verified: true}) {
		t.Errorf("got %+v %+v", in, also)
	}
	// The same person on another device has the same conversation.
	if _, again := visitor(t, e, map[string]string{"identity_token": jwt(secret, hs256, claims)}); again != id {
		t.Error("another device is another visitor")
	}
	// Somebody else at the same browser has his own.
	claims["sub"] = "user-43"
	_, out, _ := call(t, e, "POST", "/visitors", token, map[string]string{"identity_token": jwt(secret, hs256, claims)})
	if out["visitor_id"] == id {
		t.Error("another user inherits the conversation")
	}
	// A nameless visitor who logs in keeps his conversation; claims cannot overwrite proof.
	anon, anonID := visitor(t, e, map[string]string{"email": "claimed@example.com"})
	_, out, _ = call(t, e, "POST", "/visitors", anon, map[string]string{"identity_token": jwt(secret, hs256, map[string]any{"sub": 7, "exp": claims["exp"]})})
	if out["visitor_id"] != anonID {
		t.Error("logging in lost the conversation")
	}
	_, out, _ = call(t, e, "POST", "/visitors", out["visitor_token"].(string), map[string]string{"email": "evil@example.com"})
	_, also = identities(t, e, out["visitor_token"].(string), "m2")
	if also["external"].Value != "7" || also["email"].Value != "" {
		t.Errorf("got %+v", also)
	}
}

func TestHashedIdentifierIsVerifiedAndItsClaimsAreNot(t *testing.T) {
	e := open(t, nil)
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte("user-42"))
	hash := hex.EncodeToString(h.Sum(nil))
	token, _ := visitor(t, e, map[string]string{"identifier": "user-42", "identifier_hash": hash, "email": "a@example.com"})
	_, also := identities(t, e, token, "m1")
	if !also["external"].Verified || also["email"].Verified || also["email"].Value != "a@example.com" {
		t.Errorf("got %+v", also)
	}
	for _, bad := range []string{"", strings.ToUpper(hash[:62]), strings.Repeat("0", 64), "zz"} {
		status, out, _ := call(t, e, "POST", "/visitors", "", map[string]string{"identifier": "user-42", "identifier_hash": bad})
		if status != 401 || out["code"] != "invalid_identity" {
			t.Errorf("hash %q: %d %v", bad, status, out)
		}
	}
}

func TestForgedIdentityIsRefused(t *testing.T) {
	e := open(t, nil)
	exp := e.House.Clock.Now().Add(time.Hour).Unix()
	good := map[string]any{"sub": "u", "exp": exp}
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + strings.TrimPrefix(jwt(secret, hs256, good), strings.Split(jwt(secret, hs256, good), ".")[0])
	for name, token := range map[string]string{
		"other secret":  jwt("another secret of some length", hs256, good),
		"alg none":      none,
		"alg none bare": strings.Join(append(strings.Split(none, ".")[:2], ""), "."),
		"alg RS256":     jwt(secret, `{"alg":"RS256"}`, good),
		"alg HS512":     jwt(secret, `{"alg":"HS512"}`, good),
		"crit":          jwt(secret, `{"alg":"HS256","crit":["x"]}`, good),
		"no exp":        jwt(secret, hs256, map[string]any{"sub": "u"}),
		"expired":       jwt(secret, hs256, map[string]any{"sub": "u", "exp": exp - 7200}),
		"not yet":       jwt(secret, hs256, map[string]any{"sub": "u", "exp": exp, "nbf": exp - 60}),
		"no sub":        jwt(secret, hs256, map[string]any{"exp": exp}),
		"sub is null":   jwt(secret, hs256, map[string]any{"exp": exp, "sub": nil}),
		"sub is object": jwt(secret, hs256, map[string]any{"exp": exp, "sub": map[string]any{}}),
		"nonsense":      "a.b.c",
		"two parts":     "a.b",
	} {
		status, out, _ := call(t, e, "POST", "/visitors", "", map[string]string{"identity_token": token})
		if status != 401 || out["code"] != "invalid_identity" {
			t.Errorf("%s: %d %v", name, status, out)
		}
	}
	off := open(t, map[string]string{"identity_secret": ""})
	if status, out, _ := call(t, off, "POST", "/visitors", "", map[string]string{"identity_token": jwt("", hs256, good)}); status != 403 || out["code"] != "identity_off" {
		t.Errorf("without a secret: %d %v", status, out)
	}
}

func TestTokensOfOneChannelMeanNothingToAnother(t *testing.T) {
	e := open(t, nil)
	other := connectortest.OpenChannel(t, e.Kind, e.House, map[string]string{})
	token, _ := visitor(t, e, nil)
	if status, _, _ := call(t, other, "GET", "/events", token, nil); status != 401 {
		t.Errorf("got %d", status)
	}
}
