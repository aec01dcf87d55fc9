package webchat

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"hearback/desk"
)

const (
	tokenLife  = 180 * 24 * time.Hour // a visitor who comes back within it is the same visitor
	tokenRenew = 24 * time.Hour       // an older token is replaced at the next hello
	uploadLife = 24 * time.Hour       // how long an uploaded file may wait for its message
	linkLife   = 7 * 24 * time.Hour   // how long a link to a file works; each replay makes new ones
)

var (
	errTokenForged  = errors.New("the token was not made here")
	errTokenExpired = errors.New("the token has expired")
)

// A visitorToken is what a visitor carries: who he is, signed, so that no node has to remember him.
type visitorToken struct {
	Visitor string `json:"v"` // 128 bits, hex
	Issued  int64  `json:"i"` // unix seconds
	Expires int64  `json:"e"`
	profile
}

// A fileToken names one stored file for one purpose.
type fileToken struct {
	file
	Visitor string `json:"v,omitempty"` // uploads: who may attach it
	Expires int64  `json:"e"`
}

// seal signs v for one purpose: base64url(JSON) "." base64url(HMAC-SHA256(key, purpose "\0" JSON)).
func (c *Channel) seal(purpose string, v any) string {
	body, _ := json.Marshal(v) // plain data: cannot fail
	enc := base64.RawURLEncoding
	return enc.EncodeToString(body) + "." + enc.EncodeToString(c.mac(purpose, body))
}

// unseal checks a signature in constant time and reads what was signed.
func (c *Channel) unseal(purpose, token string, v any) error {
	if len(token) > 8<<10 {
		return errTokenForged
	}
	left, right, ok := strings.Cut(token, ".")
	if !ok {
		return errTokenForged
	}
	enc := base64.RawURLEncoding.Strict()
	body, err1 := enc.DecodeString(left)
	mac, err2 := enc.DecodeString(right)
	if err1 != nil || err2 != nil || !hmac.Equal(mac, c.mac(purpose, body)) || json.Unmarshal(body, v) != nil {
		return errTokenForged
	}
	return nil
}

func (c *Channel) mac(purpose string, body []byte) []byte {
	h := hmac.New(sha256.New, c.tools.Key)
	h.Write([]byte(purpose))
	h.Write([]byte{0})
	h.Write(body)
	return h.Sum(nil)
}

// issue makes a visitor's token, valid from now.
func (c *Channel) issue(visitor string, p profile) string {
	now := c.now()
	return c.seal("visitor", visitorToken{Visitor: visitor, Issued: now.Unix(), Expires: now.Add(tokenLife).Unix(), profile: p})
}

// visitorOf reads a visitor's token.
func (c *Channel) visitorOf(token string) (visitorToken, error) {
	var t visitorToken
	if err := c.unseal("visitor", token, &t); err != nil {
		return t, err
	}
	if t.Visitor == "" {
		return t, errTokenForged
	}
	if c.now().Unix() >= t.Expires {
		return t, errTokenExpired
	}
	return t, nil
}

func newVisitor() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// visitorFor gives a proven user of the host page the same conversation on all his devices. Only who knows the channel's
// key can compute it.
func (c *Channel) visitorFor(external string) string {
	return hex.EncodeToString(c.mac("external", []byte(external))[:16])
}

// uploadID is what a client puts into a message to attach a file it has uploaded.
func (c *Channel) uploadID(f file, visitor string) string {
	return c.seal("upload", fileToken{f, visitor, c.now().Add(uploadLife).Unix()})
}

// uploaded reads an uploadID of that visitor.
func (c *Channel) uploaded(id, visitor string) (file, error) {
	var t fileToken
	if err := c.unseal("upload", id, &t); err != nil || t.Visitor != visitor {
		return file{}, fmt.Errorf("attachment: %w: this file was not uploaded by you", desk.ErrForbidden)
	}
	if c.now().Unix() >= t.Expires {
		return file{}, fmt.Errorf("attachment: %w: upload the file again, this one has waited for more than a day", desk.ErrForbidden)
	}
	return t.file, nil
}

// linkFile makes the address under which a visitor's page loads a file.
func (c *Channel) linkFile(f file) eventFile {
	token := c.seal("file", fileToken{file: f, Expires: c.now().Add(linkLife).Unix()})
	return eventFile{ID: f.Blob, Name: f.Name, Type: f.Type, Size: f.Size, URL: c.path + "/files/" + url.PathEscape(f.Blob) + "?token=" + token}
}
