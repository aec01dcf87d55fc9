package tencent

import (
	"context"
	"regexp"
	"time"
)

// States of a kf session.
const (
	StateNew   = 0
	StateBot   = 1
	StateQueue = 2
	StateHuman = 3
	StateEnded = 4
)

var kfMsgID = regexp.MustCompile(`^[0-9a-zA-Z_-]{0,32}$`)

type kfOutgoing struct {
	ToUser   string `json:"touser"`
	OpenKfID string `json:"open_kfid"`
	Code     string `json:"code"`
	MsgID    string `json:"msgid"`
	MsgType  string `json:"msgtype"`
	content
}

type kfSent struct {
	MsgID string `json:"msgid"`
}

// kfSend takes a message in state 0 or 1. The same msgid again is answered as the first and shown once.
func (t *Tencent) kfSend(r request) answer {
	var in kfOutgoing
	if !r.into(&in) {
		return refused(47001)
	}
	acc := t.findKF(in.OpenKfID)
	if acc == nil || acc.AppID != r.acc.AppID {
		return refused(95004)
	}
	c := acc.customers[in.ToUser]
	switch {
	case c == nil:
		return refused(40096)
	case !kfMsgID.MatchString(in.MsgID):
		return refused(40035)
	case in.MsgID != "" && c.sent[in.MsgID]:
		return ok(kfSent{in.MsgID})
	}
	shown, code := t.render(acc, in.MsgType, in.content)
	if code == 0 {
		code = c.mayKF()
	}
	if code != 0 {
		return refused(code)
	}
	if in.MsgID == "" {
		in.MsgID = t.newMsgID()
	}
	c.sent[in.MsgID] = true
	if len(c.failNext) > 0 {
		c.failLater(r.Context(), in.MsgID)
		return ok(kfSent{in.MsgID})
	}
	shown.From, shown.Via, shown.MsgID = FromAccount, "kf", in.MsgID
	c.show(shown)
	return ok(kfSent{in.MsgID})
}

// mayKF tells why a session takes no message now, or spends one.
func (c *Customer) mayKF() int {
	if c.state != StateNew && c.state != StateBot {
		return 95018
	}
	switch late, used := c.rights.spend(c.t.now()); {
	case late:
		return 95013
	case used:
		return 95001
	}
	return 0
}

// FailNext lets the next messages be taken and fail afterwards with that fail_type (10: refused by the customer).
func (c *Customer) FailNext(failTypes ...int) {
	c.t.mu.Lock()
	defer c.t.mu.Unlock()
	c.failNext = append(c.failNext, failTypes...)
}

// failLater tells of a failure by an event. t.mu is held.
func (c *Customer) failLater(ctx context.Context, msgID string) {
	failType := c.failNext[0]
	c.failNext = c.failNext[1:]
	c.t.record(c.acc, c.t.now(), kfEvent(c.t.newMsgID(), struct {
		Type     string `json:"event_type"`
		OpenKfID string `json:"open_kfid"`
		External string `json:"external_userid"`
		MsgID    string `json:"fail_msgid"`
		FailType int    `json:"fail_type"`
	}{"msg_send_fail", c.acc.OpenKfID, c.OpenID, msgID, failType}))
	go c.t.Deliver(context.WithoutCancel(ctx), c.t.kfLetter(c.acc)) // ends by itself after at most three cuts
}

func kfEvent(id string, event any) kfMessage {
	return kfMessage{MsgID: id, Origin: 4, MsgType: "event", Part: part(event)}
}

// kfSendOnEvent answers an event by its code, once.
func (t *Tencent) kfSendOnEvent(r request) answer {
	var in kfOutgoing
	if !r.into(&in) {
		return refused(47001)
	}
	for _, acc := range t.accounts {
		code, known := acc.kf.codes[in.Code]
		if !known || acc.AppID != r.acc.AppID {
			continue
		}
		delete(acc.kf.codes, in.Code)
		if !t.now().Before(code.until) {
			return refused(95007)
		}
		if in.MsgType != "text" && in.MsgType != "msgmenu" {
			return refused(40008)
		}
		shown, no := t.render(acc, in.MsgType, in.content)
		if no != 0 {
			return refused(no)
		}
		if in.MsgID == "" {
			in.MsgID = t.newMsgID()
		}
		shown.From, shown.Via, shown.MsgID = FromAccount, "welcome", in.MsgID
		code.customer.show(shown)
		return ok(kfSent{in.MsgID})
	}
	return refused(95007)
}

// Enter opens the chat: an event with a welcome code, good for 20 s, when the customer was not there for 48 h.
func (c *Customer) Enter(ctx context.Context, scene string) error {
	t := c.t
	t.mu.Lock()
	code := ""
	if now := t.now(); now.Sub(c.welcomed) >= 48*time.Hour && now.Sub(c.touched) >= 48*time.Hour {
		c.welcomed, code = now, t.code(c, 20*time.Second)
	}
	t.record(c.acc, t.now(), kfEvent(t.newMsgID(), struct {
		Type     string `json:"event_type"`
		OpenKfID string `json:"open_kfid"`
		External string `json:"external_userid"`
		Scene    string `json:"scene"`
		Param    string `json:"scene_param"`
		Welcome  string `json:"welcome_code,omitempty"`
	}{"enter_session", c.acc.OpenKfID, c.OpenID, scene, "", code}))
	l := t.kfLetter(c.acc)
	t.mu.Unlock()
	return t.Deliver(ctx, l)
}

