package mail

import (
	"bufio"
	"bytes"
	"iter"
	"strings"

	"github.com/emersion/go-message/textproto"
)

// A Header is the header of a mail or part: fields in their order, unfolded, as bytes somebody sent.
type Header struct {
	fields []field
	hint   string // the charset of the body, for 8-bit fields
}

type field struct {
	name  string // as written
	key   string // lower case
	value string // unfolded, not decoded, maybe 8-bit
}

// Get returns the first field of that name, decoded; "" when there is none.
func (h *Header) Get(name string) string {
	raw, ok := h.raw(name)
	if !ok {
		return ""
	}
	return decodeWords(h.utf8(cutText(raw, maxDecoded)))
}

// Values returns all fields of that name, decoded.
func (h *Header) Values(name string) []string {
	var values []string
	key := strings.ToLower(name)
	for _, f := range h.fields {
		if f.key == key {
			values = append(values, decodeWords(h.utf8(cutText(f.value, maxDecoded))))
		}
	}
	return values
}

// All yields every field in its order: the name in lower case and the value, decoded.
func (h *Header) All() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, f := range h.fields {
			if !yield(f.key, decodeWords(h.utf8(cutText(f.value, maxDecoded)))) {
				return
			}
		}
	}
}

// Has reports whether there is a field of that name.
func (h *Header) Has(name string) bool {
	_, ok := h.raw(name)
	return ok
}

func (h *Header) raw(name string) (string, bool) {
	key := strings.ToLower(name)
	for _, f := range h.fields {
		if f.key == key {
			return f.value, true
		}
	}
	return "", false
}

// utf8 reads a field value that may hold undeclared 8-bit text.
func (h *Header) utf8(value string) string {
	if !hasHighBit([]byte(value)) {
		return value
	}
	text, _ := sniff([]byte(escapeWords(value)), h.hint)
	return text
}

// splitHeader parts a header from what follows it. go-message reads it first; where it refuses, the tolerant reader does.
func splitHeader(b []byte, limits Limits, fix *repairs) (Header, []byte) {
	head, body, found := cutHeader(b)
	if found && len(head) <= limits.Header {
		if h, ok := strictHeader(head, limits); ok {
			return h, body
		}
	}
	return lenientHeader(b, limits, fix)
}

// cutHeader finds the empty line.
func cutHeader(b []byte) (head, body []byte, found bool) {
	if bytes.HasPrefix(b, []byte("\n")) {
		return nil, b[1:], true
	}
	if bytes.HasPrefix(b, []byte("\r\n")) {
		return nil, b[2:], true
	}
	lf := bytes.Index(b, []byte("\n\n"))
	crlf := bytes.Index(b, []byte("\n\r\n"))
	switch {
	case crlf >= 0 && (lf < 0 || crlf < lf):
		return b[:crlf+1], b[crlf+3:], true
	case lf >= 0:
		return b[:lf+1], b[lf+2:], true
	}
	return b, nil, false
}

func strictHeader(head []byte, limits Limits) (Header, bool) {
	var h Header
	if len(head) == 0 {
		return h, true
	}
	read, err := textproto.ReadHeader(bufio.NewReader(bytes.NewReader(append(head[:len(head):len(head)], '\r', '\n'))))
	if err != nil || read.Len() > limits.Fields {
		return h, false
	}
	for fields := read.Fields(); fields.Next(); {
		raw, err := fields.Raw()
		if err != nil {
			return h, false
		}
		h.add(raw)
	}
	return h, true
}

// add takes one field as written, folds included.
func (h *Header) add(raw []byte) {
	at := bytes.IndexByte(raw, ':')
	if at < 0 {
		return
	}
	name := strings.TrimRight(string(raw[:at]), " \t")
	h.fields = append(h.fields, field{name: name, key: strings.ToLower(name), value: unfold(raw[at+1:])})
}

