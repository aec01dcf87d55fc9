package telephony

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"hearback/desk"
)

func mustProfile(t testing.TB, text string) *profile {
	t.Helper()
	p, problems := parseProfile(text)
	if len(problems) > 0 {
		t.Fatalf("the profile has problems: %v", problems)
	}
	return p
}

const minimal = `
[[event]]
type = { const = "hangup" }
call_id = "id"
`

func TestShippedProfilesHaveNoProblems(t *testing.T) {
	names := profileNames()
	if len(names) < 6 {
		t.Errorf("only %v are shipped", names)
	}
	for _, name := range names {
		if p := checkProfile(name); len(p) > 0 {
			t.Errorf("%s: %v", name, p)
		}
		p := mustProfile(t, profileText(name))
		if p.Title.Zh == "" || p.Title.En == "" {
			t.Errorf("%s has no title", name)
		}
	}
}

// TestProblemsNameLineAndKey: each profile has one mistake, and the sentence leads to it.
func TestProblemsNameLineAndKey(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"no TOML", "[request\npayload = 1", "line 2"},
		{"unknown key", "[answer]\nbdy = \"{}\"" + minimal, "line 2, answer.bdy: there is no such key"},
		{"unknown section", "[awnser]\nbody = \"{}\"" + minimal, "line 1, awnser"},
		{"payload", "[request]\npayload = \"yaml\"" + minimal, `line 2, request.payload: "yaml" is none of json, form, query, xml`},
		{"method", "[request]\n\nmethods = [\"DELETE\"]" + minimal, "line 3, request.methods"},
		{"zone", "[time]\nzone = \"Asia/Peking\"" + minimal, `line 2, time.zone: zone "Asia/Peking" is not known`},
		{"time format", "[time]\nformat = \"dd.mm.\"" + minimal, "line 2, time.format"},
		{"auth", "[auth]\nkind = \"magic\"" + minimal, "line 2, auth.kind"},
		{"hmac without header", "[auth]\nkind = \"hmac\"" + minimal, "line 1, auth.header: must name the header"},
		{"hmac of the address only", "[auth]\nkind = \"hmac\"\nheader = \"X-S\"\nsigned = \"{url}\"" + minimal, "line 4, auth.signed"},
		{"answer that is a page", "[answer]\ntype = \"text/html\"" + minimal, "line 2, answer.type"},
		{"answer that refuses", "[answer]\nstatus = 500" + minimal, "line 2, answer.status"},
		{"no event", "[call]\ncall_id = \"id\"\n", "event: at least one [[event]] is needed"},
		{"no type", "[[event]]\ncall_id = \"id\"\n", "line 1, event[1]: type is missing"},
		{"no call id", "[[event]]\ntype = { const = \"cdr\" }\n", "line 1, event[1]: call_id is missing"},
		{"unknown field", minimal + "caller = \"x\"\n", "line 5, event[1].caller: there is no such field"},
		{"second event", minimal + "\n[[event]]\ntype = { const = \"cdr\" }\ncall_id = \"id\"\nat = { pth = \"x\" }\n", "line 9, event[2].at.pth: there is no such key"},
		{"word that is none", minimal + "outcome = { path = \"s\", map = { \"1\" = \"lost\" } }\n", `line 5, event[1].outcome: "lost" is none of answered`},
		{"two sources", minimal + "at = { path = \"a\", const = \"b\" }\n", "line 5, event[1].at: exactly one of path, const and template is needed"},
		{"template", minimal + "recording = { template = \"{a}/{b\" }\n", "line 5, event[1].recording.template: its braces do not match"},
		{"condition", minimal + "when = \"x\"\n", "line 5, event[1].when: must be a table"},
		{"conditions for all", "[call]\nwhen = { a = \"1\" }\n" + minimal, "line 2, call.when"},
		{"path too long", minimal + "at = \"" + strings.Repeat("a", 300) + "\"\n", "line 5, event[1].at: a path may have at most 200 bytes"},
		{"empty path", minimal + "at = \"\"\n", "line 5, event[1].at: the path is empty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, problems := parseProfile(c.text)
			if len(problems) != 1 {
				t.Fatalf("%d problems: %v", len(problems), problems)
			}
			if !strings.Contains(problems[0].En, c.want) {
				t.Errorf("told %q, want %q", problems[0].En, c.want)
			}
			if problems[0].Zh == "" || strings.Contains(c.want, "line") != strings.Contains(problems[0].Zh, "行") {
				t.Errorf("in Chinese it is %q", problems[0].Zh)
			}
		})
	}
}

