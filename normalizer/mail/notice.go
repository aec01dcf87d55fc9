package mail

import (
	"encoding/json"
	"regexp"
	"strings"
)

// originalMarks are the lines after which a notice repeats the mail it speaks of.
var originalMarks = regexp.MustCompile(`(?i)^[-=*_ >#]*(?:(?:this is a copy of|below this line is a copy of|below is|here is a copy of|a copy of|included is a copy of).{0,60}(?:message|mail|header)|` +
	`(?:the )?(?:original|unsent|undelivered|returned|bounced|failed) (?:message|mail)(?: (?:follows|text follows|headers?|header follows|below|is attached|attached).*)?|message headers? follow.*|original (?:message )?headers?.*|` +
	`(?:start of|begin) (?:returned|original).*|message (?:text|content|body) follows.*|message header:?|headers of.*message.*|unsent message follows|end of message|` +
	`原(?:始)?邮件(?:内容|正文|全文|如下|见附件|头部?)[^@]{0,8}|邮件原文.{0,8}|以下是.{0,10}原.{0,3}邮件.*)[-=*_ :.]*$`)

var transportField = regexp.MustCompile(`(?i)^>?[ \t]{0,4}(?:received|return-path|dkim-signature|domainkey-signature|x-received|arc-seal|x-google-smtp-source|x-yahoo-newman-property|x-originating-ip|delivered-to|authentication-results|received-spf|x-ymail-osg|x-gm-message-state|mime-version|x-mailer|x-spam-status)[ \t]*:`)

// cutOriginal parts a notice from the mail it repeats.
func cutOriginal(text string) (notice, rest string) {
	at, filled := 0, 0
	for line := range strings.Lines(text) {
		trimmed := strings.TrimSpace(line)
		switch {
		case filled > 0 && len(trimmed) < 120 && originalMarks.MatchString(trimmed), filled > 0 && transportField.MatchString(line):
			return text[:at], text[at:]
		}
		if trimmed != "" {
			filled++
		}
		at += len(line)
	}
	return text, ""
}

var (
	mailbox = regexp.MustCompile(`[\w.!#$%&'*+/=?^{|}~-]+@[\w.-]+\.?\w+`)
	// leads matches a line that begins with the address a notice speaks of.
	leads = regexp.MustCompile(`^[\s"'<>*•·-]*(?:(?:to|recipient(?: address)?|failed recipient|original recipient|address|rcpt to|user|unknown user|user unknown|account|destinatario|收件人|收件人邮箱|收件地址|收信人|收件人地址)\s*[:：]?\s*)?[<"'\[(]*([\w.!#$%&'*+/=?^{|}~-]+@[\w.-]+\w)[>"'\])]*(?:\s*<[^>]*>)?\s*(?:$|[:：,;(\[]|\s\S)`)
	// speaks are words beside which an address in a sentence is the recipient.
	speaks = regexp.MustCompile(`(?i)deliver|recipient|rcpt to|undeliverable|unknown|mailbox|failed|failure|could not|couldn't|wasn't|not found|rejected|no such|reach|addressed to|error|送达|收件|投递|退回|无法|不存在|失败`)
	// senders are words beside which an address is the sender.
	senders = regexp.MustCompile(`(?i)mail from|envelope[- ]sender|envelope-from|sender:|^\s*from\s*:|reply-to|return-path|contact|support|help|postmaster@|mailer-daemon@|abuse@|message-id|original-mail-from`)
)

// readNotice finds recipients and what was said about each in the words of a notice.
func (b *Bounce) readNotice(notice string, w *walker) {
	own := map[string]bool{}
	for _, list := range [][]Address{w.mail.From, w.mail.Sender, w.mail.ReplyTo} {
		for _, a := range list {
			own[lower(a.Address)] = true
		}
	}
	addressed := map[string]bool{}
	for _, a := range w.mail.To {
		addressed[lower(a.Address)] = true
	}
	lines := strings.Split(notice, "\n")
	lines = lines[:min(len(lines), 2000)]
	for i := range lines {
		lines[i] = cutText(lines[i], 2000)
	}
	found, where := failedAddresses(lines, own, addressed)
	if failed := w.mail.Header.Get("X-Failed-Recipients"); failed != "" && len(found) == 0 {
		list, _ := parseAddresses(failed, 50)
		for _, a := range list {
			found, where = append(found, a.Address), append(where, 0)
		}
	}
	if len(found) == 0 {
		r := BounceRecipient{Diagnostic: diagnosticIn(lines, "", nil)}
		if w.inner != nil {
			if to, _ := parseAddresses(w.inner.Get("To"), 2); len(to) == 1 {
				r.Address = to[0].Address
			}
		}
		b.Recipients = append(b.Recipients, r)
		return
	}
	for i, address := range found {
		end := len(lines)
		for k := range found {
			if where[k] > where[i] && where[k] < end {
				end = where[k]
			}
		}
		block := lines[where[i]:end]
		said := firstOf(diagnosticIn(block, address, nil), func() string { return diagnosticIn(lines, address, nil) }, func() string { return diagnosticIn(block, "", found) })
		if said == "" && len(found) == 1 {
			said = diagnosticIn(lines, "", nil)
		}
		b.Recipients = append(b.Recipients, BounceRecipient{Address: address, Diagnostic: said})
	}
}

