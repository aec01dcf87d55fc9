package tencent

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"
)

const (
	kfHorizon   = 3 * 24 * time.Hour // messages older than this are gone
	kfTokenLife = 10 * time.Minute   // of the token in a callback
	kfUnguarded = 60                 // pulls a minute without such a token, before 45009
	kfPage      = 1000
)

// kfLog is what can be pulled.
type kfLog struct {
	entries []kfEntry
	tokens  map[string]time.Time
	pulls   []time.Time // without a token, of the last minute
	codes   map[string]kfCode
	empty   int // pages without a message that still say has_more
	back    int // how far the next pull goes back behind its cursor
}

type kfEntry struct {
	at  time.Time
	raw json.RawMessage
}

// A kfCode is a code of an event, good for one message.
type kfCode struct {
	customer *Customer
	until    time.Time
}

// kfMessage is one element of msg_list.
type kfMessage struct {
	MsgID    string          `json:"msgid"`
	OpenKfID string          `json:"open_kfid,omitempty"`
	External string          `json:"external_userid,omitempty"`
	SendTime int64           `json:"send_time"`
	Origin   int             `json:"origin"`
	Servicer string          `json:"servicer_userid,omitempty"`
	MsgType  string          `json:"msgtype"`
	Part     json.RawMessage `json:"-"`
}

// record appends a message to the log: {"msgid":…, …, "<msgtype>":{…}}. t.mu is held.
func (t *Tencent) record(acc *account, at time.Time, m kfMessage) {
	m.SendTime = at.Unix()
	head, err := json.Marshal(m)
	if err != nil {
		panic(err) // plain fields
	}
	raw := append(head[:len(head)-1:len(head)-1], ","+quote(m.MsgType)+":"...)
	raw = append(append(raw, m.Part...), '}')
	acc.kf.entries = append(acc.kf.entries, kfEntry{at, raw})
	t.changed()
}

func part(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain structs of this package
	}
	return b
}

func kfText(content, menuID string) json.RawMessage {
	return part(struct {
		Content string `json:"content"`
		MenuID  string `json:"menu_id,omitempty"`
	}{content, menuID})
}

func kfMedia(_, id string) json.RawMessage {
	return part(struct {
		MediaID string `json:"media_id"`
	}{id})
}

func kfLocation(lat, lon float64, label string) json.RawMessage {
	return part(struct {
		Latitude  float64 `json:"latitude"`
		Longitude float64 `json:"longitude"`
		Name      string  `json:"name"`
		Address   string  `json:"address"`
	}{lat, lon, label, label})
}

func kfLink(title, desc, address string) json.RawMessage {
	return part(struct {
		Title string `json:"title"`
		Desc  string `json:"desc"`
		URL   string `json:"url"`
		Pic   string `json:"pic_url"`
	}{title, desc, address, ""})
}

func kfCard(title, appid, page string) json.RawMessage {
	return part(struct {
		Title string `json:"title"`
		AppID string `json:"appid"`
		Page  string `json:"pagepath"`
		Thumb string `json:"thumb_media_id"`
	}{title, appid, page, ""})
}

// newMsgID is a kf msgid. t.mu is held.
func (t *Tencent) newMsgID() string { return "4" + strconv.FormatInt(t.nextID(), 36) + randomID(8) }

// kfSay records what a customer wrote and calls back. Without an acknowledgement it still waits to be pulled.
func (c *Customer) kfSay(ctx context.Context, msgType string, body json.RawMessage, shown Shown) (string, error) {
	t := c.t
	t.mu.Lock()
	id := t.newMsgID()
	if c.state == 4 {
		c.state = 0
	}
	c.touch(false)
	shown.From, shown.MsgID = FromCustomer, id
	c.show(shown)
	t.record(c.acc, c.clock(), kfMessage{MsgID: id, OpenKfID: c.acc.OpenKfID, External: c.OpenID, Origin: 3, MsgType: msgType, Part: body})
	c.wrote = time.Time{}
	l := t.kfLetter(c.acc)
	t.mu.Unlock()
	return id, t.Deliver(ctx, l)
}

// kfLetter is the callback that says: pull. t.mu is held.
func (t *Tencent) kfLetter(acc *account) Letter {
	tok := "ENC" + randomID(40)
	if acc.kf.tokens == nil {
		acc.kf.tokens = map[string]time.Time{}
	}
	acc.kf.tokens[tok] = t.now().Add(kfTokenLife)
	body := document(false, []field{text("ToUserName", acc.AppID), number("CreateTime", t.now().Unix()), text("MsgType", "event"),
		text("Event", "kf_msg_or_event"), text("Token", tok), text("OpenKfId", acc.OpenKfID)})
	return Letter{Account: acc.Account, Body: body, at: t.o.Now}
}

// Knock makes a callback without anything new, as Tencent does when it repeats itself.
func (t *Tencent) Knock(ctx context.Context, openKfID string) error {
	t.mu.Lock()
	acc := t.findKF(openKfID)
	if acc == nil {
		t.mu.Unlock()
		return errors.New("knock: no kf account " + openKfID)
	}
	l := t.kfLetter(acc)
	t.mu.Unlock()
	return t.Deliver(ctx, l)
}

