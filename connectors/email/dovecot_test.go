package email_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
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
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

const password = "correct horse 7!battery"

// A dovecot is a private IMAP server: own folders, own ports on the loopback, users support and anna (and any others asked for)
// at shop.test, all with the same password.
type dovecot struct {
	t        testing.TB
	plain    int // port of IMAP with STARTTLS
	tls      int
	ca       string // PEM
	dir      string
	settings string // more lines of configuration
	cmd      *exec.Cmd
	done     chan struct{}
}

func startDovecot(t testing.TB, more ...string) *dovecot {
	t.Helper()
	program, err := exec.LookPath("dovecot")
	if err != nil {
		t.Fatal("the tests need Dovecot (Debian: dovecot-imapd): ", err)
	}
	dir, err := os.MkdirTemp("", "mail") // short: unix sockets live below
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	d := &dovecot{t: t, dir: dir, plain: freePort(t), tls: freePort(t), settings: strings.Join(more, "\n")}
	d.write()
	d.start(program)
	t.Cleanup(d.stop)
	return d
}

func freePort(t testing.TB) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func (d *dovecot) write() {
	me, err := user.Current()
	if err != nil {
		d.t.Fatal(err)
	}
	group, err := user.LookupGroupId(me.Gid)
	if err != nil {
		d.t.Fatal(err)
	}
	login, internal, owner, ownerGroup := me.Username, me.Username, me.Uid, me.Gid
	if me.Uid == "0" { // Dovecot serves no mail as root
		nobody, err := user.Lookup("nobody")
		if err != nil {
			d.t.Fatal(err)
		}
		login, internal, owner, ownerGroup = "dovenull", "dovecot", nobody.Uid, nobody.Gid
		if group, err = user.LookupGroup("dovecot"); err != nil {
			d.t.Fatal(err)
		}
	}
	uid, _ := strconv.Atoi(owner)
	gid, _ := strconv.Atoi(ownerGroup)
	for _, sub := range []string{"run", "state", "mail"} {
		os.MkdirAll(filepath.Join(d.dir, sub), 0o755)
	}
	os.Chmod(d.dir, 0o755)
	os.Chown(filepath.Join(d.dir, "mail"), uid, gid)
	d.certify()
	var users strings.Builder
	for _, u := range []string{"support", "anna", "bert"} {
		fmt.Fprintf(&users, "%s@shop.test:{PLAIN}%s\n", u, password)
	}
	d.file("passwd", users.String())
	d.file("conf", fmt.Sprintf(`base_dir = %[1]s/run
state_dir = %[1]s/state
log_path = %[1]s/log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <%[1]s/cert.pem
ssl_key = <%[1]s/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login
default_internal_user = %[2]s
default_internal_group = %[3]s
default_login_user = %[4]s
mail_location = sdbox:%[1]s/mail/%%u
mailbox_idle_check_interval = 1s
mail_fsync = never
first_valid_uid = 1
passdb {
  driver = passwd-file
  args = username_format=%%u %[1]s/passwd
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
}
service stats {
  chroot =
}
%[9]s
`, d.dir, internal, group.Name, login, owner, ownerGroup, d.plain, d.tls, d.settings))
}

func (d *dovecot) file(name, content string) {
	if err := os.WriteFile(filepath.Join(d.dir, name), []byte(content), 0o644); err != nil {
		d.t.Fatal(err)
	}
}

// certify makes a certificate for localhost that is its own authority.
func (d *dovecot) certify() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		d.t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	cert, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		d.t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		d.t.Fatal(err)
	}
	d.ca = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}))
	d.file("cert.pem", d.ca)
	d.file("key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})))
}

func (d *dovecot) start(program string) {
	d.cmd = exec.Command(program, "-F", "-c", filepath.Join(d.dir, "conf"))
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	d.cmd.Stderr = os.Stderr
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.done = make(chan struct{})
	go func() { defer close(d.done); d.cmd.Wait() }()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(20 * time.Second)
	for {
		if d.answers() {
			return
		}
		select {
		case <-tick.C:
		case <-d.done:
			d.t.Fatal("Dovecot ended: ", d.log())
		case <-limit:
			d.t.Fatal("Dovecot does not answer: ", d.log())
		}
	}
}

func (d *dovecot) answers() bool {
	conn, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", d.plain))
	if err != nil {
		return false
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	line, _ := bufio.NewReader(conn).ReadString('\n')
	return strings.HasPrefix(line, "* OK")
}

func (d *dovecot) log() string {
	b, _ := os.ReadFile(filepath.Join(d.dir, "log"))
	return string(b)
}

func (d *dovecot) stop() {
	d.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-d.done:
	case <-time.After(10 * time.Second):
		syscall.Kill(-d.cmd.Process.Pid, syscall.SIGKILL)
		<-d.done
	}
	if d.t.Failed() && testing.Verbose() {
		d.t.Log(d.log())
	}
}

// A box is a logged-in user's view of his mailbox, by a client of his own.
type box struct {
	*imapclient.Client
	t testing.TB
}

func (d *dovecot) box(user string) *box {
	d.t.Helper()
	c, err := imapclient.DialInsecure(fmt.Sprint("127.0.0.1:", d.plain), nil)
	if err == nil {
		err = c.Login(user+"@shop.test", password).Wait()
	}
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { c.Close() })
	b := &box{c, d.t}
	b.open("INBOX")
	return b
}

func (b *box) open(folder string) *imap.SelectData {
	b.t.Helper()
	data, err := b.Select(folder, nil).Wait()
	if err != nil {
		b.t.Fatal(err)
	}
	return data
}

// put delivers a mail and returns its number.
func (b *box) put(raw string) imap.UID {
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

// flags of a mail; nil when it is gone.
func (b *box) flags(uid imap.UID) ([]imap.Flag, bool) {
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

func (b *box) remove(uid imap.UID) {
	b.t.Helper()
	set := imap.UIDSetNum(uid)
	if err := b.Store(set, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Close(); err != nil {
		b.t.Fatal(err)
	}
	if err := b.UIDExpunge(set).Close(); err != nil {
		b.t.Fatal(err)
	}
}

// mails are the raw mails of a folder.
func (b *box) mails(folder string) (out []string) {
	b.t.Helper()
	if b.open(folder).NumMessages == 0 {
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

// mailsIn is mails of a folder that may not exist yet.
func (b *box) mailsIn(folder string) []string {
	if _, err := b.Status(folder, &imap.StatusOptions{NumMessages: true}).Wait(); err != nil {
		return nil
	}
	return b.mails(folder)
}

// eventually asks until the answer is yes. Servers are asked, for they cannot tell.
func eventually(t testing.TB, what string, f func() bool) {
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
