package telephony

import (
	"encoding/json"
	"net/url"
	"strings"
	"unicode/utf16"
)

// maxSegments is how many SMS one message may take; carriers join at most so many without losing any.
const maxSegments = 10

// gsm7 is the GSM 03.38 default alphabet; gsm7ext takes two places.
const (
	gsm7    = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsm7ext = "\f^{}\\[~]|€"
)

// smsSegments tells how many SMS a text takes, and whether one letter in it makes all of it UCS-2: 160 or 70 places, 153 or 67
// each when there are several (3GPP TS 23.038, 23.040).
func smsSegments(text string) (n int, unicode bool) {
	places := 0
	for _, r := range text {
		switch {
		case strings.ContainsRune(gsm7, r):
			places++
		case strings.ContainsRune(gsm7ext, r):
			places += 2
		default:
			unicode = true
		}
	}
	one, each := 160, 153
	if unicode {
		places, one, each = len(utf16.Encode([]rune(text))), 70, 67
	}
	if places <= one {
		return 1, unicode
	}
	return (places + each - 1) / each, unicode
}

// fillSMS puts values into {{name}} of a template; {{name.json}} is escaped for a JSON text inside a form. escape is how plain
// ones are written where the template stands. What is not known is empty; the settings' check has named it.
func fillSMS(template string, values map[string]string, escape func(string) string) string {
	var b strings.Builder
	for {
		before, after, ok := strings.Cut(template, "{{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		name, rest, ok := strings.Cut(after, "}}")
		if !ok {
			return b.String() + "{{" + after
		}
		name, asJSON := strings.CutSuffix(strings.TrimSpace(name), ".json")
		v := values[name]
		switch {
		case asJSON:
			v = jsonEscape(v)
		case escape != nil:
			v = escape(v)
		}
		b.WriteString(v)
		template = rest
	}
}

// smsNames lists the names a template uses.
func smsNames(template string) (names []string) {
	for {
		_, after, ok := strings.Cut(template, "{{")
		if !ok {
			return names
		}
		name, rest, ok := strings.Cut(after, "}}")
		if !ok {
			return append(names, after)
		}
		names, template = append(names, strings.TrimSuffix(strings.TrimSpace(name), ".json")), rest
	}
}

// jsonEscape is the inside of a JSON string.
func jsonEscape(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(s) != nil {
		return ""
	}
	return strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(b.String()), `"`), `"`)
}

func queryEscape(s string) string { return percentEncode(s) }

// headerEscape keeps a value on its line.
func headerEscape(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 127 {
			return -1
		}
		return r
	}, s)
}

// percentEncode is RFC 3986 with only its unreserved characters left, as Alibaba Cloud signs.
func percentEncode(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(url.QueryEscape(s), "+", "%20"), "%7E", "~")
}

func encodePairs(pairs []smsPair) string {
	parts := make([]string, len(pairs))
	for i, p := range pairs {
		parts[i] = percentEncode(p.name) + "=" + percentEncode(p.value)
	}
	return strings.Join(parts, "&")
}
