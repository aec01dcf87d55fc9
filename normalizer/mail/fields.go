package mail

import (
	netmail "net/mail"
	"regexp"
	"strings"
	"time"

	"hearback/normalizer"
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
	shortZone = regexp.MustCompile(`([+-])(\d{3})\s*$`)
	lateColon = regexp.MustCompile(`([+-]\d{2}):(\d{2})\s*$`)
)

// zones are names of RFC 5322, 4.3 and some in daily use.
var zones = map[string]string{"EDT": "-0400", "EST": "-0500", "CDT": "-0500", "CST": "-0600", "MDT": "-0600", "MST": "-0700", "PDT": "-0700", "PST": "-0800",
	"CET": "+0100", "CEST": "+0200", "BST": "+0100", "MET": "+0100", "EET": "+0200", "EEST": "+0300", "MSK": "+0300", "JST": "+0900", "KST": "+0900", "HKT": "+0800", "Z": "+0000", "UT": "+0000", "GMT": "+0000", "UTC": "+0000"}

// layouts are dates seen in the wild that RFC 5322 does not know. Weekdays are dropped before: many are wrong or translated.
var layouts = []string{
	"2 Jan 2006 15:04:05 -0700", "2 Jan 2006 15:04:05 MST", "2 Jan 2006 15:04:05", "2 Jan 2006 15:04 -0700", "2 Jan 2006 15:04 MST", "2 Jan 2006 15:04", "2 Jan 2006",
	"2 January 2006 15:04:05 -0700", "2 January 2006 15:04:05", "Jan 2 15:04:05 2006", "Jan 2 15:04:05 MST 2006", "Jan 2 15:04:05 2006 -0700", "Jan 2 2006 15:04:05 -0700",
	"2-Jan-2006 15:04:05 -0700", "2-Jan-06 15:04:05 -0700", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05", "2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05-0700", "2006/1/2 15:04:05",
	"2 Jan 06 15:04:05 -0700", "2 Jan 06 15:04:05 MST", "2 Jan 06 15:04 -0700", "2 Jan 06 15:04:05", "01/02/2006 15:04:05", "January 2 2006 3:04 PM", "January 2 2006 15:04", "Jan 2 2006 3:04 PM", "2 January 2006 15:04",
}

// parseDate reads a date field; false when it tells no time.
func parseDate(s string) (time.Time, bool) {
	if s = strings.TrimSpace(cutText(s, 200)); s == "" {
		return time.Time{}, false
	}
	if t, err := netmail.ParseDate(s); err == nil && !endsInLetters(s) {
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
	s = lateColon.ReplaceAllString(s, "$1$2")
	s = shortZone.ReplaceAllString(s, "${1}0$2")
	s = strings.TrimLeft(strings.Join(strings.Fields(s), " "), "0")
	if at := strings.LastIndexByte(s, ' '); at > 0 {
		if zone, ok := zones[strings.ToUpper(s[at+1:])]; ok {
			s = s[:at+1] + zone
		}
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t, plausibleYear(t)
		}
	}
	return time.Time{}, false
}

func plausibleYear(t time.Time) bool { return t.Year() > 1970 && t.Year() < 2200 }

// endsInLetters: a zone by name, which the standard reader takes for UTC when it does not know it.
func endsInLetters(s string) bool {
	last := s[len(s)-1]
	return 'A' <= last && last <= 'Z' && !strings.HasSuffix(s, "GMT") && !strings.HasSuffix(s, "UTC")
}

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
func clean(s string) string { return normalizer.CleanText(s) }
