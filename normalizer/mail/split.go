package mail

import (
	"regexp"
	"strings"
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
	hintRule           // an empty line that begins the signature
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
