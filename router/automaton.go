package router

import "slices"

// An automaton finds all words of a set in one pass over a text (Aho and Corasick, 1975). It is immutable.
//
// Runes are mapped to a dense alphabet of those that occur in words. Children sit in one open-addressing table: a dense
// transition table over thousands of Chinese characters would take hundreds of megabytes for ten thousand words.
type automaton struct {
	pages  [0x1100]*[256]uint16 // rune -> symbol; 0: in no word
	root   []int32              // symbol -> state from the root
	keys   []uint64             // state<<16 | symbol; 0: empty slot (the root's children are not in here)
	values []int32              // the child
	mask   uint64
	fail   []int32 // state -> longest proper suffix that is a state
	word   []int32 // state -> word that ends there, -1: none
	more   []int32 // state -> nearest suffix at which a word ends, 0: none
}

// newAutomaton builds the automaton of words, which must be distinct and not empty; a word's number is its index.
func newAutomaton(words [][]rune) *automaton {
	a := &automaton{}
	symbols := a.alphabet(words)
	total := 1
	for _, w := range words {
		total += len(w)
	}
	a.root = make([]int32, symbols+1)
	size := uint64(8)
	for size < uint64(total)*2 {
		size *= 2
	}
	a.keys, a.values, a.mask = make([]uint64, size), make([]int32, size), size-1
	a.word = append(make([]int32, 0, total), -1)
	type edge struct {
		parent, child int32
		symbol        uint16
	}
	edges := make([]edge, 0, total)
	for i, w := range words {
		state := int32(0)
		for _, r := range w {
			c := a.symbol(r)
			next := a.child(state, c)
			if next == 0 {
				next = int32(len(a.word))
				a.word = append(a.word, -1)
				a.setChild(state, c, next)
				edges = append(edges, edge{state, next, c})
			}
			state = next
		}
		a.word[state] = int32(i)
	}
	depth := make([]int32, len(a.word))
	for _, e := range edges { // a parent is always made before its children
		depth[e.child] = depth[e.parent] + 1
	}
	slices.SortStableFunc(edges, func(x, y edge) int { return int(depth[x.child] - depth[y.child]) })
	a.fail, a.more = make([]int32, len(a.word)), make([]int32, len(a.word))
	for _, e := range edges {
		if e.parent != 0 {
			a.fail[e.child] = a.next(a.fail[e.parent], e.symbol)
		}
		if f := a.fail[e.child]; a.word[f] >= 0 {
			a.more[e.child] = f
		} else {
			a.more[e.child] = a.more[f]
		}
	}
	return a
}

// alphabet numbers the runes of words from 1 and returns how many there are. Runes beyond the 65,535th different one get none,
// and their words are never found: no rule set of people uses so many.
func (a *automaton) alphabet(words [][]rune) int {
	n := 0
	for _, w := range words {
		for _, r := range w {
			page := a.pages[r>>8]
			if page == nil {
				page = new([256]uint16)
				a.pages[r>>8] = page
			}
			if page[r&0xff] == 0 && n < 0xffff {
				n++
				page[r&0xff] = uint16(n)
			}
		}
	}
	return n
}

func (a *automaton) symbol(r rune) uint16 {
	if page := a.pages[r>>8]; page != nil {
		return page[r&0xff]
	}
	return 0
}

func slot(key, mask uint64) uint64 { return (key * 0x9e3779b97f4a7c15 >> 29) & mask }

// child returns the child of state by symbol, 0 when there is none.
func (a *automaton) child(state int32, c uint16) int32 {
	if state == 0 {
		return a.root[c]
	}
	key := uint64(state)<<16 | uint64(c)
	for i := slot(key, a.mask); a.keys[i] != 0; i = (i + 1) & a.mask {
		if a.keys[i] == key {
			return a.values[i]
		}
	}
	return 0
}

func (a *automaton) setChild(state int32, c uint16, child int32) {
	if state == 0 {
		a.root[c] = child
		return
	}
	key := uint64(state)<<16 | uint64(c)
	i := slot(key, a.mask)
	for a.keys[i] != 0 {
		i = (i + 1) & a.mask
	}
	a.keys[i], a.values[i] = key, child
}

// next follows failure links until symbol leads on.
func (a *automaton) next(state int32, c uint16) int32 {
	for {
		if n := a.child(state, c); n != 0 || state == 0 {
			return n
		}
		state = a.fail[state]
	}
}

// scan calls found for every occurrence of every word: its number and the index after its last rune, by rising end, longer
// words first.
func (a *automaton) scan(text []rune, found func(word int32, end int)) {
	state := int32(0)
	for i, r := range text {
		c := a.symbol(r)
		if c == 0 {
			state = 0
			continue
		}
		state = a.next(state, c)
		at := state
		if a.word[at] < 0 {
			at = a.more[at]
		}
		for ; at != 0; at = a.more[at] {
			found(a.word[at], i+1)
		}
	}
}
