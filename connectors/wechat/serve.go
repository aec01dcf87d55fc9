package wechat

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/silenceper/wechat/v2/officialaccount/message"

	"hearback/connectors"
	"hearback/desk"
)

// ServeHTTP answers Tencent's verification (GET), its callbacks (POST) and customers who open a file we linked (/f/…).
func (c *official) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.serve(w, r, c.verification, c.callback)
}

// verification answers the question whether the address is the account holder's: the echostr, as it came.
func (c *official) verification(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	st := stampOf(q)
	switch {
	case !c.s.signed(st.signature, st.timestamp, st.nonce):
		c.deny(w, r, "verification", "", refuse(http.StatusForbidden, errSignature))
	case !fresh(st.timestamp, c.tools.Now()):
		c.deny(w, r, "verification", "", refuse(http.StatusForbidden, errStale))
	case q.Get("echostr") == "" || len(q.Get("echostr")) > 512:
		c.deny(w, r, "verification", "", refuse(http.StatusBadRequest, errors.New("there is no echostr")))
	default:
		w.Write([]byte(q.Get("echostr")))
		c.note(r, connectors.Note{What: "verification"})
	}
}

// callback takes one message or event into safety and acknowledges it.
func (c *official) callback(w http.ResponseWriter, r *http.Request) {
	raw, doc, err := c.receive(w, r)
	what := eventName(doc)
	if err != nil {
		c.deny(w, r, what, "", err)
		return
	}
	env := c.envelope(raw, doc)
	batch := connectors.Batch{Envelopes: []desk.Envelope{env}}
	if err := c.accept(r.Context(), batch); err != nil {
		c.deny(w, r, what, env.ExternalID, err)
		return
	}
	success(w)
	c.note(r, connectors.Note{What: what, Ref: env.ExternalID, Envelope: batch.Envelopes[0].ID, Detail: repeated(batch.Envelopes[0])})
}

func repeated(e desk.Envelope) string {
	if e.Duplicate {
		return say("重复推送，已处理过", "Sent again; it was taken before")
	}
	return ""
}

// receive checks a callback and returns its document, decrypted and understood.
func (c *official) receive(w http.ResponseWriter, r *http.Request) ([]byte, document, error) {
	q := r.URL.Query()
	st := stampOf(q)
	if !c.s.signed(st.signature, st.timestamp, st.nonce) {
		return nil, nil, refuse(http.StatusForbidden, errSignature)
	}
	if !fresh(st.timestamp, c.tools.Now()) {
		return nil, nil, refuse(http.StatusForbidden, errStale)
	}
	raw, err := body(w, r)
	if err != nil {
		return nil, nil, err
	}
	raw, doc, err := c.unwrap(r, q, st, raw)
	if err != nil {
		return nil, nil, err
	}
	if doc["FromUserName"] == "" || doc["ToUserName"] == "" || doc["MsgType"] == "" {
		return nil, nil, refuse(http.StatusBadRequest, errShape)
	}
	return raw, doc, nil
}

// unwrap holds the account's mode: the request does not choose it. A compatible account takes both forms, so that modes can be changed
// at Tencent without losing a message; of a body with both, only the encrypted part is believed.
func (c *official) unwrap(r *http.Request, q url.Values, st stamp, raw []byte) ([]byte, document, error) {
	outer, err := readDocument(raw)
	if err != nil {
		return nil, nil, refuse(http.StatusBadRequest, err)
	}
	encrypted := outer["Encrypt"]
	if q.Get("encrypt_type") != "aes" && c.s.mode != modeSafe {
		if outer["MsgType"] == "" && encrypted != "" {
			return nil, nil, refuse(http.StatusForbidden, errEncrypted)
		}
		return raw, outer, c.firstBody(r.Context(), st, raw)
	}
	switch {
	case c.s.mode == modePlain:
		return nil, nil, refuse(http.StatusForbidden, errEncrypted)
	case q.Get("encrypt_type") != "aes" || encrypted == "":
		return nil, nil, refuse(http.StatusForbidden, errPlainBody)
	}
	plain, err := c.opened(st, encrypted)
	if err != nil {
		return nil, nil, err
	}
	doc, err := readDocument(plain)
	if err != nil {
		return nil, nil, refuse(http.StatusBadRequest, err)
	}
	if c.s.mode == modeCompatible { // its stamp must not bring an open body later
		err = c.firstBody(r.Context(), st, raw)
	}
	return plain, doc, err
}

// envelope is what the inbox keeps of a callback. The settings that Decode needs travel with it.
func (c *official) envelope(raw []byte, doc document) desk.Envelope {
	e := desk.Envelope{Type: desk.EnvelopeMessage, ExternalID: externalID(doc), Sender: doc["FromUserName"], Raw: raw, Meta: c.s.meta()}
	if message.EventType(doc["Event"]) == message.EventTemplateSendJobFinish {
		e.Type = desk.EnvelopeReceipt
	}
	return e
}

// meta is how Decode learns of the channel's settings.
func (s *settings) meta() map[string]string {
	return map[string]string{"account": s.account, "hours": strconv.Itoa(s.hours), "messages": strconv.Itoa(s.messages), "warn": strconv.Itoa(s.warn)}
}

// externalID is what makes a repeated callback the same one.
func externalID(doc document) string {
	id := doc["ToUserName"] + ":" + doc["MsgId"]
	if doc["MsgId"] == "" || doc["MsgType"] == string(message.MsgTypeEvent) {
		id = strings.Join([]string{doc["ToUserName"], doc["FromUserName"], doc["CreateTime"], first(doc["Event"], doc["MsgType"]), doc["EventKey"], doc["MsgID"]}, ":")
	}
	if len(id) > 200 {
		sum := sha256.Sum256([]byte(id))
		id = doc["ToUserName"][:min(64, len(doc["ToUserName"]))] + ":sha256-" + hex.EncodeToString(sum[:])
	}
	return strings.ToValidUTF8(id, "")
}

// eventName is the word for the live log: the message's type, or the event's.
func eventName(doc document) string {
	name := doc["MsgType"]
	if name == string(message.MsgTypeEvent) {
		name = doc["Event"]
	}
	return first(oneLine(name), "callback")
}
