package mail

import (
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"
)

// decodeWords decodes the encoded words of RFC 2047 wherever they stand in s, which is valid UTF-8. White space between two of
// them belongs to neither.
//
// QUIRK: mailers cut a character, or even a group of base64, between two words. Words of one charset that follow each other are
// therefore joined as bytes before they are decoded.
func decodeWords(s string) string {
	if !strings.Contains(s, "=?") {
		return s
	}
	var out strings.Builder
	var run wordRun
	for s != "" {
		at := strings.Index(s, "=?")
		if at < 0 {
			break
		}
		word, rest, ok := parseWord(s[at:])
		if !ok {
			run.flush(&out)
			out.WriteString(s[:at+2])
			s = s[at+2:]
			continue
		}
		if gap := s[:at]; strings.TrimLeft(gap, " \t\r\n") != "" || run.empty() {
			run.flush(&out)
			out.WriteString(gap)
		}
		run.add(word, &out)
		s = rest
	}
	run.flush(&out)
	out.WriteString(s)
	return out.String()
}

// escapeWords encodes 8-bit bytes that stand inside encoded words, where they are in the word's charset.
func escapeWords(s string) string {
	if !strings.Contains(s, "=?") {
		return s
	}
	var out strings.Builder
	for {
		at := strings.Index(s, "=?")
		if at < 0 {
			break
		}
		word, rest, ok := parseWord(s[at:])
		if !ok || word.base64 {
			out.WriteString(s[:at+2])
			s = s[at+2:]
			continue
		}
		out.WriteString(s[:at])
		for _, c := range []byte(s[at : len(s)-len(rest)]) {
			if c < utf8.RuneSelf {
				out.WriteByte(c)
			} else {
				fmt.Fprintf(&out, "=%02X", c)
			}
		}
		s = rest
	}
	out.WriteString(s)
	return out.String()
}

// maxWordBytes bounds one encoded word. 75 are allowed (RFC 2047, 2); some mailers write a whole subject as one.
const maxWordBytes = 16 << 10

// maxDecoded bounds how much of a field is decoded.
const maxDecoded = 64 << 10

type encodedWord struct {
	charset string
	base64  bool
	text    string
}

// parseWord reads one encoded word at the beginning of s.
func parseWord(s string) (w encodedWord, rest string, ok bool) {
	end := strings.IndexByte(s[2:], '?')
	if end <= 0 || end > 40 {
		return w, s, false
	}
	w.charset, s = s[2:2+end], s[2+end+1:]
	if at := strings.IndexByte(w.charset, '*'); at >= 0 {
		w.charset = w.charset[:at] // RFC 2231, 5: a language may follow
	}
	if len(s) < 2 || s[1] != '?' || strings.ContainsAny(w.charset, " \t\r\n=<>@,") {
		return w, s, false
	}
	switch s[0] {
	case 'B', 'b':
		w.base64 = true
	case 'Q', 'q':
	default:
		return w, s, false
	}
	s = s[2:]
	end = wordEnd(s)
	if end < 0 {
		return w, s, false
	}
	w.text = s[:end]
	return w, s[end+2:], true
}

// wordEnd finds the closing "?=". QUIRK: "?=" may also be the start of "=XX" after a question mark nobody encoded.
func wordEnd(s string) int {
	s = s[:min(len(s), maxWordBytes)]
	at := 0
	for {
		end := strings.Index(s[at:], "?=")
		if end < 0 {
			return -1
		}
		end += at
		after := s[end+2 : min(len(s), end+200)]
		if len(after) >= 2 && isHex(after[0]) && isHex(after[1]) && strings.Contains(after, "?=") && !strings.Contains(after[:strings.Index(after, "?=")], "=?") {
			at = end + 2
			continue
		}
		return end
	}
}

// wordRun gathers neighbouring words of one charset and encoding.
type wordRun struct {
	charset string
	base64  bool
	bytes   []byte
	pending string // base64 that does not end a group yet
	any     bool
}

func (r *wordRun) empty() bool { return !r.any }

func (r *wordRun) add(w encodedWord, out *strings.Builder) {
	if r.any && !strings.EqualFold(r.charset, w.charset) {
		r.flush(out)
	}
	if r.any && r.pending != "" && !w.base64 {
		r.settle()
	}
	r.any, r.charset, r.base64 = true, w.charset, w.base64
	if !w.base64 {
		r.bytes = append(r.bytes, decodeQ(w.text)...)
		return
	}
	text := r.pending + stripBase64(w.text)
	r.pending = ""
	if whole := len(text) / 4 * 4; whole < len(text) && !strings.HasSuffix(text, "=") {
		r.pending, text = text[whole:], text[:whole]
	}
	r.bytes = append(r.bytes, decodeBase64([]byte(text))...)
}

// settle decodes base64 that lacks its padding.
func (r *wordRun) settle() {
	r.bytes = append(r.bytes, decodeBase64([]byte(r.pending))...)
	r.pending = ""
}

func (r *wordRun) flush(out *strings.Builder) {
	if !r.any {
		return
	}
	r.settle()
	text, _ := decodeCharset(r.bytes, r.charset)
	out.WriteString(text)
	*r = wordRun{}
}

func stripBase64(s string) string {
	return strings.Map(func(c rune) rune {
		if c < utf8.RuneSelf && (isBase64(byte(c)) || c == '=') {
			return c
		}
		return -1
	}, s)
}

func decodeQ(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '_':
			out = append(out, ' ')
		case s[i] == '=' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			out = append(out, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
		default:
			out = append(out, s[i])
		}
	}
	return out
}

// decodeBase64 decodes what can be decoded: foreign bytes are skipped, groups after padding go on, a last incomplete group
// gives the bytes it holds.
func decodeBase64(b []byte) []byte {
	out, _ := lenientBase64(b)
	return out
}

func lenientBase64(b []byte) (out []byte, clean bool) {
	var d base64Decoder
	out = d.decode(make([]byte, 0, len(b)/4*3+3), b)
	return d.end(out)
}

// A base64Decoder decodes piece by piece. The zero value is ready.
type base64Decoder struct {
	group  [4]byte
	n      int
	padded bool
	broken bool // something was there that does not belong there
}

func (d *base64Decoder) flush(out []byte) []byte {
	if d.n >= 2 {
		var raw [3]byte
		k, _ := base64.RawStdEncoding.Decode(raw[:], d.group[:d.n])
		out = append(out, raw[:k]...)
	}
	d.n = 0
	return out
}

// decode appends what b completes.
func (d *base64Decoder) decode(out, b []byte) []byte {
	for _, c := range b {
		switch {
		case d.padded && c != '\n' && c != '=':
			d.broken = d.broken || c != '\r' && c != ' ' // nothing follows the padding on its line
		case isBase64(c):
			d.group[d.n] = c
			if d.n++; d.n == 4 {
				out = d.flush(out)
			}
		case c == '=':
			d.padded = d.n > 0 || d.padded
			out = d.flush(out)
		case c == '\n':
			d.padded = false
		case c == '\r' || c == ' ' || c == '\t':
		default:
			d.broken = true
		}
	}
	return out
}

// end appends what the last group holds and tells whether all was as it should be.
func (d *base64Decoder) end(out []byte) ([]byte, bool) {
	d.broken = d.broken || d.n != 0
	return d.flush(out), !d.broken
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'F' || 'a' <= c && c <= 'f'
}

func unhex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c <= 'F':
		return c - 'A' + 10
	}
	return c - 'a' + 10
}
