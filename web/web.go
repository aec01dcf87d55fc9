package web

import (
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"
)

const (
	forever = "public, max-age=31536000, immutable"
	ask     = "no-cache"            // keep it, but ask whether it is still the same
	shortly = "public, max-age=300" // the loader: a shop's visitors ask at most every five minutes
)

// Options is what the site needs to know. The zero value serves the console and the widget.
type Options struct {
	PublicURL   string        // https://desk.example.com; its socket address is allowed to scripts for browsers whose 'self' has none
	DemoChannel func() string // id of the web-chat channel of the demo shop at /demo; nil or "": no demo
	Files       fs.FS         // what the build made; nil: what is embedded
}

// A Site serves the browser's part.
type Site struct {
	tree   fs.FS
	files  map[string]*file
	demo   *demo
	policy string
}

// New reads what is embedded. It fails only on a broken binary, not on a missing build.
func New(o Options) (*Site, error) {
	tree := o.Files
	if tree == nil {
		tree, _ = fs.Sub(embedded, "dist") // the name is valid
	}
	files, err := index(tree)
	if err != nil {
		return nil, fmt.Errorf("open site: %w", err)
	}
	d, err := newDemo(o.DemoChannel)
	if err != nil {
		return nil, fmt.Errorf("open site: %w", err)
	}
	return &Site{tree: tree, files: files, demo: d, policy: policy(o.PublicURL)}, nil
}

// Built tells whether the console was built into this binary.
func (s *Site) Built() bool { return s.files["index.html"] != nil }

// Handler serves GET and HEAD of everything that is no API. Mount it last, at "/".
func (s *Site) Handler() http.Handler { return http.HandlerFunc(s.serve) }

func (s *Site) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/")
	switch f := s.files[name]; {
	case name == "widget.js" && f != nil:
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		h.Set("Access-Control-Allow-Origin", "*")
		serve(w, r, s.tree, f, shortly)
	case name == "demo" || strings.HasPrefix(name, "demo/"):
		s.demo.serve(w, r, strings.TrimPrefix(strings.TrimPrefix(name, "demo"), "/"))
	case f != nil && name != "index.html":
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if path.Ext(name) == ".svg" { // A drawing opened on its own is a page: it may do nothing.
			h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
		}
		serve(w, r, s.tree, f, cacheOf(f))
	case isPage(name, r):
		s.page(w, r)
	default:
		http.Error(w, "not found", http.StatusNotFound)
	}
}

func cacheOf(f *file) string {
	if f.hashed {
		return forever
	}
	return ask
}

// isPage tells whether a browser asks for a screen of the console. What belongs to others and was not found there stays not
// found: a program must never take our page for its answer.
func isPage(name string, r *http.Request) bool {
	for _, other := range []string{"api/", "c/", "t/", "ws/", "assets/", "widget/", "widget.js/", "metrics/", "livez/", "readyz/", "openapi.json/",
		"openapi.yaml/", "docs/"} {
		if strings.HasPrefix(name+"/", other) {
			return false
		}
	}
	accept := r.Header.Get("Accept")
	return strings.Contains(accept, "text/html") || name == "" && (accept == "" || strings.Contains(accept, "*/*"))
}

func (s *Site) page(w http.ResponseWriter, r *http.Request) {
	secure(w.Header(), s.policy)
	if f := s.files["index.html"]; f != nil {
		serve(w, r, s.tree, f, ask)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusServiceUnavailable)
	fmt.Fprint(w, unbuilt)
}

// secure sets what every page of ours carries.
func secure(h http.Header, policy string) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()")
}

// policy is the console's content security policy. Customers' mails are shown in frames without an address (srcdoc), which
// inherit it: their style attributes are allowed, their scripts and remote pictures are not.
func policy(publicURL string) string {
	connect := "connect-src 'self'"
	if u, err := url.Parse(publicURL); err == nil && u.Host != "" && !strings.ContainsAny(u.Host, " ;,'\"*") {
		// 'self' does not cover websockets before Safari 15.4.
		connect += " " + strings.Replace(u.Scheme, "http", "ws", 1) + "://" + u.Host
	}
	return "default-src 'self'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; " +
		"media-src 'self' blob:; font-src 'self'; " + connect + "; frame-src 'self' blob: data:; worker-src 'self'; manifest-src 'self'; " +
		"object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
}

const unbuilt = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark"><title>Hearback 回音</title><body>
<h1>Hearback 回音</h1>
<p>The browser's part is not in this binary. Run <code>make build</code> and start again. The API works.</p>
<p lang="zh-CN">此程序未包含浏览器界面。请运行 <code>make build</code> 后重新启动。API 不受影响。</p>
</body></html>
`
