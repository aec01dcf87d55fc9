package email

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"time"

	"hearback/connectors"
	"hearback/desk"
)

// consent is the log-in at Google or Microsoft (RFC 6749, 4.1; PKCE: RFC 7636).
var consent = connectors.Consent{URL: consentURL, Exchange: exchange}

// consentURL is the provider's page for this mailbox.
func consentURL(ch desk.Channel, redirect, state, verifier string) (string, error) {
	s := oauthOf(ch.Settings)
	switch {
	case s.id == "":
		return "", wanting(say("请先填写并保存 OAuth 客户端 ID。", "Give the OAuth client id first, and save."))
	case s.page == "" || s.url == "":
		return "", wanting(say("请选择服务商（Gmail 或 Microsoft 365），或填写 OAuth 授权地址与令牌地址。",
			"Choose the provider (Gmail or Microsoft 365), or give the OAuth authorization and token URLs."))
	}
	page, err := url.Parse(s.page)
	if err != nil || page.Host == "" {
		return "", wanting(say("OAuth 授权地址无效。", "The OAuth authorization URL is none."))
	}
	sum := sha256.Sum256([]byte(verifier))
	q := page.Query()
	for name, value := range map[string]string{"response_type": "code", "client_id": s.id, "redirect_uri": redirect, "scope": s.scope, "state": state,
		"code_challenge": base64.RawURLEncoding.EncodeToString(sum[:]), "code_challenge_method": "S256", "login_hint": strings.TrimSpace(ch.Settings["address"])} {
		if value != "" {
			q.Set(name, value)
		}
	}
	// Google gives a refresh token only when asked so, and after the first time only when the person is asked again.
	q.Set("access_type", "offline")
	q.Set("prompt", "consent")
	page.RawQuery = q.Encode()
	return page.String(), nil
}

// exchange turns the code into a refresh token, to be kept sealed.
func exchange(ctx context.Context, ch desk.Channel, t connectors.Tools, redirect, code, verifier string) (map[string]string, error) {
	s := oauthOf(ch.Settings)
	answer, err := s.ask(ctx, t.HTTP, url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirect}, "code_verifier": {verifier}})
	if err != nil {
		told := connectors.AsSendError(err)
		text := told.Hint
		switch {
		case told.Code == "invalid_grant":
			text = say("授权码无效或已过期，请重新登录授权。", "The code is not valid any more; log in again.")
		case text == "":
			text = say("连接不上服务商的授权服务器。", "The provider's authorization server cannot be reached.")
		}
		return nil, trouble{text, err}
	}
	if answer.RefreshToken == "" {
		return nil, wanting(say("服务商没有给出刷新令牌：应用需要“离线访问”权限。", "The provider gave no refresh token: the app needs the right to offline access."))
	}
	if t.Cache != nil && answer.AccessToken != "" { // one of a former consent must not be used on
		if old, err := t.Cache.Once(ctx, tokenKey, func(context.Context) (string, time.Duration, error) { return "", 0, errNoToken }); err == nil {
			_ = t.Cache.Drop(ctx, tokenKey, old)
		}
	}
	return map[string]string{"oauth_refresh_token": answer.RefreshToken, "auth": "xoauth2"}, nil
}

// wanting is something an admin has to see to, in a sentence.
func wanting(text string) error { return trouble{text, desk.ErrInvalid} }

var errNoToken = errors.New("no access token is kept")
