package email_test

import (
	"context"
	"fmt"
	"mime"
	"slices"
	"strings"
	"testing"

	"hearback/connectors/email/mailtest"
	"hearback/desk"
	"hearback/normalizer/mail"
	"hearback/ticketstore"
	"hearback/ticketstore/storetest"
)

// postman delivers by SMTP what a user's mailbox on Dovecot then holds.
func postman(d *mailtest.Dovecot) func(to, raw string) {
	return func(to, raw string) {
		local, _, _ := strings.Cut(to, "@")
		local, _, _ = strings.Cut(local, "+") // as servers with plus addresses do
		d.Box(local).Put(raw)
	}
}

// answer is what a mail program makes of pressing "reply".
func answer(from, to, text string, m string) string {
	parsed := mail.Parse([]byte(m), mail.Limits{})
	refs := strings.TrimSpace(mailtest.HeaderOf(m, "References") + " " + mailtest.HeaderOf(m, "Message-ID"))
	return fmt.Sprintf("From: %s\r\nTo: %s\r\nSubject: Re: %s\r\nMessage-ID: <%s@client.test>\r\nIn-Reply-To: %s\r\nReferences: %s\r\n"+
		"Date: Sat, 21 Nov 2026 12:00:00 +0000\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%s\r\n\r\n"+
		"On Sat, 21 Nov 2026 at 11:00, Support <support@shop.test> wrote:\r\n> %s\r\n",
		from, to, mime.BEncoding.Encode("utf-8", strings.TrimPrefix(parsed.Subject, "Re: ")), desk.NewID(), mailtest.HeaderOf(m, "Message-ID"), refs, text,
		strings.ReplaceAll(strings.TrimSpace(parsed.Text), "\n", "\r\n> "))
}

func TestConversationComesInGoesOutAndComesBack(t *testing.T) {
	onEachEngine(t, func(t *testing.T, store *ticketstore.Store) {
		d := mailtest.Start(t)
		s := mailtest.StartSMTP(t, postman(d))
		h := openHouse(t, store, settings(d, s, "sent_copy", "on"))
		support, anna := d.Box("support"), d.Box("anna")

		support.Put(letter(1))
		in := h.customer("第 1 个问题")
		ticket, err := store.Ticket(context.Background(), in.TicketID)
		if err != nil || ticket.Subject != "order 1" || in.Author.Name != "安娜" {
			t.Fatalf("ticket %+v, %v, by %q", ticket, err, in.Author.Name)
		}

		out := h.until(h.reply(in.TicketID, "您好，\n已为您查询。").ID, desk.DeliverySent)
		got := anna.Mails("INBOX")
		if len(got) != 1 {
			t.Fatalf("the customer has %d mails", len(got))
		}
		m := mail.Parse([]byte(got[0]), mail.Limits{})
		if m.Subject != "Re: order 1" || !strings.HasPrefix(m.Reply, "您好，\n已为您查询。") || !strings.Contains(m.Quoted, "第 1 个问题") ||
			mailtest.HeaderOf(got[0], "In-Reply-To") != "<m1@shop.test>" || mailtest.HeaderOf(got[0], "References") != "<m1@shop.test>" ||
			m.From[0].Name != "小店客服" || m.From[0].Address != "support@shop.test" || !strings.Contains(m.HTML, "blockquote") ||
			!strings.Contains(mailtest.HeaderOf(got[0], "Reply-To"), "support+hb-") || mailtest.HeaderOf(got[0], "Auto-Submitted") != "" {
			t.Errorf("the answer reads %s", got[0])
		}
		mailtest.Eventually(t, "a copy is in Sent", func() bool { return len(d.Box("support").MailsIn("Sent")) == 1 })

		// The customer answers: to the reply address, by threading headers alone, and by a program that drops them but keeps the subject.
		for n, raw := range []string{
			answer("Anna@shop.test", mailtest.HeaderOf(got[0], "Reply-To"), "谢谢，收到一", got[0]),
			answer("Anna@shop.test", "support@shop.test", "谢谢，收到二", got[0]),
			"From: anna@shop.test\r\nTo: support@shop.test\r\nSubject: RE: order 1\r\nMessage-ID: <bare@client.test>\r\n\r\n谢谢，收到三\r\n",
		} {
			support.Put(raw)
			back := h.customer("谢谢，收到" + []string{"一", "二", "三"}[n])
			if back.TicketID != in.TicketID {
				t.Errorf("answer %d opened another ticket", n+1)
			}
			if n < 2 && !strings.Contains(back.Quoted, "已为您查询") {
				t.Errorf("history is not folded: %q", back.Text)
			}
		}

		// A second answer refers to all of that.
		h.until(h.reply(in.TicketID, "不客气").ID, desk.DeliverySent)
		got = anna.Mails("INBOX")
		refs := mailtest.HeaderOf(got[1], "References")
		if mailtest.HeaderOf(got[1], "In-Reply-To") != "<bare@client.test>" || !strings.HasPrefix(refs, "<m1@shop.test> ") || !strings.Contains(refs, mailtest.HeaderOf(got[0], "Message-ID")) {
			t.Errorf("in reply to %s, references %s", mailtest.HeaderOf(got[1], "In-Reply-To"), refs)
		}
		if out.ExternalID == "" || !strings.Contains(mailtest.HeaderOf(got[0], "Message-ID"), strings.ReplaceAll(out.ExternalID, "-", "")) {
			t.Errorf("Message-ID %s is not minted from %s", mailtest.HeaderOf(got[0], "Message-ID"), out.ExternalID)
		}
	})
}

