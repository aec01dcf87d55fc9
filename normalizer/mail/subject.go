package mail

import (
	"regexp"
	"strings"
)

// prefixes are what mail programs put before a subject when they answer or forward, counters and list tags' brackets aside.
var prefixes = regexp.MustCompile(`(?i)^\s*(?:re|r|fw|fwd|aw|wg|tr|sv|vs|vb|ref|res|rif|rv|enc|odp|pd|ynt|ilt|atb|回复|回覆|答复|答覆|转发|轉寄|转寄|回信|返信|転送|답장|전달|회신|отв|ответ|на|пересл)\s*(?:\[\d+\]|\(\d+\)|\^\d+)?\s*[:：]\s*`)

// BaseSubject takes off what answering and forwarding put before a subject. Two mails of one conversation have the same base.
func BaseSubject(subject string) string {
	subject = strings.Join(strings.Fields(cutText(subject, 2000)), " ")
	for range 20 {
		rest := prefixes.ReplaceAllString(subject, "")
		if rest == subject {
			break
		}
		subject = rest
	}
	return subject
}
