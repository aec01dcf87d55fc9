package email_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"hearback/connectors"
	"hearback/connectors/connectortest"
	"hearback/connectors/email"
	"hearback/connectors/email/mailtest"
	"hearback/desk"
	"hearback/normalizer/mail"
)

// sender opens a mailbox that only sends.
func sender(t testing.TB, s *mailtest.SMTP, more ...string) (*connectortest.House, connectors.Connector, desk.Channel) {
	house := connectortest.NewHouse(t)
	set := map[string]string{"address": "support@shop.test", "name": "小店客服", "imap_host": "127.0.0.1", "imap_port": "1", "imap_password": mailtest.Password,
		"smtp_host": "127.0.0.1", "smtp_port": fmt.Sprint(s.Port), "smtp_security": "none", "sent_copy": "off", "rate_per_minute": "0", "plus_address": "on"}
	for i := 0; i+1 < len(more); i += 2 {
		set[more[i]] = more[i+1]
	}
	ch := desk.Channel{ID: desk.NewID(), Kind: "email", Settings: connectortest.Settings(email.Kind, set)}
	conn, err := email.Kind.Open(context.Background(), ch, house.Tools(ch))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return house, conn, ch
}

func outbound() desk.Outbound {
	return desk.Outbound{DeliveryID: desk.NewID(), MessageID: desk.NewID(), TicketID: desk.NewID(), Number: "GD20261121-0007", Sender: "anna@shop.test",
		To: desk.Identity{Type: "email", Value: "anna@shop.test"}, ToName: "安娜", Subject: "退款", Text: "您好", ExternalID: desk.NewID(),
		InReplyTo: []string{"m1@shop.test 0123456789abcdef"}, Author: desk.Author{Kind: "agent", Name: "王芳"}, Attempt: 1, CreatedAt: desk.At(time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC))}
}

func TestEachAnswerOfTheServerHasItsClass(t *testing.T) {
	s := mailtest.StartSMTP(t, nil)
	house, conn, ch := sender(t, s)
	for _, c := range []struct {
		stage string
		code  int
		want  connectors.Class
	}{
		{"AUTH", 535, connectors.Credentials},
		{"AUTH", 454, connectors.Transient},
		{"MAIL", 550, connectors.Credentials},
		{"MAIL", 451, connectors.Transient},
		{"MAIL", 552, connectors.Permanent},
		{"RCPT", 550, connectors.Permanent},
		{"RCPT", 450, connectors.Transient},
		{"DATA", 554, connectors.Permanent},
		{"DATA", 452, connectors.Transient},
	} {
		t.Run(fmt.Sprint(c.stage, c.code), func(t *testing.T) {
			s.Set(c.stage, c.code, "the reason in words")
			defer s.Set(c.stage, 0, "")
			_, err := conn.Send(context.Background(), outbound())
			got := connectors.AsSendError(err)
			if err == nil || got.Class != c.want || !strings.HasPrefix(got.Code, fmt.Sprint(c.code)) || got.Hint == "" {
				t.Errorf("class %s, code %q: %v", got.Class, got.Code, err)
			}
			if c.want == connectors.Permanent && !strings.Contains(got.Hint, "the reason in words") {
				t.Errorf("the agent is not told the server's words: %q", got.Hint)
			}
			house.CheckSecrets(email.Kind, ch, fmt.Sprint(err))
		})
	}
	if n := len(s.Mails()); n != 0 {
		t.Errorf("%d mails went out", n)
	}
}

func TestAnswerLostAfterTheLastByteIsUncertainAndResentUnderTheSameID(t *testing.T) {
	s := mailtest.StartSMTP(t, nil)
	_, conn, _ := sender(t, s)
	s.Cut(true)
	out := outbound()
	_, err := conn.Send(context.Background(), out)
	if got := connectors.AsSendError(err); got.Class != connectors.Uncertain || !conn.Capabilities().Resendable {
		t.Fatalf("class %s: %v", got.Class, err)
	}
	s.Cut(false)
	out.Attempt = 2
	if _, err := conn.Send(context.Background(), out); err != nil {
		t.Fatal(err)
	}
	got := s.Mails()
	if len(got) != 2 || got[0] != got[1] {
		t.Errorf("the second try is another mail:\n%s\n%s", got[0], got[1])
	}
}

