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
	for s != "" {
		var item string
		item, s = cutAddress(s)
		if a, ok := parseAddress(item); ok {
			if len(list) >= max {
				return list, true
			}
			list = append(list, a)
		}
	}
	return list, false
}

// cutAddress cuts at the next comma or semicolon outside quotes, comments and angle brackets; a group's name is left out.
func cutAddress(s string) (item, rest string) {
	angle := false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			if end := closingQuote(s[i+1:]); end >= 0 && quoteEnds(s[i+1:i+1+end], angle) {
				i += end + 1
			}
		case '(':
			if end := closingParen(s[i:]); end > 0 {
				i += end
			}
		case '<':
			angle = strings.IndexByte(s[i:], '>') > 0
		case '>':
			angle = false
			if next := strings.TrimLeft(s[i+1:], " \t"); next != "" && next[0] != ',' && next[0] != ';' && next[0] != '(' && next[0] != '>' && strings.Contains(next, "@") {
				return s[:i+1], s[i+1:] // no comma between two addresses
			}
		case ',', ';':
			if !angle {
				return s[:i], s[i+1:]
			}
		case ':':
			if !angle && isGroupName(s[:i], s[i+1:]) {
				return "", s[i+1:]
			}
		}
	}
	return s, ""
}

// quoteEnds: a quoted name that runs over an address is a quote nobody closed.
func quoteEnds(quoted string, angle bool) bool {
	return angle || !strings.Contains(quoted, "<") || !strings.Contains(quoted, ">")
}

// isGroupName: "undisclosed-recipients:;" and "Team: a@b, c@d;". A colon in "mailto:a@b" is none.
func isGroupName(before, after string) bool {
	before = strings.ToLower(strings.TrimSpace(before))
	return before != "" && !strings.ContainsAny(before, "@<") && before != "mailto" && before != "smtp" && (strings.Contains(after, ";") || strings.TrimSpace(after) == "")
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
