package email_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// A smtpd is a real SMTP server whose mail goes to a function and whose answers the test decides.
type smtpd struct {
	port int

	mu      sync.Mutex
	deliver func(to, raw string)
	answer  map[string]error // by stage: AUTH, MAIL, RCPT, DATA
	got     []string
	rcpts   [][]string
	token   string // the access token that is good
	cut     bool   // close the connection after the mail's last byte instead of answering
	hang    chan struct{}
	started chan struct{}
}

func startSMTP(t testing.TB, deliver func(to, raw string)) *smtpd {
	s := &smtpd{deliver: deliver, answer: map[string]error{}, started: make(chan struct{}, 100)}
	server := smtp.NewServer(s)
	server.Domain, server.AllowInsecureAuth, server.MaxMessageBytes = "shop.test", true, 200<<20
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.port = l.Addr().(*net.TCPAddr).Port
	done := make(chan struct{})
	go func() { defer close(done); server.Serve(l) }()
	t.Cleanup(func() { server.Close(); <-done })
	return s
}

func (s *smtpd) set(stage string, code int, words string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if code == 0 {
		delete(s.answer, stage)
		return
	}
	s.answer[stage] = &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 1, 1}, Message: words}
}

func (s *smtpd) say(stage string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.answer[stage]
}

func (s *smtpd) mails() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.got...)
}

// NewSession begins a connection.
func (s *smtpd) NewSession(c *smtp.Conn) (smtp.Session, error) {
	return &smtpSession{s: s, conn: c}, nil
}

type smtpSession struct {
	s    *smtpd
	conn *smtp.Conn
	from string
	to   []string
}

func (x *smtpSession) AuthMechanisms() []string { return []string{sasl.Plain, "XOAUTH2"} }

func (x *smtpSession) Auth(mechanism string) (sasl.Server, error) {
	if mechanism == "XOAUTH2" {
		return &tokenServer{s: x.s}, nil
	}
	return sasl.NewPlainServer(func(_, user, pass string) error {
		if err := x.s.say("AUTH"); err != nil {
			return err
		}
		if pass != password {
			return errors.New("bad password")
		}
		return nil
	}), nil
}

func (x *smtpSession) Mail(from string, _ *smtp.MailOptions) error {
	x.from = from
	return x.s.say("MAIL")
}

func (x *smtpSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	x.to = append(x.to, to)
	return x.s.say("RCPT")
}

func (x *smtpSession) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	x.s.mu.Lock()
	hang, cut, answer := x.s.hang, x.s.cut, x.s.answer["DATA"]
	x.s.mu.Unlock()
	x.s.started <- struct{}{}
	if hang != nil {
		<-hang
		return errors.New("hung")
	}
	if answer != nil {
		return answer
	}
	x.s.mu.Lock()
	x.s.got = append(x.s.got, string(raw))
	x.s.rcpts = append(x.s.rcpts, x.to)
	x.s.mu.Unlock()
	if x.s.deliver != nil {
		for _, to := range x.to {
			x.s.deliver(to, fmt.Sprintf("Return-Path: <%s>\r\nDelivered-To: %s\r\nReceived: from localhost by shop.test; Sat, 21 Nov 2026 21:00:00 +0000\r\n%s", x.from, to, raw))
		}
	}
	if cut {
		x.conn.Conn().Close()
	}
	return nil
}

func (x *smtpSession) Reset()        { x.from, x.to = "", nil }
func (x *smtpSession) Logout() error { return nil }

// headerOf is the unfolded value of a header field.
func headerOf(raw, name string) string {
	head, _, _ := strings.Cut(raw, "\r\n\r\n")
	head = strings.ReplaceAll(strings.ReplaceAll(head, "\r\n ", " "), "\r\n\t", " ")
	for line := range strings.SplitSeq(head, "\r\n") {
		if k, v, _ := strings.Cut(line, ":"); strings.EqualFold(k, name) {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// A tokenServer takes the token the test names, and gives its reason before it refuses, as Google does.
type tokenServer struct {
	s      *smtpd
	reason bool
}

// Next judges the token.
func (x *tokenServer) Next(response []byte) ([]byte, bool, error) {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	switch {
	case x.reason:
		return nil, true, &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "token refused"}
	case string(response) == "user=support@shop.test\x01auth=Bearer "+x.s.token+"\x01\x01":
		return nil, true, nil
	}
	x.reason = true
	return []byte(`{"status":"401"}`), false, nil
}
