package email

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"

	"hearback/desk"
	"hearback/normalizer/mail"
)

// Our Message-IDs are hb.<message id>.<tag>@domain, our reply addresses name+hb-<message id>@domain. The message's id is random
// (UUIDv7: 74 bits), so knowing one is the proof of having got the reply; nothing has to be signed. The tag keeps two
// mailboxes of one domain apart.
var (
	ourMessageID = regexp.MustCompile(`(?i)\bhb\.([0-9a-f]{32})\.([0-9a-f]{8})@`)
	ourAddress   = regexp.MustCompile(`(?i)\+hb-([0-9a-f]{32})@`)
	ticketNumber = regexp.MustCompile(`(?i)\[#([a-z]{1,6}[0-9]{8}-[0-9]{4,9})\]`)
)

func tagOf(channel desk.ID) string {
	sum := sha256.Sum256([]byte("mail:" + channel))
	return hex.EncodeToString(sum[:4])
}

// compact is an external id as 32 hex digits.
func compact(external string) string {
	h := strings.ToLower(strings.ReplaceAll(external, "-", ""))
	if _, err := hex.DecodeString(h); err != nil || len(h) != 32 {
		sum := sha256.Sum256([]byte(external))
		h = hex.EncodeToString(sum[:16])
	}
	return h
}

// external is compact's way back.
func external(h string) string {
	h = strings.ToLower(h)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func mintID(ext, tag, domain string) string { return "hb." + compact(ext) + "." + tag + "@" + domain }

// replyAddress carries the conversation in the address; "" when that makes it too long (RFC 5321, 4.5.3.1.1).
func replyAddress(address, ext string) string {
	local, domain, _ := strings.Cut(address, "@")
	local += "+hb-" + compact(ext)
	if len(local) > 64 {
		return ""
	}
	return local + "@" + domain
}

// ours finds the external ids of our replies among Message-IDs or in any text, in order, each once.
func ours(tag string, texts ...string) (out []string) {
	seen := map[string]bool{}
	for _, text := range texts {
		for _, m := range ourMessageID.FindAllStringSubmatch(text, 50) {
			if id := external(m[1]); strings.EqualFold(m[2], tag) && !seen[id] {
				seen[id] = true
				out = append(out, id)
			}
		}
	}
	return out
}

// writer is who a mail is from: the From address, else whoever the header names next.
func writer(m *mail.Mail) (address, name string) {
	for _, list := range [][]mail.Address{m.From, m.Sender, m.ReplyTo} {
		for _, a := range list {
			if strings.Contains(a.Address, "@") {
				return strings.ToLower(a.Address), first(a.Name, a.Comment)
			}
		}
	}
	if len(m.From) > 0 {
		return unknownSender, m.From[0].Name
	}
	return unknownSender, ""
}
