package telephony

import (
	"crypto/hmac"
	"crypto/md5" // some call centres sign with nothing better
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// profileAuth says how a request proves where it comes from. Whatever it says, the channel's list of addresses counts too.
type profileAuth struct {
	Kind      string `toml:"kind"`      // none, token, basic, header, hmac, jwt
	Query     string `toml:"query"`     // token: the parameter that holds it; without it the last part of the address does
	Header    string `toml:"header"`    // header, hmac: which one
	Algorithm string `toml:"algorithm"` // hmac: sha256, sha1, md5, sha512
	Encoding  string `toml:"encoding"`  // hmac: hex, base64
	Prefix    string `toml:"prefix"`    // what stands before the signature or token in its header, e.g. "sha256="
	Signed    string `toml:"signed"`    // hmac: what is signed, from {body}, {url}, {query} and {header.Name}; "" is {body}
	Unsigned  bool   `toml:"unsigned"`  // jwt: requests whose token tells no payload_hash are taken
}

func (r *profileReader) auth(a *profileAuth) {
	if a.Kind == "" {
		a.Kind = "token"
	}
	r.oneOf("auth.kind", a.Kind, "none", "token", "basic", "header", "hmac", "jwt")
	switch a.Kind {
	case "hmac":
		if a.Algorithm == "" {
			a.Algorithm = "sha256"
		}
		if a.Encoding == "" {
			a.Encoding = "hex"
		}
		if a.Signed == "" {
			a.Signed = "{body}"
		}
		r.oneOf("auth.algorithm", a.Algorithm, "sha256", "sha1", "md5", "sha512")
		r.oneOf("auth.encoding", a.Encoding, "hex", "base64")
		r.signed(a.Signed)
		fallthrough
	case "header":
		if a.Header == "" {
			r.at("auth.header", "须写明是哪个请求头", "must name the header")
		}
	}
}

func (r *profileReader) signed(s string) {
	paths, err := templatePaths(s)
	if err != nil {
		r.at("auth.signed", "花括号不成对", "its braces do not match")
	}
	if !slices.Contains(paths, "body") && !slices.Contains(paths, "query") {
		r.at("auth.signed", "必须包含 {body} 或 {query}，否则内容可被篡改", "must contain {body} or {query}, or the content could be changed")
	}
	for _, p := range paths {
		if p != "body" && p != "query" && p != "url" && !strings.HasPrefix(p, "header.") {
			r.at("auth.signed", "{"+brief(p)+"} 无效，可用 {body}、{query}、{url}、{header.名称}", "{"+brief(p)+"} is none of {body}, {query}, {url}, {header.Name}")
		}
	}
}

var (
	errAuthMissing = errors.New("the request carries no token, password or signature where the profile expects it")
	errAuthWrong   = errors.New("the token, password or signature is wrong")
	errAuthOld     = errors.New("the token is too old or from the future")
	errAuthUnset   = errors.New("the channel has no secret to compare with")
)

// verify checks a request in constant time. nil: it comes from the call centre.
func (a *profileAuth) verify(d *door, r *request) error {
	switch a.Kind {
	case "none":
		return nil
	case "token":
		return a.verifyToken(d, r)
	case "basic":
		user, password, ok := (&http.Request{Header: r.Header}).BasicAuth()
		if !ok {
			return errAuthMissing
		}
		return sameSecret(user+":"+password, d.secret)
	case "header":
		given, ok := strings.CutPrefix(r.Header.Get(a.Header), a.Prefix)
		if !ok {
			return errAuthWrong
		}
		return sameSecret(given, d.secret)
	case "hmac":
		return a.verifyHMAC(d, r)
	case "jwt":
		return a.verifyJWT(r, d.secret, d.now.Std())
	}
	return errAuthWrong
}

// verifyToken: the door has compared the end of the address already; a parameter is compared here.
func (a *profileAuth) verifyToken(d *door, r *request) error {
	if a.Query == "" {
		if !d.tokenSeen {
			return errAuthMissing
		}
		return nil
	}
	query, err := url.ParseQuery(r.Query)
	if err != nil {
		return errAuthMissing
	}
	return sameSecret(query.Get(a.Query), d.token)
}

func sameSecret(given, want string) error {
	switch {
	case want == "":
		return errAuthUnset
	case given == "":
		return errAuthMissing
	case subtle.ConstantTimeCompare([]byte(given), []byte(want)) != 1:
		return errAuthWrong
	}
	return nil
}

func (a *profileAuth) newHash() func() hash.Hash {
	switch a.Algorithm {
	case "sha1":
		return sha1.New
	case "md5":
		return md5.New
	case "sha512":
		return sha512.New
	}
	return sha256.New
}

func (a *profileAuth) verifyHMAC(d *door, r *request) error {
	if d.secret == "" {
		return errAuthUnset
	}
	given, ok := strings.CutPrefix(r.Header.Get(a.Header), a.Prefix)
	if !ok || given == "" {
		return errAuthMissing
	}
	decode := hex.DecodeString
	if a.Encoding == "base64" {
		decode = base64.StdEncoding.DecodeString
	}
	sum, err := decode(given)
	if err != nil {
		return errAuthWrong
	}
	urls := []string{""}
	if strings.Contains(a.Signed, "{url}") {
		urls = d.urls
	}
	for _, u := range urls {
		mac := hmac.New(a.newHash(), []byte(d.secret))
		mac.Write(a.signedBytes(r, u))
		if hmac.Equal(sum, mac.Sum(nil)) {
			return nil
		}
	}
	return errAuthWrong
}

// signedBytes is what the signature covers. The pieces go in one pass: no piece can smuggle another in.
func (a *profileAuth) signedBytes(r *request, address string) []byte {
	var out []byte
	for rest := a.Signed; ; {
		before, after, ok := strings.Cut(rest, "{")
		out = append(out, before...)
		if !ok {
			return out
		}
		name, tail, _ := strings.Cut(after, "}")
		rest = tail
		switch header, isHeader := strings.CutPrefix(name, "header."); {
		case isHeader:
			out = append(out, r.Header.Get(header)...)
		case name == "body":
			out = append(out, r.Body...)
		case name == "url":
			out = append(out, address...)
		case name == "query":
			out = append(out, r.Query...)
		}
	}
}

// jwtWindow is how far a token's time of issue may lie from ours.
const jwtWindow = 5 * time.Minute

// verifyJWT is RFC 7519 with HS256 only, as Vonage signs its webhooks: payload_hash is the SHA-256 of the body in hex.
func (a *profileAuth) verifyJWT(r *request, secret string, now time.Time) error {
	if secret == "" {
		return errAuthUnset
	}
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return errAuthMissing
	}
	claims, err := jwtClaims(strings.TrimSpace(token), secret)
	if err != nil {
		return err
	}
	issued := time.Unix(claims.IssuedAt, 0)
	if d := now.Sub(issued); d > jwtWindow || d < -jwtWindow || claims.Expires != 0 && now.After(time.Unix(claims.Expires, 0)) {
		return errAuthOld
	}
	if claims.PayloadHash == "" && (a.Unsigned || len(r.Body) == 0) {
		return nil
	}
	sum := sha256.Sum256(r.Body)
	if subtle.ConstantTimeCompare([]byte(strings.ToLower(claims.PayloadHash)), []byte(hex.EncodeToString(sum[:]))) != 1 {
		return errAuthWrong
	}
	return nil
}

type jwtClaim struct {
	IssuedAt    int64  `json:"iat"`
	Expires     int64  `json:"exp"`
	PayloadHash string `json:"payload_hash"`
}

// jwtClaims checks the signature before anything of the token is believed; any algorithm but HS256 is refused.
func jwtClaims(token, secret string) (c jwtClaim, err error) {
	head, rest, ok1 := strings.Cut(token, ".")
	body, sig, ok2 := strings.Cut(rest, ".")
	if !ok1 || !ok2 {
		return c, errAuthWrong
	}
	sum, err := base64.RawURLEncoding.DecodeString(sig)
	if err != nil {
		return c, errAuthWrong
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(head + "." + body))
	if !hmac.Equal(sum, mac.Sum(nil)) {
		return c, errAuthWrong
	}
	var h struct {
		Alg string `json:"alg"`
	}
	if rawJSON(head, &h) != nil || h.Alg != "HS256" || rawJSON(body, &c) != nil {
		return c, errAuthWrong
	}
	return c, nil
}

func rawJSON(part string, into any) error {
	b, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, into)
}
