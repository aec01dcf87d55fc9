package normalizer

import "unicode"

// variants are spellings that customers mix freely and that the OpenCC table keeps apart: 帳號 and 賬號 are one word, and
// the polite feminine 妳 exists in traditional text only.
const variants = "帐账帳账妳你祢你"

// hanPages finds the simplified form of a character in two steps: the page of 256 characters, then the character. A zero
// means the character is written alike. Up to U+33FFF that covers all planes that hold Han characters.
type hanPages [0x340]*[256]rune

var simplified = buildHanPages()

func buildHanPages() *hanPages {
	pages := new(hanPages)
	to := []rune(simplifiedChars)
	for i, from := range []rune(traditionalChars) {
		pages.set(from, to[i])
	}
	pair := []rune(variants)
	for i := 0; i < len(pair); i += 2 {
		pages.set(pair[i], pair[i+1])
	}
	return pages
}

func (p *hanPages) set(from, to rune) {
	page := p[from>>8]
	if page == nil {
		page = new([256]rune)
		p[from>>8] = page
	}
	page[from&0xff] = to
}

// simplify returns the simplified form of a Han character, any other rune as it is.
func simplify(r rune) rune {
	if r < 0x3400 || r>>8 >= rune(len(simplified)) {
		return r
	}
	page := simplified[r>>8]
	if page == nil {
		return r
	}
	if to := page[r&0xff]; to != 0 {
		return to
	}
	return r
}

// isHan reports whether r is a Han character, the iteration mark 々 and 〇 included.
func isHan(r rune) bool {
	if r < 0x2e80 {
		return false
	}
	if r >= 0x4e00 && r <= 0x9fff {
		return true
	}
	return unicode.Is(unicode.Han, r)
}

// isHanOrKana reports whether r belongs to a script that is written without spaces between words.
func isHanOrKana(r rune) bool {
	return r >= 0x2e80 && (isHan(r) || unicode.In(r, unicode.Hiragana, unicode.Katakana) || r == 'ー')
}

// isPaired reports whether r belongs to a script that is searched by pairs of characters: Han, kana, Hangul.
func isPaired(r rune) bool {
	return r >= 0x1100 && (isHanOrKana(r) || unicode.Is(unicode.Hangul, r))
}
