package email_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"hearback/connectors/connectortest"
	"hearback/connectors/email"
	"hearback/connectors/email/mailtest"
	"hearback/desk"
)

// settings of the mailbox support@shop.test on private servers.
func settings(d *mailtest.Dovecot, s *mailtest.SMTP, more ...string) map[string]string {
	out := map[string]string{"address": "support@shop.test", "name": "小店客服", "imap_host": "127.0.0.1", "imap_port": fmt.Sprint(d.TLS),
		"imap_security": "tls", "imap_user": d.User("support"), "smtp_user": "support@shop.test", "imap_password": mailtest.Password, "tls_ca": d.CA, "smtp_host": "127.0.0.1", "smtp_security": "none",
		"import": "all", "sent_copy": "off", "plus_address": "on", "rate_per_minute": "0"}
	if s != nil {
		out["smtp_port"] = fmt.Sprint(s.Port)
	} else {
		out["smtp_port"] = "1"
	}
	for i := 0; i+1 < len(more); i += 2 {
		out[more[i]] = more[i+1]
	}
	return out
}

func letter(n int) string {
	return fmt.Sprintf("From: =?utf-8?B?5a6J5aic?= <Anna@shop.test>\r\nTo: support@shop.test\r\nSubject: order %d\r\nMessage-ID: <m%d@shop.test>\r\n"+
		"Date: Sat, 21 Nov 2026 10:00:00 +0000\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n第 %d 个问题\r\n", n, n, n)
}

func TestContract(t *testing.T) {
	d := mailtest.Start(t)
	s := mailtest.StartSMTP(t, nil)
	support := d.Box("support")
	var mu sync.Mutex
	connectortest.Conformance(t, email.Kind, connectortest.Harness{
		Settings: settings(d, s),
		Deliver: func(t testing.TB, e *connectortest.Env, n int) bool {
			mu.Lock()
			defer mu.Unlock()
			before := failures(e)
			uid := support.Put(letter(n))
			defer support.Remove(uid) // the next channel finds the mailbox empty
			fetched := false
			mailtest.Eventually(t, "fetched or failed", func() bool {
				flags, _ := support.Flags(uid)
				fetched = slices.Contains(flags, imap.FlagSeen)
				return fetched || failures(e) > before
			})
			return fetched
		},
		Hang: func(*connectortest.Env) func() { return s.Hang() },
	})
}

func failures(e *connectortest.Env) (n int) {
	for _, err := range e.House.Health() {
		if err != nil {
			n++
		}
	}
	return n
}

// wait for n accepted mails.
func wait(t testing.TB, e *connectortest.Env, n int) []desk.Envelope {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	got, err := e.House.Inbox.Wait(ctx, func(all []desk.Envelope) bool { return len(all) >= n })
	if err != nil {
		t.Fatalf("%v; health %v", err, e.House.Health())
	}
	return got
}
