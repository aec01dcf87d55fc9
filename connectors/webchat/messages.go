package webchat

import (
	"net/http"
)

// serveMessages takes a message over plain HTTP: 201 only when it is durable.
func (c *Channel) serveMessages(w http.ResponseWriter, r *http.Request) {
	who := c.caller(w, r)
	if who == nil {
		return
	}
	var in submission
	if !readBody(w, r, &in) {
		return
	}
	t, ref := c.submit(r.Context(), who, &in)
	if ref != nil {
		writeProblem(w, ref)
		return
	}
	if !t.again {
		c.show(who.Visitor, t.event)
	}
	writeJSON(w, http.StatusCreated, struct {
		ID  string `json:"id"`
		Seq int64  `json:"seq"`
	}{t.id, t.seq})
}

// serveRead hears that the visitor has seen the conversation up to a seq.
func (c *Channel) serveRead(w http.ResponseWriter, r *http.Request) {
	who := c.caller(w, r)
	if who == nil {
		return
	}
	var in struct {
		Seq int64 `json:"seq"`
	}
	if !readBody(w, r, &in) {
		return
	}
	if v := c.hub.join(who.Visitor); v != nil {
		c.acknowledge(v, 0, in.Seq)
		c.hub.leave(v, c.now())
	}
	w.WriteHeader(http.StatusNoContent)
}
