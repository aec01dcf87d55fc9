package email

import (
	"strings"

	"hearback/desk"
)

// reach: an agent may write to anybody who has an address, but not to the mailbox itself.
func reach(ch desk.Channel, to desk.Identity) (sender string, ok bool) {
	if to.Type != kindName {
		return "", false
	}
	address := strings.ToLower(strings.TrimSpace(to.Value))
	if _, err := mailbox(address); err != nil || address == unknownSender {
		return "", false
	}
	own := []string{strings.ToLower(strings.TrimSpace(ch.Settings["address"]))}
	return address, !isOwn(append(own, listed(strings.ToLower(ch.Settings["aliases"]))...), address)
}
