package email

import (
	"slices"
	"strings"
	"testing"

	"hearback/desk"
)

const testChannel = "0190a000-0000-7000-8000-00000000000e"

func decodeOne(t testing.TB, raw string) desk.Inbound {
	t.Helper()
	in, err := Decode(envelopeOf([]byte(strings.ReplaceAll(raw, "\n", "\r\n"))))
	if err != nil || len(in) == 0 {
		t.Fatalf("%v, %d inbounds", err, len(in))
	}
	return in[len(in)-1]
}

func envelopeOf(raw []byte) desk.Envelope {
	return desk.Envelope{ChannelID: testChannel, Kind: kindName, ExternalID: "x", Sender: "a@x.test", Raw: raw, Meta: map[string]string{"address": "support@shop.test"}}
}

func TestThreadKeysAreInTheOrderOfTheirStrength(t *testing.T) {
	reply := desk.NewID()
	other := desk.NewID()
	id := mintID(reply, tagOf(testChannel), "shop.test")
	foreign := mintID(other, tagOf("another channel"), "shop.test")
	in := decodeOne(t, "From: A <a@x.test>\nTo: "+replyAddress("support@shop.test", other)+"\nCc: boss@x.test\nSubject: Re: order [#GD20261121-0007]\nMessage-ID: <own@x>\n"+
		"In-Reply-To: <"+strings.ToUpper(id)+">\nReferences: <first@x> <"+foreign+"> <last@x>\n\nhello\n")
	want := []string{other, reply, "<" + strings.ToUpper(id) + ">", "<last@x>", "<" + foreign + ">", "<first@x>", "#GD20261121-0007", "s:a@x.test order", "-"}
	if !slices.Equal(in.ThreadKeys, want) || in.Proven != 1 {
		t.Errorf("keys %q, proven %d", in.ThreadKeys, in.Proven)
	}
	if !slices.Equal(in.Members, []string{"a@x.test", "boss@x.test"}) || !slices.Equal(in.OwnKeys, []string{"<own@x>", "s:a@x.test order"}) {
		t.Errorf("members %q, own %q", in.Members, in.OwnKeys)
	}
	if in.Subject != "Re: order" || !slices.Equal(in.Headers.Cc, []string{"boss@x.test"}) || len(in.Headers.To) != 0 || in.Class != desk.ClassNormal {
		t.Errorf("%+v", in)
	}
}

func TestOurOwnMailComeBackIsALoop(t *testing.T) {
	for name, raw := range map[string]string{
		"own address":    "From: Support@shop.test\nSubject: x\n\nhi\n",
		"own token":      "From: " + replyAddress("support@shop.test", desk.NewID()) + "\nSubject: x\n\nhi\n",
		"own Message-ID": "From: relay@x.test\nMessage-ID: <" + mintID(desk.NewID(), tagOf(testChannel), "shop.test") + ">\n\nhi\n",
		"loop header":    "From: other@x.test\nX-Hearback-Loop: other@x.test\n\nhi\n",
	} {
		if in := decodeOne(t, raw); in.Class != desk.ClassLoop || !in.NoTicket {
			t.Errorf("%s: class %s", name, in.Class)
		}
	}
	sister := mintID(desk.NewID(), tagOf("another mailbox of the same domain"), "shop.test")
	if in := decodeOne(t, "From: sales@shop.test\nMessage-ID: <"+sister+">\n\nhi\n"); in.Class != desk.ClassNormal {
		t.Errorf("a sister mailbox's answer is %s", in.Class)
	}
}

func TestWhoIsAnsweredAndWhatIsShown(t *testing.T) {
	form := decodeOne(t, "From: Shop form <no-reply@forms.test>\nReply-To: Li Lei <li@x.test>\nSubject: 表单\n\n内容\n")
	if form.From.Value != "li@x.test" || form.Name != "Li Lei" {
		t.Errorf("a form's customer is %s %q", form.From.Value, form.Name)
	}
	own := decodeOne(t, "From: Support <support@shop.test>\nTo: support@shop.test\nReply-To: Han Mei <han@x.test>\nSubject: 网站留言\n\n内容\n")
	if own.From.Value != "han@x.test" || own.NoTicket || own.Class != desk.ClassNormal {
		t.Errorf("a form that writes from the mailbox itself: %s, class %s", own.From.Value, own.Class)
	}
	person := decodeOne(t, "From: li@x.test\nReply-To: list@y.test\nSubject: x\nAuthentication-Results: mx.test; spf=pass; dmarc=fail (p=none)\n\nhi\n")
	if person.From.Value != "li@x.test" || len(person.Repairs) == 0 || !strings.Contains(person.Repairs[0], "DMARC") {
		t.Errorf("%+v", person)
	}
	forward := decodeOne(t, "From: li@x.test\nSubject: Fwd: x\n\n---------- Forwarded message ---------\nFrom: b@y.test\nDate: Sat, 21 Nov 2026\nSubject: x\nTo: li@x.test\n\nthe matter\n")
	if !strings.Contains(forward.Text, "the matter") {
		t.Errorf("a bare forward shows %q", forward.Text)
	}
	nobody := decodeOne(t, "Subject: x\n\nhi\n")
	if nobody.From.Value != unknownSender {
		t.Errorf("%+v", nobody.From)
	}
}

