package delivery

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"hearback/connectors"
	"hearback/desk"
)

// Fit makes a reply what the channel can carry at a moment: formatting dropped where it would be lost, a long text split into
// parts that are sent one after the other, files on channels of single messages each a part of its own, or a permanent SendError
// with a hint where it cannot be carried at all, because of what it is or because the reply window is shut. On other channels files
// travel with the last part.
func Fit(o desk.Outbound, c connectors.Capabilities, now desk.Time) ([]desk.Outbound, error) {
	if o.Means != "" {
		return fitMeans(o, c, now)
	}
	if c.NoText {
		return nil, refused("no_text", "No written message can leave by this channel.")
	}
	if o.WindowClosesAt != 0 && now >= o.WindowClosesAt {
		return nil, windowClosed
	}
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
			return nil, refused("too_long", fmt.Sprintf("The text has %d bytes; this channel carries at most %d.", len(o.Text), c.MaxText*limit))
		}
	}
	parts := inParts(o, texts, c.Single)
	// The reply itself has its place in the quota already.
	if room := o.WindowRemaining + 1; c.Quota > 0 && o.WindowClosesAt != 0 && o.WindowRemaining >= 0 && len(parts) > room {
		return nil, refused("quota_used", fmt.Sprintf("The reply needs %d messages, and the customer can be sent only %d before he writes again.", len(parts), room))
	}
	return parts, nil
}

var windowClosed = refused("window_closed", "The time for an answer is over: the customer has to write again first. Answer by another channel.")

func refused(code, hint string) *connectors.SendError {
	return &connectors.SendError{Class: connectors.Permanent, Code: code, Hint: hint}
}

// fitMeans checks a reply that leaves by other means than a written message.
func fitMeans(o desk.Outbound, c connectors.Capabilities, now desk.Time) ([]desk.Outbound, error) {
	m, ok := meansOf(c, o.Means)
	switch {
	case !ok:
		return nil, refused("no_means", "This channel does not do that any more.")
	case !m.AfterWindow && o.WindowClosesAt != 0 && now >= o.WindowClosesAt:
		return nil, windowClosed
	case m.NeedsText && strings.TrimSpace(o.Text) == "":
		return nil, refused("empty", "Write something first.")
	case m.MaxText > 0 && len(o.Text) > m.MaxText:
		return nil, refused("too_long", fmt.Sprintf("The text has %d bytes; at most %d can be sent this way.", len(o.Text), m.MaxText))
	case len(o.Attachments) > 0:
		return nil, refused("attachment_type", "No files can be sent this way.")
	}
	o.HTML = ""
	return []desk.Outbound{o}, nil
}

func meansOf(c connectors.Capabilities, name string) (connectors.Means, bool) {
	for _, m := range c.Means {
		if m.Name == name {
			return m, true
		}
	}
	return connectors.Means{}, false
}

// inParts spreads texts and files over messages. The first keeps the reply's own id.
func inParts(o desk.Outbound, texts []string, single bool) []desk.Outbound {
	var parts []desk.Outbound
	add := func(text string, files []desk.Attachment) {
		p := o
		p.Text, p.Attachments = text, files
		if len(parts) > 0 {
			p.ExternalID = fmt.Sprintf("%s.%d", o.ExternalID, len(parts)+1)
		}
		parts = append(parts, p)
	}
	for i, text := range texts {
		switch last := i == len(texts)-1; {
		case !single && last:
			add(text, o.Attachments)
		case !single || text != "" || len(o.Attachments) == 0:
			add(text, nil)
		}
	}
	if single {
		for _, a := range o.Attachments {
			add("", []desk.Attachment{a})
		}
	}
	return parts
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
	if anchor := anchorAt(text, len(head)); anchor > 0 {
		head = head[:anchor]
	}
	for _, set := range breaks {
		if cut := lastBreak(text, head, set); cut > 0 {
			return cut
		}
	}
	return len(whole(text, head))
}

// lastBreak returns where the head ends after its last character of a set, or 0. A break in the first half would make needlessly many
// parts, and one inside a link is none.
func lastBreak(text, head, set string) int {
	if next, _ := utf8.DecodeRuneInString(text[len(head):]); strings.ContainsRune(set, next) && unicode.IsSpace(next) {
		return len(head)
	}
	for rest := head; ; {
		i := strings.LastIndexAny(rest, set)
		if i < len(head)/2 {
			return 0
		}
		_, size := utf8.DecodeRuneInString(head[i:])
		if linkAt(text, i+size) == 0 && anchorAt(text, i+size) == 0 {
			return i + size
		}
		rest = rest[:i]
	}
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

// anchorAt returns where the <a …>…</a> begins that position at lies inside of, or 0. Chat programs take links in that form.
func anchorAt(text string, at int) int {
	start := strings.LastIndex(text[:at], "<a ")
	if start <= 0 {
		return 0
	}
	if end := strings.Index(text[start:], "</a>"); end < 0 || start+end+len("</a>") <= at {
		return 0
	}
	return start
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
