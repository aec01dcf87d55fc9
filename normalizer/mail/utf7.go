package mail

import (
	"encoding/base64"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/transform"
)

// utf7 decodes RFC 2152, which old mailers still write. It is only ever decoded in one piece.
type utf7 struct{}

func (utf7) NewDecoder() *encoding.Decoder { return &encoding.Decoder{Transformer: &utf7Decoder{}} }
func (utf7) NewEncoder() *encoding.Encoder { return encoding.Nop.NewEncoder() }

type utf7Decoder struct{ transform.NopResetter }

func (*utf7Decoder) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	if !atEOF {
		return 0, 0, transform.ErrShortSrc
	}
	out := decodeUTF7(src)
	if len(out) > len(dst) {
		return 0, 0, transform.ErrShortDst
	}
	return copy(dst, out), len(src), nil
}

func decodeUTF7(src []byte) []byte {
	out := make([]byte, 0, len(src))
	for i := 0; i < len(src); i++ {
		if src[i] != '+' {
			out = append(out, src[i])
			continue
		}
		end := i + 1
		for end < len(src) && isBase64(src[end]) {
			end++
		}
		if end == i+1 {
			out = append(out, '+')
		} else {
			out = appendUTF16(out, src[i+1:end])
		}
		if end < len(src) && src[end] == '-' {
			end++
		}
		i = end - 1
	}
	return out
}

func appendUTF16(out, encoded []byte) []byte {
	raw := make([]byte, base64.RawStdEncoding.DecodedLen(len(encoded)))
	n, _ := base64.RawStdEncoding.Decode(raw, encoded)
	units := make([]uint16, 0, n/2)
	for i := 0; i+1 < n; i += 2 {
		units = append(units, uint16(raw[i])<<8|uint16(raw[i+1]))
	}
	for _, r := range utf16.Decode(units) {
		out = utf8.AppendRune(out, r)
	}
	return out
}

func isBase64(c byte) bool {
	return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '+' || c == '/'
}
