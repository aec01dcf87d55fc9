package email

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"

	"hearback/connectors"
)

const (
	dialFor    = 20 * time.Second
	commandFor = 60 * time.Second // silence after which a connection is taken for dead
)

// A session is one logged-in IMAP connection. Commands have no deadline of their own: a watchdog closes the connection when
// nothing has moved for commandFor.
type session struct {
	*imapclient.Client
	news    chan struct{} // the server told of new mail
	watch   *time.Timer
	unwatch func() bool // from the caller's context
	near    bool        // the server is on this machine or its private network
	mailAt  time.Time   // when the last mail came on this connection
}

// openSession connects and logs in. The session ends with ctx.
func (c *connector) openSession(ctx context.Context) (*session, error) {
	conn, err := c.dialIMAP(ctx)
	if err != nil {
		return nil, err
	}
	s := &session{news: make(chan struct{}, 1), near: isNear(conn)}
	s.watch = time.AfterFunc(commandFor, func() { conn.Close() })
	s.unwatch = context.AfterFunc(ctx, func() { conn.Close() })
	options := &imapclient.Options{TLSConfig: c.s.tls(c.s.imap.host), UnilateralDataHandler: &imapclient.UnilateralDataHandler{
		Mailbox: func(data *imapclient.UnilateralDataMailbox) {
			if data.NumMessages != nil {
				s.tell()
			}
		}}}
	if err := s.greet(conn, c.s.imap, options); err != nil {
		s.watch.Stop()
		s.unwatch()
		conn.Close()
		return nil, unreachable("imap", c.s.imap, ended(ctx, err))
	}
	if err := c.login(ctx, s); err != nil {
		s.close()
		return nil, ended(ctx, err)
	}
	return s, nil
}

// dialIMAP connects, with TLS when it comes first.
func (c *connector) dialIMAP(ctx context.Context) (net.Conn, error) {
	conn, err := c.dial(ctx, c.s.imap)
	if err != nil {
		return nil, unreachable("imap", c.s.imap, err)
	}
	return conn, nil
}

// dial connects to one side, and shakes hands where TLS comes first.
func (c *connector) dial(ctx context.Context, a account) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialFor)
	defer cancel()
	conn, err := c.tools.Dial(ctx, "tcp", a.dialAddress())
	if err != nil {
		return nil, err
	}
	if a.security != securityTLS {
		return conn, nil
	}
	wrapped := tls.Client(conn, c.s.tls(a.host))
	if err := wrapped.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return wrapped, nil
}

func (s *session) greet(conn net.Conn, a account, options *imapclient.Options) error {
	if a.security == securityStartTLS {
		client, err := imapclient.NewStartTLS(conn, options)
		s.Client = client
		return err
	}
	s.Client = imapclient.New(conn, options)
	return s.WaitGreeting()
}

// login proves who we are and then who the program is: NetEase refuses SELECT without ID (RFC 2971).
func (c *connector) login(ctx context.Context, s *session) error {
	if err := c.authenticate(ctx, s); err != nil {
		return err
	}
	s.alive()
	if !s.Caps().Has(imap.CapID) {
		return nil
	}
	// The answer does not matter, and some servers answer ID with BAD.
	s.ID(&imap.IDData{Name: "Hearback", Version: "1", Vendor: "Hearback", SupportURL: c.tools.PublicURL}).Wait()
	return nil
}

func (c *connector) authenticate(ctx context.Context, s *session) error {
	a := c.s.imap
	s.alive()
	caps := s.Caps()
	if c.s.xoauth2 {
		return c.loginError(c.withToken(ctx, func(token string) error {
			s.alive()
			return s.Authenticate(&xoauth2{a.user, token})
		}))
	}
	plain := strings.ContainsFunc(a.user+a.password, func(r rune) bool { return r > 126 || r < 32 })
	switch {
	case caps.Has(imap.AuthCap(sasl.Plain)) && (plain || caps.Has(imap.CapLoginDisabled)):
		return c.loginError(s.Authenticate(sasl.NewPlainClient("", a.user, a.password)))
	case caps.Has(imap.CapLoginDisabled):
		return &connectors.SendError{Class: connectors.Credentials, Code: "imap_login",
			Hint: say("服务器不允许未加密登录，请选择 TLS 或 STARTTLS。", "The server takes no log-in without encryption; choose TLS or STARTTLS.")}
	}
	return c.loginError(s.Login(a.user, a.password).Wait())
}

// loginError tells a refused log-in from a server that is not well. A NO without a code that says otherwise is a refusal.
func (c *connector) loginError(err error) error {
	var told *imap.Error
	if err == nil || !errors.As(err, &told) {
		return err
	}
	transient := []imap.ResponseCode{imap.ResponseCodeUnavailable, imap.ResponseCodeInUse, imap.ResponseCodeLimit, imap.ResponseCodeServerBug}
	busy := strings.Contains(strings.ToLower(told.Text), "too many") || strings.Contains(strings.ToLower(told.Text), "try again later")
	if told.Type != imap.StatusResponseTypeNo || slices.Contains(transient, told.Code) || busy {
		return err
	}
	return c.s.refusal("imap", told.Text)
}

// ended prefers the context's error over that of the connection it closed.
func ended(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func (s *session) tell() {
	select {
	case s.news <- struct{}{}:
	default:
	}
}

// alive winds the watchdog up.
func (s *session) alive() { s.watch.Reset(commandFor) }

// rest stops the watchdog while we wait on purpose.
func (s *session) rest() { s.watch.Stop() }

func (s *session) close() {
	s.watch.Stop()
	s.unwatch()
	s.Client.Close()
}

// goodbye logs out before it closes, for connections that are in order.
func (s *session) goodbye() {
	s.watch.Reset(5 * time.Second)
	s.Logout().Wait()
	s.close()
}

// xoauth2 is Google's and Microsoft's way to log in with an access token; go-sasl has none.
type xoauth2 struct{ user, token string }

// Start gives user and token at once.
func (x *xoauth2) Start() (string, []byte, error) {
	return "XOAUTH2", fmt.Appendf(nil, "user=%s\x01auth=Bearer %s\x01\x01", x.user, x.token), nil
}

// Next answers the server's reason for a refusal, after which it says NO.
func (x *xoauth2) Next([]byte) ([]byte, error) { return []byte{}, nil }
