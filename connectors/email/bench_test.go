package email_test

import (
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"hearback/connectors/connectortest"
	"hearback/desk"
	"hearback/ticketstore"
	"hearback/ticketstore/storetest"
)

const benchMails = 2000

// fill puts small mails of as many senders into the mailbox of support.
func fill(b *testing.B, d *dovecot) {
	box := d.box("support")
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
	d := startDovecot(b)
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
			d := startDovecot(b)
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
