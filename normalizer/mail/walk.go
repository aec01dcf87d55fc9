package mail

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

// A walker reads one mail. It goes through the MIME tree once.
type walker struct {
	limits Limits
	fix    *repairs
	mail   *Mail
	parts  int

	bodies  []body     // what will be the text, in order
	reports []report   // machine-readable parts, for bounces
	inner   *Header    // header of the first mail inside this one
	innerID string     // its Message-ID, when only text shows it
	texts   []string   // undeclared or secondary texts a bounce may hide in
	files   []*fileRef // attachments before naming
}

// body is one piece of what a person reads: plain, HTML, or the same in both.
type body struct {
	text, html       string
	hasText, hasHTML bool
}

// report is one part of a multipart/report.
type report struct {
	kind string // media type
	data []byte
}

type fileRef struct {
	Attachment
	disposition string
}

// context is what a part inherits from the containers around it.
type context struct {
	depth       int
	alternative bool // inside multipart/alternative
	digest      bool // inside multipart/digest: parts are mails unless they say otherwise
	root        bool
	inReport    bool
}

func (w *walker) root(h *Header, b []byte) {
	w.entity(h, b, context{root: true})
}

// entity reads a part whose header was read.
func (w *walker) entity(h *Header, b []byte, c context) {
	w.parts++
	if w.parts > w.limits.Parts {
		w.fix.add(RepairParts, "")
		return
	}
	raw, declared := h.raw("Content-Type")
	media := parseMedia(h, raw)
	if !declared || !strings.Contains(media.value, "/") {
		media.value = defaultType(media.value, c)
	}
	if media.major() == "multipart" {
		if w.container(h, media, b, c) {
			return
		}
		media.value = "text/plain"
	}
	w.leaf(h, media, b, c)
}

func defaultType(value string, c context) string {
	switch {
	case value == "html":
		return "text/html"
	case c.digest:
		return "message/rfc822"
	}
	return "text/plain"
}

// container reads a multipart; false when it turns out to be none.
func (w *walker) container(h *Header, media mediaValue, b []byte, c context) bool {
	if c.depth >= w.limits.Depth {
		w.fix.add(RepairDepth, "")
		w.leaf(h, media, b, c) // kept as a file: harmless, and not lost
		return true
	}
	if enc, ok := h.raw("Content-Transfer-Encoding"); ok {
		if e := lower(strings.TrimSpace(enc)); e == "base64" && !strings.Contains(string(b[:min(len(b), 4096)]), "\n--") {
			b = decodeTransfer(b, e, w.fix)
		}
	}
	parts, closed, found := splitParts(b, media.params["boundary"], w.limits.Parts+1)
	if media.params["boundary"] == "" || !found {
		guess := findBoundary(b)
		if guess == "" {
			if c.root || media.params["boundary"] == "" {
				w.fix.add(RepairBoundary, "")
			}
			return false
		}
		parts, closed, _ = splitParts(b, guess, w.limits.Parts+1)
		w.fix.add(RepairBoundary, "")
	}
	if !closed {
		w.fix.add(RepairBoundary, "")
	}
	w.noteSecurity(media)
	inner := context{depth: c.depth + 1, alternative: c.alternative || media.value == "multipart/alternative", digest: media.value == "multipart/digest", inReport: c.inReport || media.value == "multipart/report"}
	before := len(w.bodies)
	for _, part := range parts {
		if w.parts > w.limits.Parts {
			w.fix.add(RepairParts, "")
			break
		}
		header, rest := w.partHeader(part)
		w.entity(&header, rest, inner)
	}
	if media.value == "multipart/alternative" {
		w.mergeAlternatives(before)
	}
	return true
}

// partHeader parts a part's header from its body. A part that begins with text at once has no header.
func (w *walker) partHeader(part []byte) (Header, []byte) {
	line, _ := nextLine(part)
	if text := strings.TrimSpace(string(line)); text != "" && !isFieldLine(line) {
		return Header{hint: w.mail.Header.hint}, part
	}
	header, rest := splitHeader(part, w.limits, w.fix)
	header.hint = w.mail.Header.hint
	return header, rest
}

// mergeAlternatives makes one body of what an alternative offered: its texts and its HTML say the same.
func (w *walker) mergeAlternatives(from int) {
	if len(w.bodies)-from < 2 {
		return
	}
	var one body
	for _, b := range w.bodies[from:] {
		if b.hasText && strings.TrimSpace(b.text) != strings.TrimSpace(one.text) {
			one.text = joinTexts(one.text, b.text)
			one.hasText = true
		}
		if b.hasHTML {
			one.html += b.html
			one.hasHTML = true
		}
		one.hasText = one.hasText || b.hasText
	}
	w.bodies = append(w.bodies[:from], one)
}

func joinTexts(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return strings.TrimRight(a, "\n") + "\n" + b
}

