package mail

import (
	"regexp"
	"strings"
)

// A Bounce is what a mail system reports about a mail sent before.
type Bounce struct {
	Recipients []BounceRecipient
	Reporter   string   // The system that reports.
	MessageIDs []string // Which mail it speaks of: candidates, the surest first.
	Subject    string   // Of that mail, when the report shows it.
}

// Action is what became of a mail on its way to one recipient (RFC 3464, 2.3.3).
type Action string

const (
	ActionFailed    Action = "failed"
	ActionDelayed   Action = "delayed"
	ActionDelivered Action = "delivered"
	ActionRelayed   Action = "relayed"
	ActionExpanded  Action = "expanded"
)

// A BounceRecipient is the fate of a mail for one recipient.
type BounceRecipient struct {
	Address    string // "" when the report does not say whom it means.
	Action     Action
	Status     string // RFC 3463, e.g. "5.1.1". Made from the words when the report gives none; never "".
	Code       string // SMTP reply code, "" when unknown.
	Diagnostic string // What the receiving system said, one line.
	Reason     Reason
	Told       bool // The report gave the status itself.
}

// Failed reports whether the mail will not arrive.
func (b *Bounce) Failed() bool { return b.has(ActionFailed) }

// Delayed reports whether the mail system still tries, for some recipient, and has failed for none.
func (b *Bounce) Delayed() bool { return b.has(ActionDelayed) && !b.Failed() }

func (b *Bounce) has(a Action) bool {
	for _, r := range b.Recipients {
		if r.Action == a {
			return true
		}
	}
	return false
}

// readBounce gathers what a report says: machine-readable parts first, then the same fields flattened into text, then the
// words of the notice.
func (w *walker) readBounce() *Bounce {
	b := &Bounce{}
	for _, r := range w.reports {
		if strings.HasSuffix(r.kind, "delivery-status") {
			text, _ := decodeCharset(r.data, "")
			b.readFields(clean(text))
		}
	}
	text := w.noticeText()
	notice, rest := cutOriginal(text)
	if len(b.Recipients) == 0 && finalRecipient.MatchString(text) {
		b.readFields(text)
	}
	if len(b.Recipients) == 0 {
		b.readJSON(text)
	}
	if len(b.Recipients) == 0 {
		b.readNotice(notice, w)
	}
	for i := range b.Recipients {
		b.Recipients[i].complete(notice, len(b.Recipients) == 1, w.mail.Subject)
	}
	b.findOriginal(w, notice, rest)
	return b
}

// noticeText is all text of the report a person would read.
func (w *walker) noticeText() string {
	var all strings.Builder
	for _, body := range w.mail.Bodies {
		if all.Len() < 1<<20 {
			all.WriteString(body)
			all.WriteByte('\n')
		}
	}
	return all.String()
}

var finalRecipient = regexp.MustCompile(`(?im)^[ \t]*(?:final|original)-recipient[ \t]*:.*@`)

// readFields reads the blocks of RFC 3464: one about the report, then one per recipient, parted by empty lines.
func (b *Bounce) readFields(text string) {
	block := map[string]string{}
	last := ""
	flush := func() {
		b.takeBlock(block)
		block, last = map[string]string{}, ""
	}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \t\n")
		if strings.TrimSpace(line) == "" {
			flush()
			continue
		}
		if (line[0] == ' ' || line[0] == '\t') && last != "" && !isFieldLine([]byte(strings.TrimSpace(line))) {
			block[last] += " " + strings.TrimSpace(line)
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		name = strings.ToLower(strings.TrimSpace(name))
		if !ok || strings.ContainsAny(name, " \t") {
			continue
		}
		if name == "final-recipient" && block[name] != "" {
			flush() // QUIRK: some leave out the empty line between recipients
		}
		if _, dup := block[name]; !dup {
			block[name], last = strings.TrimSpace(value), name
		}
	}
	flush()
}

func (b *Bounce) takeBlock(block map[string]string) {
	if b.Reporter == "" {
		b.Reporter = afterType(block["reporting-mta"])
	}
	address := afterType(block["final-recipient"])
	if original := afterType(block["original-recipient"]); address == "" || !strings.Contains(address, "@") && strings.Contains(original, "@") {
		address = original
	}
	if x := block["x-actual-recipient"]; address == "" {
		address = afterType(x)
	}
	if address == "" {
		return
	}
	r := BounceRecipient{Address: strings.Trim(cleanAddress(address), "<>"), Action: actionOf(block["action"]), Diagnostic: oneLine(afterType(block["diagnostic-code"]))}
	r.Status = statusIn(block["status"])
	r.Told = r.Status != ""
	if r.Action == "" && r.Status == "" && r.Diagnostic == "" {
		return
	}
	for _, have := range b.Recipients {
		if strings.EqualFold(have.Address, r.Address) && have.Address != "" {
			return
		}
	}
	if len(b.Recipients) < 200 {
		b.Recipients = append(b.Recipients, r)
	}
}

// afterType takes "rfc822;" and the like off a value.
func afterType(s string) string {
	if kind, rest, ok := strings.Cut(s, ";"); ok && len(kind) < 20 && !strings.ContainsAny(kind, "@<") {
		s = rest
	}
	return strings.TrimSpace(s)
}

