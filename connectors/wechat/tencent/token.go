package tencent

import (
	"slices"
	"time"
)

// tokenLife is what every token lives.
const tokenLife = 7200 * time.Second

// A token opens the API for one account.
type token struct {
	value  string
	acc    *account
	stable bool
	until  time.Time
	dead   bool // replaced or revoked: 40001, not 42001
}

type tokenAnswer struct {
	AccessToken string `json:"access_token"`
	ExpiresIn   int    `json:"expires_in"`
}

// holder is the account a token belongs to, or the errcode. t.mu is held.
func (t *Tencent) holder(value string) (*account, int) {
	tok := t.tokens[value]
	switch {
	case value == "":
		return nil, 41001
	case tok == nil:
		return nil, 40001
	case tok.dead:
		return nil, 40001
	case !t.now().Before(tok.until):
		return nil, 42001
	}
	return tok.acc, 0
}

// issue makes a new token.
func (t *Tencent) issue(acc *account, stable bool) *token {
	tok := &token{value: randomID(136), acc: acc, stable: stable, until: t.now().Add(tokenLife)}
	t.tokens[tok.value] = tok
	return tok
}

// current is the account's newest living token of that line.
func (t *Tencent) current(acc *account, stable bool) *token {
	var out *token
	for _, tok := range t.tokens {
		if tok.acc.AppID == acc.AppID && tok.stable == stable && !tok.dead && (out == nil || tok.until.After(out.until)) {
			out = tok
		}
	}
	return out
}

// credentials finds the account, or refuses.
func (t *Tencent) credentials(r request, appid, secret string, unknown, wrong int) (*account, answer, bool) {
	acc := t.find(appid)
	switch {
	case acc == nil:
		return nil, refused(unknown), false
	case acc.Secret != secret:
		return nil, refused(wrong), false
	case len(acc.Whitelist) > 0 && !slices.Contains(acc.Whitelist, remote(r.Request)):
		ip := remote(r.Request)
		return nil, refuse(40164, "invalid ip "+ip+" ipv6 ::ffff:"+ip+", not in whitelist"), false
	}
	return acc, answer{}, true
}

func given(tok *token, now time.Time) answer {
	return ok(tokenAnswer{tok.value, int(tok.until.Sub(now) / time.Second)})
}

// plainToken is /cgi-bin/token: a new one every time; the one before lives five minutes more.
func (t *Tencent) plainToken(r request) answer {
	q := r.URL.Query()
	acc, no, fine := t.credentials(r, q.Get("appid"), q.Get("secret"), 40013, 40125)
	if !fine {
		return no
	}
	if old := t.current(acc, false); old != nil {
		if soon := t.now().Add(5 * time.Minute); old.until.After(soon) {
			old.until = soon
		}
	}
	return given(t.issue(acc, false), t.now())
}

// stableToken gives the same token until it is about to end; forced, it makes a new one and the old one is refused at once.
func (t *Tencent) stableToken(r request) answer {
	var in struct {
		GrantType string `json:"grant_type"`
		AppID     string `json:"appid"`
		Secret    string `json:"secret"`
		Force     bool   `json:"force_refresh"`
	}
	if r.Method != "POST" {
		return refused(43002)
	}
	if !r.into(&in) {
		return refused(47001)
	}
	acc, no, fine := t.credentials(r, in.AppID, in.Secret, 40013, 40125)
	if !fine {
		return no
	}
	old := t.current(acc, true)
	if old != nil && !in.Force && old.until.After(t.now().Add(5*time.Minute)) {
		return given(old, t.now())
	}
	if old != nil && in.Force {
		old.dead = true
	}
	return given(t.issue(acc, true), t.now())
}

// corpToken is WeCom's /cgi-bin/gettoken: the same token as long as it lives.
func (t *Tencent) corpToken(r request) answer {
	q := r.URL.Query()
	acc, no, fine := t.credentials(r, q.Get("corpid"), q.Get("corpsecret"), 40013, 40001)
	if !fine {
		return no
	}
	if old := t.current(acc, true); old != nil && t.now().Before(old.until) {
		return given(old, t.now())
	}
	return given(t.issue(acc, true), t.now())
}

// Expire ends every token of an account: 42001 from now on.
func (t *Tencent) Expire(appid string) { t.end(appid, func(tok *token) { tok.until = t.now() }) }

// Revoke replaces the tokens of an account behind the channel's back, as another server with the same secret does: 40001.
func (t *Tencent) Revoke(appid string) { t.end(appid, func(tok *token) { tok.dead = true }) }

func (t *Tencent) end(appid string, f func(*token)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, tok := range t.tokens {
		if tok.acc.AppID == appid {
			f(tok)
		}
	}
}

// Tokens tells how many tokens were asked for, whatever was answered.
func (t *Tencent) Tokens() int {
	return len(t.Calls("/cgi-bin/token")) + len(t.Calls("/cgi-bin/stable_token")) + len(t.Calls("/cgi-bin/gettoken"))
}
