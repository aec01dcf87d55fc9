package email

import (
	"strings"

	"hearback/desk"
)

// acknowledge is the mail a customer gets at once when his own has opened a ticket, in his language. Who cannot be answered or
// does not want to be gets none.
func acknowledge(ch desk.Channel, in desk.Inbound, number string) string {
	to := in.From.Value
	if ch.Settings["acknowledge"] == "off" || in.NoTicket || in.Class != desk.ClassNormal || to == unknownSender || noReply.MatchString(to) {
		return ""
	}
	text := ch.Settings["acknowledge_text"]
	switch {
	case strings.TrimSpace(text) != "":
	case han.MatchString(in.Subject + in.Text):
		text = "您好，\n\n我们已收到您的来信，工单编号为 {number}，会尽快回复您。\n补充信息请直接回复此邮件。"
	default:
		text = "Hello,\n\nwe have received your message. Its number is {number}; we will answer as soon as we can.\nTo add something, just answer this mail."
	}
	return strings.NewReplacer("{{number}}", number, "{number}", number).Replace(text)
}
