package wechat

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"hearback/connectors"
)

// kf is an open customer-service account (微信客服).
type kf struct {
	gate
	api *api

	mu    sync.Mutex
	cur   cursor
	bell  bell          // the newest one
	rung  chan struct{} // has room for one: however often it rings, one look is made
	names names
	tasks sync.WaitGroup  // welcome messages on their way
	life  context.Context // theirs: they outlive the look that found them
	end   context.CancelFunc
}

// A cursor is the position in the account's messages, committed with those it stands behind.
type cursor struct {
	OpenKfid string `json:"open_kfid"`
	Next     string `json:"cursor"`
}

// A bell is what a callback says: there is something. The token makes a look cheap for ten minutes.
type bell struct {
	OpenKfid string `json:"open_kfid"`
	Token    string `json:"token"`
	At       int64  `json:"at"` // unix seconds
}

// tokenLife is how long a callback's token is used; Tencent takes it for ten minutes.
const tokenLife = 9 * time.Minute

const closeTime = 3 * time.Second

func newKf(g gate, a *api) *kf {
	c := &kf{gate: g, api: a, rung: make(chan struct{}, 1), names: newNames()}
	c.life, c.end = context.WithCancel(context.Background())
	if err := json.Unmarshal(g.tools.Cursor, &c.cur); err != nil && len(g.tools.Cursor) > 0 {
		g.tools.Logger.Warn("the stored cursor cannot be read; reading the last three days again", "err", err)
		c.cur = cursor{}
	}
	if c.cur.OpenKfid != g.s.openKfid {
		c.cur = cursor{OpenKfid: g.s.openKfid}
	}
	return c
}

// Capabilities tells what fits. A resend carries the same msgid, which Tencent shows once; failures are told later, arrivals never.
func (c *kf) Capabilities() connectors.Capabilities {
	caps := c.s.capabilities()
	caps.Resendable = true
	return caps
}

// Close gives welcome messages on their way a moment more.
func (c *kf) Close() error {
	stop := time.AfterFunc(closeTime, c.end)
	defer stop.Stop()
	defer c.end()
	c.tasks.Wait()
	return nil
}

// ServeHTTP answers WeCom's verification (GET), its callbacks (POST) and customers who open a file we linked (/f/…).
func (c *kf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.serve(w, r, c.verification, c.callback)
}

// verification answers with what the encrypted echostr holds.
func (c *kf) verification(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	st := stampOf(q)
	if !fresh(st.timestamp, c.tools.Now()) {
		c.deny(w, r, "verification", "", refuse(http.StatusForbidden, errStale))
		return
	}
	plain, err := c.opened(st, q.Get("echostr"))
	if err != nil {
		c.deny(w, r, "verification", "", err)
		return
	}
	w.Write(plain)
	c.note(r, connectors.Note{What: "verification"})
}

// callback rings the bell for the node that fetches. Nothing of it has to be kept: what it speaks of lies at Tencent until our cursor
// has passed it.
func (c *kf) callback(w http.ResponseWriter, r *http.Request) {
	b, doc, err := c.receive(w, r)
	if err != nil {
		c.deny(w, r, eventName(doc), "", err)
		return
	}
	n := connectors.Note{What: first(oneLine(doc["Event"]), "callback"), Ref: b.OpenKfid}
	switch {
	case doc["Event"] != "kf_msg_or_event":
		n.Detail = say("不是客服消息，已忽略", "Not about messages; ignored")
	case b.OpenKfid != c.s.openKfid:
		n.Detail = say("属于另一个客服账号，已忽略", "Of another customer-service account; ignored")
	default:
		c.ring(r.Context(), b)
	}
	success(w)
	c.note(r, n)
}

func (c *kf) receive(w http.ResponseWriter, r *http.Request) (bell, document, error) {
	st := stampOf(r.URL.Query())
	if !fresh(st.timestamp, c.tools.Now()) {
		return bell{}, nil, refuse(http.StatusForbidden, errStale)
	}
	raw, err := body(w, r)
	if err != nil {
		return bell{}, nil, err
	}
	outer, err := readDocument(raw)
	if err != nil {
		return bell{}, nil, refuse(http.StatusBadRequest, err)
	}
	if outer["Encrypt"] == "" {
		return bell{}, nil, refuse(http.StatusForbidden, errPlainBody)
	}
	plain, err := c.opened(st, outer["Encrypt"])
	if err != nil {
		return bell{}, nil, err
	}
	doc, err := readDocument(plain)
	if err != nil {
		return bell{}, nil, refuse(http.StatusBadRequest, err)
	}
	return bell{doc["OpenKfId"], doc["Token"], c.tools.Now().Unix()}, doc, nil
}

// ring tells this node's puller at once and the others' by the bus. A lost hint is made up for by the next periodic look.
func (c *kf) ring(ctx context.Context, b bell) {
	c.hear(b)
	raw, err := json.Marshal(b)
	if err == nil {
		err = c.tools.Bus.Publish(ctx, raw)
	}
	if err != nil {
		c.tools.Logger.Warn("other nodes were not told of new messages; they look by themselves", "err", err)
	}
}

// hear keeps the newest token and wakes Receive, should it run here.
func (c *kf) hear(b bell) {
	c.mu.Lock()
	c.bell = b
	c.mu.Unlock()
	select {
	case c.rung <- struct{}{}:
	default:
	}
}

// callToken is the newest callback's token while it is good.
func (c *kf) callToken() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tools.Now().Sub(time.Unix(c.bell.At, 0)) > tokenLife {
		return ""
	}
	return c.bell.Token
}

// Fetch brings a customer's file.
func (c *kf) Fetch(ctx context.Context, ref string) (io.ReadCloser, string, error) {
	return c.api.fetch(ctx, ref)
}

// msgID is a reply's id as send_msg takes it: at most 32 of [0-9a-zA-Z_-]. It keeps the whole UUID, so that msg_send_fail leads back to
// the reply; part "<uuid>.2" becomes 22 characters and "-2".
func msgID(external string) string {
	id, part, _ := strings.Cut(external, ".")
	raw, err := hex.DecodeString(strings.ReplaceAll(id, "-", ""))
	if err != nil || len(raw) != 16 {
		return hashed(external)
	}
	out := base64.RawURLEncoding.EncodeToString(raw)
	if part != "" {
		out += "-" + part
	}
	if len(out) > 32 || strings.ContainsFunc(out, func(r rune) bool { return r != '-' && r != '_' && alnum(string(r)) == "" }) {
		return hashed(external)
	}
	return out
}

// replyID is the way back: the reply's own id, "" when msgid was not made by us.
func replyID(msgid string) string {
	if len(msgid) < 22 {
		return ""
	}
	raw, err := base64.RawURLEncoding.DecodeString(msgid[:22])
	if err != nil || len(raw) != 16 || len(msgid) > 22 && msgid[22] != '-' {
		return ""
	}
	h := hex.EncodeToString(raw)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

var errNoCustomer = errors.New("the message names no customer")
