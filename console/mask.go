package console

import "strings"

// maskPhone leaves the first three and the last four digits of a national number readable: +8613812345678 is 138****5678. The
// country code of +86 is left out, as people write it; other numbers keep theirs.
func maskPhone(number string) string {
	if number == "" {
		return ""
	}
	n := strings.TrimPrefix(number, "+86")
	if len(n) < 8 {
		return strings.Repeat("*", max(len(n)-2, 1)) + n[max(len(n)-2, 0):]
	}
	return n[:3] + "****" + n[len(n)-4:]
}

// maskEmail leaves the first letter and the domain readable: a***@example.com.
func maskEmail(address string) string {
	user, host, ok := strings.Cut(address, "@")
	if !ok || user == "" {
		return "***"
	}
	first := []rune(user)[:1]
	return string(first) + "***@" + host
}

// maskAddress hides most of an address of any kind: colleagues recognize it, nobody can copy it.
func maskAddress(kind, value string) string {
	switch kind {
	case "phone":
		return maskPhone(value)
	case "email":
		return maskEmail(value)
	}
	return ""
}
