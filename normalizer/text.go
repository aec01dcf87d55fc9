package normalizer

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// CleanText makes s fit to be stored and shown: valid UTF-8 (what is not becomes �), no NUL, line ends as \n. Everything
// else stays, control and direction marks included: whoever shows text escapes it.
func CleanText(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "")
	}
	if strings.IndexByte(s, '\r') >= 0 {
		s = strings.ReplaceAll(s, "\r\n", "\n")
		s = strings.ReplaceAll(s, "\r", "\n")
	}
	return s
}

// Snippet returns the first n characters of s on one line for a list, with … when something was left out. White space and
// control characters become single spaces, direction marks are left out (they would turn the rest of the list around), and
// a character is not parted from its accents, a family emoji not from its members.
func Snippet(s string, n int) string {
	var b strings.Builder
	space, count := false, 0
	var previous rune
	for _, r := range s {
		switch {
		case unicode.IsSpace(r) || unicode.IsControl(r):
			space = b.Len() > 0
			continue
		case isDirection(r) || r == 0xfeff:
			continue
		}
		joins := isExtender(r) || previous == 0x200d
		if !joins {
			if space {
				count++
			}
			if count >= n {
				b.WriteString("…")
				return b.String()
			}
			count++
			if space {
				b.WriteByte(' ')
			}
		}
		space = false
		previous = r
		b.WriteRune(r)
	}
	return b.String()
}

func isDirection(r rune) bool {
	return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x200e || r == 0x200f || r == 0x61c
}

// isExtender: r adds to the character before it. 0x1f3fb to 0x1f3ff are skin tones.
func isExtender(r rune) bool {
	return r == 0x200d || r >= 0x1f3fb && r <= 0x1f3ff || r >= 0xe0020 && r <= 0xe007f || unicode.Is(unicode.M, r)
}

// DetectLanguage tells by script whether s is Chinese ("zh"), Latin ("en" stands for every Latin language) or "other";
// "" when s has no letters. Kana make a text Japanese, which is "other". A Chinese sentence that names products in Latin
// letters is Chinese: a Han character says as much as four letters.
func DetectLanguage(s string) string {
	var han, latin, other, kana int
	for i, r := range s {
		if i > 1<<14 {
			break
		}
		switch {
		case r < utf8.RuneSelf:
			if 'a' <= r|0x20 && r|0x20 <= 'z' {
				latin++
			}
		case isHan(r):
			han++
		case unicode.In(r, unicode.Hiragana, unicode.Katakana):
			kana++
		case unicode.Is(unicode.Latin, r):
			latin++
		case unicode.IsLetter(r):
			other++
		}
	}
	return dominantScript(4*han, latin, other, 4*kana)
}

func dominantScript(han, latin, other, kana int) string {
	switch {
	case han+latin+other+kana == 0:
		return ""
	case kana*5 > han && kana > 0 || other > han && other > latin:
		return "other"
	case han >= latin:
		return "zh"
	}
	return "en"
}
