package wechat_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"hearback/connectors"
	"hearback/connectors/wechat"
	"hearback/connectors/wechat/tencent"
	"hearback/desk"
)

func TestATemplateReachesTheCustomerAfterTheWindowAndTellsWhatBecameOfIt(t *testing.T) {
	s := play(t, tencent.Official, func(_ *tencent.Account, set map[string]string) {
		set["template_id"], set["template_data"], set["template_page"] = "TM1", "thing1={text}\nnumber2={number}\nname3={agent}", "https://shop.example/t"
	})
	s.customer("o1").Say(context.Background(), "在吗")
	s.House.Clock.Advance(50 * time.Hour)
	means := s.Conn.Capabilities().Means
	if len(means) != 1 || means[0].Name != "template" || !means[0].AfterWindow || !means[0].NeedsText {
		t.Fatalf("%+v", means)
	}
	out := s.reply("o1", "您的退款\n已到账")
	out.Means = "template"
	receipt, err := s.Conn.Send(context.Background(), out)
	if err != nil || receipt.ExternalID == "" {
		t.Fatalf("%+v %v", receipt, err)
	}
	got := s.customer("o1").Answers()
	for _, want := range []string{"您的退款 已到账", "GD20260101-0001", "王芳"} {
		if len(got) != 1 || !strings.Contains(got[0].Text, want) {
			t.Errorf("the phone shows %+v, want %q", got, want)
		}
	}
	env := s.wait(2)[1]
	in := s.decoded(1)
	if env.Type != desk.EnvelopeReceipt || in.Receipt == nil || in.Receipt.ExternalIDs[0] != receipt.ExternalID || in.Receipt.State != desk.DeliveryDelivered {
		t.Errorf("%s %+v, want a receipt of %s", env.Type, in.Receipt, receipt.ExternalID)
	}
	body := s.sentTo("/cgi-bin/message/template/send")[0]
	if body["client_msg_id"] == "" || body["url"] != "https://shop.example/t" {
		t.Errorf("%v", body)
	}
	if len(play(t, tencent.KF, nil).Conn.Capabilities().Means) > 0 {
		t.Error("customer service has no templates")
	}
}

func TestTypingIsShownNotTooOftenAndNeverFails(t *testing.T) {
	s := play(t, tencent.Official, nil)
	p := s.customer("o1")
	p.Say(context.Background(), "在吗")
	typist := s.Conn.(connectors.Typist)
	for range 5 {
		if err := typist.Typing(context.Background(), "o1", true); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(s.Calls("/cgi-bin/message/custom/typing")); n != 1 || !p.Typing() {
		t.Errorf("%d calls, shown %v", n, p.Typing())
	}
	if err := typist.Typing(context.Background(), "o1", false); err != nil || p.Typing() {
		t.Errorf("still typing: %v", err)
	}
	s.House.Clock.Advance(time.Minute)
	if err := typist.Typing(context.Background(), "o1", true); err != nil {
		t.Errorf("a minute later: %v", err)
	}
}

func TestTheTestSaysInASentenceWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		name   string
		kind   tencent.Kind
		change func(*tencent.Account, map[string]string)
		before func(*stage)
		word   string
	}{
		{"all well", tencent.Official, nil, nil, ""},
		{"customer service, all well", tencent.KF, nil, nil, ""},
		{"a wrong secret", tencent.Official, func(_ *tencent.Account, set map[string]string) { set["app_secret"] = "wrong-secret" }, nil, "AppSecret 不正确"},
		{"a corporation's wrong secret", tencent.KF, func(_ *tencent.Account, set map[string]string) { set["app_secret"] = "wrong-secret" }, nil, "AppSecret 不正确"},
		{"a wrong app id", tencent.Official, func(_ *tencent.Account, set map[string]string) { set["app_id"] = "wxnobody" }, nil, "AppID 不正确"},
		{"an address that is not in the white list", tencent.Official, func(a *tencent.Account, _ map[string]string) { a.Whitelist = []string{"198.51.100.7"} }, nil, "127.0.0.1"},
		{"no permission", tencent.Official, nil, func(s *stage) { s.Fail(customSend, tencent.Fault{ErrCode: 48001}) }, "权限"},
		{"an account the app does not see", tencent.KF, func(_ *tencent.Account, set map[string]string) { set["open_kfid"] = "wkSomebodyElse" }, nil, "wkSomebodyElse"},
		{"Tencent away", tencent.Official, nil, func(s *stage) { s.Fail("/cgi-bin/stable_token", tencent.Fault{Status: 500}) }, "微信服务"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := play(t, c.kind, c.change)
			if c.before != nil {
				c.before(s)
			}
			err := wechat.Kind.Test(context.Background(), s.Channel, s.House.Tools(s.Channel))
			if (err == nil) != (c.word == "") || err != nil && (!strings.Contains(err.Error(), c.word) || !strings.Contains(err.Error(), " / ")) {
				t.Errorf("%v, want %q", err, c.word)
			}
			s.House.CheckSecrets(wechat.Kind, s.Channel, fmt.Sprint(err))
			for _, p := range s.Customers(s.Account.AppID) {
				if len(p.Answers()) > 0 {
					t.Error("the test wrote to a customer")
				}
			}
		})
	}
}