func (t *Tencent) findKF(openKfID string) *account {
	for _, acc := range t.accounts {
		if acc.Kind == KF && acc.OpenKfID == openKfID {
			return acc
		}
	}
	return nil
}

// EmptyPages lets the next n pages of sync_msg hold nothing and still say has_more.
func (t *Tencent) EmptyPages(openKfID string, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.findKF(openKfID).kf.empty = n
}

// Rewind lets the next pull begin n messages before its cursor, as one with an older cursor does.
func (t *Tencent) Rewind(openKfID string, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.findKF(openKfID).kf.back = n
}

// kfSync hands out the log from a cursor on.
func (t *Tencent) kfSync(r request) answer {
	var in struct {
		Cursor   string `json:"cursor"`
		Token    string `json:"token"`
		Limit    int    `json:"limit"`
		OpenKfID string `json:"open_kfid"`
	}
	if !r.into(&in) {
		return refused(47001)
	}
	acc := t.findKF(in.OpenKfID)
	if acc == nil || acc.AppID != r.acc.AppID {
		return refused(95004)
	}
	if code := t.admit(acc, in.Token); code != 0 {
		return refused(code)
	}
	from, fine := fromCursor(in.Cursor)
	if !fine || from > len(acc.kf.entries) || in.Limit < 0 || in.Limit > kfPage {
		return refused(40058)
	}
	return t.page(acc, from, in.Limit)
}

// admit checks the callback's token; without one pulls are counted.
func (t *Tencent) admit(acc *account, tok string) int {
	now := t.now()
	if tok != "" {
		if until, known := acc.kf.tokens[tok]; !known || !now.Before(until) {
			return 95007
		}
		return 0
	}
	recent := acc.kf.pulls[:0]
	for _, at := range acc.kf.pulls {
		if now.Sub(at) < time.Minute {
			recent = append(recent, at)
		}
	}
	acc.kf.pulls = append(recent, now)
	if len(acc.kf.pulls) > kfUnguarded {
		return 45009
	}
	return 0
}

type kfPageOut struct {
	Next string            `json:"next_cursor"`
	More int               `json:"has_more"`
	List []json.RawMessage `json:"msg_list"`
}

func (t *Tencent) page(acc *account, from, limit int) answer {
	if limit == 0 {
		limit = kfPage
	}
	if acc.PageSize > 0 {
		limit = min(limit, acc.PageSize)
	}
	from, acc.kf.back = max(0, from-acc.kf.back), 0
	for from < len(acc.kf.entries) && t.now().Sub(acc.kf.entries[from].at) >= kfHorizon {
		from++
	}
	out := kfPageOut{List: []json.RawMessage{}}
	if acc.kf.empty > 0 && from < len(acc.kf.entries) {
		acc.kf.empty--
		out.Next, out.More = toCursor(from), 1
		return ok(out)
	}
	end := min(from+limit, len(acc.kf.entries))
	for _, e := range acc.kf.entries[from:end] {
		out.List = append(out.List, e.raw)
	}
	out.Next = toCursor(end)
	if end < len(acc.kf.entries) {
		out.More = 1
	}
	return ok(out)
}

func toCursor(n int) string { return "4gw7MepFLfgF2VC5n" + strconv.FormatInt(int64(n), 36) }

func fromCursor(s string) (int, bool) {
	if s == "" {
		return 0, true
	}
	digits, found := strings.CutPrefix(s, "4gw7MepFLfgF2VC5n")
	n, err := strconv.ParseInt(digits, 36, 32)
	return int(n), found && err == nil && n >= 0
}

func (t *Tencent) kfAccounts(r request) answer {
	type one struct {
		ID      string `json:"open_kfid"`
		Name    string `json:"name"`
		Picture string `json:"avatar"`
		Manage  bool   `json:"manage_privilege"`
	}
	var list []one
	for _, acc := range t.accounts {
		if acc.Kind == KF && acc.AppID == r.acc.AppID {
			list = append(list, one{acc.OpenKfID, "客服", "", true})
		}
	}
	return ok(struct {
		List []one `json:"account_list"`
	}{list})
}

func (t *Tencent) kfCustomers(r request) answer {
	var in struct {
		List []string `json:"external_userid_list"`
	}
	if !r.into(&in) {
		return refused(47001)
	}
	type one struct {
		External string `json:"external_userid"`
		Nickname string `json:"nickname"`
		Picture  string `json:"avatar"`
		Gender   int    `json:"gender"`
		UnionID  string `json:"unionid"`
	}
	out := struct {
		List    []one    `json:"customer_list"`
		Invalid []string `json:"invalid_external_userid"`
	}{[]one{}, []string{}}
	for _, id := range in.List {
		if c := t.external(r.acc.AppID, id); c != nil {
			out.List = append(out.List, one{id, c.Nickname, "", 0, c.UnionID})
		} else {
			out.Invalid = append(out.Invalid, id)
		}
	}
	return ok(out)
}

// external finds a customer in any kf account of a corp.
func (t *Tencent) external(corp, id string) *Customer {
	for _, acc := range t.accounts {
		if c := acc.customers[id]; acc.Kind == KF && acc.AppID == corp && c != nil {
			return c
		}
	}
	return nil
}
