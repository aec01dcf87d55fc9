package telephony

import (
	"cmp"
	"context"
	"crypto/subtle"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"hearback/connectors"
	"hearback/desk"
)

const (
	maxBody       = 1 << 20          // bytes of one request
	maxReports    = 1000             // of one request
	acceptTimeout = 10 * time.Second // how long a provider waits for us to have it safe
)

// ServeHTTP takes a provider's request: the channel's own address, with or without its token at the end, or the address of its mount.
func (c *Connector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	req, ref := c.arrived(w, r)
	if ref == nil && c.takesSMS(r.URL.Path, req) {
		ctx, cancel := context.WithTimeout(r.Context(), acceptTimeout)
		defer cancel()
		c.answer(w, c.takeSMS(ctx, r.URL.Path, req))
		return
	}
	var envelopes []desk.Envelope
	if ref == nil {
		envelopes, ref = c.receive(w, r, req)
	}
	if ref == nil {
		ref = c.accept(r.Context(), envelopes)
	}
	var answer connectors.Answer
	if ref != nil {
		answer = c.format.refused(ref.status, ref.detail)
	} else {
		answer = c.format.taken(c.set, req)
	}
	c.tell(r, envelopes, answer.Status, ref)
	c.answer(w, answer)
}

// arrived reads a request of somebody who may send one.
func (c *Connector) arrived(w http.ResponseWriter, r *http.Request) (*request, *refusal) {
	// The list is the call centre's; an SMS gateway has addresses of its own and proves itself.
	if !allowed(c.networks, r.RemoteAddr) && !smsPath(r.URL.Path) {
		return nil, refuse(http.StatusForbidden, "This address is not among those allowed for the channel.")
	}
	if !c.takes(r.Method) {
		w.Header().Set("Allow", http.MethodPost)
		return nil, refuse(http.StatusMethodNotAllowed, "Calls are posted here.")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooBig *http.MaxBytesError
	switch {
	case errors.As(err, &tooBig):
		return nil, refuse(http.StatusRequestEntityTooLarge, "The body is larger than 1 MB.")
	case err != nil:
		return nil, refuse(http.StatusBadRequest, "The body did not arrive whole.")
	}
	req := &request{Method: r.Method, Query: r.URL.RawQuery, Type: r.Header.Get("Content-Type"), Body: body, At: desk.At(c.tools.Now()), Header: r.Header,
		URL: c.tools.PublicURL + requested(r)}
	if n, ok := c.format.(namer); ok {
		req.ID = clean(n.eventID(r.Header), 200)
	}
	return req, nil
}

// receive checks a request and makes envelopes of what it says.
func (c *Connector) receive(w http.ResponseWriter, r *http.Request, req *request) ([]desk.Envelope, *refusal) {
	if ref := c.format.verify(c.door(r, req.At), req); ref != nil {
		if ref.status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Basic realm="Hearback"`)
		}
		return nil, ref
	}
	return c.read(req)
}

// takes tells whether a method is one providers use. Profiles judge it themselves; Twilio may be told to use GET.
func (c *Connector) takes(method string) bool {
	return method == http.MethodPost || c.set.format == "profile" || method == http.MethodGet && c.set.format == "twilio"
}

// read understands a verified request.
func (c *Connector) read(req *request) ([]desk.Envelope, *refusal) {
	reports, err := c.format.read(c.set, req)
	var ref *refusal
	switch {
	case errors.As(err, &ref):
		return nil, ref
	case err != nil:
		return nil, refuse(http.StatusBadRequest, err.Error())
	case len(reports) > maxReports:
		return nil, refuse(http.StatusRequestEntityTooLarge, "There are more than "+strconv.Itoa(maxReports)+" events in one request.")
	}
	out := make([]desk.Envelope, len(reports))
	for i := range reports {
		out[i] = c.envelope(req, &reports[i], i, len(reports))
	}
	return out, nil
}

// door is what this request is checked with.
func (c *Connector) door(r *http.Request, now desk.Time) *door {
	d := &door{secret: c.ch.Settings["secret"], token: c.ch.Settings["token"], now: now}
	// The mount's address is seen only in the line of the request; the fleet has taken it off the path.
	line, _, _ := strings.Cut(requested(r), "?")
	for _, path := range []string{r.URL.Path, line} {
		path = strings.TrimSuffix(path, "/")
		last := path[strings.LastIndexByte(path, '/')+1:]
		d.tokenSeen = d.tokenSeen || d.token != "" && subtle.ConstantTimeCompare([]byte(last), []byte(d.token)) == 1
	}
	query := ""
	if r.URL.RawQuery != "" {
		query = "?" + r.URL.RawQuery
	}
	d.urls = []string{c.tools.PublicURL + requested(r), c.tools.Address + r.URL.EscapedPath() + query,
		c.tools.Address + strings.TrimSuffix(r.URL.EscapedPath(), "/") + query}
	return d
}

// requested is path and query as the provider asked for them, before the channel's prefix was taken off.
func requested(r *http.Request) string {
	if u, err := url.ParseRequestURI(r.RequestURI); err == nil {
		return u.RequestURI()
	}
	return r.URL.RequestURI()
}

// accept brings envelopes into safety; nil when they can no longer be lost.
func (c *Connector) accept(ctx context.Context, envelopes []desk.Envelope) *refusal {
	if len(envelopes) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, acceptTimeout)
	defer cancel()
	err := c.tools.Inbox.Accept(ctx, connectors.Batch{Envelopes: envelopes})
	switch {
	case errors.Is(err, desk.ErrInvalid):
		return unreadable("The event cannot be stored.")
	case err != nil:
		c.tools.Logger.Warn("call events were not taken; the call centre tells them again", "err", err)
		return refuse(http.StatusServiceUnavailable, "It was not stored. Please send it again.")
	}
	for i := range envelopes {
		if envelopes[i].Conflict {
			return refuse(http.StatusConflict, "This event id was used for another event.")
		}
	}
	return nil
}

// tell writes what became of a request into the live log.
func (c *Connector) tell(r *http.Request, envelopes []desk.Envelope, status int, ref *refusal) {
	n := connectors.Note{What: "request", Status: status, Remote: hostOf(r.RemoteAddr)}
	if ref != nil {
		n.Refused, n.Detail = true, ref.detail
	}
	if len(envelopes) == 0 {
		if ref == nil {
			n.Detail = "It says nothing of a call."
		}
		c.note(n)
		return
	}
	for i := range envelopes {
		e := &envelopes[i]
		n.What, n.Ref, n.Envelope, n.Refused = e.Meta[metaEvent], e.Meta[metaCall], e.ID, ref != nil
		if n.Detail = ""; ref != nil {
			n.Detail = ref.detail
		} else if e.Duplicate {
			n.Detail = "It was told before."
		}
		c.note(n)
	}
}

// hostOf is the address of "address:port", or of an address alone as behind a trusted proxy.
func hostOf(remote string) string {
	if ap, err := netip.ParseAddrPort(remote); err == nil {
		return ap.Addr().Unmap().String()
	}
	return remote
}

func (c *Connector) answer(w http.ResponseWriter, a connectors.Answer) {
	if a.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	w.Header().Set("Content-Type", cmp.Or(a.Type, "text/plain; charset=utf-8"))
	w.Header().Set("Content-Length", strconv.Itoa(len(a.Body)))
	w.WriteHeader(cmp.Or(a.Status, http.StatusOK))
	io.WriteString(w, a.Body)
}
