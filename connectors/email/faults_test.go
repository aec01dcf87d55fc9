package email_test

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/base64"
	"fmt"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"time"

	"hearback/connectors"
	"hearback/connectors/connectortest"
	"hearback/connectors/email/mailtest"
	"hearback/desk"
	"hearback/ticketstore/storetest"
)

// troubles are what health was told and that has a code.
func troubles(e *connectortest.Env) (codes []string) {
	for _, err := range e.House.Health() {
		if err != nil {
			codes = append(codes, connectors.AsSendError(err).Code)
		}
	}
	return codes
}

func TestFolderThatVanishesIsToldAndFoundAgain(t *testing.T) {
	for _, how := range []string{"renamed", "deleted"} {
		t.Run(how, func(t *testing.T) {
			d := mailtest.Start(t)
			support := d.Box("support")
			if err := support.Create("Work", nil).Wait(); err != nil {
				t.Fatal(err)
			}
			put := func(n int) {
				raw := letter(n)
				cmd := support.Append("Work", int64(len(raw)), nil)
				cmd.Write([]byte(raw))
				cmd.Close()
				if _, err := cmd.Wait(); err != nil {
					t.Fatal(err)
				}
			}
			e := open(t, newHouse(t), settings(d, nil, "imap_folder", "Work"))
			put(1)
			wait(t, e, 1)
			var err error
			if how == "renamed" {
				err = support.Rename("Work", "Elsewhere", nil).Wait()
			} else {
				err = support.Delete("Work").Wait()
			}
			if err != nil {
				t.Fatal(err)
			}
			mailtest.Eventually(t, "health names the folder", func() bool { return slices.Contains(troubles(e), "imap_folder") })
			for _, err := range e.House.Health() {
				if told := connectors.AsSendError(err); err != nil && told.Code == "imap_folder" && (!strings.Contains(told.Hint, "Work") || !strings.Contains(told.Hint, "renamed")) {
					t.Errorf("the admin reads %q", told.Hint)
				}
			}
			if err := support.Create("Work", nil).Wait(); err != nil {
				t.Fatal(err)
			}
			put(1) // it was there before
			put(2)
			got := wait(t, e, 2)
			if s := fmt.Sprint(ids(got)); s != "[m1@shop.test m2@shop.test]" {
				t.Errorf("took %s", s)
			}
			all := e.House.Health()
			mailtest.Eventually(t, "health is good again", func() bool { all = e.House.Health(); return all[len(all)-1] == nil })
		})
	}
}

func TestChangedPasswordIsNamedAndWhatCameMeanwhileIsFetchedOnce(t *testing.T) {
	d := mailtest.Own(t)
	p := mailtest.StartProxy(t, d.Plain)
	support := d.Box("support")
	set := settings(d, nil, "imap_security", "none", "imap_port", fmt.Sprint(p.Port), "after_fetch", "leave")
	e := open(t, newHouse(t), set)
	support.Put(letter(1))
	wait(t, e, 1)
	d.SetPassword("another-password-now")
	p.Cut()
	mailtest.Eventually(t, "health names the log-in", func() bool { return slices.Contains(troubles(e), "imap_login") })
	for _, err := range e.House.Health() {
		if told := connectors.AsSendError(err); err != nil && told.Code == "imap_login" && (told.Class != connectors.Credentials || !strings.Contains(told.Hint, "password is wrong")) {
			t.Errorf("the admin reads %v", told)
		}
	}
	support.Put(letter(2))
	support.Put(letter(3))
	e.Close()
	e.Channel.Settings["imap_password"] = "another-password-now" // the admin mends it
	got := wait(t, e.Again(t), 3)
	if s := fmt.Sprint(ids(got)); s != "[m1@shop.test m2@shop.test m3@shop.test]" {
		t.Errorf("took %s", s)
	}
}

// TestServerThatRefusesForAnHourGetsEachReplyOnceAfterwards moves the clock instead of waiting.
func TestServerThatRefusesForAnHourGetsEachReplyOnceAfterwards(t *testing.T) {
	clock := &connectortest.NewHouse(t).Clock
	opt := storetest.Options("sqlite:" + t.TempDir() + "/h.db")
	opt.Now = (*clock).Now
	store := storetest.Open(t, opt)
	d := mailtest.Start(t)
	s := mailtest.StartSMTP(t, nil)
	h := openHouseAt(t, store, settings(d, s), (*clock).Now)
	support := d.Box("support")
	var replies []desk.ID
	s.Set("MAIL", 451, "come back later")
	for n := range 3 {
		support.Put(strings.ReplaceAll(letter(n), "Anna@", fmt.Sprintf("c%d@", n)))
		replies = append(replies, h.reply(h.customer(fmt.Sprintf("第 %d 个问题", n)).TicketID, fmt.Sprint("answer ", n)).ID)
	}
	tried := func(attempts int) {
		t.Helper()
		mailtest.Eventually(t, fmt.Sprint("all were tried ", attempts, " times"), func() bool {
			for _, id := range replies {
				m, err := store.Message(context.Background(), id)
				if err != nil {
					t.Fatal(err)
				}
				if m.Delivery.Attempts < attempts || m.Delivery.State != desk.DeliveryQueued {
					return false
				}
			}
			return true
		})
	}
	for n, pause := range []time.Duration{0, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute} {
		(*clock).Advance(pause)
		h.out.Kick()
		tried(n + 1)
	}
	if m, _ := store.Message(context.Background(), replies[0]); !strings.Contains(m.Delivery.Hint, "come back later") || len(s.Mails()) != 0 {
		t.Errorf("the agent reads %+v, %d mails left", m.Delivery, len(s.Mails()))
	}
	s.Set("MAIL", 0, "")
	(*clock).Advance(time.Hour)
	h.out.Kick()
	for _, id := range replies {
		h.until(id, desk.DeliverySent)
	}
	seen := map[string]bool{}
	for _, raw := range s.Mails() {
		seen[mailtest.HeaderOf(raw, "Message-ID")] = true
	}
	if len(s.Mails()) != 3 || len(seen) != 3 {
		t.Errorf("%d mails of %d replies", len(s.Mails()), len(seen))
	}
}

