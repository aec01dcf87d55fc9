package email

import (
	"regexp"
	"strings"

	"hearback/desk"
	"hearback/normalizer/mail"
)

const (
	maxKeys    = 60
	maxMembers = 50
)

// thread says which conversation a mail belongs to, the surest sign first:
//
//  1. our token in an address it was sent to
//  2. our Message-IDs, in In-Reply-To, then in References from the newest on. QUIRK: some clients overwrite References but keep
//     In-Reply-To, others the other way round.
//  3. other Message-IDs there: the customer's own earlier mails
//  4. the ticket's number in the subject
//  5. for answers without any of these: the same sender's mail of the same subject
//
// Only the first proves that the sender received our answer; the others are followed when he belongs to the ticket.
func thread(e desk.Envelope, m *mail.Mail, in *desk.Inbound, v verdict) {
	k := keys{seen: map[string]bool{}}
	for _, name := range []string{"Delivered-To", "X-Original-To", "Envelope-To", "To", "Cc"} {
		for _, value := range m.Header.Values(name) {
			for _, t := range ourAddress.FindAllStringSubmatch(value, 5) {
				k.add(external(t[1]))
			}
		}
	}
	in.Proven = len(k.all)
	refs := append([]string{}, m.InReplyTo...)
	for i := len(m.References) - 1; i >= 0; i-- {
		refs = append(refs, m.References[i])
	}
	for _, id := range refs {
		for _, key := range ours(tagOf(e.ChannelID), id+" ") {
			k.add(key)
		}
	}
	for _, id := range refs {
		k.add("<" + messageKey(id) + ">")
	}
	if n := ticketNumber.FindStringSubmatch(m.Subject); n != nil {
		k.add("#" + strings.ToUpper(n[1]))
	}
	from, topic := in.From.Value, topicOf(m.Subject)
	if topic != "" && answering.MatchString(m.Subject) {
		k.add("s:" + from + " " + topic)
	}
	if in.Class == desk.ClassBounce {
		for _, id := range bouncedIDs(e, m) {
			k.add(id)
		}
		in.Proven = len(k.all) // a mail system belongs to no ticket
	}
	k.add("-") // never the sender's latest ticket just because it is his
	in.ThreadKeys = k.all
	in.Members = members(e, m, in, v)
	if in.Class == desk.ClassNormal {
		in.Topic = topic
	}
	if id := m.MessageID; id != "" {
		in.OwnKeys = append(in.OwnKeys, "<"+messageKey(id)+">")
	}
	if topic != "" && in.Class == desk.ClassNormal {
		in.OwnKeys = append(in.OwnKeys, "s:"+from+" "+topic)
	}
}

// keys are distinct and not too many.
type keys struct {
	all  []string
	seen map[string]bool
}

func (k *keys) add(key string) {
	if !k.seen[key] && (len(k.all) < maxKeys || key == "-") {
		k.seen[key] = true
		k.all = append(k.all, key)
	}
}

// answering matches the prefixes of answers; RE[2]: and their translations included.
var answering = regexp.MustCompile(`(?i)^\s*(?:(?:re|aw|sv|vs|antw|odp|res|rif|ynt|回复|回覆|答复|答覆)(?:\s*\[\d+\]|\s*\(\d+\))?\s*[:：]\s*)+`)

// anyPrefix also takes off forwards.
var anyPrefix = regexp.MustCompile(`(?i)^\s*(?:(?:re|aw|sv|vs|antw|odp|res|rif|ynt|fwd?|wg|tr|回复|回覆|答复|答覆|转发|轉寄|轉發)(?:\s*\[\d+\]|\s*\(\d+\))?\s*[:：]\s*)+`)

// topicOf is a subject without prefixes and our number, for comparing.
func topicOf(s string) string {
	s = anyPrefix.ReplaceAllString(subject(s), "")
	s = strings.ToLower(plain(s))
	if len(s) > 200 {
		s = strings.ToValidUTF8(s[:200], "")
	}
	return s
}

// members are the addresses a mail joins to its conversation: whoever wrote it and everybody he wrote to beside us.
// A mail that does not come from where it says brings nobody in, and a Reply-To that is not followed neither.
func members(e desk.Envelope, m *mail.Mail, in *desk.Inbound, v verdict) []string {
	from, own := in.From.Value, ownAddresses(e)
	out := []string{from}
	if v.dmarc == "fail" {
		return out
	}
	seen := map[string]bool{from: true}
	answers := []mail.Address{{Address: in.Headers.ReplyTo}}
	for _, list := range [][]mail.Address{m.From, answers, m.Cc, m.To} {
		for _, a := range list {
			address := strings.ToLower(a.Address)
			if !strings.Contains(address, "@") || seen[address] || isOwn(own, address) || len(out) == maxMembers {
				continue
			}
			seen[address] = true
			out = append(out, address)
		}
	}
	return out
}
