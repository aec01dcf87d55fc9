package email

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"hearback/desk"
)

// meta is what Decode must know of the mailbox beside the mail: Decode is pure, and a mail means the same when it is decoded again
// after the settings have changed.
func (c *connector) meta(uid uint32) map[string]string {
	m := map[string]string{"address": c.s.address, "uid": strconv.FormatUint(uint64(uid), 10), "reopen_days": strconv.Itoa(c.s.reopenDays)}
	if len(c.s.aliases) > 0 {
		m["aliases"] = strings.Join(c.s.aliases, ",")
	}
	if len(c.s.receivers) > 0 {
		m["receivers"] = strings.Join(c.s.receivers, ",")
	}
	if c.s.receiversTold {
		m["receivers_told"] = "1"
	}
	return m
}

// ownAddresses are the mailbox's, in lower case, the main one first.
func ownAddresses(e desk.Envelope) []string {
	var own []string
	for _, a := range append([]string{e.Meta["address"]}, listed(e.Meta["aliases"])...) {
		if a != "" {
			own = append(own, strings.ToLower(a))
		}
	}
	return own
}

// isOwn tells whether an address is the mailbox's, with our token or without.
func isOwn(own []string, address string) bool {
	return slices.Contains(own, withoutToken(strings.ToLower(address)))
}

// freshAfter is how long after its last message a ticket takes further ones. 0: always.
func freshAfter(e desk.Envelope) time.Duration {
	return time.Duration(number(e.Meta["reopen_days"], 0)) * 24 * time.Hour
}

// listed splits a comma separated setting.
func listed(s string) (out []string) {
	for _, part := range strings.Split(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}
