package mail

import (
	"strings"
	"unicode/utf8"
)

// decide goes from the marks to what each line is.
func (s *splitter) decide() []SegmentKind {
	s.kinds = make([]SegmentKind, len(s.lines))
	for i := range s.kinds {
		s.kinds[i] = SegmentReply
		if s.marks[i] == markDevice {
			s.kinds[i] = SegmentSignature
		}
	}
	end := s.cutHistory(len(s.lines))
	end = s.cutSignature(end)
	s.decideQuotes(end)
	s.dropTrailing()
	return s.kinds
}

func (s *splitter) set(from, to int, kind SegmentKind) {
	for i := from; i < to; i++ {
		s.kinds[i] = kind
	}
}

// hasText reports whether the sender wrote anything in these lines.
func (s *splitter) hasText(from, to int) bool { return s.countText(from, to) > 0 }

func (s *splitter) countText(from, to int) int {
	n := 0
	for i := from; i < to; i++ {
		if s.marks[i] == markText && s.kinds[i] == SegmentReply {
			n++
		}
	}
	return n
}

// cutHistory takes everything after the first repeated header for history. A rule right above belongs to it.
func (s *splitter) cutHistory(end int) int {
	for i := range end {
		if s.marks[i] != markHeader {
			continue
		}
		from := i
		for from > 0 && (s.marks[from-1] == markEmpty || s.marks[from-1] == markRule || delimiterOf(s.lines[from-1].text) != delimiterNone) {
			from--
		}
		s.set(from, end, SegmentQuote)
		return from
	}
	return end
}

// cutSignature takes everything after the first delimiter for the signature, up to where history begins.
func (s *splitter) cutSignature(end int) int {
	for i := range end {
		if s.marks[i] != markRule || !s.hasText(0, i) {
			continue
		}
		to := end
		for k := i + 1; k < end; k++ {
			if s.marks[k] == markIntro || s.marks[k] == markQuote {
				to = k
				break
			}
		}
		s.set(i, to, SegmentSignature)
		s.set(to, end, SegmentQuote)
		return i
	}
	return end
}

// decideQuotes looks at attributions and the quotes after them, among the first end lines.
func (s *splitter) decideQuotes(end int) {
	for i := 0; i < end; i++ {
		if s.marks[i] != markIntro {
			continue
		}
		after := i
		for after < end && s.marks[after] == markIntro {
			after++
		}
		before := s.hasText(0, i)
		quoteFrom := s.skipEmpty(after, end)
		if quoteFrom == end || s.marks[quoteFrom] != markQuote {
			s.set(i, after, SegmentQuote)
			if before {
				s.set(i, end, SegmentQuote)
				return
			}
			i = after - 1
			continue
		}
		if s.quoteAfter(i, after, quoteFrom, end, before) {
			return
		}
		i = after - 1
	}
}

// quoteAfter decides about an attribution (from i to after) and its quote; true when the rest is decided too.
func (s *splitter) quoteAfter(i, after, quoteFrom, end int, before bool) bool {
	quoteEnd := s.quoteEnd(quoteFrom, end)
	s.set(i, after, SegmentQuote)
	rest := s.countText(quoteEnd, end)
	more := s.hasMark(quoteEnd, end, markQuote)
	switch {
	case rest == 0:
		s.set(i, end, SegmentQuote)
		return true
	case more && s.answersBetween(quoteEnd, end):
		return true // answers between quotes: both stay
	case before && s.hasMark(quoteEnd, end, markIntro):
		s.set(i, end, SegmentQuote) // a thread of older mails goes on
		return true
	case !before:
		s.set(i, quoteEnd, SegmentQuote) // written below the quote
		return false
	case rest < 7 && !more && !s.onlyGreets(i):
		s.set(i, end, SegmentQuote) // a signature below the quote
		return true
	}
	return false
}

// answersBetween: text stands between two quotes.
func (s *splitter) answersBetween(from, end int) bool {
	for i := from; i < end; i++ {
		if s.marks[i] == markQuote {
			return s.hasText(from, i)
		}
	}
	return false
}

// onlyGreets: what stands above the quote is a greeting, so the answer must be below it.
func (s *splitter) onlyGreets(end int) bool {
	filled, size := 0, 0
	for i := range end {
		if s.marks[i] == markText {
			filled++
			size += utf8.RuneCountInString(strings.TrimSpace(s.lines[i].text))
		}
	}
	return filled == 1 && size <= 20
}

func (s *splitter) hasMark(from, to int, m mark) bool {
	for i := from; i < to; i++ {
		if s.marks[i] == m {
			return true
		}
	}
	return false
}

func (s *splitter) skipEmpty(i, end int) int {
	for i < end && s.marks[i] == markEmpty {
		i++
	}
	return i
}

// quoteEnd returns where the quote that begins at i ends. Mail programs wrap long quoted lines without marking the rest; such a
// rest counts as quoted when the quote goes on right after it.
func (s *splitter) quoteEnd(i, end int) int {
	last := i
	for i < end {
		switch {
		case s.marks[i] == markQuote:
			last = i + 1
		case s.marks[i] == markEmpty:
		case s.isWrapped(i, end):
		default:
			return last
		}
		i++
	}
	return last
}

// isWrapped: line i is the rest of the quoted line above it.
func (s *splitter) isWrapped(i, end int) bool {
	return i > 0 && i+1 < end && s.marks[i-1] == markQuote && s.marks[i+1] == markQuote && s.lines[i].quote == 0 &&
		utf8.RuneCountInString(s.lines[i-1].text) >= 60 && utf8.RuneCountInString(s.lines[i].text) < 60
}

// dropTrailing takes the quote below all text for history, unless the text above announces it with a colon.
func (s *splitter) dropTrailing() {
	last := -1
	hasQuote := false
	for i := range s.lines {
		if s.kinds[i] == SegmentReply && s.marks[i] != markEmpty {
			if s.marks[i] == markQuote {
				hasQuote = true
			} else {
				last, hasQuote = i, false
			}
		}
	}
	if !hasQuote {
		return
	}
	if last >= 0 {
		if text := strings.TrimSpace(s.lines[last].text); strings.HasSuffix(text, ":") || strings.HasSuffix(text, "：") {
			return
		}
	}
	for i := last + 1; i < len(s.lines); i++ {
		if s.kinds[i] == SegmentReply {
			s.kinds[i] = SegmentQuote
		}
	}
}
