package email

import (
	"context"
	"errors"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-smtp"

	"hearback/connectors"
	"hearback/desk"
)

// try logs in to both sides and says in a sentence what is wrong. It fetches nothing and sends nothing.
func try(ctx context.Context, ch desk.Channel, tools connectors.Tools) error {
	c, err := open(ch, tools)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.tryIMAP(ctx); err != nil {
		return told(say("收信", "IMAP"), err)
	}
	if err := c.trySMTP(ctx); err != nil {
		return told(say("发信", "SMTP"), err)
	}
	return nil
}

// trouble is what the admin reads: the sentence alone; the cause stays reachable.
type trouble struct {
	text  string
	cause error
}

func (t trouble) Error() string { return t.text }
func (t trouble) Unwrap() error { return t.cause }

func told(side string, err error) error {
	e := connectors.AsSendError(err)
	text := side + ": "
	switch {
	case e.Hint != "" && e.Err != nil && e.Class == connectors.Credentials:
		text += e.Hint + " (" + oneLine(e.Err.Error()) + ")"
	case e.Hint != "":
		text += e.Hint
	default:
		text += oneLine(err.Error())
	}
	return trouble{text, err}
}

func (c *connector) tryIMAP(ctx context.Context) error {
	s, err := c.openSession(ctx)
	if err != nil {
		return err
	}
	defer s.goodbye()
	s.alive()
	if _, err := s.Select(c.s.folder, &imap.SelectOptions{ReadOnly: true}).Wait(); err != nil {
		return c.selectError(err)
	}
	return nil
}

// trySMTP goes as far as naming the sender: some servers take the log-in and refuse the address.
func (c *connector) trySMTP(ctx context.Context) error {
	at := connecting
	client, err := c.openSMTP(ctx, &at)
	if err != nil {
		return c.classify(ended(ctx, err), at)
	}
	defer client.Close()
	stop := context.AfterFunc(ctx, func() { client.Close() })
	defer stop()
	at = namingSender
	if err := client.Mail(c.s.address, &smtp.MailOptions{}); err != nil {
		return c.classify(ended(ctx, err), at)
	}
	return errors.Join(client.Reset(), client.Quit())
}
