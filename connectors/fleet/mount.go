package fleet

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"strings"

	"hearback/connectors"
	"hearback/desk"
)

const (
	guessesPerMinute = 30 // wrong tokens of one address that are answered at all
	guessBurst       = 60
)

// A digest is what a channel's token is compared by: all are of one length, so that a comparison tells nothing.
type digest [sha256.Size]byte

func mountDigest(kind connectors.Kind, ch desk.Channel) (d digest, ok bool) {
	if kind.Mount == nil || ch.Settings[kind.Mount.Field] == "" {
		return d, false
	}
	return sha256.Sum256([]byte(ch.Settings[kind.Mount.Field])), true
}

// Mounts are the prefixes of the kinds' second addresses, for the mux.
func (f *Fleet) Mounts() []string {
	var all []string
	for _, k := range f.o.Kinds {
		if k.Mount != nil {
			all = append(all, k.Mount.Prefix)
		}
	}
	return all
}

// serveMount answers a kind's second address: prefix, token and the rest, which the channel sees as its path. A token nobody has
// is 404 without detail and, tried too often from one address, 429.
func (f *Fleet) serveMount(w http.ResponseWriter, r *http.Request, kind connectors.Kind) {
	token, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, kind.Mount.Prefix), "/")
	id, conn := f.byToken(kind, token)
	if conn == nil && token != "" {
		f.lookAgain(r.Context())
		id, conn = f.byToken(kind, token)
	}
	if conn == nil {
		f.absentMount(w, r, kind, token)
		return
	}
	hook, ok := conn.(connectors.Webhook)
	if !ok {
		http.NotFound(w, r)
		return
	}
	defer f.contain(w, id)
	r2, u := *r, *r.URL
	u.Path, u.RawPath = "/"+path, ""
	r2.URL = &u
	hook.ServeHTTP(w, &r2)
}

// byToken finds the open channel of the kind whose token this is. It looks at all of them, so that how long it takes says nothing
// about any.
func (f *Fleet) byToken(kind connectors.Kind, token string) (desk.ID, connectors.Connector) {
	given := sha256.Sum256([]byte(token))
	var found *vessel
	f.mu.RLock()
	for _, v := range f.open {
		if v.mounted && v.kind.Name == kind.Name && subtle.ConstantTimeCompare(v.token[:], given[:]) == 1 {
			found = v
		}
	}
	f.mu.RUnlock()
	if found == nil || token == "" {
		return "", nil
	}
	return found.ch.ID, found.current()
}

func (f *Fleet) absentMount(w http.ResponseWriter, r *http.Request, kind connectors.Kind, token string) {
	given, failed := sha256.Sum256([]byte(token)), false
	f.mu.RLock()
	for _, broken := range f.failed {
		failed = failed || broken.mounted && broken.kind == kind.Name && subtle.ConstantTimeCompare(broken.token[:], given[:]) == 1
	}
	f.mu.RUnlock()
	if failed {
		unavailable(w)
		return
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if f.o.Cache != nil {
		if ok, _, err := f.o.Cache.Allow(r.Context(), "mount:"+kind.Name+":"+host, guessesPerMinute, guessBurst); err == nil && !ok {
			w.Header().Set("Retry-After", "60")
			http.Error(w, http.StatusText(http.StatusTooManyRequests), http.StatusTooManyRequests)
			return
		}
	}
	http.NotFound(w, r)
}
