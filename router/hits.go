package router

import (
	"cmp"
	"slices"

	"hearback/desk"
	"hearback/normalizer"
)

// maxOccurrences is how often one word is kept, of those that count and of those that do not: a message of one word repeated
// a thousand times needs no thousand hits to be understood.
const maxOccurrences = 8

// An occurrence is one place at which a word stands.
type occurrence struct {
	word       int32
	field      uint8 // 0 subject, 1 text
	from, to   int32 // runes of the normalized field
	start, end int32 // bytes of the original
	negated    string
}

var fieldNames = [...]string{"subject", "text"}

// find returns the occurrences of all words, by field, place, and the longer first.
func (s *ruleset) find(text, subject string) []occurrence {
	var out []occurrence
	var kept map[int32]*[2]int8
	for field, t := range [...]string{subject, text} {
		if t == "" {
			continue
		}
		m := normalizer.Match(cut(t, maxClassified))
		s.words.scan(m.Runes, func(word int32, end int) {
			from := end - int(s.size[word])
			if !standsAlone(m.Runes, from, end) {
				return
			}
			negated := negatedBy(m.Runes, from)
			if kept == nil {
				kept = map[int32]*[2]int8{}
			}
			n := kept[word]
			if n == nil {
				n = new([2]int8)
				kept[word] = n
			}
			i := 0
			if negated != "" {
				i = 1
			}
			if n[i] == maxOccurrences {
				return
			}
			n[i]++
			start, stop := m.Span(from, end)
			out = append(out, occurrence{word, uint8(field), int32(from), int32(end), int32(start), int32(stop), negated})
		})
	}
	slices.SortFunc(out, func(a, b occurrence) int {
		return cmp.Or(cmp.Compare(a.field, b.field), cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to))
	})
	return out
}

// tally is how far a rule is satisfied.
type tally struct {
	all       int
	any, veto bool
	seen      []int32 // words under All that were counted
}

// matching returns the rules found satisfies, by position.
func (s *ruleset) matching(found []occurrence, channel desk.ID) []int32 {
	tallies := map[int32]*tally{}
	for _, o := range found {
		for _, u := range s.uses[o.word] {
			if o.negated != "" && u.list != listNot {
				continue
			}
			t := tallies[u.rule]
			if t == nil {
				t = &tally{}
				tallies[u.rule] = t
			}
			switch u.list {
			case listNot:
				t.veto = true
			case listAny:
				t.any = true
			case listAll:
				if !slices.Contains(t.seen, o.word) {
					t.seen = append(t.seen, o.word)
					t.all++
				}
			}
		}
	}
	var matched []int32
	for i, t := range tallies {
		r := &s.rules[i]
		if t.veto || t.all < s.all[i] || s.any[i] && !t.any || len(r.Channels) > 0 && !slices.Contains(r.Channels, channel) {
			continue
		}
		if t.all > 0 || t.any {
			matched = append(matched, i)
		}
	}
	slices.Sort(matched)
	return matched
}

// A claim is a counted occurrence of a matching rule's word.
type claim struct {
	occurrence int
	rule       int32
}

// covered returns, per claim of a matching rule, the occurrence of a longer word of another matching rule it lies in: 手机 in
// 手机号 does not speak of phones when somebody made a rule for numbers.
func (s *ruleset) covered(found []occurrence, matched []int32) map[claim]int {
	if len(matched) < 2 {
		return nil
	}
	out := map[claim]int{}
	// The occurrence that reaches furthest so far, and the furthest of any other rule: together they cover whatever can be.
	best := [2]claim{{-1, -1}, {-1, -1}}
	field := uint8(0)
	for i, o := range found {
		if o.field != field {
			field, best = o.field, [2]claim{{-1, -1}, {-1, -1}}
		}
		if o.negated != "" {
			continue
		}
		for _, u := range s.uses[o.word] {
			if _, ok := slices.BinarySearch(matched, u.rule); !ok || u.list == listNot {
				continue
			}
			c := claim{i, u.rule}
			if by := best[0]; by.occurrence >= 0 && by.rule != c.rule && strictlyInside(o, found[by.occurrence]) {
				out[c] = by.occurrence
			} else if by := best[1]; by.occurrence >= 0 && by.rule != c.rule && strictlyInside(o, found[by.occurrence]) {
				out[c] = by.occurrence
			}
			best = furthest(best, c, found)
		}
	}
	return out
}

func strictlyInside(inner, outer occurrence) bool {
	return outer.from <= inner.from && inner.to <= outer.to && outer.to-outer.from > inner.to-inner.from
}

// furthest takes c into the two claims of different rules that reach furthest.
func furthest(best [2]claim, c claim, found []occurrence) [2]claim {
	reach := func(c claim) int32 {
		if c.occurrence < 0 {
			return -1
		}
		return found[c.occurrence].to
	}
	switch {
	case reach(c) > reach(best[0]):
		if best[0].rule != c.rule {
			best[1] = best[0]
		}
		best[0] = c
	case c.rule != best[0].rule && reach(c) > reach(best[1]):
		best[1] = c
	}
	return best
}

// standsWith tells whether a rule still matches when its covered words do not count.
func (s *ruleset) standsWith(found []occurrence, rule int32, covered map[claim]int) bool {
	if len(covered) == 0 {
		return true
	}
	var t tally
	for i, o := range found {
		if _, is := covered[claim{i, rule}]; is || o.negated != "" {
			continue
		}
		for _, u := range s.uses[o.word] {
			if u.rule != rule {
				continue
			}
			if u.list == listAny {
				t.any = true
			}
			if u.list == listAll && !slices.Contains(t.seen, o.word) {
				t.seen = append(t.seen, o.word)
			}
		}
	}
	return len(t.seen) >= s.all[rule] && (t.any || !s.any[rule])
}

// trace writes down the words that counted for the matching rules, and those that did not and why.
func (s *ruleset) trace(result *Classification, found []occurrence, matched []int32, covered map[claim]int, text, subject string) {
	for i, o := range found {
		source := subject
		if o.field == 1 {
			source = text
		}
		for _, u := range s.uses[o.word] {
			_, matches := slices.BinarySearch(matched, u.rule)
			if u.list == listNot || !matches && o.negated == "" {
				continue
			}
			r := &s.rules[u.rule]
			h := Hit{RuleID: r.ID, Rule: r.Name, Version: r.Version, Word: u.word, Field: fieldNames[o.field],
				Start: int(o.start), End: int(o.end), Text: source[o.start:o.end]}
			if by, is := covered[claim{i, u.rule}]; is {
				h.PassedOver = "part of " + s.written(found[by].word)
			}
			if o.negated != "" {
				h.PassedOver = "negated by " + o.negated
			}
			result.Hits = append(result.Hits, h)
		}
	}
}

func (s *ruleset) written(word int32) string { return s.uses[word][0].word }
