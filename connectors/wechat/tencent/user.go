package tencent

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
)

// userInfo tells no nickname and no picture, as Tencent since 2021-12-27.
func (t *Tencent) userInfo(r request) answer {
	c := r.acc.customers[r.URL.Query().Get("openid")]
	if c == nil {
		return refused(40003)
	}
	if !c.subscribed {
		return ok(struct {
			Subscribe int    `json:"subscribe"`
			OpenID    string `json:"openid"`
		}{0, c.OpenID})
	}
	return ok(struct {
		Subscribe int    `json:"subscribe"`
		OpenID    string `json:"openid"`
		Nickname  string `json:"nickname"`
		Language  string `json:"language"`
		Picture   string `json:"headimgurl"`
		Since     int64  `json:"subscribe_time"`
		UnionID   string `json:"unionid,omitempty"`
		Remark    string `json:"remark"`
		Group     int    `json:"groupid"`
		Tags      []int  `json:"tagid_list"`
		Scene     string `json:"subscribe_scene"`
	}{1, c.OpenID, "", "zh_CN", "", t.now().Unix(), c.UnionID, "", 0, []int{}, "ADD_SCENE_SEARCH"})
}

// templateSend sends a template message: no window, but the template must be the account's and the customer a follower. What
// became of it is told by an event later.
func (t *Tencent) templateSend(r request) answer {
	var in struct {
		ToUser   string `json:"touser"`
		Template string `json:"template_id"`
		URL      string `json:"url"`
		Data     map[string]struct {
			Value any `json:"value"`
		} `json:"data"`
	}
	if !r.into(&in) {
		return refused(47001)
	}
	c := r.acc.customers[in.ToUser]
	switch {
	case !slices.Contains(r.acc.Templates, in.Template):
		return refused(40037)
	case c == nil:
		return refused(40003)
	case !c.subscribed:
		return refused(43004)
	}
	if code := t.countSend(r.acc); code != 0 {
		return refused(code)
	}
	id := t.nextID()
	data, _ := json.Marshal(in.Data) // strings and numbers out of JSON
	status := "success"
	if c.blocked {
		status = "failed:user block"
	} else {
		c.show(Shown{From: FromAccount, Type: "template", Title: in.Template, Text: string(data), URL: in.URL, Via: "template", MsgID: strconv.FormatInt(id, 10)})
	}
	l := c.letter("", "event", []field{text("Event", "TEMPLATESENDJOBFINISH"), number("MsgID", id), text("Status", status)})
	go t.Deliver(context.WithoutCancel(r.Context()), l) // told when it is done; ends by itself after at most three cuts
	return ok(struct {
		MsgID int64 `json:"msgid"`
	}{id})
}
