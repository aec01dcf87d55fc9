package mailtest

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// Password is everybody's.
const Password = "correct-horse-7!battery"

// A Dovecot is an IMAP server: own folders, own ports on the loopback. Everybody at any domain has a mailbox there, made when he
// first logs in.
type Dovecot struct {
	t      testing.TB
	domain string // of this test's people
	server *server
	Plain  int    // port of IMAP with STARTTLS
	TLS    int    // port of IMAP over TLS
	CA     string // its certificate's authority, PEM
}

// A server is one running Dovecot.
type server struct {
	plain, tls int
	ca         string
	dir        string
	settings   string // more lines of configuration
	password   string
	cmd        *exec.Cmd
	done       chan struct{}
}

var shared = struct {
	sync.Mutex
	*server
	tests int
}{}

// Start gives a test mailboxes of its own on the Dovecot all tests of the process share; Stop it with the process by [Main].
func Start(t testing.TB) *Dovecot {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil {
		s, err := launch("")
		if err != nil {
			t.Fatal(err)
		}
		shared.server = s
	}
	shared.tests++
	return view(t, shared.server, fmt.Sprintf("t%d.shop.test", shared.tests))
}

// Own starts a Dovecot for this test alone, with further lines of configuration.
func Own(t testing.TB, more ...string) *Dovecot {
	t.Helper()
	s, err := launch(strings.Join(more, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	return view(t, s, "own.shop.test")
}

func view(t testing.TB, s *server, domain string) *Dovecot {
	t.Cleanup(func() {
		if t.Failed() && testing.Verbose() {
			t.Log(s.log())
		}
	})
	return &Dovecot{t: t, domain: domain, server: s, Plain: s.plain, TLS: s.tls, CA: s.ca}
}

// Main runs a package's tests and stops what they share.
func Main(m *testing.M) {
	code := m.Run()
	if shared.server != nil {
		shared.server.stop()
		os.RemoveAll(shared.server.dir)
	}
	os.Exit(code)
}

// User is the name by which somebody of this test logs in: support, anna.
func (d *Dovecot) User(name string) string { return name + "@" + d.domain }

// Stop ends the server, for tests that have their own.
func (d *Dovecot) Stop() {
	if d.server == shared.server {
		d.t.Fatal("other tests need this Dovecot")
	}
	d.server.stop()
}

// SetPassword changes everybody's from now on, for tests that have their own server. Who is logged in stays so.
func (d *Dovecot) SetPassword(password string) {
	d.t.Helper()
	d.server.password = password
	if err := d.server.write(); err != nil {
		d.t.Fatal(err)
	}
	if err := d.server.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		d.t.Fatal(err)
	}
	Eventually(d.t, "the password is changed", func() bool {
		c, err := imapclient.DialInsecure(fmt.Sprint("127.0.0.1:", d.Plain), nil)
		if err != nil {
			return false
		}
		defer c.Close()
		return c.Login(d.User("somebody"), password).Wait() == nil
	})
}

func launch(settings string) (*server, error) {
	program, err := exec.LookPath("dovecot")
	if err != nil {
		return nil, fmt.Errorf("the tests need Dovecot (Debian: dovecot-imapd): %w", err)
	}
	dir, err := os.MkdirTemp("", "mail") // short: unix sockets live below
	if err != nil {
		return nil, err
	}
	s := &server{dir: dir, settings: settings, password: Password}
	for _, port := range []*int{&s.plain, &s.tls} {
		if *port, err = freePort(); err != nil {
			return nil, err
		}
	}
	if err := s.write(); err != nil {
		return nil, err
	}
	return s, s.start(program)
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// FreePort is one where nobody listens.
func FreePort(t testing.TB) int {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func (d *server) write() error {
	me, err := user.Current()
	if err != nil {
		return err
	}
	group, err := user.LookupGroupId(me.Gid)
	if err != nil {
		return err
	}
	login, internal, owner, ownerGroup := me.Username, me.Username, me.Uid, me.Gid
	if me.Uid == "0" { // Dovecot serves no mail as root
		nobody, err := user.Lookup("nobody")
		if err != nil {
			return err
		}
		login, internal, owner, ownerGroup = "dovenull", "dovecot", nobody.Uid, nobody.Gid
		if group, err = user.LookupGroup("dovecot"); err != nil {
			return err
		}
	}
	uid, _ := strconv.Atoi(owner)
	gid, _ := strconv.Atoi(ownerGroup)
	for _, sub := range []string{"run", "state", "mail"} {
		os.MkdirAll(filepath.Join(d.dir, sub), 0o755)
	}
	os.Chmod(d.dir, 0o755)
	os.Chown(filepath.Join(d.dir, "mail"), uid, gid)
	if d.ca == "" {
		if err := d.certify(); err != nil {
			return err
		}
	}
	return d.file("conf", fmt.Sprintf(`base_dir = %[1]s/run
state_dir = %[1]s/state
log_path = %[1]s/log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <%[1]s/cert.pem
ssl_key = <%[1]s/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
default_internal_user = %[2]s
default_internal_group = %[3]s
default_login_user = %[4]s
mail_location = sdbox:%[1]s/mail/%%u
mailbox_idle_check_interval = 1s
mail_fsync = never
mail_max_userip_connections = 500
first_valid_uid = 1
passdb {
  driver = static
  args = password=%[10]s
}
userdb {
  driver = static
  args = uid=%[5]s gid=%[6]s home=%[1]s/mail/%%u
}
service imap-login {
  chroot =
  process_min_avail = 1
  inet_listener imap {
    port = %[7]d
  }
  inet_listener imaps {
    port = %[8]d
    ssl = yes
  }
}
service anvil {
  chroot =
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service stats {
  chroot =
}
%[9]s
`, d.dir, internal, group.Name, login, owner, ownerGroup, d.plain, d.tls, d.settings, d.password))
}

func (d *server) file(name, content string) error {
	return os.WriteFile(filepath.Join(d.dir, name), []byte(content), 0o644)
}

// certify makes a certificate for localhost that is its own authority.
func (d *server) certify() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	cert, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		return err
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	d.ca = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}))
	return errors.Join(d.file("cert.pem", d.ca), d.file("key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}))))
}

func (d *server) start(program string) error {
	d.cmd = exec.Command(program, "-F", "-c", filepath.Join(d.dir, "conf"))
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	d.cmd.Stderr = os.Stderr
	if err := d.cmd.Start(); err != nil {
		return err
	}
	d.done = make(chan struct{})
	go func() { defer close(d.done); d.cmd.Wait() }()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(20 * time.Second)
	for {
		if d.answers() {
			return nil
		}
		select {
		case <-tick.C:
		case <-d.done:
			return errors.New("Dovecot ended: " + d.log())
		case <-limit:
			return errors.New("Dovecot does not answer: " + d.log())
		}
	}
}

func (d *server) answers() bool {
	conn, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", d.plain))
	if err != nil {
		return false
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	line, _ := bufio.NewReader(conn).ReadString('\n')
	return strings.HasPrefix(line, "* OK")
}

func (d *server) log() string {
	b, _ := os.ReadFile(filepath.Join(d.dir, "log"))
	return string(b)
}

func (d *server) stop() {
	d.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-d.done:
	case <-time.After(10 * time.Second):
		syscall.Kill(-d.cmd.Process.Pid, syscall.SIGKILL)
		<-d.done
	}
	os.RemoveAll(d.dir)
}

// A Box is a logged-in user's view of his mailbox, by a client of his own.
type Box struct {
	*imapclient.Client
	t testing.TB
}

// Box logs somebody in.
func (d *Dovecot) Box(user string) *Box {
	d.t.Helper()
	c, err := imapclient.DialInsecure(fmt.Sprint("127.0.0.1:", d.Plain), nil)
	if err == nil {
		err = c.Login(d.User(user), Password).Wait()
	}
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { c.Close() })
	b := &Box{c, d.t}
	b.Open("INBOX")
	return b
}

