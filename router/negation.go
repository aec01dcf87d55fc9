package router

import "strings"

// A keyword that is negated right before it does not count: 不退款, 不需要退款, 不用再退款了, "I don't want a refund". What may
// stand between is a short list, so that "不知道怎么退款" (does not know how) and "不能退款" (a complaint) still count.
// A rule that wants the negated form names it: the keyword 不退款 is a keyword like any other.
var (
	hanNegators = []string{"没有", "不", "没", "别", "无", "勿", "未", "莫", "甭"}
	hanFillers  = []string{"需要", "想要", "打算", "考虑", "申请", "办理", "要求", "希望", "必要", "需", "要", "想", "用", "必", "是", "会",
		"再", "我", "去", "做", "给我", "帮我"}
	// Before the negator these turn it into a question, a complaint or its opposite: 为什么不退款, 还没退款, 不得不退款.
	hanRevivers = []string{"为什么", "为啥", "为何", "怎么", "咋", "干嘛", "凭什么", "还", "还是", "仍", "仍然", "一直", "至今", "迟迟", "都", "不得", "不能", "不会",
		"如果", "要是", "再", "尚"}
	// 别 ends words of its own: 特别想退款.
	hanEndingInBie = []string{"特", "区", "个", "分", "级", "类", "性", "差", "告", "鉴", "识"}
	latinNegators  = []string{"no", "not", "don't", "dont", "don’t", "doesn't", "doesn’t", "didn't", "didn’t", "won't", "won’t", "never",
		"without"}
	latinFillers = []string{"a", "an", "any", "the", "my", "your", "to", "for", "of", "need", "want", "require", "like", "longer", "more",
		"ask", "asking", "request", "requesting", "do", "i"}
)

// negationEnds are the runes that can stand right before a negated keyword: most keywords need no further look.
var negationEnds = func() map[rune]bool {
	ends := map[rune]bool{' ': true}
	for _, w := range append(append([]string{}, hanNegators...), hanFillers...) {
		runes := []rune(w)
		ends[runes[len(runes)-1]] = true
	}
	return ends
}()

const (
	maxFillers     = 3
	negationWindow = 24 // runes before the keyword that are looked at
)

// negatedBy returns the words that negate the keyword beginning at text[from], "" when none do.
func negatedBy(text []rune, from int) string {
	if from == 0 || !negationEnds[text[from-1]] {
		return ""
	}
	start := max(0, from-negationWindow)
	before := string(text[start:from])
	if isWordRune(text[from]) || strings.HasSuffix(before, " ") {
		if w := latinNegation(before, start == 0); w != "" {
			return w
		}
	}
	return hanNegation(before, string(text[from:min(len(text), from+1)]))
}

// hanNegation strips fillers from the end of before and looks for a negator there.
func hanNegation(before, first string) string {
	rest := before
	for range maxFillers + 1 {
		for _, n := range hanNegators {
			head, ok := strings.CutSuffix(rest, n)
			if !ok {
				continue
			}
			if revived(head, n, rest, before, first) {
				return ""
			}
			return before[len(head):]
		}
		cut := rest
		for _, f := range hanFillers {
			if head, ok := strings.CutSuffix(rest, f); ok && len(head) < len(cut) {
				cut = head
			}
		}
		if cut == rest {
			return ""
		}
		rest = cut
	}
	return ""
}

// revived tells whether a negator between head and what follows does not negate: 能不能退款, 退不退款, 为什么不退款.
func revived(head, negator, rest, before, first string) bool {
	after := before[len(rest):] + first // what follows the negator, as far as one character goes
	for _, r := range after {
		if strings.HasSuffix(head, string(r)) {
			return true
		}
		break
	}
	if endsInAny(head, hanRevivers) || negator == "别" && endsInAny(head, hanEndingInBie) {
		return true
	}
	// 有没有退款: the question of 有.
	return negator == "没有" && strings.HasSuffix(head, "有") || negator == "没" && strings.HasSuffix(head, "有")
}

// latinNegation looks at the words before the keyword. Punctuation between them ends the search.
func latinNegation(before string, whole bool) string {
	words := strings.Fields(before)
	if !whole && len(words) > 0 && !strings.HasPrefix(before, " ") {
		words = words[1:] // cut in two by the window
	}
	for i := len(words) - 1; i >= 0 && i >= len(words)-1-maxFillers-1; i-- {
		if contains(latinNegators, words[i]) {
			if i > 0 && (words[i-1] == "why" || words[i-1] == "still") {
				return ""
			}
			return strings.Join(words[i:], " ")
		}
		if !contains(latinFillers, words[i]) {
			return ""
		}
	}
	return ""
}

func endsInAny(s string, endings []string) bool {
	for _, e := range endings {
		if strings.HasSuffix(s, e) {
			return true
		}
	}
	return false
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
