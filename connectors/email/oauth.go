package email

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"hearback/connectors"
)

// tokenKey is the access token's place in the channel's cache: all nodes share one.
const tokenKey = "oauth"

// oauth is the app that was registered at the provider, and what its consent gave.
type oauth struct{ id, secret, refresh, url, page, scope string }

// oauthOf reads the settings. Microsoft's addresses carry the tenant.
func oauthOf(set map[string]string) oauth {
	p := presets[set["provider"]]
	tenant := url.PathEscape(first(strings.TrimSpace(set["oauth_tenant"]), "common"))
	here := func(u string) string { return strings.ReplaceAll(u, "{tenant}", tenant) }
	return oauth{id: set["oauth_client_id"], secret: set["oauth_client_secret"], refresh: set["oauth_refresh_token"], url: first(set["oauth_token_url"], here(p.tokenURL)),
		page: first(set["oauth_auth_url"], here(p.authURL)), scope: first(set["oauth_scope"], p.scope)}
}

// accessToken returns a token that is good for some minutes, or asks for one with the refresh token.
func (c *connector) accessToken(ctx context.Context) (string, error) {
	return c.tools.Cache.Once(ctx, tokenKey, c.refresh)
}

// withToken logs in by try. A token the server refuses is forgotten and another one tried once: it may have been taken back
// before its time.
func (c *connector) withToken(ctx context.Context, try func(token string) error) error {
	token, err := c.accessToken(ctx)
	if err != nil {
		return err
	}
	refusal := try(token)
	if refusal == nil || !refused(refusal) && !isRefusal(refusal) {
		return refusal
	}
	if err := c.tools.Cache.Drop(ctx, tokenKey, token); err != nil {
		return refusal
	}
	fresh, err := c.accessToken(ctx)
	if err != nil {
		return err
	}
	if fresh == token {
		return refusal
	}
	return try(fresh)
}

// refresh is RFC 6749, section 6.
func (c *connector) refresh(ctx context.Context) (string, time.Duration, error) {
	o := c.s.oauth
	if o.refresh == "" {
		return "", 0, &connectors.SendError{Class: connectors.Credentials, Code: "no_consent",
			Hint: say("尚未授权：请在渠道页面点击“登录授权”。", "Nobody has consented yet: log in at the provider from the channel's page.")}
	}
	answer, err := o.ask(ctx, c.tools.HTTP, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {o.refresh}, "scope": {o.scope}})
	if err != nil {
		return "", 0, err
	}
	c.renewed(ctx, answer.RefreshToken)
	return answer.AccessToken, time.Duration(max(answer.ExpiresIn-300, 60)) * time.Second, nil
}

// keepEvery is how often a renewed refresh token is stored. QUIRK: Microsoft gives another one with each access token, and each is
// good for 90 days from then: a mailbox whose first one is used on for ever stops after three months.
const keepEvery = 24 * time.Hour

// renewed keeps a refresh token that replaces ours.
func (c *connector) renewed(ctx context.Context, token string) {
	if token == "" || token == c.s.oauth.refresh || c.tools.Keep == nil {
		return
	}
	if again, err := c.tools.Cache.Seen(ctx, "oauth-kept", keepEvery); err != nil || again {
		return
	}
	if err := c.tools.Keep(ctx, map[string]string{"oauth_refresh_token": token}); err != nil {
		c.tools.Logger.Warn("a renewed consent was not stored; it is tried again tomorrow", "err", err)
	}
}

// An answer of a token endpoint.
type tokenAnswer struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	ExpiresIn    int    `json:"expires_in"`
	Error        string `json:"error"`
	Description  string `json:"error_description"`
}

// ask puts a question to the token endpoint. What it refuses for good is of class Credentials.
func (o oauth) ask(ctx context.Context, client *http.Client, form url.Values) (tokenAnswer, error) {
	var answer tokenAnswer
	form.Set("client_id", o.id)
	if o.secret != "" {
		form.Set("client_secret", o.secret)
	}
	if form.Get("scope") == "" {
		form.Del("scope")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, o.url, strings.NewReader(form.Encode()))
	if err != nil {
		return answer, fmt.Errorf("ask for a token: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	res, err := client.Do(req)
	if err != nil {
		return answer, fmt.Errorf("ask for a token: %w", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil {
		return answer, fmt.Errorf("ask for a token: %w", err)
	}
	broken := json.Unmarshal(body, &answer)
	if res.StatusCode == http.StatusOK && broken == nil && answer.AccessToken != "" {
		return answer, nil
	}
	e := &connectors.SendError{Class: connectors.Credentials, Code: answer.Error, Err: fmt.Errorf("ask for a token: status %d %s", res.StatusCode, oneLine(answer.Description))}
	switch answer.Error {
	case "invalid_grant", "interaction_required", "consent_required":
		e.Hint = say("授权已撤销或过期，请在渠道页面重新登录授权。", "The consent was revoked or has expired; log in again from the channel's page.")
	case "invalid_client", "unauthorized_client":
		e.Hint = say("OAuth 客户端 ID 或密钥不正确。", "The OAuth client id or secret is wrong.")
	case "invalid_scope":
		e.Hint = say("应用没有邮箱权限（IMAP/SMTP），请在服务商后台添加。", "The app lacks the right to use the mailbox (IMAP/SMTP); add it at the provider.")
	default:
		e.Class, e.Code = connectors.Transient, "oauth"
		e.Hint = say("暂时拿不到访问令牌，将重试。", "No access token can be had just now; it is tried again.")
	}
	return answer, e
}
