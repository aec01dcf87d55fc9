package wechat_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"

	"hearback/connectors"
	"hearback/connectors/connectortest"
	"hearback/connectors/wechat"
	"hearback/connectors/wechat/tencent"
	"hearback/desk"
)

// BenchmarkCallback is the whole way of a callback in safe mode without the store: signatures, decryption, reading, the inbox in memory.
func BenchmarkCallback(b *testing.B) {
	for _, m := range []string{"plain", "safe"} {
		b.Run(m, func(b *testing.B) {
			house := connectortest.NewHouse(b)
			set := connectortest.Settings(wechat.Kind, map[string]string{"account": "official", "app_id": appID, "app_secret": appKey, "token": "spamtest", "encoding_aes_key": aesKey, "mode": m})
			ch := desk.Channel{ID: desk.NewID(), Kind: "wechat", Settings: set}
			tools := house.Tools(ch)
			tools.Logger = slog.New(slog.DiscardHandler)
			conn, err := wechat.Kind.Open(b.Context(), ch, tools)
			if err != nil {
				b.Fatal(err)
			}
			hook := conn.(connectors.Webhook)
			s := &stage{Env: &connectortest.Env{House: house, URL: "http://desk.test/"}, Account: tencent.Account{AppID: appID}, settings: map[string]string{"mode": m}}
			requests := make([]*http.Request, 512)
			bodies := make([][]byte, len(requests))
			for n := range requests {
				p := s.post(n, func(p *post) { p.body = fmt.Sprintf(hello, n) })
				requests[n] = p.request(b, s.URL)
				bodies[n], _ = io.ReadAll(requests[n].Body)
			}
			var next atomic.Int64
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					n := int(next.Add(1)) % len(requests)
					r := *requests[n]
					r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(bodies[n])), int64(len(bodies[n]))
					w := httptest.NewRecorder()
					hook.ServeHTTP(w, &r)
					if w.Code != 200 {
						b.Error("status " + strconv.Itoa(w.Code))
					}
				}
			})
		})
	}
}
