package mail

import (
	"strings"
	"unicode/utf8"
)

// maxAttribution is how many bytes "On ... wrote:" may have. Names and addresses are short; a paragraph is none.
const maxAttribution = 400

// attributionAt returns how many lines from at on are one attribution, "On Monday Bob <b@c.de> wrote:"; 0 when none begins
// there. Mail programs wrap it like any text, some with empty lines around the address.
func attributionAt(lines []line, at int) int {
	first := bare(lines[at].text)
	if first == "" || utf8.RuneCountInString(first) > maxAttribution || !mayOpen(first, lines[at].ends) {
		return 0
	}
	joined, filled, dated := "", 0, clockOrDate.MatchString(first)
	for i := at; i < len(lines) && i < at+8; i++ {
		text := bare(lines[i].text)
		if i > at {
			text = strings.TrimSpace(strings.ReplaceAll(lines[i].text, "\u00a0", " "))
		}
		if text == "" {
			if !dated || i == at || strings.HasSuffix(joined, ":") || !opening.MatchString(first) || !bracketFollows(lines, i) {
				return 0
			}
			continue
		}
		if i > at && isQuoted(lines[i]) && !strings.HasPrefix(strings.TrimLeft(text, "> "), "wrote") && !wroteEnd.MatchString(text) {
			return 0
		}
		joined = strings.TrimSpace(joined + " " + text)
		if filled++; filled > 5 || len(joined) > maxAttribution {
			return 0
		}
		if isAttribution(joined) {
			return i - at + 1
		}
	}
	return 0
}

// attributionEnds looks whether a line that may end an attribution comes soon. It spares most lines the closer look.
func attributionEnds(lines []line, at int) bool {
	for i := at; i < len(lines) && i < at+8; i++ {
		if lines[i].ends {
			return true
		}
	}
	return false
}

// lastWords are the last words of attributions that end without a colon.
var lastWords = buildLastWords()

func buildLastWords() map[string]bool {
	words := map[string]bool{}
	for word := range strings.SplitSeq("wrote|writes|said|écrit|escribió|escribio|scritto|escreveu|schrieb|geschrieben|geschreven|schreef|skrev|kirjoitti|napisał|napisał(a)|pisze|napsal|napsal(a)|написал|написал(а)|пишет|пише|yazdı|írta|scris|έγραψε|viết|menulis|כתב|كتب|작성", "|") {
		words[word] = true
	}
	return words
}

// endsAttribution is a cheap look at how a line ends: with a colon, a bracket, dashes, or a verb of writing.
func endsAttribution(s string) bool {
	s = strings.TrimRight(s, " \t\r*_-–—\u00a0\u202c\u200f\u2069")
	if s == "" || len(s) > 2000 {
		return false
	}
	switch s[len(s)-1] {
	case ':', '>':
		return true
	}
	for _, end := range []string{"：", "﹕", "道", "到", "メール", "メッセージ", "작성", "썼습니다"} {
		if strings.HasSuffix(s, end) {
			return true
		}
	}
	word := s[strings.LastIndexAny(s, " \u00a0>)")+1:]
	return lastWords[strings.ToLower(word)] || isoStamp.MatchString(cutText(s, 120))
}

// bracketFollows: an empty line inside an attribution is followed by the bracket of an address, or stands inside of it.
func bracketFollows(lines []line, at int) bool {
	for i := at; i < len(lines) && i < at+3; i++ {
		if text := strings.TrimSpace(lines[i].text); text != "" {
			return strings.HasPrefix(text, "<") || strings.HasPrefix(text, "mailto:") || strings.HasPrefix(text, ">")
		}
	}
	return false
}

// bare takes off what decorates an attribution: dashes, stars, quote marks in front.
func bare(s string) string {
	s = strings.NewReplacer("\u00a0", " ", "\u202f", " ", "&lt;", "<", "&gt;", ">", "&quot;", `"`,
		"\u200e", "", "\u200f", "", "\u202a", "", "\u202b", "", "\u202c", "", "\u202d", "", "\u202e", "", "\u2066", "", "\u2067", "", "\u2068", "", "\u2069", "").Replace(s)
	return strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(s), ">|-*_ \t—–·"))
}

// mayOpen rules out lines that cannot begin an attribution, before they are joined with others. ends: the line may end one.
func mayOpen(s string, ends bool) bool {
	switch {
	case strings.Contains(s, "@") && angleAddress.MatchString(s), opening.MatchString(s):
		return true
	case !strings.ContainsAny(s, "0123456789"):
		return ends && wroteEnd.MatchString(s)
	case dateFirst.MatchString(s), ends && (wroteEnd.MatchString(s) || wroteWord.MatchString(s)):
		return true
	}
	return clockTime.MatchString(s) && clockOrDate.MatchString(s)
}

