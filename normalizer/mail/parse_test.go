package mail

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"
	"runtime"
	"syscall"
)

func gbk(s string) string {
	out, err := simplifiedchinese.GB18030.NewEncoder().String(s)
	if err != nil {
		panic(err)
	}
	return out
}

// crlf gives a mail the line ends of the wire.
func crlf(s string) []byte { return []byte(strings.ReplaceAll(s, "\n", "\r\n")) }

func TestPlainMailIsReadAsSent(t *testing.T) {
	t.Parallel()
	m := Parse(crlf(`Return-Path: <zhang@example.com>
From: =?utf-8?B?5byg5LiJ?= <Zhang@Example.COM>
To: "Support, EU" <support@example.com>, other@example.com
Cc: Team: a@example.com, b@example.com;
Subject: =?utf-8?Q?=E8=AE=A2=E5=8D=95?= 42
Date: Mon, 3 Mar 2025 17:21:00 +0800
Message-ID: <one@example.com>
In-Reply-To: <zero@example.com>
References: <root@example.com>
 <zero@example.com>
Content-Type: text/plain; charset=utf-8

我要退货。

-- 
张三
`), Limits{})
	if m.Subject != "订单 42" || m.MessageID != "one@example.com" || m.InReplyTo[0] != "zero@example.com" || len(m.References) != 2 {
		t.Errorf("header: %q %q %q %q", m.Subject, m.MessageID, m.InReplyTo, m.References)
	}
	if len(m.From) != 1 || m.From[0] != (Address{Name: "张三", Address: "Zhang@example.com"}) {
		t.Errorf("from: %+v", m.From)
	}
	if len(m.To) != 2 || m.To[0].Name != "Support, EU" || len(m.Cc) != 2 {
		t.Errorf("to: %+v, cc: %+v", m.To, m.Cc)
	}
	if !m.Date.Equal(time.Date(2025, 3, 3, 9, 21, 0, 0, time.UTC)) {
		t.Errorf("date: %v", m.Date)
	}
	if m.Reply != "我要退货。" || m.Signature != "-- \n张三" || m.Class != "normal" || len(m.Repairs) != 0 {
		t.Errorf("reply %q, signature %q, class %s, repairs %v", m.Reply, m.Signature, m.Class, m.Repairs)
	}
}

func TestHeadersOfChineseMailersAreRead(t *testing.T) {
	t.Parallel()
	half := base64.StdEncoding.EncodeToString([]byte("退货申请")[:7])
	rest := base64.StdEncoding.EncodeToString([]byte("退货申请")[7:])
	whole := base64.StdEncoding.EncodeToString([]byte(gbk("退货申请")))
	for name, c := range map[string]struct{ subject, want string }{
		"character cut between words": {"=?utf-8?B?" + half + "?=\n =?utf-8?B?" + rest + "?=", "退货申请"},
		"base64 cut between words":    {"=?gb2312?B?" + whole[:6] + "?= =?gb2312?B?" + whole[6:] + "?=", "退货申请"},
		"gb2312 holding GBK":          {"=?gb2312?B?" + base64.StdEncoding.EncodeToString([]byte(gbk("朱镕基"))) + "?=", "朱镕基"},
		"raw GBK":                     {gbk("回复：退货申请"), "回复：退货申请"},
		"raw UTF-8":                   {"回复：退货申请", "回复：退货申请"},
		"word with spaces":            {"=?utf-8?Q?a b?=", "a b"},
		"unknown charset":             {"=?x-nothing?Q?caf=C3=A9?=", "café"},
		"word in quotes":              {`"=?utf-8?Q?caf=C3=A9?="`, `"café"`},
		"language":                    {"=?utf-8*fr?Q?caf=C3=A9?=", "café"},
		"no word":                     {"=?utf-8?Q?", "=?utf-8?Q?"},
		"question mark in a word":     {"=?utf-8?Q?what?=3F?= x", "what?? x"},
		"two words, text between":     {"=?utf-8?Q?a?= b =?utf-8?Q?c?=", "a b c"},
		"UTF-7":                       {"=?utf-7?Q?+UXN1Xw-?=", "关畟"},
	} {
		m := Parse(crlf("From: a@example.com\nSubject: "+c.subject+"\n\nx\n"), Limits{})
		if m.Subject != c.want {
			t.Errorf("%s: %q, want %q", name, m.Subject, c.want)
		}
	}
}

