package mail

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// SegmentKind says what a run of lines is.
type SegmentKind string

const (
	SegmentReply     SegmentKind = "reply"
	SegmentQuote     SegmentKind = "quote"
	SegmentSignature SegmentKind = "signature"
)

// A Segment is a run of lines of one kind.
type Segment struct {
	Kind SegmentKind
	Text string
}

// Parts is a body taken apart. Nothing is lost: the segments, one after the other, are the body.
type Parts struct {
	Reply     string // What the sender wrote this time; "" when nothing.
	Signature string
	Quoted    string // Older mails, with the lines that introduce them.
	Segments  []Segment

	ReplyHTML, QuotedHTML string // Only from SplitHTML.
}

// maxSplitLines bounds the work on one body; the lines after it share the fate of the last one.
const maxSplitLines = 10_000

// SplitReply parts what the sender wrote from the history quoted with it; signature and notices of the device go with the
// latter. See [Split] for the parts one by one.
func SplitReply(text string) (reply, quoted string) {
	p := Split(text)
	return p.Reply, joinTexts(p.Signature, p.Quoted)
}

// Split takes a plain text body apart.
//
// It goes by what mail programs write around a quote: attributions, repeated headers, titles between dashes, quote marks. When
// answers stand between quoted lines, those lines stay: without them the answers say nothing.
func Split(text string) Parts {
	var lines []line
	for l := range strings.SplitSeq(clean(text), "\n") {
		lines = append(lines, line{text: l})
	}
	return assemble(splitLines(lines), lines)
}

// A line is one line of a body while it is taken apart.
type line struct {
	text  string
	at    int // where it begins in the HTML
	quote int // how many quoting elements it stands in; plain text tells by its marks
	hint  hint
	ends  bool // may end an attribution
}

type hint int

const (
	hintNone      hint = iota
	hintSignature      // inside an element made for signatures
	hintRest           // from here on all is history
)

// mark is what a line turned out to be.
type mark byte

const (
	markText mark = iota
	markEmpty
	markQuote
	markIntro  // of an attribution
	markHeader // of a repeated header or a title before one: all after it is history
	markRule   // begins a signature
	markDevice
)

// prefix of a quoted line: ">", "|", or initials before a ">", as some news readers write.
var quotePrefix = regexp.MustCompile(`^(?:[ \t\x{00a0}]*[>＞│]|[ \t]?\|(?:[ \t]|$)|[A-Z]{1,3}> ?)`)

func isQuoted(l line) bool {
	return l.quote > 0 || l.text != "" && quotePrefix.MatchString(l.text)
}

// splitLines decides the kind of every line.
func splitLines(lines []line) []SegmentKind {
	s := splitter{lines: lines[:min(len(lines), maxSplitLines)]}
	s.marks = make([]mark, len(s.lines))
	s.markLines()
	kinds := s.decide()
	for len(kinds) < len(lines) {
		kinds = append(kinds, kinds[len(kinds)-1])
	}
	return kinds
}

type splitter struct {
	lines []line
	marks []mark
	kinds []SegmentKind

	separators               bool // rules part sections of the text
	delimiters, attributions int  // how many were looked at: a body of nothing else must not cost more than others
}

// attributionAt returns how many lines from at on are one attribution; 0 when none begins there.
func (s *splitter) attributionAt(at int) int {
	if s.attributions >= 1000 || !attributionEnds(s.lines, at) {
		return 0
	}
	s.attributions++
	return attributionAt(s.lines, at)
}

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
		if limit = 20; s.separators || s.partsSections(i) {
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

// assemble joins the lines of each kind.
func assemble(kinds []SegmentKind, lines []line) Parts {
	var p Parts
	texts := map[SegmentKind]*strings.Builder{SegmentReply: {}, SegmentQuote: {}, SegmentSignature: {}}
	for i := 0; i < len(lines); {
		kind := kinds[i]
		var run strings.Builder
		for ; i < len(lines) && kinds[i] == kind; i++ {
			run.WriteString(lines[i].text)
			run.WriteByte('\n')
		}
		texts[kind].WriteString(run.String())
		p.Segments = append(p.Segments, Segment{Kind: kind, Text: run.String()})
	}
	p.Reply = trimBlank(texts[SegmentReply].String())
	p.Quoted = trimBlank(texts[SegmentQuote].String())
	p.Signature = trimBlank(texts[SegmentSignature].String())
	return p
}

// trimBlank takes empty lines off both ends; the indent of the first line stays.
func trimBlank(s string) string {
	s = strings.TrimRight(s, " \t\r\n\u00a0\u3000\u200b")
	for {
		first, rest, more := strings.Cut(s, "\n")
		if strings.Trim(first, " \t\u00a0\u3000\u200b\ufeff") != "" || !more {
			return s
		}
		s = rest
	}
}
