package main

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"hearback/connectors/email/mailtest"
	"hearback/normalizer/mail"
)

// e2eMail is what the browser's side of the mail walk (web/e2e/mailbox.mjs) looks for and types.
type e2eMail struct {
	Subject  string `json:"subject"`  // of the customer's mail
	Customer string `json:"customer"` // his name
	Asks     string `json:"asks"`     // what he wrote
	Answer   string `json:"answer"`   // what the agent types and sends
	Thanks   string `json:"thanks"`   // what the customer then writes: it must appear in the same conversation
}

var mailWalk = e2eMail{Subject: "订单 HB-20881 退款", Customer: "安娜", Asks: "您好，我的订单 HB-20881 想退款，请问朱镕先生处理吗？",
	Answer: "您好！已经为您申请退款，预计 24 小时内到账。", Thanks: "收到了，谢谢！"}

// TestMailIsAnsweredInTheBrowserAndAnsweredAgain: a customer's mail program writes, an agent answers in the browser, the customer
// has it in his mailbox, threaded, answers that, and the agent sees it in the same conversation.
func TestMailIsAnsweredInTheBrowserAndAnsweredAgain(t *testing.T) {
	office := openOffice(t)
	g := newGateway(t, "--demo", "--allow-private-networks") // the demo's rules send refunds to Finance
	g.start()
	g.run(nil, "", office.channel()...)
	g.run(nil, e2ePassword+"\n", "agent", "add", "--email", "lin@hearback.local", "--name", "小林", "--role", "agent", "--team", "财务 Finance", "--password-stdin")
	token := g.addAgent("boss@hearback.local", "admin")
	t.Cleanup(func() {
		if tickets, err := allTickets(context.Background(), g.api(token)); t.Failed() {
			t.Logf("tickets %+v, %v", tickets, err)
		}
	})
	done := make(chan struct{})
	go func() { // the customer
		defer close(done)
		office.customer(t, mailWalk)
	}()
	settings := e2eGiven{Base: g.base, Look: e2eLook{"zh-CN", "light", 1440}, Right: e2ePerson{"lin@hearback.local", e2ePassword}}
	told, err := json.Marshal(mailWalk)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("HEARBACK_E2E_MAIL", string(told))
	browse(t, "mailbox.mjs", settings, 2*time.Minute)
	<-done
	checkOneConversation(t, g.api(token), mailWalk)
}

// customer writes, waits for the answer, checks how it came and answers.
func (p *office) customer(t *testing.T, walk e2eMail) {
	p.deliver(foxmail("anna@shop.test", "support@shop.test", walk.Subject, walk.Asks))
	var got []string
	eventually(t, time.Minute, "the acknowledgement and the answer are in the customer's mailbox", func() bool {
		got = slices.DeleteFunc(p.mails("anna"), func(raw string) bool { return mailtest.HeaderOf(raw, "Auto-Submitted") != "" })
		return len(got) == 1
	})
	m := mail.Parse([]byte(got[0]), mail.Limits{})
	if m.Subject != "Re: "+walk.Subject || m.Reply != walk.Answer || !strings.Contains(m.Quoted, walk.Asks) || !slices.Equal(m.InReplyTo, []string{"202611211800001234567@qq.com"}) ||
		m.References[len(m.References)-1] != m.InReplyTo[0] || m.From[0].Address != "support@shop.test" || !strings.Contains(m.HTML, walk.Answer) || len(m.Repairs) != 0 {
		t.Errorf("the customer has %s", got[0])
	}
	p.deliver(thunderbird("anna@shop.test", walk.Thanks, got[0]))
}

func checkOneConversation(t *testing.T, api *apiClient, walk e2eMail) {
	t.Helper()
	var tickets []ticketView
	eventually(t, 20*time.Second, "the customer's answer is filed", func() bool {
		var err error
		if tickets, err = allTickets(t.Context(), api); err != nil {
			t.Fatal(err)
		}
		return len(tickets) > 0 && len(said(t, api, tickets[0].ID, "in")) == 2
	})
	if len(tickets) != 1 || tickets[0].Contact.Name != walk.Customer {
		t.Errorf("%d tickets: %+v", len(tickets), tickets)
	}
	if got := said(t, api, tickets[0].ID, "in"); got[0] != walk.Asks && !strings.HasPrefix(got[0], walk.Asks) || got[1] != walk.Thanks {
		t.Errorf("the customer said %q", got)
	}
	if got := said(t, api, tickets[0].ID, "out"); got[len(got)-1] != walk.Answer {
		t.Errorf("we said %q", got)
	}
}

