package email_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"hearback/connectors/connectortest"
	"hearback/connectors/email/mailtest"
	"hearback/desk"
	"hearback/ticketstore"
	"hearback/ticketstore/storetest"
)

// clocked is a store and a house whose days pass when told.
func clocked(t *testing.T, set map[string]string) (*house, *connectortest.Clock) {
	clock := connectortest.NewHouse(t).Clock
	opt := storetest.Options("sqlite:" + t.TempDir() + "/h.db")
	opt.Now = clock.Now
	return openHouseAt(t, storetest.Open(t, opt), set, clock.Now), clock
}

func (h *house) ticket(id desk.ID) desk.Ticket {
	h.t.Helper()
	ticket, err := h.store.Ticket(context.Background(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	return ticket
}

func TestAnswerThatComesTooLateOpensALinkedTicket(t *testing.T) {
	d := mailtest.Start(t)
	s := mailtest.StartSMTP(t, nil)
	h, clock := clocked(t, settings(d, s, "reopen_days", "14"))
	support := d.Box("support")
	support.Put(letter(1))
	in := h.customer("第 1 个问题")
	h.until(h.reply(in.TicketID, "您好").ID, desk.DeliverySent)
	resolve := func() {
		t.Helper()
		if _, _, err := h.store.Change(context.Background(), ticketstore.Change{TicketID: in.TicketID, Actor: wang, Status: desk.StatusResolved}); err != nil {
			t.Fatal(err)
		}
	}
	answers := func(text string) desk.Message {
		t.Helper()
		raw := answer("anna@shop.test", "support@shop.test", text, s.Mails()[0])
		support.Put(strings.Replace(raw, mailtest.HeaderOf(raw, "Date"), clock.Now().Format(time.RFC1123Z), 1))
		return h.customer(text)
	}
	resolve()
	clock.Advance(13 * 24 * time.Hour)
	if got := answers("within the time"); got.TicketID != in.TicketID {
		t.Error("a new ticket within the time")
	}
	resolve()
	clock.Advance(15 * 24 * time.Hour)
	late := answers("long after it")
	if late.TicketID == in.TicketID || h.ticket(late.TicketID).LinkedTicketID != in.TicketID {
		t.Errorf("a late answer is in ticket %s of %s, linked to %q", late.TicketID, in.TicketID, h.ticket(late.TicketID).LinkedTicketID)
	}
}

func TestAnswersGoToReplyToAndComeBackFromThere(t *testing.T) {
	d := mailtest.Start(t)
	s := mailtest.StartSMTP(t, nil)
	h := openHouse(t, storetest.SQLite(t), settings(d, s, "trusted_authserv", "mx.shop.test", "plus_address", "off"))
	support := d.Box("support")
	proven := "Authentication-Results: mx.shop.test; dmarc=pass header.from=shop.test\r\nReply-To: Anna <anna@private.test>\r\n"
	support.Put(proven + letter(1))
	in := h.customer("第 1 个问题")
	h.until(h.reply(in.TicketID, "您好").ID, desk.DeliverySent)
	if to := s.Recipients()[0]; !slices.Equal(to, []string{"anna@private.test"}) || !strings.Contains(mailtest.HeaderOf(s.Mails()[0], "To"), "anna@private.test") {
		t.Fatalf("the answer went to %v", to)
	}
	support.Put(answer("anna@private.test", "support@shop.test", "from my own address", s.Mails()[0]))
	if back := h.customer("from my own address"); back.TicketID != in.TicketID {
		t.Error("the answer from there opened another ticket")
	}
	// Somebody writes under her name and wants her answers.
	support.Put("Reply-To: evil@elsewhere.test\r\n" + strings.Replace(answer("anna@shop.test", "support@shop.test", "send it here", s.Mails()[0]), "\r\n\r\n", "\r\n\r\n", 1))
	forged := h.customer("send it here")
	if forged.Headers == nil || forged.Headers.ReplyTo != "" || !strings.Contains(fmt.Sprint(forged.Repairs), "evil@elsewhere.test") {
		t.Errorf("headers %+v, the agent reads %q", forged.Headers, forged.Repairs)
	}
	h.until(h.reply(in.TicketID, "再见").ID, desk.DeliverySent)
	all := s.Recipients()
	if slices.Contains(all[len(all)-1], "evil@elsewhere.test") {
		t.Errorf("the answer went to %v", all[len(all)-1])
	}
}

func TestOneMailToTwoMailboxesIsInBothAndLinked(t *testing.T) {
	d := mailtest.Start(t)
	store := storetest.SQLite(t)
	h := openHouse(t, store, settings(d, nil))
	h.stop()
	sales := settings(d, nil, "address", "sales@shop.test", "imap_user", d.User("sales"))
	if _, err := store.SaveChannel(context.Background(), desk.Channel{Kind: "email", Name: "Sales", Enabled: true, Settings: sales}, []string{"imap_password"}); err != nil {
		t.Fatal(err)
	}
	h.run()
	both := strings.Replace(letter(1), "To: support@shop.test", "To: support@shop.test\r\nCc: sales@shop.test", 1)
	d.Box("support").Put("Received: from a by b\r\n" + both)
	first := h.customer("第 1 个问题")
	d.Box("sales").Put("Received: from a by c\r\n" + both)
	second := h.customer("第 1 个问题")
	if first.TicketID == second.TicketID || first.ChannelID == second.ChannelID {
		t.Fatalf("tickets %s and %s", first.TicketID, second.TicketID)
	}
	if a, b := h.ticket(first.TicketID), h.ticket(second.TicketID); b.LinkedTicketID != a.ID && a.LinkedTicketID != b.ID {
		t.Errorf("linked to %q and %q", a.LinkedTicketID, b.LinkedTicketID)
	}
}

func TestAnswerLostAfterTheLastByteReachesTheReaderOnce(t *testing.T) {
	d := mailtest.Start(t)
	s := mailtest.StartSMTP(t, nil)
	h, clock := clocked(t, settings(d, s))
	d.Box("support").Put(letter(1))
	in := h.customer("第 1 个问题")
	s.Cut(true)
	reply := h.reply(in.TicketID, "您好")
	<-s.Started
	mailtest.Eventually(t, "the lost answer is noticed", func() bool {
		m, err := h.store.Message(context.Background(), reply.ID)
		return err == nil && m.Delivery.State != desk.DeliverySending && m.Delivery.Attempts == 1
	})
	s.Cut(false)
	clock.Advance(time.Hour)
	h.out.Kick()
	h.until(reply.ID, desk.DeliverySent)
	got := s.Mails()
	if len(got) != 2 || mailtest.HeaderOf(got[0], "Message-ID") != mailtest.HeaderOf(got[1], "Message-ID") || got[0] != got[1] {
		t.Errorf("%d mails left, not twice the same", len(got))
	}
}

func TestSubjectOfTheCustomersLastMailIsAnswered(t *testing.T) {
	d := mailtest.Start(t)
	s := mailtest.StartSMTP(t, nil)
	h := openHouse(t, storetest.SQLite(t), settings(d, s))
	support := d.Box("support")
	support.Put(letter(1))
	in := h.customer("第 1 个问题")
	h.until(h.reply(in.TicketID, "您好").ID, desk.DeliverySent)
	raw := answer("anna@shop.test", mailtest.HeaderOf(s.Mails()[0], "Reply-To"), "in other words", s.Mails()[0])
	raw = strings.Replace(raw, mailtest.HeaderOf(raw, "Subject"), "order 1 and the invoice", 1)
	support.Put(raw)
	if back := h.customer("in other words"); back.TicketID != in.TicketID {
		t.Fatal("another ticket")
	}
	h.until(h.reply(in.TicketID, "好的").ID, desk.DeliverySent)
	if got := mailtest.HeaderOf(s.Mails()[1], "Subject"); got != "Re: order 1 and the invoice" {
		t.Errorf("answered under %q", got)
	}
}
