package email

import (
	"regexp"
	"slices"
	"strings"

	"hearback/desk"
	"hearback/normalizer/mail"
)

// Decode reads one mail. Whatever the bytes are, something is shown.
func Decode(e desk.Envelope) ([]desk.Inbound, error) {
	return understood(e, mail.Parse(e.Raw, mail.Limits{})), nil
}

// understood is what a mail means: a message, and before it the receipt when it reports on a reply of ours.
func understood(e desk.Envelope, m *mail.Mail) []desk.Inbound {
	in := inbound(e, m)
	if m.Class != desk.ClassBounce {
		return []desk.Inbound{in}
	}
	if receipt := bounced(e, m); receipt != nil {
		return []desk.Inbound{*receipt, in}
	}
	return []desk.Inbound{in}
}

func inbound(e desk.Envelope, m *mail.Mail) desk.Inbound {
	address, name := author(m, ownAddresses(e))
	in := desk.Inbound{
		Type: desk.EnvelopeMessage, From: desk.Identity{Type: kindName, Value: address}, Name: plain(name), SentAt: sent(m),
		Subject: subject(m.Subject), HTML: m.HTML, Class: classOf(e, m, address), FreshAfter: freshAfter(e),
	}
	v := judge(e, m)
	// Whoever the receiving server found to be who he says is one person with the same address elsewhere, and can be answered by mail
	// when he writes by another channel.
	from, _ := writer(m)
	in.From.Verified = address == from && v.proves(address)
	in.Headers = heads(e, m, &in, v)
	in.Repairs = repairs(e, m, &in, v)
	in.Text, in.Quoted = words(m)
	in.NoTicket = quiet(in.Class, m.Kind)
	for _, a := range m.Attachments {
		file := desk.InboundAttachment{Name: a.Name, Type: a.Type, Size: a.Size, Inline: a.Inline, ContentID: a.ContentID, Blob: a.Aside}
		if a.Aside == "" {
			file.Data = notNil(a.Data)
		}
		in.Attachments = append(in.Attachments, file)
	}
	in.SameAs = sameAs(m)
	thread(e, m, &in, v)
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
func author(m *mail.Mail, own []string) (address, name string) {
	address, name = writer(m)
	forOther := noReply.MatchString(address) || slices.Contains(own, address)
	if !forOther || len(m.ReplyTo) != 1 {
		return address, name
	}
	to := strings.ToLower(m.ReplyTo[0].Address)
	if !strings.Contains(to, "@") || isOwn(own, to) || noReply.MatchString(to) {
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
	if m.Class == desk.ClassBounce {
		return m.Class
	}
	if isOwn(ownAddresses(e), from) || len(ours(tagOf(e.ChannelID), m.MessageID+" ")) > 0 {
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
func repairs(e desk.Envelope, m *mail.Mail, in *desk.Inbound, v verdict) (out []string) {
	if size := e.Meta["size"]; size != "" {
		out = append(out, say("邮件过大（"+size+" 字节），只取了开头。", "The mail is too big ("+size+" bytes); only its beginning was fetched."))
	}
	for _, r := range m.Repairs {
		out = append(out, plain(say(r.Words("zh"), r.Words("en"))))
	}
	if v.dmarc == "fail" {
		out = append(out, say("发件人验证（DMARC）未通过，地址可能是伪造的。", "The sender failed DMARC; the address may be forged."))
	}
	if _, other := answerTo(e, m, in, v); other != "" {
		out = append(out, say("来信要求回复到 "+other+"，但来源未经验证，回复仍发往发件人地址。",
			"The mail asks for answers to "+other+"; its origin is not proven, so they go to where it was written from."))
	}
	switch {
	case m.Encrypted != "":
		out = append(out, say("邮件已加密（"+m.Encrypted+"），内容在附件中。", "The mail is encrypted ("+m.Encrypted+"); it is kept as an attachment."))
	case m.Signed != "":
		out = append(out, say("邮件带数字签名（"+m.Signed+"），未验证。", "The mail is signed ("+m.Signed+"); the signature was not checked."))
	}
	return out
}

// subject without our ticket number.
func subject(s string) string {
	return strings.TrimSpace(plain(ticketNumber.ReplaceAllString(s, "")))
}

// plain is text on one line of valid UTF-8.
func plain(s string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "")), " ")
}
