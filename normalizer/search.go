package normalizer

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	maxWord  = 40      // Runes per token: a longer run of letters is cut into pieces, in text and query alike.
	maxIndex = 1 << 19 // Bytes of words per text. PostgreSQL refuses a tsvector beyond 1 MB.
	maxQuery = 32      // Phrases per query.
)

// SearchWords turns text into what the search index holds: two streams of tokens, space separated, in the order of the
// text. Tokens are letters and digits only, so that SQLite's unicode61 and PostgreSQL's simple parser keep them whole.
//
// words holds the overlapping pairs of Han runs (退款, 款流, 流程) and other words, folded: width, case, accents,
// traditional characters. singles holds every Han character; a lone one appears only there, since single characters among
// the pairs would break phrase queries.
func SearchWords(text string) (words, singles string) {
	var w, s strings.Builder
	w.Grow(min(2*len(text), maxIndex+64))
	tokens(text, func(word []rune) bool {
		appendToken(&w, word...)
		return w.Len() < maxIndex
	}, func(r rune) {
		if s.Len() < maxIndex {
			appendToken(&s, r)
		}
	}, nil)
	return w.String(), s.String()
}

// SearchQuery turns what somebody typed into phrases. A phrase is one or more tokens, space separated, that must follow each
// other; all phrases must be found: "退款流程 ABC" is ["退款 款流 流程", "abc"], and "退款 张三" asks for both, wherever they
// stand. When the query has nothing but lone Han characters, words holds them and single is true: they are to be looked up
// among the singles. No words: nothing can match.
func SearchQuery(q string) (words []string, single bool) {
	var phrase, lone []string
	flush := func() {
		if len(phrase) > 0 {
			words = append(words, strings.Join(phrase, " "))
		}
		phrase = phrase[:0]
	}
	for _, field := range strings.Fields(q) {
		tokens(field, func(word []rune) bool {
			phrase = append(phrase, string(word))
			return len(words) < maxQuery
		}, func(r rune) {
			lone = append(lone, string(r))
		}, flush)
		if len(words) >= maxQuery {
			return words[:maxQuery], false
		}
	}
	if len(words) == 0 && len(lone) > 0 {
		return lone[:min(len(lone), maxQuery)], true
	}
	return words, false
}

func appendToken(b *strings.Builder, token ...rune) {
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	for _, r := range token {
		b.WriteRune(r)
	}
}

// tokens walks over text. word takes each token and returns false when it has enough; single takes each Han character;
// runEnd, when given, is told after each run.
func tokens(text string, word func([]rune) bool, single func(rune), runEnd func()) {
	runes := Match(text).Runes
	for i := 0; i < len(runes); {
		end := i + 1
		more := true
		switch {
		case isPaired(runes[i]):
			for end < len(runes) && isPaired(runes[end]) {
				end++
			}
			more = pairs(runes[i:end], word, single)
		case isWordRune(runes[i]):
			for end < len(runes) && isWordRune(runes[end]) && !isPaired(runes[end]) {
				end++
			}
			more = pieces(runes[i:end], word)
		}
		if runEnd != nil {
			runEnd()
		}
		if !more {
			return
		}
		i = end
	}
}

func pairs(run []rune, word func([]rune) bool, single func(rune)) bool {
	for i, r := range run {
		single(r)
		if i > 0 && !word(run[i-1:i+1]) {
			return false
		}
	}
	return true
}

// pieces hands over a word without accents, cut where it is too long for an index.
func pieces(run []rune, word func([]rune) bool) bool {
	var buf [maxWord]rune
	piece := buf[:0]
	for _, r := range run {
		if r >= utf8.RuneSelf {
			if unicode.Is(unicode.M, r) {
				continue
			}
			r = baseLetter(r)
		}
		if piece = append(piece, r); len(piece) == maxWord {
			if !word(piece) {
				return false
			}
			piece = buf[:0]
		}
	}
	return len(piece) == 0 || word(piece)
}

// baseLetter takes the accents off a letter: é is e.
func baseLetter(r rune) rune {
	if d := norm.NFD.PropertiesString(string(r)).Decomposition(); len(d) > 0 {
		r, _ = utf8.DecodeRune(d)
	}
	return r
}

// isWordRune: letters, digits and the accents that belong to them.
func isWordRune(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || '0' <= r && r <= '9'
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.M, r)
}
