package webchat

import (
	"net/http"
)

// serveVisitors gives a visitor his token. With a valid one he keeps his id, unless the page now proves that somebody else
// sits there: then that person gets his own conversation.
func (c *Channel) serveVisitors(w http.ResponseWriter, r *http.Request) {
	var in introduction
	if r.ContentLength != 0 && !readBody(w, r, &in) {
		return
	}
	var known visitorToken
	if token := bearer(r); token != "" {
		t, ref := c.tokenOf(token)
		if ref != nil {
			writeProblem(w, ref)
			return
		}
		known = *t
	} else if ref := c.limits.visitor(r.Context(), r.RemoteAddr); ref != nil {
		writeProblem(w, ref)
		return
	}
	p, ref := c.identify(in)
	if ref != nil {
		writeProblem(w, ref)
		return
	}
	id, p := c.whoIs(known, p)
	writeJSON(w, http.StatusCreated, struct {
		Token   string       `json:"visitor_token"`
		Visitor string       `json:"visitor_id"`
		Config  publicConfig `json:"config"`
	}{c.issue(id, p), id, c.config()})
}

// whoIs decides the visitor's id and what is known of him now. What the host page has proven is never mixed with claims.
func (c *Channel) whoIs(known visitorToken, p profile) (string, profile) {
	switch {
	case p.External != "" && (known.Visitor == "" || known.External != "" && known.External != p.External):
		return c.visitorFor(p.External), p
	case known.Visitor == "":
		return newVisitor(), p
	case p.Proven:
		p.Name = or(p.Name, known.Name)
		return known.Visitor, p
	case known.Proven:
		return known.Visitor, known.profile
	}
	p.External, p.Level = or(p.External, known.External), or(p.Level, known.Level)
	p.Name, p.Email, p.Phone = or(p.Name, known.Name), or(p.Email, known.Email), or(p.Phone, known.Phone)
	return known.Visitor, p
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
