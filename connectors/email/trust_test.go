package email

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"hearback/desk"
)

// received decodes a mail that a mailbox with such settings has received.
func received(t testing.TB, raw string, meta ...string) desk.Inbound {
	t.Helper()
	e := envelopeOf([]byte(strings.ReplaceAll(raw, "\n", "\r\n")))
	for i := 0; i+1 < len(meta); i += 2 {
		e.Meta[meta[i]] = meta[i+1]
	}
	in, err := Decode(e)
	if err != nil || len(in) == 0 {
		t.Fatal(err)
	}
	return in[len(in)-1]
}

func verdicts(in desk.Inbound) string {
	var out []string
	for _, c := range in.Headers.Checks {
		out = append(out, c.Name+"="+c.Result)
	}
	return strings.Join(append(out, in.Headers.Badges...), " ")
}

func TestOnlyTheReceivingServerIsBelievedAboutAMailsOrigin(t *testing.T) {
	const (
		google    = "Authentication-Results: mx.google.com;\n       dkim=pass header.i=@x.test header.s=s1 header.b=abc;\n       spf=pass (google.com: domain of a@x.test designates 1.2.3.4 as permitted sender) smtp.mailfrom=a@x.test;\n       dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=x.test\n"
		failing   = "Authentication-Results: mx.google.com; spf=softfail (google.com: transitioning) smtp.mailfrom=a@y.test; dmarc=fail (p=NONE dis=NONE) header.from=x.test\n"
		qq        = "Authentication-Results: mx.qq.com; spf=none smtp.mailfrom=<a@x.test>;\n\t dkim=none; dmarc=none(permerror) header.from=x.test\n"
		exchange  = "Authentication-Results: spf=pass (sender IP is 104.47.126.237)\n smtp.mailfrom=x.test; dkim=pass (signature was verified)\n header.d=x.test;dmarc=pass action=none header.from=x.test;compauth=pass reason=100\n"
		body      = "From: a@x.test\nTo: support@shop.test\nSubject: hi\n\nhello\n"
		hop       = "Received: from mail.x.test by mx.google.com; Sat, 21 Nov 2026 10:00:00 +0000\n"
		otherHop  = "Received: from a by b; Sat, 21 Nov 2026 10:00:00 +0000\n"
		ownFirst  = "Authentication-Results: mx.shop.test; spf=pass smtp.mailfrom=x.test\n"
		ownSecond = "Authentication-Results: mx.shop.test; dmarc=fail header.from=x.test\n"
	)
	for _, c := range []struct{ name, raw, receivers, told, want string }{
		{"Gmail", hop + google + otherHop + body, "mx.google.com", "", "dkim=pass spf=pass dmarc=pass"},
		{"failed", hop + failing + otherHop + body, "mx.google.com", "", "spf=softfail dmarc=fail spoofed"},
		{"QQ", hop + qq + otherHop + body, "mx.qq.com", "", "spf=none dkim=none dmarc=none"},
		{"Exchange Online names nobody", exchange + hop + body, "-", "", "spf=pass dkim=pass dmarc=pass"},
		{"forged below the real one", hop + failing + google + body, "mx.google.com", "", "spf=softfail dmarc=fail spoofed"},
		{"forged, and the receiver said less", hop + strings.Replace(failing, "dmarc=fail", "x=fail", 1) + google + body, "mx.google.com", "", "spf=softfail"},
		{"forged under another name", "Authentication-Results: mx.evil.test; dmarc=pass header.from=x.test\n" + body, "mx.google.com", "", ""},
		{"nobody is trusted", google + body, "", "", ""},
		{"nobody is trusted, and it failed", failing + body, "", "", "spoofed"},
		{"several filters of the admin's server", ownFirst + "Received-SPF: pass\n" + ownSecond + hop + body, "mx.shop.test", "1", "spf=pass dmarc=fail spoofed"},
		{"below another hop", ownFirst + hop + ownSecond + body, "mx.shop.test", "1", "spf=pass"},
		{"name with case and version", "Authentication-Results: MX.Shop.test 1; dmarc=pass header.from=x.test\n" + body, "mx.shop.test", "1", "dmarc=pass"},
		{"broken", "Authentication-Results: mx.shop.test; ;;; dmarc=; spf=(((; dkim==pass\n" + body, "mx.shop.test", "1", ""},
	} {
		in := received(t, c.raw, "receivers", c.receivers, "receivers_told", c.told)
		if got := verdicts(in); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if spoofed := strings.Contains(c.want, "spoofed"); spoofed != strings.Contains(strings.Join(in.Repairs, " "), "DMARC") {
			t.Errorf("%s: the agent is told %q", c.name, in.Repairs)
		}
	}
	in := received(t, hop+google+body, "receivers", "mx.google.com")
	if d := in.Headers.Checks[0].Detail + " " + in.Headers.Checks[1].Detail + " " + in.Headers.Checks[2].Detail; !strings.Contains(d, "header.i=@x.test") || !strings.Contains(d, "smtp.mailfrom=a@x.test") || !strings.Contains(d, "header.from=x.test") {
		t.Errorf("details %q", d)
	}
}

