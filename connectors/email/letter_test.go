package email_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"hearback/connectors"
	"hearback/connectors/email/mailtest"
	"hearback/desk"
	"hearback/normalizer/mail"
)

// sent sends one reply and reads what the server got.
func sent(t *testing.T, out desk.Outbound, more ...string) (raw string, to []string, m *mail.Mail) {
	t.Helper()
	s := mailtest.StartSMTP(t, nil)
	_, conn, _ := sender(t, s, more...)
	if _, err := conn.Send(context.Background(), out); err != nil {
		t.Fatal(err)
	}
	raw = s.Mails()[0]
	return raw, s.Recipients()[0], mail.Parse([]byte(raw), mail.Limits{})
}

func TestLetterStandsInItsTemplateWithTheHistoryBelow(t *testing.T) {
	out := outbound()
	out.ToName = "{{signature}} <b>安娜</b>"
	out.Signature = "{{agent}}\r\n售后组 & <Co>"
	out.Template = "亲爱的 {{customer}}：\r\n\r\n{{text}}\r\n\r\n工单 {{number}}\r\n{{signature}}\r\n{{unknown}}"
	out.Text = "您好 {{number}}\n第二行"
	out.Quote = &desk.Quote{Author: "安娜", Text: "旧消息", At: out.CreatedAt}
	_, _, m := sent(t, out, "signature", "the mailbox's own")
	want := "亲爱的 {{signature}} <b>安娜</b>：\n\n您好 {{number}}\n第二行\n\n工单 GD20261121-0007\n王芳\n售后组 & <Co>\n{{unknown}}\n\n在 2026年11月21日 10:00 UTC，安娜 写道：\n> 旧消息\n"
	if m.Text != want {
		t.Errorf("text %q, want %q", m.Text, want)
	}
	for _, part := range []string{"亲爱的 {{signature}} &lt;b&gt;安娜&lt;/b&gt;：", "<div>您好 {{number}}<br>\n第二行</div>", "售后组 &amp; &lt;Co&gt;", "<blockquote"} {
		if !strings.Contains(m.HTML, part) {
			t.Errorf("no %q in %q", part, m.HTML)
		}
	}
	if strings.Contains(m.HTML, "the mailbox's own") || strings.Index(m.HTML, "blockquote") < strings.Index(m.HTML, "售后组") {
		t.Errorf("html %q", m.HTML)
	}
}

func TestTemplateThatForgetsTheAnswerLosesNothing(t *testing.T) {
	out := outbound()
	out.Template, out.Signature = "-- \n{{signature}}\n小店", "小王"
	if _, _, m := sent(t, out); m.Text != "您好\n\n-- \n小王\n小店\n" || m.Reply != "您好" {
		t.Errorf("text %q", m.Text)
	}
	out.Automatic = true
	if _, _, m := sent(t, out, "signature", "x"); m.Text != "您好\n" {
		t.Errorf("an automatic mail reads %q", m.Text)
	}
	out.Automatic, out.Template = false, ""
	if _, _, m := sent(t, out, "signature", "the mailbox's own"); m.Text != "您好\n\n-- \n小王\n" {
		t.Errorf("text %q", m.Text)
	}
	out.Signature, out.HTML, out.Text = "", "<p>您好 <b>粗</b></p>", ""
	_, _, m := sent(t, out, "signature", "{{agent}} of {agent}")
	if m.Text != "您好 粗\n\n-- \n王芳 of 王芳\n" || !strings.Contains(m.HTML, "<b>粗</b>") {
		t.Errorf("text %q html %q", m.Text, m.HTML)
	}
}

func TestCopiesGoToEverybodyAndBlindOnesAreNotNamed(t *testing.T) {
	out := outbound()
	out.Cc = []string{"老板 <Boss@x.test>", "anna@shop.test", "boss@x.test"}
	out.Bcc = []string{"hidden@x.test", "boss@x.test"}
	out.ReplyTo = "anna.private@y.test"
	raw, to, m := sent(t, out)
	if !slices.Equal(to, []string{"anna.private@y.test", "Boss@x.test", "anna@shop.test", "hidden@x.test"}) {
		t.Errorf("delivered to %v", to)
	}
	if strings.Contains(raw, "hidden") || mailtest.HeaderOf(raw, "Bcc") != "" || len(m.To) != 1 || m.To[0].Address != "anna.private@y.test" || len(m.Cc) != 2 || m.Cc[0].Name != "老板" {
		t.Errorf("to %v, cc %v: %s", m.To, m.Cc, raw)
	}
	for _, bad := range []string{"x\r\nBcc: evil@x.test", "a@b.test\nX-Evil: 1", "evil\r\n <a@b.test>", "a@b.test, c@d.test", "no address", "<>"} {
		s := mailtest.StartSMTP(t, nil)
		_, conn, _ := sender(t, s)
		for _, o := range []desk.Outbound{{Cc: []string{bad}}, {Bcc: []string{bad}}, {ReplyTo: bad}} {
			out := outbound()
			out.Cc, out.Bcc, out.ReplyTo = o.Cc, o.Bcc, o.ReplyTo
			_, err := conn.Send(context.Background(), out)
			if got := connectors.AsSendError(err); err == nil || got.Class != connectors.Permanent || got.Hint == "" || strings.ContainsAny(got.Hint, "\r\n") || len(s.Mails()) != 0 {
				t.Errorf("%q: %v", bad, err)
			}
		}
	}
}

func TestFirstMailOfATicketNamesItsSubjectAndNoParent(t *testing.T) {
	out := outbound()
	out.InReplyTo, out.Subject = nil, "Re: Ihre Bestellung\r\nBcc: evil@x.test"
	raw, to, m := sent(t, out)
	if m.Subject != "Re: Ihre Bestellung Bcc: evil@x.test" || mailtest.HeaderOf(raw, "In-Reply-To") != "" || mailtest.HeaderOf(raw, "References") != "" ||
		len(to) != 1 || !strings.HasPrefix(mailtest.HeaderOf(raw, "Message-ID"), "<hb.") || !strings.Contains(mailtest.HeaderOf(raw, "Reply-To"), "+hb-") {
		t.Errorf("%s", raw)
	}
}

func TestPicturesOfTheLetterStandInIt(t *testing.T) {
	s := mailtest.StartSMTP(t, nil)
	house, conn, _ := sender(t, s)
	blob, _ := house.Blobs.Put(context.Background(), strings.NewReader("a picture"), 0)
	out := outbound()
	id := desk.NewID()
	out.HTML = fmt.Sprintf(`<p>看图 <img src="/api/v1/attachments/%s/content" alt="x"> <img src="cid:other"> <img src="javascript:alert(1)"></p>`, id)
	out.Attachments = []desk.Attachment{{ID: id, Name: "p.png", Type: "image/png", Blob: blob.Key, Size: blob.Size, Inline: true, ContentID: "pic$1@hb"}}
	if _, err := conn.Send(context.Background(), out); err != nil {
		t.Fatal(err)
	}
	m := mail.Parse([]byte(s.Mails()[0]), mail.Limits{})
	if !strings.Contains(m.HTML, `src="cid:pic$1@hb"`) || strings.Contains(m.HTML, "javascript") || strings.Contains(m.HTML, "/api/v1") || len(m.Attachments) != 1 || !m.Attachments[0].Inline {
		t.Errorf("html %q, files %+v", m.HTML, m.Attachments)
	}
}
