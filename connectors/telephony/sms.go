package telephony

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nyaruka/phonenumbers"

	"hearback/connectors"
	"hearback/desk"
)

// An smsGateway is how one provider takes an SMS: a request made from a template, a signature, and where its answer tells
// what became of it. The known providers are values of it (sms_presets.go); "http" is one an admin describes.
type smsGateway struct {
	name    string
	method  string
	url     string
	headers []smsPair // templates
	form    []smsPair // templates of a form's or query's parameters; nil: body is used
	body    string    // template of a JSON body
	query   bool      // form goes into the address
	sign    smsSigner // nil: none

	success []smsPair  // path in the answer = value; all must hold. None: status 2xx is enough
	idPath  []string   // where the answer holds the provider's id
	errPath []string   // where it holds the error's code
	classes []smsClass // what a code means; the first that fits counts
	maxText int        // bytes
	reports bool       // the provider tells what became of it
}

// An smsPair is a name and a template or value.
type smsPair struct{ name, value string }

// An smsClass says what an error code means. Pattern may end in "*".
type smsClass struct {
	pattern string
	class   connectors.Class
	hint    string
}

// An smsSigner proves who we are, on the finished request.
type smsSigner func(r *smsRequest, at time.Time)

// An smsRequest is a request before it is sent.
type smsRequest struct {
	method, url string
	header      http.Header
	form        []smsPair // filled in; signers may add
	body        string
}

// sendSMS sends one. Providers have no idempotency key, so what was sent and not answered is uncertain.
func (c *Connector) sendSMS(ctx context.Context, g *smsGateway, out desk.Outbound) (connectors.Receipt, error) {
	number, err := c.smsNumber(out)
	if err != nil {
		return connectors.Receipt{}, err
	}
	if n, unicode := smsSegments(out.Text); n > maxSegments {
		return connectors.Receipt{}, permanent("too_long", fmt.Sprintf("短信过长，需要 %d 条，最多 %d 条。", n, maxSegments),
			fmt.Sprintf("The text takes %d SMS (Unicode: %t); at most %d are sent.", n, unicode, maxSegments))
	}
	req, err := g.request(c.smsValues(number, out), c.tools.Now())
	if err != nil {
		return connectors.Receipt{}, permanent("sms_settings", "短信设置无法使用。", "The SMS settings cannot be used.")
	}
	status, after, body, left, err := c.postSMS(ctx, req)
	c.noteOut("sms", out.MessageID, status, err)
	if err != nil {
		return connectors.Receipt{}, c.smsBroken(err, left)
	}
	receipt, err := g.outcome(status, after, body)
	c.health(err)
	return receipt, err
}

// smsNumber is the customer's mobile number.
func (c *Connector) smsNumber(out desk.Outbound) (string, error) {
	number := c.numberTo(out)
	switch {
	case number == "":
		return "", permanent("no_number", "没有可用的手机号码。", "There is no mobile number to write to.")
	case !mobile(number):
		return "", permanent("no_mobile", "这不是手机号码，收不到短信，请回拨。", "This is no mobile number; call the customer back instead.")
	}
	return number, nil
}

// smsValues are what templates may name.
func (c *Connector) smsValues(number string, out desk.Outbound) map[string]string {
	s := c.ch.Settings
	return map[string]string{
		"to": number, "to_digits": strings.TrimPrefix(number, "+"), "to_local": c.localNumber(number), "text": out.Text, "id": out.MessageID,
		"number": out.Number, "from": s["sms_from"], "account": s["sms_account"], "key_id": s["sms_key_id"], "template": s["sms_template"],
		"app": s["sms_app"], "status_url": c.tools.Address + "/sms",
	}
}

// localNumber is a number as gateways at home want it: national at home, digits with the country code abroad.
func (c *Connector) localNumber(number string) string {
	n, err := phonenumbers.Parse(number, "")
	if err == nil && phonenumbers.GetRegionCodeForNumber(n) == strings.ToUpper(c.set.country) {
		return phonenumbers.GetNationalSignificantNumber(n)
	}
	return strings.TrimPrefix(number, "+")
}

// request fills the templates in and signs.
func (g *smsGateway) request(values map[string]string, at time.Time) (*smsRequest, error) {
	r := &smsRequest{method: g.method, header: http.Header{}, url: fillSMS(g.url, values, queryEscape)}
	for _, h := range g.headers {
		r.header.Set(h.name, fillSMS(h.value, values, headerEscape))
	}
	for _, p := range g.form {
		if v := fillSMS(p.value, values, nil); v != "" {
			r.form = append(r.form, smsPair{p.name, v})
		}
	}
	if g.form == nil {
		r.body = fillSMS(g.body, values, jsonEscape)
	}
	if g.sign != nil {
		g.sign(r, at)
	}
	if g.form == nil {
		return r, nil
	}
	if g.query {
		sep := "?"
		if strings.Contains(r.url, "?") {
			sep = "&"
		}
		r.url += sep + encodePairs(r.form)
		return r, nil
	}
	r.header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.body = encodePairs(r.form)
	return r, nil
}

