package email_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"

	"hearback/connectors/connectortest"
	"hearback/connectors/email/mailtest"
	"hearback/desk"
	"hearback/ticketstore"
	"hearback/ticketstore/storetest"
)

const benchMails = 2000

// fill puts small mails of as many senders into the mailbox of support.
func fill(b *testing.B, d *mailtest.Dovecot) {
	box := d.Box("support")
	for n := range benchMails {
		raw := fmt.Sprintf("From: Customer %d <c%d@shop.test>\r\nTo: support@shop.test\r\nSubject: order %d\r\nMessage-ID: <b%d@shop.test>\r\n"+
			"Date: Sat, 21 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"+
			"您好，我的订单 %d 还没有收到，请帮忙查询一下物流。\r\nWhere is my order?\r\n", n, n, n, n, n)
		cmd := box.Append("INBOX", int64(len(raw)), &imap.AppendOptions{Time: time.Now()})
		io.WriteString(cmd, raw)
		cmd.Close()
		if _, err := cmd.Wait(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFetch measures a full mailbox from Dovecot into a recording inbox.
func BenchmarkFetch(b *testing.B) {
	d := mailtest.Start(b)
	fill(b, d)
	for b.Loop() {
		house := connectortest.NewHouse(b)
		e := open(b, house, settings(d, nil))
		wait(b, e, benchMails)
		e.Close()
	}
	b.ReportMetric(benchMails*float64(b.N)/b.Elapsed().Seconds(), "mails/s")
}

// BenchmarkTickets measures a full mailbox from Dovecot to as many tickets: fleet, intake and store as in production.
func BenchmarkTickets(b *testing.B) {
	for _, engine := range []struct {
		name string
		open func(testing.TB) *ticketstore.Store
	}{{"sqlite", storetest.SQLite}, {"postgres", storetest.Postgres}} {
		b.Run(engine.name, func(b *testing.B) {
			d := mailtest.Start(b)
			fill(b, d)
			var last float64
			for b.Loop() {
				b.StopTimer()
				store := engine.open(b)
				b.StartTimer()
				began := time.Now()
				h := openHouse(b, store, settings(d, nil))
				for done := 0; done < benchMails; {
					counts, err := store.LedgerCounts(context.Background())
					if err != nil {
						b.Fatal(err)
					}
					if done = counts[desk.OutcomeTicket]; done < benchMails {
						<-h.news
						for range min(len(h.news), 500) {
							<-h.news
						}
					}
				}
				last = benchMails / time.Since(began).Seconds()
				b.StopTimer()
				h.stop()
				b.StartTimer()
			}
			b.ReportMetric(last, "tickets/s")
		})
	}
}

// BenchmarkNewMailToEvent measures how long after its delivery to the mailbox a mail is an event for the agents' pages. Dovecot
// holds notices back for 500 ms to gather more (a constant of its own); the other server tells at once.
func BenchmarkNewMailToEvent(b *testing.B) {
	d := mailtest.Start(b)
	box := d.Box("support")
	one, onePort := promptServer(b)
	two, twoPort := promptServer(b)
	prompt := func(port int) map[string]string {
		return settings(d, nil, "imap_user", "support@shop.test", "imap_security", "none", "imap_port", fmt.Sprint(port))
	}
	for _, c := range []struct {
		name string
		open func(testing.TB) *ticketstore.Store
		set  map[string]string
		put  func(raw string)
	}{
		{"dovecot/sqlite", storetest.SQLite, settings(d, nil), func(raw string) { box.Put(raw) }},
		{"prompt/sqlite", storetest.SQLite, prompt(onePort), func(raw string) { one.Append("INBOX", strings.NewReader(raw), &imap.AppendOptions{}) }},
		{"prompt/postgres", storetest.Postgres, prompt(twoPort), func(raw string) { two.Append("INBOX", strings.NewReader(raw), &imap.AppendOptions{}) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			h := openHouse(b, c.open(b), c.set)
			var took []time.Duration
			n := 0
			for b.Loop() {
				n++
				began := time.Now()
				c.put(letter(n))
				h.customer(fmt.Sprintf("第 %d 个问题", n))
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
		})
	}
}

// promptServer is an IMAP server in memory that tells of new mail at once.
func promptServer(b *testing.B) (*imapmemserver.User, int) {
	user := imapmemserver.NewUser("support@shop.test", mailtest.Password)
	if err := user.Create("INBOX", nil); err != nil {
		b.Fatal(err)
	}
	mem := imapmemserver.New()
	mem.AddUser(user)
	server := imapserver.New(&imapserver.Options{InsecureAuth: true, Caps: imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapIdle: {}},
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return mem.NewSession(), nil, nil
		}})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); server.Serve(l) }()
	b.Cleanup(func() { server.Close(); <-done })
	return user, l.Addr().(*net.TCPAddr).Port
}
