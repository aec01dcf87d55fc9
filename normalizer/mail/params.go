package mail

import (
	"sort"
	"strconv"
	"strings"
)

// A mediaValue is a field like Content-Type: a value and its parameters, names in lower case, values decoded.
type mediaValue struct {
	value  string // lower case, e.g. "text/plain"
	params map[string]string
}

func (m mediaValue) major() string {
	major, _, _ := strings.Cut(m.value, "/")
	return major
}

// parseMedia reads Content-Type and Content-Disposition as mailers write them: RFC 2231 parameters and continuations, encoded
// words in quotes, raw 8-bit names, missing quotes, missing semicolons.
func parseMedia(h *Header, raw string) mediaValue {
	raw = h.utf8(stripComments(cutText(raw, 16<<10)))
	value, rest := cutUnquoted(raw, ';')
	m := mediaValue{value: strings.ToLower(strings.Join(strings.Fields(value), ""))}
	if at := strings.IndexByte(m.value, '='); at >= 0 {
		rest, m.value = raw, "" // only parameters
	}
	m.value = strings.Trim(m.value, "\"',:")
	plain := map[string]string{}
	for rest != "" {
		var item string
		item, rest = cutUnquoted(rest, ';')
		name, text, ok := strings.Cut(item, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if !ok || name == "" {
			continue
		}
		if _, dup := plain[name]; !dup {
			plain[name] = unquote(strings.TrimSpace(text))
		}
	}
	m.params = joinParams(plain)
	return m
}

// cutUnquoted cuts at the first separator that stands in no quotes. A quote that is never closed quotes nothing.
func cutUnquoted(s string, sep byte) (before, after string) {
	open := true
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			if !open {
				continue
			}
			end := closingQuote(s[i+1:])
			if open = end >= 0; open {
				i += end + 1
			}
		case sep:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

func closingQuote(s string) int {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

// unquote takes quotes off. QUIRK: a backslash before anything but a quote or backslash is a Windows path, not an escape.
func unquote(s string) string {
	if len(s) >= 1 && s[0] == '"' {
		s = s[1:]
		if end := closingQuote(s); end >= 0 {
			s = s[:end]
		}
		s = strings.ReplaceAll(s, `\"`, `"`)
		return strings.ReplaceAll(s, `\\`, `\`)
	}
	return strings.Trim(s, "'")
}

func stripComments(s string) string {
	if !strings.Contains(s, "(") {
		return s
	}
	var out strings.Builder
	depth, quoted, last := 0, false, strings.LastIndexByte(s, ')')
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\' && i+1 < len(s) && (quoted || depth > 0):
			if depth == 0 {
				out.WriteByte(c)
				out.WriteByte(s[i+1])
			}
			i++
			continue
		case c == '"' && depth == 0:
			quoted = !quoted
		case c == '(' && !quoted && (depth > 0 || i < last):
			depth++
			continue
		case c == ')' && depth > 0:
			depth--
			continue
		}
		if depth == 0 {
			out.WriteByte(c)
		}
	}
	return out.String()
}

// joinParams decodes values and puts continued ones together (RFC 2231: name*0*, name*1, ...).
func joinParams(plain map[string]string) map[string]string {
	out := make(map[string]string, len(plain))
	pieces := map[string][]string{}
	for name, value := range plain {
		base, _, continued := strings.Cut(name, "*")
		if continued {
			pieces[base] = append(pieces[base], name)
			continue
		}
		out[name] = strings.TrimSpace(decodeWords(value))
	}
	for base, names := range pieces {
		sort.Slice(names, func(i, j int) bool { return pieceNumber(names[i]) < pieceNumber(names[j]) })
		out[base] = joinPieces(names, plain)
	}
	return out
}

// pieceNumber of name*12* is 12; of name* it is 0.
func pieceNumber(name string) int {
	_, number, _ := strings.Cut(name, "*")
	n, err := strconv.Atoi(strings.TrimSuffix(number, "*"))
	if err != nil {
		return 0
	}
	return n
}

func joinPieces(names []string, plain map[string]string) string {
	charset := ""
	var bytes []byte
	for i, name := range names {
		value := plain[name]
		if !strings.HasSuffix(name, "*") {
			bytes = append(bytes, decodeWords(value)...)
			continue
		}
		if i == 0 {
			if parts := strings.SplitN(value, "'", 3); len(parts) == 3 {
				charset, value = parts[0], parts[2]
			}
		}
		bytes = append(bytes, unpercent(value)...)
	}
	text, _ := decodeCharset(bytes, charset)
	return text
}

func unpercent(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]) {
			out = append(out, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
			continue
		}
		out = append(out, s[i])
	}
	return out
}
