package telephony

import (
	"slices"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// Numbers shorter than this are extensions and service numbers (101, 95588): nobody's in the world.
const minNumber = 7

// withheldWords are what call centres write for a number that is not told.
var withheldWords = []string{"anonymous", "anonymer", "anonym", "unknown", "restricted", "private", "withheld", "unavailable", "blocked", "null", "none", "n/a",
	"未知", "匿名", "隐藏", "隐藏号码", "隐私号码", "未知号码",
	// Twilio spells the words on the keypad (support article "Why am I getting calls from these strange numbers?").
	"+266696687", "+2562533", "+7378742833", "+8656696", "+86282452253"}

// withheld tells whether a caller did not show his number.
func withheld(told string) bool {
	t := strings.ToLower(strings.TrimSpace(told))
	if at := strings.IndexByte(t, '@'); at > 0 {
		t = strings.TrimPrefix(strings.TrimPrefix(t[:at], "sip:"), "sips:")
	}
	return strings.Trim(t, "0-+*x ") == "" || slices.Contains(withheldWords, t) || strings.HasPrefix(t, "anonymous")
}

// e164 reads a number in any notation: international with + or 00 or neither, national, local with the channel's area code, behind
// a prefix for the outside line. false: it is withheld, an extension, a name, or no number.
func (s *settings) e164(told string) (string, bool) {
	if withheld(told) {
		return "", false
	}
	digits, plus, ok := dialed(told)
	if !ok || len(digits) < minNumber || len(digits) > 20 {
		return "", false
	}
	region := strings.ToUpper(s.country)
	if n, ok := chinese(digits, plus, region); ok {
		return n, true
	}
	if plus {
		return parsed("+"+digits, region, false)
	}
	for _, candidate := range s.readings(digits) {
		if n, ok := parsed(candidate, region, true); ok {
			return n, true
		}
	}
	// Numbering plans grow faster than their tables: what has the right length and shape is taken.
	if strings.HasPrefix(digits, "00") {
		return parsed("+"+digits[2:], region, false)
	}
	return parsed(digits, region, false)
}

// chinese knows most callers at a glance: mobile numbers, eleven digits from 13 to 19, and landlines told with +86. All other numbers
// are looked up in the tables, which costs a hundred times as much.
func chinese(digits string, plus bool, region string) (string, bool) {
	whole := plus
	if plus {
		digits, plus = strings.CutPrefix(digits, "86")
	} else {
		plus = region == "CN"
	}
	switch {
	case !plus || len(digits) < 9 || len(digits) > 11:
		return "", false
	case len(digits) == 11 && digits[0] == '1' && digits[1] >= '3', whole && digits[0] >= '2':
		return "+86" + digits, true
	}
	return "", false
}

// readings are what digits without a plus may mean, the likeliest first.
func (s *settings) readings(digits string) []string {
	out := []string{digits}
	region := strings.ToUpper(s.country)
	// Who writes German numbers without a plus writes 49221… or 0221…, never 221…: a number that begins with the country's own code
	// has it. Zammad's CTI and sipgate leave out the plus of all countries.
	code := strconv.Itoa(phonenumbers.GetCountryCodeForRegion(region))
	if digits[0] != '0' && len(digits) > 9 && (strings.HasPrefix(digits, code) || s.format == "zammad" || s.format == "sipgate") {
		out = []string{"+" + digits, digits}
	}
	if area := strings.TrimPrefix(s.areaCode, "0"); area != "" && len(digits) <= 8 && digits[0] != '0' {
		// In the North American plan and alike there is no trunk prefix; parsing drops it where there is one.
		out = append([]string{trunk(region) + area + digits}, out...)
	}
	if digits[0] == '9' || digits[0] == '0' {
		out = append(out, digits[1:]) // the prefix for the outside line
	}
	if strings.HasPrefix(digits, "00") {
		return append(out, "+"+digits[2:])
	}
	return append(out, "+"+digits)
}

// trunk is what national numbers begin with.
func trunk(region string) string {
	return phonenumbers.GetNddPrefixForRegion(region, true)
}

func parsed(number, region string, strict bool) (string, bool) {
	n, err := phonenumbers.Parse(number, region)
	if err != nil || strict && !phonenumbers.IsValidNumber(n) || !phonenumbers.IsPossibleNumber(n) {
		return "", false
	}
	n.Extension = nil
	return phonenumbers.Format(n, phonenumbers.E164), true
}

// dialed takes the digits out of a number as written: "+86 138-0013-8000", "sip:+8613800138000@pbx", "tel:010 6436 8888;ext=2",
// "+4989123456,,12" (digits pressed after dialling). false: it holds letters and is a name.
func dialed(told string) (digits string, plus, ok bool) {
	t := strings.TrimSpace(told)
	if scheme, rest, found := strings.Cut(t, ":"); found && !strings.ContainsAny(scheme, "0123456789+") {
		t = rest
	}
	t, _, _ = strings.Cut(t, "@")
	t, _, _ = strings.Cut(t, ";")
	t, _, _ = strings.Cut(t, ",")
	var b strings.Builder
	for _, r := range t {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case r >= '０' && r <= '９':
			b.WriteRune(r - '０' + '0')
		case (r == '+' || r == '＋') && b.Len() == 0:
			plus = true
		case strings.ContainsRune(" -().（）/·\u00a0\t\u2011\u2013", r):
		default:
			return "", false, false
		}
	}
	digits = b.String()
	return digits, plus, digits != ""
}

// extension tells whether a number can only be one within the house. Five digits may be a service number (95588).
func extension(number string) bool {
	return len(number) >= 2 && len(number) <= 4 && strings.Trim(number, "0123456789") == ""
}

// shown is how a number stands in the call: E.164, "anonymous", or as told when it is neither.
func shown(told, number string) string {
	if number == "" && told != "" && withheld(told) {
		return "anonymous"
	}
	return firstOf(number, told)
}