func TestFileNamesAreReadHoweverWritten(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ field, want string }{
		"RFC 2231":              {"Content-Disposition: attachment; filename*=utf-8''%E5%8F%91%E7%A5%A8.pdf", "发票.pdf"},
		"RFC 2231 continued":    {"Content-Disposition: attachment; filename*0*=gb2312''%B7%A2;\n filename*1*=%C6%B1.pdf", "发票.pdf"},
		"continued, plain":      {"Content-Disposition: attachment; filename*0=\"long \"; filename*1=\"name.pdf\"", "long name.pdf"},
		"encoded word":          {"Content-Disposition: attachment; filename=\"=?utf-8?B?5Y+R56Wo?=.pdf\"", "发票.pdf"},
		"raw GBK":               {"Content-Disposition: attachment; filename=\"" + gbk("发票说明") + ".pdf\"", "发票说明.pdf"},
		"only a name parameter": {"Content-Type: application/pdf; name=\"=?gb18030?B?" + base64.StdEncoding.EncodeToString([]byte(gbk("发票"))) + "?=.pdf\"", "发票.pdf"},
		"a path":                {`Content-Disposition: attachment; filename="C:\Users\me\a.pdf"`, "a.pdf"},
		"upwards":               {"Content-Disposition: attachment; filename=\"../../etc/passwd\"", "passwd"},
		"hidden extension":      {"Content-Disposition: attachment; filename=\"a\u202efdp.exe\"", "afdp.exe"},
		"none":                  {"Content-Disposition: attachment", "attachment-1.bin"},
		"empty":                 {"Content-Disposition: attachment; filename=\"\"", "attachment-1.bin"},
		"no quotes, spaces":     {"Content-Disposition: attachment; filename=my file.pdf", "my file.pdf"},
	} {
		raw := "From: a@example.com\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b\n"
		if !strings.Contains(c.field, "Content-Type") {
			raw += "Content-Type: application/octet-stream\n"
		}
		m := Parse(crlf(raw+c.field+"\nContent-Transfer-Encoding: base64\n\naGVsbG8=\n--b--\n"), Limits{})
		if len(m.Attachments) != 1 || m.Attachments[0].Name != c.want || string(m.Attachments[0].Data) != "hello" {
			t.Errorf("%s: %+v", name, m.Attachments)
		}
	}
}

func TestBrokenMailsAreMendedAndSayHow(t *testing.T) {
	t.Parallel()
	const from = "From: a@example.com\nSubject: s\n"
	for name, c := range map[string]struct {
		raw, want string
		code      RepairCode
	}{
		"mailbox line":          {"From a@example.com Mon Mar  3 17:21:00 2025\n" + from + "\nhello", "hello", RepairMbox},
		"bare CR":               {strings.ReplaceAll(from+"\nhello", "\n", "\r"), "hello", RepairLineEnds},
		"garbage in the header": {"From: a@example.com\nthis is no field\nSubject: s\n\nhello", "hello", RepairHeaderLine},
		"no empty line":         {from + "hello\nworld", "hello\nworld", RepairSeparator},
		"unknown encoding":      {from + "Content-Transfer-Encoding: utf-8\n\nhello", "hello", RepairEncoding},
		"truncated base64":      {from + "Content-Transfer-Encoding: base64\n\naGVsbG8gd29ybG", "hello worl", RepairBase64},
		"GBK called UTF-8":      {from + "Content-Type: text/plain; charset=utf-8\n\n" + gbk("您好，我要退货"), "您好，我要退货", RepairCharset},
		"UTF-8 called GBK":      {from + "Content-Type: text/plain; charset=gbk\n\n您好，我要退货", "您好，我要退货", RepairCharset},
		"GBK called nothing":    {from + "\n" + gbk("您好，我要退货"), "您好，我要退货", RepairCharset},
		"no boundary announced": {from + "Content-Type: multipart/mixed\n\n--xyz123\nContent-Type: text/plain\n\nhello\n--xyz123--", "hello", RepairBoundary},
		"wrong boundary":        {from + "Content-Type: multipart/mixed; boundary=abc\n\n--xyz123\nContent-Type: text/plain\n\nhello\n--xyz123--", "hello", RepairBoundary},
		"never closed":          {from + "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nhello", "hello", RepairBoundary},
		"no boundary at all":    {from + "Content-Type: multipart/mixed\n\nhello", "hello", RepairBoundary},
		"unreadable date":       {from + "Date: yesterday\n\nhello", "hello", RepairDate},
		"no header":             {"\nhello", "hello", RepairNoHeader},
	} {
		m := Parse([]byte(c.raw), Limits{})
		if strings.TrimSpace(m.Text) != c.want {
			t.Errorf("%s: text %q", name, m.Text)
		}
		found := false
		for _, r := range m.Repairs {
			found = found || r.Code == c.code
		}
		if !found {
			t.Errorf("%s: repairs %v", name, m.Repairs)
		}
	}
}

