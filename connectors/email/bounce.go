package email

import (
	"strings"

	"hearback/desk"
	"hearback/normalizer/mail"
)

// bounced is what a delivery report says of our reply; nil when it names none of ours or only tells of a delay.
func bounced(e desk.Envelope, m *mail.Mail) *desk.Inbound {
	ids := bouncedIDs(e, m)
	if len(ids) == 0 || m.Bounce == nil {
		return nil
	}
	receipt := &desk.Receipt{ExternalIDs: ids[:1]}
	switch {
	case m.Bounce.Failed() || m.Kind == mail.KindBounce:
		receipt.State = desk.DeliveryFailed
		receipt.Code, receipt.Hint = reason(m.Bounce)
	case m.Kind == mail.KindDelivered:
		receipt.State = desk.DeliveryDelivered
	default:
		return nil
	}
	address, _ := author(m, ownAddresses(e))
	return &desk.Inbound{Type: desk.EnvelopeReceipt, From: desk.Identity{Type: kindName, Value: address}, Receipt: receipt}
}

// bouncedIDs finds which replies of ours a report speaks of: what it says so itself, else any Message-ID of ours in its words or
// in the mail it returns. QQ and NetEase put the returned header into the text only.
func bouncedIDs(e desk.Envelope, m *mail.Mail) []string {
	tag := tagOf(e.ChannelID)
	if m.Bounce != nil {
		if ids := ours(tag, spaced(m.Bounce.MessageIDs)...); len(ids) > 0 {
			return ids
		}
	}
	texts := []string{spaced(m.InReplyTo, m.References)[0], m.Text, m.HTML}
	for _, a := range m.Attachments {
		if strings.HasPrefix(a.Type, "message/") || strings.HasPrefix(a.Type, "text/") {
			texts = append(texts, string(a.Data[:min(len(a.Data), 256<<10)]))
		}
	}
	return ours(tag, texts...)
}

func spaced(lists ...[]string) []string {
	var all []string
	for _, l := range lists {
		all = append(all, l...)
	}
	return []string{strings.Join(all, " ") + " "}
}

// reason is the first failure in words, with the server's own.
func reason(b *mail.Bounce) (code, hint string) {
	for _, r := range b.Recipients {
		if r.Action != mail.ActionFailed {
			continue
		}
		hint = say(r.Reason.Words("zh"), r.Reason.Words("en"))
		if r.Diagnostic != "" {
			hint += " (" + oneLine(r.Diagnostic) + ")"
		}
		return r.Status, hint
	}
	return "", say("邮件被退回。", "The mail was returned.")
}