// code makes an event's code. t.mu is held.
func (t *Tencent) code(c *Customer, life time.Duration) string {
	if c.acc.kf.codes == nil {
		c.acc.kf.codes = map[string]kfCode{}
	}
	v := randomID(40)
	c.acc.kf.codes[v] = kfCode{c, t.now().Add(life)}
	return v
}

// Recall takes a message back.
func (c *Customer) Recall(ctx context.Context, msgID string) error {
	t := c.t
	t.mu.Lock()
	for i := range c.inbox {
		if c.inbox[i].MsgID == msgID {
			c.inbox[i].Taken = true
		}
	}
	t.record(c.acc, t.now(), kfEvent(t.newMsgID(), struct {
		Type     string `json:"event_type"`
		OpenKfID string `json:"open_kfid"`
		External string `json:"external_userid"`
		MsgID    string `json:"recall_msgid"`
	}{"user_recall_msg", c.acc.OpenKfID, c.OpenID, msgID}))
	l := t.kfLetter(c.acc)
	t.mu.Unlock()
	return t.Deliver(ctx, l)
}

// Colleague answers the customer in the WeCom client, past the channel.
func (c *Customer) Colleague(ctx context.Context, userID, content string) error {
	t := c.t
	t.mu.Lock()
	id := t.newMsgID()
	c.show(Shown{From: FromAccount, Type: "text", Text: content, MsgID: id, Via: "wecom", Agent: userID})
	t.record(c.acc, t.now(), kfMessage{MsgID: id, OpenKfID: c.acc.OpenKfID, External: c.OpenID, Origin: 5, Servicer: userID, MsgType: "text", Part: kfText(content, "")})
	l := t.kfLetter(c.acc)
	t.mu.Unlock()
	return t.Deliver(ctx, l)
}

// Session changes the session's state at Tencent and tells of it: change is 1 taken by a colleague, 2 passed on, 3 ended.
func (c *Customer) Session(ctx context.Context, change int, servicer string) error {
	t := c.t
	t.mu.Lock()
	c.state, c.servicer = StateHuman, servicer
	if change == 3 {
		c.state, c.servicer = StateEnded, ""
	}
	t.record(c.acc, t.now(), kfEvent(t.newMsgID(), struct {
		Type     string `json:"event_type"`
		OpenKfID string `json:"open_kfid"`
		External string `json:"external_userid"`
		Change   int    `json:"change_type"`
		New      string `json:"new_servicer_userid,omitempty"`
		Code     string `json:"msg_code,omitempty"`
	}{"session_status_change", c.acc.OpenKfID, c.OpenID, change, servicer, t.code(c, 20*time.Second)}))
	l := t.kfLetter(c.acc)
	t.mu.Unlock()
	return t.Deliver(ctx, l)
}

// State is the session's state at Tencent.
func (c *Customer) State() int {
	c.t.mu.Lock()
	defer c.t.mu.Unlock()
	return c.state
}

type kfSessionIn struct {
	OpenKfID string `json:"open_kfid"`
	External string `json:"external_userid"`
	State    int    `json:"service_state"`
	Servicer string `json:"servicer_userid"`
}

func (t *Tencent) session(r request) (in kfSessionIn, c *Customer, code int) {
	if !r.into(&in) {
		return in, nil, 47001
	}
	acc := t.findKF(in.OpenKfID)
	if acc == nil || acc.AppID != r.acc.AppID {
		return in, nil, 95004
	}
	if c = acc.customers[in.External]; c == nil {
		return in, nil, 40096
	}
	return in, c, 0
}

func (t *Tencent) kfState(r request) answer {
	_, c, code := t.session(r)
	if code != 0 {
		return refused(code)
	}
	return ok(struct {
		State    int    `json:"service_state"`
		Servicer string `json:"servicer_userid,omitempty"`
	}{c.state, c.servicer})
}

// kfTrans changes the state; an ended session stays ended until the customer writes, and a human needs a name.
func (t *Tencent) kfTrans(r request) answer {
	in, c, code := t.session(r)
	switch {
	case code != 0:
		return refused(code)
	case c.state == StateEnded || in.State < StateBot || in.State > StateEnded || in.State < c.state && c.state != StateHuman:
		return refused(95016)
	case in.State == StateHuman && in.Servicer == "":
		return refused(40058)
	}
	c.state, c.servicer = in.State, in.Servicer
	out := struct {
		Code string `json:"msg_code,omitempty"`
	}{}
	if in.State == StateEnded {
		out.Code = t.code(c, 20*time.Second)
	}
	return ok(out)
}
