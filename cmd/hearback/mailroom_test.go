package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/emersion/go-smtp"
)

// A mailroom is a provider: the mailbox support@shop.test by IMAP, and what was handed to its SMTP server.
type mailroom struct {
	t    testing.TB
	user *imapmemserver.User
	imap int
	smtp int

	mu  sync.Mutex
	out []string
	got func(to, raw string)
}

type literal struct{ *bytes.Reader }

func (l literal) Size() int64 { return l.Reader.Size() }

func openMailroom(t testing.TB) *mailroom {
	m := &mailroom{t: t, user: imapmemserver.NewUser("support@shop.test", "mail-secret")}
	if err := m.user.Create("INBOX", nil); err != nil {
		t.Fatal(err)
	}
	server := imapmemserver.New()
	server.AddUser(m.user)
	in := imapserver.New(&imapserver.Options{InsecureAuth: true, Caps: imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapIdle: {}},
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return server.NewSession(), nil, nil
		}})
	out := smtp.NewServer(m)
	m.imap = serveOn(t, in.Serve, in.Close)
	m.smtp = serveOn(t, out.Serve, out.Close)
	return m
}

func serveOn(t testing.TB, serve func(net.Listener) error, stop func() error) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); serve(l) }()
	t.Cleanup(func() { stop(); <-done })
	return l.Addr().(*net.TCPAddr).Port
}

func (m *mailroom) deliver(raw string) {
	if _, err := m.user.Append("INBOX", literal{bytes.NewReader([]byte(raw))}, &imap.AppendOptions{}); err != nil {
		m.t.Error(err)
	}
}

func (m *mailroom) settings(more ...string) []string {
	args := []string{"channel", "add", "--kind", "email", "--name", "Support"}
	for _, s := range append([]string{"address=support@shop.test", "imap_host=127.0.0.1", fmt.Sprint("imap_port=", m.imap), "imap_security=none", "imap_password=mail-secret",
		"smtp_host=127.0.0.1", fmt.Sprint("smtp_port=", m.smtp), "smtp_security=none", "import=all", "sent_copy=off"}, more...) {
		args = append(args, "--set", s)
	}
	return args
}

func (m *mailroom) NewSession(*smtp.Conn) (smtp.Session, error) { return &mailroomSession{m: m}, nil }

type mailroomSession struct {
	m  *mailroom
	to string
}

func (s *mailroomSession) Mail(string, *smtp.MailOptions) error { return nil }
func (s *mailroomSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	return nil
}
func (s *mailroomSession) Reset()        {}
func (s *mailroomSession) Logout() error { return nil }
func (s *mailroomSession) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.m.mu.Lock()
	s.m.out = append(s.m.out, string(raw))
	got := s.m.got
	s.m.mu.Unlock()
	if got != nil {
		got(s.to, string(raw))
	}
	return nil
}

func (m *mailroom) sent() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string(nil), m.out...)
}

// TestTwoAnsweringMachinesComeToRest sets the acknowledgement against a machine that answers everything under a new subject,
// without a word of being one.
func TestTwoAnsweringMachinesComeToRest(t *testing.T) {
	m := openMailroom(t)
	g := newGateway(t, "--allow-private-networks")
	g.run(nil, "", m.settings()...)
	answers := make(chan int, 100)
	n := 0
	m.got = func(string, string) {
		n++
		m.deliver(fmt.Sprintf("From: robot@other.test\r\nTo: support@shop.test\r\nSubject: case %s\r\nMessage-ID: <r%d@other.test>\r\n\r\nThank you for your mail number %d.\r\n",
			strings.Repeat(string(rune('a'+n)), 8), n, n))
		answers <- n
	}
	m.deliver("From: robot@other.test\r\nTo: support@shop.test\r\nSubject: hello\r\nMessage-ID: <r0@other.test>\r\n\r\nhello\r\n")
	g.start()
	for want := 1; want <= automaticPerHour; want++ {
		select {
		case got := <-answers:
			if got != want {
				t.Fatalf("answer %d, want %d", got, want)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%d acknowledgements came", want-1)
		}
	}
	// A person's mail after the robot's last shows that that one was seen to and got nothing.
	m.deliver("From: anna@shop.test\r\nTo: support@shop.test\r\nSubject: refund\r\nMessage-ID: <a@shop.test>\r\n\r\nwhere is my refund\r\n")
	select {
	case <-answers:
	case <-time.After(20 * time.Second):
		t.Fatal("a person was not answered")
	}
	all := m.sent()
	if len(all) != automaticPerHour+1 || !strings.Contains(all[len(all)-1], "anna@shop.test") {
		t.Errorf("%d automatic mails", len(all))
	}
	for _, raw := range all {
		if !strings.Contains(raw, "Auto-Submitted: auto-replied") || !strings.Contains(raw, "X-Hearback-Loop:") {
			t.Errorf("not marked as automatic: %s", raw)
		}
	}
}
