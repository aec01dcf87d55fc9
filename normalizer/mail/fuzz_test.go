package mail

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// check holds what every mail must come out as, whatever went in.
func check(t *testing.T, raw []byte) {
	t.Helper()
	began := time.Now()
	m := Parse(raw, Limits{})
	if took := time.Since(began); took > 10*time.Second {
		t.Fatalf("took %v", took)
	}
	for _, s := range []string{m.Subject, m.Text, m.HTML, m.Reply, m.Quoted} {
		if !utf8.ValidString(s) || strings.ContainsAny(s, "\x00\r") {
			t.Fatalf("unclean text %q", s)
		}
	}
	if m.Class == "" || m.Kind == "" {
		t.Fatal("no class")
	}
	for _, a := range m.Attachments {
		if a.Name == "" || strings.ContainsAny(a.Name, "/\\\x00\n") {
			t.Fatalf("file name %q", a.Name)
		}
	}
	if m.Bounce != nil {
		for _, r := range m.Bounce.Recipients {
			if r.Status == "" || r.Action == "" || r.Reason == "" {
				t.Fatalf("recipient %+v", r)
			}
		}
	}
	for _, r := range m.Repairs {
		if r.Code == RepairRaw && r.Detail == "panic" {
			t.Fatal("the reader panicked")
		}
	}
}

func FuzzHeader(f *testing.F) {
	for _, s := range []string{
		"From: a@b\nSubject: =?utf-8?B?5byg?= =?gbk?Q?=D5=C5?=", "To: \"x (<a@b>, ;:,<", "Subject: \xd5\xc5\xc8\xfd", "Date: Mon, 3 Mar 2025 17:21:00 +0800\nReferences: <a@b> <", "From a\n\tx\n y:", "Content-Type: text/plain; charset*0*=utf-8''x; name*1=b;=;\"",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) { check(t, append(append([]byte(nil), b...), "\n\nhello"...)) })
}

func FuzzMIME(f *testing.F) {
	for _, c := range programs {
		f.Add([]byte("From: a@b\nContent-Type: text/html\n\n" + c))
	}
	f.Add([]byte("From: a@b\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: application/ms-tnef\nContent-Transfer-Encoding: base64\n\neJ8+IgEA\n--b\nContent-Type: text/calendar\n\nBEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:1\n--b--"))
	f.Add([]byte("Content-Type: multipart/alternative\n\n--x12345\nContent-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\n=E4=BD=A0=\n=\n--x12345"))
	f.Add([]byte("Content-Transfer-Encoding: x-uuencode\n\nbegin 644 a\n#86)C\n`\nend\n"))
	f.Fuzz(func(t *testing.T, b []byte) { check(t, b) })
}

func FuzzCharset(f *testing.F) {
	for _, label := range []string{"utf-8", "gb2312", "big5", "iso-2022-jp", "utf-7", "hz-gb-2312", "utf-16", "shift_jis", "nothing", ""} {
		f.Add(label, []byte("\xd5\xc5\xc8\xfd +UXM- ~{VP~} \x1b$B$3\x1b(B"))
	}
	f.Fuzz(func(t *testing.T, label string, b []byte) {
		text, _ := decodeCharset(b, label)
		if !utf8.ValidString(clean(text)) {
			t.Fatalf("%q", text)
		}
		decodeWords("=?" + label + "?Q?" + string(b) + "?=")
	})
}

func FuzzQuote(f *testing.F) {
	for _, a := range attributions {
		f.Add("new\n\n" + a + "\n> old")
	}
	for _, h := range headers {
		f.Add("new\n\n" + h + "\n\nold")
	}
	f.Fuzz(func(t *testing.T, s string) {
		p := Split(s)
		var all strings.Builder
		for _, segment := range p.Segments {
			all.WriteString(segment.Text)
		}
		if strings.TrimSuffix(all.String(), "\n") != clean(s) {
			t.Fatalf("segments make %q of %q", all.String(), s)
		}
		h := SplitHTML(s)
		if len(h.ReplyHTML)+len(h.QuotedHTML) != len(s) {
			t.Fatalf("%d and %d of %d bytes", len(h.ReplyHTML), len(h.QuotedHTML), len(s))
		}
	})
}

func FuzzBounce(f *testing.F) {
	f.Add("failed", "5.1.1", "550 no", "<a@b.c>: 550 5.1.1 x")
	f.Add("delayed", "", "", "{\"notificationType\":\"Bounce\",\"bounce\":{\"bouncedRecipients\":[{\"emailAddress\":\"a@b\"}]}}")
	f.Fuzz(func(t *testing.T, action, status, diagnostic, notice string) {
		check(t, []byte(strings.NewReplacer("ACTION", action, "STATUS", status, "DIAGNOSTIC", diagnostic).Replace(dsn)))
		check(t, []byte("From: mailer-daemon@b\nSubject: failure notice\n\n"+notice))
	})
}
