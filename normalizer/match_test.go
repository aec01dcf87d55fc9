package normalizer

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func matched(s string) string { return string(Match(s).Runes) }

func TestMatchMakesSpellingsOfOneWordEqual(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{"ＲＥＦＵＮＤ", "refund"}, {"Refund", "refund"}, {"ﬁnance", "finance"}, {"ＡＰＰ　退款", "app退款"},
		{"退 款", "退款"}, {"退-款", "退款"}, {"退·款", "退款"}, {"退_款", "退款"}, {"退　款", "退款"}, {"退.款", "退款"},
		{"退 - 款", "退款"}, {"退*款", "退款"}, {"退|款", "退款"}, {"退\n款", "退款"}, {"退\u200b款", "退款"}, {"退\ufe0f款", "退款"},
		{"退\u2060\u200d款", "退款"}, {"退…款", "退款"}, {"退～款", "退款"}, {"退－款", "退款"},
		{"退貨", "退货"}, {"發票", "发票"}, {"帳號", "账号"}, {"賬號", "账号"}, {"臺灣", "台湾"}, {"電話號碼", "电话号码"}, {"妳好", "你好"},
		{"VIP 客户", "vip客户"}, {"VIP客户", "vip客户"}, {"order   number", "order number"}, {"order\n\tnumber", "order number"},
		{"  refund  ", "refund"}, {"happy-birthday", "happy-birthday"}, {"STRASSE straße", "strasse strasse"}, {"ΣΊΣΥΦΟΣ", "σίσυφοσ"},
		{"Ⅳ级", "iv级"}, {"①号", "1号"}, {"㈱", "(株)"}, {"ｶﾞ", "ガ"}, {"cafe\u0301", "café"}, {"１３８００１３８０００", "13800138000"},
		{"不，退款", "不,退款"}, {"退。款", "退。款"}, {"退\n\n款", "退 款"}, {"退     款", "退 款"}, {"", ""}, {" \n ", ""}, {"¥100", "¥100"},
		{"한국 사람", "한국 사람"}, {"-退款-", "-退款-"}, {"𠮷野家", "𠮷野家"},
	} {
		if got := matched(c.text); got != c.want {
			t.Errorf("Match(%q) = %q, want %q", c.text, got, c.want)
		}
	}
}

func TestMatchLeadsBackToTheBytesOfTheOriginal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, keyword, want string }{
		{"我要 退-款 了", "退款", "退-款"}, {"請幫我退貨。", "退货", "退貨"}, {"please ＲＥＦＵＮＤ me", "refund", "ＲＥＦＵＮＤ"},
		{"x\u200b退\u200b款y", "退款", "退\u200b款"}, {"a cafe\u0301!", "café", "cafe\u0301"}, {"die Straße", "strasse", "Straße"},
		{"㈱东芝", "株", "㈱"}, {"VIP  客户", "vip客户", "VIP  客户"},
	} {
		m := Match(c.text)
		at := strings.Index(string(m.Runes), c.keyword)
		if at < 0 {
			t.Errorf("%q not found in %q", c.keyword, string(m.Runes))
			continue
		}
		from := utf8.RuneCountInString(string(m.Runes)[:at])
		start, end := m.Span(from, from+utf8.RuneCountInString(c.keyword))
		if got := c.text[start:end]; got != c.want {
			t.Errorf("%q in %q leads to %q, want %q", c.keyword, c.text, got, c.want)
		}
	}
}

func FuzzMatch(f *testing.F) {
	for _, s := range []string{"退-款", "Ｒ\u200b e\u0301 ﷺ", "\xff\xfe退", "ß ẞ", " \n", "각\u1100\u1161\u11a8", "退 \xf0款"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m := Match(s)
		if len(m.Runes) != len(m.Start) || len(m.Runes) != len(m.End) {
			t.Fatal("lengths differ")
		}
		last := int32(0)
		for i := range m.Runes {
			if m.Start[i] < last || m.End[i] <= m.Start[i] || int(m.End[i]) > len(s) {
				t.Fatalf("rune %d of %q stands for %d..%d", i, s, m.Start[i], m.End[i])
			}
			last = m.Start[i]
		}
		words, singles := SearchWords(s)
		checkTokens(t, words)
		checkTokens(t, singles)
		SearchQuery(s)
		if c := CleanText(s); !utf8.ValidString(c) || strings.ContainsAny(c, "\x00\r") {
			t.Fatalf("CleanText left %q", c)
		}
		Snippet(s, 10)
		DetectLanguage(s)
	})
}

func BenchmarkMatchChinese400(b *testing.B) {
	text := strings.Repeat("您好我上周买的手機壳还没有收到，", 25)
	b.ReportAllocs()
	for b.Loop() {
		Match(text)
	}
}

func BenchmarkMatchLatin1000(b *testing.B) {
	text := strings.Repeat("Hello, I'd like a refund for order 12. ", 25)
	b.ReportAllocs()
	for b.Loop() {
		Match(text)
	}
}

func BenchmarkSearchWordsChinese400(b *testing.B) {
	text := strings.Repeat("您好我上周买的手機壳还没有收到，", 25)
	b.ReportAllocs()
	for b.Loop() {
		SearchWords(text)
	}
}