func TestBodiesAndAttachmentsAreToldApart(t *testing.T) {
	t.Parallel()
	m := Parse(crlf(`From: a@example.com
Content-Type: multipart/mixed; boundary=mixed

--mixed
Content-Type: multipart/alternative; boundary=alt

--alt
Content-Type: text/plain; charset=utf-8

plain words
--alt
Content-Type: multipart/related; boundary=rel

--rel
Content-Type: text/html; charset=utf-8

<p>HTML <b>words</b> <img src="cid:pic@x"></p>
--rel
Content-Type: image/png
Content-ID: <pic@x>
Content-Transfer-Encoding: base64

iVBORw0K
--rel--
--alt
Content-Type: text/calendar; method=REQUEST; charset=utf-8

BEGIN:VCALENDAR
METHOD:REQUEST
BEGIN:VEVENT
SUMMARY:Visit\, with tea
DTSTART;TZID=Asia/Shanghai:20250303T172100
ORGANIZER:mailto:Boss@example.com
END:VEVENT
END:VCALENDAR
--alt--
--mixed
Content-Type: message/rfc822

Subject: inner mail
From: b@example.com

inner words
--mixed
Content-Type: text/plain; name=notes.txt
Content-Disposition: attachment; filename=notes.txt

notes
--mixed
Content-Type: text/plain

a footer
--mixed--
`), Limits{})
	if m.Text != "plain words\na footer" || !strings.Contains(m.HTML, "HTML <b>words</b>") || !strings.Contains(m.HTML, "a footer") {
		t.Errorf("text %q, html %q", m.Text, m.HTML)
	}
	var names []string
	for _, a := range m.Attachments {
		names = append(names, fmt.Sprintf("%s %v", a.Name, a.Inline))
	}
	if got := strings.Join(names, ", "); got != "image-1.png true, invite.ics false, inner mail.eml false, notes.txt false" {
		t.Errorf("attachments: %s", got)
	}
	if m.Calendar == nil || m.Calendar.Summary != "Visit, with tea" || m.Calendar.Zone != "ASIA/SHANGHAI" && m.Calendar.Zone != "Asia/Shanghai" || m.Calendar.Organizer != "boss@example.com" {
		t.Errorf("calendar: %+v", m.Calendar)
	}
}

func TestSignedAndEncryptedMailCarriesABadge(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ raw, signed, encrypted string }{
		"smime signed":    {"Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=b\n\n--b\n\nhi\n--b\nContent-Type: application/pkcs7-signature; name=smime.p7s\n\nx\n--b--\n", "smime", ""},
		"pgp signed":      {"Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=b\n\n--b\n\nhi\n--b\nContent-Type: application/pgp-signature\n\nx\n--b--\n", "pgp", ""},
		"smime encrypted": {"Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\nContent-Transfer-Encoding: base64\n\nAAAA\n", "", "smime"},
		"smime opaque":    {"Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\nContent-Transfer-Encoding: base64\n\nAAAA\n", "smime", ""},
		"pgp encrypted":   {"Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b\n\n--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--b\nContent-Type: application/octet-stream\n\nx\n--b--\n", "", "pgp"},
		"pgp in the text": {"\n-----BEGIN PGP MESSAGE-----\nabc\n-----END PGP MESSAGE-----\n", "", "pgp"},
	} {
		m := Parse(crlf("From: a@example.com\n"+c.raw), Limits{})
		if m.Signed != c.signed || m.Encrypted != c.encrypted {
			t.Errorf("%s: signed %q, encrypted %q", name, m.Signed, m.Encrypted)
		}
	}
}

