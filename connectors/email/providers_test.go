package email_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hearback/connectors"
	"hearback/connectors/connectortest"
	"hearback/connectors/email"
	"hearback/connectors/email/mailtest"
	"hearback/desk"
)

// A provider plays an IMAP server line by line, for what Dovecot does not do. answer says what stands before the last line of an
// answer, and that line without its tag.
type provider struct {
	port int

	mu    sync.Mutex
	heard []string
}

func startProvider(t testing.TB, answer func(cmd string) (lines, last string)) *provider {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{port: l.Addr().(*net.TCPAddr).Port}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { p.serve(c, answer) })
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait() })
	return p
}

func (p *provider) serve(c net.Conn, answer func(string) (string, string)) {
	defer c.Close()
	fmt.Fprint(c, "* OK [CAPABILITY IMAP4rev1 ID SASL-IR AUTH=XOAUTH2] ready\r\n")
	lines := bufio.NewScanner(c)
	for lines.Scan() {
		tag, cmd, _ := strings.Cut(lines.Text(), " ")
		p.mu.Lock()
		p.heard = append(p.heard, cmd)
		p.mu.Unlock()
		before, last := "", "OK done"
		if strings.HasPrefix(cmd, "CAPABILITY") {
			before = "* CAPABILITY IMAP4rev1 ID SASL-IR AUTH=XOAUTH2\r\n"
		} else {
			before, last = answer(cmd)
		}
		fmt.Fprintf(c, "%s%s %s\r\n", before, tag, last)
		if strings.HasPrefix(cmd, "LOGOUT") {
			return
		}
	}
}

// commands are what the server has heard, by their first words.
func (p *provider) commands() (out []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, cmd := range p.heard {
		word, _, _ := strings.Cut(cmd, " ")
		out = append(out, word)
	}
	return out
}

func (p *provider) settings(more ...string) map[string]string {
	set := map[string]string{"address": "support@shop.test", "imap_host": "127.0.0.1", "imap_port": fmt.Sprint(p.port), "imap_security": "none",
		"imap_password": mailtest.Password, "smtp_host": "127.0.0.1", "smtp_port": "1", "import": "all", "after_fetch": "leave", "poll_seconds": "1"}
	for i := 0; i+1 < len(more); i += 2 {
		set[more[i]] = more[i+1]
	}
	return set
}

// TestEachProvidersRefusalIsPutInWords: the same NO means different things at different providers.
func TestEachProvidersRefusalIsPutInWords(t *testing.T) {
	for _, c := range []struct {
		name, at, says string
		more           []string
		want           string
	}{
		{"IMAP switched off at 163", "LOGIN", "NO LOGIN Login error or password error, please turn on IMAP service first", []string{"provider", "163"}, "switched off"},
		{"IMAP switched off at QQ", "LOGIN", "NO Login fail. IMAP service is not enabled. 请打开 IMAP 服务", []string{"provider", "qq"}, "switched off"},
		{"code wanted at QQ", "LOGIN", "NO Login fail. Account is abnormal, service is not open, password is incorrect, login frequency limited", []string{"provider", "qq"}, "authorization code"},
		{"app password wanted at Gmail", "LOGIN", "NO [ALERT] Application-specific password required: https://support.google.com/accounts/answer/185833 (Failure)", []string{"provider", "gmail"}, "app password"},
		{"wrong password", "LOGIN", "NO [AUTHENTICATIONFAILED] Authentication failed.", nil, "user name or password is wrong"},
		{"unsafe log-in at 163", "EXAMINE", "NO EXAMINE Unsafe Login. Please contact kefu@188.com for help", []string{"provider", "own"}, "unsafe"},
		{"busy", "LOGIN", "NO Too many simultaneous connections. (Failure)", nil, "Too many simultaneous"},
		{"folder gone", "EXAMINE", "NO [NONEXISTENT] Unknown Mailbox: Work", nil, "no folder"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := startProvider(t, func(cmd string) (string, string) {
				if strings.HasPrefix(cmd, c.at) {
					return "", c.says
				}
				return "", "OK done"
			})
			house := connectortest.NewHouse(t)
			ch := desk.Channel{ID: desk.NewID(), Kind: "email", Settings: connectortest.Settings(email.Kind, p.settings(c.more...))}
			err := email.Kind.Test(context.Background(), ch, house.Tools(ch))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("told %v, want %q", err, c.want)
			}
			house.CheckSecrets(email.Kind, ch, fmt.Sprint(err))
		})
	}
}

// TestNetEaseIsToldWhoWeAreBeforeAFolderIsOpened: it answers SELECT with "Unsafe Login" otherwise.
func TestNetEaseIsToldWhoWeAreBeforeAFolderIsOpened(t *testing.T) {
	known := false
	var mu sync.Mutex
	p := startProvider(t, func(cmd string) (string, string) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case strings.HasPrefix(cmd, "ID "):
			known = strings.Contains(cmd, "Hearback")
			return "* ID NIL\r\n", "OK ID completed"
		case strings.HasPrefix(cmd, "EXAMINE") && !known:
			return "", "NO EXAMINE Unsafe Login. Please contact kefu@188.com for help"
		case strings.HasPrefix(cmd, "EXAMINE"):
			return "* 1 EXISTS\r\n* OK [UIDVALIDITY 1] ok\r\n* OK [UIDNEXT 2] ok\r\n", "OK done"
		case strings.HasPrefix(cmd, "UID FETCH") && strings.Contains(cmd, "RFC822.SIZE"):
			return fmt.Sprintf("* 1 FETCH (UID 1 RFC822.SIZE %d INTERNALDATE \"21-Nov-2026 10:00:00 +0000\")\r\n", len(letter(1))), "OK done"
		case strings.HasPrefix(cmd, "UID FETCH"):
			return fmt.Sprintf("* 1 FETCH (UID 1 BODY[] {%d}\r\n%s)\r\n", len(letter(1)), letter(1)), "OK done"
		}
		return "", "OK done"
	})
	wait(t, open(t, newHouse(t), p.settings("provider", "163")), 1)
	for _, cmd := range p.heard {
		if strings.Contains(cmd, "ENVELOPE") || strings.Contains(cmd, "BODYSTRUCTURE") {
			t.Errorf("the server was made to parse a mail: %s", cmd)
		}
	}
}

