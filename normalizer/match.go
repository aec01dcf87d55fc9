package normalizer

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxHidden is how many separators in a row may stand between two Han characters and still be taken for decoration
// ("退 - 款"). A longer run, or an empty line, parts two thoughts.
const maxHidden = 4

// A Matchable is text in the form keywords are compared in, with the way back to the original.
//
// Runes[i] stands for the bytes Start[i] to End[i] of the original. Several runes may stand for the same bytes (㈱ becomes
// "(株)"), and bytes that do not matter (zero-width characters, the hyphen in 退-款) belong to no rune.
type Matchable struct {
	Runes      []rune
	Start, End []int32
}

// Span returns the byte range of the original that Runes[from:to] stand for. It needs from < to.
func (m Matchable) Span(from, to int) (start, end int) {
	return int(m.Start[from]), int(m.End[to-1])
}

// Match brings text into the form keywords are compared in: compatibility forms composed (ＲＥＦＵＮＤ, ﬁ), case folded,
// traditional characters simplified, zero-width characters removed, and what is put between two Han characters to hide a
// word or to make it look wide (退 款, 退-款) left out. White space is one space, and none where Han meets another script:
// "VIP 客户" and "VIP客户" are the same. Text beyond 2 GB is ignored.
func Match(text string) Matchable {
	m := matcher{text: text}
	n := utf8.RuneCountInString(text)
	m.out.Runes = make([]rune, 0, n)
	offsets := make([]int32, 2*n)
	m.out.Start, m.out.End = offsets[:0:n], offsets[n:n:2*n]
	for at := 0; at < len(text) && at < 1<<31-64; {
		at = m.step(at)
	}
	m.settle(' ')
	return m.out
}

type matcher struct {
	text string
	out  Matchable

	// A run of separators at the end of out, not settled yet: it began at out.Runes[run].
	inRun  bool
	run    int
	breaks int // line breaks in the run
	marks  int // separators in the run that are not white space
	length int

	buf []byte
}

// step takes what stands at a byte offset and returns the next offset.
func (m *matcher) step(at int) int {
	r, size := rune(m.text[at]), 1
	if r >= utf8.RuneSelf {
		r, size = utf8.DecodeRuneInString(m.text[at:])
	}
	next := at + size
	if isPlain(r) && (next == len(m.text) || plainAhead(m.text, next)) {
		m.put(r, at, next)
		return next
	}
	if r == utf8.RuneError && size == 1 {
		m.put(r, at, next)
		return next
	}
	if r >= 0xff01 && r <= 0xff5e && (next == len(m.text) || plainAhead(m.text, next)) {
		m.put(r-0xfee0, at, next) // full-width form of an ASCII character
		return next
	}
	return m.segment(at)
}

// segment normalizes one unit that may compose or fall apart, e.g. a letter with its accents.
func (m *matcher) segment(at int) int {
	n := norm.NFKC.NextBoundaryInString(m.text[at:], true)
	if n <= 0 {
		_, n = utf8.DecodeRuneInString(m.text[at:])
	}
	m.buf = norm.NFKC.AppendString(m.buf[:0], m.text[at:at+n])
	for rest := m.buf; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		rest = rest[size:]
		m.put(r, at, at+n)
	}
	return at + n
}

// put adds a normalized rune that stands for the bytes start to end.
func (m *matcher) put(r rune, start, end int) {
	switch {
	case r < utf8.RuneSelf:
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
	case isInvisible(r):
		return
	case r >= 0x4e00 && r <= 0x9fff:
		r = simplify(r)
	case r == 'ß' || r == 'ẞ':
		m.settle('s')
		m.add('s', start, end)
		r = 's'
	case r == 'ς':
		r = 'σ'
	default:
		r = unicode.ToLower(simplify(r))
	}
	if isSeparator(r) {
		m.separate(r, start, end)
		return
	}
	if m.inRun {
		m.settle(r)
	}
	m.add(r, start, end)
}

