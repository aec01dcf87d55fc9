package router

import (
	"strings"
	"unicode"
)

// SplitList splits a list a person typed, on Chinese and ASCII commas, enumeration commas, semicolons and line breaks. White
// space around entries, empty entries and repetitions go.
func SplitList(s string) []string {
	parts := strings.FieldsFunc(s, func(r rune) bool {
		switch r {
		case '，', ',', '、', ';', '；', '\n', '\r', '\u2028', '\u2029', '﹐', '﹑', '﹔':
			return true
		}
		return false
	})
	seen := map[string]bool{}
	out := make([]string, 0, len(parts))
	for _, p := range parts {
		if p = strings.TrimFunc(p, unicode.IsSpace); p != "" && !seen[p] {
			seen[p] = true
			out = append(out, p)
		}
	}
	return out
}

// isWordRune tells whether r belongs to words that are written with spaces between them: letters and digits of any script but
// the Chinese and Japanese ones. Between two of them a keyword neither begins nor ends: "app" is not in "happy".
func isWordRune(r rune) bool {
	if r < 0x80 {
		return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z'
	}
	if r >= 0x2e80 && r < 0xac00 || r >= 0x20000 { // Han, kana, bopomofo
		return false
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)
}

// standsAlone tells whether the keyword at text[from:to] is not a piece of a longer spaced word.
func standsAlone(text []rune, from, to int) bool {
	if from > 0 && isWordRune(text[from]) && isWordRune(text[from-1]) {
		return false
	}
	return to == len(text) || !isWordRune(text[to-1]) || !isWordRune(text[to])
}
