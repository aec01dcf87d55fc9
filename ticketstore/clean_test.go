package ticketstore

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzCleanedTextFitsBothEngines(f *testing.F) {
	for _, s := range []string{"", "a\x00b", "\xff\xfe", `\u0000`, `\\u0000`, "\u202e", `a\`, "\x00\\"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c := clean(s)
		if strings.ContainsRune(c, 0) || !utf8.ValidString(c) {
			t.Errorf("clean(%q) = %q", s, c)
		}
		if utf8.ValidString(s) && !strings.Contains(s, "\x00") && c != s {
			t.Errorf("clean changed %q", s)
		}
		var back string
		if err := json.Unmarshal([]byte(jsonText(s)), &back); err != nil || back != c && strings.ToValidUTF8(s, "\uFFFD") == s {
			t.Errorf("jsonText(%q) reads back as %q: %v", s, back, err)
		}
		if strings.Contains(vector(c), "\n") && !strings.Contains(c, "\n") {
			t.Errorf("vector(%q)", c)
		}
	})
}

func TestShortKeepsWholeCharactersOnOneLine(t *testing.T) {
	for text, want := range map[string]string{"退 款\n\n请": "退 款 请", "abcdef": "abcde", "": "", "一二三四五六": "一二三四五", "a\x00b": "a\uFFFDb"} {
		if got := short(text, 5); got != want {
			t.Errorf("short(%q) = %q, want %q", text, got, want)
		}
	}
	if got := short(strings.Repeat("长", 1<<20), 140); utf8.RuneCountInString(got) != 140 {
		t.Errorf("%d characters", utf8.RuneCountInString(got))
	}
}
