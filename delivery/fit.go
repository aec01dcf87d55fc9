package delivery

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"hearback/connectors"
	"hearback/desk"
)

// Fit makes a reply what the channel can carry: formatting dropped where it would be lost, a long text split into parts
// that are sent one after the other, or a permanent SendError with a hint where it cannot be carried at all. Attachments
// travel with the last part.
func Fit(o desk.Outbound, c connectors.Capabilities) ([]desk.Outbound, error) {
	if !c.HTML {
		o.HTML = ""
	}
	for _, a := range o.Attachments {
		if err := fitAttachment(a, c); err != nil {
			return nil, err
		}
	}
	texts := []string{o.Text}
	if c.MaxText > 0 && len(o.Text) > c.MaxText {
		texts = Split(o.Text, c.MaxText)
		if limit := max(c.MaxParts, 1); len(texts) > limit {
			return nil, &connectors.SendError{Class: connectors.Permanent, Code: "too_long",
				Hint: fmt.Sprintf("The text has %d bytes; this channel carries at most %d.", len(o.Text), c.MaxText*limit)}
		}
	}
	parts := make([]desk.Outbound, len(texts))
	for i, text := range texts {
		parts[i] = o
		parts[i].Text = text
		if i > 0 {
			parts[i].ExternalID = fmt.Sprintf("%s.%d", o.ExternalID, i+1)
		}
		if i < len(texts)-1 {
			parts[i].Attachments = nil
		}
	}
	return parts, nil
}

func fitAttachment(a desk.Attachment, c connectors.Capabilities) error {
	if !accepts(c.Attachments, a.Type) {
		return &connectors.SendError{Class: connectors.Permanent, Code: "attachment_type",
			Hint: fmt.Sprintf("This channel cannot carry files of type %s (%s).", a.Type, a.Name)}
	}
	if c.MaxAttachment > 0 && a.Size > c.MaxAttachment {
		return &connectors.SendError{Class: connectors.Permanent, Code: "attachment_size",
			Hint: fmt.Sprintf("%s has %d bytes; this channel carries at most %d.", a.Name, a.Size, c.MaxAttachment)}
	}
	return nil
}

// accepts matches a media type against patterns such as image/* and */*.
func accepts(patterns []string, mediaType string) bool {
	base, _, _ := strings.Cut(mediaType, ";")
	for _, p := range patterns {
		if p == "*/*" || p == base || strings.HasSuffix(p, "/*") && strings.HasPrefix(base, p[:len(p)-1]) {
			return true
		}
	}
	return false
}

// Split cuts text into pieces of at most limit bytes without losing a character: at a line end, else after a sentence, else
// after a comma, else at a space, else between two characters that do not belong together. Links are never cut when a piece
// can hold them.
func Split(text string, limit int) []string {
	var parts []string
	for len(text) > limit {
		cut := cutAt(text, limit)
		parts = append(parts, strings.TrimRightFunc(text[:cut], unicode.IsSpace))
		text = strings.TrimLeftFunc(text[cut:], unicode.IsSpace)
	}
	if text != "" || len(parts) == 0 {
		parts = append(parts, text)
	}
	return parts
}

// Sets of characters after which a text may be cut, best first.
var breaks = []string{"\n", "。！？!?…", ".", "，,；;：、", " \t　"}

func cutAt(text string, limit int) int {
	head := text[:limit]
	for !utf8.RuneStart(text[len(head)]) {
		head = head[:len(head)-1]
	}
	if link := linkAt(text, len(head)); link > 0 {
		head = head[:link]
	}
	for _, set := range breaks {
		// A break in the first half would make needlessly many parts.
		if i := strings.LastIndexAny(head, set); i >= len(head)/2 {
			_, size := utf8.DecodeRuneInString(head[i:])
			return i + size
		}
	}
	return len(whole(text, head))
}

// linkAt returns where the link begins that position at lies inside of, or 0.
func linkAt(text string, at int) int {
	start := strings.LastIndex(text[:at], "http")
	if start <= 0 || !strings.HasPrefix(text[start:], "http://") && !strings.HasPrefix(text[start:], "https://") {
		return 0
	}
	end := strings.IndexFunc(text[start:], func(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Han, r) })
	if end < 0 || start+end > at {
		return start
	}
	return 0
}

// whole steps back so that no combining mark, variation selector or joined emoji is parted from its base.
func whole(text, head string) string {
	for len(head) > 0 {
		next, _ := utf8.DecodeRuneInString(text[len(head):])
		last, size := utf8.DecodeLastRuneInString(head)
		if !joins(next) && last != 0x200d {
			return head
		}
		if size == len(head) {
			break
		}
		head = head[:len(head)-size]
	}
	_, size := utf8.DecodeRuneInString(text)
	return text[:max(size, len(head))]
}

func joins(r rune) bool {
	return unicode.Is(unicode.M, r) || r == 0x200d || r >= 0xfe00 && r <= 0xfe0f || r >= 0x1f3fb && r <= 0x1f3ff
}
