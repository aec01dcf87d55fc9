package wechat

import "strings"

// say is a sentence in both languages, for texts that exist once for all readers.
func say(zh, en string) string { return zh + " / " + en }

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// oneLine makes a foreign text safe to show: one line, no more than 200 bytes.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " ")
	if len(s) > 200 {
		s = strings.ToValidUTF8(s[:200], "")
	}
	return s
}

// lines joins what is not empty.
func lines(parts ...string) string {
	var out []string
	for _, p := range parts {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, "\n")
}

// tag is a foreign word within a sentence of ours.
func tag(s string) string { return clean(oneLine(s)) }
