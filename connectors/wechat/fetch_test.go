package wechat_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"hearback/connectors"
	"hearback/connectors/connectortest"
	"hearback/connectors/wechat"
	"hearback/connectors/wechat/tencent"
)

// fetch brings the n-th file of the first message.
func (s *stage) fetch(n int) (string, string, error) {
	ref := s.decoded(0).Attachments[n].Ref
	body, typ, err := s.Conn.(connectors.Fetcher).Fetch(context.Background(), ref)
	if err != nil {
		return "", "", err
	}
	defer body.Close()
	raw, err := io.ReadAll(body)
	return string(raw), typ, err
}

func TestWhatCustomersSendIsFetched(t *testing.T) {
	for _, kind := range []tencent.Kind{tencent.Official, tencent.MiniProgram, tencent.KF} {
		for _, c := range []struct {
			name, typ string
			content   []byte
			send      func(*tencent.Customer) (string, error)
		}{
			{"picture", "image/png", tencent.PNG, func(p *tencent.Customer) (string, error) {
				return p.SendImage(context.Background(), "a.png", tencent.PNG)
			}},
			{"voice", "audio/amr", tencent.AMR, func(p *tencent.Customer) (string, error) { return p.SendVoice(context.Background(), tencent.AMR, "") }},
			{"film", "video/mp4", tencent.MP4, func(p *tencent.Customer) (string, error) {
				return p.SendVideo(context.Background(), tencent.MP4, tencent.PNG, false)
			}},
		} {
			t.Run(string(kind)+" "+c.name, func(t *testing.T) {
				s := play(t, kind, nil)
				if _, err := c.send(s.customer("o1")); err != nil {
					t.Fatal(err)
				}
				a := s.decoded(0).Attachments[0]
				if until := a.ExpiresAt.Std().Sub(s.House.Clock.Now()); until < 71*time.Hour || until > 73*time.Hour {
					t.Errorf("kept for %s", until)
				}
				body, typ, err := s.fetch(0)
				if err != nil || typ != c.typ || body != string(c.content) {
					t.Errorf("%d bytes of %s, %v", len(body), typ, err)
				}
				s.House.Clock.Advance(73 * time.Hour)
				if _, _, err := s.fetch(0); classOf(err) != connectors.Permanent || codeOf(err) != "40007" {
					t.Errorf("after three days: %v", err)
				}
			})
		}
	}
}

func TestFilesOfCustomerServiceAreFetched(t *testing.T) {
	s := play(t, tencent.KF, nil)
	content := []byte("%PDF-1.7 " + strings.Repeat("x", 100))
	if _, err := s.customer("wm1").SendFile(context.Background(), "发票.pdf", content); err != nil {
		t.Fatal(err)
	}
	if body, typ, err := s.fetch(0); err != nil || typ != "application/pdf" || body != string(content) {
		t.Errorf("%d bytes of %s, %v", len(body), typ, err)
	}
}

func TestAFailedFetchIsTriedAgainUnlessTheFileIsGone(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault tencent.Fault
		class connectors.Class
	}{
		{"busy", tencent.Fault{ErrCode: -1}, connectors.Transient},
		{"server error", tencent.Fault{Status: 500}, connectors.Transient},
		{"cut", tencent.Fault{Cut: true}, connectors.Transient},
		{"an errcode nobody knows", tencent.Fault{ErrCode: 77777}, connectors.Transient},
		{"quota", tencent.Fault{ErrCode: 45009}, connectors.Throttled},
		{"gone", tencent.Fault{ErrCode: 40007}, connectors.Permanent},
		{"token, which is renewed", tencent.Fault{ErrCode: 42001}, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := play(t, tencent.Official, nil)
			s.customer("o1").SendImage(context.Background(), "a.png", tencent.PNG)
			s.Fail("/cgi-bin/media/get", c.fault)
			_, _, err := s.fetch(0)
			if c.class == -1 && err != nil || c.class != -1 && (err == nil || classOf(err) != c.class) {
				t.Errorf("%v", err)
			}
			s.House.CheckSecrets(s.Kind, s.Channel, s.House.Logged())
		})
	}
}

func TestReferencesOfOtherAccountsAndOversizedFilesAreRefused(t *testing.T) {
	provider := connectortest.NewProvider(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.Contains(r.URL.Path, "token"):
			io.WriteString(w, `{"access_token":"T","expires_in":7200}`)
		case r.URL.Query().Get("media_id") == "huge":
			w.Header().Set("Content-Type", "video/mp4")
			chunk := make([]byte, 1<<20)
			for range 40 {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		case r.URL.Query().Get("media_id") == "json":
			w.Header().Set("Content-Disposition", `attachment; filename="a.json"`)
			io.WriteString(w, `{"errcode":40007}`) // a customer's file that only looks like an answer
		case r.URL.Query().Get("media_id") == "inside":
			w.Header().Set("Content-Type", "text/plain")
			io.WriteString(w, `{"video_url":"file:///etc/passwd"}`)
		}
	})
	e := connectortest.OpenChannel(t, wechat.Kind, connectortest.NewHouse(t), map[string]string{"account": "official", "app_id": appID, "app_secret": appKey, "token": "spamtest", "encoding_aes_key": aesKey, "api_base": provider})
	f := e.Conn.(connectors.Fetcher)
	for ref, want := range map[string]string{"kf:x": "media_ref", "official:": "media_ref", "x": "media_ref", "official:huge": "media_size", "official:inside": "200", "official:empty": "200"} {
		if _, _, err := f.Fetch(context.Background(), ref); codeOf(err) != want {
			t.Errorf("%s: %v", ref, err)
		}
	}
	body, _, err := f.Fetch(context.Background(), "official:json")
	if err != nil {
		t.Fatal(err)
	}
	if raw, _ := io.ReadAll(body); string(raw) != `{"errcode":40007}` {
		t.Errorf("%s", raw)
	}
}
