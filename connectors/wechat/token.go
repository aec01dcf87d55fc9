package wechat

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"hearback/connectors"
)

// forceEvery is how often at most a token is made anew by force. Tencent allows it 20 times a day.
const forceEvery = 75 * time.Minute

// tokenKey is the token's place in the channel's cache: all nodes share one.
func (a *api) tokenKey() string { return "token:" + a.s.account + ":" + a.s.appID }

// token returns an access token, or fetches one: among all nodes one at a time.
func (a *api) token(ctx context.Context) (string, error) {
	return a.shared(ctx, func(ctx context.Context) (string, time.Duration, error) { return a.fetchToken(ctx, false) })
}

// shared judges what goes wrong here: whatever it is, the call that needs the token was not made yet.
func (a *api) shared(ctx context.Context, fetch func(context.Context) (string, time.Duration, error)) (string, error) {
	token, err := a.tools.Cache.Once(ctx, a.tokenKey(), fetch)
	switch {
	case err == nil:
		return token, nil
	case !isAnswer(err):
		err = &lostError{why: withoutAddress(err)}
	}
	return "", a.s.judge(err, false, a.tools.Now())
}

// renewed replaces a token that was refused. Whoever comes with the same refused token afterwards finds the new one; only where Tencent
// hands out the refused one again is another one made by force. refusal is what the call failed with.
func (a *api) renewed(ctx context.Context, refused string, refusal error) (string, error) {
	if err := a.tools.Cache.Drop(ctx, a.tokenKey(), refused); err != nil {
		return "", refusal
	}
	token, err := a.shared(ctx, func(ctx context.Context) (string, time.Duration, error) {
		token, life, err := a.fetchToken(ctx, false)
		if err != nil || token != refused || a.s.account == accountKf {
			return token, life, err
		}
		if seen, err := a.tools.Cache.Seen(ctx, "forced:"+a.s.appID, forceEvery); err != nil || seen {
			return "", 0, refusal
		}
		return a.fetchToken(ctx, true)
	})
	if err == nil && token == refused {
		err = refusal
	}
	return token, err
}

// fetchToken asks Tencent. stable_token is not disturbed by others who fetch the classic token of the same account.
func (a *api) fetchToken(ctx context.Context, force bool) (string, time.Duration, error) {
	var answer struct {
		Token string `json:"access_token"`
		Life  int    `json:"expires_in"` // seconds
	}
	c := call{method: http.MethodGet, path: "/cgi-bin/gettoken"}
	query := url.Values{"corpid": {a.s.appID}, "corpsecret": {a.s.secret}}
	if a.s.account != accountKf {
		raw, err := encode(struct {
			Grant  string `json:"grant_type"`
			AppID  string `json:"appid"`
			Secret string `json:"secret"`
			Force  bool   `json:"force_refresh"`
		}{"client_credential", a.s.appID, a.s.secret, force})
		if err != nil {
			return "", 0, err
		}
		c = call{method: http.MethodPost, path: "/cgi-bin/stable_token", typ: "application/json", body: bytesBody(raw)}
		query = nil
	}
	err := a.request(ctx, c, query, func(res *http.Response) error { return readAnswer(res, &answer) })
	if err != nil {
		return "", 0, a.tokenRefusal(err)
	}
	if answer.Token == "" {
		return "", 0, &statusError{http.StatusOK}
	}
	a.tools.Logger.Info("access token fetched", "expires_in", answer.Life, "forced", force)
	return answer.Token, time.Duration(max(answer.Life-300, 60)) * time.Second, nil
}

// tokenRefusal: where a token is fetched, 40001 and 40125 mean the secret, and no call will do until it is mended.
func (a *api) tokenRefusal(err error) error {
	e, ok := err.(*apiError)
	if !ok {
		return err
	}
	switch e.code {
	case 40001, 40125, 40091:
		return &connectors.SendError{Class: connectors.Credentials, Code: "40125", Err: e,
			Hint: say("AppSecret 不正确，请在微信后台查看或重置后更新渠道设置。", "The AppSecret is wrong; look it up or reset it in WeChat's console and update the channel.")}
	case 89503, 89507:
		return &connectors.SendError{Class: connectors.Credentials, Code: "89503", Err: e,
			Hint: say("微信要求管理员确认此 IP 的调用，请在手机上确认。", "WeChat wants an administrator to confirm calls from this address; confirm on the phone.")}
	}
	return e
}
