package email

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"hearback/connectors"
	"hearback/desk"
)

// Send hands one reply to the mailbox's SMTP server.
func (c *connector) Send(ctx context.Context, out desk.Outbound) (connectors.Receipt, error) {
	l, err := c.compose(ctx, out)
	if err != nil {
		return connectors.Receipt{}, err
	}
	if err := c.turn(ctx); err != nil {
		return connectors.Receipt{}, err
	}
	defer func() { <-c.sends }()
	answer, err := c.transmit(ctx, l)
	if err != nil {
		return connectors.Receipt{}, err
	}
	if c.s.keepSent {
		c.sent.keep(l)
	}
	return connectors.Receipt{ExternalID: rewritten(answer)}, nil
}

// turn waits for a free connection and takes from the mailbox's rate.
func (c *connector) turn(ctx context.Context) error {
	select {
	case c.sends <- struct{}{}:
	case <-ctx.Done():
		return &connectors.SendError{Class: connectors.Throttled, After: 5 * time.Second, Err: ctx.Err(),
			Hint: say("正在等待空闲的发信连接。", "Waiting for a free connection to the mail server.")}
	}
	if c.s.rate == 0 {
		return nil
	}
	ok, wait, err := c.tools.Cache.Allow(ctx, "send", c.s.rate, max(c.s.rate/3, 1))
	if err != nil {
		c.tools.Logger.Warn("the rate of mails cannot be counted; sending without", "err", err)
		return nil
	}
	if !ok {
		<-c.sends
		return &connectors.SendError{Class: connectors.Throttled, After: wait, Hint: say("已达到每分钟发信上限，稍后发出。", "The mailbox's rate is used up; it leaves shortly.")}
	}
	return nil
}

// A stage is how far a transmission has come: it decides what an error means.
type stage int

const (
	connecting stage = iota
	loggingIn
	namingSender
	namingRecipient
	writing
	waiting // everything is written, the server has not answered
)

// transmit runs one SMTP transaction and returns the server's last answer.
func (c *connector) transmit(ctx context.Context, l *letter) (answer string, err error) {
	at := connecting
	fail := func(err error) error { return c.classify(ended(ctx, err), at) }
	client, err := c.openSMTP(ctx, &at)
	if err != nil {
		return "", fail(err)
	}
	defer client.Close()
	stop := context.AfterFunc(ctx, func() { client.Close() })
	defer stop()
	at = namingSender
	options := &smtp.MailOptions{}
	if ok, _ := client.Extension("SIZE"); ok {
		options.Size = l.size
	}
	if err := client.Mail(l.from, options); err != nil {
		return "", fail(err)
	}
	at = namingRecipient
	for i, to := range l.recipients {
		if err := client.Rcpt(to, nil); err != nil {
			if i == 0 || !isRefusal(err) {
				return "", fail(err)
			}
			c.tools.Logger.Warn("a copy's recipient was refused", "err", err) // the customer gets his answer all the same
		}
	}
	at = writing
	data, err := client.Data()
	if err != nil {
		return "", fail(err)
	}
	if err := l.write(ctx, data); err != nil {
		return "", fail(err)
	}
	at = waiting
	told, err := data.CloseWithResponse()
	if err != nil {
		return "", fail(err)
	}
	client.Quit()
	return told.StatusText, nil
}

// openSMTP connects and logs in.
func (c *connector) openSMTP(ctx context.Context, at *stage) (*smtp.Client, error) {
	a := c.s.smtp
	conn, err := c.dial(ctx, a)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	conn.SetDeadline(time.Now().Add(dialFor))
	client, err := c.hello(conn, a)
	if err != nil {
		conn.Close()
		return nil, err
	}
	*at = loggingIn
	if err := c.authSMTP(ctx, client, a); err != nil {
		client.Close()
		return nil, err
	}
	client.CommandTimeout, client.SubmissionTimeout = time.Minute, 10*time.Minute
	return client, nil
}

func (c *connector) hello(conn net.Conn, a account) (*smtp.Client, error) {
	if a.security == securityStartTLS {
		return smtp.NewClientStartTLS(conn, c.s.tls(a.host))
	}
	client := smtp.NewClient(conn)
	return client, client.Hello("localhost")
}

func (c *connector) authSMTP(ctx context.Context, client *smtp.Client, a account) error {
	if c.s.xoauth2 {
		return c.withToken(ctx, func(token string) error { return client.Auth(&xoauth2{a.user, token}) })
	}
	ok, offered := client.Extension("AUTH")
	switch {
	case !ok:
		return nil // a relay that knows us by our address; if not, it says so at MAIL
	case strings.Contains(offered, "PLAIN"):
		return client.Auth(sasl.NewPlainClient("", a.user, a.password))
	case strings.Contains(offered, "LOGIN"):
		return client.Auth(sasl.NewLoginClient(a.user, a.password))
	}
	return errors.New("the server offers no way to log in that we know")
}

func isRefusal(err error) bool {
	var told *smtp.SMTPError
	return errors.As(err, &told)
}

// classify says what delivery does about a failed transmission.
func (c *connector) classify(err error, at stage) error {
	var own *connectors.SendError
	if errors.As(err, &own) {
		return own
	}
	var told *smtp.SMTPError
	if !errors.As(err, &told) {
		return c.broken(err, at)
	}
	e := &connectors.SendError{Class: connectors.Permanent, Code: codeOf(told), Hint: oneLine(told.Message), Err: fmt.Errorf("smtp: %w", err)}
	switch {
	case told.Code/100 == 4:
		e.Class = connectors.Transient
	case at == loggingIn:
		e = c.s.refusal("smtp", told.Message)
		e.Code = codeOf(told)
	case at == namingSender && told.Code != 552:
		// Every mail of ours would be refused so: an admin has to see to it, and the queue waits.
		e.Class = connectors.Credentials
		e.Hint = say("发信服务器拒绝此发件地址："+e.Hint, "The mail server refuses this sender: "+oneLine(told.Message))
	case told.Code == 530 || told.Code == 535:
		e.Class = connectors.Credentials
	case at == connecting:
		e.Class = connectors.Transient // 554 as a greeting: not now
	}
	return e
}

// broken is a transmission that ended without a word from the server.
func (c *connector) broken(err error, at stage) error {
	switch at {
	case connecting:
		return unreachable("smtp", c.s.smtp, err)
	case waiting:
		return &connectors.SendError{Class: connectors.Uncertain, Code: "smtp_cut", Err: err,
			Hint: say("邮件已交给服务器，但没有收到回应。", "The mail was handed over, but the server's answer was lost.")}
	}
	return &connectors.SendError{Class: connectors.Transient, Code: "smtp_cut", Err: err,
		Hint: say("与发信服务器的连接中断，将重试。", "The connection to the mail server broke; it is tried again.")}
}

func codeOf(e *smtp.SMTPError) string {
	if e.EnhancedCode[0] > 0 {
		return fmt.Sprintf("%d %d.%d.%d", e.Code, e.EnhancedCode[0], e.EnhancedCode[1], e.EnhancedCode[2])
	}
	return fmt.Sprint(e.Code)
}

// rewritten finds the Message-ID in the answer of a provider that replaces ours, as Exchange Online tells it: answers refer to
// that one. "" when there is none.
func rewritten(answer string) string {
	_, rest, _ := strings.Cut(answer, "<")
	id, _, ok := strings.Cut(rest, ">")
	if !ok || !strings.Contains(id, "@") || ourMessageID.MatchString(id) {
		return ""
	}
	return "<" + messageKey(id) + ">"
}
