package email

import (
	"slices"
	"strings"

	"hearback/desk"
	"hearback/normalizer/mail"
)

// maxHeads is how many addresses of one field are shown.
const maxHeads = 50

// heads are what the agent sees of the mail's head, and what an answer to all goes to: our own addresses are left out.
func heads(e desk.Envelope, m *mail.Mail, in *desk.Inbound, v verdict) *desk.Headers {
	own := ownAddresses(e)
	h := &desk.Headers{Subject: cut(subject(m.Subject), 1000), Checks: v.checks, Badges: badges(m, v)}
	if address, name := writer(m); address != unknownSender {
		h.From = shown(mail.Address{Name: plain(name), Address: address})
	}
	h.ReplyTo, _ = answerTo(e, m, in, v)
	seen := map[string]bool{in.From.Value: true, h.ReplyTo: true}
	h.To = others(m.To, own, seen)
	h.Cc = others(m.Cc, own, seen)
	return h
}

// others lists addresses beside our own and those seen before.
func others(list []mail.Address, own []string, seen map[string]bool) (out []string) {
	for _, a := range list {
		address := strings.ToLower(plain(a.Address))
		if _, err := mailbox(address); err != nil || seen[address] || isOwn(own, address) || len(out) == maxHeads {
			continue
		}
		seen[address] = true
		out = append(out, shown(mail.Address{Name: a.Name, Address: address}))
	}
	return out
}

// shown writes an address for reading. An address has no letters that could pass for another one's ends.
func shown(a mail.Address) string {
	name := strings.Map(func(r rune) rune {
		if r == '<' || r == '>' {
			return -1
		}
		return r
	}, plain(a.Name))
	if name = strings.TrimSpace(cut(name, 120)); name == "" || strings.EqualFold(name, a.Address) {
		return a.Address
	}
	return name + " <" + a.Address + ">"
}

// answerTo is where the writer wants the answer when that is not where he wrote from; why tells, when his wish is not followed,
// the address he gave.
//
// A Reply-To is a way to have somebody else's answers sent to oneself: a mail under a customer's address that names another one for
// the answer. It is followed when the receiving server found the mail to come from where it says (DMARC, or SPF or DKIM of the same
// organisation), or when both addresses are of one organisation. Never when there is more than one, or when it is ours or a
// machine's. The customer stays who From says.
func answerTo(e desk.Envelope, m *mail.Mail, in *desk.Inbound, v verdict) (to, unfollowed string) {
	if len(m.ReplyTo) != 1 || in.Class != desk.ClassNormal && in.Class != desk.ClassList {
		return "", ""
	}
	to = strings.ToLower(plain(m.ReplyTo[0].Address))
	from, _ := writer(m)
	if _, err := mailbox(to); err != nil || to == in.From.Value || to == from || isOwn(ownAddresses(e), to) || noReply.MatchString(to) {
		return "", ""
	}
	same := organisation(domainOf(to)) == organisation(domainOf(from)) && !slices.Contains(publicHosts, organisation(domainOf(to)))
	if v.dmarc != "fail" && same || v.proves(from) {
		return to, ""
	}
	return "", to
}

// publicHosts give addresses to everybody: two of them are not of one organisation.
var publicHosts = []string{"gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com", "yahoo.co.jp", "icloud.com", "me.com",
	"aol.com", "gmx.de", "gmx.net", "gmx.com", "web.de", "proton.me", "protonmail.com", "zoho.com", "mail.ru", "yandex.ru", "qq.com", "foxmail.com", "163.com",
	"126.com", "yeah.net", "188.com", "vip.163.com", "sina.com", "sina.cn", "sohu.com", "aliyun.com", "139.com", "189.cn", "wo.cn", "21cn.com", "tom.com", "naver.com"}

// sameAs are names of the mail that its copy in another of our mailboxes has too. The Message-ID alone would join what careless
// programs send under one id.
func sameAs(m *mail.Mail) []string {
	if m.MessageID == "" {
		return nil
	}
	from, _ := writer(m)
	return []string{"mid:" + messageKey(m.MessageID) + " " + digestOf(from, m.Header.Get("Date"), topicOf(m.Subject))}
}
