package mail

import (
	"strings"
	"time"
)

// An Event is what a calendar invitation says, for showing it as such.
type Event struct {
	Method    string // REQUEST, REPLY, CANCEL, ...; may be "".
	Summary   string
	Location  string
	Organizer string
	UID       string
	Start     string // As written: a local time without zone rules cannot be turned into an instant here.
	End       string
	Zone      string
}

// noteCalendar reads the first event of an iCalendar file (RFC 5545).
func (w *walker) noteCalendar(data []byte, charset string) {
	if w.mail.Calendar != nil {
		return
	}
	text, _ := decodeCharset(data[:min(len(data), 1<<20)], charset)
	if !strings.Contains(text, "BEGIN:VCALENDAR") {
		return
	}
	w.mail.Calendar = parseCalendar(clean(text))
}

func parseCalendar(text string) *Event {
	var e Event
	inEvent := false
	text = strings.NewReplacer("\n ", "", "\n\t", "").Replace(text) // RFC 5545, 3.1: folded lines
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimRight(line, "\n"), ":")
		if !ok {
			continue
		}
		name, params, _ := strings.Cut(strings.ToUpper(name), ";")
		switch {
		case name == "METHOD":
			e.Method = strings.ToUpper(strings.TrimSpace(value))
		case name == "BEGIN" && strings.EqualFold(value, "VEVENT"):
			inEvent = true
		case name == "END" && strings.EqualFold(value, "VEVENT"):
			return &e
		case inEvent:
			e.set(name, params, value)
		}
	}
	return &e
}

func (e *Event) set(name, params, value string) {
	value = strings.NewReplacer(`\n`, "\n", `\N`, "\n", `\,`, ",", `\;`, ";", `\\`, `\`).Replace(value)
	switch name {
	case "SUMMARY":
		e.Summary = value
	case "LOCATION":
		e.Location = value
	case "UID":
		e.UID = value
	case "ORGANIZER":
		e.Organizer = strings.TrimPrefix(strings.ToLower(value), "mailto:")
	case "DTSTART":
		e.Start = value
		if _, zone, ok := strings.Cut(params, "TZID="); ok {
			e.Zone = strings.Trim(zone, `"`)
		} else if _, err := time.Parse("20060102T150405Z", value); err == nil {
			e.Zone = "UTC"
		}
	case "DTEND":
		e.End = value
	}
}