// isAttribution judges a whole attribution on one line. A sentence that merely speaks of writing lacks the date or address.
func isAttribution(s string) bool {
	dated := clockOrDate.MatchString(s)
	addressed := angleAddress.MatchString(s) || anyAddress.MatchString(s)
	ended := strings.HasSuffix(s, ":") || strings.HasSuffix(s, "：")
	switch {
	case wroteEnd.MatchString(s):
		return dated && (opening.MatchString(s) || dateFirst.MatchString(s) || addressed || clockTime.MatchString(s)) || addressed
	case ended && dated && wroteWord.MatchString(s) && (addressed || opening.MatchString(s) || dateFirst.MatchString(s)):
		return true
	case ended && wroteWord.MatchString(s) && clockTime.MatchString(s) && wholeDate.MatchString(s) && len(s) < 120:
		return true
	case ended && dated && addressed && (clockTime.MatchString(s) || dateFirst.MatchString(s)):
		return opening.MatchString(s) || dateFirst.MatchString(s) || strings.HasSuffix(strings.TrimRight(s, " :："), ">")
	case dateFirst.MatchString(s) && addressed && strings.HasSuffix(s, ">"):
		return true
	}
	return isoStamp.MatchString(s) && utf8.RuneCountInString(s) < 100
}

// fieldRole tells which header field a line repeats: "Von: Bob", "*From:* Bob", "发件人： 张三".
func fieldRole(text string) role {
	text = strings.TrimSpace(strings.Trim(strings.TrimSpace(text), "*_>| \u00a0"))
	at := strings.IndexAny(text, ":：")
	if at <= 0 || at > 40 {
		return roleNone
	}
	label := strings.ToLower(strings.Trim(text[:at], " *_\t\u00a0\u3000"))
	label = strings.ReplaceAll(label, "\u3000", "")
	if r, ok := roles[label]; ok {
		return r
	}
	return roles[strings.ReplaceAll(label, " ", "")] // 发 件 人：
}

// headerBlockAt returns how many lines from at on repeat the header of an older mail; 0 when none begins there. Long recipient
// lists run over several lines.
func headerBlockAt(lines []line, at int) int {
	if fieldRole(lines[at].text) == roleNone {
		return 0
	}
	var seen [roleOther + 1]bool
	count, end, gap := 0, at, 0
	for i := at; i < len(lines) && i < at+25 && gap <= 2; i++ {
		text := lines[i].text
		r := fieldRole(text)
		switch {
		case r != roleNone:
			if seen[r] && r != roleDate && r != roleOther {
				return blockSize(seen, count, end-at)
			}
			seen[r] = true
			count++
			end, gap = i+1, 0
		case strings.TrimSpace(text) == "":
			gap++
		case count > 0 && gap == 0 && (anyAddress.MatchString(text) || strings.HasPrefix(text, " ") || strings.HasPrefix(text, "\t")):
		default:
			gap = 3
		}
	}
	return blockSize(seen, count, end-at)
}

func blockSize(seen [roleOther + 1]bool, count, size int) int {
	if count >= 3 && (seen[roleFrom] || seen[roleDate]) && (seen[roleSubject] || seen[roleTo]) {
		return size
	}
	if count == 2 && seen[roleFrom] && (seen[roleDate] || seen[roleSubject]) {
		return size
	}
	return 0
}

// isOriginalLine: "-----Original Message-----", "原始邮件" between dashes, "Begin forwarded message:".
func isOriginalLine(text string) bool {
	trimmed := strings.TrimSpace(strings.Trim(strings.TrimSpace(text), "*_> \u00a0"))
	title := strings.TrimSpace(strings.Trim(trimmed, "-–—=_*─━ "))
	dashed := strings.HasPrefix(trimmed, "--") || strings.HasPrefix(trimmed, "——") || strings.HasPrefix(trimmed, "==") || strings.HasPrefix(trimmed, "__") || strings.HasPrefix(trimmed, "──")
	if len(title) == 0 || len(title) > 120 {
		return false
	}
	if dashed {
		return original.MatchString(strings.TrimRight(title, ":： "))
	}
	lowered := strings.ToLower(title)
	return strings.HasPrefix(lowered, "begin forwarded message") || strings.HasPrefix(lowered, "début du message") || strings.HasPrefix(lowered, "anfang der weitergeleiteten") ||
		strings.HasPrefix(lowered, "inizio messaggio inoltrato") || strings.HasPrefix(lowered, "inicio del mensaje reenviado") || strings.HasPrefix(title, "开始转发的邮件") || strings.HasPrefix(title, "以下是转发的邮件") || strings.HasPrefix(title, "開始轉寄")
}
