package telephony

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"net/url"

	"hearback/desk"
)

// What an envelope's Meta holds beside the channel's settings (traveling).
const (
	metaMethod = "method" // when not POST
	metaQuery  = "query"
	metaType   = "content_type"
	metaID     = "event_id" // the provider's id of the request
	metaBare   = "bare"     // Raw is the query: the request had no body
	metaEvent  = "event"    // for the live log
	metaCall   = "call"
)

// envelope is how one report is kept.
func (c *Connector) envelope(req *request, rep *report, n, of int) desk.Envelope {
	e := desk.Envelope{ID: desk.NewID(), Type: desk.EnvelopeMessage, Raw: rep.Raw, Meta: maps.Clone(c.meta), ReceivedAt: req.At}
	put := func(name, value string) {
		if value != "" {
			e.Meta[name] = value
		}
	}
	if e.Raw == nil {
		e.Raw = req.Body
	}
	query := c.withoutToken(req.Query)
	if len(e.Raw) == 0 {
		e.Raw, e.Meta[metaBare] = []byte(query), "1"
	} else {
		put(metaQuery, query)
	}
	if req.Method != http.MethodPost {
		put(metaMethod, req.Method)
	}
	put(metaType, clean(req.Type, 200))
	put(metaID, req.ID)
	call := callID(rep.Call)
	put(metaEvent, rep.Event.Type)
	put(metaCall, call)
	e.Sender = "call:" + call
	if customer, ok := c.set.e164(clean(customerTold(&rep.Event, rep.Customer), 100)); ok {
		e.Sender = customer
	}
	e.ExternalID, e.Digest = c.externalID(req, rep, n, of), ""
	if req.ID != "" || rep.ID != "" {
		sum := sha256.Sum256(e.Raw)
		e.Digest = hex.EncodeToString(sum[:16])
	}
	return e
}

// externalID names a report: by the provider's id, else by what it says.
func (c *Connector) externalID(req *request, rep *report, n, of int) string {
	id := rep.ID
	if req.ID != "" {
		id = req.ID
		if of > 1 {
			id = fmt.Sprintf("%s:%d", id, n)
		}
	}
	if id == "" {
		return "said:" + eventKey(rep, &rep.Event, "", 0)
	}
	if id = "id:" + id; len(id) > 200 {
		sum := sha256.Sum256([]byte(id))
		id = "id:" + hex.EncodeToString(sum[:])
	}
	return id
}

// withoutToken takes the channel's secrets out of a query before it is kept.
func (c *Connector) withoutToken(query string) string {
	form, err := url.ParseQuery(query)
	if err != nil || query == "" {
		return query
	}
	found := false
	for name, all := range form {
		for i, v := range all {
			if len(v) >= 4 && (v == c.ch.Settings["token"] || v == c.ch.Settings["secret"]) {
				form[name][i], found = "", true
			}
		}
	}
	if !found {
		return query
	}
	return form.Encode()
}