func actionOf(s string) Action {
	word, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(s)), " ")
	switch word = strings.Trim(word, "()\";,"); word {
	case "failed", "failure", "fail", "undeliverable":
		return ActionFailed
	case "delayed", "deferred", "delay":
		return ActionDelayed
	case "delivered", "relayed", "expanded":
		return Action(word)
	}
	if strings.HasPrefix(word, "fail") {
		return ActionFailed
	}
	return ""
}

func oneLine(s string) string { return cutText(strings.Join(strings.Fields(s), " "), 1000) }

var (
	enhanced     = regexp.MustCompile(`(?:^|[^\w.])([245]\.\d{1,2}\.\d{1,3})(?:$|[^\w.]|\.(?:$|\D))`)
	afterReply   = regexp.MustCompile(`(?:^|[^\w.])[245]\d\d[ -:]{1,3}[<(]?#?([245]\.\d{1,2}\.\d{1,3})(?:$|[^\w.]|\.(?:$|\D))`)
	smtpReply    = regexp.MustCompile(`(?:^|[^\w.:/-]| :)([45][0-5]\d)(?:$|[ \-:;,.#<)'"])`)
	givenUp      = regexp.MustCompile(`^[45]\.4\.7$`)
	wrappedReply = regexp.MustCompile(`<([45]\d\d [45]\.\d{1,2}\.\d{1,3})`)
)

// statusIn finds an enhanced status code; "" when there is none. Of several the one right after a reply code is meant.
func statusIn(s string) string {
	if m := afterReply.FindStringSubmatch(s); m != nil {
		return m[1]
	}
	for _, m := range enhanced.FindAllStringSubmatch(s, 20) {
		if m[1][0] != '2' {
			return m[1]
		}
	}
	if m := enhanced.FindStringSubmatch(s); m != nil {
		return m[1]
	}
	return ""
}

// complete settles status, code, action and reason from what is known.
func (r *BounceRecipient) complete(notice string, only bool, subject string) {
	if r.Diagnostic == "" && r.Status != "" && notice != "" {
		r.Diagnostic = diagnosticIn(strings.Split(cutText(notice, 1<<16), "\n"), r.Address, nil)
	}
	if m := smtpReply.FindStringSubmatch(r.Diagnostic); m != nil {
		r.Code = m[1]
	}
	r.settleStatus(notice, only)
	words := r.Diagnostic
	if only || words == "" {
		words += "\n" + notice
	}
	r.Reason = reasonOf(r.Status, words)
	if r.Action == "" {
		r.Action = guessAction(r.Status, notice, subject)
	}
	if r.Status == "" {
		r.Status = r.Reason.status(r.Action, r.Code)
	}
}

// settleStatus prefers what the receiving system said over what the reporting one made of it.
func (r *BounceRecipient) settleStatus(notice string, only bool) {
	inner := statusIn(r.Diagnostic)
	if m := wrappedReply.FindStringSubmatch(r.Diagnostic); m != nil {
		inner = m[1][4:]
	}
	if only && givenUp.MatchString(r.Status) && (inner == "" || inner == r.Status) {
		for _, m := range afterReply.FindAllStringSubmatch(cutText(notice, 1<<16), 20) {
			if m[1] != r.Status {
				inner = m[1]
			}
		}
	}
	if inner != "" && (r.Status == "" || inner[0] != '2' && !strings.HasSuffix(inner, ".0.0")) {
		r.Status, r.Told = inner, true
	}
}

// guessAction decides for reports that name none.
func guessAction(status, notice, subject string) Action {
	lowered := strings.ToLower(subject + "\n" + cutText(notice, 4000))
	switch {
	case strings.HasPrefix(status, "2."):
		return ActionDelivered
	case delayWords.MatchString(lowered):
		return ActionDelayed
	}
	return ActionFailed
}

var delayWords = regexp.MustCompile(`has been delayed|\(delay\)|warning message only|do not need to resend|will continue to be made|will keep trying|still trying|will be retried|not yet been delivered|could not be delivered for the last|延迟|稍后将继续|配信が遅れて|delivery delayed|is delayed|has not yet been|will continue trying`)

// findOriginal collects the ids of the mail the report speaks of.
func (b *Bounce) findOriginal(w *walker, notice, rest string) {
	add := func(ids []string) {
		for _, id := range ids {
			for _, have := range b.MessageIDs {
				if have == id {
					id = ""
				}
			}
			if id != "" && id != w.mail.MessageID && len(b.MessageIDs) < 10 {
				b.MessageIDs = append(b.MessageIDs, id)
			}
		}
	}
	if w.inner != nil {
		add(messageIDs(w.inner.Get("Message-ID"), 1))
		b.Subject = clean(w.inner.Get("Subject"))
	}
	for _, text := range []string{rest, notice} {
		for _, m := range idLine.FindAllStringSubmatch(text, 5) {
			add(messageIDs(m[1], 1))
		}
	}
	add(w.mail.InReplyTo)
	add(w.mail.References)
}

var idLine = regexp.MustCompile(`(?im)^[>| \t]*(?:original[ -])?message-?id[ \t]*:[ \t]*(\S[^\n]*(?:\n[ \t]+<[^\n]*)?)`)
