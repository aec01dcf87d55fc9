package web

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"regexp"
	"strings"
)

// channelID is what a channel's id looks like; anything else is not put into a page.
var channelID = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)

// demoPolicy lets the demo shop do what a shop with a strict policy can do: load the widget's loader and frame the chat.
const demoPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; frame-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// A demo is the shop page that shows the widget where it lives.
type demo struct {
	channel func() string
	tree    fs.FS
	files   map[string]*file
	page    *template.Template
}

func newDemo(channel func() string) (*demo, error) {
	tree, err := fs.Sub(demoFiles, "demo")
	if err != nil {
		return nil, fmt.Errorf("open demo shop: %w", err)
	}
	files, err := index(tree)
	if err != nil {
		return nil, fmt.Errorf("open demo shop: %w", err)
	}
	page, err := template.ParseFS(tree, "shop.html")
	if err != nil {
		return nil, fmt.Errorf("open demo shop: %w", err)
	}
	return &demo{channel: channel, tree: tree, files: files, page: page}, nil
}

// serve answers for /demo (name "") and the files of the shop below it.
func (d *demo) serve(w http.ResponseWriter, r *http.Request, name string) {
	id := ""
	if d.channel != nil {
		id = d.channel()
	}
	if !channelID.MatchString(id) {
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	if name != "" {
		if f := d.files[name]; f != nil && name != "shop.html" {
			serve(w, r, d.tree, f, ask)
			return
		}
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	var b bytes.Buffer
	if err := d.page.Execute(&b, shop(id, language(r))); err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	secure(h, demoPolicy)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "Accept-Language")
	if r.Method != http.MethodHead {
		w.Write(b.Bytes())
	}
}

// language is zh-CN or en: ?lang= decides, else what the browser prefers first.
func language(r *http.Request) string {
	want := r.URL.Query().Get("lang")
	if want == "" {
		want, _, _ = strings.Cut(r.Header.Get("Accept-Language"), ",")
	}
	if want == "" || strings.HasPrefix(strings.ToLower(want), "zh") {
		return "zh-CN"
	}
	return "en"
}

// shopPage is what shop.html is filled with.
type shopPage struct {
	Lang    string // zh-CN or en
	Channel string
}

func shop(channel, lang string) shopPage { return shopPage{Lang: lang, Channel: channel} }

// T picks the text of the page's language.
func (p shopPage) T(zh, en string) string {
	if p.Lang == "en" {
		return en
	}
	return zh
}