// cost is the processor's time f takes on its thread: what else the machine does makes no difference.
func cost(f func()) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_THREAD, &u); err != nil {
			panic(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	f()
	return used() - before
}

// TestBombsAreBoundedAndVisible: what is built to exhaust us costs little and is still shown.
func TestBombsAreBoundedAndVisible(t *testing.T) {
	t.Parallel()
	nested := "From: a@example.com\n"
	for i := range 200 {
		nested += fmt.Sprintf("Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
	}
	bombs := map[string]string{
		"10,000 parts":           "From: a@example.com\nContent-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\nContent-Type: text/plain\n\nx\n", 10_000) + "--b--\n",
		"200 levels":             nested + "\nhello",
		"20 MB header":           "From: a@example.com\nX-Long: " + strings.Repeat("x", 20<<20) + "\n\nhello",
		"a million fields":       "From: a@example.com\n" + strings.Repeat("X: y\n", 1_000_000) + "\nhello",
		"words without end":      "Subject: " + strings.Repeat("=?a?q?", 150_000) + "\n\nhello",
		"parentheses":            "From: " + strings.Repeat("(", 900_000) + ")\nContent-Type: " + strings.Repeat("(", 900_000) + "\n\nhello",
		"brackets":               "From: " + strings.Repeat("<", 900_000) + "\n\nhello",
		"quotes":                 "From: " + strings.Repeat(`"\`, 400_000) + "\nContent-Type: " + strings.Repeat(`;"\`, 200_000) + "\n\nhello",
		"closing brackets":       "From: " + strings.Repeat(">x", 400_000) + "\n\nhello",
		"colons":                 "From: " + strings.Repeat("a:", 400_000) + "\n\nhello",
		"commas":                 "From: " + strings.Repeat(",", 900_000) + "\n\nhello",
		"ids":                    "References: " + strings.Repeat("<a@b>", 190_000) + "\n\nhello",
		"one line of 4 MB":       "From: a@example.com\n\n" + strings.Repeat("wrote 1:23 a@b.cd ", 230_000),
		"delimiters":             "From: a@example.com\n\n" + strings.Repeat("--\n\n", 300_000),
		"header lines":           "From: a@example.com\n\nx\n" + strings.Repeat("From: x\n", 200_000),
		"attributions":           "From: a@example.com\n\nx\n" + strings.Repeat("On 1 Jan 2025 at 10:00 x\n", 100_000),
		"tags":                   "From: a@example.com\nContent-Type: text/html\n\n" + strings.Repeat("<div class=gmail_quote><span style='border-top:solid'>", 70_000),
		"bounce of many":         "From: mailer-daemon@example.com\nSubject: failure notice\n\n" + strings.Repeat("<user@example.com>: 550 5.1.1 no\nuser2@example.com\n", 40_000),
		"entities":               "From: a@example.com\nContent-Type: text/html\n\n" + strings.Repeat("&lt;&#x4f60;", 300_000),
		"no line end in base64":  "From: a@example.com\nContent-Transfer-Encoding: base64\n\n" + strings.Repeat("aGVs", 1_000_000),
		"boundaries of boundary": "From: a@example.com\nContent-Type: multipart/mixed; boundary=\"\"\n\n" + strings.Repeat("--\n", 500_000),
	}
	for name, raw := range bombs {
		var m *Mail
		if took := cost(func() { m = Parse([]byte(raw), Limits{}) }); took > 4*time.Second {
			t.Errorf("%s took %v", name, took)
		}
		if len(m.Parts) > 1000 || len(m.Attachments) > 1000 || len(m.Text) > 4<<20 {
			t.Errorf("%s: %d parts, %d attachments, %d bytes of text", name, len(m.Parts), len(m.Attachments), len(m.Text))
		}
		if m.Text == "" && len(m.Attachments) == 0 && name != "tags" && name != "boundaries of boundary" {
			t.Errorf("%s: nothing to see", name)
		}
	}
}

func TestAddressesAreReadHoweverWritten(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ field, want string }{
		{"a@example.com", "||a@example.com"}, {"<a@example.com>", "||a@example.com"}, {"Bob <a@example.com>", "Bob||a@example.com"},
		{"a@example.com (Bob)", "|Bob|a@example.com"}, {`"Bob, Jr." <a@example.com>`, "Bob, Jr.||a@example.com"}, {"Bob, Jr. <a@example.com>", "Bob||;Jr.||a@example.com"},
		{"a@x.com; b@x.com", "||a@x.com;||b@x.com"}, {"A <a@x.com> B <b@x.com>", "A||a@x.com;B||b@x.com"}, {"undisclosed-recipients:;", ""}, {"Team: a@x.com, b@x.com;", "||a@x.com;||b@x.com"},
		{`"Bob <a@example.com>`, "Bob||a@example.com"}, {"mailto:a@x.com", "||a@x.com"}, {"<@route.com:a@x.com>", "||a@x.com"}, {"Bob a@x.com", "Bob||a@x.com"}, {"postmaster", "||postmaster"},
		{"=?utf-8?B?5byg77yM5LiJ?= <a@x.com>", "张，三||a@x.com"}, {"", ""}, {`"a@x.com" <a@x.com>`, "a@x.com||a@x.com"}, {"Bob\t <a@X.COM>", "Bob||a@x.com"},
	} {
		list, _ := parseAddresses(c.field, 10)
		var got []string
		for _, a := range list {
			got = append(got, a.Name+"|"+a.Comment+"|"+a.Address)
		}
		if s := strings.Join(got, ";"); s != c.want && !(c.want == "Bob||;Jr.||a@example.com" && s == "||Bob;Jr.||a@example.com") {
			t.Errorf("%q: %q, want %q", c.field, s, c.want)
		}
	}
}

func TestDatesAreReadHoweverWritten(t *testing.T) {
	t.Parallel()
	want := time.Date(2025, 3, 3, 9, 21, 0, 0, time.UTC)
	for _, s := range []string{
		"Mon, 3 Mar 2025 17:21:00 +0800", "3 Mar 2025 17:21:00 +0800 (CST)", "Mon, 03 Mar 2025 17:21:00 GMT+0800", "Mon, 3 Mar 2025 17:21:00 +08:00", "Mon 3 Mar 2025 17:21:00 +0800", "Mon, 3 Mar 2025 17:21 +0800",
		"Mon, 3 Mar 2025 09:21:00 GMT", "Mon, 3 Mar 2025 04:21:00 EST", "Mon, 3 Mar 2025 17:21:00 +800", "2025-03-03 17:21:00 +0800", "Mon, 03 Mar 25 17:21:00 +0800", "Mon Mar 3 09:21:00 2025", "2025-03-03T09:21:00Z", "Mon, 003 Mar 2025 09:21:00 GMT",
	} {
		if got, ok := parseDate(s); !ok || !got.Equal(want) {
			t.Errorf("%q: %v", s, got)
		}
	}
	for _, s := range []string{"", "yesterday", "Mon, 99 Foo 2025", "0000-00-00"} {
		if got, ok := parseDate(s); ok {
			t.Errorf("%q: %v", s, got)
		}
	}
}

func TestWinmailIsUnpacked(t *testing.T) {
	t.Parallel()
	attribute := func(id uint32, data string) string {
		return "\x02" + string([]byte{byte(id), byte(id >> 8), byte(id >> 16), byte(id >> 24), byte(len(data)), 0, 0, 0}) + data + "\x00\x00"
	}
	tnef := "\x78\x9f\x3e\x22\x01\x00" + attribute(tnefAttachRender, "xx") + attribute(tnefAttachTitle, "offer.pdf\x00") + attribute(tnefAttachData, "PDF") + "\x02\xff"
	m := Parse(crlf("From: a@example.com\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nhi\n--b\nContent-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n\n"+base64.StdEncoding.EncodeToString([]byte(tnef))+"\n--b--\n"), Limits{})
	if len(m.Attachments) != 1 || m.Attachments[0].Name != "offer.pdf" || string(m.Attachments[0].Data) != "PDF" {
		t.Errorf("%+v", m.Attachments)
	}
}
