package bus

import (
	"context"
	"encoding/json"
	"fmt"

	"hearback/desk"
)

const (
	maxEvents = 32 << 10 // bytes of JSON in one hint; readers fetch what does not fit
	maxQueued = 4096     // hints waiting for Redis
	maxBytes  = 8 << 20  // bytes waiting for Redis
)

// Publish tells every node what changed, in order. Subscribers of this node have been called when it returns; other nodes get
// the events over Redis, an event whose JSON is over 32 KB without its Message, Ticket and Contact. It never waits for Redis;
// the error is about events that cannot be encoded, nothing else.
func (b *Bus) Publish(_ context.Context, events []desk.Event) error {
	if len(events) == 0 {
		return nil
	}
	b.events.send(events)
	if b.Embedded() {
		return nil
	}
	payloads, err := encodeEvents(events)
	if err != nil {
		return fmt.Errorf("publish events: %w", err)
	}
	for _, p := range payloads {
		b.enqueue(entry{kind: kindEvents, body: p})
	}
	return nil
}

// Subscribe calls f for every batch of events of every node until ctx ends, and returns ctx's error. f runs on the goroutine
// of whoever published or of Run: it must not block, must not change the events, and must not take a lock that is held while
// publishing.
func (b *Bus) Subscribe(ctx context.Context, f func([]desk.Event)) error {
	defer b.events.add(f)()
	<-ctx.Done()
	return ctx.Err()
}

// OnGap calls f whenever hints of other nodes may have been missed (Redis was away): whoever keeps a picture made of events
// must load it again. The returned function ends it. f must not block.
func (b *Bus) OnGap(f func()) (stop func()) {
	return b.gaps.add(func(struct{}) { f() })
}

// encodeEvents packs events into JSON arrays of at most maxEvents bytes. One event that is too big alone loses its bodies.
func encodeEvents(events []desk.Event) ([][]byte, error) {
	var payloads [][]byte
	var batch []byte
	for _, e := range events {
		one, err := json.Marshal(e)
		if err != nil {
			return nil, err
		}
		if len(one) > maxEvents {
			e.Message, e.Ticket, e.Contact = nil, nil, nil
			if one, err = json.Marshal(e); err != nil {
				return nil, err
			}
		}
		if len(batch) > 0 && len(batch)+len(one)+1 > maxEvents {
			payloads, batch = append(payloads, append(batch, ']')), nil
		}
		if len(batch) == 0 {
			batch = append(batch, '[')
		} else {
			batch = append(batch, ',')
		}
		batch = append(batch, one...)
	}
	return append(payloads, append(batch, ']')), nil
}

// enqueue hands a hint to Run's sender. When the line is full it is dropped, and everybody is told of the gap later.
func (b *Bus) enqueue(e entry) {
	size := int64(len(e.name) + len(e.body))
	if b.outBytes.Add(size) <= maxBytes {
		select {
		case b.out <- e:
			return
		default:
		}
	}
	b.outBytes.Add(-size)
	b.lost.Store(true)
}
