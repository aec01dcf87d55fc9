package wechat_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hearback/connectors"
	"hearback/connectors/connectortest"
	"hearback/connectors/wechat"
	"hearback/connectors/wechat/tencent"
	"hearback/desk"
)

const customSend = "/cgi-bin/message/custom/send"

func TestEachErrcodeLeadsToItsClass(t *testing.T) {
	for _, c := range []struct {
		account tencent.Kind
		code    int
		class   connectors.Class
		word    string
	}{
		{tencent.Official, -1, connectors.Transient, "busy"},
		{tencent.Official, 40003, connectors.Permanent, "openid"},
		{tencent.Official, 40013, connectors.Credentials, "AppID"},
		{tencent.Official, 40125, connectors.Credentials, "AppSecret"},
		{tencent.Official, 40164, connectors.Credentials, "white list"},
		{tencent.Official, 43004, connectors.Permanent, "follow"},
		{tencent.Official, 43019, connectors.Permanent, "blacklist"},
		{tencent.Official, 44004, connectors.Permanent, "empty"},
		{tencent.Official, 45002, connectors.Permanent, "too long"},
		{tencent.Official, 45009, connectors.Throttled, "quota"},
		{tencent.Official, 45011, connectors.Throttled, "often"},
		{tencent.Official, 45015, connectors.Permanent, "48 hours"},
		{tencent.Official, 45047, connectors.Permanent, "writes again"},
		{tencent.Official, 46004, connectors.Permanent, "customer"},
		{tencent.Official, 47001, connectors.Permanent, "read"},
		{tencent.Official, 48001, connectors.Credentials, "may not"},
		{tencent.Official, 48002, connectors.Permanent, "refuses"},
		{tencent.Official, 48004, connectors.Credentials, "banned"},
		{tencent.Official, 50002, connectors.Permanent, "restricted"},
		{tencent.Official, 99999, connectors.Permanent, "99999"},
		{tencent.MiniProgram, 45015, connectors.Permanent, "48 hours"},
		{tencent.KF, -1, connectors.Transient, "busy"},
		{tencent.KF, 45009, connectors.Throttled, "often"},
		{tencent.KF, 48002, connectors.Credentials, "may not"},
		{tencent.KF, 60020, connectors.Credentials, "white list"},
		{tencent.KF, 95001, connectors.Permanent, "used up"},
		{tencent.KF, 95004, connectors.Credentials, "does not exist"},
		{tencent.KF, 95013, connectors.Permanent, "ended"},
		{tencent.KF, 95018, connectors.Permanent, "WeCom"},
	} {
		t.Run(fmt.Sprint(c.account, c.code), func(t *testing.T) {
			s := play(t, c.account, nil)
			path := customSend
			if c.account == tencent.KF {
				path = "/cgi-bin/kf/send_msg"
			}
			s.Fail(path, tencent.Fault{ErrCode: c.code, ErrMsg: "invalid ip 203.0.113.9, not in whitelist rid: 65-1"})
			err := s.send(s.reply("o1", "您好"))
			e := connectors.AsSendError(err)
			if err == nil || e.Class != c.class || e.Code != fmt.Sprint(c.code) || !strings.Contains(e.Hint, c.word) || !strings.Contains(e.Hint, " / ") {
				t.Errorf("%v, want %s with %q", err, c.class, c.word)
			}
			if (e.After > 0) != (c.class == connectors.Throttled) {
				t.Errorf("waits %s", e.After)
			}
			if c.code == 40164 && !strings.Contains(e.Hint, "203.0.113.9") {
				t.Errorf("the address is not named: %s", e.Hint)
			}
			if n := len(s.Calls(path)); n != 1 {
				t.Errorf("%d requests", n)
			}
			s.House.CheckSecrets(wechat.Kind, s.Channel, err.Error())
		})
	}
}

