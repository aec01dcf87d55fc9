package router

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"hearback/desk"
)

// naive finds the same with strings.Contains' means.
func naive(words [][]rune, text []rune) map[string]bool {
	out := map[string]bool{}
	for end := 0; end <= len(text); end++ {
		for i, w := range words {
			if end >= len(w) && slices.Equal(text[end-len(w):end], w) {
				out[fmt.Sprint(i, " ", end)] = true
			}
		}
	}
	return out
}

func FuzzAutomatonFindsWhatContainsFinds(f *testing.F) {
	f.Add("he,she,his,hers", "ushers")
	f.Add("退款,退,款,不退款,退款退", "我要退款退款退")
	f.Add("a,aa,aaa", "aaaa")
	f.Add("\x00,\xff", "\x00\xff\U0010ffff")
	f.Fuzz(func(t *testing.T, list, text string) {
		var words [][]rune
		seen := map[string]bool{}
		for _, w := range strings.Split(list, ",") {
			r := []rune(w)
			if len(r) > 0 && !seen[string(r)] {
				seen[string(r)] = true
				words = append(words, r)
			}
		}
		if len(words) > 50 || len(text) > 500 {
			return
		}
		runes := []rune(text)
		want, got := naive(words, runes), map[string]bool{}
		newAutomaton(words).scan(runes, func(word int32, end int) {
			k := fmt.Sprint(word, " ", end)
			if got[k] {
				t.Fatalf("%s twice", k)
			}
			got[k] = true
		})
		if len(got) != len(want) {
			t.Fatalf("words %q text %q: got %v, want %v", words, text, got, want)
		}
		for k := range want {
			if !got[k] {
				t.Fatalf("missed %s", k)
			}
		}
		for i, w := range words {
			if strings.Contains(string(runes), string(w)) != anyOf(got, i) {
				t.Fatalf("word %q", string(w))
			}
		}
	})
}

func anyOf(got map[string]bool, word int) bool {
	for k := range got {
		if strings.HasPrefix(k, fmt.Sprint(word, " ")) {
			return true
		}
	}
	return false
}

// tenThousand are 10,000 keywords of two to four Chinese characters in 500 rules, and a text of 400 characters.
func tenThousand() ([]desk.Rule, string) {
	r := rand.New(rand.NewPCG(1, 2))
	han := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteRune(rune(0x4e00 + r.IntN(3000)))
		}
		return b.String()
	}
	rules := make([]desk.Rule, 500)
	var some []string
	for i := range rules {
		rules[i] = desk.Rule{ID: fmt.Sprint(i), Name: fmt.Sprint(i), Enabled: true, Position: i, TeamID: fmt.Sprint("team", i)}
		for range 20 {
			w := han(2 + r.IntN(3))
			rules[i].Any = append(rules[i].Any, w)
			some = append(some, w)
		}
	}
	text := ""
	for range 8 {
		text += han(47) + some[r.IntN(len(some))]
	}
	return rules, string([]rune(text + han(400))[:400])
}

func TestTenThousandKeywordsFitInTwentyMegabytes(t *testing.T) {
	rules, text := tenThousand()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	c := NewClassifier()
	c.Load(rules)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if n := int64(after.HeapAlloc) - int64(before.HeapAlloc); n > 20<<20 {
		t.Errorf("%d bytes", n)
	} else {
		t.Logf("%.1f MB", float64(n)/(1<<20))
	}
	if got := c.Classify(text, "", ""); len(got.Hits) < 8 {
		t.Errorf("%d hits, want at least 8", len(got.Hits))
	}
	runtime.KeepAlive(rules)
}

func BenchmarkClassifyTenThousandKeywords400Characters(b *testing.B) {
	rules, text := tenThousand()
	c := NewClassifier()
	c.Load(rules)
	b.ReportAllocs()
	for b.Loop() {
		c.Classify(text, "", "")
	}
}
