package mail

import (
	"fmt"
	"path"
	"strings"
	"unicode"
)

// finish puts together what the walk found.
func (w *walker) finish() {
	m := w.mail
	m.Text, m.HTML = w.joinBodies()
	w.nameFiles()
	if m.Signed == "" && strings.Contains(m.Text, "-----BEGIN PGP SIGNED MESSAGE-----") {
		m.Signed = "pgp"
	}
	if m.Encrypted == "" && strings.Contains(m.Text, "-----BEGIN PGP MESSAGE-----") {
		m.Encrypted = "pgp"
	}
	w.split()
	w.classify()
}

// joinBodies makes one text and one HTML of all bodies. Where one has only a text and another only HTML, each is shown in the
// form of the other too: nothing a person wrote is missing from either.
func (w *walker) joinBodies() (text, html string) {
	anyHTML := false
	for _, b := range w.bodies {
		anyHTML = anyHTML || b.hasHTML
	}
	var allText, allHTML strings.Builder
	for _, b := range w.bodies {
		plain := b.text
		if b.hasHTML && (!b.hasText || strings.TrimSpace(plain) == "") {
			plain = HTMLText(b.html)
		}
		plain = cutText(plain, w.limits.Text)
		w.mail.Bodies = append(w.mail.Bodies, plain)
		appendBody(&allText, plain, w.limits.Text)
		switch {
		case allHTML.Len() > w.limits.Text || !anyHTML:
		case b.hasHTML:
			allHTML.WriteString(b.html)
		case strings.TrimSpace(b.text) != "":
			allHTML.WriteString("<pre style=\"white-space:pre-wrap\">" + escapeHTML(b.text) + "</pre>")
		}
	}
	text, html = allText.String(), allHTML.String()
	if len(text) > w.limits.Text || len(html) > w.limits.Text {
		w.fix.add(RepairText, "")
	}
	return cutText(text, w.limits.Text), cutText(html, w.limits.Text)
}

// appendBody adds a piece of text on a line of its own.
func appendBody(all *strings.Builder, plain string, limit int) {
	if all.Len() > limit {
		return
	}
	if all.Len() > 0 {
		if plain = strings.TrimLeft(plain, "\n"); plain == "" {
			return
		}
		if !strings.HasSuffix(all.String(), "\n") {
			all.WriteByte('\n')
		}
	}
	all.WriteString(plain)
}

// split parts the new words from what is quoted.
func (w *walker) split() {
	m := w.mail
	hasText := false
	for _, b := range w.bodies {
		hasText = hasText || b.hasText && strings.TrimSpace(b.text) != ""
	}
	if m.HTML != "" {
		parts := SplitHTML(m.HTML)
		m.ReplyHTML, m.QuotedHTML = parts.ReplyHTML, parts.QuotedHTML
		m.Reply, m.Signature, m.Quoted = parts.Reply, parts.Signature, parts.Quoted
	}
	if hasText {
		parts := Split(m.Text)
		m.Reply, m.Signature, m.Quoted = parts.Reply, parts.Signature, parts.Quoted
	}
	if m.Reply == "" && strings.TrimSpace(m.Text) != "" {
		// Forwarded without a word: what is forwarded is what the sender has to say.
		m.Reply, m.Signature, m.Quoted = trimBlank(m.Text), "", ""
		m.ReplyHTML, m.QuotedHTML = m.HTML, ""
	}
}

// nameFiles gives each attachment a name and decides which are shown in the text.
func (w *walker) nameFiles() {
	m := w.mail
	used := map[string]int{}
	for i, f := range w.files {
		if f.Name == "" {
			f.Name = w.inventName(f, i+1)
		}
		used[f.Name]++
		if n := used[f.Name]; n > 1 {
			ext := path.Ext(f.Name)
			f.Name = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(f.Name, ext), n, ext)
		}
		referenced := f.ContentID != "" && strings.Contains(m.HTML, "cid:"+f.ContentID)
		f.Inline = referenced || f.disposition == "inline" && strings.HasPrefix(f.Type, "image/")
		f.Size = int64(len(f.Data))
		m.Attachments = append(m.Attachments, f.Attachment)
	}
}

func (w *walker) inventName(f *fileRef, n int) string {
	switch f.Type {
	case "message/rfc822", "message/global":
		var ignored repairs
		header, _ := splitHeader(f.Data, w.limits, &ignored)
		if subject := fileName(strings.ReplaceAll(cutText(header.Get("Subject"), 80), "/", " "), ""); subject != "" {
			return subject + ".eml"
		}
		return "message.eml"
	case "message/delivery-status", "message/global-delivery-status":
		return "delivery-status.txt"
	case "text/calendar":
		return "invite.ics"
	}
	kind, _, _ := strings.Cut(f.Type, "/")
	if kind != "image" && kind != "audio" && kind != "video" {
		kind = "attachment"
	}
	return fmt.Sprintf("%s-%d%s", kind, n, extension(f.Type))
}

// extension of a media type. The table of the machine is not asked: names must not depend on where we run.
func extension(kind string) string {
	switch kind {
	case "image/jpeg", "image/jpg":
		return ".jpg"
	case "image/png", "image/gif", "image/bmp", "image/webp", "image/tiff", "application/pdf", "application/zip", "text/html", "audio/wav", "video/mp4":
		return "." + kind[strings.IndexByte(kind, '/')+1:]
	case "text/plain", "message/feedback-report", "text/rfc822-headers", "message/disposition-notification":
		return ".txt"
	case "audio/mpeg":
		return ".mp3"
	case "application/msword":
		return ".doc"
	case "application/pgp-signature":
		return ".asc"
	case "application/pkcs7-signature", "application/x-pkcs7-signature":
		return ".p7s"
	case "application/pkcs7-mime", "application/x-pkcs7-mime":
		return ".p7m"
	}
	return ".bin"
}

// fileName cleans the first name that is one: no path, no control characters, no direction marks that hide an extension.
func fileName(candidates ...string) string {
	for _, name := range candidates {
		if strings.Contains(name, "=?") {
			name = decodeWords(name)
		}
		name = strings.Map(func(r rune) rune {
			if unicode.IsControl(r) || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x200e || r == 0x200f {
				return -1
			}
			return r
		}, clean(name))
		if at := strings.LastIndexAny(name, `/\`); at >= 0 {
			name = name[at+1:]
		}
		name = strings.TrimSpace(name)
		if name = strings.TrimLeft(cutText(name, 200), "."); name != "" {
			return name
		}
	}
	return ""
}

func escapeHTML(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(s)
}
