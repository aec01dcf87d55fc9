package bus

import (
	"bytes"
	"context"
)

// A Line carries hints between the parts of one name on all nodes, e.g. the instances of one channel. It satisfies
// connectors.Bus. Any number of lines share the node's one subscription.
type Line struct {
	bus  *Bus
	name string
	subs fanout[[]byte]
}

// Line returns the line of that name; the same name is the same line.
func (b *Bus) Line(name string) *Line {
	b.linesM.Lock()
	defer b.linesM.Unlock()
	l := b.lines[name]
	if l == nil {
		l = &Line{bus: b, name: name}
		b.lines[name] = l
	}
	return l
}

// knownLine is the line of that name if somebody here asked for it before, else nil.
func (b *Bus) knownLine(name string) *Line {
	b.linesM.Lock()
	defer b.linesM.Unlock()
	return b.lines[name]
}

// Publish sends payload to every subscriber of the line; those of this node have been called when it returns. It never waits
// for Redis and the error is always nil: a hint may be lost.
func (l *Line) Publish(_ context.Context, payload []byte) error {
	l.subs.send(payload)
	if !l.bus.Embedded() {
		l.bus.enqueue(entry{kind: kindLine, name: l.name, body: bytes.Clone(payload)})
	}
	return nil
}

// Subscribe calls f for every payload, also for those of this node, until ctx ends, and returns ctx's error. f must neither
// block nor keep or change payload.
func (l *Line) Subscribe(ctx context.Context, f func(payload []byte)) error {
	defer l.subs.add(f)()
	<-ctx.Done()
	return ctx.Err()
}
