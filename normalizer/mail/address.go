package mail

import (
	"strings"
)

// An Address is one mail address with the name written beside it.
type Address struct {
	Name    string
	Comment string // A name in parentheses, as old mailers write it: "bob@example.com (Bob)".
	Address string // As written, the domain in lower case; "" when only a name could be read.
}

// parseAddresses reads an address field as mailers write it: groups, comments for names, semicolons between addresses, missing
// commas, quotes that are never closed. The structure is read before encoded words are decoded, since those may hold commas.
func parseAddresses(s string, max int) (list []Address, cut bool) {
	r := addressReader{s: s, lastAngle: strings.LastIndexByte(s, '>'), lastAt: strings.LastIndexByte(s, '@'), lastSemicolon: strings.LastIndexByte(s, ';'), parens: true}
	for r.at < len(s) {
		if a, ok := parseAddress(cutText(r.next(), 4096)); ok {
			if len(list) >= max {
				return list, true
			}
			list = append(list, a)
		}
	}
	return list, false
}

// addressReader cuts a field into addresses. It knows where the last bracket and the like stand, so that a field of nothing
// but opening ones is read in one pass.
type addressReader struct {
	s                                string
	at                               int
	lastAngle, lastAt, lastSemicolon int
	parens                           bool // comments still close
}

// next cuts at the next comma or semicolon outside quotes, comments and angle brackets; a group's name is left out.
func (r *addressReader) next() string {
	start, angle := r.at, false
	for i := r.at; i < len(r.s); i++ {
		switch r.s[i] {
		case '\\':
			i++
		case '"':
			if end := closingQuote(r.s[i+1:]); end >= 0 && quoteEnds(r.s[i+1:i+1+end], angle) {
				i += end + 1
			}
		case '(':
			i += r.comment(i)
		case '<':
			angle = i < r.lastAngle
		case '>':
			angle = false
			if r.glued(i + 1) {
				return r.cut(start, i+1, i+1)
			}
		case ',', ';':
			if !angle {
				return r.cut(start, i, i+1)
			}
		case ':':
			if !angle && i-start < 200 && r.isGroup(start, i) {
				return r.cut(i, i, i+1)
			}
		}
	}
	return r.cut(start, len(r.s), len(r.s))
}

func (r *addressReader) cut(from, to, at int) string {
	r.at = at
	return r.s[from:to]
}

// comment returns the length of the comment that begins at i; 0 when it never ends.
func (r *addressReader) comment(i int) int {
	if !r.parens {
		return 0
	}
	end := closingParen(r.s[i:])
	r.parens = end > 0
	return max(0, end)
}

// glued: another address follows without a comma.
func (r *addressReader) glued(i int) bool {
	for i < len(r.s) && (r.s[i] == ' ' || r.s[i] == '\t') {
		i++
	}
	return i < r.lastAt && strings.IndexByte(",;(>", r.s[i]) < 0
}

// isGroup: "undisclosed-recipients:;" and "Team: a@b, c@d;". A colon in "mailto:a@b" is none.
func (r *addressReader) isGroup(start, colon int) bool {
	name := strings.ToLower(strings.TrimSpace(r.s[start:colon]))
	if name == "" || strings.ContainsAny(name, "@<") || name == "mailto" || name == "smtp" {
		return false
	}
	return colon < r.lastSemicolon || strings.TrimSpace(r.s[colon+1:]) == ""
}

// quoteEnds: a quoted name that runs over an address is a quote nobody closed.
func quoteEnds(quoted string, angle bool) bool {
	return angle || !strings.Contains(quoted, "<") || !strings.Contains(quoted, ">")
}

func closingParen(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// parseAddress reads one address without commas around it.
func parseAddress(item string) (Address, bool) {
	item = strings.TrimSpace(item)
	if item == "" {
		return Address{}, false
	}
	if open := angleOpen(item); open >= 0 {
		inner := item[open+1:]
		if end := strings.IndexByte(inner, '>'); end >= 0 {
			inner = inner[:end]
		}
		comment := commentOf(item)
		name := cleanName(item[:open])
		if comment != "" {
			name = cleanName(stripComments(item[:open]))
		}
		return Address{Name: name, Comment: comment, Address: cleanAddress(inner)}, inner != "" || name != ""
	}
	comment := commentOf(item)
	bare := strings.TrimSpace(stripComments(item))
	if !strings.Contains(bare, "@") {
		if !strings.ContainsAny(bare, " \t\"=") {
			return Address{Comment: comment, Address: bare}, bare != "" // a local part alone: postmaster
		}
		return Address{Name: cleanName(bare), Comment: comment}, bare != ""
	}
	if fields := strings.Fields(bare); len(fields) > 1 && bare[0] != '"' && comment == "" {
		// "Name user@example.com" without brackets
		for i, f := range fields {
			if strings.Contains(f, "@") && (i == len(fields)-1 || i == 0) && !strings.HasPrefix(f, "@") && !strings.HasSuffix(f, "@") {
				name := strings.Join(append(append([]string(nil), fields[:i]...), fields[i+1:]...), " ")
				return Address{Name: cleanName(name), Address: cleanAddress(f)}, true
			}
		}
	}
	return Address{Comment: comment, Address: cleanAddress(bare)}, true
}

// angleOpen finds the bracket of the address: the last one that stands in no quotes.
func angleOpen(s string) int {
	open := -1
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			if end := closingQuote(s[i+1:]); end >= 0 {
				i += end + 1
			}
		case '(':
			if end := closingParen(s[i:]); end > 0 {
				i += end
			}
		case '<':
			open = i
		}
	}
	return open
}

func commentOf(s string) string {
	open := strings.IndexByte(s, '(')
	if open < 0 {
		return ""
	}
	end := closingParen(s[open:])
	if end < 0 {
		return ""
	}
	return cleanName(s[open+1 : open+end])
}

// cleanName decodes a display name: quotes off, encoded words read, white space single.
func cleanName(s string) string {
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, `"`) && strings.Count(s, `"`)%2 == 1 && closingQuote(s[1:]) < 0 {
		s = s[1:]
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			if i+1 < len(s) {
				i++
			}
			out.WriteByte(s[i])
		case '"':
		default:
			out.WriteByte(s[i])
		}
	}
	return strings.Join(strings.Fields(decodeWords(out.String())), " ")
}

// cleanAddress takes off what does not belong to an address: source routes (RFC 5322, 4.4), white space, "mailto:".
func cleanAddress(s string) string {
	s = strings.TrimSpace(stripComments(s))
	if strings.HasPrefix(s, "@") {
		if at := strings.IndexByte(s, ':'); at > 0 {
			s = s[at+1:]
		}
	}
	if strings.HasPrefix(strings.ToLower(s), "mailto:") {
		s = s[7:]
	}
	s = strings.Trim(s, "<> \t'")
	if strings.Contains(s, "=?") {
		s = decodeWords(s)
	}
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return strings.Join(strings.Fields(s), " ")
	}
	local, domain := strings.TrimSpace(s[:at]), strings.Join(strings.Fields(s[at+1:]), "")
	if !strings.HasPrefix(local, `"`) {
		local = strings.Join(strings.Fields(local), "")
	}
	return local + "@" + strings.ToLower(domain)
}
