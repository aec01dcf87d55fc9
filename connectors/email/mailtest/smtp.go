package mailtest

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

// An SMTP is a real SMTP server whose mail goes to a function and whose answers the test decides.
type SMTP struct {
	Port    int
	Started chan struct{} // told of each mail that comes

	mu      sync.Mutex
	deliver func(to, raw string)
	answer  map[string]error // by stage: AUTH, MAIL, RCPT, DATA
	got     []string
	rcpts   [][]string
	token   string
	cut     bool
	hang    chan struct{}
}

// StartSMTP starts one; deliver, when not nil, gets each mail once per recipient.
func StartSMTP(t testing.TB, deliver func(to, raw string)) *SMTP {
	s := &SMTP{deliver: deliver, answer: map[string]error{}, Started: make(chan struct{}, 100)}
	server := smtp.NewServer(s)
	server.Domain, server.AllowInsecureAuth, server.MaxMessageBytes = "shop.test", true, 200<<20
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Port = l.Addr().(*net.TCPAddr).Port
	done := make(chan struct{})
	go func() { defer close(done); server.Serve(l) }()
	t.Cleanup(func() { l.Close(); server.Close(); <-done }) // a server closed before it serves would serve for ever
	return s
}

// Set lets the server refuse at a stage (AUTH, MAIL, RCPT, DATA) from now on; code 0 ends that.
func (s *SMTP) Set(stage string, code int, words string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if code == 0 {
		delete(s.answer, stage)
		return
	}
	s.answer[stage] = &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 1, 1}, Message: words}
}

func (s *SMTP) say(stage string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.answer[stage]
}

// Mails are those taken so far.
func (s *SMTP) Mails() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.got...)
}

// Recipients of each of them, as told to the server.
func (s *SMTP) Recipients() [][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([][]string(nil), s.rcpts...)
}

// Cut lets the server close the connection after a mail's last byte instead of answering.
func (s *SMTP) Cut(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cut = on
}

// Hang lets the server not answer a mail until release is called.
func (s *SMTP) Hang() (release func()) {
	hang := make(chan struct{})
	s.mu.Lock()
	s.hang = hang
	s.mu.Unlock()
	return func() {
		s.mu.Lock()
		s.hang = nil
		s.mu.Unlock()
		close(hang)
	}
}

// Token names the access token that is good.
func (s *SMTP) Token(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = token
}

// NewSession begins a connection.
func (s *SMTP) NewSession(c *smtp.Conn) (smtp.Session, error) {
	return &smtpSession{s: s, conn: c}, nil
}

type smtpSession struct {
	s    *SMTP
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
		if pass != Password {
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
	select {
	case x.s.Started <- struct{}{}:
	default:
	}
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

// HeaderOf is the unfolded value of a header field.
func HeaderOf(raw, name string) string {
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
	s      *SMTP
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
