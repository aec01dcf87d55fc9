package web

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

func built() fstest.MapFS {
	return fstest.MapFS{
		".gitkeep":                  {},
		"index.html":                {Data: []byte("<!doctype html><title>console</title>")},
		"assets/app-B3xk9Qa1.js":    {Data: []byte(strings.Repeat("export const a = 1;\n", 50))},
		"assets/app-B3xk9Qa1.js.gz": {Data: []byte("gzip bytes")},
		"assets/app-B3xk9Qa1.js.br": {Data: []byte("brotli")},
		"favicon.svg":               {Data: []byte("<svg xmlns='http://www.w3.org/2000/svg'/>")},
		"sw.js":                     {Data: []byte("self.addEventListener('push', () => {});")},
		"widget.js":                 {Data: []byte("loader")},
		"widget/app.js":             {Data: []byte("app")},
		"widget/app.css":            {Data: []byte("a{}")},
	}
}

func site(t *testing.T, o Options) http.Handler {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s.Handler()
}

// get asks h; headers are name, value, name, value.
func get(h http.Handler, target string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", target, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const browser = "text/html,application/xhtml+xml,*/*;q=0.8"

func TestEveryScreenOfTheConsoleGetsTheIndex(t *testing.T) {
	h := site(t, Options{Files: built()})
	for _, path := range []string{"/", "/tickets/0190", "/admin/channels", "/contacts", "/index.html"} {
		w := get(h, path, "Accept", browser)
		if w.Code != 200 || !strings.Contains(w.Body.String(), "console") {
			t.Errorf("%s: %d %q", path, w.Code, w.Body)
		}
		if w.Header().Get("Cache-Control") != ask || w.Header().Get("ETag") == "" {
			t.Errorf("%s: cached as %q with tag %q", path, w.Header().Get("Cache-Control"), w.Header().Get("ETag"))
		}
	}
}

func TestProgramsNeverGetOurPageForTheirAnswer(t *testing.T) {
	h := site(t, Options{Files: built()})
	for _, path := range []string{"/api/v1/none", "/c/none/", "/c/none", "/t/none", "/ws", "/assets/gone-12345678.js", "/widget/none.js", "/openapi.json"} {
		if w := get(h, path, "Accept", browser); w.Code != 404 {
			t.Errorf("%s: %d, want 404", path, w.Code)
		}
	}
	if w := get(h, "/tickets", "Accept", "application/json"); w.Code != 404 {
		t.Errorf("a screen asked for as JSON: %d, want 404", w.Code)
	}
	r := httptest.NewRequest("POST", "/", nil)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d allow %q", w.Code, w.Header().Get("Allow"))
	}
}

func TestPagesRunOnlyOurScriptsAndAreNotFramed(t *testing.T) {
	h := site(t, Options{Files: built(), PublicURL: "https://desk.example.com", DemoChannel: func() string { return "0190" }})
	for _, path := range []string{"/", "/demo"} {
		hd := get(h, path, "Accept", browser).Header()
		csp := hd.Get("Content-Security-Policy")
		for _, want := range []string{"script-src 'self';", "base-uri 'none'", "frame-ancestors 'none'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: policy %q misses %q", path, csp, want)
			}
		}
		if strings.Contains(csp, "unsafe-eval") || regexp.MustCompile(`script-src[^;]*unsafe-inline`).MatchString(csp) {
			t.Errorf("%s: policy %q lets foreign scripts run", path, csp)
		}
		if hd.Get("X-Content-Type-Options") != "nosniff" || hd.Get("X-Frame-Options") != "DENY" || hd.Get("Referrer-Policy") == "" {
			t.Errorf("%s: headers %v", path, hd)
		}
	}
	if csp := get(h, "/", "Accept", browser).Header().Get("Content-Security-Policy"); !strings.Contains(csp, "wss://desk.example.com;") {
		t.Errorf("policy %q does not name the socket", csp)
	}
	if csp := policy("https://a.example;script-src *"); strings.Contains(csp, "script-src *") {
		t.Errorf("a public URL changed the policy: %q", csp)
	}
}

func TestFilesAreServedInTheFormTheClientTakes(t *testing.T) {
	h := site(t, Options{Files: built()})
	const path = "/assets/app-B3xk9Qa1.js"
	cases := []struct{ accept, coding, body string }{
		{"gzip, deflate, br", "br", "brotli"},
		{"gzip", "gzip", "gzip bytes"},
		{"br;q=0, gzip;q=0.5", "gzip", "gzip bytes"},
		{"GZIP", "gzip", "gzip bytes"},
		{"identity", "", strings.Repeat("export const a = 1;\n", 50)},
		{"", "", strings.Repeat("export const a = 1;\n", 50)},
		{"br;q=nonsense", "", strings.Repeat("export const a = 1;\n", 50)},
	}
	for _, c := range cases {
		w := get(h, path, "Accept-Encoding", c.accept)
		if w.Header().Get("Content-Encoding") != c.coding || w.Body.String() != c.body || w.Header().Get("Content-Length") != fmt.Sprint(len(c.body)) {
			t.Errorf("%q: coding %q, length %s, %d bytes", c.accept, w.Header().Get("Content-Encoding"), w.Header().Get("Content-Length"), w.Body.Len())
		}
		if w.Header().Get("Vary") != "Accept-Encoding" || w.Header().Get("Content-Type") != "text/javascript; charset=utf-8" {
			t.Errorf("%q: headers %v", c.accept, w.Header())
		}
	}
	if w := get(h, path+".gz"); w.Code != 404 {
		t.Errorf("the packed form under its own name: %d, want 404", w.Code)
	}
}

func TestWhatIsTheSameIsNotSentAgain(t *testing.T) {
	h := site(t, Options{Files: built()})
	for path, cache := range map[string]string{"/assets/app-B3xk9Qa1.js": forever, "/widget.js": shortly, "/widget/app.js": ask, "/sw.js": ask} {
		first := get(h, path, "Accept-Encoding", "gzip")
		tag := first.Header().Get("ETag")
		if first.Header().Get("Cache-Control") != cache {
			t.Errorf("%s: cached as %q, want %q", path, first.Header().Get("Cache-Control"), cache)
		}
		for _, have := range []string{tag, "W/" + tag, `"other", ` + tag, "*"} {
			if w := get(h, path, "If-None-Match", have); w.Code != 304 || w.Body.Len() != 0 {
				t.Errorf("%s with %s: %d and %d bytes, want 304", path, have, w.Code, w.Body.Len())
			}
		}
		if w := get(h, path, "If-None-Match", `"other"`); w.Code != 200 {
			t.Errorf("%s, changed: %d, want 200", path, w.Code)
		}
	}
}

func TestOnlyTheLoaderMayBeLoadedByOthers(t *testing.T) {
	h := site(t, Options{Files: built()})
	if got := get(h, "/widget.js").Header().Get("Cross-Origin-Resource-Policy"); got != "cross-origin" {
		t.Errorf("loader: %q", got)
	}
	for _, path := range []string{"/widget/app.js", "/favicon.svg", "/sw.js"} {
		if got := get(h, path).Header().Get("Cross-Origin-Resource-Policy"); got != "same-origin" {
			t.Errorf("%s: %q", path, got)
		}
	}
	if csp := get(h, "/sw.js").Header().Get("Content-Security-Policy"); csp != "" {
		t.Errorf("a worker script runs under its own policy and must not get %q", csp)
	}
}

func TestABinaryWithoutTheBuildSaysSo(t *testing.T) {
	h := site(t, Options{Files: fstest.MapFS{".gitkeep": {}}})
	w := get(h, "/", "Accept", browser)
	if w.Code != 503 || !strings.Contains(w.Body.String(), "make build") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := get(h, "/widget.js"); w.Code != 404 {
		t.Errorf("loader without a build: %d, want 404", w.Code)
	}
}

func TestTheDemoShopNeedsAChannelAndSpeaksBothLanguages(t *testing.T) {
	id := ""
	h := site(t, Options{Files: built(), DemoChannel: func() string { return id }})
	if w := get(h, "/demo"); w.Code != 404 {
		t.Errorf("without a channel: %d, want 404", w.Code)
	}
	id = "0190b8a0-0000-7000-8000-000000000001"
	for lang, want := range map[string]string{"zh-CN,zh;q=0.9": "回音小店", "en-GB": "Echo Goods"} {
		w := get(h, "/demo", "Accept-Language", lang)
		if w.Code != 200 || !strings.Contains(w.Body.String(), want) || !strings.Contains(w.Body.String(), `data-channel="`+id+`"`) {
			t.Errorf("%s: %d", lang, w.Code)
		}
	}
	if !strings.Contains(get(h, "/demo?lang=en", "Accept-Language", "zh").Body.String(), "Echo Goods") {
		t.Error("?lang=en did not decide")
	}
	for path, code := range map[string]int{"/demo/shop.css": 200, "/demo/shop.js": 200, "/demo/shop.html": 404, "/demo/none": 404} {
		if w := get(h, path); w.Code != code {
			t.Errorf("%s: %d, want %d", path, w.Code, code)
		}
	}
	id = `"><script>`
	if w := get(h, "/demo"); w.Code != 404 {
		t.Errorf("an id that is none: %d, want 404", w.Code)
	}
}

// packed is how many bytes a browser that takes gzip receives.
func packed(t *testing.T, h http.Handler, path string) int {
	t.Helper()
	w := get(h, path, "Accept-Encoding", "gzip")
	if w.Code != 200 || w.Header().Get("Content-Encoding") != "gzip" {
		t.Fatalf("%s is not built (status %d, coding %q): run `make build`", path, w.Code, w.Header().Get("Content-Encoding"))
	}
	r, err := gzip.NewReader(w.Body)
	size := w.Body.Len()
	if err == nil {
		_, err = io.Copy(io.Discard, r)
	}
	if err != nil {
		t.Fatalf("%s: not gzip: %v", path, err)
	}
	return size
}

func TestTheWidgetStaysUnder15KB(t *testing.T) {
	h := site(t, Options{})
	loader, app, style := packed(t, h, "/widget.js"), packed(t, h, "/widget/app.js"), packed(t, h, "/widget/app.css")
	t.Logf("loader %d + app %d + style %d = %d bytes", loader, app, style, loader+app+style)
	if sum := loader + app + style; sum > 15<<10 {
		t.Errorf("the widget has %d bytes, the limit is %d", sum, 15<<10)
	}
	if loader > 2<<10 {
		t.Errorf("the loader has %d bytes, the limit is %d", loader, 2<<10)
	}
}

// firstScript matches what index.html makes a browser load before anything is shown.
var firstScript = regexp.MustCompile(`(?:<script[^>]*\ssrc|<link[^>]*rel="modulepreload"[^>]*\shref)="(/[^"]+\.js)"`)

func TestTheConsolesFirstScriptStaysUnder150KB(t *testing.T) {
	h := site(t, Options{})
	w := get(h, "/", "Accept", browser)
	if w.Code != 200 {
		t.Fatal("the console is not built: run `make build`")
	}
	sum := 0
	for _, m := range firstScript.FindAllStringSubmatch(w.Body.String(), -1) {
		size := len(get(h, m[1]).Body.Bytes())
		if size > 1000 {
			size = packed(t, h, m[1])
		}
		t.Logf("%s %d bytes", m[1], size)
		sum += size
	}
	if sum == 0 {
		t.Fatal("index.html names no script")
	}
	if sum > 150<<10 {
		t.Errorf("the first load has %d bytes of script, the limit is %d", sum, 150<<10)
	}
}

func FuzzAcceptEncodingPicksOnlyWhatIsThere(f *testing.F) {
	for _, s := range []string{"gzip, br", "br;q=0", "*", "gzip;q=0.001;x", ",;=,", "identity;q=1, *;q=0", "gzip;q=1e9"} {
		f.Add(s)
	}
	have := map[string]int64{"gzip": 10, "br": 8}
	f.Fuzz(func(t *testing.T, accept string) {
		got := pick(accept, have)
		if _, ok := have[got]; got != "" && !ok {
			t.Errorf("%q: picked %q", accept, got)
		}
		if got != "" && !strings.Contains(strings.ToLower(accept), got) {
			t.Errorf("%q: picked %q, which was not named", accept, got)
		}
	})
}

func FuzzIfNoneMatchNeverMatchesForeignContent(f *testing.F) {
	for _, s := range []string{`"abc"`, `W/"abc-br"`, `*`, `"x", "abc-gzip"`, `"`, `W/`, `,,`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		if matches(header, "abc") && !strings.Contains(header, "abc") && !strings.Contains(header, "*") {
			t.Errorf("%q matched", header)
		}
	})
}
