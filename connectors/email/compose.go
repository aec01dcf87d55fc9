package email

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"mime"
	netmail "net/mail"
	"regexp"
	"strings"
	"unicode"

	"github.com/emersion/go-message"
	"github.com/microcosm-cc/bluemonday"
	"golang.org/x/net/idna"

	"hearback/connectors"
	"hearback/desk"
	"hearback/normalizer/mail"
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
	to, err := mailbox(out.To.Value)
	if err != nil || out.To.Type != kindName || out.To.Value == unknownSender {
		return nil, &connectors.SendError{Class: connectors.Permanent, Code: "address", Err: err,
			Hint: say("客户没有可用的邮箱地址。", "The customer has no e-mail address that can be written to.")}
	}
	l.recipients = []string{to}
	var cc []string
	for i, a := range append(append([]string{}, out.Cc...), out.Bcc...) {
		address, err := mailbox(a)
		if err != nil {
			return nil, &connectors.SendError{Class: connectors.Permanent, Code: "address", Err: err,
				Hint: say("抄送地址无效："+plain(a), "Not an e-mail address: "+plain(a))}
		}
		l.recipients = append(l.recipients, address)
		if i < len(out.Cc) {
			cc = append(cc, address)
		}
	}
	l.text, l.html = bodies(out, signature(c.s.sign, out))
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

var sanitizer = bluemonday.UGCPolicy()

// signature is what stands below a person's reply.
func signature(pattern string, out desk.Outbound) string {
	if out.Automatic {
		return ""
	}
	return strings.TrimSpace(strings.ReplaceAll(strings.ReplaceAll(pattern, "\r\n", "\n"), "{agent}", plain(out.Author.Name)))
}

// bodies are the plain and the HTML form, each with the signature and what it answers below.
func bodies(out desk.Outbound, sign string) (text, page string) {
	text = strings.TrimRight(strings.ReplaceAll(out.Text, "\r\n", "\n"), "\n")
	if strings.TrimSpace(out.HTML) != "" {
		page = sanitizer.Sanitize(out.HTML)
		if text == "" {
			text = strings.TrimSpace(mail.HTMLText(out.HTML))
		}
	} else {
		page = "<div>" + lines(text) + "</div>"
	}
	if sign != "" {
		text += "\n\n-- \n" + sign
		page += "<br><div>-- <br>\n" + lines(sign) + "</div>"
	}
	if q := out.Quote; q != nil && strings.TrimSpace(q.Text) != "" {
		intro := introduction(text+q.Text, q)
		quoted := cut(strings.TrimSpace(q.Text), 20000)
		text += "\n\n" + intro + "\n> " + strings.ReplaceAll(quoted, "\n", "\n> ")
		page += "<br><div>" + html.EscapeString(intro) + "</div><blockquote type=\"cite\" style=\"margin:0 0 0 .8ex;border-left:1px solid #ccc;padding-left:1ex\">" + lines(quoted) + "</blockquote>"
	}
	return text + "\n", "<html><body>" + page + "</body></html>\n"
}

func lines(text string) string {
	return strings.ReplaceAll(html.EscapeString(text), "\n", "<br>\n")
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

var han = regexp.MustCompile(`\p{Han}`)

// introduction is the line above a quote, in the language of the conversation.
func introduction(all string, q *desk.Quote) string {
	at, who := q.At.Std(), plain(q.Author)
	if han.MatchString(all) {
		return fmt.Sprintf("在 %s，%s 写道：", at.Format("2006年1月2日 15:04 MST"), cmp.Or(who, "您"))
	}
	return fmt.Sprintf("On %s, %s wrote:", at.Format("2 Jan 2006 15:04 MST"), cmp.Or(who, "you"))
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