func TestTheDailyQuotaIsWaitedForUntilBeijingsMidnight(t *testing.T) {
	s := play(t, tencent.Official, nil)
	s.House.Clock.Advance(time.Date(2026, 12, 1, 15, 30, 0, 0, time.UTC).Sub(s.House.Clock.Now())) // 23:30 in Beijing
	s.Fail(customSend, tencent.Fault{ErrCode: 45009})
	if e := connectors.AsSendError(s.send(s.reply("o1", "hi"))); e.After != 31*time.Minute {
		t.Errorf("waits %s", e.After)
	}
}

func TestWhatIsNoAnswerOfTheAPIIsClassed(t *testing.T) {
	for _, c := range []struct {
		name     string
		account  tencent.Kind
		fault    tencent.Fault
		class    connectors.Class
		received bool
	}{
		{"HTTP 500", tencent.Official, tencent.Fault{Status: 500}, connectors.Transient, false},
		{"HTTP 503", tencent.Official, tencent.Fault{Status: 503}, connectors.Transient, false},
		{"a gateway's 502 after the API took it", tencent.Official, tencent.Fault{Status: 502, Done: true}, connectors.Uncertain, true},
		{"a gateway's 504", tencent.Official, tencent.Fault{Status: 504}, connectors.Uncertain, false},
		{"a page instead of JSON", tencent.Official, tencent.Fault{Body: "<html>login</html>"}, connectors.Uncertain, false},
		{"cut after the API took it", tencent.Official, tencent.Fault{Cut: true, Done: true}, connectors.Uncertain, true},
		{"silence after the request left", tencent.Official, tencent.Fault{Hang: true}, connectors.Uncertain, false},
		{"a wrong address", tencent.Official, tencent.Fault{Status: 404}, connectors.Credentials, false},
		{"customer service, silent", tencent.KF, tencent.Fault{Hang: true, Done: true}, connectors.Uncertain, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := play(t, c.account, nil)
			p := s.customer("o1")
			if _, err := p.Say(context.Background(), "在吗"); err != nil {
				t.Fatal(err)
			}
			path := customSend
			if c.account == tencent.KF {
				path = "/cgi-bin/kf/send_msg"
			}
			// The token is there already: what is slow is the message.
			if err := s.send(s.reply("o1", "first")); err != nil {
				t.Fatal(err)
			}
			s.Fail(path, c.fault)
			out := s.reply("o1", "您好")
			ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
			defer cancel()
			_, err := s.Conn.Send(ctx, out)
			if err == nil || classOf(err) != c.class || connectors.AsSendError(err).Hint == "" {
				t.Errorf("%v, want %s", err, c.class)
			}
			if got := len(p.Answers()) == 2; got != c.received {
				t.Errorf("the customer has it: %v, want %v", got, c.received)
			}
			if n := len(s.Calls(path)); n > 2 {
				t.Errorf("repeated blindly: %d requests", n)
			}
			if c.account == tencent.KF {
				if !s.Conn.Capabilities().Resendable || s.send(out) != nil || len(p.Answers()) != 2 {
					t.Errorf("sent again, the customer has %d answers", len(p.Answers()))
				}
			}
			s.House.CheckSecrets(wechat.Kind, s.Channel, err.Error())
		})
	}
}

func TestATimeoutBeforeTheMessageLeftIsNoDoubt(t *testing.T) {
	s := play(t, tencent.Official, nil)
	s.Fail("/cgi-bin/stable_token", tencent.Fault{Hang: true})
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	if _, err := s.Conn.Send(ctx, s.reply("o1", "hi")); classOf(err) != connectors.Transient || strings.Contains(fmt.Sprint(err), "deadline") {
		t.Errorf("%v", err)
	}
	if n := len(s.Calls(customSend)); n > 0 {
		t.Errorf("%d messages left", n)
	}
}

