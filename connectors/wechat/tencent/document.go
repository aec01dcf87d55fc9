package tencent

import (
	"encoding/json"
	"strconv"
	"strings"
)

// A field is one element of a callback; its order is kept.
type field struct {
	name   string
	text   string
	number bool    // written bare
	inside []field // nested
}

func text(name, v string) field { return field{name: name, text: v} }
func number(name string, v int64) field {
	return field{name: name, text: strconv.FormatInt(v, 10), number: true}
}

// document writes the fields as the account takes them.
func document(asJSON bool, fields []field) []byte {
	var b strings.Builder
	if asJSON {
		writeJSON(&b, fields)
	} else {
		b.WriteString("<xml>")
		writeXML(&b, fields)
		b.WriteString("</xml>")
	}
	return []byte(b.String())
}

func writeXML(b *strings.Builder, fields []field) {
	for _, f := range fields {
		b.WriteString("<" + f.name + ">")
		switch {
		case f.inside != nil:
			writeXML(b, f.inside)
		case f.number:
			b.WriteString(f.text)
		default:
			b.WriteString(cdata(f.text))
		}
		b.WriteString("</" + f.name + ">")
	}
}

func writeJSON(b *strings.Builder, fields []field) {
	b.WriteByte('{')
	for i, f := range fields {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(quote(f.name) + ":")
		switch {
		case f.inside != nil:
			writeJSON(b, f.inside)
		case f.number:
			b.WriteString(f.text)
		default:
			b.WriteString(quote(f.text))
		}
	}
	b.WriteByte('}')
}

// cdata quotes text; "]]>" inside is split over two sections.
func cdata(s string) string {
	return "<![CDATA[" + strings.ReplaceAll(s, "]]>", "]]]]><![CDATA[>") + "]]>"
}

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string
	}
	return string(b)
}

func contains(s, part string) bool { return strings.Contains(s, part) }
