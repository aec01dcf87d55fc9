package mail

import (
	"strings"
	"testing"

	"hearback/desk"
)

const dsn = `From: MAILER-DAEMON@mx.example.com (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: support@example.com
Auto-Submitted: auto-replied
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

I'm sorry to have to inform you that your message could not be delivered.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com

Final-Recipient: rfc822; zhang@example.org
Action: ACTION
Status: STATUS
Diagnostic-Code: smtp; DIAGNOSTIC

--b
Content-Type: message/rfc822

From: support@example.com
To: zhang@example.org
Subject: Re: order
Message-ID: <t1.m2.abc@example.com>

hello
--b--
`

func reported(action, status, diagnostic string) *Mail {
	return Parse(crlf(strings.NewReplacer("ACTION", action, "STATUS", status, "DIAGNOSTIC", diagnostic).Replace(dsn)), Limits{})
}

func TestDeliveryReportsNameMailRecipientAndReason(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		action, status, diagnostic string
		kind                       Kind
		wantStatus                 string
		reason                     Reason
	}{
		{"failed", "5.1.1", "550 5.1.1 <zhang@example.org>: user unknown", KindBounce, "5.1.1", ReasonUnknownUser},
		{"failed", "5.0.0", "552 5.2.2 Mailbox full", KindBounce, "5.2.2", ReasonMailboxFull},
		{"delayed", "4.4.1", "connect to example.org: Connection timed out", KindDelayed, "4.4.1", ReasonExpired},
		{"relayed", "2.0.0", "250 ok", KindDelivered, "2.0.0", ReasonOther},
		{"failed", "", "no such user here", KindBounce, "5.1.1", ReasonUnknownUser},
	} {
		m := reported(c.action, c.status, c.diagnostic)
		if m.Kind != c.kind || m.Class != desk.ClassBounce || m.Bounce == nil || len(m.Bounce.Recipients) != 1 {
			t.Fatalf("%v: %s %s %+v", c, m.Kind, m.Class, m.Bounce)
		}
		r := m.Bounce.Recipients[0]
		if r.Address != "zhang@example.org" || r.Status != c.wantStatus || r.Reason != c.reason || r.Reason.Words("zh-CN") == "" {
			t.Errorf("%v: %+v", c, r)
		}
		if len(m.Bounce.MessageIDs) == 0 || m.Bounce.MessageIDs[0] != "t1.m2.abc@example.com" || m.Bounce.Subject != "Re: order" {
			t.Errorf("%v: %+v", c, m.Bounce)
		}
	}
}

// Notices of vendors without machine-readable parts.
func TestNoticesInWordsAreBounces(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		raw, address, status, id string
	}{
		"qmail": {"From: MAILER-DAEMON@example.com\nSubject: failure notice\nTo: me@example.com\n\nHi. This is the qmail-send program at example.com.\nI'm afraid I wasn't able to deliver your message to the following addresses.\n\n<zhang@example.org>:\n192.0.2.1 does not like recipient.\nRemote host said: 550 5.1.1 User unknown\n\n--- Below this line is a copy of the message.\n\nReturn-Path: <me@example.com>\nMessage-ID: <abc@example.com>\n", "zhang@example.org", "5.1.1", "abc@example.com"},
		"exim":  {"From: Mail Delivery System <Mailer-Daemon@mx.example.com>\nX-Failed-Recipients: zhang@example.org\nSubject: Mail delivery failed: returning message to sender\n\nA message that you sent could not be delivered to one or more of its recipients.\nThe following address(es) failed:\n\n  zhang@example.org\n    host mx.example.org [192.0.2.1]\n    SMTP error from remote mail server after RCPT TO:<zhang@example.org>:\n    552 5.2.2 Mailbox size limit exceeded\n", "zhang@example.org", "5.2.2", ""},
		"qq": {"From: =?gb18030?B?UVHTys/kudzA7dSx?= <PostMaster@qq.com>\nTo: me@example.com\nSubject: 来自qq.com的退信\nContent-Type: text/html; charset=utf-8\n\n<p>很抱歉，您发送的邮件被退回，以下是该邮件的相关信息：</p><p>被退回邮件</p><p>主 题：订单</p><p>时 间：2025-03-03 17:21:00</p><p>无法发送到</p><p>zhang@qq.com</p><p>退信原因</p><p>收件人邮箱不存在，邮件无法送达。host mx3.qq.com [192.0.2.1] said: 550 Mailbox not found (in reply to RCPT TO command)</p>\n",
			"zhang@qq.com", "5.1.1", ""},
		"163":             {"From: Postmaster@163.com\nTo: me@example.com\nSubject: 系统退信/Systems bounce\nIn-Reply-To: <t1@example.com>\nContent-Type: text/plain; charset=gbk\n\n" + gbk("抱歉，您的邮件被退回来了……\n原邮件信息：\n时  间：2025-03-03 17:21:00\n主  题：订单\n收件人：zhang@163.com\n退信原因：\n收件人不存在\nSMTP error, RCPT TO: 550 User not found: zhang@163.com\n"), "zhang@163.com", "5.1.1", "t1@example.com"},
		"full in Chinese": {"From: postmaster@example.cn\nTo: me@example.com\nSubject: 系统退信\n\n您的邮件无法投递到以下收件人：\nli@example.cn\n原因：对方邮箱已满。\n", "li@example.cn", "5.2.2", ""},
		"exchange":        {"From: System Administrator <postmaster@example.com>\nTo: me@example.com\nSubject: Undeliverable: order\n\nYour message\n\n  To:      zhang@example.org\n  Subject: order\n  Sent:    Mon, 3 Mar 2025 17:21:00 +0800\n\ndid not reach the following recipient(s):\n\nzhang@example.org on Mon, 3 Mar 2025 17:22:00 +0800\n    The recipient name is not recognized\n", "zhang@example.org", "5.1.1", ""},
		"delay":           {"From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>\nTo: me@example.com\nSubject: Delivery Status Notification (Delay)\n\nThis is an automatically generated Delivery Status Notification\n\nTHIS IS A WARNING MESSAGE ONLY.\n\nDelivery to the following recipient has been delayed:\n\n     zhang@example.org\n\nMessage will be retried for 2 more day(s)\n", "zhang@example.org", "4.0.0", ""},
	} {
		m := Parse(crlf(c.raw), Limits{})
		if m.Class != desk.ClassBounce || m.Bounce == nil || len(m.Bounce.Recipients) != 1 {
			t.Errorf("%s: %s (%s), %+v", name, m.Class, m.Why, m.Bounce)
			continue
		}
		if r := m.Bounce.Recipients[0]; r.Address != c.address || r.Status != c.status {
			t.Errorf("%s: %+v", name, r)
		}
		if c.id != "" && (len(m.Bounce.MessageIDs) == 0 || m.Bounce.MessageIDs[0] != c.id) {
			t.Errorf("%s: speaks of %q", name, m.Bounce.MessageIDs)
		}
	}
}

