package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
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
	t.Cleanup(func() { l.Close(); stop(); <-done }) // a server stopped before it serves would serve for ever
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

const (
	killedMails   = 1000
	killedReplies = 200
	killings      = 3 // of each phase
)

// TestMailSurvivesKills kills the process at random in a first import and in answering, several times each: each mail becomes one
// ticket, each reply leaves under one Message-ID, so that its reader has it once.
func TestMailSurvivesKills(t *testing.T) {
	t.Parallel() // it mostly waits for leases of the dead to run out
	m := openMailroom(t)
	g := newGateway(t, "--allow-private-networks")
	g.run(nil, "", m.settings("acknowledge=off", "rate_per_minute=0")...)
	token := g.addAgent("root@example.com", "admin")
	for n := range killedMails {
		m.deliver(fmt.Sprintf("From: c%d@shop.test\r\nTo: support@shop.test\r\nSubject: order %d\r\nMessage-ID: <k%d@shop.test>\r\n\r\nwhere is it\r\n", n, n, n))
	}
	g.start()
	api := g.api(token)
	for _, at := range moments(killedMails) {
		eventually(t, 3*time.Minute, fmt.Sprint(at, " mails are filed"), func() bool { n, err := api.filed(t.Context()); return err == nil && n >= at })
		g.kill(syscall.SIGKILL)
		g.start()
	}
	eventually(t, 3*time.Minute, "all mails are filed", func() bool { n, err := api.filed(t.Context()); return err == nil && n >= killedMails })
	tickets := mailTickets(t, api)
	if len(tickets) != killedMails {
		t.Fatalf("%d tickets of %d mails", len(tickets), killedMails)
	}
	answered := tickets[:killedReplies]
	go func() {
		for _, id := range answered {
			body := map[string]string{"text": "coming " + id, "idempotency_key": "answer-" + id}
			for api.do(t.Context(), "POST", "/api/v1/tickets/"+id+"/replies", body, nil) != nil && t.Context().Err() == nil {
				<-time.After(50 * time.Millisecond) // the gateway is down
			}
		}
	}()
	for _, at := range moments(killedReplies) {
		eventually(t, 3*time.Minute, fmt.Sprint(at, " replies left"), func() bool { return len(m.sent()) >= at })
		g.kill(syscall.SIGKILL)
		g.start()
	}
	eventually(t, 4*time.Minute, "all replies left", func() bool { return len(messageIDs(t, m.sent())) == killedReplies })
	if n := len(m.sent()); n > killedReplies+killings*16 {
		t.Errorf("%d mails for %d replies: more than were under way at the kills", n, killedReplies)
	}
	for _, id := range answered {
		eventually(t, time.Minute, "the reply's fate is known", func() bool { return fate(t, api, id) })
	}
}

// moments are when the process is killed: after so many of n.
func moments(n int) (at []int) {
	for range killings {
		at = append(at, 1+rand.IntN(n*9/10))
	}
	slices.Sort(at)
	return at
}

// fate tells whether a ticket's one reply is shown as sent, or as maybe sent.
func fate(t *testing.T, api *apiClient, ticket string) bool {
	all, err := allMessages(t.Context(), api, ticket)
	if err != nil {
		return false
	}
	known := 0
	for _, m := range all {
		if m.Direction == "out" && m.Delivery != nil && (m.Delivery.State == "sent" || m.Delivery.State == "uncertain") {
			known++
		}
	}
	return known == 1
}

// messageIDs are the Message-IDs of the mails by what they say; one text must have one.
func messageIDs(t *testing.T, mails []string) map[string]string {
	t.Helper()
	ids := map[string]string{}
	for _, raw := range mails {
		id, text := "", ""
		for line := range strings.Lines(raw) {
			if strings.HasPrefix(strings.ToLower(line), "message-id:") && id == "" {
				id = strings.TrimSpace(line)
			}
			if strings.HasPrefix(line, "coming ") && text == "" {
				text = strings.TrimSpace(line)
			}
		}
		if ids[text] != "" && ids[text] != id {
			t.Fatalf("one reply left as %s and %s", ids[text], id)
		}
		ids[text] = id
	}
	return ids
}

func mailTickets(t *testing.T, api *apiClient) (ids []string) {
	seen := map[string]bool{}
	for cursor := ""; ; {
		var page struct {
			Items []struct{ ID, Subject string }
			Next  string
		}
		if err := api.do(t.Context(), "GET", "/api/v1/tickets?limit=100&cursor="+cursor, nil, &page); err != nil {
			t.Fatal(err)
		}
		for _, i := range page.Items {
			if seen[i.Subject] {
				t.Errorf("%s is there twice", i.Subject)
			}
			seen[i.Subject] = true
			ids = append(ids, i.ID)
		}
		if cursor = page.Next; cursor == "" {
			return ids
		}
	}
}
