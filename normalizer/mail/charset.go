package mail

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
)

// encodingOf finds the decoder for a declared charset. nil and true: UTF-8 or ASCII, nothing to decode. false: unknown.
//
// QUIRK: mailers that say gb2312 write GBK, and those that say gbk may write GB18030. Each contains the one before, so all are
// read as GB18030. ISO-8859-1 is read as windows-1252 for the same reason.
func encodingOf(label string) (encoding.Encoding, bool) {
	label = strings.ToLower(strings.Trim(label, " \t\"'"))
	switch label {
	case "utf-8", "utf8", "us-ascii", "ascii", "utf-8-sig", "utf8mb4", "ansi_x3.4-1968", "iso-ir-6", "646", "cp65001", "unicode-1-1-utf-8":
		return nil, true
	case "gb2312", "gbk", "gb18030", "gb_2312-80", "gb_2312", "gb2312-80", "x-gbk", "cp936", "ms936", "windows-936", "euc-cn", "x-euc-cn", "csgb2312", "gb-2312", "chinesesimplified", "iso-ir-58", "gb18030-2000", "gb18030-2005", "gb18030-2022":
		return simplifiedchinese.GB18030, true
	case "hz-gb-2312", "hz":
		return simplifiedchinese.HZGB2312, true
	case "big5", "big-5", "cn-big5", "x-x-big5", "big5-hkscs", "big5hkscs", "cp950", "ms950", "windows-950", "x-windows-950":
		return traditionalchinese.Big5, true
	case "ks_c_5601-1987", "ks_c_5601", "euc-kr", "cp949", "ms949", "uhc", "windows-949", "ksc5601", "korean", "ks_c_5601-1989", "x-windows-949":
		return korean.EUCKR, true
	case "cp932", "ms932", "windows-31j", "x-sjis", "sjis", "shift-jis", "shift_jis", "ms_kanji", "windows-932":
		return japanese.ShiftJIS, true
	case "iso-2022-jp", "iso-2022-jp-1", "iso-2022-jp-2", "iso-2022-jp-3", "iso-2022-jp-ms", "cp50220", "cp50221", "cp50222", "jis":
		return japanese.ISO2022JP, true
	case "iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", "latin-1", "l1", "cp1252", "ansi", "windows-1252", "iso8859_1", "iso-8859-1-windows-3.0-latin-1", "8859_1":
		return charmap.Windows1252, true
	case "utf-7", "utf7", "unicode-1-1-utf-7", "x-unicode-2-0-utf-7":
		return utf7{}, true
	case "utf-16", "utf16", "ucs-2", "iso-10646-ucs-2":
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM), true
	case "cp850", "ibm850":
		return charmap.CodePage850, true
	case "cp437", "ibm437":
		return charmap.CodePage437, true
	case "", "unknown-8bit", "x-unknown", "8bit", "7bit", "binary", "unknown", "default", "x-user-defined", "none", "iso-2022-cn":
		return nil, false
	}
	return indexedEncoding(label)
}

func indexedEncoding(label string) (encoding.Encoding, bool) {
	for _, try := range []string{label, strings.ReplaceAll(label, "_", "-"), strings.Replace(label, "iso8859", "iso-8859", 1), strings.Replace(label, "cp", "windows-", 1), strings.Replace(label, "win-", "windows-", 1)} {
		if e, err := htmlindex.Get(try); err == nil && e != nil && e != encoding.Replacement {
			if name, _ := htmlindex.Name(e); name == "utf-8" {
				return nil, true
			} else if name != "replacement" {
				return e, true
			}
		}
		if e, err := ianaindex.MIME.Encoding(try); err == nil && e != nil {
			return e, true
		}
	}
	return nil, false
}

// decodeCharset turns b into UTF-8. It trusts the label when the bytes bear it out and sniffs otherwise. used names the charset
// taken when it is not the declared one; "" means all was as declared.
func decodeCharset(b []byte, label string) (text, used string) {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	enc, known := encodingOf(label)
	if known && enc == nil {
		if utf8.Valid(b) {
			return string(b), ""
		}
		if isMostlyUTF8(b) {
			return strings.ToValidUTF8(string(b), "\uFFFD"), "utf-8"
		}
		return sniff(b, "")
	}
	if known {
		if hasHighBit(b) && isUTF8Beyond(b, enc) {
			return string(b), "utf-8"
		}
		if out, err := enc.NewDecoder().Bytes(b); err == nil && (bytes.Count(out, replacement) <= len(out)/200) {
			return string(out), ""
		}
	}
	text, used = sniff(b, label)
	if label == "" && used == "utf-8" {
		used = ""
	}
	return text, used
}

var replacement = []byte("\uFFFD")

// isUTF8Beyond reports whether bytes labelled as another charset are in truth UTF-8: valid, with several multi-byte characters.
// GB18030 text is practically never valid UTF-8 by accident once it has some length.
func isUTF8Beyond(b []byte, enc encoding.Encoding) bool {
	if enc == japanese.ISO2022JP || enc == simplifiedchinese.HZGB2312 || !utf8.Valid(b) {
		return false
	}
	if _, ok := enc.(utf7); ok {
		return false
	}
	multi, three := 0, 0
	for _, r := range string(b) {
		if r >= utf8.RuneSelf {
			multi++
			if r > 0x7ff {
				three++
			}
		}
	}
	return three >= 2 || multi >= 3
}

func hasHighBit(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return true
		}
	}
	return false
}

// isMostlyUTF8: a damaged byte here and there must not turn a whole UTF-8 text into another charset.
func isMostlyUTF8(b []byte) bool {
	good, bad := 0, 0
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		switch {
		case r == utf8.RuneError && n == 1:
			bad++
		case n > 1:
			good += n
		}
		b = b[n:]
	}
	return good > 10*bad
}