func TestPresetsNameTheReceiver(t *testing.T) {
	for name, want := range map[string]string{"gmail": "mx.google.com", "qq": "mx.qq.com", "exmail": "mx.qq.com", "zoho": "mx.zohomail.com", "microsoft365": noName, "own": "", "163": ""} {
		s, err := parse(map[string]string{"provider": name, "address": "a@b.test", "imap_host": "x", "smtp_host": "x", "imap_password": "x"})
		if err != nil || strings.Join(s.receivers, ",") != want || s.receiversTold {
			t.Errorf("%s: %v, %v", name, s.receivers, err)
		}
	}
	s, _ := parse(map[string]string{"provider": "gmail", "address": "a@b.test", "trusted_authserv": "MX.shop.test, b"})
	if !slices.Equal(s.receivers, []string{"mx.shop.test", "b"}) || !s.receiversTold {
		t.Errorf("%v", s.receivers)
	}
}

func TestAnswersGoWhereTheWriterWantsWhenHisOriginIsProven(t *testing.T) {
	passed := "Authentication-Results: mx.shop.test; dmarc=pass header.from=x.test\n"
	signed := "Authentication-Results: mx.shop.test; dkim=pass header.d=mail.x.test\n"
	failed := "Authentication-Results: mx.shop.test; dmarc=fail header.from=x.test\n"
	for _, c := range []struct {
		name, head, want string
		told             bool
	}{
		{"proven", passed + "From: li@x.test\nReply-To: Li <Li@y.test>\n", "li@y.test", false},
		{"signed by a machine of the same organisation", signed + "From: li@x.test\nReply-To: li@y.test\n", "li@y.test", false},
		{"not proven", "From: li@x.test\nReply-To: li@y.test\n", "", true},
		{"failed", failed + "From: li@x.test\nReply-To: evil@y.test\n", "", true},
		{"failed, same organisation", failed + "From: li@x.test\nReply-To: evil@x.test\n", "", true},
		{"same organisation", "From: li@mail.x.test\nReply-To: desk@x.test\n", "desk@x.test", false},
		{"same public provider", "From: victim@gmail.com\nReply-To: v1ctim@gmail.com\n", "", true},
		{"itself", passed + "From: li@x.test\nReply-To: Li@x.test\n", "", false},
		{"several", passed + "From: li@x.test\nReply-To: a@x.test, b@x.test\n", "", false},
		{"ours", passed + "From: li@x.test\nReply-To: support@shop.test\n", "", false},
		{"a machine", passed + "From: li@x.test\nReply-To: no-reply@x.test\n", "", false},
		{"line break", passed + "From: li@x.test\nReply-To: =?utf-8?Q?a=0D=0ABcc:_e@y.test?=\n", "", false},
	} {
		in := received(t, c.head+"To: support@shop.test\nSubject: hi\n\nhello\n", "receivers", "mx.shop.test", "receivers_told", "1")
		if in.Headers.ReplyTo != c.want || !strings.HasPrefix(in.From.Value, "li@") && in.From.Value != "victim@gmail.com" {
			t.Errorf("%s: answers go to %q, the customer is %s", c.name, in.Headers.ReplyTo, in.From.Value)
		}
		if told := strings.Contains(strings.Join(in.Repairs, " "), "asks for answers"); told != c.told {
			t.Errorf("%s: the agent is told %q", c.name, in.Repairs)
		}
		if slices.Contains(in.Members, "evil@y.test") || slices.Contains(in.Members, "li@y.test") != (c.want == "li@y.test") {
			t.Errorf("%s: members %v", c.name, in.Members)
		}
	}
}

func TestOnlyAnAddressTheReceiverProvedIsVerified(t *testing.T) {
	passed := "Authentication-Results: mx.shop.test; dmarc=pass header.from=x.test\n"
	for head, want := range map[string]bool{
		passed + "From: li@x.test\n": true,
		"From: li@x.test\n":          false,
		"Authentication-Results: mx.shop.test; dmarc=fail header.from=x.test\nFrom: li@x.test\n":    false,
		"Authentication-Results: mx.evil.test; dmarc=pass header.from=x.test\nFrom: li@x.test\n":    false,
		passed + "From: no-reply@x.test\nReply-To: li@y.test\n":                                     false, // the form's mail is proven, who filled it in is not
		"Authentication-Results: mx.shop.test; dkim=pass header.d=evil.test\nFrom: li@x.test\n":     false,
		"Authentication-Results: mx.shop.test; dkim=pass header.d=mail.x.test\nFrom: li@x.test\n\n": true,
	} {
		in := received(t, head+"To: support@shop.test\nSubject: hi\n\nhello\n", "receivers", "mx.shop.test", "receivers_told", "1")
		if in.From.Verified != want {
			t.Errorf("%q: %s is verified: %v", head, in.From.Value, in.From.Verified)
		}
	}
}