func (m *matcher) add(r rune, start, end int) {
	m.out.Runes = append(m.out.Runes, r)
	m.out.Start = append(m.out.Start, int32(start))
	m.out.End = append(m.out.End, int32(end))
}

// separate adds a separator for now; settle decides whether it stays. White space after white space only widens it.
func (m *matcher) separate(r rune, start, end int) {
	if !m.inRun {
		m.inRun, m.run, m.breaks, m.marks, m.length = true, len(m.out.Runes), 0, 0, 0
	}
	m.length++
	if r == '\n' {
		m.breaks++
	}
	if !unicode.IsSpace(r) {
		m.marks++
		m.add(r, start, end)
		return
	}
	if last := len(m.out.Runes) - 1; last >= m.run && m.out.Runes[last] == ' ' {
		m.out.End[last] = int32(end)
		return
	}
	m.add(' ', start, end)
}

// settle ends a run of separators, now that the rune after it is known (a space when the text ends).
func (m *matcher) settle(next rune) {
	if !m.inRun {
		return
	}
	m.inRun = false
	if m.run == 0 || next == ' ' {
		m.trimRun(next == ' ')
		return
	}
	before := m.out.Runes[m.run-1]
	hanBefore, hanAfter := isHanOrKana(before), isHanOrKana(next)
	short := m.length <= maxHidden && m.breaks <= 1
	if short && (hanBefore && hanAfter || m.marks == 0 && (hanBefore || hanAfter)) {
		m.cut(m.run)
	}
}

// trimRun drops the white space of a run at the beginning or end of the text.
func (m *matcher) trimRun(atEnd bool) {
	if m.marks == 0 {
		m.cut(m.run)
		return
	}
	if last := len(m.out.Runes) - 1; atEnd && m.out.Runes[last] == ' ' {
		m.cut(last)
	}
}

func (m *matcher) cut(n int) {
	m.out.Runes, m.out.Start, m.out.End = m.out.Runes[:n], m.out.Start[:n], m.out.End[:n]
}

// isPlain reports whether r is its own normal form and never joins with a plain rune after it: ASCII, the Han characters
// in daily use, their punctuation.
func isPlain(r rune) bool {
	return r < utf8.RuneSelf || r >= 0x4e00 && r <= 0x9fff || r == '。' || r == '、' || r >= 0x3400 && r <= 0x4dbf
}

func plainAhead(text string, at int) bool {
	if text[at] < utf8.RuneSelf {
		return true
	}
	r, _ := utf8.DecodeRuneInString(text[at:])
	return isPlain(r) || r >= 0xff01 && r <= 0xff5e // full-width forms never join with what stands before them
}

// isSeparator reports whether r can be put between the characters of a word without changing it for a reader. Commas and
// full stops of a sentence are none: "不要退。款已到" does not speak of 退款.
func isSeparator(r rune) bool {
	switch r {
	case ' ', '\t', '\n', '\r', '\v', '\f', '-', '_', '.', '*', '|', '/', '\\', '~', '+', '=', '^', '#', '\'', '`':
		return true
	}
	if r < 0xa0 {
		return r == 0x85
	}
	switch r {
	case '·', '•', '‧', '・', '―', '—', '–', '‐', '‑', '−', '…', '¦', '●', '○', '◦', '★', '☆', '\u00a0', '\u3000', 'ˉ', '¯', '∙', '⋅', '゠', '〜':
		return true
	}
	return unicode.IsSpace(r)
}

// isInvisible reports whether r takes no room: zero-width and direction marks, variation selectors, tags, the soft hyphen.
func isInvisible(r rune) bool {
	if r < 0xad {
		return false
	}
	switch {
	case r >= 0xfe00 && r <= 0xfe0f, r >= 0xe0100 && r <= 0xe01ef, r == 0x34f, r == 0x115f, r == 0x1160, r == 0x3164, r >= 0x180b && r <= 0x180f:
		return true
	}
	return unicode.Is(unicode.Cf, r)
}
