package normalizer

import "testing"

func TestCleanTextKeepsEverythingAPersonWrote(t *testing.T) {
	t.Parallel()
	for _, c := range [][2]string{
		{"a\r\nb\rc\nd", "a\nb\nc\nd"}, {"a\x00b", "ab"}, {"ok\xff\xfe!", "ok\uFFFD!"}, {"\u202eabc\x1b[0m", "\u202eabc\x1b[0m"}, {"退款", "退款"},
	} {
		if got := CleanText(c[0]); got != c[1] {
			t.Errorf("CleanText(%q) = %q, want %q", c[0], got, c[1])
		}
	}
}

func TestSnippetIsOneLineAndNeverCutsACharacter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		s    string
		n    int
		want string
	}{
		{"hello\n\n world ", 20, "hello world"}, {"hello world", 5, "hello…"}, {"退款流程说明", 4, "退款流程…"}, {"e\u0301e\u0301e\u0301", 2, "e\u0301e\u0301…"},
		{"👨‍👩‍👧!x", 2, "👨‍👩‍👧!…"}, {"👍🏽👍🏽", 1, "👍🏽…"}, {"a\u202eb", 9, "ab"}, {"", 3, ""}, {"ab", 2, "ab"}, {"a b", 2, "a…"}, {"x", 0, "…"},
	} {
		if got := Snippet(c.s, c.n); got != c.want {
			t.Errorf("Snippet(%q, %d) = %q, want %q", c.s, c.n, got, c.want)
		}
	}
}

func TestDetectLanguageGoesByScript(t *testing.T) {
	t.Parallel()
	for _, c := range [][2]string{
		{"我的订单还没到", "zh"}, {"请问 iPhone 15 Pro Max 有货吗？谢谢", "zh"}, {"Where is my order?", "en"}, {"注文はまだ届いていません", "other"},
		{"Где мой заказ?", "other"}, {"12345 !!", ""}, {"", ""}, {"Hello 张三, where is my order? I have been waiting", "en"},
	} {
		if got := DetectLanguage(c[0]); got != c[1] {
			t.Errorf("DetectLanguage(%q) = %q, want %q", c[0], got, c[1])
		}
	}
}

func TestEveryTraditionalCharacterHasOneSimplifiedForm(t *testing.T) {
	t.Parallel()
	from, to := []rune(traditionalChars), []rune(simplifiedChars)
	if len(from) != len(to) || len(from) < 3000 {
		t.Fatalf("%d traditional and %d simplified characters", len(from), len(to))
	}
	for i, r := range from {
		if i > 0 && from[i-1] >= r {
			t.Errorf("%c is out of order", r)
		}
		if got := simplify(r); got != to[i] && r != '帳' {
			t.Errorf("%c becomes %c, want %c", r, got, to[i])
		}
	}
}
