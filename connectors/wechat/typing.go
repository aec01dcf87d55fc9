package wechat

import (
	"context"
	"net/http"
)

// Typing shows 对方正在输入. Tencent takes it within 30 s of something the customer did, and shows it for about 15 s; outside of that
// (45072, 45080, 45081) it is simply not shown. Agents' keyboards are quicker than that: more than one call in 12 s is left out.
func (c *official) Typing(ctx context.Context, sender string, on bool) error {
	command := "CancelTyping"
	if on {
		command = "Typing"
		if ok, _, err := c.tools.Cache.Allow(ctx, "typing:"+sender, 5, 1); err != nil || !ok {
			return nil
		}
	}
	token, err := c.api.token(ctx)
	if err != nil {
		return err
	}
	raw, err := encode(struct {
		ToUser  string `json:"touser"`
		Command string `json:"command"`
	}{sender, command})
	if err != nil {
		return err
	}
	err = c.api.attempt(ctx, call{method: http.MethodPost, path: "/cgi-bin/message/custom/typing", typ: "application/json", body: bytesBody(raw)}, token,
		func(res *http.Response) error { return readAnswer(res, nil) })
	if e, ok := err.(*apiError); ok && (e.code == 45072 || e.code == 45080 || e.code == 45081) {
		return nil
	}
	return err
}
