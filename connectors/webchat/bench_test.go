package webchat_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"hearback/connectors"
	"hearback/connectors/connectortest"
	"hearback/connectors/webchat"
	"hearback/desk"
)

// BenchmarkMessage is one message over a real socket until its acknowledgement, with an inbox that only counts: what the
// channel itself costs, the client's part included.
func BenchmarkMessage(b *testing.B) {
	e := open(b, map[string]string{"rate_per_minute": "0"})
	counting := countingTools(e)
	conn, err := webchat.Open(context.Background(), e.Channel, counting)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	bench := serve(b, e, conn)
	var windows atomic.Int64
	b.SetParallelism(32)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		token, _ := visitor(b, bench, nil)
		w, _ := enter(b, bench, token, 0)
		n, name := 0, windows.Add(1)
		for pb.Next() {
			n++
			w.write(fmt.Sprintf(`{"type":"message","client_msg_id":"%d-%d","text":"我的订单还没有到，请帮我查一下 order 20261121"}`, name, n))
			for {
				_, p, err := w.conn.ReadMessage()
				if err != nil {
					b.Fatal(err)
				}
				if len(p) > 15 && string(p[:14]) == `{"type":"ack",` {
					break
				}
			}
		}
	})
	b.StopTimer()
}

// BenchmarkIdleSocket reports what an idle visitor's socket costs.
func BenchmarkIdleSocket(b *testing.B) {
	for range b.N {
		per, resident := measureIdle(b, idleSockets)
		b.ReportMetric(float64(per), "heap+stack-B/socket")
		b.ReportMetric(float64(resident), "rss-B/socket")
	}
}

func countingTools(e *connectortest.Env) connectors.Tools {
	t := e.House.Tools(e.Channel)
	t.Inbox = countingInbox{new(sync.Map)}
	return t
}

type countingInbox struct{ seqs *sync.Map }

func (c countingInbox) Accept(_ context.Context, b connectors.Batch) error {
	for i := range b.Envelopes {
		n, _ := c.seqs.LoadOrStore(b.Envelopes[i].Sender, new(atomic.Int64))
		b.Envelopes[i].Seq = n.(*atomic.Int64).Add(1)
		b.Envelopes[i].ReceivedAt = desk.Time(1)
	}
	return nil
}
