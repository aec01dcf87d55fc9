package webchat

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"hearback/connectors"
	"hearback/desk"
)

// A refusal is a clear no: nothing was kept. It becomes an error frame or a problem document.
type refusal struct {
	status int
	code   string
	detail string
	after  time.Duration // when to try again; 0: not at all
}

func refuse(status int, code, detail string) *refusal {
	return &refusal{status: status, code: code, detail: detail}
}

// A submission is one message as a client sends it, over either transport.
type submission struct {
	ClientID    string   `json:"client_msg_id"`
	Text        string   `json:"text"`
	Attachments []string `json:"attachments"`
	Page        string   `json:"page"`
	Language    string   `json:"language"`
}

// A taken message is durable. Its event is to be shown unless it was taken before.
type taken struct {
	id    desk.ID
	seq   int64
	event shown
	again bool
}

// submit takes a visitor's message into safety. It returns when the message is durable; the caller shows it.
func (c *Channel) submit(ctx context.Context, who *visitorToken, in *submission) (taken, *refusal) {
	m, r := c.understand(who, in)
	if r != nil {
		return taken{}, r
	}
	if r := c.limits.message(ctx, who.Visitor); r != nil {
		return taken{}, r
	}
	raw, _ := json.Marshal(m) // plain data: cannot fail
	batch := connectors.Batch{Envelopes: []desk.Envelope{{
		ID: m.ID, Type: desk.EnvelopeMessage, ExternalID: who.Visitor + ":" + m.ClientID, Sender: who.Visitor, Digest: digest(m), Raw: raw,
	}}}
	ctx, cancel := context.WithTimeout(ctx, acceptTimeout)
	defer cancel()
	if err := c.tools.Inbox.Accept(ctx, batch); err != nil {
		return taken{}, c.notTaken(err)
	}
	e := &batch.Envelopes[0]
	if e.Conflict {
		return taken{}, refuse(http.StatusConflict, "conflict", "This client_msg_id was used for another message.")
	}
	t := taken{id: e.ID, seq: e.Seq, again: e.Duplicate}
	if !t.again {
		t.event = c.showSaid(e.Seq, m, e.ReceivedAt)
	}
	return t, nil
}

// notTaken puts a failed Accept into words. The store's own words stay in the log.
func (c *Channel) notTaken(err error) *refusal {
	if errors.Is(err, desk.ErrInvalid) {
		return refuse(http.StatusUnprocessableEntity, "bad_frame", "The message cannot be stored.")
	}
	c.tools.Logger.Warn("a visitor's message was not taken; his client repeats it", "err", err)
	return &refusal{status: http.StatusServiceUnavailable, code: "unavailable", detail: "The message was not stored. Please send it again.", after: 2 * time.Second}
}

// understand checks a submission and makes of it what is kept.
func (c *Channel) understand(who *visitorToken, in *submission) (*said, *refusal) {
	if !validClientID(in.ClientID) {
		return nil, refuse(http.StatusUnprocessableEntity, "bad_frame", "client_msg_id must be 1 to 64 letters, digits, - or _.")
	}
	if len(in.Text) > maxText || utf8.RuneCountInString(in.Text) > maxRunes {
		return nil, refuse(http.StatusRequestEntityTooLarge, "too_long",
			fmt.Sprintf("A message has at most %d characters and %d bytes.", maxRunes, maxText))
	}
	if strings.TrimSpace(in.Text) == "" && len(in.Attachments) == 0 {
		return nil, refuse(http.StatusUnprocessableEntity, "bad_frame", "A message needs text or an attachment.")
	}
	if len(in.Attachments) > maxAttachments {
		return nil, refuse(http.StatusRequestEntityTooLarge, "too_long", fmt.Sprintf("A message has at most %d attachments.", maxAttachments))
	}
	m := &said{ID: desk.NewID(), ClientID: in.ClientID, Text: in.Text, Who: who.profile, Page: cut(in.Page, 2000), Language: cut(in.Language, 35)}
	for _, id := range in.Attachments {
		f, err := c.uploaded(id, who.Visitor)
		if err != nil {
			return nil, refuse(http.StatusForbidden, "forbidden", "An attachment is unknown, too old, or not yours: upload it again.")
		}
		m.Files = append(m.Files, f)
	}
	return m, nil
}

func validClientID(s string) bool {
	if len(s) == 0 || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		b := s[i]
		if (b < 'a' || b > 'z') && (b < 'A' || b > 'Z') && (b < '0' || b > '9') && b != '-' && b != '_' {
			return false
		}
	}
	return true
}

// digest is what the visitor meant: the same client_msg_id with another digest is a conflict.
func digest(m *said) string {
	h := sha256.New()
	h.Write([]byte(m.Text))
	for _, f := range m.Files {
		h.Write([]byte("\x00" + f.Blob + "\x00" + f.Name))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// cut drops what is over n bytes, never half a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
