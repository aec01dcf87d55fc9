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
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {o.refresh}, "client_id": {o.id}}
	if o.secret != "" {
		form.Set("client_secret", o.secret)
	}
	if o.scope != "" {
		form.Set("scope", o.scope)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, o.url, strings.NewReader(form.Encode()))
	if err != nil {
		return "", 0, fmt.Errorf("refresh token: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := c.tools.HTTP.Do(req)
	if err != nil {
		return "", 0, fmt.Errorf("refresh token: %w", err)
	}
	defer res.Body.Close()
	var answer struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int    `json:"expires_in"`
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil {
		return "", 0, fmt.Errorf("refresh token: %w", err)
	}
	decodeErr := json.Unmarshal(body, &answer)
	switch {
	case res.StatusCode == http.StatusOK && decodeErr == nil && answer.AccessToken != "":
		return answer.AccessToken, time.Duration(max(answer.ExpiresIn-300, 60)) * time.Second, nil
	case answer.Error == "invalid_grant":
		return "", 0, &connectors.SendError{Class: connectors.Credentials, Code: answer.Error, Err: fmt.Errorf("refresh token: %s", oneLine(answer.Description)),
			Hint: say("OAuth 授权已撤销或过期，请重新授权并填写新的刷新令牌。", "The OAuth consent was revoked or has expired; consent again and give the new refresh token.")}
	case answer.Error == "invalid_client" || answer.Error == "unauthorized_client":
		return "", 0, &connectors.SendError{Class: connectors.Credentials, Code: answer.Error,
			Hint: say("OAuth 客户端 ID 或密钥不正确。", "The OAuth client id or secret is wrong.")}
	}
	return "", 0, fmt.Errorf("refresh token: status %d %s", res.StatusCode, oneLine(answer.Error))
}
