package telephony

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"hearback/connectors"
	"hearback/connectors/connectortest"
	"hearback/connectors/telephony/pbx"
	"hearback/desk"
)

// openOffice opens a channel whose callbacks and SMS go to the stand-in provider.
func openOffice(t *testing.T, more map[string]string) (*connectortest.Env, *pbx.Office) {
	t.Helper()
	o := &pbx.Office{Secret: newSecret(), SMSUser: "AC1", SMSKey: "sms-key-of-the-test"}
	url := connectortest.NewProvider(t, o.ServeHTTP)
	house := connectortest.NewHouse(t)
	o.Now = house.Clock.Now
	settings := map[string]string{"format": "generic", "secret": newSecret(), "token": "0123456789abcdef0123", "callback_url": url + "/callback", "callback_secret": o.Secret}
	for k, v := range more {
		settings[k] = strings.ReplaceAll(v, "$URL", url)
	}
	if p := check(connectortest.Settings(Kind, settings)); len(p) > 0 {
		t.Fatalf("settings: %v", p)
	}
	return connectortest.OpenChannel(t, Kind, house, settings), o
}

func answerTo(number, text, means string) desk.Outbound {
	return desk.Outbound{MessageID: "0198-message", TicketID: "0198-ticket", Number: "HB-7", To: desk.Identity{Type: "phone", Value: number}, ToName: "李雷",
		Text: text, Means: means, Subject: "退款", Author: desk.Author{Kind: "agent", ID: "0198-agent", Name: "韩梅梅"}, Extension: "8001"}
}

func TestACallbackIsAskedForOnceHoweverOften(t *testing.T) {
	e, o := openOffice(t, nil)
	var first connectors.Receipt
	for n := range 3 {
		got, err := e.Conn.Send(context.Background(), answerTo("+8613800138000", "问订单号", "callback"))
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			first = got
		}
		if got != first || got.ExternalID != "cb-0198-message" {
			t.Errorf("attempt %d: %+v, first %+v", n+1, got, first)
		}
	}
	all := o.Callbacks()
	want := pbx.Callback{ID: "0198-message", CallID: "cb-0198-message", Type: "callback.requested", Number: "+8613800138000", Name: "李雷", Note: "问订单号", Ticket: "HB-7",
		Agent: "韩梅梅", Extension: "8001", Repeats: 2}
	if len(all) != 1 || all[0] != want {
		t.Errorf("the call centre has %+v, want %+v", all, want)
	}
}

func TestACallbackIsSignedWithEverySecretOfARotation(t *testing.T) {
	second := newSecret()
	e, o := openOffice(t, nil)
	e.Channel.Settings["callback_secret"] += " " + second
	again := e.Again(t)
	for _, secret := range []string{o.Secret, second} {
		o.Secret = secret
		if _, err := again.Conn.Send(context.Background(), answerTo("+8613800138000", "", "callback")); err != nil {
			t.Errorf("a call centre with one of both secrets refuses: %v", err)
		}
	}
}

func TestWhatACallCentreAnswersDecidesWhatIsNext(t *testing.T) {
	for _, c := range []struct {
		status int
		class  connectors.Class
	}{{400, connectors.Permanent}, {404, connectors.Permanent}, {409, connectors.Permanent}, {301, connectors.Permanent}, {401, connectors.Credentials},
		{403, connectors.Credentials}, {408, connectors.Transient}, {429, connectors.Throttled}, {500, connectors.Transient}, {503, connectors.Transient}} {
		e, o := openOffice(t, nil)
		o.Refuse("", c.status)
		_, err := e.Conn.Send(context.Background(), answerTo("+8613800138000", "", "callback"))
		got := connectors.AsSendError(err)
		if err == nil || got.Class != c.class || got.Hint == "" {
			t.Errorf("status %d: %v, want %s", c.status, err, c.class)
		}
	}
}

