package mail

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// markLines looks at each line by itself and at blocks of lines.
func (s *splitter) markLines() {
	fenced := false
	for i := range s.lines {
		s.lines[i].ends = endsAttribution(s.lines[i].text)
	}
	for i := 0; i < len(s.lines); i++ {
		l := s.lines[i]
		text := strings.TrimSpace(strings.Trim(l.text, " \t\u00a0\u3000\u200b\ufeff"))
		if strings.HasPrefix(text, "```") && l.quote == 0 {
			fenced = !fenced && s.fenceCloses(i+1)
			continue
		}
		switch {
		case fenced:
		case l.hint == hintRest:
			s.marks[i] = markHeader
		case l.hint == hintSignature:
			s.marks[i] = markDevice
		case l.hint == hintRule:
			s.marks[i] = markRule
		case text == "":
			s.marks[i] = markEmpty
		case isQuoted(l):
			s.marks[i] = markQuote
		case len(text) < 2000:
			i = s.markBlock(i, text)
		}
	}
}

func (s *splitter) fenceCloses(from int) bool {
	for _, l := range s.lines[from:] {
		if strings.HasPrefix(strings.TrimSpace(l.text), "```") {
			return true
		}
	}
	return false
}

// markBlock marks what begins at line i and returns its last line.
func (s *splitter) markBlock(i int, text string) int {
	if isOriginalLine(text) {
		s.marks[i] = markHeader
		return i
	}
	if n := headerBlockAt(s.lines, i); n > 0 {
		for k := i; k < i+n; k++ {
			s.marks[k] = markHeader
		}
		return i + n - 1
	}
	if n := s.attributionAt(i); n > 0 {
		for k := i; k < i+n; k++ {
			s.marks[k] = markIntro
		}
		return i + n - 1
	}
	switch {
	case s.introducesQuote(i, text):
		s.marks[i] = markIntro
	case isDeviceLine(text):
		s.marks[i] = markDevice
	case s.beginsSignature(i):
		s.marks[i] = markRule
	}
	return i
}

// introducesQuote: "Some One wrote:" without date or address, at the top of a mail and right above a quote.
func (s *splitter) introducesQuote(i int, text string) bool {
	if !s.lines[i].ends || len(text) > 80 || !strings.HasSuffix(text, ":") || !wroteEnd.MatchString(text) {
		return false
	}
	for k := range i {
		if s.marks[k] == markText {
			return false
		}
	}
	for _, l := range s.lines[i+1:] {
		if strings.TrimSpace(l.text) != "" {
			return isQuoted(l)
		}
	}
	return false
}

// beginsSignature judges a line of strokes by its neighbourhood: what follows must be as short as signatures are.
func (s *splitter) beginsSignature(i int) bool {
	d := delimiterOf(s.lines[i].text)
	if d == delimiterNone || s.delimiters >= 100 {
		return false
	}
	s.delimiters++
	if d == delimiterLoose && i > 0 {
		above := strings.TrimSpace(s.lines[i-1].text)
		n := utf8.RuneCountInString(strings.TrimSpace(s.lines[i].text))
		if strings.HasPrefix(above, "#") || above != "" && n >= 3 && abs(utf8.RuneCountInString(above)-n) <= 2 {
			return false // an underlined heading
		}
	}
	limit := 25
	if d == delimiterLoose {
		if limit = 20; strings.Trim(strings.TrimSpace(s.lines[i].text), "-_—–─━") != "" {
			limit = 8 // drawn with other strokes
		}
		if s.separators || s.partsSections(i) || s.announces(i) {
			s.separators = true
			return false
		}
	}
	filled := 0
	for k := i + 1; k < len(s.lines); k++ {
		text := strings.TrimSpace(s.lines[k].text)
		if text == "" {
			continue
		}
		if isOriginalLine(text) || isQuoted(s.lines[k]) || s.lines[k].hint == hintRest || headerBlockAt(s.lines, k) > 0 || s.attributionAt(k) > 0 {
			break
		}
		if filled++; filled > limit {
			return false
		}
	}
	return true
}

// label matches a line of a form: "Name: Bob".
var label = regexp.MustCompile(`^(?:[\p{L}\d'’()/-]+[  ]?){1,3}[:：](?:\s|$|\S)`)

// announces: the line above a rule ends with a colon, or what follows is a form. Both make it content.
func (s *splitter) announces(i int) bool {
	for k := i - 1; k >= 0; k-- {
		if text := strings.TrimSpace(s.lines[k].text); text != "" {
			if strings.HasSuffix(text, ":") || strings.HasSuffix(text, "：") {
				return true
			}
			break
		}
	}
	for _, l := range s.lines[i+1:] {
		if text := strings.TrimSpace(l.text); text != "" {
			return label.MatchString(text) && !strings.HasPrefix(strings.ToLower(text), "http")
		}
	}
	return false
}

// partsSections: another rule follows with text after it, so rules part sections here.
func (s *splitter) partsSections(i int) bool {
	for k, rules := i+1, 0; k < len(s.lines) && k < i+200; k++ {
		text := strings.TrimSpace(s.lines[k].text)
		switch {
		case text == "":
		case delimiterOf(text) == delimiterLoose:
			rules++
		case isOriginalLine(text) || isQuoted(s.lines[k]) || headerBlockAt(s.lines, k) > 0 || s.attributionAt(k) > 0:
			return false
		case rules > 0:
			return true
		}
	}
	return false
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}
