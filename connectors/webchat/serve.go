package webchat

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"hearback/normalizer"
)

// ServeHTTP answers the channel's public address; the fleet has stripped /c/<id>.
func (c *Channel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if !c.admit(w, r) {
		return
	}
	route, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if rest != "" && route != "files" {
		route = ""
	}
	switch r.Method + " " + route {
	case "GET ws":
		c.serveSocket(w, r)
	case "POST visitors":
		c.serveVisitors(w, r)
	case "POST messages":
		c.serveMessages(w, r)
	case "POST read":
		c.serveRead(w, r)
	case "GET events":
		c.serveEvents(w, r)
	case "POST files":
		c.serveUpload(w, r)
	case "GET files", "HEAD files":
		c.serveFile(w, r, rest)
	case "GET config", "HEAD config":
		w.Header().Set("Cache-Control", "no-cache")
		writeJSON(w, http.StatusOK, c.config())
	case "GET frame", "HEAD frame":
		c.serveFrame(w, r)
	default:
		c.noRoute(w, route)
	}
}

func (c *Channel) noRoute(w http.ResponseWriter, route string) {
	if slices.Contains([]string{"ws", "visitors", "messages", "read", "events", "files", "config", "frame"}, route) {
		writeProblem(w, refuse(http.StatusMethodNotAllowed, "bad_frame", "This address does not take that method."))
		return
	}
	writeProblem(w, refuse(http.StatusNotFound, "not_found", "There is nothing at this address."))
}

// admit holds the origin allow-list: browsers say which page a request comes from. false: the answer is written. Requests
// without an Origin come from no foreign page: same-origin loads, and programs, which could say anything.
func (c *Channel) admit(w http.ResponseWriter, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	w.Header().Add("Vary", "Origin")
	if !c.allowed(origin, r) {
		writeProblem(w, refuse(http.StatusForbidden, "forbidden", "This website may not use this chat. Add its origin to the channel's settings."))
		return false
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", "Retry-After")
	if r.Method == http.MethodOptions {
		h.Set("Access-Control-Allow-Methods", "GET, POST")
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Last-Event-ID")
		h.Set("Access-Control-Max-Age", "7200")
		w.WriteHeader(http.StatusNoContent)
		return false
	}
	return true
}

// allowed compares exactly. Our own pages (the widget's frame) are always allowed.
func (c *Channel) allowed(origin string, r *http.Request) bool {
	if c.set.anyOrigin || c.set.origins[origin] {
		return true
	}
	host, ok := strings.CutPrefix(origin, "https://")
	if !ok {
		host, ok = strings.CutPrefix(origin, "http://")
	}
	return ok && strings.EqualFold(host, r.Host)
}

// caller reads who asks from the Authorization header; nil: the answer is written.
func (c *Channel) caller(w http.ResponseWriter, r *http.Request) *visitorToken {
	t, ref := c.tokenOf(bearer(r))
	if ref != nil {
		writeProblem(w, ref)
		return nil
	}
	return t
}

func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

func (c *Channel) tokenOf(token string) (*visitorToken, *refusal) {
	if token == "" {
		return nil, refuse(http.StatusUnauthorized, "forbidden", "A visitor token is needed: POST visitors gives one.")
	}
	t, err := c.visitorOf(token)
	switch {
	case errors.Is(err, errTokenExpired):
		return nil, refuse(http.StatusUnauthorized, "token_expired", "The visitor token has expired: POST visitors gives a new one.")
	case err != nil:
		return nil, refuse(http.StatusUnauthorized, "token_invalid", "The visitor token is not valid: POST visitors gives a new one.")
	}
	return &t, nil
}

// readBody reads a JSON body of at most 64 KB into v; false: the answer is written.
func readBody(w http.ResponseWriter, r *http.Request, v any) bool {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxFrame))
	var tooBig *http.MaxBytesError
	if errors.As(err, &tooBig) {
		writeProblem(w, refuse(http.StatusRequestEntityTooLarge, "too_long", "The body is larger than 64 KB."))
		return false
	}
	if err != nil || normalizer.TooDeep(body, maxDepth) || json.Unmarshal(body, v) != nil {
		writeProblem(w, refuse(http.StatusBadRequest, "bad_frame", "The body is not JSON as described in docs/websocket.md."))
		return false
	}
	return true
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body)
}

// writeProblem answers with application/problem+json (RFC 9457).
func writeProblem(w http.ResponseWriter, r *refusal) {
	body, _ := json.Marshal(struct {
		Title  string `json:"title"`
		Status int    `json:"status"`
		Code   string `json:"code"`
		Detail string `json:"detail"`
	}{http.StatusText(r.status), r.status, r.code, r.detail})
	if r.after > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(seconds(r.after)))
	}
	if r.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(r.status)
	w.Write(body)
}

// seconds rounds up, so that nobody comes back too early.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }
