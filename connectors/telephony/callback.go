package telephony

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"hearback/connectors"
	"hearback/desk"
)

// callbackRequested is what the call centre is told; docs/telephony.md describes it for those who write that side.
type callbackRequested struct {
	Type      string       `json:"type"` // callback.requested
	Timestamp desk.Time    `json:"timestamp"`
	Data      callbackData `json:"data"`
}

type callbackData struct {
	CallbackID string         `json:"callback_id"` // comes back as "callback" of the call's events
	Number     string         `json:"number"`      // E.164
	Name       string         `json:"name,omitempty"`
	Note       string         `json:"note,omitempty"` // what the agent wrote for the call centre
	Ticket     callbackTicket `json:"ticket"`
	Agent      callbackAgent  `json:"agent"`
}

type callbackTicket struct {
	ID      desk.ID `json:"id"`
	Number  string  `json:"number"`
	Subject string  `json:"subject,omitempty"`
}

type callbackAgent struct {
	ID        desk.ID `json:"id,omitempty"`
	Name      string  `json:"name,omitempty"`
	Extension string  `json:"extension,omitempty"`
}

// callbackTest is the event that tries the address; call centres answer it and dial nobody.
const callbackTest = "callback.test"

// maxAnswer is how much of a provider's answer is read.
const maxAnswer = 64 << 10

// sendCallback posts callback.requested. Its webhook-id is the message's id, the same on every attempt: a call centre that keeps
// to Standard Webhooks dials once, however often we ask. So whatever leaves the outcome open is tried again.
func (c *Connector) sendCallback(ctx context.Context, out desk.Outbound) (connectors.Receipt, error) {
	number := c.numberTo(out)
	if number == "" {
		return connectors.Receipt{}, permanent("no_number", "没有可以回拨的号码：来电隐藏了号码。", "There is no number to call back: the caller withheld it.")
	}
	event := callbackRequested{Type: "callback.requested", Timestamp: desk.At(c.tools.Now()), Data: callbackData{
		CallbackID: out.MessageID, Number: number, Name: out.ToName, Note: out.Text,
		Ticket: callbackTicket{ID: out.TicketID, Number: out.Number, Subject: out.Subject},
		Agent:  callbackAgent{Name: out.Author.Name, Extension: out.Extension},
	}}
	if out.Author.Kind == "agent" {
		event.Data.Agent.ID = out.Author.ID
	}
	status, after, body, err := c.postSigned(ctx, out.MessageID, event)
	c.noteOut("callback.requested", out.MessageID, status, err)
	if err != nil {
		c.health(err)
		return connectors.Receipt{}, &connectors.SendError{Class: connectors.Transient, Code: "callback_unreachable", Err: err,
			Hint: both("呼叫中心没有应答，会继续重试。", "The call centre does not answer; it is tried again.")}
	}
	if err := callbackOutcome(status, after, body); err != nil {
		c.health(err)
		return connectors.Receipt{}, err
	}
	c.health(nil)
	return connectors.Receipt{ExternalID: callIDIn(body)}, nil
}

// numberTo is whom to call: the identity's number, or the conversation's when that is one.
func (c *Connector) numberTo(out desk.Outbound) string {
	for _, s := range []string{out.To.Value, out.Sender} {
		if n, ok := c.set.e164(s); ok {
			return n
		}
	}
	return ""
}

// postSigned posts an event signed with Standard Webhooks, once with each secret. It follows no redirect: the signed body is for
// the address an admin gave and no other.
func (c *Connector) postSigned(ctx context.Context, id string, event any) (status int, after string, answer []byte, err error) {
	body, err := json.Marshal(event)
	if err != nil {
		return 0, "", nil, fmt.Errorf("write event: %w", err)
	}
	hooks, err := signers(c.ch.Settings["callback_secret"])
	if err != nil {
		return 0, "", nil, err
	}
	at := c.tools.Now()
	var signatures []string
	for _, h := range hooks {
		s, err := h.Sign(id, at, body)
		if err != nil {
			return 0, "", nil, fmt.Errorf("sign event: %w", err)
		}
		signatures = append(signatures, s)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.ch.Settings["callback_url"], bytes.NewReader(body))
	if err != nil {
		return 0, "", nil, errors.New("callback_url is no address")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Hearback")
	req.Header.Set(standardwebhooks.HeaderWebhookID, id)
	req.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	req.Header.Set(standardwebhooks.HeaderWebhookSignature, strings.Join(signatures, " "))
	client := *c.tools.HTTP
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := client.Do(req)
	if err != nil {
		return 0, "", nil, fmt.Errorf("post event: %w", withoutURL(err))
	}
	defer res.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return res.StatusCode, "", nil, fmt.Errorf("read the answer: %w", withoutURL(err))
	}
	return res.StatusCode, res.Header.Get("Retry-After"), answer, nil
}

