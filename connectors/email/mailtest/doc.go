// Package mailtest holds what tests of the mail channel talk to: a real IMAP server (Dovecot), an SMTP server whose answers the test
// decides, and a line that can be cut.
//
// Only tests import it. Everything listens on the loopback and ends with the test, or with the process where tests share it.
package mailtest
