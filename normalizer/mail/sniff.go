package mail

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// sniff reads 8-bit text that nobody labelled, or labelled wrongly. hint is a charset named elsewhere in the mail.
func sniff(b []byte, hint string) (text, used string) {
	if utf8.Valid(b) {
		return string(b), "utf-8"
	}
	if enc, known := encodingOf(hint); known && enc != nil {
		if out, err := enc.NewDecoder().Bytes(b); err == nil && !strings.Contains(string(out), "\uFFFD") {
			return string(out), strings.ToLower(hint)
		}
	}
	name, enc := guess(b)
	if enc == nil {
		return strings.ToValidUTF8(string(b), "\uFFFD"), "utf-8"
	}
	out, err := enc.NewDecoder().Bytes(b)
	if err != nil {
		return strings.ToValidUTF8(string(b), "\uFFFD"), "utf-8"
	}
	return string(out), name
}

// guess weighs how many of the 8-bit characters are ones in daily use, charset by charset.
func guess(b []byte) (string, encoding.Encoding) {
	if isMostlyUTF8(b) {
		return "utf-8", nil
	}
	gb := pairScore(b, func(lead, trail byte) (legal, common bool) {
		if lead < 0x81 || lead == 0xff || trail < 0x40 || trail == 0x7f || trail == 0xff {
			return false, false
		}
		return true, trail >= 0xa1 && (lead >= 0xb0 && lead <= 0xd7 || lead == 0xa1 || lead == 0xa3)
	})
	big5 := pairScore(b, func(lead, trail byte) (legal, common bool) {
		if lead < 0x81 || lead == 0xff || trail < 0x40 || trail > 0x7e && trail < 0xa1 || trail == 0xff {
			return false, false
		}
		return true, lead >= 0xa4 && lead <= 0xc6 || lead == 0xa1
	})
	sjis := pairScore(b, func(lead, trail byte) (legal, common bool) {
		if lead >= 0xa0 && lead < 0xe0 || lead < 0x81 || lead > 0xfc || trail < 0x40 || trail == 0x7f || trail > 0xfc {
			return false, false
		}
		return true, lead >= 0x81 && lead <= 0x97
	})
	switch {
	case sjis >= 0.8 && sjis > gb && sjis > big5:
		return "shift_jis", japanese.ShiftJIS
	case gb >= 0.6 && gb >= big5:
		return "gb18030", simplifiedchinese.GB18030
	case big5 >= 0.6:
		return "big5", traditionalchinese.Big5
	}
	return "windows-1252", charmap.Windows1252
}

// pairScore is the share of common two-byte characters among all; 0 as soon as one is not legal.
func pairScore(b []byte, judge func(lead, trail byte) (legal, common bool)) float64 {
	pairs, good := 0, 0
	for i := 0; i < len(b); i++ {
		if b[i] < utf8.RuneSelf {
			continue
		}
		if i+1 == len(b) {
			break // cut in the middle of a character
		}
		legal, common := judge(b[i], b[i+1])
		if !legal {
			return 0
		}
		pairs++
		if common {
			good++
		}
		i++
	}
	if pairs == 0 {
		return 0
	}
	return float64(good) / float64(pairs)
}
