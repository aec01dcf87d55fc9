package telephony

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"hearback/connectors"
	"hearback/connectors/connectortest"
	"hearback/connectors/telephony/pbx"
	"hearback/desk"
)

// fetch gets a recording whole.
func fetch(t *testing.T, settings map[string]string, ref string) ([]byte, string, error) {
	t.Helper()
	e := connectortest.OpenChannel(t, Kind, connectortest.NewHouse(t), withSecret(settings))
	body, typ, err := e.Conn.(connectors.Fetcher).Fetch(context.Background(), ref)
	if err != nil {
		return nil, "", err
	}
	defer body.Close()
	b, err := io.ReadAll(body)
	return b, typ, err
}

func withSecret(settings map[string]string) map[string]string {
	out := map[string]string{"secret": newSecret(), "token": "0123456789abcdef0123"}
	for k, v := range settings {
		out[k] = v
	}
	return out
}

func host(t *testing.T, address string) string {
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

func TestARecordingIsFetchedWithItsLogin(t *testing.T) {
	o := &pbx.Office{Login: "rec:s3cret-of-recordings"}
	at := connectortest.NewProvider(t, o.ServeHTTP)
	settings := map[string]string{"recording_auth": "basic", "recording_secret": o.Login, "recording_hosts": host(t, at), "recording_base": at}
	for _, ref := range []string{at + "/recordings/1.wav", "recordings/1.wav", "/recordings/1.wav?x=1"} {
		sound, typ, err := fetch(t, settings, ref)
		if err != nil || typ != "audio/wav" || !bytes.Equal(sound, pbx.WAV(3*time.Second)) {
			t.Errorf("%s: %d bytes of %s, %v", ref, len(sound), typ, err)
		}
	}
	delete(settings, "recording_hosts")
	if _, _, err := fetch(t, settings, at+"/recordings/1.wav"); err == nil {
		t.Error("the password went to a host nobody named")
	}
}

func TestTwiliosRecordingsAreFetchedWithTheAuthToken(t *testing.T) {
	var got string
	at := connectortest.NewProvider(t, func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		got = user + ":" + password
		w.Write(pbx.WAV(time.Second))
	})
	settings := map[string]string{"format": "twilio", "secret": "auth-token-of-twilio", "recording_hosts": host(t, at)}
	if _, _, err := fetch(t, settings, at+"/2010-04-01/Accounts/AC7/Recordings/RE1"); err != nil || got != "AC7:auth-token-of-twilio" {
		t.Errorf("%q %v", got, err)
	}
	delete(settings, "recording_hosts")
	if _, _, err := fetch(t, settings, at+"/2010-04-01/Accounts/AC7/Recordings/RE1"); err != nil || got != ":" {
		t.Errorf("the auth token went to a host that is not Twilio's: %q %v", got, err)
	}
}

func TestCredentialsStayWithTheirHost(t *testing.T) {
	var leaked string
	elsewhere := connectortest.NewProvider(t, func(w http.ResponseWriter, r *http.Request) {
		leaked = r.Header.Get("Authorization")
		w.Write(pbx.WAV(time.Second))
	})
	at := connectortest.NewProvider(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere+"/x.wav", http.StatusFound)
	})
	settings := map[string]string{"recording_auth": "bearer", "recording_secret": "bearer-of-recordings", "recording_hosts": host(t, at)}
	if _, typ, err := fetch(t, settings, at+"/1.wav"); err != nil || typ != "audio/wav" || leaked != "" {
		t.Errorf("%s %v; the other host got %q", typ, err, leaked)
	}
}