// unfold joins the lines of a field: the line end goes, the white space after it stays (RFC 5322, 2.2.3).
func unfold(b []byte) string {
	b = bytes.TrimSpace(b)
	if bytes.IndexByte(b, '\n') < 0 && bytes.IndexByte(b, 0) < 0 {
		return string(b)
	}
	out := make([]byte, 0, len(b))
	for _, c := range b {
		if c != '\r' && c != '\n' && c != 0 {
			out = append(out, c)
		}
	}
	return string(out)
}

// lenientHeader reads a header line by line and skips what is none.
func lenientHeader(b []byte, limits Limits, fix *repairs) (Header, []byte) {
	var h Header
	var open []byte // the field being read
	flush := func() {
		if open != nil {
			h.add(open)
		}
		open = nil
	}
	total := 0
	for len(b) > 0 {
		line, rest := nextLine(b)
		text := bytes.TrimRight(line, "\r\n")
		if len(text) == 0 {
			flush()
			return h, rest
		}
		total += len(line)
		switch {
		case total > limits.Header || len(h.fields) >= limits.Fields:
			fix.add(RepairHeaderCut, "")
			open = nil
		case (text[0] == ' ' || text[0] == '\t') && len(bytes.TrimSpace(text)) == 0 && !headerGoesOn(rest):
			flush()
			fix.add(RepairSeparator, "")
			return h, rest
		case (text[0] == ' ' || text[0] == '\t') && open != nil:
			open = append(open, line...)
		case isFieldLine(text):
			flush()
			open = append([]byte(nil), line...)
		case headerGoesOn(rest) || looksLikeField(text) && len(h.fields) > 0:
			fix.add(RepairHeaderLine, "")
		default:
			flush()
			fix.add(RepairSeparator, "")
			return h, b
		}
		b = rest
	}
	flush()
	return h, nil
}

func nextLine(b []byte) (line, rest []byte) {
	if at := bytes.IndexByte(b, '\n'); at >= 0 {
		return b[:at+1], b[at+1:]
	}
	return b, nil
}

// isFieldLine: a name of printable ASCII, then a colon. Names with spaces inside ("Bad Header: x") are no fields.
func isFieldLine(line []byte) bool {
	at := bytes.IndexByte(line, ':')
	if at <= 0 || at > 200 {
		return false
	}
	for _, c := range bytes.TrimRight(line[:at], " \t") {
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}

// looksLikeField: a colon after one word, 8-bit letters in it.
func looksLikeField(line []byte) bool {
	at := bytes.IndexByte(line, ':')
	return at > 0 && at < 60 && !bytes.ContainsAny(bytes.TrimRight(line[:at], " \t"), " \t") && hasHighBit(line[:at])
}

// headerGoesOn looks ahead: does a field come before the next empty line, within a few lines?
func headerGoesOn(b []byte) bool {
	for range 12 {
		line, rest := nextLine(b)
		text := bytes.TrimRight(line, "\r\n")
		if len(text) == 0 {
			return false
		}
		if isFieldLine(text) && knownField(text) {
			return true
		}
		b = rest
	}
	return false
}

// knownField keeps a text that happens to hold a colon from being taken for a header.
func knownField(line []byte) bool {
	name := strings.ToLower(strings.TrimRight(string(line[:bytes.IndexByte(line, ':')]), " \t"))
	switch name {
	case "from", "to", "cc", "bcc", "subject", "date", "sender", "reply-to", "message-id", "in-reply-to", "references", "return-path",
		"received", "mime-version", "delivered-to", "errors-to", "precedence", "auto-submitted", "importance", "user-agent", "organization":
		return true
	}
	return strings.HasPrefix(name, "x-") || strings.HasPrefix(name, "content-") || strings.HasPrefix(name, "list-") ||
		strings.HasPrefix(name, "arc-") || strings.HasPrefix(name, "dkim-") || strings.HasPrefix(name, "resent-") || strings.HasPrefix(name, "thread-")
}