func TestASilentCallCentreIsAskedAgain(t *testing.T) {
	stop := make(chan struct{})
	url := connectortest.NewProvider(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-stop:
		case <-r.Context().Done():
		}
	})
	defer close(stop)
	e, _ := openOffice(t, map[string]string{"callback_url": url})
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	_, err := e.Conn.Send(ctx, answerTo("+8613800138000", "", "callback"))
	if m := e.Conn.Capabilities().Means; len(m) != 1 || !m[0].Resendable {
		t.Errorf("callbacks are not said to be resendable: %+v", m)
	}
	if got := connectors.AsSendError(err); err == nil || got.Class != connectors.Transient || strings.Contains(err.Error(), url) {
		t.Errorf("%v", err)
	}
}

func TestNobodyIsCalledBackWithoutANumber(t *testing.T) {
	e, o := openOffice(t, nil)
	out := answerTo("anonymous", "", "callback")
	out.Sender = "call:77"
	_, err := e.Conn.Send(context.Background(), out)
	if got := connectors.AsSendError(err); err == nil || got.Class != connectors.Permanent || len(o.Callbacks()) != 0 {
		t.Errorf("%v %v", err, o.Callbacks())
	}
}

func TestASignedRequestFollowsNoRedirect(t *testing.T) {
	other := 0
	elsewhere := connectortest.NewProvider(t, func(http.ResponseWriter, *http.Request) { other++ })
	url := connectortest.NewProvider(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere, http.StatusTemporaryRedirect)
	})
	e, _ := openOffice(t, map[string]string{"callback_url": url})
	if _, err := e.Conn.Send(context.Background(), answerTo("+8613800138000", "", "callback")); err == nil || other != 0 {
		t.Errorf("%v; the other host was asked %d times", err, other)
	}
}

// gateways are the settings of the SMS providers; $URL is the stand-in.
var gateways = map[string]map[string]string{
	"twilio":  {"sms": "twilio", "sms_url": "$URL/twilio", "sms_account": "AC1", "sms_key": "sms-key-of-the-test", "sms_from": "+15005550006"},
	"aliyun":  {"sms": "aliyun", "sms_url": "$URL/aliyun", "sms_key_id": "AC1", "sms_key": "sms-key-of-the-test", "sms_from": "回音", "sms_template": "SMS_1"},
	"tencent": {"sms": "tencent", "sms_url": "$URL/tencent", "sms_key_id": "AC1", "sms_key": "sms-key-of-the-test", "sms_from": "回音", "sms_template": "9", "sms_app": "1400"},
	"http aliyun": {"sms": "http", "sms_url": "$URL/aliyun", "sms_sign": "aliyun", "sms_key_id": "AC1", "sms_key": "sms-key-of-the-test", "sms_success": "Code=OK", "sms_id": "BizId",
		"sms_body":   "Action=SendSms\nVersion=2017-05-25\nFormat=JSON\nPhoneNumbers={{to_local}}\nSignName=回音\nTemplateCode=SMS_1\nTemplateParam={\"content\":\"{{text.json}}\"}\nOutId={{id}}",
		"sms_errors": "Code\nisv.BUSINESS*=throttled\nSignature*=credentials"},
	"http tencent": {"sms": "http", "sms_url": "$URL/tencent", "sms_sign": "tencent", "sms_key_id": "AC1", "sms_key": "sms-key-of-the-test",
		"sms_headers": "X-TC-Action: SendSms\nX-TC-Version: 2021-01-11\nX-TC-Region: ap-guangzhou", "sms_success": "Response.SendStatusSet.0.Code=Ok",
		"sms_body": `{"PhoneNumberSet":["{{to}}"],"SmsSdkAppId":"1400","SignName":"回音","TemplateId":"9","TemplateParamSet":["{{text}}"],"SessionContext":"{{id}}"}`,
		"sms_id":   "Response.SendStatusSet.0.SerialNo", "sms_errors": "Response.SendStatusSet.0.Code\nLimitExceeded*=throttled"},
}

