package webchat

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	clockSkew   = time.Minute // between the host page's server and ours
	maxName     = 120         // characters
	maxAddress  = 254         // bytes of an e-mail address (RFC 5321, 4.5.3.1.3, less the brackets)
	maxPhone    = 40
	maxExternal = 200
)

// An introduction is what a page says about its visitor. Everything is a claim until the host page's signature proves it.
type introduction struct {
	Name           string `json:"name"`
	Email          string `json:"email"`
	Phone          string `json:"phone"`
	IdentityToken  string `json:"identity_token"`
	Identifier     string `json:"identifier"`
	IdentifierHash string `json:"identifier_hash"`
}

// jwtClaims are what a host page may put into its signed token.
type jwtClaims struct {
	Subject       json.RawMessage `json:"sub"`
	Expires       *float64        `json:"exp"`
	NotBefore     float64         `json:"nbf"`
	Name          string          `json:"name"`
	Email         string          `json:"email"`
	EmailVerified *bool           `json:"email_verified"`
	Phone         string          `json:"phone"`
	Level         string          `json:"level"`
}

// identify turns an introduction into a profile, or refuses it. A wrong proof is refused, never taken as a claim.
func (c *Channel) identify(in introduction) (profile, *refusal) {
	p := profile{Name: in.Name, Email: in.Email, Phone: in.Phone}
	switch {
	case (in.IdentityToken != "" || in.Identifier != "") && c.set.secret == "":
		return p, refuse(http.StatusForbidden, "identity_off", "This channel has no identity secret: set one, or send no identity.")
	case in.IdentityToken != "":
		claims, r := c.verifyJWT(in.IdentityToken)
		if r != nil {
			return p, r
		}
		p = claims
	case in.Identifier != "":
		if !c.validHash(in.Identifier, in.IdentifierHash) {
			return p, refuse(http.StatusUnauthorized, "invalid_identity", "identifier_hash is not the HMAC-SHA256 of identifier with this channel's secret.")
		}
		p.External = in.Identifier
	case in.IdentifierHash != "":
		return p, refuse(http.StatusUnprocessableEntity, "invalid", "identifier_hash came without identifier.")
	}
	return p.tidy()
}

// tidy checks lengths and forms.
func (p profile) tidy() (profile, *refusal) {
	p.Name = strings.Join(strings.Fields(withoutNUL(p.Name)), " ")
	p.Email, p.Phone = strings.ToLower(strings.TrimSpace(p.Email)), strings.TrimSpace(p.Phone)
	bad := func(what string) (profile, *refusal) {
		return profile{}, refuse(http.StatusUnprocessableEntity, "invalid", what)
	}
	if utf8.RuneCountInString(p.Name) > maxName {
		return bad("The name is longer than 120 characters.")
	}
	if p.Email != "" {
		if a, err := mail.ParseAddress(p.Email); err != nil || a.Address != p.Email || len(p.Email) > maxAddress {
			return bad("This is not an e-mail address.")
		}
	}
	if len(p.Phone) > maxPhone || strings.Trim(p.Phone, "+0123456789 -().#") != "" {
		return bad("This is not a telephone number.")
	}
	if len(p.External) > maxExternal || strings.ContainsRune(p.External, 0) || utf8.RuneCountInString(p.Level) > 40 {
		return bad("The identity's id or level is too long.")
	}
	return p, nil
}

// verifyJWT checks a host page's token (RFC 7519). HS256 and nothing else: the header does not choose how it is checked.
func (c *Channel) verifyJWT(token string) (profile, *refusal) {
	invalid := func(detail string) (profile, *refusal) {
		return profile{}, refuse(http.StatusUnauthorized, "invalid_identity", detail)
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 || len(token) > 8<<10 {
		return invalid("The identity token is no JWT.")
	}
	enc := base64.RawURLEncoding.Strict()
	head, err1 := enc.DecodeString(parts[0])
	body, err2 := enc.DecodeString(parts[1])
	mac, err3 := enc.DecodeString(parts[2])
	var header struct {
		Alg  string          `json:"alg"`
		Crit json.RawMessage `json:"crit"`
	}
	if err1 != nil || err2 != nil || err3 != nil || json.Unmarshal(head, &header) != nil {
		return invalid("The identity token is no JWT.")
	}
	if header.Alg != "HS256" || header.Crit != nil {
		return invalid("The identity token must be signed with HS256.")
	}
	h := hmac.New(sha256.New, []byte(c.set.secret))
	h.Write([]byte(parts[0] + "." + parts[1]))
	if !hmac.Equal(mac, h.Sum(nil)) {
		return invalid("The identity token's signature is wrong.")
	}
	var claims jwtClaims
	if json.Unmarshal(body, &claims) != nil {
		return invalid("The identity token's claims cannot be read.")
	}
	return c.profileOf(claims)
}

// profileOf checks the claims of a token whose signature was right.
func (c *Channel) profileOf(claims jwtClaims) (profile, *refusal) {
	now := float64(c.now().Unix())
	skew := clockSkew.Seconds()
	invalid := func(detail string) (profile, *refusal) {
		return profile{}, refuse(http.StatusUnauthorized, "invalid_identity", detail)
	}
	switch {
	case claims.Expires == nil:
		return invalid("The identity token has no exp.")
	case *claims.Expires+skew <= now:
		return invalid("The identity token has expired.")
	case claims.NotBefore-skew > now:
		return invalid("The identity token is not valid yet.")
	}
	subject := string(bytes.TrimSpace(claims.Subject))
	if strings.HasPrefix(subject, `"`) {
		json.Unmarshal(claims.Subject, &subject)
	} else if strings.Trim(subject, "0123456789") != "" {
		subject = "" // numbers are ids too; objects and null are not
	}
	if subject == "" {
		return invalid("The identity token has no sub.")
	}
	p := profile{Name: claims.Name, Email: claims.Email, Phone: claims.Phone, Level: claims.Level, External: subject, Proven: true}
	if claims.EmailVerified != nil && !*claims.EmailVerified {
		p.Proven = false
	}
	return p, nil
}

// validHash checks hex(HMAC-SHA256(secret, identifier)), as other chat widgets have it.
func (c *Channel) validHash(identifier, hash string) bool {
	given, err := hex.DecodeString(strings.ToLower(hash))
	h := hmac.New(sha256.New, []byte(c.set.secret))
	h.Write([]byte(identifier))
	return err == nil && hmac.Equal(given, h.Sum(nil))
}
