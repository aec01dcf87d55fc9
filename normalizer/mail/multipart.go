package mail

import "bytes"

// splitParts cuts the body of a container at its boundary. closed is false when the last delimiter is missing, found when
// there was none at all. At most max parts are returned.
func splitParts(body []byte, boundary string, max int) (parts [][]byte, closed, found bool) {
	delimiter := []byte("--" + boundary)
	start := -1
	for at := 0; at < len(body) && len(parts) < max; {
		next := at
		if i := bytes.IndexByte(body[at:], '\n'); i >= 0 {
			next = at + i + 1
		} else {
			next = len(body)
		}
		if line := body[at:next]; line[0] == '-' && bytes.HasPrefix(line, delimiter) {
			if end, ok := delimiterEnd(line[len(delimiter):]); ok {
				if start >= 0 {
					parts = append(parts, trimLineEnd(body[start:at]))
				}
				found, start = true, next
				if end {
					return parts, true, true
				}
			}
		}
		at = next
	}
	if start >= 0 && start <= len(body) && len(parts) < max {
		parts = append(parts, body[start:])
	}
	return parts, false, found
}

// delimiterEnd judges what follows "--boundary" on its line.
func delimiterEnd(rest []byte) (end, ok bool) {
	rest = bytes.TrimRight(rest, " \t\r\n")
	if bytes.HasPrefix(rest, []byte("--")) {
		return true, len(bytes.Trim(rest, "-")) == 0
	}
	return false, len(rest) == 0
}

// trimLineEnd takes off the line end before a delimiter: it belongs to the delimiter (RFC 2046, 5.1.1).
func trimLineEnd(b []byte) []byte {
	b = bytes.TrimSuffix(b, []byte("\n"))
	return bytes.TrimSuffix(b, []byte("\r"))
}

// findBoundary looks for the boundary nobody announced: a line that begins with two dashes and is followed by a field or, at
// the latest, an empty line.
func findBoundary(body []byte) string {
	for n := 0; len(body) > 0 && n < 200; n++ {
		var line []byte
		line, body = nextLine(body)
		text := bytes.TrimRight(line, " \t\r\n")
		if len(text) < 6 || len(text) > 200 || !bytes.HasPrefix(text, []byte("--")) || bytes.ContainsAny(text, " \t") {
			continue
		}
		following, _ := nextLine(body)
		if lower := bytes.ToLower(following); bytes.HasPrefix(lower, []byte("content-")) {
			return string(text[2:])
		}
	}
	return ""
}
