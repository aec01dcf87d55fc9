package wechat

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"hearback/connectors"
)

const (
	maxBody = 256 << 10 // a callback has about 1 KB
	// acceptFor leaves room before Tencent cuts the connection after 5 s: an answer it does not get is the same as none.
	acceptFor = 4 * time.Second
)

// A refusal is a callback that changed nothing.
type refusal struct {
	status int
	err    error
}

func (r refusal) Error() string { return r.err.Error() }

func refuse(status int, err error) error { return refusal{status, err} }

// gate is what the callbacks of all kinds of account have in common.
type gate struct {
	s     *settings
	tools connectors.Tools
}

// headers are set on everything the channel's address answers: what it says is never a page.
func headers(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
}

// serve tells apart what comes to the channel's address.
func (g *gate) serve(w http.ResponseWriter, r *http.Request, verification, callback http.HandlerFunc) {
	if strings.HasPrefix(r.URL.Path, filePath) {
		g.serveFile(w, r)
		return
	}
	headers(w)
	switch {
	case r.URL.Path != "/":
		http.NotFound(w, r)
	case r.Method == http.MethodGet:
		verification(w, r)
	case r.Method == http.MethodPost:
		callback(w, r)
	default:
		w.Header().Set("Allow", "GET, POST")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
	}
}

// success is the acknowledgement: Tencent does not ask again.
func success(w http.ResponseWriter) { io.WriteString(w, "success") }

// deny answers a refused callback. Strangers are told the status alone; the reason stands in the live log.
func (g *gate) deny(w http.ResponseWriter, r *http.Request, what, ref string, err error) {
	status := http.StatusInternalServerError
	var no refusal
	if errors.As(err, &no) {
		status = no.status
	}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	http.Error(w, http.StatusText(status), status)
	g.note(r, connectors.Note{What: what, Ref: ref, Status: status, Refused: true, Detail: oneLine(err.Error())})
	g.tools.Logger.Warn("a callback was refused", "status", status, "what", what, "err", oneLine(err.Error()))
}

// note adds a line to the channel's live log.
func (g *gate) note(r *http.Request, n connectors.Note) {
	if g.tools.Note == nil {
		return
	}
	if r != nil {
		if n.Status == 0 {
			n.Status = http.StatusOK
		}
		n.Remote = r.RemoteAddr
		if ap, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
			n.Remote = ap.Addr().String()
		}
	}
	g.tools.Note(n)
}

// body reads a callback's body.
func body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooBig *http.MaxBytesError
	switch {
	case errors.As(err, &tooBig):
		return nil, refuse(http.StatusRequestEntityTooLarge, errors.New("the body is too big for a callback"))
	case err != nil:
		return nil, refuse(http.StatusBadRequest, errors.New("the body could not be read"))
	}
	return raw, nil
}

// opened checks msg_signature over the Encrypt element of a body and returns what it holds.
func (g *gate) opened(st stamp, encrypted string) ([]byte, error) {
	if !g.s.signed(st.msgSignature, st.timestamp, st.nonce, encrypted) {
		return nil, refuse(http.StatusForbidden, errSignature)
	}
	plain, err := g.s.decrypt(encrypted)
	if err != nil {
		return nil, refuse(http.StatusForbidden, err)
	}
	return plain, nil
}

// firstBody makes sure that a signature that does not cover the body brings one body only: the first that came with it, however
// often it is repeated. It lasts longer than a timestamp is fresh.
func (g *gate) firstBody(ctx context.Context, st stamp, raw []byte) error {
	sum := sha256.Sum256(raw)
	digest := hex.EncodeToString(sum[:])
	name := sha256.Sum256([]byte(st.signature + "\x00" + st.timestamp + "\x00" + st.nonce))
	kept, err := g.tools.Cache.Once(ctx, "nonce:"+hex.EncodeToString(name[:]), func(context.Context) (string, time.Duration, error) {
		return digest, 2*freshFor + time.Minute, nil
	})
	if err != nil {
		// A message is worth more than this guard: whoever could use the gap holds a signature of the last minutes already.
		g.tools.Logger.Warn("replayed signatures cannot be found; taking the message", "err", err)
		return nil
	}
	if kept != digest {
		return refuse(http.StatusForbidden, errReplayed)
	}
	return nil
}

// accept takes a batch in time for the answer to reach Tencent.
func (g *gate) accept(ctx context.Context, b connectors.Batch) error {
	ctx, cancel := context.WithTimeout(ctx, acceptFor)
	defer cancel()
	if err := g.tools.Inbox.Accept(ctx, b); err != nil {
		return refuse(http.StatusServiceUnavailable, err)
	}
	return nil
}