func TestPeopleAreNotTakenForMachines(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"asks about a bounce":          "From: Bob <bob@example.com>\nSubject: 退信问题\n\n我发给 li@example.cn 的邮件被退回了，提示 550 user unknown，怎么办？\n",
		"forwards a bounce":            "From: Bob <bob@example.com>\nSubject: Fwd: Undelivered Mail Returned to Sender\n\nWhat is this?\n\n> could not be delivered: 550 5.1.1 user unknown\n",
		"answers an auto-reply":        "From: Bob <bob@example.com>\nSubject: Re: 自动回复: 订单\nIn-Reply-To: <a@b>\n\n谢谢\n",
		"complains about auto-replies": "From: Bob <bob@example.com>\nSubject: 自动回复功能坏了\n\n请修复自动回复功能\n",
		"is out of milk":               "From: Bob <bob@example.com>\nSubject: Delivery failed: my parcel did not arrive\n\nThe parcel could not be delivered, the driver says. Why?\n",
		"says no to automatic":         "From: Bob <bob@example.com>\nAuto-Submitted: no\nSubject: hi\n\nhi\n",
		"has a postal name":            "From: Mailer Miller <mailer.miller@example.com>\nSubject: order\n\nWhere is it?\n",
		"attaches a report":            "From: Bob <bob@example.com>\nSubject: help\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nsee the report\n--b\nContent-Type: message/delivery-status\n\nFinal-Recipient: rfc822; a@b.c\nAction: failed\nStatus: 5.1.1\n--b--\n",
	} {
		if m := Parse(crlf(raw), Limits{}); m.Class != desk.ClassNormal {
			t.Errorf("%s: %s (%s)", name, m.Class, m.Why)
		}
	}
}

func TestMachinesAreTold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		raw  string
		kind Kind
	}{
		"RFC 3834":       {"Auto-Submitted: auto-replied\nSubject: hi", KindAutoReply},
		"with a comment": {"Auto-Submitted: auto-generated (failure)\nSubject: hi", KindAuto},
		"Exchange":       {"X-Auto-Response-Suppress: All\nAuto-Submitted: auto-generated\nSubject: Automatic reply: order", KindAutoReply},
		"QQ vacation":    {"Subject: 自动回复: 订单\nIn-Reply-To: <a@b>", KindAutoReply},
		"163 vacation":   {"Subject: 自动回复:订单\nReferences: <a@b>", KindAutoReply},
		"German":         {"Subject: Automatische Antwort: Bestellung\nX-Auto-Response-Suppress: All", KindAutoReply},
		"old header":     {"X-Autoreply: yes\nSubject: x", KindAutoReply},
		"old precedence": {"Precedence: auto_reply\nSubject: x", KindAutoReply},
		"list":           {"List-Id: <l.example.com>\nSubject: x", KindList},
		"bulk":           {"Precedence: bulk\nSubject: x", KindList},
		"own mail":       {"X-Hearback-Loop: abc\nSubject: x", KindLoop},
		"in circles":     {strings.Repeat("Received: from a by b\n", 70) + "Subject: x", KindLoop},
		"read receipt":   {"Content-Type: multipart/report; report-type=disposition-notification; boundary=b\nSubject: Read: x", KindDisposition},
		"spam report":    {"Content-Type: multipart/report; report-type=feedback-report; boundary=b\nSubject: x", KindFeedback},
	} {
		m := Parse(crlf("From: Bob <bob@example.com>\n"+c.raw+"\n\nhello\n"), Limits{})
		if m.Kind != c.kind {
			t.Errorf("%s: %s (%s)", name, m.Kind, m.Why)
		}
		if m.Class == desk.ClassNormal || m.Why == "" {
			t.Errorf("%s: class %s, because %q", name, m.Class, m.Why)
		}
	}
}
