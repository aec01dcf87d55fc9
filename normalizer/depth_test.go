package normalizer

import (
	"strings"
	"testing"
)

func TestOnlyBracketsOutsideStringsNest(t *testing.T) {
	for text, want := range map[string]bool{
		`[[1]]`:                   false,
		`[[[1]]]`:                 true,
		`{"a":{"b":1},"c":{}}`:    false,
		`{"a":[{"b":1}]}`:         true,
		`{"a":"[[[[","b":"\"[["}`: false,
		`"\\"[[[`:                 true,
		strings.Repeat("[]", 50):  false,
		``:                        false,
	} {
		if got := TooDeep([]byte(text), 2); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