func TestServerThatIsAwayOrRefusesTLSIsTransient(t *testing.T) {
	s := mailtest.StartSMTP(t, nil)
	for _, more := range [][]string{{"smtp_port", fmt.Sprint(mailtest.FreePort(t))}, {"smtp_security", "tls"}, {"smtp_security", "starttls"}} {
		_, conn, _ := sender(t, s, more...)
		_, err := conn.Send(context.Background(), outbound())
		if got := connectors.AsSendError(err); err == nil || got.Class != connectors.Transient || got.Hint == "" {
			t.Errorf("%v: class %s: %v", more, got.Class, err)
		}
	}
}

func TestRateOfTheMailboxIsHeld(t *testing.T) {
	s := mailtest.StartSMTP(t, nil)
	house, conn, _ := sender(t, s, "rate_per_minute", "3")
	if _, err := conn.Send(context.Background(), outbound()); err != nil {
		t.Fatal(err)
	}
	_, err := conn.Send(context.Background(), outbound())
	got := connectors.AsSendError(err)
	if err == nil || got.Class != connectors.Throttled || got.After <= 0 {
		t.Fatalf("%v", err)
	}
	house.Clock.Advance(got.After)
	if _, err := conn.Send(context.Background(), outbound()); err != nil {
		t.Error(err)
	}
}

func TestAttachmentsAndLongTextArriveAsTheyWere(t *testing.T) {
	s := mailtest.StartSMTP(t, nil)
	house, conn, _ := sender(t, s)
	file := strings.Repeat("\x00\xffbinary\r\n.\r\n", 20000)
	blob, _ := house.Blobs.Put(context.Background(), strings.NewReader(file), 0)
	out := outbound()
	out.Text = strings.Repeat("很长的一行没有换行", 500) + "\n.\n..点\nFrom me\n"
	out.HTML = `<p onclick="x()">很长 <b>粗</b><script>alert(1)</script></p>`
	out.Attachments = []desk.Attachment{{Name: "发票\r\nBcc: evil@x.test \"1\".pdf", Type: "application/pdf", Blob: blob.Key, Size: blob.Size},
		{Name: "pic.png", Type: "image/png", Blob: blob.Key, Inline: true, ContentID: "pic1"}}
	out.Quote = &desk.Quote{Author: "安娜", Text: "旧消息\n第二行", At: out.CreatedAt}
	if _, err := conn.Send(context.Background(), out); err != nil {
		t.Fatal(err)
	}
	raw := s.Mails()[0]
	m := mail.Parse([]byte(raw), mail.Limits{})
	if !strings.HasPrefix(m.Text, out.Text) || !strings.Contains(m.Quoted, "> 旧消息") || strings.Contains(m.HTML, "script") || strings.Contains(m.HTML, "onclick") {
		t.Errorf("text %.200q quoted %q html %.300q", m.Text, m.Quoted, m.HTML)
	}
	if len(m.Attachments) != 2 || string(m.Attachments[0].Data) != file || string(m.Attachments[1].Data) != file || m.Attachments[1].ContentID != "pic1" ||
		!strings.HasPrefix(m.Attachments[0].Name, "发票") || len(m.Repairs) != 0 {
		t.Errorf("%d attachments, repairs %v", len(m.Attachments), m.Repairs)
	}
	for line := range strings.SplitSeq(raw, "\r\n") {
		if len(line) > 998 {
			t.Errorf("a line of %d bytes (RFC 5322, 2.1.1)", len(line))
		}
		if strings.HasPrefix(line, "Bcc") {
			t.Error("a file name became a header")
		}
	}
}

func TestLineBreaksInWhatPeopleGiveBecomeNoHeaders(t *testing.T) {
	s := mailtest.StartSMTP(t, nil)
	_, conn, _ := sender(t, s, "name", "Shop")
	out := outbound()
	out.Subject = "hi\r\nBcc: evil@x.test\r\n\r\nbody"
	out.ToName = "Anna\r\nBcc: evil@x.test"
	out.InReplyTo = []string{"a@b>\r\nX-Evil: 1\r\n 0123"}
	out.Automatic = true
	if _, err := conn.Send(context.Background(), out); err != nil {
		t.Fatal(err)
	}
	raw := s.Mails()[0]
	if mailtest.HeaderOf(raw, "Bcc") != "" || mailtest.HeaderOf(raw, "X-Evil") != "" || mailtest.HeaderOf(raw, "Auto-Submitted") != "auto-replied" || mailtest.HeaderOf(raw, "X-Hearback-Loop") == "" {
		t.Errorf("%s", raw)
	}
	for _, to := range []string{"anna@shop.test\r\nRCPT TO:<evil@x.test>", "a@b, c@d", "<a@b>", "", "no-at", "a b@c.test", "unknown-sender@invalid"} {
		out.To.Value = to
		_, err := conn.Send(context.Background(), out)
		if got := connectors.AsSendError(err); err == nil || got.Class != connectors.Permanent || got.Hint == "" {
			t.Errorf("%q: %v", to, err)
		}
	}
}