func TestAProfileTooLargeIsRefused(t *testing.T) {
	if _, problems := parseProfile(minimal + "#" + strings.Repeat("x", maxProfileText)); len(problems) != 1 {
		t.Errorf("text: %v", problems)
	}
	if _, problems := parseProfile(strings.Repeat(minimal, maxProfileEvents+1)); len(problems) == 0 {
		t.Error("events are not counted")
	}
}

func TestAnUnknownShippedNameIsNamed(t *testing.T) {
	p := checkProfile("nosuch")
	if len(p) != 1 || !strings.Contains(p[0].Text.En, `no shipped profile "nosuch"`) || !strings.Contains(p[0].Text.En, "vonage") {
		t.Errorf("%v", p)
	}
}

// read maps one JSON body.
func readBody(t *testing.T, p *profile, body string) []report {
	t.Helper()
	out, err := p.read(nil, &request{Method: "POST", Type: "application/json", Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestPathsReachWhatIsThere(t *testing.T) {
	p := mustProfile(t, `
[[event]]
type = { const = "cdr" }
call_id = "call.id"
from = "parties.0.number"
agent = "agents.*.ext"
queue = "a.b"
label = "@query.action"
keys = { path = "keys", split = "," }
text = { path = ["none", "empty", "detail.words"] }
customer = "big"
by = { path = "who", map = { "1" = "agent", "*" = "customer" } }
cause = { path = "none", default = "unknown" }
recording = { template = "https://x.test/{call.id}/{file}" }
`)
	body := `{"call":{"id":4611686018427387905},"parties":[{"number":"101"}],"agents":[{"ext":"8001"},{"ext":8002},{}],"a.b":"with a dot",
		"keys":"1,2,,2","empty":"","detail":"{\"words\":\"inside a text\"}","big":1.38001380e10,"who":7,"file":"r.wav"}`
	out, err := p.read(nil, &request{Method: "POST", Query: "action=cdr", Body: []byte(body)})
	if err != nil || len(out) != 1 {
		t.Fatalf("%v %v", out, err)
	}
	r, e := out[0], out[0].Event
	for what, ok := range map[string]bool{
		"large number": r.Call == "4611686018427387905", "index": e.From == "101", "all": strings.Join(e.Agents, " ") == "8001 8002",
		"dot in a key": e.Queue == "with a dot", "query": e.Label == "cdr", "split": e.Keys == "12", "text in a text": e.Text == "inside a text",
		"exponent": r.Customer == "13800138000", "fallback": e.By == "customer", "default": e.Cause == "unknown",
		"template": r.Recording != nil && r.Recording.Ref == "https://x.test/4611686018427387905/r.wav",
	} {
		if !ok {
			t.Errorf("%s: %+v %+v", what, r, e)
		}
	}
}

func TestHalfATemplateIsNone(t *testing.T) {
	p := mustProfile(t, minimal+`recording = { template = "{host}/{file}" }`)
	if r := readBody(t, p, `{"id":"1","host":"https://x.test"}`); r[0].Recording != nil {
		t.Errorf("%+v", r[0].Recording)
	}
	if r := readBody(t, p, `{"id":"1","host":"https://x.test","file":"{host}"}`); r[0].Recording.Ref != "https://x.test/host" {
		t.Errorf("a value reached another one: %+v", r[0].Recording)
	}
}

func TestTimesOfManyNotations(t *testing.T) {
	want := desk.At(time.Date(2026, 11, 21, 8, 30, 5, 0, time.UTC))
	shanghai, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	for format, texts := range map[string][]string{
		"": {"1795249805", "1795249805000", "1795249805.0", "20261121163005", "2026-11-21 16:30:05", "2026/11/21 16:30:05", "2026-11-21T16:30:05+08:00",
			"2026-11-21T08:30:05Z", "2026-11-21T08:30:05.000+0000", "Sat, 21 Nov 2026 08:30:05 +0000"},
		"unix": {"1795249805"}, "unix_ms": {"1795249805000"}, "rfc3339": {"2026-11-21T16:30:05+08:00"}, "DD.MM.YYYY hh:mm:ss": {"21.11.2026 16:30:05"},
	} {
		for _, s := range texts {
			if got, ok := (profileTime{Zone: shanghai}).parse(format, s); !ok || got != want {
				t.Errorf("%q as %q is %v (%d)", s, format, got, got)
			}
		}
	}
	for _, s := range []string{"", "0", "0000", "null"} {
		if got, ok := (profileTime{}).parse("", s); !ok || got != 0 {
			t.Errorf("%q is %v %v, want no time", s, got, ok)
		}
	}
	for _, s := range []string{"soon", "99999999999999999999", "-1", "2026-13-45 99:00:00"} {
		if _, ok := (profileTime{Zone: shanghai}).parse("", s); ok {
			t.Errorf("%q was read as a time", s)
		}
	}
}

// TestBatchesComeApart: each record of a list is a report of its own whose kept form alone gives the same again.
func TestBatchesComeApart(t *testing.T) {
	for _, c := range []struct{ list, body string }{
		{`list = "data.calls"`, `{"data":{"calls":[{"id":"1","end":100},{"id":"2","end":200}]}}`},
		{`list = "."`, `[{"id":"1","end":100},{"id":"2","end":200}]`},
		{``, `[{"id":"1","end":100},{"id":"2","end":200}]`},
	} {
		p := mustProfile(t, "[request]\n"+c.list+"\n[[event]]\ntype = { const = \"hangup\" }\ncall_id = \"id\"\nended_at = \"end\"\n"+
			"[[event]]\nwhen = { id = \"2\" }\ntype = { const = \"recording\" }\ncall_id = \"id\"\nrecording = \"id\"\n")
		all := readBody(t, p, c.body)
		if len(all) != 3 {
			t.Fatalf("%s gives %d reports", c.body, len(all))
		}
		for _, r := range all {
			again, err := p.read(nil, &request{Method: "POST", Body: r.Raw})
			if err != nil || len(again) != 1 {
				t.Fatalf("%s: %v %v", r.Raw, again, err)
			}
			if again[0].Call != r.Call || again[0].Event.Type != r.Event.Type || again[0].Event.EndedAt != r.Event.EndedAt {
				t.Errorf("kept alone it says %+v, was %+v", again[0], r)
			}
		}
	}
}

func TestPayloadsOfEveryShape(t *testing.T) {
	for payload, r := range map[string]*request{
		"json":  {Method: "POST", Body: []byte(`{"call":{"id":"7"},"status":"end"}`)},
		"form":  {Method: "POST", Body: []byte(`call.id=7&status=end`)},
		"query": {Method: "GET", Query: `call.id=7&status=end`},
		"xml":   {Method: "POST", Body: []byte(`<?xml version="1.0"?><event status="end"><call><id>7</id></call></event>`)},
	} {
		p := mustProfile(t, "[request]\npayload = \""+payload+"\"\n[[event]]\nwhen = { status = [\"end\", \"over\"] }\ntype = { const = \"hangup\" }\ncall_id = \"call.id\"\n")
		out, err := p.read(nil, r)
		if err != nil || len(out) != 1 || out[0].Call != "7" {
			t.Errorf("%s: %v %v", payload, out, err)
		}
	}
}

func TestWhatIsNoPayloadIsRefused(t *testing.T) {
	deep := strings.Repeat(`{"a":`, maxProfileDepth+1) + "1" + strings.Repeat("}", maxProfileDepth+1)
	for _, c := range []struct{ payload, body string }{
		{"json", ""}, {"json", "{"}, {"json", `{"a":1}{"b":2}`}, {"json", deep}, {"xml", "<a>"}, {"xml", "no"},
		{"xml", strings.Repeat("<a>", maxProfileDepth+2) + strings.Repeat("</a>", maxProfileDepth+2)}, {"form", "%zz"},
		{"json", "[" + strings.Repeat("1,", maxProfileRecords) + "1]"},
	} {
		p := mustProfile(t, "[request]\npayload = \""+c.payload+"\"\n"+minimal)
		if _, err := p.read(nil, &request{Method: "POST", Body: []byte(c.body)}); err == nil {
			t.Errorf("%s %.40q was read", c.payload, c.body)
		}
	}
}

func TestConditionsDecide(t *testing.T) {
	rec := profileRecord{tree: map[string]any{"a": "1", "empty": ""}}
	for _, c := range []struct {
		path, want string
		holds      bool
	}{{"a", "1", true}, {"a", "2", false}, {"a", "*", true}, {"a", "!2", true}, {"a", "!1", false}, {"empty", "*", false}, {"empty", "", true}, {"none", "", true},
		{"none", "!1", true}, {"none", "*", false}} {
		if got := rec.holds([]profileCondition{{Path: c.path, Values: []string{c.want}}}); got != c.holds {
			t.Errorf("%s = %q: %v", c.path, c.want, got)
		}
	}
}

// TestProofsOfOrigin: each way to authenticate takes the right proof and refuses a wrong, missing or foreign one.
func TestProofsOfOrigin(t *testing.T) {
	now := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	body := []byte(`{"id":"1"}`)
	d := &door{secret: "user:s3cret", token: "tok", urls: []string{"https://desk.test/c/1"}, now: desk.At(now)}
	mac := func(sum []byte, enc func([]byte) string) string { return enc(sum) }
	h256 := hmac.New(sha256.New, []byte(d.secret))
	h256.Write(body)
	h1 := hmac.New(sha1.New, []byte(d.secret))
	h1.Write([]byte("https://desk.test/c/1" + string(body)))
	h5 := hmac.New(md5.New, []byte(d.secret))
	h5.Write([]byte("t=5\n" + string(body)))
	header := func(kv ...string) http.Header {
		h := http.Header{}
		for i := 0; i+1 < len(kv); i += 2 {
			h.Set(kv[i], kv[i+1])
		}
		return h
	}
	basic := func(user, password string) http.Header {
		r := http.Request{Header: http.Header{}}
		r.SetBasicAuth(user, password)
		return r.Header
	}
	for _, c := range []struct {
		name string
		auth profileAuth
		good http.Header
		bad  http.Header
	}{
		{"basic", profileAuth{Kind: "basic"}, basic("user", "s3cret"), basic("user", "other")},
		{"header", profileAuth{Kind: "header", Header: "X-Key", Prefix: "Key "}, header("X-Key", "Key user:s3cret"), header("X-Key", "user:s3cret")},
		{"hmac hex", profileAuth{Kind: "hmac", Header: "X-Sig", Algorithm: "sha256", Encoding: "hex", Prefix: "sha256=", Signed: "{body}"},
			header("X-Sig", "sha256="+mac(h256.Sum(nil), hex.EncodeToString)), header("X-Sig", "sha256="+strings.Repeat("0", 64))},
		{"hmac of the address", profileAuth{Kind: "hmac", Header: "X-Sig", Algorithm: "sha1", Encoding: "base64", Signed: "{url}{body}"},
			header("X-Sig", mac(h1.Sum(nil), base64.StdEncoding.EncodeToString)), header("X-Sig", "AAAA")},
		{"hmac with a header", profileAuth{Kind: "hmac", Header: "X-Sig", Algorithm: "md5", Encoding: "hex", Signed: "t={header.X-T}\n{body}"},
			header("X-Sig", mac(h5.Sum(nil), hex.EncodeToString), "X-T", "5"), header("X-Sig", mac(h5.Sum(nil), hex.EncodeToString), "X-T", "6")},
		{"jwt", profileAuth{Kind: "jwt"}, header("Authorization", "Bearer "+testJWT(d.secret, `{"alg":"HS256"}`, now, body)),
			header("Authorization", "Bearer "+testJWT(d.secret, `{"alg":"none"}`, now, body))},
		{"old jwt", profileAuth{Kind: "jwt"}, header("Authorization", "Bearer "+testJWT(d.secret, `{"alg":"HS256"}`, now.Add(-4*time.Minute), body)),
			header("Authorization", "Bearer "+testJWT(d.secret, `{"alg":"HS256"}`, now.Add(-6*time.Minute), body))},
		{"jwt of another body", profileAuth{Kind: "jwt"}, header("Authorization", "Bearer "+testJWT(d.secret, `{"alg":"HS256"}`, now, body)),
			header("Authorization", "Bearer "+testJWT(d.secret, `{"alg":"HS256"}`, now, []byte("other")))},
		{"jwt of another secret", profileAuth{Kind: "jwt"}, header("Authorization", "Bearer "+testJWT(d.secret, `{"alg":"HS256"}`, now, body)),
			header("Authorization", "Bearer "+testJWT("other", `{"alg":"HS256"}`, now, body))},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.auth.verify(d, &request{Header: c.good, Body: body}); err != nil {
				t.Errorf("the right proof is refused: %v", err)
			}
			for what, h := range map[string]http.Header{"wrong": c.bad, "missing": {}} {
				if err := c.auth.verify(d, &request{Header: h, Body: body}); err == nil {
					t.Errorf("a %s proof is taken", what)
				}
			}
			if err := c.auth.verify(&door{now: d.now, urls: d.urls}, &request{Header: c.good, Body: body}); err == nil {
				t.Error("without a secret everything is taken")
			}
		})
	}
}

func TestTokensOfTheAddress(t *testing.T) {
	a := profileAuth{Kind: "token"}
	if a.verify(&door{tokenSeen: true}, &request{}) != nil || a.verify(&door{}, &request{}) == nil {
		t.Error("the door's word does not count")
	}
	a.Query = "key"
	if a.verify(&door{token: "t"}, &request{Query: "key=t"}) != nil {
		t.Error("the right parameter is refused")
	}
	if a.verify(&door{token: "t"}, &request{Query: "key=u"}) == nil || a.verify(&door{tokenSeen: true}, &request{Query: "key="}) == nil {
		t.Error("a wrong parameter is taken")
	}
}

func testJWT(secret, head string, at time.Time, body []byte) string {
	sum := sha256.Sum256(body)
	raw := base64.RawURLEncoding
	token := raw.EncodeToString([]byte(head)) + "." + raw.EncodeToString([]byte(`{"iat":`+strconv.FormatInt(at.Unix(), 10)+`,"payload_hash":"`+hex.EncodeToString(sum[:])+`"}`))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(token))
	return token + "." + raw.EncodeToString(mac.Sum(nil))
}

// FuzzProfile feeds profiles and payloads of any kind: neither may panic, and what is accepted must be complete.
func FuzzProfile(f *testing.F) {
	for _, name := range profileNames() {
		f.Add(profileText(name), []byte(`{"status":"completed","uuid":"1","from":"a"}`), "cdr_main_unique_id=1&cdr_status=28&cdr_end_time=5")
	}
	f.Add(minimal, []byte(`[{"id":1},{"id":[2,3]}]`), "")
	f.Add("[request]\npayload = \"xml\"\nlist=\"a.*\"\n"+minimal, []byte(`<a><b id="1"/><b><id>2</id></b></a>`), "a=b")
	f.Fuzz(func(t *testing.T, text string, body []byte, query string) {
		p, problems := parseProfile(text)
		if len(problems) > 0 {
			for _, s := range problems {
				if s.En == "" || s.Zh == "" {
					t.Error("a problem without words")
				}
			}
			return
		}
		reports, err := p.read(nil, &request{Method: "POST", Body: body, Query: query})
		if err != nil {
			return
		}
		for _, r := range reports {
			if r.Call == "" || r.Event.Type == "" {
				t.Errorf("a report without call or type: %+v", r)
			}
		}
	})
}
