package ticketstore

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// clean makes text storable on both engines: PostgreSQL refuses NUL and invalid UTF-8. Everything else stays, control
// characters and bidirectional overrides included.
func clean(s string) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	}
	return s
}

// cleanAll cleans the texts among a statement's arguments, in place.
func cleanAll(args []any) []any {
	for i, a := range args {
		if s, ok := a.(string); ok {
			args[i] = clean(s)
		}
	}
	return args
}

var nulEscape = []byte(`\u0000`)

// jsonText writes v as JSON a JSONB column takes: without an escaped NUL.
func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("ticketstore: marshal %T: %v", v, err)) // only our own plain types come here
	}
	return string(cleanJSON(b))
}

// cleanJSON replaces \u0000 escapes by \ufffd, leaving an escaped backslash before u0000 alone.
func cleanJSON(b []byte) []byte {
	if !bytes.Contains(b, nulEscape) {
		return b
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' || i+1 == len(b) {
			out = append(out, b[i])
			continue
		}
		if bytes.HasPrefix(b[i:], nulEscape) {
			out = append(out, `\ufffd`...)
			i += len(nulEscape) - 1
			continue
		}
		out = append(out, b[i], b[i+1])
		i++
	}
	return out
}

// rawJSON is what a JSON column is written with when the value is JSON already; nothing becomes {}.
func rawJSON(b json.RawMessage) string {
	if len(bytes.TrimSpace(b)) == 0 {
		return "{}"
	}
	return string(cleanJSON(b))
}
