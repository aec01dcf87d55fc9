package mail

import (
	netmail "net/mail"
	"regexp"
	"strings"
	"time"
)

// messageIDs finds the ids in a field. QUIRK: Outlook folds long ids, so white space inside the brackets goes; some mailers
// leave the brackets out.
func messageIDs(s string, max int) []string {
	var ids []string
	rest := s
	for len(ids) < max {
		open := strings.IndexByte(rest, '<')
		if open < 0 {
			break
		}
		end := strings.IndexByte(rest[open:], '>')
		if end < 0 {
			break
		}
		if id := strings.Join(strings.Fields(rest[open+1:open+end]), ""); id != "" {
			ids = append(ids, id)
		}
		rest = rest[open+end+1:]
	}
	if len(ids) == 0 {
		for _, word := range strings.Fields(s) {
			if word = strings.Trim(word, "<>,;\""); len(ids) < max && strings.Contains(word, "@") && len(word) > 2 {
				ids = append(ids, word)
			}
		}
	}
	if trimmed := strings.Trim(strings.TrimSpace(s), "<>"); len(ids) == 0 && max == 1 && trimmed != "" && !strings.ContainsAny(trimmed, " \t") {
		ids = append(ids, trimmed)
	}
	return ids
}

var (
	zoneName  = regexp.MustCompile(`(?i)\b(?:GMT|UTC|UT)\s*([+-]\d{1,2}):?(\d{2})?\b`)
	lateColon = regexp.MustCompile(`([+-]\d{2}):(\d{2})\s*$`)
)

// layouts are dates seen in the wild that RFC 5322 does not know. Weekdays are dropped before: many are wrong or translated.
var layouts = []string{
	"2 Jan 2006 15:04:05 -0700", "2 Jan 2006 15:04:05 MST", "2 Jan 2006 15:04:05", "2 Jan 2006 15:04 -0700", "2 Jan 2006 15:04 MST", "2 Jan 2006 15:04", "2 Jan 2006",
	"2 January 2006 15:04:05 -0700", "2 January 2006 15:04:05", "Jan 2 15:04:05 2006", "Jan 2 15:04:05 MST 2006", "Jan 2 15:04:05 2006 -0700", "Jan 2 2006 15:04:05 -0700",
	"2-Jan-2006 15:04:05 -0700", "2-Jan-06 15:04:05 -0700", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05", "2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05-0700", "2006/1/2 15:04:05",
	"2 Jan 06 15:04:05 -0700", "2 Jan 06 15:04:05 MST", "2 Jan 06 15:04 -0700", "2 Jan 06 15:04:05", "01/02/2006 15:04:05",
}

// parseDate reads a date field; false when it tells no time.
func parseDate(s string) (time.Time, bool) {
	s = strings.TrimSpace(s)
	if t, err := netmail.ParseDate(s); err == nil {
		return t, plausibleYear(t)
	}
	s = strings.Join(strings.Fields(stripComments(s)), " ")
	if day, rest, ok := strings.Cut(s, ","); ok && !strings.ContainsAny(day, "0123456789") {
		s = rest
	}
	s = strings.ReplaceAll(s, ",", " ")
	if first, rest, ok := strings.Cut(strings.TrimSpace(s), " "); ok && isWeekday(first) {
		s = rest
	}
	s = zoneName.ReplaceAllStringFunc(s, func(z string) string {
		part := zoneName.FindStringSubmatch(z)
		hours, minutes := part[1], part[2]
		if len(hours) == 2 {
			hours = hours[:1] + "0" + hours[1:]
		}
		if minutes == "" {
			minutes = "00"
		}
		return hours + minutes
	})
	s = strings.Join(strings.Fields(lateColon.ReplaceAllString(s, "$1$2")), " ")
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t, plausibleYear(t)
		}
	}
	return time.Time{}, false
}

func plausibleYear(t time.Time) bool { return t.Year() > 1970 && t.Year() < 2200 }

func isWeekday(s string) bool {
	s = strings.ToLower(strings.TrimRight(s, "."))
	for _, day := range []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} {
		if strings.HasPrefix(s, day) {
			return true
		}
	}
	return false
}

func lower(s string) string { return strings.ToLower(s) }

// clean makes text fit to be kept: valid UTF-8, no NUL, line ends as \n.
func clean(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "")
	}
	if strings.IndexByte(s, '\r') >= 0 {
		s = strings.ReplaceAll(s, "\r\n", "\n")
		s = strings.ReplaceAll(s, "\r", "\n")
	}
	return s
}