func firstOf(value string, more ...func() string) string {
	for _, next := range more {
		if value != "" {
			break
		}
		value = next()
	}
	return value
}

// failedAddresses lists the addresses a notice speaks of with the line each is named in first: those that begin a line, else
// those in a sentence about delivery.
func failedAddresses(lines []string, own, addressed map[string]bool) (found []string, where []int) {
	seen := map[string]bool{}
	take := func(address string, at int) {
		key := lower(strings.TrimRight(address, "."))
		if !seen[key] && !own[key] && len(found) < 200 {
			seen[key] = true
			found, where = append(found, strings.TrimRight(address, ".")), append(where, at)
		}
	}
	for i, line := range lines {
		if m := leads.FindStringSubmatch(line); m != nil && !senders.MatchString(line) && !strings.HasPrefix(strings.TrimSpace(line), ">>>") && !addressed[lower(m[1])] {
			take(m[1], i)
		}
	}
	if len(found) > 0 {
		return found, where
	}
	for i, line := range lines {
		if speaks.MatchString(line) && !senders.MatchString(line) || strings.Contains(strings.ToLower(line), "rcpt to") {
			for _, address := range mailbox.FindAllString(afterRcpt(line), 5) {
				if !addressed[lower(address)] {
					take(address, i)
				}
			}
		}
	}
	return found, where
}

// afterRcpt starts a line of a session at its RCPT command: the address before it is the sender's.
func afterRcpt(line string) string {
	if at := strings.Index(strings.ToLower(line), "rcpt"); at >= 0 {
		return line[at:]
	}
	return line
}

var said = regexp.MustCompile(`(?i)(?:^|[^\w.:/-]| :)[45][0-5]\d(?:[, \-:;]|$)|(?:^|[^\w.])[45]\.\d{1,2}\.\d{1,3}(?:$|[^\w.])`)

// diagnosticIn finds the line where the other side's answer stands, with its continuation. address narrows to lines that name
// it; lines that name one of others are passed over.
func diagnosticIn(lines []string, address string, others []string) string {
	for i, line := range lines {
		if !said.MatchString(line) {
			continue
		}
		lowered := strings.ToLower(line)
		if address != "" && !strings.Contains(lowered, lower(address)) || names(lowered, others) {
			continue
		}
		text := line
		for k := i + 1; k < len(lines) && k < i+6 && strings.TrimSpace(lines[k]) != "" && !names(strings.ToLower(lines[k]), others); k++ {
			text += " " + lines[k]
		}
		return oneLine(text)
	}
	return ""
}

func names(lowered string, addresses []string) bool {
	for _, a := range addresses {
		if strings.Contains(lowered, lower(a)) {
			return true
		}
	}
	return false
}

// notification is what Amazon SES reports through SNS.
type notification struct {
	Type   string `json:"notificationType"`
	Bounce struct {
		Type       string `json:"bounceType"`
		Recipients []struct {
			Address    string `json:"emailAddress"`
			Status     string `json:"status"`
			Diagnostic string `json:"diagnosticCode"`
		} `json:"bouncedRecipients"`
	} `json:"bounce"`
	Delivery struct {
		Recipients []string `json:"recipients"`
		Response   string   `json:"smtpResponse"`
	} `json:"delivery"`
}

// readJSON reads a notification that is JSON.
func (b *Bounce) readJSON(text string) (kind string) {
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "{") {
		return ""
	}
	if at := strings.LastIndexByte(text, '}'); at >= 0 {
		text = strings.ReplaceAll(text[:at+1], "\n", "")
	}
	var n notification
	if json.Unmarshal([]byte(text), &n) != nil {
		return ""
	}
	for _, r := range n.Bounce.Recipients {
		action := ActionFailed
		if strings.EqualFold(n.Bounce.Type, "Transient") && strings.HasPrefix(r.Status, "4") {
			action = ActionDelayed
		}
		b.Recipients = append(b.Recipients, BounceRecipient{Address: r.Address, Action: action, Status: statusIn(r.Status), Told: r.Status != "", Diagnostic: oneLine(r.Diagnostic)})
	}
	for _, address := range n.Delivery.Recipients {
		b.Recipients = append(b.Recipients, BounceRecipient{Address: address, Action: ActionDelivered, Diagnostic: oneLine(n.Delivery.Response)})
	}
	return strings.ToLower(n.Type)
}
