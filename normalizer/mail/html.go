package mail

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// HTMLText turns HTML into readable text: blocks on their own lines, quoted blocks marked with "> ", nothing that is hidden.
// It reads the HTML as a stream, so nesting costs nothing.
func HTMLText(s string) string {
	var b strings.Builder
	for _, l := range htmlLines(s) {
		text := strings.TrimRight(l.text, " ")
		if l.quote > 0 {
			text = strings.TrimRight(strings.Repeat("> ", min(l.quote, 10))+text, " ")
		}
		b.WriteString(text)
		b.WriteByte('\n')
	}
	return strings.Trim(b.String(), "\n")
}

// maxOpen is how many open elements are remembered; deeper ones are read as if they quoted nothing.
const maxOpen = 2000

type openElement struct {
	name                   atom.Atom
	quote, hidden, sig, li bool
}

// htmlReader turns a stream of tokens into lines.
type htmlReader struct {
	lines   []line
	text    strings.Builder
	start   int // where the current line begins in the HTML; -1 when it has not begun
	space   bool
	blank   bool // an empty line is due before the next text
	open    []openElement
	quote   int
	hidden  int
	sig     int
	skip    atom.Atom // inside script, style, ...
	pre     int
	rest    bool // the next line begins what is all history
	restSet bool
	looks   map[string]look // by attributes: mails repeat a few of them
}

func htmlLines(s string) []line {
	r := htmlReader{start: -1}
	z := html.NewTokenizer(strings.NewReader(s))
	at := 0
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			break
		}
		size := len(z.Raw())
		switch kind {
		case html.TextToken:
			if r.skip == 0 && r.hidden == 0 {
				r.words(html.UnescapeString(string(z.Raw())), at)
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			token := z.Token()
			r.startTag(token, at, kind == html.SelfClosingTagToken)
		case html.EndTagToken:
			name, _ := z.TagName()
			r.endTag(atom.Lookup(name))
		}
		at += size
	}
	r.flush()
	return r.lines
}

// words adds text. White space is single outside of pre.
func (r *htmlReader) words(s string, at int) {
	for i, c := range s {
		if c == '\n' && r.pre > 0 {
			r.breakLine(at + i)
			continue
		}
		if c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' {
			if r.pre > 0 && c != '\r' {
				r.begin(at)
				r.text.WriteByte(' ')
			} else {
				r.space = true
			}
			continue
		}
		if c == '\u00a0' {
			c = ' '
		} else if c == 0 {
			continue
		}
		r.begin(at)
		if r.space && r.text.Len() > 0 {
			r.text.WriteByte(' ')
		}
		r.space = false
		r.text.WriteRune(c)
	}
}

// begin starts a line if none has begun.
func (r *htmlReader) begin(at int) {
	if r.start >= 0 {
		return
	}
	if r.blank && len(r.lines) > 0 && strings.TrimSpace(r.lines[len(r.lines)-1].text) != "" {
		r.lines = append(r.lines, line{at: at, quote: min(r.quote, r.lines[len(r.lines)-1].quote)})
	}
	r.blank, r.start = false, at
}

// flush ends the line that has begun.
func (r *htmlReader) flush() {
	r.space = false
	if r.start < 0 {
		return
	}
	text := r.text.String()
	r.text.Reset()
	r.push(text, r.start)
	r.start = -1
}

func (r *htmlReader) push(text string, at int) {
	l := line{text: text, at: at, quote: r.quote}
	if r.sig > 0 {
		l.hint = hintSignature
	}
	if r.rest && strings.TrimSpace(text) != "" {
		l.hint, r.rest = hintRest, false
	}
	r.lines = append(r.lines, l)
}

// breakLine ends a line even when it is empty.
func (r *htmlReader) breakLine(at int) {
	if r.start < 0 {
		r.begin(at)
	}
	r.flush()
}

func (r *htmlReader) startTag(t html.Token, at int, selfClosing bool) {
	if r.skip != 0 {
		return
	}
	switch t.DataAtom {
	case atom.Script, atom.Style, atom.Title, atom.Noscript, atom.Template, atom.Svg, atom.Object, atom.Select:
		if !selfClosing {
			r.skip = t.DataAtom
		}
		return
	case atom.Br:
		if r.hidden == 0 {
			r.breakLine(at)
		}
		return
	case atom.Hr:
		r.flush()
		if r.blank = true; r.hidden == 0 && r.quote == 0 && isSignatureRule(t) {
			r.lines = append(r.lines, line{at: at, hint: hintRule})
		}
	case atom.Img, atom.Input, atom.Meta, atom.Link, atom.Base, atom.Col, atom.Area, atom.Wbr:
	case atom.Td, atom.Th:
		if r.text.Len() > 0 {
			r.space = true
		}
	case atom.Pre:
		r.pre++
	}
	if isBlock(t.DataAtom) {
		r.flush()
	}
	look := r.lookAt(t)
	if look.rest && !r.restSet && r.quote == 0 {
		r.flush()
		r.rest, r.restSet = true, true
	}
	if isParagraph(t) {
		r.blank = true
	}
	if !isVoid(t.DataAtom) && !selfClosing && isContainer(t.DataAtom) && len(r.open) < maxOpen {
		r.push1(openElement{name: t.DataAtom, quote: look.quote, hidden: look.hidden, sig: look.signature})
	}
	if t.DataAtom == atom.Li {
		r.begin(at)
		r.text.WriteString("- ")
	}
}

