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
		{"never inside an anchor", `see <a href="https://example.com/1">the page of your order</a> now`, 62, []string{`see <a href="https://example.com/1">the page of your order</a>`, "now"}},
		{"not even when it begins late", `please do see <a href="https://example.com/1">the page of your order</a> now`, 64, []string{"please do see", `<a href="https://example.com/1">the page of your order</a> now`}},
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
		_, err := Fit(c.out, caps, 0)
		var e *connectors.SendError
		if !errors.As(err, &e) || e.Class != connectors.Permanent || e.Code != c.code || e.Hint == "" {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}

func TestFitSendsAttachmentsWithTheLastPartAndDropsHTML(t *testing.T) {
	out := desk.Outbound{Text: "one two three", HTML: "<b>x</b>", ExternalID: "m1", Attachments: []desk.Attachment{{Type: "image/png"}}}
	parts, err := Fit(out, connectors.Capabilities{MaxText: 8, MaxParts: 3, Attachments: []string{"image/*"}}, 0)
	if err != nil || len(parts) != 2 {
		t.Fatalf("%d parts, %v", len(parts), err)
	}
	if parts[0].Attachments != nil || len(parts[1].Attachments) != 1 || parts[0].HTML != "" || parts[0].ExternalID != "m1" || parts[1].ExternalID != "m1.2" {
		t.Errorf("got %+v", parts)
	}
}

func TestShutWindowIsRefusedBeforeItIsTried(t *testing.T) {
	caps := connectors.Capabilities{MaxText: 100, Quota: 5, Means: []connectors.Means{{Name: "template", NeedsText: true, MaxText: 20, AfterWindow: true}, {Name: "callback"}}}
	out := desk.Outbound{Text: "您好", WindowClosesAt: 1000, WindowRemaining: 4}
	for _, c := range []struct {
		name, code string
		now        desk.Time
		change     func(*desk.Outbound)
	}{
		{"open", "", 999, func(*desk.Outbound) {}},
		{"shut", "window_closed", 1000, func(*desk.Outbound) {}},
		{"a template goes all the same", "", 1000, func(o *desk.Outbound) { o.Means = "template" }},
		{"an empty template does not", "empty", 1000, func(o *desk.Outbound) { o.Means, o.Text = "template", " " }},
		{"nor does a long one", "too_long", 1000, func(o *desk.Outbound) { o.Means, o.Text = "template", strings.Repeat("好", 7) }},
		{"other means close too", "window_closed", 1000, func(o *desk.Outbound) { o.Means = "callback" }},
		{"means that are gone", "no_means", 1, func(o *desk.Outbound) { o.Means = "pigeon" }},
		{"no window at all", "", 5000, func(o *desk.Outbound) { o.WindowClosesAt = 0 }},
	} {
		o := out
		c.change(&o)
		_, err := Fit(o, caps, c.now)
		if got := connectors.AsSendError(err).Code; got != c.code {
			t.Errorf("%s: %q, want %q (%v)", c.name, got, c.code, err)
		}
	}
	if _, err := Fit(desk.Outbound{Text: "x"}, connectors.Capabilities{NoText: true}, 0); connectors.AsSendError(err).Code != "no_text" {
		t.Errorf("a telephone was written to: %v", err)
	}
}

func TestFilesOfASingleMessageChannelFollowTheTextWithinTheQuota(t *testing.T) {
	caps := connectors.Capabilities{MaxText: 10, MaxParts: 9, Single: true, Quota: 5, Attachments: []string{"*/*"}}
	out := desk.Outbound{ExternalID: "m", Text: "first one second", WindowClosesAt: 1000, WindowRemaining: 3,
		Attachments: []desk.Attachment{{Name: "a", Type: "image/png"}, {Name: "b", Type: "audio/amr"}}}
	parts, err := Fit(out, caps, 1)
	if err != nil || len(parts) != 4 {
		t.Fatalf("%+v %v", parts, err)
	}
	for i, want := range []struct{ id, text, file string }{{"m", "first one", ""}, {"m.2", "second", ""}, {"m.3", "", "a"}, {"m.4", "", "b"}} {
		file := ""
		for _, a := range parts[i].Attachments {
			file += a.Name
		}
		if parts[i].ExternalID != want.id || parts[i].Text != want.text || file != want.file {
			t.Errorf("part %d is %+v, want %+v", i, parts[i], want)
		}
	}
	out.WindowRemaining = 2
	if _, err := Fit(out, caps, 1); connectors.AsSendError(err).Code != "quota_used" {
		t.Errorf("four messages fit into a quota of three: %v", err)
	}
	out.Text, out.WindowRemaining = "", -1
	if parts, err = Fit(out, caps, 1); err != nil || len(parts) != 2 || parts[0].ExternalID != "m" {
		t.Errorf("files alone: %+v %v", parts, err)
	}
}
