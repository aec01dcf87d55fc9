package normalizer

import (
	"slices"
	"strings"
	"testing"
	"unicode"
)

func TestSearchWordsPairsHanAndFoldsTheRest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, words, singles string }{
		{"退款流程", "退款 款流 流程", "退 款 流 程"},
		{"我要退貨 Order ＡＢ１２!", "我要 要退 退货 order ab12", "我 要 退 货"},
		{"好", "", "好"},
		{"Café Crème", "cafe creme", ""},
		{"a-b_c.d@e.com", "a b c d e com", ""},
		{"'; DROP TABLE x --", "drop table x", ""},
		{"", "", ""},
		{"第3个", "3", "第 个"},
	} {
		words, singles := SearchWords(c.text)
		if words != c.words || singles != c.singles {
			t.Errorf("SearchWords(%q) = %q, %q, want %q, %q", c.text, words, singles, c.words, c.singles)
		}
	}
}

func TestSearchQueryKeepsPhrasesTogetherAndFieldsApart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		q      string
		words  []string
		single bool
	}{
		{"退款流程 ABC", []string{"退款 款流 流程", "abc"}, false},
		{"退款 张三", []string{"退款", "张三"}, false},
		{"退", []string{"退"}, true},
		{"退 货", []string{"退", "货"}, true},
		{"退 refund", []string{"refund"}, false},
		{"!!", nil, false},
		{"GD20261121-0007", []string{"gd20261121", "0007"}, false},
	} {
		words, single := SearchQuery(c.q)
		if !slices.Equal(words, c.words) || single != c.single {
			t.Errorf("SearchQuery(%q) = %q, %v, want %q, %v", c.q, words, single, c.words, c.single)
		}
	}
}

func TestWhatIsAskedIsFoundInWhatIsIndexed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, q string }{
		{"我想申請退 款，謝謝", "退款"}, {"聯繫電話", "联系电话"}, {"RÉSUMÉ attached", "resume"}, {"发票抬头：北京", "發票抬頭"},
		{strings.Repeat("x", 100), strings.Repeat("X", 100)},
	} {
		words, _ := SearchWords(c.text)
		phrases, _ := SearchQuery(c.q)
		for _, phrase := range phrases {
			if !strings.Contains(" "+words+" ", " "+phrase+" ") {
				t.Errorf("%q does not find %q (%q in %q)", c.q, c.text, phrase, words)
			}
		}
	}
}

func TestSearchWordsStayBoundedForAnyText(t *testing.T) {
	t.Parallel()
	words, singles := SearchWords(strings.Repeat("退款流程", 200_000))
	if len(words) > maxIndex+200 || len(singles) > maxIndex+200 {
		t.Errorf("%d and %d bytes", len(words), len(singles))
	}
	if q, _ := SearchQuery(strings.Repeat("a b ", 10_000)); len(q) > maxQuery {
		t.Errorf("%d phrases", len(q))
	}
}

func checkTokens(t *testing.T, stream string) {
	t.Helper()
	for _, token := range strings.Fields(stream) {
		if len(token) > 4*maxWord {
			t.Fatalf("token of %d bytes", len(token))
		}
		for _, r := range token {
			if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Han, r) {
				t.Fatalf("token %q holds %U", token, r)
			}
		}
	}
}
