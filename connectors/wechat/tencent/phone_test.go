package tencent

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A visitor drives the phone page's API.
type visitor struct {
	t    *testing.T
	base string
}

func newVisitor(t *testing.T, w *world) *visitor {
	phone, err := NewPhone(w.Tencent, "wxb11529c136998cb6", "/demo/wechat", "回音小店", "Echo Goods")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(phone)
	t.Cleanup(server.Close)
	return &visitor{t, server.URL + "/demo/wechat"}
}

func (v *visitor) do(method, path, body string, out any) int {
	v.t.Helper()
	req, err := http.NewRequest(method, v.base+path, strings.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	if out != nil && res.StatusCode == 200 {
		if err := json.Unmarshal(b, out); err != nil {
			v.t.Errorf("%s: %v: %s", path, err, b)
		}
	}
	return res.StatusCode
}

func TestAVisitorOfThePageIsACustomer(t *testing.T) {
	w := newWorld(t)
	v := newVisitor(t, w)
	var me struct{ Customer string }
	v.do("POST", "/customers", `{"name":"小林"}`, &me)
	var sent struct {
		MsgID string
		Taken bool
	}
	v.do("POST", "/say", `{"customer":"`+me.Customer+`","text":"在吗"}`, &sent)
	if !sent.Taken || sent.MsgID == "" {
		t.Errorf("say answered %+v", sent)
	}
	v.do("POST", "/image?customer="+me.Customer, "", nil)
	v.do("POST", "/voice", `{"customer":"`+me.Customer+`","text":"箱子裂了"}`, nil)
	w.post("/cgi-bin/message/custom/send?access_token="+w.token(false), sendText(w.Customer("wxb11529c136998cb6", me.Customer), "在的"))
	var s screenView
	v.do("GET", "/screen?customer="+me.Customer, "", &s)
	var kinds []string
	for _, l := range s.Lines {
		kinds = append(kinds, l.From+" "+l.Type)
	}
	if got := strings.Join(kinds, ","); got != "customer text,customer image,customer voice,account text" || s.Remaining != 4 || !s.Followed {
		t.Errorf("the phone shows %s, %d left", got, s.Remaining)
	}
	if code := v.do("GET", "/media?line=1&customer="+me.Customer, "", nil); code != 200 {
		t.Errorf("picture: %d", code)
	}
}

func TestThePageRefusesWhatItCannotUse(t *testing.T) {
	v := newVisitor(t, newWorld(t))
	const me = "oAbcdefgh12345678"
	for path, c := range map[string]struct {
		body string
		want int
	}{
		"/say": {`not json`, 400}, "/voice": {`{"customer":"<b>"}`, 400}, "/image?customer=" + me: {"<svg></svg>", 415},
		"/choose": {strings.Repeat(" ", 70<<10), 400}, "/nothing": {"", 404},
	} {
		if got := v.do("POST", path, c.body, nil); got != c.want {
			t.Errorf("%s: %d, want %d", path, got, c.want)
		}
	}
	if got := v.do("GET", "/media?line=7&customer="+me, "", nil); got != 404 {
		t.Errorf("a line that is not there: %d", got)
	}
}

func TestThePageSpeaksTheBrowsersLanguageAndRunsNoForeignScript(t *testing.T) {
	v := newVisitor(t, newWorld(t))
	for lang, want := range map[string]string{"zh-CN": "扮演一位微信客户", "en-GB": "Be a WeChat customer", "": "扮演一位微信客户"} {
		req, _ := http.NewRequest("GET", v.base, nil)
		req.Header.Set("Accept-Language", lang)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if !strings.Contains(string(b), want) || !strings.Contains(res.Header.Get("Content-Security-Policy"), "script-src 'self'") {
			t.Errorf("%q: the page has not %q, or no policy", lang, want)
		}
	}
}
