package bus

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"hearback/desk"
)

const (
	maxPublish   = 64 << 10 // bytes in one PUBLISH; one bigger hint travels alone
	retryPublish = time.Second
)

// Run carries hints to and from the other nodes and, when Redis is embedded, lets its keys expire. It returns ctx's error
// when ctx ends; before, it goes on whatever Redis does.
func (b *Bus) Run(ctx context.Context) error {
	if b.Embedded() {
		return b.expire(ctx)
	}
	var parts sync.WaitGroup
	parts.Go(func() { b.receive(ctx) })
	parts.Go(func() { b.send(ctx) })
	parts.Wait()
	return ctx.Err()
}

// expire moves the embedded Redis' clock: it does not by itself. The measured time is used, so that a late tick expires no
// less. A key lives up to a second too long, which nothing here depends on.
func (b *Bus) expire(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			now := time.Now()
			b.mini.FastForward(now.Sub(last))
			last = now
		}
	}
}

// send publishes what waits, many hints in one PUBLISH. A batch Redis did not take is dropped: hints are not worth keeping,
// knowing that some are missing is.
func (b *Bus) send(ctx context.Context) {
	var carry *entry
	for {
		batch, next, ok := b.gather(ctx, carry)
		if !ok {
			return
		}
		carry = next
		if b.lost.Swap(false) {
			batch = append([]entry{{kind: kindGap}}, batch...)
		}
		err := b.client.Publish(ctx, b.topic(), encode(b.node, batch)).Err()
		if err == nil {
			continue
		}
		b.lost.Store(true)
		if ctx.Err() != nil {
			return
		}
		b.logger.Warn("hints to other nodes are lost: redis did not take them", "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(retryPublish):
		}
	}
}

// gather waits for a hint, or for a gap to tell of, and takes along what else waits, up to maxPublish bytes.
func (b *Bus) gather(ctx context.Context, carry *entry) (batch []entry, next *entry, ok bool) {
	size := 0
	take := func(e entry) {
		batch = append(batch, e)
		size += len(e.name) + len(e.body)
	}
	if carry != nil {
		take(*carry)
	} else {
		var retell <-chan time.Time
		if b.lost.Load() {
			retell = time.After(retryPublish)
		}
		select {
		case <-ctx.Done():
			return nil, nil, false
		case <-retell:
			return nil, nil, true
		case e := <-b.out:
			b.outBytes.Add(-int64(len(e.name) + len(e.body)))
			take(e)
		}
	}
	for {
		select {
		case e := <-b.out:
			b.outBytes.Add(-int64(len(e.name) + len(e.body)))
			if size+len(e.name)+len(e.body) > maxPublish {
				return batch, &e, true
			}
			take(e)
		default:
			return batch, nil, true
		}
	}
}

// receive listens to the other nodes on one connection until ctx ends. The client reconnects by itself and reports each new
// subscription; every one after the first means that hints may have been missed.
func (b *Bus) receive(ctx context.Context) {
	sub := b.client.Subscribe(ctx, b.topic())
	defer sub.Close()
	incoming := sub.ChannelWithSubscriptions(redis.WithChannelSize(1024))
	subscribed := false
	for {
		select {
		case <-ctx.Done():
			return
		case m, ok := <-incoming:
			if !ok {
				return
			}
			switch m := m.(type) {
			case *redis.Subscription:
				if subscribed {
					b.gaps.send(struct{}{})
				}
				subscribed = true
			case *redis.Message:
				b.deliver([]byte(m.Payload))
			}
		}
	}
}

// deliver hands another node's hints to the subscribers here.
func (b *Bus) deliver(payload []byte) {
	node, entries, err := decode(payload)
	if err != nil {
		b.logger.Warn("hint of another node cannot be read", "err", err)
		return
	}
	if node == b.node {
		return // delivered when it was published
	}
	for _, e := range entries {
		switch e.kind {
		case kindEvents:
			var events []desk.Event
			if err := json.Unmarshal(e.body, &events); err != nil {
				b.logger.Warn("hint of another node cannot be read", "node", node, "err", err)
				continue
			}
			b.events.send(events)
		case kindLine:
			if l := b.knownLine(e.name); l != nil {
				l.subs.send(e.body)
			}
		case kindGap:
			b.gaps.send(struct{}{})
		}
	}
}

func (b *Bus) topic() string { return b.Key("hints") }