func TestBounceInWordsOnlyIsFoundByTheReturnedHeader(t *testing.T) {
	reply := desk.NewID()
	raw := "From: PostMaster@qq.com\nTo: support@shop.test\nSubject: =?utf-8?B?57O757uf6YCA5L+h?=\nContent-Type: text/html; charset=utf-8\n\n<p>抱歉，您的邮件被退回来了</p><p>无法发送到 b@qq.com</p>" +
		"<pre>Message-ID: &lt;" + mintID(reply, tagOf(testChannel), "shop.test") + "&gt;</pre>\n"
	in, err := Decode(envelopeOf([]byte(strings.ReplaceAll(raw, "\n", "\r\n"))))
	if err != nil || len(in) != 2 || in[0].Receipt == nil || in[0].Receipt.ExternalIDs[0] != reply || in[0].Receipt.State != desk.DeliveryFailed || in[0].Receipt.Hint == "" {
		t.Fatalf("%v %+v", err, in)
	}
	if in[1].Class != desk.ClassBounce || !in[1].NoTicket || in[1].ThreadKeys[in[1].Proven-1] != reply {
		t.Errorf("the notice %+v", in[1])
	}
}

func TestSettingsThatDoNotFitAreNamed(t *testing.T) {
	good := func(change ...string) map[string]string {
		m := map[string]string{"address": "a@b.test", "provider": "qq", "imap_password": "x"}
		for i := 0; i+1 < len(change); i += 2 {
			m[change[i]] = change[i+1]
		}
		return m
	}
	for _, c := range []struct {
		set  map[string]string
		want string
	}{
		{good(), ""},
		{good("provider", "own"), "imap_host smtp_host"},
		{good("imap_password", ""), "imap_password"},
		{good("provider", "microsoft365"), "auth"},
		{good("provider", "gmail", "auth", "xoauth2", "imap_password", ""), "oauth_client_id"},
		{good("auth", "xoauth2", "oauth_client_id", "i"), "oauth_token_url"},
		{good("smtp_port", "70000"), "smtp_port"},
		{good("tls_ca", "no certificate"), "tls_ca"},
	} {
		var got []string
		for _, p := range check(c.set) {
			got = append(got, p.Field)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%v: problems with %v, want %s", c.set, got, c.want)
		}
	}
}

func TestPresetsFillWhatIsLeftEmpty(t *testing.T) {
	for _, name := range providers[1:] {
		s, err := parse(map[string]string{"address": "A@B.test", "provider": name, "imap_password": "x"})
		if err != nil || s.imap.port != 993 || s.imap.security != securityTLS || s.smtp.host == "" || s.smtp.port == 0 || s.smtp.user != "a@b.test" || s.smtp.password != "x" {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
	s, _ := parse(map[string]string{"address": "a@b.test", "provider": "qq", "imap_host": "own.test", "imap_port": "143", "imap_security": "starttls"})
	if s.imap.dialAddress() != "own.test:143" || s.imap.security != securityStartTLS || s.plus {
		t.Errorf("%+v", s.imap)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("From: a@x.test\r\nSubject: =?gb2312?B?xOO6ww==?=\r\n\r\nhi\r\n"))
	f.Add([]byte("From: MAILER-DAEMON@x\r\nContent-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nAction: failed\r\n--b--"))
	f.Add([]byte("To: support+hb-0190a0000000700080000000000000ff@shop.test\r\nReferences: <hb.0190a0000000700080000000000000ff.00000000@x>\r\n\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		in, err := Decode(envelopeOf(raw))
		if err != nil || len(in) == 0 {
			t.Fatalf("no visible outcome: %v", err)
		}
		for _, i := range in {
			if i.From.Value == "" || i.Type == desk.EnvelopeMessage && len(i.ThreadKeys) == 0 {
				t.Errorf("%+v", i)
			}
		}
		var s scanner
		for len(raw) > 0 {
			n := min(7, len(raw))
			s.Write(raw[:n])
			raw = raw[n:]
		}
		sender, external := s.identify(entry{}, []string{"support@shop.test"})
		if external == "" || sender != in[len(in)-1].From.Value {
			t.Errorf("waits as %q, %q, written by %q", sender, external, in[len(in)-1].From.Value)
		}
	})
}

func TestOnlyPeopleAreAcknowledgedInTheirLanguage(t *testing.T) {
	ch := desk.Channel{Settings: map[string]string{}}
	ask := func(raw string) string { return acknowledge(ch, decodeOne(t, raw), "GD20261121-0007") }
	if got := ask("From: li@x.test\nSubject: x\n\n我要退款\n"); !strings.Contains(got, "GD20261121-0007") || !han.MatchString(got) {
		t.Errorf("told %q", got)
	}
	if got := ask("From: bob@x.test\nSubject: x\n\nrefund please\n"); !strings.Contains(got, "GD20261121-0007") || han.MatchString(got) {
		t.Errorf("told %q", got)
	}
	for _, raw := range []string{
		"From: li@x.test\nAuto-Submitted: auto-generated\n\nhi\n", "From: li@x.test\nList-Id: <l.x.test>\nPrecedence: list\n\nhi\n",
		"From: no-reply@x.test\n\nhi\n", "From: support@shop.test\n\nhi\n", "Subject: nobody\n\nhi\n", "From: MAILER-DAEMON@x.test\nSubject: Undeliverable\n\nhi\n",
	} {
		if got := ask(raw); got != "" {
			t.Errorf("%q is answered", raw)
		}
	}
	ch.Settings["acknowledge_text"] = "Nr. {number} {{number}}"
	if got := ask("From: li@x.test\n\nhi\n"); got != "Nr. GD20261121-0007 GD20261121-0007" {
		t.Error(got)
	}
	ch.Settings["acknowledge"] = "off"
	if got := ask("From: li@x.test\n\nhi\n"); got != "" {
		t.Error(got)
	}
}