func TestAnSMSArrivesAtEveryGateway(t *testing.T) {
	const text = "您好，\"退款\" 100% 已到账 & 谢谢 {{to}} +~*'\n第二行 😀"
	for name, settings := range gateways {
		t.Run(name, func(t *testing.T) {
			e, o := openOffice(t, settings)
			if caps := e.Conn.Capabilities(); caps.NoText || caps.Resendable || caps.MaxText == 0 {
				t.Errorf("capabilities %+v", caps)
			}
			got, err := e.Conn.Send(context.Background(), answerTo("+8613800138000", text, ""))
			if err != nil {
				t.Fatal(err)
			}
			all := o.SMS()
			if len(all) != 1 || all[0].Text != text || !strings.HasSuffix(all[0].To, "13800138000") || got.ExternalID != all[0].ID || got.ExternalID == "" {
				t.Errorf("the gateway has %+v, the receipt is %+v", all, got)
			}
		})
	}
}

func TestAGatewaysErrorsHaveClasses(t *testing.T) {
	for _, c := range []struct {
		gateway, code string
		class         connectors.Class
	}{
		{"twilio", "21614", connectors.Permanent}, {"twilio", "20003", connectors.Credentials}, {"twilio", "21610", connectors.Permanent}, {"twilio", "20429", connectors.Throttled},
		{"aliyun", "isv.BUSINESS_LIMIT_CONTROL", connectors.Throttled}, {"aliyun", "isv.AMOUNT_NOT_ENOUGH", connectors.Credentials},
		{"aliyun", "isv.MOBILE_NUMBER_ILLEGAL", connectors.Permanent}, {"aliyun", "isp.SYSTEM_ERROR", connectors.Transient}, {"aliyun", "isv.NEVER_SEEN", connectors.Permanent},
		{"tencent", "LimitExceeded.PhoneNumberDailyLimit", connectors.Throttled}, {"tencent", "AuthFailure.SecretIdNotFound", connectors.Credentials},
		{"tencent", "FailedOperation.TemplateIncorrectOrUnapproved", connectors.Credentials}, {"tencent", "FailedOperation.ContainSensitiveWord", connectors.Permanent},
		{"http aliyun", "isv.BUSINESS_LIMIT_CONTROL", connectors.Throttled}, {"http aliyun", "isv.OTHER", connectors.Permanent},
		{"http tencent", "LimitExceeded.X", connectors.Throttled},
	} {
		e, o := openOffice(t, gateways[c.gateway])
		o.Refuse(c.code, 0)
		_, err := e.Conn.Send(context.Background(), answerTo("+8613800138000", "好的", ""))
		if got := connectors.AsSendError(err); err == nil || got.Class != c.class || got.Code != c.code {
			t.Errorf("%s %s: %v, want %s", c.gateway, c.code, err, c.class)
		}
	}
}

