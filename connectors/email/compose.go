package email

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	netmail "net/mail"
	"slices"
	"strings"
	"unicode"

	"github.com/emersion/go-message"
	"golang.org/x/net/idna"

	"hearback/connectors"
	"hearback/desk"
)

// A letter is one reply as a mail. Writing it twice gives the same bytes, so that its size can be known first and a copy kept.
type letter struct {
	id         string // Message-ID without brackets
	from       string
	recipients []string // the customer first
	header     message.Header
	text, html string
	files      []desk.Attachment
	blobs      connectors.Blobs
	size       int64
	signature  string // the DKIM field, "" without
}

// compose makes the letter of a reply. Its errors are Permanent: another try would find the same.
func (c *connector) compose(ctx context.Context, out desk.Outbound) (*letter, error) {
	l := &letter{id: mintID(out.ExternalID, c.tag, c.s.domain()), from: c.s.address, blobs: c.tools.Blobs, files: out.Attachments}
	to, err := mailbox(first(out.ReplyTo, out.To.Value))
	if err != nil || out.To.Type != kindName || out.To.Value == unknownSender {
		return nil, &connectors.SendError{Class: connectors.Permanent, Code: "address", Err: err,
			Hint: say("客户没有可用的邮箱地址。", "The customer has no e-mail address that can be written to.")}
	}
	l.recipients = []string{to}
	cc, err := l.copies(out.Cc)
	if err == nil {
		_, err = l.copies(out.Bcc) // they are told to the server alone: no field names them
	}
	if err != nil {
		return nil, err
	}
	l.text, l.html = bodies(out, c.s.sign)
	c.fillHeader(l, out, to, cc)
	if c.s.dkim != nil {
		if err := c.s.dkim.sign(ctx, l); err != nil {
			return nil, err
		}
	}
	var n counter
	if err := l.write(ctx, &n); err != nil {
		return nil, err
	}
	l.size = int64(n)
	return l, nil
}

// copies adds further recipients, each once, and returns them as a field shows them.
func (l *letter) copies(list []string) (field []string, err error) {
	for _, a := range list {
		parsed, err := netmail.ParseAddress(a) // "Name <user@host>" as people give it
		name, bare := "", a
		if err == nil && !strings.ContainsFunc(a, unicode.IsControl) {
			name, bare = parsed.Name, parsed.Address
		}
		address, err := mailbox(bare)
		if err != nil {
			return nil, &connectors.SendError{Class: connectors.Permanent, Code: "address", Err: err,
				Hint: say("抄送地址无效："+plain(a), "Not an e-mail address: "+plain(a))}
		}
		if slices.ContainsFunc(l.recipients, func(have string) bool { return strings.EqualFold(have, address) }) {
			continue
		}
		l.recipients = append(l.recipients, address)
		field = append(field, named(name, address))
	}
	return field, nil
}

// mailbox checks a bare address: one address, no line breaks, no comments. Other alphabets in the domain are written in ASCII.
func mailbox(s string) (string, error) {
	if strings.ContainsFunc(s, unicode.IsControl) {
		return "", errors.New("control characters in an address")
	}
	local, domain, ok := cutLast(s)
	if ascii, err := idna.Lookup.ToASCII(domain); ok && err == nil {
		s = local + "@" + ascii
	}
	a, err := netmail.ParseAddress(s)
	if err != nil {
		return "", fmt.Errorf("parse address: %w", err)
	}
	if a.Address != s || strings.ContainsFunc(s, func(r rune) bool { return r > 126 || r <= ' ' }) {
		return "", errors.New("not a bare address")
	}
	return s, nil
}

func cutLast(s string) (local, domain string, ok bool) {
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return "", "", false
	}
	return s[:at], s[at+1:], true
}

// write writes the whole mail; files are read from the blob store as they go.
func (l *letter) write(ctx context.Context, w io.Writer) error {
	if _, err := io.WriteString(w, l.signature); err != nil {
		return err
	}
	header := l.header.Copy()
	root, err := message.CreateWriter(w, header)
	if err != nil {
		return fmt.Errorf("compose: %w", err)
	}
	if len(l.files) == 0 {
		if err := l.writeBodies(root); err != nil {
			return err
		}
		return root.Close()
	}
	var h message.Header
	h.SetContentType("multipart/alternative", map[string]string{"boundary": "alt-" + compact(l.id)})
	alternative, err := root.CreatePart(h)
	if err != nil {
		return fmt.Errorf("compose: %w", err)
	}
	if err := l.writeBodies(alternative); err != nil {
		return err
	}
	if err := alternative.Close(); err != nil {
		return err
	}
	for _, f := range l.files {
		if err := l.writeFile(ctx, root, f); err != nil {
			return err
		}
	}
	return root.Close()
}

func (l *letter) writeBodies(to *message.Writer) error {
	for _, b := range []struct{ kind, text string }{{"text/plain", l.text}, {"text/html", l.html}} {
		var h message.Header
		h.Set("Content-Transfer-Encoding", encodingFor(b.text))
		h.SetContentType(b.kind, map[string]string{"charset": "utf-8"})
		part, err := to.CreatePart(h)
		if err != nil {
			return fmt.Errorf("compose: %w", err)
		}
		if _, err := io.WriteString(part, strings.ReplaceAll(b.text, "\n", "\r\n")); err != nil {
			return err
		}
		if err := part.Close(); err != nil {
			return err
		}
	}
	return nil
}

// encodingFor is the shorter of the two that every server carries.
func encodingFor(text string) string {
	high := 0
	for i := range len(text) {
		if text[i] > 126 {
			high++
		}
	}
	if high*6 > len(text) {
		return "base64"
	}
	return "quoted-printable"
}

func (l *letter) writeFile(ctx context.Context, to *message.Writer, f desk.Attachment) error {
	body, err := l.blobs.Open(ctx, f.Blob)
	if errors.Is(err, desk.ErrNotFound) {
		return &connectors.SendError{Class: connectors.Permanent, Code: "attachment", Err: err,
			Hint: say("附件 "+plain(f.Name)+" 已不存在。", "The file "+plain(f.Name)+" is gone.")}
	}
	if err != nil {
		return fmt.Errorf("open attachment: %w", err)
	}
	defer body.Close()
	name := cmp.Or(plain(f.Name), "file")
	kind, _, err := mime.ParseMediaType(f.Type)
	if err != nil || strings.HasPrefix(kind, "multipart/") || strings.HasPrefix(kind, "message/") {
		kind = "application/octet-stream"
	}
	var h message.Header
	h.Set("Content-Transfer-Encoding", "base64")
	if id := plain(f.ContentID); f.Inline && id != "" && !strings.ContainsAny(id, "<> ") {
		h.Set("Content-Id", "<"+id+">")
		h.SetContentDisposition("inline", map[string]string{"filename": name})
	} else {
		h.SetContentDisposition("attachment", map[string]string{"filename": name})
	}
	h.SetContentType(kind, map[string]string{"name": name})
	part, err := to.CreatePart(h)
	if err != nil {
		return fmt.Errorf("compose: %w", err)
	}
	if _, err := io.Copy(part, body); err != nil {
		return fmt.Errorf("read attachment: %w", err)
	}
	return part.Close()
}

// counter counts bytes.
type counter int64

// Write never fails.
func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