func (r *htmlReader) push1(e openElement) {
	if e.quote {
		r.flush()
		r.quote++
	}
	if e.sig {
		r.flush()
		r.sig++
	}
	if e.hidden {
		r.hidden++
	}
	r.open = append(r.open, e)
}

func (r *htmlReader) endTag(name atom.Atom) {
	if r.skip != 0 {
		if name == r.skip {
			r.skip = 0
		}
		return
	}
	if isBlock(name) {
		r.flush()
	}
	switch name {
	case atom.Pre:
		r.pre = max(0, r.pre-1)
		r.blank = true
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Ul, atom.Ol, atom.Table, atom.Blockquote:
		r.blank = true
	}
	for i := len(r.open) - 1; i >= 0 && i >= len(r.open)-200; i-- {
		if r.open[i].name == name {
			r.closeTo(i)
			return
		}
	}
}

// closeTo closes element i and all that are open inside of it.
func (r *htmlReader) closeTo(i int) {
	for _, e := range r.open[i:] {
		if e.quote || e.sig {
			r.flush()
		}
		if e.quote {
			r.quote--
		}
		if e.sig {
			r.sig--
		}
		if e.hidden {
			r.hidden--
		}
	}
	r.open = r.open[:i]
}

// lookAt remembers what attributes say.
func (r *htmlReader) lookAt(t html.Token) look {
	if len(t.Attr) == 0 {
		return lookAt(t)
	}
	var key strings.Builder
	key.WriteString(t.Data)
	for _, a := range t.Attr {
		if len(a.Val) < 2000 && (a.Key == "class" || a.Key == "id" || a.Key == "style" || a.Key == "type" || a.Key == "cite" || a.Key == "name" || strings.HasPrefix(a.Key, "data-")) {
			key.WriteString("\x00" + a.Key + "=" + a.Val)
		}
	}
	if l, ok := r.looks[key.String()]; ok {
		return l
	}
	l := lookAt(t)
	if r.looks == nil {
		r.looks = map[string]look{}
	}
	if len(r.looks) < 500 {
		r.looks[key.String()] = l
	}
	return l
}

func isBlock(a atom.Atom) bool {
	switch a {
	case atom.Div, atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Ul, atom.Ol, atom.Li, atom.Table, atom.Tr, atom.Blockquote, atom.Pre, atom.Section,
		atom.Article, atom.Header, atom.Footer, atom.Address, atom.Center, atom.Form, atom.Fieldset, atom.Dl, atom.Dt, atom.Dd, atom.Body, atom.Main, atom.Nav, atom.Aside, atom.Caption, atom.Figure:
		return true
	}
	return false
}

func isVoid(a atom.Atom) bool {
	switch a {
	case atom.Br, atom.Hr, atom.Img, atom.Input, atom.Meta, atom.Link, atom.Base, atom.Col, atom.Area, atom.Wbr:
		return true
	}
	return false
}

func isContainer(a atom.Atom) bool {
	switch a {
	case atom.Div, atom.Blockquote, atom.Table, atom.Section, atom.Article, atom.Td, atom.Tr, atom.Span, atom.Font, atom.Center, atom.Body, atom.P, atom.Pre, atom.Header, atom.Footer, atom.A:
		return true
	}
	return false
}

// isParagraph: an empty line is shown before. Word writes every line as a paragraph without margins.
func isParagraph(t html.Token) bool {
	switch t.DataAtom {
	case atom.P:
		class, style := attribute(t, "class"), strings.ReplaceAll(strings.ToLower(attribute(t, "style")), " ", "")
		return !strings.Contains(class, "MsoNormal") && !strings.Contains(style, "margin:0") && !strings.Contains(style, "margin-top:0")
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Ul, atom.Ol, atom.Table, atom.Pre, atom.Blockquote:
		return true
	}
	return false
}

func attribute(t html.Token, name string) string {
	for _, a := range t.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