func TestAWrongSMSKeyHoldsTheChannel(t *testing.T) {
	for name, settings := range gateways {
		if strings.HasPrefix(name, "http tencent") {
			continue // its settings class no such code
		}
		e, o := openOffice(t, settings)
		o.SMSKey = "another"
		_, err := e.Conn.Send(context.Background(), answerTo("+8613800138000", "好的", ""))
		if got := connectors.AsSendError(err); err == nil || got.Class != connectors.Credentials {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatMayHaveBeenSentIsUncertain(t *testing.T) {
	stop := make(chan struct{})
	for name, answer := range map[string]http.HandlerFunc{
		"no answer": func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-stop:
			case <-r.Context().Done():
			}
		},
		"status 500": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
	} {
		settings := map[string]string{}
		for k, v := range gateways["twilio"] {
			settings[k] = v
		}
		settings["sms_url"] = connectortest.NewProvider(t, answer)
		e, _ := openOffice(t, settings)
		ctx, cancel := context.WithTimeout(context.Background(), 150*time.Millisecond)
		_, err := e.Conn.Send(ctx, answerTo("+8613800138000", "好的", ""))
		cancel()
		if got := connectors.AsSendError(err); err == nil || got.Class != connectors.Uncertain {
			t.Errorf("%s: %v", name, err)
		}
	}
	close(stop)
	closed := httptest.NewServer(http.NotFoundHandler())
	settings := map[string]string{"sms": "twilio", "sms_url": closed.URL, "sms_account": "AC1", "sms_key": "sms-key-of-the-test", "sms_from": "+15005550006"}
	closed.Close()
	e, _ := openOffice(t, settings)
	if _, err := e.Conn.Send(context.Background(), answerTo("+8613800138000", "好的", "")); err == nil || connectors.AsSendError(err).Class != connectors.Transient {
		t.Errorf("nothing left, but: %v", err)
	}
}

func TestSMSGoToMobileNumbersOnly(t *testing.T) {
	e, o := openOffice(t, gateways["aliyun"])
	for number, code := range map[string]string{"+861064368888": "no_mobile", "anonymous": "no_number"} {
		_, err := e.Conn.Send(context.Background(), answerTo(number, "好的", ""))
		if got := connectors.AsSendError(err); err == nil || got.Class != connectors.Permanent || got.Code != code {
			t.Errorf("%s: %v", number, err)
		}
	}
	_, err := e.Conn.Send(context.Background(), answerTo("+8613800138000", strings.Repeat("长", 67*maxSegments+1), ""))
	if got := connectors.AsSendError(err); err == nil || got.Code != "too_long" || len(o.SMS()) != 0 {
		t.Errorf("%v", err)
	}
}

func TestAnSMSIsCountedAsNetworksDo(t *testing.T) {
	for _, c := range []struct {
		text    string
		n       int
		unicode bool
	}{
		{"", 1, false}, {strings.Repeat("a", 160), 1, false}, {strings.Repeat("a", 161), 2, false}, {strings.Repeat("€", 80), 1, false}, {strings.Repeat("€", 81), 2, false},
		{strings.Repeat("回", 70), 1, true}, {strings.Repeat("回", 71), 2, true}, {strings.Repeat("😀", 35), 1, true}, {strings.Repeat("a", 70) + "回", 2, true},
	} {
		if n, unicode := smsSegments(c.text); n != c.n || unicode != c.unicode {
			t.Errorf("%.10q… (%d letters) is %d, unicode %v", c.text, len([]rune(c.text)), n, unicode)
		}
	}
}

func TestReachIsWhatTheSettingsAllow(t *testing.T) {
	phone := func(n string) desk.Identity { return desk.Identity{Type: "phone", Value: n} }
	both := desk.Channel{Settings: map[string]string{"callback_url": "https://pbx.test"}}
	sms := desk.Channel{Settings: gateways["aliyun"]}
	for _, c := range []struct {
		ch     desk.Channel
		to     desk.Identity
		sender string
	}{
		{both, phone("138 0013 8000"), "+8613800138000"}, {both, phone("010-64368888"), "+861064368888"}, {sms, phone("13800138000"), "+8613800138000"},
		{sms, phone("010-64368888"), ""}, {desk.Channel{Settings: map[string]string{}}, phone("13800138000"), ""}, {both, phone("8001"), ""},
		{both, desk.Identity{Type: "email", Value: "a@b.test"}, ""},
	} {
		if sender, ok := reach(c.ch, c.to); sender != c.sender || ok != (c.sender != "") {
			t.Errorf("%v by %v: %q %v", c.to, c.ch.Settings, sender, ok)
		}
	}
}

func TestSettingsOfSMSAreJudged(t *testing.T) {
	for name, c := range map[string]struct {
		settings map[string]string
		field    string
	}{
		"missing key":      {map[string]string{"sms": "aliyun", "sms_key_id": "a", "sms_from": "x", "sms_template": "y"}, "sms_key"},
		"unknown variable": {map[string]string{"sms": "http", "sms_url": "https://x.test", "sms_body": "a={{phone}}"}, "sms_body"},
		"neither":          {map[string]string{"sms": "http", "sms_url": "https://x.test", "sms_body": "just words"}, "sms_body"},
		"json by get":      {map[string]string{"sms": "http", "sms_url": "https://x.test", "sms_method": "GET", "sms_body": "{}"}, "sms_body"},
		"class":            {map[string]string{"sms": "http", "sms_url": "https://x.test", "sms_body": "a={{to}}", "sms_errors": "code\n1=fatal"}, "sms_errors"},
		"address":          {map[string]string{"sms": "http", "sms_url": "x.test", "sms_body": "a={{to}}"}, "sms_url"},
		"sign":             {map[string]string{"sms": "http", "sms_url": "https://x.test", "sms_body": "{}", "sms_sign": "aliyun"}, "sms_sign"},
		"callback":         {map[string]string{"callback_url": "https://u:p@x.test", "callback_secret": newSecret()}, "callback_url"},
		"callback secret":  {map[string]string{"callback_url": "https://x.test", "callback_secret": "short"}, "callback_secret"},
		"recordings":       {map[string]string{"recording_auth": "basic", "recording_secret": "u:p"}, "recording_hosts"},
	} {
		problems := checkOut(c.settings)
		if len(problems) != 1 || problems[0].Field != c.field || problems[0].Text.Zh == "" || problems[0].Text.En == "" {
			t.Errorf("%s: %+v, want one of %s", name, problems, c.field)
		}
	}
}

// TestPublishedSignatures: 阿里云's and 腾讯云's own examples.
func TestPublishedSignatures(t *testing.T) {
	// help.aliyun.com, "RPC API 签名机制": DescribeRegions of ECS with testid and testsecret.
	params := []smsPair{{"Timestamp", "2016-02-23T12:46:24Z"}, {"Format", "XML"}, {"AccessKeyId", "testid"}, {"Action", "DescribeRegions"}, {"SignatureMethod", "HMAC-SHA1"},
		{"SignatureNonce", "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf"}, {"Version", "2014-05-26"}, {"SignatureVersion", "1.0"}}
	if got := aliyunSignature("GET", params, "testsecret"); got != "OLeaidS1JvxuMvnyHOwuJ+uX5qY=" {
		t.Errorf("阿里云: %s", got)
	}
	// cloud.tencent.com/document/api/213/30654, "签名方法 v3": DescribeInstances of CVM, signed headers content-type and host.
	body := `{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}`
	got := tencentAuthorization("AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE", "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE", "cvm", "cvm.tencentcloudapi.com", body, time.Unix(1551113065, 0))
	if !strings.HasSuffix(got, "Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168") {
		t.Errorf("腾讯云: %s", got)
	}
}

func TestAnSMSGatewaysAnswerCannotBreakIt(t *testing.T) {
	for _, body := range []string{"", "null", "[]", "OK", "<xml/>", `{"Code":{}}`, `{"Response":[]}`, strings.Repeat("[", 100)} {
		for name := range gateways {
			g := gatewayOf(gateways[name])
			if _, err := g.outcome(200, "", []byte(body)); name != "twilio" && err == nil {
				t.Errorf("%s takes %q for a success", name, body)
			}
		}
	}
}

func TestHintsHoldNoSecret(t *testing.T) {
	e, o := openOffice(t, gateways["twilio"])
	o.SMSKey = "another"
	_, err := e.Conn.Send(context.Background(), answerTo("+8613800138000", "text of the customer", ""))
	told, _ := json.Marshal(connectors.AsSendError(err))
	for _, secret := range []string{"sms-key-of-the-test", "text of the customer", "13800138000"} {
		if strings.Contains(string(told), secret) || strings.Contains(err.Error(), secret) {
			t.Errorf("%q stands in %s", secret, told)
		}
	}
}
