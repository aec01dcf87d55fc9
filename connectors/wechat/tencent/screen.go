package tencent

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// A line as the page gets it.
type lineView struct {
	N     int      `json:"n"`
	At    string   `json:"at"`
	From  string   `json:"from"`
	Type  string   `json:"type"`
	Text  string   `json:"text,omitempty"`
	Title string   `json:"title,omitempty"`
	URL   string   `json:"url,omitempty"`
	Media string   `json:"media,omitempty"`
	Menu  []Choice `json:"menu,omitempty"`
}

// A screenView is what the phone shows.
type screenView struct {
	Version   string     `json:"version"`
	Followed  bool       `json:"followed"`
	Typing    bool       `json:"typing"`
	ClosesAt  string     `json:"window_closes_at,omitempty"`
	Remaining int        `json:"remaining"`
	Lines     []lineView `json:"lines"`
}

func (p *Phone) screen(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	c, err := p.customer(q.Get("customer"))
	if err != nil {
		refuseDemo(w, err)
		return
	}
	wait, _ := strconv.Atoi(q.Get("wait"))
	limit := time.NewTimer(min(time.Duration(wait)*time.Second, maxWait))
	defer limit.Stop()
	for {
		view, news, ends := c.look()
		if wait <= 0 || view.Version != q.Get("version") {
			answerJSON(w, view)
			return
		}
		select {
		case <-news:
		case <-ends: // the typing hint goes out by itself
		case <-limit.C:
			answerJSON(w, view)
			return
		case <-r.Context().Done():
			return
		}
	}
}

// look reads the screen, what is closed at the next change, and when the typing hint ends.
func (c *Customer) look() (screenView, <-chan struct{}, <-chan time.Time) {
	c.t.mu.Lock()
	defer c.t.mu.Unlock()
	now := c.t.now()
	v := screenView{Followed: c.subscribed, Typing: now.Before(c.typing), Lines: []lineView{}}
	until, left := c.rights.best(now)
	if v.Remaining = left; !until.IsZero() {
		v.ClosesAt = until.UTC().Format(time.RFC3339)
	}
	from := max(0, len(c.inbox)-maxLines)
	for i, s := range c.inbox[from:] {
		v.Lines = append(v.Lines, lineView{from + i, s.At.UTC().Format(time.RFC3339), s.From, s.Type, s.Text, s.Title, s.URL, s.Media, s.Menu})
	}
	v.Version = fmt.Sprint(len(c.inbox), "-", v.Typing, "-", left, "-", v.Followed)
	var ends <-chan time.Time
	if v.Typing {
		ends = time.After(c.typing.Sub(now))
	}
	return v, c.t.news, ends
}

func (p *Phone) media(w http.ResponseWriter, r *http.Request) {
	c, err := p.customer(r.URL.Query().Get("customer"))
	if err != nil {
		refuseDemo(w, err)
		return
	}
	n, err := strconv.Atoi(r.URL.Query().Get("line"))
	lines := c.Inbox()
	if err != nil || n < 0 || n >= len(lines) || lines[n].Data == nil {
		http.NotFound(w, r)
		return
	}
	safe := []string{"image/png", "image/jpeg", "image/gif", "image/bmp", "audio/amr", "audio/mpeg", "video/mp4"}
	typ := lines[n].Media
	if !slices.Contains(safe, typ) {
		typ = "application/octet-stream"
	}
	w.Header().Set("Content-Type", typ)
	w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
	w.Header().Set("Cache-Control", "private, max-age=3600")
	w.Write(lines[n].Data)
}
