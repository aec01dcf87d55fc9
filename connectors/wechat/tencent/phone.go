package tencent

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"
)

//go:embed phone
var phoneFiles embed.FS

const (
	maxPicture = 5 << 20
	// A demo that is found by a crawler must not fill the memory: so many customers, so many bytes of pictures.
	maxCustomers = 1000
	maxHeld      = 256 << 20
	maxLines     = 300              // kept of one conversation
	maxWait      = 25 * time.Second // of a long poll
)

// phonePolicy lets the page do what it does and nothing else.
const phonePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// A Phone is a page on which a visitor is a customer of one account, with the HTTP API the page uses. Paths are below its prefix:
//
//	GET  /                                    the page (?lang=zh-CN|en, ?customer=ID)
//	POST /customers                           {"name"}? → {"customer"}: a new customer who follows the account
//	GET  /screen?customer=&version=&wait=     what the phone shows; with wait (seconds) answered when it is no longer version
//	POST /say        {customer, text}         a text; → {"msgid", "taken"}
//	POST /choose     {customer, id, text}     a tap on an item of a menu message
//	POST /voice      {customer, text}         the voice sample; text is what was recognized, "" for nothing
//	POST /location   {customer}               a place
//	POST /image?customer=                     the body is the picture; an empty body sends the sample
//	POST /follow     {customer, on}           subscribes or unsubscribes
//	GET  /media?customer=&line=               bytes of a line's picture or sound
type Phone struct {
	t      *Tencent
	appid  string
	prefix string
	title  [2]string // zh, en
	page   *template.Template
	mux    *http.ServeMux
}

// NewPhone makes the page of an account, to be mounted at prefix ("/demo/wechat", without a trailing slash) and prefix + "/".
func NewPhone(t *Tencent, appid, prefix, titleZh, titleEn string) (*Phone, error) {
	page, err := template.ParseFS(phoneFiles, "phone/phone.html")
	if err != nil {
		return nil, fmt.Errorf("open phone page: %w", err)
	}
	p := &Phone{t: t, appid: appid, prefix: prefix, title: [2]string{titleZh, titleEn}, page: page, mux: http.NewServeMux()}
	p.mux.HandleFunc("GET "+prefix, p.servePage)
	p.mux.HandleFunc("GET "+prefix+"/{$}", p.servePage)
	p.mux.HandleFunc("GET "+prefix+"/phone.css", file("phone/phone.css", "text/css; charset=utf-8"))
	p.mux.HandleFunc("GET "+prefix+"/phone.js", file("phone/phone.js", "text/javascript; charset=utf-8"))
	p.mux.HandleFunc("POST "+prefix+"/customers", p.newCustomer)
	p.mux.HandleFunc("GET "+prefix+"/screen", p.screen)
	p.mux.HandleFunc("GET "+prefix+"/media", p.media)
	p.mux.HandleFunc("POST "+prefix+"/image", p.image)
	for name, act := range map[string]func(*Customer, *http.Request, ask) (string, error){
		"say":    func(c *Customer, r *http.Request, a ask) (string, error) { return c.Say(r.Context(), a.Text) },
		"choose": func(c *Customer, r *http.Request, a ask) (string, error) { return c.Choose(r.Context(), a.ID, a.Text) },
		"voice": func(c *Customer, r *http.Request, a ask) (string, error) {
			return c.SendVoice(r.Context(), AMR, a.Text)
		},
		"location": func(c *Customer, r *http.Request, _ ask) (string, error) {
			return c.Location(r.Context(), 31.239703, 121.499718, "上海市浦东新区陆家嘴环路 1000 号")
		},
		"follow": follow,
	} {
		p.mux.HandleFunc("POST "+prefix+"/"+name, p.act(act))
	}
	return p, nil
}

// ServeHTTP answers below the prefix.
func (p *Phone) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Referrer-Policy", "same-origin")
	p.mux.ServeHTTP(w, r)
}

func file(name, typ string) http.HandlerFunc {
	b, err := phoneFiles.ReadFile(name)
	return func(w http.ResponseWriter, r *http.Request) {
		if err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", typ)
		w.Header().Set("Cache-Control", "no-cache")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
	}
}

// phonePage is what phone.html is filled with.
type phonePage struct{ Lang, Prefix, Title string }