// Open selects a folder.
func (b *Box) Open(folder string) *imap.SelectData {
	b.t.Helper()
	data, err := b.Select(folder, nil).Wait()
	if err != nil {
		b.t.Fatal(err)
	}
	return data
}

// Put delivers a mail and returns its number.
func (b *Box) Put(raw string) imap.UID {
	b.t.Helper()
	cmd := b.Append("INBOX", int64(len(raw)), nil)
	io.WriteString(cmd, raw)
	cmd.Close()
	data, err := cmd.Wait()
	if err != nil {
		b.t.Fatal(err)
	}
	return data.UID
}

// Flags of a mail; nil when it is gone.
func (b *Box) Flags(uid imap.UID) ([]imap.Flag, bool) {
	b.t.Helper()
	got, err := b.Fetch(imap.UIDSetNum(uid), &imap.FetchOptions{UID: true, Flags: true}).Collect()
	if err != nil {
		b.t.Fatal(err)
	}
	if len(got) == 0 {
		return nil, false
	}
	return got[0].Flags, true
}

// Remove deletes a mail.
func (b *Box) Remove(uid imap.UID) {
	b.t.Helper()
	set := imap.UIDSetNum(uid)
	if err := b.Store(set, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Close(); err != nil {
		b.t.Fatal(err)
	}
	if err := b.UIDExpunge(set).Close(); err != nil {
		b.t.Fatal(err)
	}
}

// Mails are the raw mails of a folder.
func (b *Box) Mails(folder string) (out []string) {
	b.t.Helper()
	if b.Open(folder).NumMessages == 0 {
		return nil
	}
	all := imap.UIDSet{}
	all.AddRange(1, 0)
	section := &imap.FetchItemBodySection{Peek: true}
	got, err := b.Fetch(all, &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{section}}).Collect()
	if err != nil {
		b.t.Fatal(err)
	}
	for _, m := range got {
		out = append(out, string(m.FindBodySection(section)))
	}
	return out
}

// MailsIn is Mails of a folder that may not exist yet.
func (b *Box) MailsIn(folder string) []string {
	if _, err := b.Status(folder, &imap.StatusOptions{NumMessages: true}).Wait(); err != nil {
		return nil
	}
	return b.Mails(folder)
}

// Eventually asks until the answer is yes. Servers are asked, for they cannot tell.
func Eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	tick := time.NewTicker(15 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(20 * time.Second)
	for !f() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatal("it never came true: ", what)
		}
	}
}
