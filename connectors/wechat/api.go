package wechat

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"hearback/connectors"
)

const (
	callTime  = 10 * time.Second // one call; files take longer
	fileTime  = 25 * time.Second
	maxAnswer = 8 << 20 // sync_msg's thousand messages have some 2 MB
)

// An api calls Tencent for one account. Every answer's errcode is looked at, an access token that was refused is replaced once, and
// what goes wrong is a *connectors.SendError.
type api struct {
	s      *settings
	tools  connectors.Tools
	client *http.Client
}

// newAPI follows no redirect: the next address would be told ours, with the token in it, as the one it was led from.
func newAPI(s *settings, tools connectors.Tools) *api {
	client := *tools.HTTP
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &api{s, tools, &client}
}

// A call is one request, which may be made twice.
type call struct {
	method  string
	path    string // without the token
	query   url.Values
	body    func() (io.ReadCloser, int64, error) // nil: none
	typ     string                               // the body's
	lasting bool                                 // it does something that must not be done twice unknowingly
	file    bool                                 // it carries a file
}

// post calls with a JSON body and reads the answer into out, which may be nil.
func (a *api) post(ctx context.Context, path string, lasting bool, body, out any) error {
	raw, err := encode(body)
	if err != nil {
		return &connectors.SendError{Class: connectors.Permanent, Err: err}
	}
	return a.do(ctx, call{method: http.MethodPost, path: path, typ: "application/json", lasting: lasting, body: bytesBody(raw)}, out)
}

// encode writes JSON without escaping <, > and &: customers would see the escapes of their links in some clients.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, errors.New("the message cannot be written as JSON")
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

func bytesBody(raw []byte) func() (io.ReadCloser, int64, error) {
	return func() (io.ReadCloser, int64, error) {
		return io.NopCloser(bytes.NewReader(raw)), int64(len(raw)), nil
	}
}

// do makes a call whose answer is JSON.
func (a *api) do(ctx context.Context, c call, out any) error {
	return a.call(ctx, c, func(res *http.Response) error { return readAnswer(res, out) })
}

// call makes a call with an access token, and once more with a fresh one when the first is refused.
func (a *api) call(ctx context.Context, c call, read func(*http.Response) error) error {
	token, err := a.token(ctx)
	if err == nil {
		err = a.attempt(ctx, c, token, read)
	}
	if isTokenError(err) {
		var fresh string
		if fresh, err = a.renewed(ctx, token, err); err == nil {
			err = a.attempt(ctx, c, fresh, read)
		}
	}
	if err == nil {
		a.healthy(nil)
		return nil
	}
	judged := a.s.judge(err, c.lasting, a.tools.Now())
	a.healthy(judged)
	return judged
}

// healthy tells the house of the provider. A customer who cannot be written to says nothing about the account.
func (a *api) healthy(err *connectors.SendError) {
	if a.tools.Health == nil || err != nil && (err.Class == connectors.Permanent || err.Class == connectors.Uncertain) {
		return
	}
	if err == nil {
		a.tools.Health(nil)
		return
	}
	a.tools.Health(err)
}

// attempt makes one request. No error of it holds the address, because the token stands there.
func (a *api) attempt(ctx context.Context, c call, token string, read func(*http.Response) error) error {
	query := url.Values{"access_token": {token}}
	for k, v := range c.query {
		query[k] = v
	}
	return a.request(ctx, c, query, read)
}

func (a *api) request(ctx context.Context, c call, query url.Values, read func(*http.Response) error) error {
	limit := callTime
	if c.file {
		limit = fileTime
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var left atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteRequest: func(i httptrace.WroteRequestInfo) { left.Store(i.Err == nil) }})
	req, err := http.NewRequestWithContext(ctx, c.method, a.s.base+c.path+"?"+query.Encode(), nil)
	if err != nil {
		return &lostError{why: "the API address cannot be read"}
	}
	if c.body != nil {
		body, size, err := c.body()
		if err != nil {
			return err
		}
		req.Body, req.ContentLength = body, size
		req.Header.Set("Content-Type", c.typ)
	}
	res, err := a.client.Do(req)
	if err != nil {
		return &lostError{left.Load(), withoutAddress(err)}
	}
	defer res.Body.Close()
	if err := read(res); err != nil {
		if isAnswer(err) {
			return err
		}
		return &lostError{true, withoutAddress(err)}
	}
	return nil
}

// isAnswer tells what Tencent said from a connection that broke while it spoke.
func isAnswer(err error) bool {
	switch err.(type) {
	case *apiError, *statusError, *connectors.SendError, *lostError:
		return true
	}
	return false
}

// withoutAddress is a transport error without the request's URL, and without a deadline's identity: it is classed here and nowhere else.
func withoutAddress(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	return oneLine(err.Error())
}

// readAnswer reads {"errcode":…} and what comes with it. Answers of success often have no errcode.
func readAnswer(res *http.Response, out any) error {
	if res.StatusCode != http.StatusOK {
		io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10))
		return &statusError{res.StatusCode}
	}
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return err
	}
	return understand(raw, out)
}

func understand(raw []byte, out any) error {
	var told struct {
		Code int    `json:"errcode"`
		Msg  string `json:"errmsg"`
	}
	if len(raw) > maxAnswer || json.Unmarshal(raw, &told) != nil {
		return &statusError{http.StatusOK}
	}
	if told.Code != 0 {
		return &apiError{told.Code, told.Msg}
	}
	if out != nil && json.Unmarshal(raw, out) != nil {
		return &statusError{http.StatusOK}
	}
	return nil
}
