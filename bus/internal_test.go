package bus

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"hearback/desk"
)

func TestEmbeddedKeysExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, err := Open(t.Context(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go b.Run(ctx)
		if seen, err := b.Seen(ctx, "k", 10*time.Second); seen || err != nil {
			t.Fatal(seen, err)
		}
		<-time.After(5 * time.Second)
		if seen, _ := b.Seen(ctx, "k", 10*time.Second); !seen {
			t.Fatal("expired after 5 s of 10")
		}
		<-time.After(7 * time.Second)
		if seen, _ := b.Seen(ctx, "k", 10*time.Second); seen {
			t.Fatal("still there after 12 s")
		}
		cancel()
	})
}

func TestClusterAndSentinelAddressesAreUnderstood(t *testing.T) {
	c, err := connect("rediss+cluster://me:secret@a:7000,b:7001?pool_size=3")
	if err != nil {
		t.Fatal(err)
	}
	co := c.(*redis.ClusterClient).Options()
	if !slices.Equal(co.Addrs, []string{"a:7000", "b:7001"}) || co.Username != "me" || co.Password != "secret" ||
		co.TLSConfig == nil || co.PoolSize != 3 {
		t.Errorf("cluster: %+v", co)
	}
	s, err := connect("redis+sentinel://me:secret@a:26379,b:26379/mymaster/2?sentinel_password=other")
	if err != nil {
		t.Fatal(err)
	}
	so := s.(*redis.Client).Options()
	if so.DB != 2 || so.Username != "me" || so.Password != "secret" || so.MaxRetries != 0 {
		t.Errorf("sentinel: %+v", so)
	}
}

func TestHintsSurviveTheWire(t *testing.T) {
	in := []entry{{kind: kindEvents, body: []byte("[]")}, {kind: kindLine, name: "通道", body: []byte{0, 1, 2}}, {kind: kindGap}}
	node, out, err := decode(encode("n1", in))
	if err != nil || node != "n1" || !slices.EqualFunc(in, out, func(a, b entry) bool {
		return a.kind == b.kind && a.name == b.name && string(a.body) == string(b.body)
	}) {
		t.Fatalf("%s %v %v", node, out, err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encode("n", []entry{{kind: kindLine, name: "x", body: []byte("y")}}))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, p []byte) {
		if node, entries, err := decode(p); err == nil {
			if _, again, err := decode(encode(node, entries)); err != nil || len(again) != len(entries) {
				t.Fatalf("%v %v", again, err)
			}
		}
	})
}

func TestHintsBeyondTheQueueAreCountedAsLost(t *testing.T) {
	b := &Bus{out: make(chan entry, 2)}
	for range 3 {
		b.enqueue(entry{kind: kindGap})
	}
	if !b.lost.Load() || len(b.out) != 2 {
		t.Fatal("the third must be dropped and remembered")
	}
	batch, _, _ := b.gather(t.Context(), nil)
	if len(batch) != 2 || b.outBytes.Load() != 0 {
		t.Fatalf("gathered %d, %d bytes left", len(batch), b.outBytes.Load())
	}
}

func BenchmarkPublishToOwnNode(b *testing.B) {
	bus, err := Open(b.Context(), Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer bus.Close()
	defer bus.events.add(func([]desk.Event) {})()
	for b.Loop() {
		bus.Publish(b.Context(), []desk.Event{{Type: "ticket"}})
	}
}
