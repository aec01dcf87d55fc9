package wechat

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/silenceper/wechat/v2/officialaccount/message"

	"hearback/connectors"
	"hearback/desk"
)

// A trouble is what the admin reads: the sentence alone; the cause stays reachable.
type trouble struct {
	text  string
	cause error
}

func (t trouble) Error() string { return t.text }
func (t trouble) Unwrap() error { return t.cause }

// try fetches an access token with the settings, past the one the channel may have, and asks whether the account may do what the
// channel needs. It sends nothing to anybody.
func try(ctx context.Context, ch desk.Channel, tools connectors.Tools) error {
	s, err := parse(ch.Settings)
	if err != nil {
		return err
	}
	tools.Health = nil
	a := newAPI(s, tools)
	token, _, err := a.fetchToken(ctx, false)
	if err != nil {
		return told(s.judge(err, false, tools.Now()))
	}
	a.tools.Cache = fixedToken{tools.Cache, a.tokenKey(), token}
	if s.account == accountKf {
		return a.tryKf(ctx)
	}
	return a.tryOfficial(ctx)
}

// told is a failure as a sentence.
func told(e *connectors.SendError) error {
	if e.Hint == "" {
		return trouble{oneLine(e.Error()), e}
	}
	return trouble{e.Hint, e}
}

// tryOfficial asks whether customer messages may be sent, by one to nobody: with the permission the answer is "no such customer".
func (a *api) tryOfficial(ctx context.Context) error {
	err := a.post(ctx, customSend, false, message.NewCustomerTextMessage("hearback-test", "test"), nil)
	var e *connectors.SendError
	if errors.As(err, &e) && e.Class != connectors.Permanent {
		return told(e)
	}
	return nil
}

// tryKf asks for the corporation's accounts and looks for ours among them.
func (a *api) tryKf(ctx context.Context) error {
	ask := struct {
		Offset int `json:"offset"`
		Limit  int `json:"limit"`
	}{0, 100}
	var answer struct {
		Accounts []struct {
			ID   string `json:"open_kfid"`
			Name string `json:"name"`
		} `json:"account_list"`
	}
	if err := a.post(ctx, "/cgi-bin/kf/account/list", false, ask, &answer); err != nil {
		return told(connectors.AsSendError(err))
	}
	for _, k := range answer.Accounts {
		if k.ID == a.s.openKfid {
			return nil
		}
	}
	if len(answer.Accounts) == ask.Limit {
		return nil // there are more than were looked at
	}
	return trouble{say(fmt.Sprintf("应用看不到客服账号 %s，请检查 ID，并在企业微信后台授权此应用管理它。", a.s.openKfid),
		fmt.Sprintf("The app does not see the customer-service account %s; check the id, and let the app manage it in WeCom's console.", a.s.openKfid)), nil}
}

// fixedToken is a cache that holds the token under test and forgets nothing of the channel's own.
type fixedToken struct {
	connectors.Cache
	key, token string
}

func (f fixedToken) Once(ctx context.Context, key string, fetch func(context.Context) (string, time.Duration, error)) (string, error) {
	if key == f.key {
		return f.token, nil
	}
	return f.Cache.Once(ctx, key, fetch)
}

func (f fixedToken) Drop(context.Context, string, string) error { return nil }
