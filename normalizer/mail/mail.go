package mail

import (
	"bytes"
	"time"

	"hearback/desk"
)

// A Mail is one e-mail, read.
type Mail struct {
	Header     Header
	MessageID  string // Without brackets; "" when there is none.
	InReplyTo  []string
	References []string // Oldest first.
	From       []Address
	Sender     []Address
	ReplyTo    []Address
	To, Cc     []Address
	Subject    string
	Date       time.Time // Zero when missing or unreadable.

	Text   string   // The readable text as sent, or made from HTML; line ends are \n.
	Bodies []string // The pieces Text is made of: one per text part, alternatives counted once.
	HTML   string   // The HTML as sent, not sanitized; "" when there was none.

	Reply      string // What the sender wrote this time; the whole text when nothing was added to what is quoted.
	Signature  string
	Quoted     string // History quoted below or above.
	ReplyHTML  string // The HTML without quoted history; "" when there is no HTML.
	QuotedHTML string

	Attachments []Attachment
	Parts       []Part // Every leaf in its order, for those who look at the structure.
	Calendar    *Event // The first calendar invitation.
	Signed      string // "smime" or "pgp" when the mail is signed so; not verified.
	Encrypted   string // "smime" or "pgp" likewise.

	Class  desk.Class // auto-reply, bounce, list, loop or normal; never "".
	Why    string     // What the class was told by, for the log.
	Kind   Kind       // Finer than Class.
	Bounce *Bounce    // What a delivery report says.

	Repairs []Repair
}

// An Attachment is a file that came with a mail.
type Attachment struct {
	Name      string // Never "", without a path; made from the type when the mail gives none.
	Type      string // Media type as declared.
	ContentID string // Without brackets.
	Inline    bool   // Shown in the text: a picture the HTML points to, or one the mailer put between paragraphs.
	Data      []byte // Decoded. Shares memory with what was parsed when nothing had to be decoded.
	Digest    string // SHA-256 of Data, hex.
	Aside     string // What ParseStream's put called it; Data is then at most its beginning.
	Size      int64  // Bytes of the whole file.
}

// A Part is a leaf of the MIME tree.
type Part struct {
	Type        string
	Disposition string
	Name        string
	Size        int
	Digest      string // SHA-256 of the decoded bytes, hex.
	Body        bool   // Part of the text or HTML, not an attachment.
}

// Parse reads a mail. It accepts any bytes; see the package's doc for what it promises.
func Parse(raw []byte, limits Limits) (m *Mail) {
	limits = limits.withDefaults()
	defer func() {
		if recover() != nil {
			m = rawMail(raw, limits)
		}
	}()
	var fix repairs
	raw = mendLineEnds(raw, &fix)
	w := &walker{limits: limits, fix: &fix, mail: &Mail{}}
	header, body := splitHeader(raw, limits, &fix)
	if len(header.fields) == 0 {
		fix.add(RepairNoHeader, "")
	}
	header.hint = charsetHint(&header)
	w.mail.Header = header
	w.readEnvelope(&header)
	w.root(&header, body)
	if w.empty() && len(bytes.TrimSpace(body)) > 0 {
		w.secondReader(raw, body)
	}
	w.finish()
	w.mail.Repairs = fix.list
	return w.mail
}

// mendLineEnds removes what stands before the header and turns bare CRs, as old Macs wrote them, into line ends.
func mendLineEnds(raw []byte, fix *repairs) []byte {
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	if bytes.IndexByte(raw, '\n') < 0 && bytes.IndexByte(raw, '\r') >= 0 {
		raw = bytes.ReplaceAll(raw, []byte("\r"), []byte("\n"))
		fix.add(RepairLineEnds, "")
	}
	for lines := 0; lines < 10; lines++ {
		line, rest := nextLine(raw)
		text := bytes.TrimSpace(line)
		mbox := bytes.HasPrefix(line, []byte("From ")) || bytes.HasPrefix(line, []byte(">From "))
		if len(line) == 0 || len(text) > 0 && !mbox || len(rest) == 0 {
			break
		}
		if mbox {
			fix.add(RepairMbox, "")
		}
		raw = rest
	}
	return raw
}

// charsetHint names a charset for 8-bit header fields: that of the body.
func charsetHint(h *Header) string {
	raw, _ := h.raw("Content-Type")
	if raw == "" || hasHighBit([]byte(raw)) {
		return ""
	}
	return parseMedia(h, raw).params["charset"]
}

// readEnvelope takes the fields people see.
func (w *walker) readEnvelope(h *Header) {
	m := w.mail
	m.Subject = clean(h.Get("Subject"))
	m.From = w.addresses(h, "From")
	m.Sender = w.addresses(h, "Sender")
	m.ReplyTo = w.addresses(h, "Reply-To")
	m.To = w.addresses(h, "To")
	m.Cc = w.addresses(h, "Cc")
	if ids := messageIDs(h.Get("Message-ID"), 1); len(ids) > 0 {
		m.MessageID = ids[0]
	}
	m.InReplyTo = messageIDs(h.Get("In-Reply-To"), 20)
	m.References = messageIDs(h.Get("References"), w.limits.References)
	if raw, ok := h.raw("Date"); ok {
		if m.Date, ok = parseDate(h.utf8(raw)); !ok {
			w.fix.add(RepairDate, h.utf8(raw))
		}
	}
	for _, name := range []string{"Subject", "From", "To"} {
		if raw, _ := h.raw(name); hasHighBit([]byte(raw)) {
			if _, used := sniff([]byte(raw), h.hint); used != "utf-8" {
				w.fix.add(RepairHeader8bit, used)
			}
		}
	}
}

func (w *walker) addresses(h *Header, name string) []Address {
	var all []Address
	key := lower(name)
	for _, f := range h.fields {
		if f.key != key || len(all) >= w.limits.Addresses {
			continue
		}
		list, cut := parseAddresses(h.utf8(f.value), w.limits.Addresses-len(all))
		if cut {
			w.fix.add(RepairAddresses, name)
		}
		all = append(all, list...)
		if name == "From" && len(all) > 0 {
			break // a second From is a forgery or a mistake
		}
	}
	return all
}
