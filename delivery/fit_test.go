package delivery

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"hearback/connectors"
	"hearback/desk"
)

func squeeze(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}

func TestSplitCutsAtTheBestPlace(t *testing.T) {
	for _, c := range []struct {
		name, text string
		limit      int
		want       []string
	}{
		{"short stays whole", "hello", 10, []string{"hello"}},
		{"at a line end", "first line\nsecond line", 18, []string{"first line", "second line"}},
		{"after a Chinese sentence", "您好，已为您退款。请留意查收短信", 36, []string{"您好，已为您退款。", "请留意查收短信"}},
		{"at a space", "alpha beta gamma", 12, []string{"alpha beta", "gamma"}},
		{"never inside a link", "please see https://example.com/order/123456 now", 40, []string{"please see", "https://example.com/order/123456 now"}},
		{"never inside a joined emoji", "aaaa👩‍👩‍👧", 12, []string{"aaaa", "👩‍👩‍👧"}},
	} {
		got := Split(c.text, c.limit)
		if c.name == "never inside a joined emoji" {
			got = Split(c.text, 18) // the family takes 18 bytes
		}
		if strings.Join(got, "|") != strings.Join(c.want, "|") {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func FuzzSplitLosesNothing(f *testing.F) {
	f.Add("您好，https://example.com/a 👩‍👩‍👧 é́ text", 20)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		limit = 8 + (limit&0x7fffffff)%200
		if !utf8.ValidString(text) {
			return
		}
		parts := Split(text, limit)
		for _, p := range parts {
			if len(p) > limit || !utf8.ValidString(p) {
				t.Fatalf("part %q of %d bytes for limit %d", p, len(p), limit)
			}
		}
		if squeeze(strings.Join(parts, "")) != squeeze(text) {
			t.Fatalf("%q became %q", text, parts)
		}
	})
}

func TestFitRefusesWithAHintWhatTheChannelCannotCarry(t *testing.T) {
	caps := connectors.Capabilities{MaxText: 10, MaxParts: 2, Attachments: []string{"image/*"}, MaxAttachment: 5}
	for _, c := range []struct {
		name, code string
		out        desk.Outbound
	}{
		{"too many parts", "too_long", desk.Outbound{Text: strings.Repeat("退", 30)}},
		{"type", "attachment_type", desk.Outbound{Attachments: []desk.Attachment{{Name: "a.pdf", Type: "application/pdf"}}}},
		{"size", "attachment_size", desk.Outbound{Attachments: []desk.Attachment{{Name: "a.png", Type: "image/png", Size: 6}}}},
	} {
		_, err := Fit(c.out, caps)
		var e *connectors.SendError
		if !errors.As(err, &e) || e.Class != connectors.Permanent || e.Code != c.code || e.Hint == "" {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}

func TestFitSendsAttachmentsWithTheLastPartAndDropsHTML(t *testing.T) {
	out := desk.Outbound{Text: "one two three", HTML: "<b>x</b>", ExternalID: "m1", Attachments: []desk.Attachment{{Type: "image/png"}}}
	parts, err := Fit(out, connectors.Capabilities{MaxText: 8, MaxParts: 3, Attachments: []string{"image/*"}})
	if err != nil || len(parts) != 2 {
		t.Fatalf("%d parts, %v", len(parts), err)
	}
	if parts[0].Attachments != nil || len(parts[1].Attachments) != 1 || parts[0].HTML != "" || parts[0].ExternalID != "m1" || parts[1].ExternalID != "m1.2" {
		t.Errorf("got %+v", parts)
	}
}
