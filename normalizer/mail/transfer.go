package mail

import (
	"bytes"
	"io"
	"strings"

	"github.com/emersion/go-message"
)

// decodeTransfer undoes a Content-Transfer-Encoding. go-message decodes what is sound; the rest is read as far as it goes.
func decodeTransfer(body []byte, encoding string, fix *repairs) []byte {
	encoding = strings.ToLower(strings.Trim(stripComments(encoding), " \t\"';"))
	switch encoding {
	case "", "7bit", "8bit", "binary", "7-bit", "8-bit", "none", "plain":
		return body
	case "base64":
		if out, ok := soundly(body, encoding); ok {
			return out
		}
		out, _ := lenientBase64(body)
		fix.add(RepairBase64, "base64")
		return out
	case "quoted-printable":
		if out, ok := soundly(body, encoding); ok {
			return out
		}
		return decodeQuotedPrintable(body)
	case "x-uuencode", "uuencode", "x-uue", "uue":
		if out, ok := decodeUU(body); ok {
			return out
		}
	}
	if compact := strings.NewReplacer("-", "", "_", "", " ", "").Replace(encoding); compact == "base64" || compact == "quotedprintable" {
		return decodeTransfer(body, map[string]string{"base64": "base64", "quotedprintable": "quoted-printable"}[compact], fix)
	}
	fix.add(RepairEncoding, encoding)
	return body
}

// soundly lets go-message decode; false when it finds fault.
func soundly(body []byte, encoding string) ([]byte, bool) {
	var h message.Header
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Transfer-Encoding", encoding)
	entity, err := message.New(h, bytes.NewReader(body))
	if err != nil || entity == nil {
		return nil, false
	}
	out := bytes.NewBuffer(make([]byte, 0, len(body)))
	if _, err := io.Copy(out, entity.Body); err != nil {
		return nil, false
	}
	return out.Bytes(), true
}

// decodeQuotedPrintable takes an "=" that encodes nothing for itself.
func decodeQuotedPrintable(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for len(b) > 0 {
		line, rest := nextLine(b)
		b = rest
		text := bytes.TrimRight(line, " \t\r\n")
		end := line[len(bytes.TrimRight(line, "\r\n")):]
		for i := 0; i < len(text); i++ {
			switch {
			case text[i] != '=':
				out = append(out, text[i])
			case i+2 < len(text) && isHex(text[i+1]) && isHex(text[i+2]):
				out = append(out, unhex(text[i+1])<<4|unhex(text[i+2]))
				i += 2
			case i == len(text)-1:
				end = nil
			default:
				out = append(out, '=')
			}
		}
		out = append(out, end...)
	}
	return out
}

// decodeUU decodes the first uuencoded file in b.
func decodeUU(b []byte) ([]byte, bool) {
	at := bytes.Index(b, []byte("begin "))
	if at < 0 {
		return nil, false
	}
	_, b = nextLine(b[at:])
	var out []byte
	for len(b) > 0 {
		var line []byte
		line, b = nextLine(b)
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 || line[0] == '`' || bytes.Equal(line, []byte("end")) {
			break
		}
		out = appendUULine(out, line)
	}
	return out, len(out) > 0
}

func appendUULine(out, line []byte) []byte {
	want := int(line[0]-' ') & 0x3f
	start := len(out)
	at := func(i int) byte {
		if i < len(line) {
			return (line[i] - ' ') & 0x3f
		}
		return 0
	}
	for i := 1; len(out)-start < want && i < len(line); i += 4 {
		a, b, c, d := at(i), at(i+1), at(i+2), at(i+3)
		out = append(out, a<<2|b>>4, b<<4|c>>2, c<<6|d)
	}
	if len(out)-start > want {
		out = out[:start+want]
	}
	return out
}
