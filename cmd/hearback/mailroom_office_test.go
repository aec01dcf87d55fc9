package main

import (
	"encoding/base64"
	"fmt"
	"mime"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"hearback/connectors/email/mailtest"
	"hearback/normalizer/mail"
)

// An office is a provider with real servers: mailboxes on Dovecot, and an SMTP server that delivers into them. The gateway's
// mailbox is support's; everybody else is a customer.
type office struct {
	t    testing.TB
	imap *mailtest.Dovecot
	smtp *mailtest.SMTP

	mu    sync.Mutex
	boxes map[string]*mailtest.Box
}

func openOffice(t testing.TB) *office {
	p := &office{t: t, imap: mailtest.Own(t), boxes: map[string]*mailtest.Box{}}
	p.smtp = mailtest.StartSMTP(t, func(to, raw string) {
		name, _, _ := strings.Cut(to, "@")
		name, _, _ = strings.Cut(name, "+")
		p.in(name, func(b *mailtest.Box) { b.Put(raw) })
	})
	return p
}

// in does something in somebody's mailbox, one after the other.
func (p *office) in(name string, f func(*mailtest.Box)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.boxes[name] == nil {
		p.boxes[name] = p.imap.Box(name)
	}
	f(p.boxes[name])
}

// channel are the words of `hearback channel add` for support's mailbox.
func (p *office) channel(more ...string) []string {
	ca := filepath.Join(p.t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, []byte(p.imap.CA), 0o600); err != nil {
		p.t.Fatal(err)
	}
	args := []string{"channel", "add", "--kind", "email", "--name", "Support", "--set-file", "tls_ca=" + ca}
	for _, s := range append([]string{"address=support@shop.test", "name=小店客服", "imap_host=127.0.0.1", fmt.Sprint("imap_port=", p.imap.TLS), "imap_security=tls",
		"imap_user=" + p.imap.User("support"), "imap_password=" + mailtest.Password, "smtp_host=127.0.0.1", fmt.Sprint("smtp_port=", p.smtp.Port),
		"smtp_security=none", "smtp_user=support@shop.test", "import=all", "sent_copy=off", "plus_address=on", "rate_per_minute=0"}, more...) {
		args = append(args, "--set", s)
	}
	return args
}

// deliver puts a mail into support's mailbox.
func (p *office) deliver(raw string) { p.in("support", func(b *mailtest.Box) { b.Put(raw) }) }

// mails are what somebody has in his mailbox.
func (p *office) mails(name string) (all []string) {
	p.in(name, func(b *mailtest.Box) { all = b.Mails("INBOX") })
	return all
}

// foxmail is a first mail as Foxmail sends it: base64 of GB18030 that calls itself gb2312, plain and HTML.
func foxmail(from, to, subject, text string) string {
	gbk := func(s string) string {
		b, err := simplifiedchinese.GB18030.NewEncoder().String(s)
		if err != nil {
			panic(err)
		}
		return base64.StdEncoding.EncodeToString([]byte(b))
	}
	return fmt.Sprintf("Date: Sat, 21 Nov 2026 18:00:00 +0800\r\nFrom: \"=?gb2312?B?%s?=\" <%s>\r\nTo: support <%s>\r\nSubject: =?gb2312?B?%s?=\r\nX-Priority: 3\r\n"+
		"X-Has-Attach: no\r\nX-Mailer: Foxmail 7.2.25.375[cn]\r\nMime-Version: 1.0\r\nMessage-ID: <202611211800001234567@qq.com>\r\n"+
		"Content-Type: multipart/alternative;\r\n\tboundary=\"----=_001_NextPart612345678901_=----\"\r\n\r\nThis is a multi-part message in MIME format.\r\n\r\n"+
		"------=_001_NextPart612345678901_=----\r\nContent-Type: text/plain;\r\n\tcharset=\"gb2312\"\r\nContent-Transfer-Encoding: base64\r\n\r\n%s\r\n\r\n"+
		"------=_001_NextPart612345678901_=----\r\nContent-Type: text/html;\r\n\tcharset=\"gb2312\"\r\nContent-Transfer-Encoding: base64\r\n\r\n%s\r\n\r\n"+
		"------=_001_NextPart612345678901_=------\r\n\r\n", gbk("安娜"), from, to, gbk(subject), gbk(text+"\r\n\r\n安娜\r\n"),
		gbk("<html><body><div><span></span>"+text+"</div><hr style=\"width: 210px; height: 1px;\" color=\"#b5c4df\" size=\"1\" align=\"left\"><div><span>安娜</span></div></body></html>"))
}

// thunderbird is the answer to a mail as Thunderbird writes it, to where that mail asks answers to go.
func thunderbird(from, text, to string) string {
	m := mail.Parse([]byte(to), mail.Limits{})
	at := first(mailtest.HeaderOf(to, "Reply-To"), mailtest.HeaderOf(to, "From"))
	refs := strings.TrimSpace(mailtest.HeaderOf(to, "References") + " " + mailtest.HeaderOf(to, "Message-ID"))
	return fmt.Sprintf("Message-ID: <%x@shop.test>\r\nDate: Sat, 21 Nov 2026 19:00:00 +0800\r\nMIME-Version: 1.0\r\nUser-Agent: Mozilla Thunderbird\r\n"+
		"Subject: %s\r\nContent-Language: zh-CN\r\nTo: %s\r\nReferences: %s\r\nFrom: =?UTF-8?B?5a6J5aic?= <%s>\r\nIn-Reply-To: %s\r\n"+
		"Content-Type: text/plain; charset=UTF-8; format=flowed\r\nContent-Transfer-Encoding: 8bit\r\n\r\n%s\r\n\r\n在 2026/11/21 18:30, 小店客服 写道:\r\n> %s\r\n",
		text, mime.BEncoding.Encode("UTF-8", "Re: "+strings.TrimPrefix(m.Subject, "Re: ")), at, refs, from, mailtest.HeaderOf(to, "Message-ID"), text,
		strings.ReplaceAll(strings.TrimSpace(m.Text), "\n", "\r\n> "))
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
