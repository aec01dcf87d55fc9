package email_test

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"

	"hearback/connectors/email"
	"hearback/connectors/email/mailtest"
	"hearback/desk"
)

func unfetchable(t *testing.T, all []desk.Envelope) (n int) {
	for _, e := range all {
		if strings.HasPrefix(e.ExternalID, "- unfetchable") {
			n++
			in, err := email.Kind.Decode(e)
			if err != nil || len(in) != 1 || in[0].NoTicket || !strings.Contains(in[0].Text, "could not be fetched") {
				t.Errorf("the agent reads %+v, %v", in, err)
			}
		}
	}
	return n
}

func TestMailThatBreaksEveryConnectionIsNotedAndPassedOver(t *testing.T) {
	d := mailtest.Start(t)
	p := mailtest.StartProxy(t, d.Plain)
	support := d.Box("support")
	support.Put(letter(1))
	support.Put(letter(2) + strings.Repeat("too much for this line\r\n", 2500))
	support.Put(letter(3))
	p.Allow(25000)
	house := newHouse(t)
	e := open(t, house, settings(d, nil, "imap_security", "none", "imap_port", fmt.Sprint(p.Port)))
	got := wait(t, e, 3)
	if n := unfetchable(t, got); n != 1 || len(got) != 3 {
		t.Errorf("%d of %d envelopes stand for what could not be fetched", n, len(got))
	}
}

func TestMailTheServerRefusesIsNotedAndPassedOver(t *testing.T) {
	port := refusingServer(t)
	house := newHouse(t)
	e := open(t, house, map[string]string{"address": "support@shop.test", "imap_host": "127.0.0.1", "imap_port": fmt.Sprint(port), "imap_security": "none",
		"imap_password": mailtest.Password, "smtp_host": "127.0.0.1", "import": "all", "after_fetch": "leave"})
	got := wait(t, e, 3)
	if n := unfetchable(t, got); n != 1 || len(got) != 3 {
		t.Errorf("%d of %d envelopes stand for what could not be fetched", n, len(got))
	}
}

// refusingServer has three mails and says NO to every FETCH of the second one's text, as some servers do of mails they cannot parse.
func refusingServer(t *testing.T) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			refuse(c)
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().(*net.TCPAddr).Port
}

func refuse(c net.Conn) {
	defer c.Close()
	fmt.Fprint(c, "* OK [CAPABILITY IMAP4rev1] ready\r\n")
	lines := bufio.NewScanner(c)
	for lines.Scan() {
		tag, cmd, _ := strings.Cut(lines.Text(), " ")
		fields := strings.Fields(cmd)
		switch {
		case strings.HasPrefix(cmd, "CAPABILITY"):
			fmt.Fprint(c, "* CAPABILITY IMAP4rev1\r\n")
		case strings.HasPrefix(cmd, "EXAMINE"):
			fmt.Fprint(c, "* 3 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 4] ok\r\n")
		case strings.HasPrefix(cmd, "UID FETCH") && strings.Contains(cmd, "RFC822.SIZE"):
			for n := 1; n <= 3; n++ {
				fmt.Fprintf(c, "* %d FETCH (UID %d RFC822.SIZE %d INTERNALDATE \"21-Nov-2026 10:00:00 +0000\")\r\n", n, n, len(letter(n)))
			}
		case strings.HasPrefix(cmd, "UID FETCH") && (fields[2] == "2" || strings.Contains(fields[2], ":")):
			fmt.Fprintf(c, "%s NO some messages could not be fetched\r\n", tag)
			continue
		case strings.HasPrefix(cmd, "UID FETCH"):
			n := int(fields[2][0] - '0')
			fmt.Fprintf(c, "* %d FETCH (UID %d BODY[] {%d}\r\n%s)\r\n", n, n, len(letter(n)), letter(n))
		}
		fmt.Fprintf(c, "%s OK done\r\n", tag)
	}
}