func TestHeadsShowEverybodyButUs(t *testing.T) {
	in := received(t, "From: =?utf-8?B?5p2O6Zu3?= <Li@x.test>\nTo: Support <support@shop.test>, Han Mei <han@y.test>, sales@shop.test\nCc: support+hb-0190a0000000700080000000000000ff@shop.test, \"Boss, The\" <boss@x.test>, han@y.test, <bad address>, li@x.test\nSubject: =?utf-8?B?6YCA5qy+?= [#GD20261121-0007]\nMessage-ID: <1@x.test>\nDate: Sat, 21 Nov 2026 10:00:00 +0000\nContent-Type: text/calendar\n\nBEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:meet\nDTSTART:20261122T100000Z\nEND:VEVENT\nEND:VCALENDAR\n",
		"aliases", "sales@shop.test", "reopen_days", "14")
	h := in.Headers
	if h.From != "李雷 <li@x.test>" || !slices.Equal(h.To, []string{"Han Mei <han@y.test>"}) || !slices.Equal(h.Cc, []string{"Boss, The <boss@x.test>"}) || h.Subject != "退款" || !slices.Contains(h.Badges, "invitation") {
		t.Errorf("%+v", h)
	}
	if in.FreshAfter.Hours() != 14*24 {
		t.Errorf("fresh after %v", in.FreshAfter)
	}
	copied := received(t, "Received: by another way\nFrom: Li <li@x.test>\nTo: Support <support@shop.test>\nSubject: =?utf-8?B?6YCA5qy+?=\nMessage-ID: <1@x.test>\nDate: Sat, 21 Nov 2026 10:00:00 +0000\n\nx\n")
	if len(in.SameAs) != 1 || !slices.Equal(in.SameAs, copied.SameAs) || !strings.HasPrefix(in.SameAs[0], "mid:1@x.test ") {
		t.Errorf("%v and %v", in.SameAs, copied.SameAs)
	}
	reused := received(t, "From: Li <li@x.test>\nSubject: other\nMessage-ID: <1@x.test>\nDate: Sun, 22 Nov 2026 10:00:00 +0000\n\nx\n")
	if slices.Equal(reused.SameAs, in.SameAs) {
		t.Error("a Message-ID used twice joins what has nothing in common")
	}
	if loop := received(t, "From: sales@shop.test\n\nx\n", "aliases", "sales@shop.test"); loop.Class != desk.ClassLoop {
		t.Errorf("mail from our other address is %s", loop.Class)
	}
}

func TestAgentsMayWriteToAnybodyButUs(t *testing.T) {
	ch := desk.Channel{Settings: map[string]string{"address": "Support@shop.test", "aliases": "sales@shop.test"}}
	for value, want := range map[string]string{"Anna@X.test": "anna@x.test", " anna@x.test": "anna@x.test", "support@shop.test": "", "sales@SHOP.test": "", "support+x@shop.test": "support+x@shop.test",
		"no address": "", "a@b\r\nBcc: c@d": "", "": "", unknownSender: ""} {
		sender, ok := reach(ch, desk.Identity{Type: "email", Value: value})
		if ok != (want != "") || ok && sender != want {
			t.Errorf("%q: %q, %v", value, sender, ok)
		}
	}
	if _, ok := reach(ch, desk.Identity{Type: "phone", Value: "+8613800000000"}); ok {
		t.Error("a telephone got mail")
	}
}

func FuzzResults(f *testing.F) {
	f.Add("mx.google.com; spf=pass (x (y)) smtp.mailfrom=a@b; dmarc=fail")
	f.Add("spf=pass (a)\n smtp.mailfrom=x;dkim=pass header.d=\"x;y\"")
	f.Fuzz(func(t *testing.T, value string) {
		_, results := parseResults(value)
		for _, r := range results {
			if c := checkOf(r); strings.ContainsAny(c.Detail, "\r\n") {
				t.Errorf("%+v", c)
			}
			provenDomain(r)
		}
		in := received(t, fmt.Sprintf("Authentication-Results: %s\nFrom: a@b.test\nReply-To: %s\n\nx\n", strings.ReplaceAll(value, "\n", " "), strings.ReplaceAll(value, "\n", " ")), "receivers", "-,mx.google.com")
		if strings.ContainsAny(in.Headers.ReplyTo, "\r\n <>,") {
			t.Errorf("answers go to %q", in.Headers.ReplyTo)
		}
	})
}
