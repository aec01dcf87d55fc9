package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"hearback/connectors/wechat/tencent"
)

// loadWechat sends callbacks as Tencent does: signed, in safe mode encrypted, over as many connections as there are senders, each
// the next one after the acknowledgement of the last.
type loadWechat struct {
	URL       string        `help:"Address of the gateway." default:"http://127.0.0.1:8080"`
	Token     string        `help:"API token of an administrator (hearback token add)." env:"HEARBACK_TOKEN" required:""`
	Mode      string        `help:"safe, compatible or plain." enum:"safe,compatible,plain" default:"safe"`
	Senders   int           `help:"Connections." default:"64"`
	Customers int           `help:"Customers per connection." default:"8"`
	Duration  time.Duration `help:"How long to write." default:"10s"`
}

// Run makes a channel of its own, measures once and prints.
func (l *loadWechat) Run(g *globals) error {
	ctx := context.Background()
	l.URL = strings.TrimSuffix(l.URL, "/")
	api := &apiClient{l.URL, l.Token, &http.Client{Timeout: 30 * time.Second}}
	account, err := l.channel(ctx, api)
	if err != nil {
		return err
	}
	before, err := api.filed(ctx)
	if err != nil {
		return err
	}
	res := l.spread(ctx, account)
	n, err := settled(ctx, api, before, res.Count)
	if err != nil {
		return err
	}
	res.Verified = &n
	res.print(g.JSON)
	if n < res.Count {
		return fmt.Errorf("%d acknowledged messages are missing in the store", res.Count-n)
	}
	return nil
}

// channel makes an account for this run; its secrets are worth nothing afterwards.
func (l *loadWechat) channel(ctx context.Context, api *apiClient) (tencent.Account, error) {
	a := tencent.Account{Kind: tencent.Official, AppID: "wx" + randomHex(8), Secret: randomHex(16), Token: randomHex(12), AESKey: randomHex(22)[:43],
		Mode: l.Mode, Original: "gh_" + randomHex(6)}
	var made struct {
		ID string `json:"id"`
	}
	err := api.do(ctx, "POST", "/api/v1/channels", map[string]any{"kind": "wechat", "name": "Load test", "enabled": true, "settings": map[string]string{
		"account": "official", "app_id": a.AppID, "app_secret": a.Secret, "token": a.Token, "encoding_aes_key": a.AESKey, "mode": a.Mode}}, &made)
	a.Callback = l.URL + "/c/" + made.ID
	return a, err
}

func randomHex(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return hex.EncodeToString(b)
}

func (l *loadWechat) spread(ctx context.Context, a tencent.Account) loadResult {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: l.Senders, MaxConnsPerHost: l.Senders}}
	var rec recorder
	var wg sync.WaitGroup
	var ids atomic.Int64
	ids.Store(time.Now().UnixNano())
	begin := time.Now()
	time.AfterFunc(l.Duration, cancel)
	for n := range l.Senders {
		wg.Go(func() {
			took, err := l.write(ctx, client, a, n, &ids)
			errs := 0
			if err != nil {
				errs = 1
			}
			rec.add(took, errs, err)
		})
	}
	wg.Wait()
	return rec.result("callbacks-"+l.Mode, l.Senders, time.Since(begin))
}

// write is one connection. The last callback is finished, not cut: an acknowledgement that was under way must be counted.
func (l *loadWechat) write(ctx context.Context, client *http.Client, a tencent.Account, n int, ids *atomic.Int64) (took []time.Duration, err error) {
	for i := 0; ctx.Err() == nil; i++ {
		openid := fmt.Sprintf("oLoad%06d-%06d-customers", n, i%l.Customers)
		letter := tencent.TextLetter(a, openid, strconv.FormatInt(ids.Add(1), 10), fmt.Sprintf("消息 %d: 请问我的订单什么时候到？", i), time.Now)
		req, err := letter.Request(context.WithoutCancel(ctx))
		if err != nil {
			return took, err
		}
		at := time.Now()
		if err := acknowledged(client, req); err != nil {
			return took, err
		}
		took = append(took, time.Since(at))
	}
	return took, nil
}

// acknowledged makes a callback and judges its answer as Tencent does.
func acknowledged(client *http.Client, req *http.Request) error {
	res, err := client.Do(req)
	if err != nil {
		return errors.New("callback: no answer") // the error names the address with its signature
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 1024))
	if err != nil {
		return fmt.Errorf("callback: %w", err)
	}
	if body := strings.TrimSpace(string(b)); res.StatusCode != http.StatusOK || body != "success" && body != "" {
		return &errRefused{res.StatusCode, body}
	}
	return nil
}
