package webchat

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	maxWait   = 25 * time.Second
	heartbeat = 20 * time.Second // a comment on silent event streams, so that proxies keep them
)

// serveEvents shows the conversation after a seq: at once, when something comes (long poll), or as it comes (event stream).
func (c *Channel) serveEvents(w http.ResponseWriter, r *http.Request) {
	who := c.caller(w, r)
	if who == nil {
		return
	}
	stream := strings.Contains(r.Header.Get("Accept"), "text/event-stream")
	from := r.URL.Query().Get("after")
	if id := r.Header.Get("Last-Event-ID"); stream && id != "" {
		from = id
	}
	after, err := strconv.ParseInt(or(from, "0"), 10, 64)
	if err != nil || after < 0 {
		writeProblem(w, refuse(http.StatusBadRequest, "bad_frame", "after must be the seq of an event."))
		return
	}
	v := c.hub.join(who.Visitor)
	if v == nil {
		writeProblem(w, &refusal{status: http.StatusServiceUnavailable, code: "unavailable", detail: "This node is stopping.", after: time.Second})
		return
	}
	defer func() { c.hub.leave(v, c.now()) }()
	if after > 0 {
		c.acknowledge(v, after, 0)
	}
	p := poll{c: c, v: v, after: after, news: v.watch()}
	defer v.unwatch(p.news)
	if stream {
		p.stream(w, r)
	} else {
		p.once(w, r)
	}
}

func (v *visitor) watch() chan struct{} {
	news := make(chan struct{}, 1)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.waiters = append(v.waiters, news)
	return news
}

func (v *visitor) unwatch(news chan struct{}) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for i, w := range v.waiters {
		if w == news {
			v.waiters = append(v.waiters[:i], v.waiters[i+1:]...)
			return
		}
	}
}

// A poll is one reader of the log: it listens first and reads then, so that nothing falls between.
type poll struct {
	c     *Channel
	v     *visitor
	after int64
	news  chan struct{}
}

// next reads the events after the position and moves it; wait bounds how long for.
func (p *poll) next(ctx context.Context, wait time.Duration) ([]shown, error) {
	t := time.NewTimer(wait)
	defer t.Stop()
	for {
		entries, err := p.c.tools.Log.Read(ctx, p.v.id, p.after, page)
		if err != nil {
			return nil, fmt.Errorf("read conversation: %w", err)
		}
		var out []shown
		for _, e := range entries {
			p.after = max(p.after, e.Seq)
			if s, ok := p.c.showEntry(e); ok {
				out = append(out, s)
				if s.external != "" {
					p.v.noteReply(s)
				}
			}
		}
		if len(out) > 0 || wait <= 0 {
			return out, nil
		}
		select {
		case <-p.news:
		case <-t.C:
			return nil, nil
		case <-p.c.ctx.Done():
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// once answers a long poll.
func (p *poll) once(w http.ResponseWriter, r *http.Request) {
	wait := time.Duration(0)
	if n, err := strconv.Atoi(r.URL.Query().Get("wait")); err == nil && n > 0 {
		wait = min(time.Duration(n)*time.Second, maxWait)
	}
	http.NewResponseController(w).SetWriteDeadline(time.Now().Add(wait + writeWait)) // longer than the server's own
	events, err := p.next(r.Context(), wait)
	if err != nil {
		writeProblem(w, &refusal{status: http.StatusServiceUnavailable, code: "unavailable", detail: "The conversation cannot be read now.", after: 2 * time.Second})
		return
	}
	items := make([]json.RawMessage, len(events))
	for i, e := range events {
		items[i] = e.body
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, struct {
		Items []json.RawMessage `json:"items"`
		Last  int64             `json:"last"`
	}{items, p.after})
}

// stream answers with server-sent events until the reader goes or the node stops.
func (p *poll) stream(w http.ResponseWriter, r *http.Request) {
	out := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no")
	text := []byte("retry: 2000\n\n")
	for {
		out.SetWriteDeadline(time.Now().Add(writeWait))
		if _, err := w.Write(text); err != nil || out.Flush() != nil {
			return
		}
		events, err := p.next(r.Context(), heartbeat)
		if err != nil || p.c.ctx.Err() != nil {
			return // the reader's browser comes back by itself, with Last-Event-ID
		}
		text = []byte(": still here\n\n")
		if len(events) > 0 {
			text = text[:0]
		}
		for _, e := range events {
			text = fmt.Appendf(text, "id: %d\ndata: %s\n\n", e.seq, e.body)
		}
	}
}