// T picks the text of the page's language.
func (p phonePage) T(zh, en string) string {
	if p.Lang == "en" {
		return en
	}
	return zh
}

func (p *Phone) servePage(w http.ResponseWriter, r *http.Request) {
	lang := r.URL.Query().Get("lang")
	if lang == "" {
		lang, _, _ = strings.Cut(r.Header.Get("Accept-Language"), ",")
	}
	page := phonePage{"zh-CN", p.prefix, p.title[0]}
	if lang != "" && !strings.HasPrefix(strings.ToLower(lang), "zh") {
		page.Lang, page.Title = "en", p.title[1]
	}
	var b bytes.Buffer
	if err := p.page.ExecuteTemplate(&b, "phone.html", page); err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", phonePolicy)
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "Accept-Language")
	w.Write(b.Bytes())
}

// An ask is the body of what the page sends.
type ask struct {
	Customer string `json:"customer"`
	Text     string `json:"text"`
	ID       string `json:"id"`
	Name     string `json:"name"`
	On       bool   `json:"on"`
}

var phoneID = regexp.MustCompile(`^[A-Za-z0-9_-]{8,64}$`)

var errFull = errors.New("the demo is full; start it again")

// customer finds who speaks; a page that outlived the gateway makes its customer again.
func (p *Phone) customer(id string) (*Customer, error) {
	if !phoneID.MatchString(id) {
		return nil, errors.New("customer is missing or not well formed")
	}
	p.t.mu.Lock()
	acc := p.t.find(p.appid)
	full := acc.customers[id] == nil && len(acc.customers) >= maxCustomers || p.t.held > maxHeld
	p.t.mu.Unlock()
	if full {
		return nil, errFull
	}
	return p.t.Customer(p.appid, id), nil
}

func (p *Phone) newCustomer(w http.ResponseWriter, r *http.Request) {
	id := "o" + randomID(27)
	if p.isKF() {
		id = "wm" + randomID(30)
	}
	c, err := p.customer(id)
	if err != nil {
		refuseDemo(w, err)
		return
	}
	var in ask
	if json.NewDecoder(io.LimitReader(r.Body, 4096)).Decode(&in) == nil && in.Name != "" {
		p.t.mu.Lock()
		c.Nickname = in.Name
		p.t.mu.Unlock()
	}
	answerJSON(w, struct {
		Customer string `json:"customer"`
	}{c.OpenID})
}

func (p *Phone) isKF() bool {
	p.t.mu.Lock()
	defer p.t.mu.Unlock()
	return p.t.find(p.appid).Kind == KF
}

// act reads who and what, and does it. What Tencent could not bring to the channel is told: taken is false.
func (p *Phone) act(do func(*Customer, *http.Request, ask) (string, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in ask
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&in); err != nil {
			http.Error(w, "a JSON object is needed: {\"customer\":…}", http.StatusBadRequest)
			return
		}
		c, err := p.customer(in.Customer)
		if err != nil {
			refuseDemo(w, err)
			return
		}
		id, err := do(c, r, in)
		done(w, id, err)
	}
}

func done(w http.ResponseWriter, id string, err error) {
	answerJSON(w, struct {
		MsgID string `json:"msgid"`
		Taken bool   `json:"taken"`
	}{id, err == nil})
}

func follow(c *Customer, r *http.Request, a ask) (string, error) {
	if a.On {
		return "", c.Subscribe(r.Context(), "")
	}
	return "", c.Unsubscribe(r.Context())
}

func (p *Phone) image(w http.ResponseWriter, r *http.Request) {
	c, err := p.customer(r.URL.Query().Get("customer"))
	if err != nil {
		refuseDemo(w, err)
		return
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPicture))
	if err != nil {
		http.Error(w, "at most 5 MB", http.StatusRequestEntityTooLarge)
		return
	}
	if len(data) == 0 {
		data = PNG
	}
	if !fits("image", data) {
		http.Error(w, "a PNG, JPEG, GIF or BMP is needed", http.StatusUnsupportedMediaType)
		return
	}
	id, err := c.SendImage(r.Context(), "picture", data)
	done(w, id, err)
}

func refuseDemo(w http.ResponseWriter, err error) {
	status := http.StatusBadRequest
	if errors.Is(err, errFull) {
		status = http.StatusTooManyRequests
	}
	http.Error(w, err.Error(), status)
}

func answerJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	json.NewEncoder(w).Encode(v)
}