func (c *Connector) postSMS(ctx context.Context, r *smsRequest) (status int, after string, answer []byte, left bool, err error) {
	var wrote atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteRequest: func(i httptrace.WroteRequestInfo) {
		if i.Err == nil {
			wrote.Store(true)
		}
	}})
	req, err := http.NewRequestWithContext(ctx, r.method, r.url, strings.NewReader(r.body))
	if err != nil {
		return 0, "", nil, false, errors.New("the SMS address is none")
	}
	req.Header = r.header
	client := *c.tools.HTTP
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := client.Do(req)
	if err != nil {
		return 0, "", nil, wrote.Load(), fmt.Errorf("send sms: %w", withoutURL(err))
	}
	defer res.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return res.StatusCode, "", nil, true, fmt.Errorf("read the answer: %w", withoutURL(err))
	}
	return res.StatusCode, res.Header.Get("Retry-After"), answer, true, nil
}

// smsBroken: a request that left and was not answered may have become an SMS.
func (c *Connector) smsBroken(err error, left bool) error {
	c.health(err)
	if left {
		return &connectors.SendError{Class: connectors.Uncertain, Code: "sms_no_answer", Err: err,
			Hint: both("短信平台没有回应，客户可能已收到。", "The SMS gateway did not answer; the customer may have received it.")}
	}
	return &connectors.SendError{Class: connectors.Transient, Code: "sms_unreachable", Err: err,
		Hint: both("连不上短信平台，会继续重试。", "The SMS gateway cannot be reached; it is tried again.")}
}

// outcome reads a provider's answer.
func (g *smsGateway) outcome(status int, after string, body []byte) (connectors.Receipt, error) {
	tree, err := jsonTree(body)
	if err != nil {
		tree = map[string]any{"status": strconv.Itoa(status), "body": strings.TrimSpace(string(body))}
	}
	answer := profileRecord{tree: tree}
	if code := firstValue(answer, g.errPath); code != "" {
		if e := g.classify(code, status, after, answer); e != nil {
			return connectors.Receipt{}, e
		}
	}
	if e := smsStatus(status, after); e != nil {
		return connectors.Receipt{}, e
	}
	for _, want := range g.success {
		if answer.value(want.name) != want.value {
			return connectors.Receipt{}, permanent("not_accepted", "短信平台没有接受这条短信。", "The SMS gateway did not accept the message.")
		}
	}
	return connectors.Receipt{ExternalID: firstValue(answer, g.idPath)}, nil
}

func firstValue(rec profileRecord, paths []string) string {
	for _, p := range paths {
		if v := rec.value(p); v != "" {
			return v
		}
	}
	return ""
}

// classify: nil means that the code is none of an error.
func (g *smsGateway) classify(code string, status int, after string, answer profileRecord) *connectors.SendError {
	for _, w := range g.success {
		if answer.value(w.name) == w.value && w.value == code {
			return nil
		}
	}
	for _, c := range g.classes {
		if head, wild := strings.CutSuffix(c.pattern, "*"); c.pattern == code || wild && strings.HasPrefix(code, head) {
			e := &connectors.SendError{Class: c.class, Code: brief(code), Hint: c.hint}
			if c.class == connectors.Throttled {
				e.After = retryAfter(after)
			}
			return e
		}
	}
	if e := smsStatus(status, after); e != nil {
		e.Code = brief(code)
		return e
	}
	if len(g.success) == 0 {
		return nil
	}
	return permanent(brief(code), "短信平台拒绝了这条短信。", "The SMS gateway refused the message.")
}

// smsStatus is what a status alone tells; nil for 2xx.
func smsStatus(status int, after string) *connectors.SendError {
	code := "http_" + strconv.Itoa(status)
	switch {
	case status >= 200 && status < 300:
		return nil
	case status == http.StatusTooManyRequests:
		return &connectors.SendError{Class: connectors.Throttled, Code: code, After: retryAfter(after), Hint: both("短信平台限流，稍后再发。", "The SMS gateway asks to wait.")}
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return &connectors.SendError{Class: connectors.Credentials, Code: code, Hint: both("短信平台拒绝了账号或密钥，请管理员更新。", "The SMS gateway refuses the credentials; an administrator must renew them.")}
	case status == http.StatusServiceUnavailable || status == http.StatusRequestTimeout:
		return &connectors.SendError{Class: connectors.Transient, Code: code, Hint: both("短信平台暂不可用，会继续重试。", "The SMS gateway is not available; it is tried again.")}
	case status >= 500:
		return &connectors.SendError{Class: connectors.Uncertain, Code: code, Hint: both("短信平台出错，客户可能已收到。", "The SMS gateway failed; the customer may have received it.")}
	}
	return permanent(code, "短信平台拒绝了这条短信。", "The SMS gateway refused the message.")
}