func TestNoAddressWithItsTokenIsTold(t *testing.T) {
	house := connectortest.NewHouse(t)
	e := connectortest.OpenChannel(t, wechat.Kind, house, map[string]string{"account": "kf", "app_id": corpID, "app_secret": appKey, "token": "spamtest", "encoding_aes_key": aesKey, "open_kfid": openKfid, "api_base": "http://127.0.0.1:1"})
	_, err := e.Conn.Send(context.Background(), desk.Outbound{Sender: "o", Text: "x", ExternalID: desk.NewID()})
	if classOf(err) != connectors.Transient || strings.Contains(err.Error(), "corpsecret") || strings.Contains(err.Error(), "gettoken") {
		t.Errorf("%v", err)
	}
	house.CheckSecrets(wechat.Kind, e.Channel, fmt.Sprint(err, house.Health()))

	s := play(t, tencent.Official, nil)
	if err := s.send(s.reply("nobody", "hi")); err == nil {
		t.Fatal("sent to nobody")
	} else {
		token, _ := s.House.Cache.Once(context.Background(), "token:official:"+appID, nil)
		if all := err.Error() + s.House.Logged() + fmt.Sprint(s.House.Health()); token == "" || strings.Contains(all, token) || strings.Contains(all, "access_token=") {
			t.Errorf("a token is told: %s", all)
		}
	}
}