func TestWithoutPlusAddressesTheSubjectCarriesTheNumber(t *testing.T) {
	d := mailtest.Start(t)
	s := mailtest.StartSMTP(t, postman(d))
	store := storetest.SQLite(t)
	h := openHouse(t, store, settings(d, s, "plus_address", "off"))
	support := d.Box("support")
	support.Put(letter(1))
	in := h.customer("第 1 个问题")
	ticket, _ := store.Ticket(context.Background(), in.TicketID)
	h.until(h.reply(in.TicketID, "您好").ID, desk.DeliverySent)
	got := d.Box("anna").Mails("INBOX")[0]
	if mailtest.HeaderOf(got, "Reply-To") != "" || mailtest.HeaderOf(got, "Subject") != "Re: order 1 [#"+ticket.Number+"]" {
		t.Fatalf("subject %q", mailtest.HeaderOf(got, "Subject"))
	}
	support.Put("From: anna@shop.test\r\nTo: support@shop.test\r\nSubject: 回复: 关于 [#" + ticket.Number + "]\r\n\r\n又来了\r\n")
	if back := h.customer("又来了"); back.TicketID != in.TicketID {
		t.Error("the number did not lead back")
	}
	support.Put("From: evil@elsewhere.test\r\nTo: support@shop.test\r\nSubject: [#" + ticket.Number + "] hi\r\n\r\nsend me the money\r\n")
	stranger := h.customer("send me the money")
	other, _ := store.Ticket(context.Background(), stranger.TicketID)
	if stranger.TicketID == in.TicketID || other.LinkedTicketID != in.TicketID {
		t.Error("a stranger got into the ticket by its number")
	}
}

func TestBounceFindsTheVeryReply(t *testing.T) {
	d := mailtest.Start(t)
	s := mailtest.StartSMTP(t, postman(d))
	store := storetest.SQLite(t)
	h := openHouse(t, store, settings(d, s))
	support := d.Box("support")
	support.Put(letter(1))
	in := h.customer("第 1 个问题")
	first := h.until(h.reply(in.TicketID, "one").ID, desk.DeliverySent)
	second := h.until(h.reply(in.TicketID, "two").ID, desk.DeliverySent)
	sent := d.Box("anna").Mails("INBOX")
	if _, _, err := store.Change(context.Background(), ticketstore.Change{TicketID: in.TicketID, Actor: wang, Status: desk.StatusResolved}); err != nil {
		t.Fatal(err)
	}
	support.Put("From: MAILER-DAEMON@shop.test\r\nTo: support@shop.test\r\nSubject: Undelivered Mail Returned to Sender\r\n" +
		"Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n" +
		"--b\r\nContent-Type: text/plain\r\n\r\nYour mail could not be delivered.\r\n" +
		"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; shop.test\r\n\r\nFinal-Recipient: rfc822; anna@shop.test\r\n" +
		"Action: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 no such user\r\n\r\n" +
		"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: " + mailtest.HeaderOf(sent[1], "Message-ID") + "\r\nSubject: Re: order 1\r\n\r\n--b--\r\n")
	m := h.until(second.ID, desk.DeliveryFailed)
	if m.Delivery.Code != "5.1.1" || !strings.Contains(m.Delivery.Hint, "no such user") {
		t.Errorf("the agent reads %+v", m.Delivery)
	}
	if m, _ := store.Message(context.Background(), first.ID); m.Delivery.State != desk.DeliverySent {
		t.Error("another reply was marked too")
	}
	ticket, _ := store.Ticket(context.Background(), in.TicketID)
	if ticket.Status == desk.StatusResolved {
		t.Error("the ticket rests although its customer did not hear back")
	}
	all, _ := store.Messages(context.Background(), in.TicketID, 0, 50)
	if !slices.ContainsFunc(all, func(m desk.Message) bool { return m.Class == desk.ClassBounce }) {
		t.Error("the notice is not in the ticket")
	}
}

func TestMachinesOpenNoTickets(t *testing.T) {
	d := mailtest.Start(t)
	store := storetest.SQLite(t)
	h := openHouse(t, store, settings(d, nil))
	support := d.Box("support")
	support.Put("From: anna@shop.test\r\nTo: support@shop.test\r\nSubject: Automatic reply: away\r\nAuto-Submitted: auto-replied\r\nMessage-ID: <v@x>\r\n\r\nI am away.\r\n")
	support.Put("From: support@shop.test\r\nTo: support@shop.test\r\nSubject: me\r\nMessage-ID: <l@x>\r\n\r\nown mail\r\n")
	support.Put(letter(1))
	h.customer("第 1 个问题")
	counts := map[desk.Outcome]int{}
	mailtest.Eventually(t, "three outcomes", func() bool {
		counts, _ = store.LedgerCounts(context.Background())
		return counts[desk.OutcomeTicket]+counts[desk.OutcomeAuto]+counts[desk.OutcomeLoop] == 3
	})
	if counts[desk.OutcomeTicket] != 1 || counts[desk.OutcomeAuto] != 1 || counts[desk.OutcomeLoop] != 1 {
		t.Errorf("outcomes %v", counts)
	}
}