// TestBombsBecomeMessagesAndHarmNobody sends each kind of malice the whole way.
func TestBombsBecomeMessagesAndHarmNobody(t *testing.T) {
	d := mailtest.Start(t)
	h := openHouse(t, storetest.SQLite(t), settings(d, nil))
	support := d.Box("support")
	head := func(n int, more string) string {
		return fmt.Sprintf("From: c%d@shop.test\r\nTo: support@shop.test\r\nSubject: bomb %d\r\nMessage-ID: <bomb%d@x>\r\nMIME-Version: 1.0\r\n%s", n, n, n, more)
	}
	var parts, nested, ends strings.Builder
	for range 10_000 {
		parts.WriteString("--b\r\nContent-Type: text/plain; name=x.txt\r\n\r\nx\r\n")
	}
	for n := range 200 {
		fmt.Fprintf(&nested, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", n, n)
	}
	for n := 199; n >= 0; n-- {
		fmt.Fprintf(&ends, "\r\n--b%d--\r\n", n)
	}
	var zip bytes.Buffer
	w, _ := flate.NewWriter(&zip, 9)
	w.Write(make([]byte, 64<<20))
	w.Close()
	bombs := []struct{ raw, repaired string }{
		{head(0, "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nvisible 0\r\n") + parts.String() + "--b--\r\n", "too many parts"},
		{head(1, strings.Repeat("X-Filler: "+strings.Repeat("y", 900)+"\r\n", 22_000)+"\r\nvisible 1\r\n"), "header is too long"},
		{head(2, nested.String()) + "Content-Type: text/plain\r\n\r\nvisible 2\r\n" + ends.String(), "nested too deeply"},
		{head(3, "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nvisible 3\r\n--b\r\nContent-Type: application/zip; name=bomb.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n") + base64.StdEncoding.EncodeToString(zip.Bytes()) + "\r\n--b--\r\n", ""},
		{strings.Replace(head(4, "Cc: =?utf-8?Q?x=0D=0ABcc:_evil@x.test?= <boss@x.test>\r\nReply-To: \"a\r\n b\" <a@shop.test>\r\n\r\nvisible 4\r\n"), "Subject: bomb 4", "Subject: =?utf-8?Q?bomb_4=0D=0ABcc:_evil@x.test=0D=0A=0D=0Abody?=", 1), ""},
		{"\x00\x00\x00\xff\xfe" + head(5, "\r\nvisible 5\r\n"), ""},
	}
	began := time.Now()
	for n, b := range bombs {
		support.Put(b.raw)
		var m desk.Message
		m = h.message(fmt.Sprint("bomb ", n), func(got desk.Message) bool {
			return got.Direction == desk.DirectionIn && strings.HasPrefix(got.ExternalID, fmt.Sprintf("bomb%d@x ", n)) || n == 5 && strings.Contains(got.Text, "visible 5")
		})
		if !strings.Contains(m.Text+fmt.Sprint(m.Repairs), "visible") && b.repaired == "" || !strings.Contains(fmt.Sprint(m.Repairs), b.repaired) || len(m.Attachments) > 1001 {
			t.Errorf("bomb %d: %.100q, %d files, %q", n, m.Text, len(m.Attachments), m.Repairs)
		}
		if m.Headers != nil && strings.ContainsAny(m.Headers.Subject+strings.Join(m.Headers.Cc, "")+m.Headers.ReplyTo, "\r\n") {
			t.Errorf("bomb %d: a line break got through: %+v", n, m.Headers)
		}
		if n == 3 && (len(m.Attachments) != 1 || m.Attachments[0].Size != int64(zip.Len())) {
			t.Errorf("the zip was unpacked or lost: %+v", m.Attachments)
		}
	}
	support.Put(letter(1))
	h.customer("第 1 个问题")
	sample := []metrics.Sample{{Name: "/memory/classes/total:bytes"}}
	metrics.Read(sample)
	t.Logf("%v, %d MB", time.Since(began).Round(time.Millisecond), sample[0].Value.Uint64()>>20)
}
