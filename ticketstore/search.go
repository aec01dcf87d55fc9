package ticketstore

import (
	"strings"
	"unicode"
)

// matching is a query as SQL on tickets t. It finds tickets by their number (whole, or its last digits), by the customer's name,
// address or telephone number, and by words: each blank-separated term must stand, as a phrase, in the subject or in a message.
// The ways are one set of ids, so that a rare word is not paid for by a walk over all tickets.
func (s *Store) matching(query string) (string, []any) {
	query = strings.TrimSpace(clean(query))
	condition, args := contactCondition("o.contact_id", query)
	ways := []string{`SELECT o.id FROM tickets o WHERE ` + condition}
	for _, way := range []func(string) (string, []any){byNumber, s.byWords} {
		if ids, values := way(query); ids != "" {
			ways = append(ways, ids)
			args = append(args, values...)
		}
	}
	return "t.id IN (" + strings.Join(ways, " UNION ALL ") + ")", args
}

// byNumber takes GD20261121-0007, 20261121-0007, #0007 and 7 alike; "" when the query is no number.
func byNumber(query string) (string, []any) {
	n := strings.TrimPrefix(strings.ToUpper(query), "#")
	digits := strings.TrimLeft(n, "GD")
	if digits == "" || strings.Trim(digits, "0123456789-") != "" || strings.Trim(digits, "-") == "" {
		return "", nil
	}
	if len(digits) < 4 && !strings.Contains(digits, "-") {
		digits = "-" + strings.Repeat("0", 4-len(digits)) + digits
	}
	return "SELECT x.id FROM tickets x WHERE x.number = ? OR x.number LIKE ?", []any{n, "%" + digits}
}

// contactCondition finds contacts whose name or company holds the query, or who own it as an address or number; column is the
// contact's id.
func contactCondition(column, query string) (string, []any) {
	like := "%" + likeEscaper.Replace(query) + "%"
	return column + ` IN (SELECT c.id FROM contacts c WHERE LOWER(c.name) LIKE LOWER(?) ESCAPE '\' OR LOWER(c.company) LIKE LOWER(?) ESCAPE '\'` +
			` UNION ALL SELECT i.contact_id FROM identities i WHERE i.type IN ('email', 'phone', 'external', 'webchat') AND i.value IN (?))`,
		[]any{like, like, identityValues(query)}
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// identityValues are the stored forms a typed address or number may have: as typed, in lower case, and in E.164 with and
// without the country code of China.
func identityValues(query string) []string {
	values := []string{query, strings.ToLower(query)}
	digits := strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return r
		}
		return -1
	}, query)
	if len(digits) >= 7 {
		values = append(values, digits, "+"+digits, "+86"+digits, "+86"+strings.TrimPrefix(digits, "0"))
	}
	return values
}

// byWords asks the index; "" when the query has no word in it.
func (s *Store) byWords(query string) (ids string, args []any) {
	if s.opt.Tokenize == nil {
		return "", nil
	}
	for term := range strings.FieldsSeq(query) {
		words, singles := s.opt.Tokenize(term)
		tokens, column := strings.Fields(words), "words"
		if len(tokens) == 0 {
			// One Chinese character makes no pair; it stands in a column of its own.
			tokens, column = strings.Fields(singles), "singles"
		}
		if len(tokens) == 0 {
			continue
		}
		found, phrase := s.dialect.phrase(column, tokens)
		if ids != "" {
			found += " AND x.ticket_id IN (" + ids + ")"
		}
		ids, args = found, append([]any{phrase}, args...)
	}
	return ids, args
}

// phrase selects the tickets of which one text has these tokens side by side. The last token may be the beginning of a word when
// it is Latin, so that half a word finds while it is typed.
func (d dialect) phrase(column string, tokens []string) (ids string, arg string) {
	last := tokens[len(tokens)-1]
	prefix := len(last) >= 3 && isASCII(last)
	if d.name == "postgres" {
		quoted := make([]string, len(tokens))
		for i, t := range tokens {
			quoted[i] = "'" + tsEscaper.Replace(t) + "'"
		}
		arg = strings.Join(quoted, " <-> ")
		if prefix {
			arg += ":*"
		}
		return `SELECT x.ticket_id FROM search x WHERE x.` + column + ` @@ CAST(CAST(? AS text) AS tsquery)`, arg
	}
	arg = column + ` : "` + strings.ReplaceAll(strings.Join(tokens, " "), `"`, `""`) + `"`
	if prefix {
		arg += " *"
	}
	return `SELECT x.ticket_id FROM search_rows x WHERE x.n IN (SELECT rowid FROM search WHERE search MATCH ?)`, arg
}

var tsEscaper = strings.NewReplacer(`\`, `\\`, `'`, `''`)

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