func TestTextArrivesAsItWasWritten(t *testing.T) {
	for _, kind := range []tencent.Kind{tencent.Official, tencent.MiniProgram, tencent.KF} {
		t.Run(string(kind), func(t *testing.T) {
			s := play(t, kind, nil)
			p := s.customer("o1")
			if _, err := p.Say(context.Background(), "在吗"); err != nil {
				t.Fatal(err)
			}
			const text = "您好，请看 <a href=\"https://shop.example/?a=1&b=2\">您的订单</a> 👩‍👩‍👧 \"好\"\n第二行"
			if err := s.send(s.reply("o1", text)); err != nil {
				t.Fatal(err)
			}
			if got := p.Answers(); len(got) != 1 || got[0].Text != text || got[0].Type != "text" {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestATitledLinkAloneLeavesAsACard(t *testing.T) {
	for kind, want := range map[tencent.Kind]string{tencent.Official: "news", tencent.MiniProgram: "link", tencent.KF: "text"} {
		s := play(t, kind, nil)
		p := s.customer("o1")
		if _, err := p.Say(context.Background(), "在吗"); err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{"[您的订单](https://shop.example/orders?id=1)", "请看 [您的订单](https://shop.example/orders?id=1)"} {
			if err := s.send(s.reply("o1", text)); err != nil {
				t.Fatal(err)
			}
		}
		got := p.Answers()
		if len(got) != 2 || got[0].Type != want || got[1].Type != "text" || !strings.Contains(got[0].Title+got[0].Text, "您的订单") || !strings.Contains(got[0].URL+got[0].Text, "https://shop.example/orders?id=1") {
			t.Errorf("%s: %+v", kind, got)
		}
	}
}

func TestARedirectIsNotFollowedWithTheToken(t *testing.T) {
	var followed atomic.Bool
	elsewhere := connectortest.NewProvider(t, func(http.ResponseWriter, *http.Request) { followed.Store(true) })
	provider := connectortest.NewProvider(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere, http.StatusTemporaryRedirect)
	})
	e := connectortest.OpenChannel(t, wechat.Kind, connectortest.NewHouse(t), map[string]string{"account": "official", "app_id": appID, "app_secret": appKey, "token": "spamtest", "encoding_aes_key": aesKey, "api_base": provider})
	if _, err := e.Conn.Send(context.Background(), desk.Outbound{Sender: "o", Text: "x", ExternalID: desk.NewID()}); classOf(err) != connectors.Credentials || followed.Load() {
		t.Errorf("%v, followed %v", err, followed.Load())
	}
}

func TestTheSixthAnswerAndTheOneAfter48HoursAreRefused(t *testing.T) {
	s := play(t, tencent.Official, nil)
	p := s.customer("o1")
	p.Say(context.Background(), "在吗")
	for n := range 5 {
		if err := s.send(s.reply("o1", fmt.Sprint(n))); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.send(s.reply("o1", "6")); codeOf(err) != "45047" || classOf(err) != connectors.Permanent {
		t.Errorf("%v", err)
	}
	p.Say(context.Background(), "还在吗")
	s.House.Clock.Advance(48*time.Hour + time.Minute)
	if err := s.send(s.reply("o1", "late")); codeOf(err) != "45015" {
		t.Errorf("%v", err)
	}
	caps := s.Conn.Capabilities()
	if caps.Quota != 5 || caps.ReplyWindow != 48*time.Hour || caps.MaxText > 2048 || !caps.Single || caps.Resendable {
		t.Errorf("%+v", caps)
	}
}

func TestFilesLeaveInTheTypeTheAccountHasForThem(t *testing.T) {
	big := make([]byte, 11<<20)
	copy(big, tencent.PNG)
	for _, c := range []struct {
		account   tencent.Kind
		name, typ string
		content   []byte
		want      string // type on the phone
	}{
		{tencent.Official, "包裹.png", "image/png", tencent.PNG, "image"},
		{tencent.Official, "voice.amr", "audio/amr", tencent.AMR, "voice"},
		{tencent.Official, "film.mp4", "video/mp4", tencent.MP4, "video"},
		{tencent.Official, "发票.pdf", "application/pdf", []byte("%PDF-1.7 invoice"), "news"},
		{tencent.Official, "large.png", "image/png", big, "news"},
		{tencent.Official, "odd.gif", "image/gif", []byte("not a picture at all"), "news"},
		{tencent.MiniProgram, "包裹.png", "image/png", tencent.PNG, "image"},
		{tencent.MiniProgram, "voice.amr", "audio/amr", tencent.AMR, "link"},
		{tencent.MiniProgram, "发票.pdf", "application/pdf", []byte("%PDF-1.7 invoice"), "link"},
		{tencent.KF, "包裹.png", "image/png", tencent.PNG, "image"},
		{tencent.KF, "voice.amr", "audio/amr", tencent.AMR, "voice"},
		{tencent.KF, "film.mp4", "video/mp4", tencent.MP4, "video"},
		{tencent.KF, "发票.pdf", "application/pdf", []byte("%PDF-1.7 invoice"), "file"},
		{tencent.KF, "a.txt", "text/plain", []byte("abc"), "text"},
	} {
		t.Run(string(c.account)+" "+c.name, func(t *testing.T) {
			s := play(t, c.account, nil)
			p := s.customer("o1")
			if _, err := p.Say(context.Background(), "在吗"); err != nil {
				t.Fatal(err)
			}
			a := s.file(c.name, c.typ, c.content)
			if err := s.send(s.reply("o1", "", a)); err != nil {
				t.Fatal(err)
			}
			got := p.Answers()
			if len(got) != 1 || got[0].Type != c.want {
				t.Fatalf("the phone shows %+v, want %s", got, c.want)
			}
			switch c.want {
			case "news", "link", "text":
				s.opens(got[0], a, c.content)
			default:
				if string(got[0].Data) != string(c.content) {
					t.Errorf("%d bytes arrived of %d", len(got[0].Data), len(c.content))
				}
			}
		})
	}
}

// opens follows the link on the phone to the file.
func (s *stage) opens(shown tencent.Shown, a desk.Attachment, content []byte) {
	s.t.Helper()
	link := shown.URL
	if link == "" {
		link = shown.Text[strings.Index(shown.Text, "http"):]
	}
	at := strings.Index(link, "/f/")
	if at < 0 || !strings.HasPrefix(link, "http://desk.test/c/"+s.Channel.ID) || !strings.Contains(shown.Title+shown.Text, a.Name) {
		s.t.Fatalf("the card is %+v", shown)
	}
	local := s.URL + link[at:]
	get := func(address string) (int, string, http.Header) {
		req, err := http.NewRequest("GET", address, nil)
		if err != nil {
			s.t.Fatal(err)
		}
		return answer(s.t, req)
	}
	status, body, h := get(local)
	if status != 200 || body != string(content) || h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("Content-Disposition"), "filename") {
		s.t.Errorf("%d, %d bytes, %v", status, len(body), h)
	}
	if status, _, _ := get(local[:len(local)-2] + "xx"); status != 404 {
		s.t.Errorf("a forged link: %d", status)
	}
	if status, _, _ := get(strings.Replace(local, "/f/", "/f/A", 1)); status != 404 {
		s.t.Errorf("another file by the same signature: %d", status)
	}
	s.House.Clock.Advance(8 * 24 * time.Hour)
	if status, _, _ := get(local); status != 404 {
		s.t.Errorf("a link of last week: %d", status)
	}
}

func TestAnUploadIsReusedForItsLifeAndMadeAnewWhenForgotten(t *testing.T) {
	s := play(t, tencent.Official, nil)
	a := s.file("包裹.png", "image/png", tencent.PNG)
	uploads := func() int { return len(s.Calls("/cgi-bin/media/upload")) }
	send := func() {
		t.Helper()
		if _, err := s.customer("o1").Say(context.Background(), "再发一次"); err != nil {
			t.Fatal(err)
		}
		if err := s.send(s.reply("o1", "", a)); err != nil {
			t.Fatal(err)
		}
	}
	send()
	send()
	if uploads() != 1 {
		t.Errorf("%d uploads", uploads())
	}
	s.Fail(customSend, tencent.Fault{ErrCode: 40007}) // Tencent has forgotten it before its time
	send()
	if uploads() != 2 {
		t.Errorf("%d uploads after 40007", uploads())
	}
	s.House.Clock.Advance(71 * time.Hour)
	send()
	if uploads() != 3 {
		t.Errorf("%d uploads after three days", uploads())
	}
	if n := len(s.customer("o1").Answers()); n != 4 {
		t.Errorf("%d pictures on the phone", n)
	}
}

func TestAReplyThatStopsMidwayIsUncertain(t *testing.T) {
	s := play(t, tencent.Official, nil)
	s.customer("o1").Say(context.Background(), "在吗")
	s.Fail("/cgi-bin/media/upload", tencent.Fault{ErrCode: -1})
	if err := s.send(s.reply("o1", "请看图", s.file("p.png", "image/png", tencent.PNG))); classOf(err) != connectors.Uncertain {
		t.Errorf("%v", err)
	}
	if err := s.send(s.reply("o1", "")); classOf(err) != connectors.Permanent {
		t.Errorf("nothing was sent: %v", err)
	}
	gone := desk.Attachment{Name: "x.png", Type: "image/png", Blob: "sha256-none"}
	if err := s.send(s.reply("o1", "", gone)); classOf(err) != connectors.Permanent || codeOf(err) != "attachment_missing" {
		t.Errorf("%v", err)
	}
}

func TestMessagesAreWrittenAsTencentReadsThem(t *testing.T) {
	s := play(t, tencent.KF, nil)
	s.customer("wm1").Say(context.Background(), "在吗")
	out := s.reply("wm1", "a<b>&c")
	receipt, err := s.Conn.Send(context.Background(), out)
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := json.Marshal(s.sentTo("/cgi-bin/kf/send_msg")[0])
	var body struct {
		To   string `json:"touser"`
		Kf   string `json:"open_kfid"`
		ID   string `json:"msgid"`
		Type string `json:"msgtype"`
		Text struct {
			Content string `json:"content"`
		} `json:"text"`
	}
	if err := json.Unmarshal(raw, &body); err != nil || body.To != "wm1" || body.Kf != openKfid || body.ID != receipt.ExternalID || len(body.ID) > 32 || body.Type != "text" || body.Text.Content != "a<b>&c" {
		t.Errorf("%s %v", raw, err)
	}
}