// said are a ticket's texts in one direction.
func said(t *testing.T, api *apiClient, ticket, direction string) (texts []string) {
	t.Helper()
	all, err := allMessages(t.Context(), api, ticket)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		if m.Direction == direction {
			texts = append(texts, m.Text)
		}
	}
	return texts
}

// TestTicketBegunByAnAgentGoesOnWhenTheCustomerAnswers: a first letter names no parent, goes to Cc and Bcc, and its answer comes
// back to the ticket, also by mail programs that keep only one of the threading fields.
func TestTicketBegunByAnAgentGoesOnWhenTheCustomerAnswers(t *testing.T) {
	office := openOffice(t)
	g := newGateway(t, "--allow-private-networks")
	var channel struct{ ID string }
	g.run(&channel, "", office.channel()...)
	token := g.addAgent("lin@example.com", "admin")
	g.start()
	api := g.api(token)
	var made struct {
		ID     string `json:"id"`
		Ticket struct {
			ID string `json:"id"`
		} `json:"ticket"`
	}
	body := map[string]any{"channel_id": channel.ID, "to": "Anna@shop.test", "name": "安娜", "subject": "您的订单", "text": "您好，请确认地址。", "cc": []string{"boss@shop.test"},
		"bcc": []string{"hidden@shop.test"}, "assign_to_me": true, "idempotency_key": "begin-1"}
	for range 2 { // the second try finds the first
		if err := api.do(t.Context(), "POST", "/api/v1/tickets", body, &made); err != nil {
			t.Fatal(err)
		}
	}
	id := first(made.Ticket.ID, made.ID)
	for _, who := range []string{"anna", "boss", "hidden"} {
		eventually(t, 20*time.Second, who+" has the mail", func() bool { return len(office.mails(who)) == 1 })
	}
	raw := office.mails("anna")[0]
	m := mail.Parse([]byte(raw), mail.Limits{})
	if m.Subject != "您的订单" || len(m.InReplyTo)+len(m.References) != 0 || m.To[0].Address != "anna@shop.test" || m.Cc[0].Address != "boss@shop.test" || strings.Contains(raw, "hidden") && !strings.Contains(raw, "Delivered-To") {
		t.Errorf("the mail is %s", raw)
	}
	if hidden := office.mails("boss")[0]; strings.Contains(hidden, "hidden@") {
		t.Errorf("the blind copy is named: %s", hidden)
	}
	bare := func(text string, fields ...string) string {
		return strings.Join(append(fields, "From: anna@shop.test", "To: support@shop.test", "Subject: =?utf-8?B?5Zue5aSNOiDmgqjnmoTorqLljZU=?=", "Message-ID: <"+text+"@client.test>"), "\r\n") + "\r\n\r\n" + text + "\r\n"
	}
	for n, answer := range []string{
		thunderbird("anna@shop.test", "answer-0", raw),
		bare("answer-1", "In-Reply-To: "+mailtest.HeaderOf(raw, "Message-ID")),
		bare("answer-2", "References: <else@x> "+mailtest.HeaderOf(raw, "Message-ID")),
		strings.Replace(bare("answer-3", "In-Reply-To: "+mailtest.HeaderOf(raw, "Message-ID")), "anna@shop.test", "boss@shop.test", 1), // who had a copy
	} {
		office.deliver(answer)
		eventually(t, 20*time.Second, "the answer is in the ticket", func() bool { return len(said(t, api, id, "in")) == n+1 })
	}
	if tickets, err := allTickets(t.Context(), api); err != nil || len(tickets) != 1 {
		out, _ := json.Marshal(tickets)
		t.Errorf("%v: %s", err, out)
	}
}
