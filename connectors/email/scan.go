package email

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"strconv"
	"strings"
	"unicode"

	"hearback/desk"
	"hearback/normalizer/mail"
)

// unknownSender stands for the writer of a mail that names none.
const unknownSender = "unknown-sender@invalid"

const maxHeader = 1 << 20

// envelope reads one mail to its end: small ones into memory, others to the blob store as they come.
func (c *connector) envelope(ctx context.Context, r io.Reader, size int64, e entry) (desk.Envelope, error) {
	env := desk.Envelope{Type: desk.EnvelopeMessage, Meta: c.meta(e.uid)}
	var seen scanner
	r = io.TeeReader(r, &seen)
	if size > smallMail {
		blob, err := c.tools.Blobs.Put(ctx, r, 0)
		if err != nil {
			return env, fmt.Errorf("keep mail: %w", err)
		}
		env.RawBlob = blob.Key
	} else {
		env.Raw = make([]byte, size)
		if _, err := io.ReadFull(r, env.Raw); err != nil {
			return env, fmt.Errorf("read mail: %w", err)
		}
		if size == 0 {
			env.Raw = []byte("\r\n")
		}
	}
	if e.size > c.s.maxMail {
		env.Meta["size"] = strconv.FormatInt(e.size, 10)
	}
	env.Sender, env.ExternalID = seen.identify(e, c.s.own())
	return env, nil
}

// A scanner sees a mail pass by: it keeps the header and hashes the body.
type scanner struct {
	header []byte
	body   hash.Hash // nil while in the header
}

// Write never fails.
func (s *scanner) Write(p []byte) (int, error) {
	n := len(p)
	if s.body == nil {
		from := max(len(s.header)-3, 0)
		s.header = append(s.header, p...)
		end := headerEnd(s.header[from:])
		if end < 0 && len(s.header) < maxHeader {
			return n, nil
		}
		if end < 0 {
			end = len(s.header) - from
		}
		p = s.header[from+end:]
		s.header = s.header[:from+end]
		s.body = sha256.New()
	}
	s.body.Write(p)
	return n, nil
}

// headerEnd is where the body begins, -1 when that is not in b.
func headerEnd(b []byte) int {
	at := -1
	for _, gap := range []string{"\r\n\r\n", "\n\n"} {
		if i := bytes.Index(b, []byte(gap)); i >= 0 && (at < 0 || i+len(gap) < at) {
			at = i + len(gap)
		}
	}
	return at
}

// identify names the sender and the mail. The same mail delivered over two ways differs in its trace fields, so only what its
// author wrote counts.
func (s *scanner) identify(e entry, own []string) (sender, external string) {
	m := mail.Parse(s.header, mail.Limits{})
	sum := sha256.New()
	for _, name := range []string{"From", "To", "Cc", "Subject", "Date"} {
		fmt.Fprintf(sum, "%s: %q\n", name, m.Header.Values(name))
	}
	if m.MessageID == "" {
		fmt.Fprintf(sum, "arrived: %d\n", e.date.Unix()) // two alike without an id are one only when they came at once
	}
	if s.body != nil {
		sum.Write(s.body.Sum(nil))
	} else {
		sum.Write(s.header) // perhaps no header at all
	}
	from, _ := author(m, own)
	return from, messageKey(m.MessageID) + " " + hex.EncodeToString(sum.Sum(nil))[:32]
}

// messageKey is a Message-ID as we keep it: one word, of bounded length.
func messageKey(id string) string {
	id = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsControl(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, id)
	if len(id) > 250 {
		sum := sha256.Sum256([]byte(id))
		id = hex.EncodeToString(sum[:]) + "@long"
	}
	if id == "" {
		return "-"
	}
	return id
}

// messageIDOf takes a Message-ID out of an external id; "" when the mail had none.
func messageIDOf(external string) string {
	id, _, _ := strings.Cut(external, " ")
	if id == "-" {
		return ""
	}
	return id
}

// digestOf is a short hash of some words.
func digestOf(parts ...string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", parts))
	return hex.EncodeToString(sum[:8])
}
