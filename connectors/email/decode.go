package email

import (
	"regexp"
	"strings"

	"hearback/desk"
	"hearback/normalizer/mail"
)

// Decode reads one mail. Whatever the bytes are, something is shown.
func Decode(e desk.Envelope) ([]desk.Inbound, error) {
	m := mail.Parse(e.Raw, mail.Limits{})
	in := inbound(e, m)
	if m.Class != desk.ClassBounce {
		return []desk.Inbound{in}, nil
	}
	if receipt := bounced(e, m); receipt != nil {
		return []desk.Inbound{*receipt, in}, nil
	}
	return []desk.Inbound{in}, nil
}

func inbound(e desk.Envelope, m *mail.Mail) desk.Inbound {
	address, name := author(m, e.Meta["address"])
	in := desk.Inbound{
		Type: desk.EnvelopeMessage, From: desk.Identity{Type: kindName, Value: address}, Name: plain(name), SentAt: sent(m),
		Subject: subject(m.Subject), HTML: m.HTML, Class: classOf(e, m, address), Repairs: repairs(e, m), Fields: fieldsOf(e, m),
	}
	in.Text, in.Quoted = words(m)
	in.NoTicket = quiet(in.Class, m.Kind)
	for _, a := range m.Attachments {
		in.Attachments = append(in.Attachments, desk.InboundAttachment{Name: a.Name, Type: a.Type, Size: int64(len(a.Data)), Inline: a.Inline,
			ContentID: a.ContentID, Data: notNil(a.Data)})
	}
	thread(e, m, &in)
	return in
}

// notNil: an empty file is a file.
func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// author is the person to answer: whose envelopes wait in one line, and whom replies go to. A machine that writes for somebody, as
// contact forms do from a no-reply address or from the mailbox's own, names him in Reply-To.
func author(m *mail.Mail, own string) (address, name string) {
	address, name = writer(m)
	own = strings.ToLower(own)
	forOther := noReply.MatchString(address) || own != "" && address == own
	if !forOther || len(m.ReplyTo) != 1 {
		return address, name
	}
	to := strings.ToLower(m.ReplyTo[0].Address)
	if !strings.Contains(to, "@") || withoutToken(to) == own || noReply.MatchString(to) {
		return address, name
	}
	return to, first(m.ReplyTo[0].Name, name)
}

var noReply = regexp.MustCompile(`(?i)^(?:no-?_?reply|do-?_?not-?_?reply)(?:$|[@+._-])`)

// words parts what was written this time from history and signature. A mail that adds nothing to what it quotes (a forward) is
// shown whole.
func words(m *mail.Mail) (text, quoted string) {
	text = strings.TrimSpace(m.Reply)
	if text == "" && (strings.TrimSpace(m.Quoted) != "" || m.Signature == "") {
		text = strings.TrimSpace(m.Text)
	} else {
		quoted = strings.TrimSpace(strings.TrimSpace(m.Signature) + "\n\n" + strings.TrimSpace(m.Quoted))
	}
	if m.Calendar != nil {
		text = strings.TrimSpace(text + "\n\n" + invitation(m.Calendar))
	}
	return text, quoted
}

func invitation(e *mail.Event) string {
	lines := []string{say("日程", "Calendar") + ": " + e.Summary}
	for _, part := range []string{strings.Trim(e.Start+" – "+e.End+" "+e.Zone, " –"), e.Location, e.Organizer} {
		if part != "" {
			lines = append(lines, part)
		}
	}
	return strings.Join(lines, "\n")
}

func sent(m *mail.Mail) desk.Time {
	if m.Date.IsZero() || m.Date.Year() < 1990 {
		return 0
	}
	return desk.At(m.Date)
}

// classOf adds to the parser's judgement what only this mailbox knows: its own mail, come back.
func classOf(e desk.Envelope, m *mail.Mail, from string) desk.Class {
	own := strings.ToLower(e.Meta["address"])
	if m.Class == desk.ClassBounce {
		return m.Class
	}
	if own != "" && (from == own || withoutToken(from) == own) || len(ours(tagOf(e.ChannelID), m.MessageID+" ")) > 0 {
		return desk.ClassLoop
	}
	return m.Class
}

// withoutToken drops our token from an address.
func withoutToken(address string) string { return ourAddress.ReplaceAllString(address, "@") }

// quiet tells whose mail opens no ticket: notices, vacation answers, receipts, our own. What other machines and lists send does:
// shops' forms and forwarding groups write so.
func quiet(class desk.Class, kind mail.Kind) bool {
	return class == desk.ClassBounce || class == desk.ClassLoop || kind == mail.KindAutoReply || kind == mail.KindDisposition
}

// repairs tells the agent what was mended, and what to be careful about.
func repairs(e desk.Envelope, m *mail.Mail) (out []string) {
	if size := e.Meta["size"]; size != "" {
		out = append(out, say("邮件过大（"+size+" 字节），只取了开头。", "The mail is too big ("+size+" bytes); only its beginning was fetched."))
	}
	for _, r := range m.Repairs {
		out = append(out, plain(say(r.Words("zh"), r.Words("en"))))
	}
	if dmarcFailed.MatchString(m.Header.Get("Authentication-Results")) {
		out = append(out, say("发件人验证（DMARC）未通过，地址可能是伪造的。", "The sender failed DMARC; the address may be forged."))
	}
	switch {
	case m.Encrypted != "":
		out = append(out, say("邮件已加密（"+m.Encrypted+"），内容在附件中。", "The mail is encrypted ("+m.Encrypted+"); it is kept as an attachment."))
	case m.Signed != "":
		out = append(out, say("邮件带数字签名（"+m.Signed+"），未验证。", "The mail is signed ("+m.Signed+"); the signature was not checked."))
	}
	return out
}

// dmarcFailed goes by the first Authentication-Results, the receiver's own. A forged one can only harm its author: passes are
// not shown.
var dmarcFailed = regexp.MustCompile(`(?i)(?:^|[;\s])dmarc\s*=\s*fail\b`)

// fieldsOf keeps who else the mail went to.
func fieldsOf(e desk.Envelope, m *mail.Mail) map[string]string {
	own := strings.ToLower(e.Meta["address"])
	var others []string
	for _, a := range append(append([]mail.Address{}, m.To...), m.Cc...) {
		address := strings.ToLower(a.Address)
		if address != "" && withoutToken(address) != own && len(others) < 50 {
			others = append(others, plain(address))
		}
	}
	if len(others) == 0 {
		return nil
	}
	return map[string]string{"cc": strings.Join(others, ", ")}
}

// subject without our ticket number.
func subject(s string) string {
	return strings.TrimSpace(plain(ticketNumber.ReplaceAllString(s, "")))
}

// plain is text on one line of valid UTF-8.
func plain(s string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "")), " ")
}