// signers makes a signer of each secret.
func signers(secrets string) ([]*standardwebhooks.Webhook, error) {
	var out []*standardwebhooks.Webhook
	for _, s := range strings.Fields(secrets) {
		h, err := standardwebhooks.NewWebhook(s)
		if err != nil {
			return nil, errors.New("callback_secret is not Base64") // the library's error repeats the secret
		}
		out = append(out, h)
	}
	if len(out) == 0 {
		return nil, errors.New("callback_secret is missing")
	}
	return out, nil
}

// callbackOutcome: 2xx is taken, 4xx is a clear no except for those that ask to come back.
func callbackOutcome(status int, after string, body []byte) error {
	code := "http_" + strconv.Itoa(status)
	switch {
	case status >= 200 && status < 300:
		return nil
	case status == http.StatusTooManyRequests:
		return &connectors.SendError{Class: connectors.Throttled, Code: code, After: retryAfter(after),
			Hint: both("呼叫中心忙，稍后再试。", "The call centre asks to wait.")}
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return &connectors.SendError{Class: connectors.Credentials, Code: code,
			Hint: both("呼叫中心拒绝了签名，请核对回拨签名密钥。", "The call centre refuses the signature; check the callback secret.")}
	case status == http.StatusRequestTimeout || status == http.StatusTooEarly || status >= 500:
		return &connectors.SendError{Class: connectors.Transient, Code: code, Hint: both("呼叫中心出错，会继续重试。", "The call centre has a problem; it is tried again.")}
	case status >= 300 && status < 400:
		return permanent(code, "回拨推送地址转到了别处，请在渠道设置中填写最终地址。", "The callback address points elsewhere; set its final address in the channel.")
	}
	hint := both("呼叫中心不接受这次回拨", "The call centre does not take this callback")
	if said := reasonIn(body); said != "" {
		hint += ": " + said
	}
	return &connectors.SendError{Class: connectors.Permanent, Code: code, Hint: hint + "."}
}

// callIDIn is the call the call centre makes of it, when its answer tells.
func callIDIn(body []byte) string {
	var answer struct {
		CallID string `json:"call_id"`
	}
	if json.Unmarshal(body, &answer) != nil || len(answer.CallID) > 200 {
		return ""
	}
	return answer.CallID
}

// reasonIn is why a provider refused, when its answer is the usual JSON. It is shown to agents as text.
func reasonIn(body []byte) string {
	var answer struct {
		Error   any    `json:"error"`
		Message string `json:"message"`
		Detail  string `json:"detail"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return ""
	}
	said, _ := answer.Error.(string)
	for _, s := range []string{answer.Detail, answer.Message, said} {
		if s != "" {
			return brief(strings.Join(strings.Fields(s), " "))
		}
	}
	return ""
}

// retryAfter reads seconds, the form providers use; anything else is a minute.
func retryAfter(s string) time.Duration {
	n, err := strconv.Atoi(s)
	if err != nil || n <= 0 {
		return time.Minute
	}
	return min(time.Duration(n)*time.Second, time.Hour)
}

// withoutURL takes the address off an HTTP client's error: addresses carry secrets.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

func (c *Connector) health(err error) {
	if c.tools.Health != nil {
		c.tools.Health(err)
	}
}

// noteOut adds what left to the channel's live log.
func (c *Connector) noteOut(what, ref string, status int, err error) {
	if c.tools.Note == nil {
		return
	}
	n := connectors.Note{What: what, Ref: ref, Status: status, Refused: err != nil || status >= 300}
	if err != nil {
		n.Detail = "No answer."
	}
	c.tools.Note(n)
}

// testCallback checks that callback_url answers; nil when none is set.
func (c *Connector) testCallback(ctx context.Context) error {
	if c.ch.Settings["callback_url"] == "" {
		return nil
	}
	at := desk.At(c.tools.Now())
	status, after, body, err := c.postSigned(ctx, "test_"+desk.NewID(), callbackRequested{Type: callbackTest, Timestamp: at})
	if err != nil {
		return fmt.Errorf("the callback address does not answer: %w", err)
	}
	return callbackOutcome(status, after, body)
}