func TestAccessTokenIsFetchedOnceRenewedAndItsRevocationNamed(t *testing.T) {
	calls, revoked := 0, false
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		if revoked {
			w.WriteHeader(400)
			json.NewEncoder(w).Encode(map[string]string{"error": "invalid_grant", "error_description": "revoked"})
			return
		}
		if r.FormValue("refresh_token") != "refresh-secret" || r.FormValue("grant_type") != "refresh_token" {
			w.WriteHeader(400)
			return
		}
		json.NewEncoder(w).Encode(map[string]any{"access_token": fmt.Sprint("access-token-", calls), "expires_in": 3600})
	}))
	defer provider.Close()
	s := mailtest.StartSMTP(t, nil)
	s.Token("access-token-1")
	house, conn, ch := sender(t, s, "auth", "xoauth2", "oauth_client_id", "id", "oauth_refresh_token", "refresh-secret", "oauth_token_url", provider.URL)
	send := func() *connectors.SendError {
		_, err := conn.Send(context.Background(), outbound())
		house.CheckSecrets(email.Kind, ch, fmt.Sprint(err))
		if err == nil {
			return nil
		}
		return connectors.AsSendError(err)
	}
	for range 3 {
		if err := send(); err != nil || calls != 1 {
			t.Fatalf("%d tokens, %v", calls, err)
		}
	}
	s.Token("access-token-2") // the first was taken back before its time
	if err := send(); err != nil || calls != 2 {
		t.Fatalf("%d tokens, %v", calls, err)
	}
	s.Token("none")
	if err := send(); err == nil || err.Class != connectors.Credentials || !strings.HasPrefix(err.Code, "535") || !strings.Contains(err.Hint, "OAuth") {
		t.Errorf("refused: %v", err)
	}
	revoked = true
	house.Clock.Advance(2 * time.Hour)
	if err := send(); err == nil || err.Class != connectors.Credentials || err.Code != "invalid_grant" || err.Hint == "" {
		t.Errorf("revoked: %v", err)
	}
}

func TestSignatureIsTakenByAVerifier(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := x509.MarshalPKCS8PrivateKey(key)
	public, _ := x509.MarshalPKIXPublicKey(&key.PublicKey)
	s := mailtest.StartSMTP(t, nil)
	_, conn, _ := sender(t, s, "dkim_selector", "hb", "dkim_key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})))
	if _, err := conn.Send(context.Background(), outbound()); err != nil {
		t.Fatal(err)
	}
	mail := s.Mails()[0]
	verify := func(mail string) error {
		found, err := dkim.VerifyWithOptions(strings.NewReader(mail), &dkim.VerifyOptions{LookupTXT: func(name string) ([]string, error) {
			if name != "hb._domainkey.shop.test" {
				t.Errorf("asked for %s", name)
			}
			return []string{"v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(public)}, nil
		}})
		if err != nil || len(found) != 1 {
			return fmt.Errorf("%d signatures: %w", len(found), err)
		}
		return found[0].Err
	}
	if err := verify(mail); err != nil {
		t.Errorf("refused: %v\n%s", err, mail)
	}
	if verify(strings.Replace(mail, "Subject: ", "Subject: x", 1)) == nil || verify("Cc: evil@x.test\r\n"+mail) == nil {
		t.Error("a changed mail passes")
	}
}

func TestSignatureOfThePersonStandsBelowHisReply(t *testing.T) {
	s := mailtest.StartSMTP(t, nil)
	_, conn, _ := sender(t, s, "signature", "{agent}\n小店客服 <support@shop.test>")
	out := outbound()
	if _, err := conn.Send(context.Background(), out); err != nil {
		t.Fatal(err)
	}
	out.Automatic = true
	if _, err := conn.Send(context.Background(), out); err != nil {
		t.Fatal(err)
	}
	signed, plain := mail.Parse([]byte(s.Mails()[0]), mail.Limits{}), mail.Parse([]byte(s.Mails()[1]), mail.Limits{})
	if signed.Text != "您好\n\n-- \n王芳\n小店客服 <support@shop.test>\n" || signed.Reply != "您好" || !strings.Contains(signed.HTML, "王芳<br>") || !strings.Contains(signed.HTML, "&lt;support@") {
		t.Errorf("text %q, reply %q, html %q", signed.Text, signed.Reply, signed.HTML)
	}
	if strings.Contains(plain.Text, "-- ") {
		t.Error("an automatic message is signed")
	}
}
