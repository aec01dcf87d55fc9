package email

import (
	"cmp"
	"mime"
	netmail "net/mail"
	"strings"
	"time"
	"unicode"

	"hearback/desk"
	"hearback/normalizer/mail"
)

const maxReferences = 20

func (c *connector) fillHeader(l *letter, out desk.Outbound, to string, cc []string) {
	h := &l.header
	set := func(name, value string) {
		if value != "" {
			h.Set(name, value)
		}
	}
	if out.Automatic {
		set("Auto-Submitted", "auto-replied")
		set("X-Auto-Response-Suppress", "All")
		set(mail.LoopHeader, c.s.address)
	}
	set("MIME-Version", "1.0")
	parent, chain := c.references(out)
	set("References", strings.Join(chain, " "))
	set("In-Reply-To", parent)
	replyTo := ""
	if c.s.plus {
		replyTo = replyAddress(c.s.address, out.ExternalID)
	}
	set("Message-Id", "<"+l.id+">")
	set("Date", out.CreatedAt.Std().Format(time.RFC1123Z))
	set("Subject", mime.BEncoding.Encode("utf-8", subjectFor(out, replyTo == "")))
	set("Cc", strings.Join(cc, ", "))
	if replyTo != "" {
		set("Reply-To", named(c.s.name, replyTo))
	}
	set("To", named(out.ToName, to))
	set("From", named(first(c.s.name, out.Author.Name), c.s.address))
	kind := "multipart/alternative"
	if len(l.files) > 0 {
		kind = "multipart/mixed"
	}
	h.SetContentType(kind, map[string]string{"boundary": "hb-" + compact(out.ExternalID)})
}

// named writes a name beside an address. What is no plain name is left out.
func named(name, address string) string {
	name = plain(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, name))
	if name == "" || strings.EqualFold(name, address) {
		return address
	}
	a := netmail.Address{Name: name, Address: address}
	return a.String()
}

// references is the parent and the chain of RFC 5322, 3.6.4: References holds the parent's References plus its Message-ID. The
// first one is kept, of the others the latest.
func (c *connector) references(out desk.Outbound) (parent string, chain []string) {
	for _, ext := range out.InReplyTo {
		id := messageIDOf(ext)
		if !strings.Contains(ext, " ") { // one of our own
			id = mintID(ext, c.tag, c.s.domain())
		}
		if id != "" && !strings.ContainsAny(id, "<>") {
			chain = append(chain, "<"+id+">")
		}
	}
	if len(chain) == 0 {
		return "", nil
	}
	if len(chain) > maxReferences {
		chain = append(chain[:1:1], chain[len(chain)-maxReferences+1:]...)
	}
	return chain[len(chain)-1], chain
}

// subjectFor answers under the customer's own subject; the ticket's number goes in where no address can carry it.
func subjectFor(out desk.Outbound, numbered bool) string {
	s := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, out.Subject)
	s = subject(s)
	if s == "" {
		s = cmp.Or(out.Number, "(no subject)")
	}
	if len(out.InReplyTo) > 0 {
		s = "Re: " + strings.TrimSpace(answering.ReplaceAllString(s, ""))
	}
	if numbered && out.Number != "" {
		s += " [#" + out.Number + "]"
	}
	return s
}
