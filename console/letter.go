package console

import (
	"net/mail"
	"slices"
	"strings"
	"unicode"

	"hearback/desk"
)

// maxRecipients bounds Cc and Bcc together: a reply is no mailing.
const maxRecipients = 50

// checkLetter judges what only letters have. On a channel that writes none it must be empty: nothing is left out silently.
func (c *Console) checkLetter(ch desk.Channel, subject string, cc, bcc []string) error {
	if strings.ContainsFunc(subject, unicode.IsControl) {
		return invalid("body.subject", "The subject has a line break or control character. Remove it.")
	}
	if len(cc)+len(bcc) == 0 {
		return nil
	}
	if !slices.Contains(c.takes(ch), "email") {
		return invalid("body.cc", "This channel has no copies. Take them out, or answer by e-mail.")
	}
	if len(cc)+len(bcc) > maxRecipients {
		return invalid("body.cc", "At most 50 people in Cc and Bcc together.")
	}
	if err := checkAddresses("body.cc", cc); err != nil {
		return err
	}
	return checkAddresses("body.bcc", bcc)
}

// checkAddresses takes one mailbox each (RFC 5322, 3.4). A line break would begin a header of its own.
func checkAddresses(field string, all []string) error {
	for _, one := range all {
		if len(one) > 320 || strings.ContainsFunc(one, unicode.IsControl) {
			return invalid(field, "An address is too long or has a line break in it.")
		}
		if _, err := mail.ParseAddress(one); err != nil {
			return invalid(field, "Write each address as user@example.com or Name <user@example.com>.")
		}
	}
	return nil
}
