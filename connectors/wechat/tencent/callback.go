package tencent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// deliveries is how often one callback is made: the first time and two repetitions, "three times" in Tencent's words.
const deliveries = 3

// ErrNotAcknowledged tells that the channel did not take a callback in any delivery: the customer sees that the account is out of
// service. For kf the message waits for the next pull.
var ErrNotAcknowledged = errors.New("the callback was not acknowledged")

// A Letter is one callback ready to be made: the same message each time, signed anew unless Options.SameNonce.
type Letter struct {
	Account Account
	OpenID  string
	MsgID   string // "" for events
	Body    []byte // what the message says, before encryption
	at      func() time.Time
}

// Request signs and encrypts the letter and makes the request of it.
func (l Letter) Request(ctx context.Context) (*http.Request, error) {
	target, body, err := l.post(strconv.FormatInt(l.at().Unix(), 10), strconv.Itoa(100000000+rand.IntN(1900000000)))
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, "POST", target, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make callback: %w", err)
	}
	req.Header.Set("Content-Type", "text/xml")
	req.Header.Set("User-Agent", "Mozilla/4.0")
	if l.Account.JSON {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

// post returns address and body in the account's mode.
func (l Letter) post(timestamp, nonce string) (target string, body []byte, err error) {
	a := l.Account
	q := url.Values{"timestamp": {timestamp}, "nonce": {nonce}}
	if a.Kind != KF {
		q.Set("signature", sign(a.Token, timestamp, nonce))
		q.Set("openid", l.OpenID)
	}
	if a.Mode == "plain" || a.Mode == "" {
		return joinQuery(a.Callback, q), l.Body, nil
	}
	sealed, err := seal(a.AESKey, a.AppID, l.Body)
	if err != nil {
		return "", nil, fmt.Errorf("encrypt callback: %w", err)
	}
	q.Set("msg_signature", sign(a.Token, timestamp, nonce, sealed))
	if a.Kind != KF {
		q.Set("encrypt_type", "aes")
	}
	return joinQuery(a.Callback, q), a.wrap(l.Body, sealed), nil
}

// wrap puts the sealed text into its envelope; in compatible mode the open fields stand beside it.
func (a Account) wrap(open []byte, sealed string) []byte {
	to := a.Original
	if a.Kind == KF {
		to = a.AppID
	}
	if a.JSON {
		if a.Mode == "compatible" {
			return append(bytes.TrimSuffix(open, []byte("}")), `,"Encrypt":`+quote(sealed)+"}"...)
		}
		return []byte(`{"ToUserName":` + quote(to) + `,"Encrypt":` + quote(sealed) + `}`)
	}
	if a.Mode == "compatible" {
		return append(bytes.TrimSuffix(open, []byte("</xml>")), "<Encrypt>"+cdata(sealed)+"</Encrypt></xml>"...)
	}
	agent := ""
	if a.Kind == KF {
		agent = "<AgentID>" + cdata("1000002") + "</AgentID>"
	}
	return []byte("<xml><ToUserName>" + cdata(to) + "</ToUserName><Encrypt>" + cdata(sealed) + "</Encrypt>" + agent + "</xml>")
}

func joinQuery(address string, q url.Values) string {
	mark := "?"
	if strings.Contains(address, "?") {
		mark = "&"
	}
	return address + mark + q.Encode()
}

// Delivered is one callback as it went.
type Delivered struct {
	OpenID  string
	MsgID   string
	Attempt int // from 1
	Status  int // 0: no answer
	Body    string
	Took    time.Duration
	Taken   bool
}

// Deliveries returns every callback made so far.
func (t *Tencent) Deliveries() []Delivered {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]Delivered(nil), t.callbacks...)
}

