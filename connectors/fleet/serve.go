package fleet

import (
	"context"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"

	"hearback/connectors"
	"hearback/desk"
)

// ServeHTTP answers /c/<channel id> and everything below it, and the kinds' second addresses (Mounts). The channel sees the rest of the path, "/" for its bare address.
func (f *Fleet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rest, ok := strings.CutPrefix(r.URL.Path, "/c/")
	if !ok {
		f.serveOther(w, r)
		return
	}
	id, path, _ := strings.Cut(rest, "/")
	conn, _, open := f.Get(id)
	if !open {
		f.lookAgain(r.Context())
		if conn, _, open = f.Get(id); !open {
			f.absent(w, r, id)
			return
		}
	}
	hook, ok := conn.(connectors.Webhook)
	if !ok {
		http.NotFound(w, r)
		return
	}
	defer f.contain(w, id)
	hook.ServeHTTP(w, below(r, id, path))
}

// serveOther answers the kinds' second addresses.
func (f *Fleet) serveOther(w http.ResponseWriter, r *http.Request) {
	for _, k := range f.o.Kinds {
		if k.Mount != nil && strings.HasPrefix(r.URL.Path, k.Mount.Prefix) {
			f.serveMount(w, r, k)
			return
		}
	}
	http.NotFound(w, r)
}

// lookAgain reads the channels for an address nobody answers: it may have been added by another node or the command line a
// moment ago. Strangers who try addresses cost one query a second, whatever they do.
func (f *Fleet) lookAgain(ctx context.Context) {
	asked := f.o.Now()
	f.looking.Lock()
	defer f.looking.Unlock()
	if !f.looked.Before(asked) || f.o.Now().Sub(f.looked) < lookEvery {
		return // somebody else's look covers this request, or one was made just now
	}
	f.looked = f.o.Now()
	if err := f.Reload(context.WithoutCancel(ctx)); err != nil {
		f.o.Logger.Warn("channels could not be read; they stay open as they are", "err", err)
	}
}

// absent: a channel that should be open but would not is 503, so that providers keep what they have; anything else is 404.
func (f *Fleet) absent(w http.ResponseWriter, r *http.Request, id desk.ID) {
	f.mu.RLock()
	_, failed := f.failed[id]
	f.mu.RUnlock()
	if !failed {
		http.NotFound(w, r)
		return
	}
	unavailable(w)
}

func unavailable(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "60")
	http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
}

// contain turns a panic into a 500 for this one request.
func (f *Fleet) contain(w http.ResponseWriter, id desk.ID) {
	p := recover()
	if p == nil {
		return
	}
	if p == http.ErrAbortHandler {
		panic(p)
	}
	f.o.Logger.Error("channel panicked on a request", "channel", id, "err", p, "stack", string(debug.Stack()))
	http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
}

// below is the request with the channel's prefix stripped.
func below(r *http.Request, id, path string) *http.Request {
	r2, u := *r, *r.URL
	u.Path = "/" + path
	if u.RawPath != "" {
		u.RawPath = strings.TrimPrefix(u.RawPath, "/c/"+url.PathEscape(id))
		if u.RawPath == "" {
			u.RawPath = "/"
		}
	}
	r2.URL = &u
	return &r2
}