func TestWhatNeverComesIsGivenUpAndTheRestTriedAgain(t *testing.T) {
	for _, c := range []struct {
		name  string
		serve http.HandlerFunc
		class connectors.Class
		code  string
	}{
		{"gone", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) }, connectors.Permanent, "http_410"},
		{"not there", http.NotFound, connectors.Permanent, "http_404"},
		{"expired", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, connectors.Credentials, "http_403"},
		{"busy", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }, connectors.Transient, "http_503"},
		{"not ready", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"code":404,"msg":"processing"}`) }, connectors.Transient, "no_audio"},
		{"log-in page", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "audio/mpeg")
			io.WriteString(w, "<!DOCTYPE html><html>log in</html>")
		}, connectors.Transient, "no_audio"},
		{"too big", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "3000000")
			w.Write(pbx.WAV(time.Second))
		}, connectors.Permanent, "too_big"},
		{"endless circle", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/again", http.StatusFound) }, connectors.Transient, ""},
	} {
		at := connectortest.NewProvider(t, c.serve)
		_, _, err := fetch(t, map[string]string{"recording_max_mb": "2"}, at+"/1.wav?secret=in-the-link")
		got := connectors.AsSendError(err)
		if err == nil || got.Class != c.class || got.Code != c.code || strings.Contains(err.Error(), "in-the-link") {
			t.Errorf("%s: %v, want %s %s", c.name, err, c.class, c.code)
		}
	}
}

func TestARecordingThatGrowsTooBigIsCutOff(t *testing.T) {
	at := connectortest.NewProvider(t, func(w http.ResponseWriter, _ *http.Request) {
		w.(http.Flusher).Flush()
		w.Write(pbx.WAV(70 * time.Second)) // 1.1 MB without a length
	})
	_, _, err := fetch(t, map[string]string{"recording_max_mb": "1"}, at)
	if got := connectors.AsSendError(err); err == nil || got.Class != connectors.Permanent || got.Code != "too_big" {
		t.Errorf("%v", err)
	}
}

func TestOnlyWebAddressesAreFetched(t *testing.T) {
	for _, ref := range []string{"", "file:///etc/passwd", "ftp://x.test/a", "1.wav", "://", "http://"} {
		_, _, err := fetch(t, nil, ref)
		if got := connectors.AsSendError(err); err == nil || got.Class != connectors.Permanent || got.Code != "bad_address" {
			t.Errorf("%q: %v", ref, err)
		}
	}
}

func TestSoundIsKnownByItsFirstBytes(t *testing.T) {
	for head, want := range map[string]string{"#!AMR\n": "audio/amr", "#!AMR-WB\n": "audio/amr-wb", "ID3\x03": "audio/mpeg", "\xff\xfb\x90": "audio/mpeg", "OggS": "audio/ogg",
		"RIFF\x00\x00\x00\x00WAVEfmt ": "audio/wav", "\x00\x00\x00\x20ftypM4A ": "audio/mp4", "fLaC": "audio/flac", "<html>": "", "{}": "", "": "", "plain words": ""} {
		if got := audioType([]byte(head), ""); got != want {
			t.Errorf("%q is %q, want %q", head, got, want)
		}
	}
	if got := audioType([]byte{1, 2, 3, 0}, "audio/G722; rate=8000"); got != "audio/g722" {
		t.Errorf("a declared type is not taken: %q", got)
	}
}

func smsPost(t *testing.T, e *connectortest.Env, path, body string, header map[string]string) int {
	t.Helper()
	req, err := http.NewRequest("POST", e.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for k, v := range header {
		req.Header.Set(k, v)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode
}

func decodeAll(t *testing.T, e *connectortest.Env) (out []desk.Inbound) {
	t.Helper()
	for _, env := range e.House.Inbox.Envelopes() {
		in, err := Decode(env)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, in...)
	}
	return out
}

func TestACustomersSMSBecomesAMessage(t *testing.T) {
	e, _ := openOffice(t, gateways["twilio"])
	key, public := "sms-key-of-the-test", "http://desk.test/c/"+e.Channel.ID+"/sms"
	text := url.Values{"MessageSid": {"SM1"}, "From": {"+8613800138000"}, "To": {"+15005550006"}, "Body": {"我的退款呢？"}, "NumMedia": {"1"}}.Encode()
	report := url.Values{"MessageSid": {"SM2"}, "MessageStatus": {"undelivered"}, "To": {"+8613800138000"}, "ErrorCode": {"30006"}}.Encode()
	for _, body := range []string{text, text, report} {
		if got := smsPost(t, e, "/sms", body, pbx.TwilioHeader(key, public, body)); got != 200 {
			t.Fatalf("status %d", got)
		}
	}
	if got := smsPost(t, e, "/sms", text, pbx.TwilioHeader("other", public, text)); got != 401 {
		t.Errorf("a forged message is answered %d", got)
	}
	all := decodeAll(t, e)
	if len(all) != 2 {
		t.Fatalf("%d inbounds: %+v", len(all), all)
	}
	if m := all[0]; m.From.Value != "+8613800138000" || m.From.Type != "phone" || !m.From.Verified || m.Text != "我的退款呢？" || len(m.Repairs) != 1 {
		t.Errorf("%+v", m)
	}
	if r := all[1].Receipt; r == nil || r.ExternalIDs[0] != "SM2" || r.State != desk.DeliveryFailed || r.Code != "30006" || r.Hint == "" {
		t.Errorf("%+v", all[1])
	}
}

func TestTwiliosMessagesComeToTheChannelsOwnAddressToo(t *testing.T) {
	e, _ := openCentre(t, "twilio", nil)
	body := url.Values{"MessageSid": {"SM1"}, "From": {"+8613800138000"}, "Body": {"hi"}}.Encode()
	if got := smsPost(t, e, "", body, pbx.TwilioHeader("s3cret-of-the-provider", "http://desk.test/c/"+e.Channel.ID, body)); got != 200 {
		t.Fatalf("status %d", got)
	}
	if all := decodeAll(t, e); len(all) != 1 || all[0].Text != "hi" {
		t.Errorf("%+v", all)
	}
}

func TestReportsOfChineseGatewaysAreReceipts(t *testing.T) {
	for gateway, c := range map[string]struct{ body, answer string }{
		"aliyun": {`[{"phone_number":"13800138000","send_time":"2026-11-21 16:30:05","success":true,"err_code":"DELIVERED","biz_id":"b1","out_id":"m1"},` +
			`{"phone_number":"13900139000","success":false,"err_code":"MK:0001","biz_id":"b2"},{"phone_number":"13800138000","content":"收到","send_time":"2026-11-21 16:31:00","sequence_id":9}]`, ""},
		"tencent": {`[{"user_receive_time":"2026-11-21 08:03:04","nationcode":"86","mobile":"13800138000","report_status":"SUCCESS","errmsg":"DELIVRD","sid":"b1"},` +
			`{"nationcode":"86","mobile":"13900139000","report_status":"FAIL","errmsg":"MK:0001","sid":"b2"},{"nationcode":"86","mobile":"13800138000","text":"收到","time":1795249805}]`, ""},
	} {
		e, _ := openOffice(t, gateways[gateway])
		if got := smsPost(t, e, "/sms/wrong", c.body, nil); got != 401 {
			t.Errorf("%s: a wrong token is answered %d", gateway, got)
		}
		if got := smsPost(t, e, "/sms/0123456789abcdef0123", c.body, nil); got != 200 {
			t.Errorf("%s: %d", gateway, got)
		}
		all := decodeAll(t, e)
		if len(all) != 3 || all[0].Receipt == nil || all[0].Receipt.State != desk.DeliveryDelivered || all[1].Receipt == nil || all[1].Receipt.State != desk.DeliveryFailed ||
			all[2].Text != "收到" || all[2].From.Value != "+8613800138000" || all[2].SentAt == 0 {
			t.Errorf("%s: %+v", gateway, all)
		}
	}
}

// FuzzSMS feeds what gateways post: nothing may panic, and a message has a sender.
func FuzzSMS(f *testing.F) {
	f.Add("twilio", []byte("MessageSid=SM1&From=%2B8613800138000&Body=hi"))
	f.Add("aliyun", []byte(`[{"phone_number":"13800138000","success":true,"biz_id":"b1"}]`))
	f.Add("tencent", []byte(`{"mobile":"1","text":"x","time":5}`))
	c := &Connector{ch: desk.Channel{Settings: map[string]string{}}, set: readSettings(nil)}
	f.Fuzz(func(t *testing.T, gateway string, body []byte) {
		envelopes, err := c.smsEnvelopes(gateway, &request{Body: body})
		if err != nil {
			return
		}
		for _, e := range envelopes {
			if e.ExternalID == "" || e.Sender == "" {
				t.Errorf("an envelope without name: %+v", e)
			}
			all, err := decodeSMS(e)
			if err != nil {
				continue
			}
			for _, in := range all {
				if in.Type == desk.EnvelopeMessage && in.From.Value == "" {
					t.Errorf("a message of nobody: %+v", in)
				}
			}
		}
	})
}