// Deliver makes the callback until it is acknowledged, three times at most. It returns ErrNotAcknowledged when it never was.
func (t *Tencent) Deliver(ctx context.Context, l Letter) error {
	first, err := l.Request(ctx)
	if err != nil {
		return err
	}
	for attempt := 1; attempt <= deliveries; attempt++ {
		req := first
		if attempt > 1 {
			if t.o.Pause > 0 {
				select {
				case <-time.After(t.o.Pause):
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			if req, err = t.again(ctx, l, first); err != nil {
				return err
			}
		}
		if t.attempt(req, l, attempt) {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return ErrNotAcknowledged
}

// again is the request of a repetition.
func (t *Tencent) again(ctx context.Context, l Letter, first *http.Request) (*http.Request, error) {
	if !t.o.SameNonce {
		return l.Request(ctx)
	}
	req := first.Clone(ctx)
	var err error
	req.Body, err = first.GetBody()
	return req, err
}

// attempt makes one delivery and tells whether it was taken.
func (t *Tencent) attempt(req *http.Request, l Letter, n int) (taken bool) {
	if f := t.fault(Callbacks, string(l.Body)); f != nil {
		switch {
		case f.Drop:
			return true // Tencent thinks it is done; the channel never hears of it
		case f.Twice:
			var both sync.WaitGroup
			if second, err := t.again(req.Context(), l, req); err == nil {
				both.Go(func() { t.once(second, l, n) })
			}
			defer both.Wait()
		case f.Delay > 0:
			<-time.After(f.Delay)
		}
	}
	return t.once(req, l, n)
}

func (t *Tencent) once(req *http.Request, l Letter, n int) bool {
	ctx, cancel := context.WithTimeout(req.Context(), t.o.CutAfter)
	defer cancel()
	d := Delivered{OpenID: l.OpenID, MsgID: l.MsgID, Attempt: n}
	begin := time.Now()
	if res, err := t.client.Do(req.WithContext(ctx)); err == nil {
		b, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
		res.Body.Close()
		d.Status, d.Body = res.StatusCode, string(b)
		d.Taken = err == nil && taken(res.StatusCode, d.Body)
	}
	d.Took = time.Since(begin)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.callbacks = append(trimmed(t.callbacks), d)
	t.changed()
	return d.Taken
}

// taken judges an answer: 200 with nothing, "success" or a reply in XML or JSON.
func taken(status int, body string) bool {
	body = strings.TrimSpace(body)
	return status == http.StatusOK && (body == "" || body == "success" || strings.HasPrefix(body, "<xml>") || strings.HasPrefix(body, "{"))
}

// Verify makes the GET by which Tencent asks whether the address is the account holder's, and judges the answer.
func (t *Tencent) Verify(ctx context.Context, appid string) error {
	t.mu.Lock()
	a := t.find(appid)
	t.mu.Unlock()
	if a == nil {
		return fmt.Errorf("verify: no account %s", appid)
	}
	echo := strconv.FormatInt(rand.Int64N(1<<62), 10)
	timestamp, nonce := strconv.FormatInt(t.now().Unix(), 10), strconv.Itoa(100000000+rand.IntN(1900000000))
	q := url.Values{"timestamp": {timestamp}, "nonce": {nonce}, "echostr": {echo}}
	if a.Kind == KF {
		sealed, err := seal(a.AESKey, a.AppID, []byte(echo))
		if err != nil {
			return err
		}
		q.Set("echostr", sealed)
		q.Set("msg_signature", sign(a.Token, timestamp, nonce, sealed))
	} else {
		q.Set("signature", sign(a.Token, timestamp, nonce))
	}
	ctx, cancel := context.WithTimeout(ctx, t.o.CutAfter)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", joinQuery(a.Callback, q), nil)
	if err != nil {
		return err
	}
	res, err := t.client.Do(req)
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	defer res.Body.Close()
	if b, _ := io.ReadAll(io.LimitReader(res.Body, 4096)); res.StatusCode != http.StatusOK || string(b) != echo {
		return fmt.Errorf("verify: status %d and not the echo that was asked for (errcode -202, the address is refused)", res.StatusCode)
	}
	return nil
}

// TextLetter is the callback of a text without a customer behind it: for load, where nobody looks at a phone.
func TextLetter(a Account, openid, msgID, content string, now func() time.Time) Letter {
	fields := []field{text("ToUserName", a.Original), text("FromUserName", openid), number("CreateTime", now().Unix()), text("MsgType", "text"),
		text("Content", content), {name: "MsgId", text: msgID, number: true}}
	return Letter{Account: a, OpenID: openid, MsgID: msgID, Body: document(a.JSON, fields), at: now}
}