// leaf reads a part that holds data.
func (w *walker) leaf(h *Header, media mediaValue, b []byte, c context) {
	encoding, _ := h.raw("Content-Transfer-Encoding")
	data := decodeTransfer(b, encoding, w.fix)
	rawDisposition, _ := h.raw("Content-Disposition")
	disposition := parseMedia(h, rawDisposition)
	name := fileName(disposition.params["filename"], media.params["name"])
	digest := sum(data)
	isBody := w.isBody(media, disposition.value, name, c)
	w.mail.Parts = append(w.mail.Parts, Part{Type: media.value, Disposition: disposition.value, Name: name, Size: len(data), Digest: digest, Body: isBody})
	switch {
	case isBody:
		w.addBody(media, data, h)
		return
	case media.value == "message/rfc822" || media.value == "message/global":
		w.noteInner(data)
	case isReport(media.value):
		w.reports = append(w.reports, report{kind: media.value, data: data})
		if strings.HasSuffix(media.value, "rfc822-headers") {
			w.noteInner(data)
		}
	case media.value == "text/calendar" || media.value == "application/ics":
		w.noteCalendar(data, media.params["charset"])
	case isTNEF(media.value, name):
		if w.unpackTNEF(data, c) {
			return
		}
	}
	w.noteSecurity(media)
	if c.alternative && media.major() == "text" && media.value != "text/calendar" && name == "" {
		return // a form of the text we do not show, e.g. text/x-amp-html
	}
	id := strings.Trim(strings.TrimSpace(h.Get("Content-ID")), "<>")
	w.files = append(w.files, &fileRef{Attachment: Attachment{Name: name, Type: media.value, ContentID: id, Data: data, Digest: digest}, disposition: disposition.value})
}

func isReport(kind string) bool {
	switch kind {
	case "message/delivery-status", "message/global-delivery-status", "message/disposition-notification", "message/feedback-report", "text/rfc822-headers", "message/rfc822-headers", "message/global-headers":
		return true
	}
	return false
}

// isBody tells text from attachments.
func (w *walker) isBody(media mediaValue, disposition, name string, c context) bool {
	switch media.value {
	case "text/plain", "text/html", "text/enriched", "text/richtext", "text/xhtml", "text/markdown", "text", "text/text":
	default:
		return c.root && media.major() == "text" && media.value != "text/calendar" && disposition != "attachment" && name == ""
	}
	if disposition == "attachment" {
		return false
	}
	return name == "" || c.root || c.alternative && len(w.bodies) == 0
}

func (w *walker) addBody(media mediaValue, data []byte, h *Header) {
	if len(data) > w.limits.Text {
		data = data[:w.limits.Text]
		w.fix.add(RepairText, "")
	}
	isHTML := media.value == "text/html" || media.value == "text/xhtml"
	label := media.params["charset"]
	if label == "" && isHTML {
		label = metaCharset(data)
	}
	if label == "" {
		label = h.hint
	}
	text, used := decodeCharset(data, label)
	if used != "" {
		w.fix.add(RepairCharset, used)
	}
	text = clean(text)
	if media.value == "text/enriched" || media.value == "text/richtext" {
		text = enrichedToText(text)
	}
	if isHTML {
		w.bodies = append(w.bodies, body{html: text, hasHTML: true})
		return
	}
	w.bodies = append(w.bodies, body{text: text, hasText: true})
}

// empty: nothing was found in the mail.
func (w *walker) empty() bool {
	if len(w.files) > 0 {
		return false
	}
	for _, b := range w.bodies {
		if strings.TrimSpace(b.text) != "" || strings.TrimSpace(b.html) != "" {
			return false
		}
	}
	return true
}

// noteInner remembers the header of a mail inside the mail: in a bounce it is the one that bounced.
func (w *walker) noteInner(data []byte) {
	if w.inner != nil {
		return
	}
	var ignored repairs
	header, _ := splitHeader(mendLineEnds(data, &ignored), w.limits, &ignored)
	if len(header.fields) > 0 {
		w.inner = &header
	}
}

// noteSecurity sets the badges. PGP inside the text is found when the text is known.
func (w *walker) noteSecurity(media mediaValue) {
	protocol := lower(media.params["protocol"])
	switch {
	case media.value == "multipart/signed" && strings.Contains(protocol, "pgp"), media.value == "application/pgp-signature":
		w.mail.Signed = "pgp"
	case media.value == "multipart/signed" && strings.Contains(protocol, "pkcs7"), strings.HasSuffix(media.value, "pkcs7-signature"):
		w.mail.Signed = "smime"
	case media.value == "multipart/encrypted", media.value == "application/pgp-encrypted":
		w.mail.Encrypted = "pgp"
	case strings.HasSuffix(media.value, "pkcs7-mime"):
		if strings.Contains(lower(media.params["smime-type"]), "signed") {
			w.mail.Signed = "smime"
		} else {
			w.mail.Encrypted = "smime"
		}
	}
}

func sum(data []byte) string {
	digest := sha256.Sum256(data)
	return hex.EncodeToString(digest[:])
}

// cutText shortens s to max bytes without cutting a character.
func cutText(s string, max int) string {
	if len(s) <= max {
		return s
	}
	for max > 0 && !utf8.RuneStart(s[max]) {
		max--
	}
	return s[:max]
}
