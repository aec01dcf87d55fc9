package router

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"hearback/desk"
	"hearback/normalizer"
)

// list says where in a rule a word stands.
type list uint8

const (
	listAll list = iota
	listAny
	listNot
)

// A use is one place at which rules name a word.
type use struct {
	rule int32
	list list
	word string // as written
}

// A ruleset is rules made ready for matching. It is immutable.
type ruleset struct {
	rules []desk.Rule // enabled, by position
	all   []int       // per rule: different words under All
	any   []bool      // per rule: whether it has words under Any
	words *automaton
	size  []int32 // word -> runes
	uses  [][]use // word -> where it is named
}

// compile sorts the rules and builds the automaton of their words.
func compile(rules []desk.Rule) *ruleset {
	s := &ruleset{}
	for _, r := range rules {
		if r.Enabled {
			s.rules = append(s.rules, r)
		}
	}
	slices.SortStableFunc(s.rules, func(a, b desk.Rule) int {
		return cmp.Or(cmp.Compare(a.Position, b.Position), cmp.Compare(a.ID, b.ID))
	})
	s.all, s.any = make([]int, len(s.rules)), make([]bool, len(s.rules))
	known := map[string]int32{}
	var words [][]rune
	add := func(rule int, l list, word string) bool {
		runes := normalizer.Match(word).Runes
		if len(runes) == 0 {
			return false
		}
		n, ok := known[string(runes)]
		if !ok {
			n = int32(len(words))
			known[string(runes)] = n
			words, s.size, s.uses = append(words, runes), append(s.size, int32(len(runes))), append(s.uses, nil)
		}
		u := use{int32(rule), l, word}
		if slices.ContainsFunc(s.uses[n], func(v use) bool { return v.rule == u.rule && v.list == l }) {
			return false
		}
		s.uses[n] = append(s.uses[n], u)
		return true
	}
	for i, r := range s.rules {
		for _, w := range r.All {
			if add(i, listAll, w) {
				s.all[i]++
			}
		}
		for _, w := range r.Any {
			if add(i, listAny, w) {
				s.any[i] = true
			}
		}
		for _, w := range r.Not {
			add(i, listNot, w)
		}
	}
	s.words = newAutomaton(words)
	return s
}

// classify is Classifier.Classify on these rules.
func (s *ruleset) classify(text, subject string, channel desk.ID) Classification {
	result := Classification{Tags: []string{}, Hits: []Hit{}, Reasons: []string{}}
	found := s.find(text, subject)
	if len(found) == 0 {
		return result
	}
	matched := s.matching(found, channel)
	covered := s.covered(found, matched)
	for _, r := range matched {
		if !s.standsWith(found, r, covered) {
			result.Reasons = append(result.Reasons, "rule "+strconv.Quote(s.rules[r].Name)+" passed over: only inside longer words of other rules")
			continue
		}
		s.apply(&result, int(r))
	}
	s.trace(&result, found, matched, covered, text, subject)
	return result
}

// apply lets a matching rule have its say.
func (s *ruleset) apply(result *Classification, i int) {
	r := s.rules[i]
	did := []string{}
	if r.TeamID != "" && result.TeamID == "" {
		result.TeamID = r.TeamID
		did = append(did, "team")
	}
	if r.Priority != "" && result.Priority == "" {
		result.Priority = r.Priority
		did = append(did, "priority "+string(r.Priority))
	}
	for _, t := range r.Tags {
		if !slices.Contains(result.Tags, t) {
			result.Tags = append(result.Tags, t)
			did = append(did, "tag "+t)
		}
	}
	if len(did) == 0 {
		did = append(did, "nothing to add")
	}
	result.Reasons = append(result.Reasons, "rule "+strconv.Quote(r.Name)+" (version "+strconv.FormatInt(r.Version, 10)+"): "+strings.Join(did, ", "))
}