// TestServerThatKnowsNoOpenRangesIsAskedOtherwise plays QQ, which calls "n:*" wrong when there is nothing from n on.
func TestServerThatKnowsNoOpenRangesIsAskedOtherwise(t *testing.T) {
	var mu sync.Mutex
	mails, refusedRanges := 1, 0
	fetched := func(n int) string {
		return fmt.Sprintf("* %d FETCH (UID %d RFC822.SIZE %d INTERNALDATE \"21-Nov-2026 10:00:00 +0000\")\r\n", n, n, len(letter(n)))
	}
	p := startProvider(t, func(cmd string) (string, string) {
		mu.Lock()
		defer mu.Unlock()
		fields := strings.Fields(cmd)
		switch {
		case strings.HasPrefix(cmd, "EXAMINE"):
			return fmt.Sprintf("* %d EXISTS\r\n* OK [UIDVALIDITY 1] ok\r\n* OK [UIDNEXT %d] ok\r\n", mails, mails+1), "OK done"
		case strings.HasPrefix(cmd, "UID FETCH") && strings.Contains(fields[2], "*"):
			refusedRanges++
			if refusedRanges == 2 {
				mails = 3 // two more come while we wait
			}
			return fmt.Sprintf("* %d EXISTS\r\n", mails), "BAD UID parameters!"
		case strings.HasPrefix(cmd, "FETCH"):
			return fetched(mails), "OK done"
		case strings.HasPrefix(cmd, "UID FETCH") && strings.Contains(cmd, "RFC822.SIZE"):
			out := ""
			for n := int(fields[2][0] - '0'); n <= mails; n++ {
				out += fetched(n)
			}
			return out, "OK done"
		case strings.HasPrefix(cmd, "UID FETCH"):
			out := ""
			for n := int(fields[2][0] - '0'); n <= int(fields[2][len(fields[2])-1]-'0'); n++ {
				out += fmt.Sprintf("* %d FETCH (UID %d BODY[] {%d}\r\n%s)\r\n", n, n, len(letter(n)), letter(n))
			}
			return out, "OK done"
		}
		return "", "OK done"
	})
	e := open(t, newHouse(t), p.settings())
	if got := fmt.Sprint(ids(wait(t, e, 3))); got != "[m1@shop.test m2@shop.test m3@shop.test]" {
		t.Errorf("took %s", got)
	}
	if n := failures(e); n != 0 {
		t.Errorf("%d failures: %v", n, e.House.Health())
	}
}

// TestMailboxReceivesWithItsTokenAndSaysWhenTheConsentIsGone: XOAUTH2 at the IMAP side, a token taken back before its time, and a
// revoked consent.
func TestMailboxReceivesWithItsTokenAndSaysWhenTheConsentIsGone(t *testing.T) {
	a := startAuthority(t)
	var mu sync.Mutex
	good := "access-token-2" // the first one was taken back
	p := startProvider(t, func(cmd string) (string, string) {
		mu.Lock()
		defer mu.Unlock()
		token := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "user=support@shop.test\x01auth=Bearer %s\x01\x01", good))
		switch {
		case strings.HasPrefix(cmd, "AUTHENTICATE XOAUTH2 ") && !strings.Contains(cmd, token):
			return "", "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)"
		case strings.HasPrefix(cmd, "EXAMINE"):
			return "* 0 EXISTS\r\n* OK [UIDVALIDITY 1] ok\r\n* OK [UIDNEXT 1] ok\r\n", "OK done"
		}
		return "", "OK done"
	})
	set := a.settings()
	set["imap_port"], set["oauth_refresh_token"], set["after_fetch"], set["poll_seconds"] = fmt.Sprint(p.port), "refresh-token-0", "leave", "1"
	e := open(t, newHouse(t), set)
	mailtest.Eventually(t, "it receives", func() bool { return slices.Contains(p.commands(), "EXAMINE") && len(e.House.Health()) > 0 })
	if n := failures(e); n != 0 {
		t.Errorf("health %v", e.House.Health())
	}
	e.Close()
	a.mu.Lock()
	a.refresh = ""
	a.mu.Unlock()
	e.House.Clock.Advance(2 * time.Hour)
	again := e.Again(t)
	mailtest.Eventually(t, "health says so", func() bool { return slices.Contains(troubles(again), "invalid_grant") })
	for _, err := range again.House.Health() {
		if told := connectors.AsSendError(err); err != nil && (told.Class != connectors.Credentials || !strings.Contains(told.Hint, "log in again")) {
			t.Errorf("the admin reads %v", err)
		}
	}
}
