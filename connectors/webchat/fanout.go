package webchat

import (
	"bytes"
	"encoding/binary"
)

// Kinds of hints between the instances of a channel on several nodes.
const (
	hintEvent = 'e' // an event of the conversation
	hintFrame = 'f' // a passing frame: typing
)

// show puts an event that is durable before every open window of the visitor, on this node now and on others by a hint. If
// the hint is lost their wheel finds the event in the log.
func (c *Channel) show(visitor string, e shown) {
	c.tell(visitor, e)
	b := c.hintHead(hintEvent, visitor, len(e.external)+len(e.body)+16)
	b = binary.AppendUvarint(b, uint64(e.seq))
	b = appendString(b, e.external)
	c.tools.Bus.Publish(c.ctx, append(b, e.body...))
}

// hint puts a passing frame before every open window.
func (c *Channel) hint(visitor string, f []byte) {
	c.flash(visitor, f)
	c.tools.Bus.Publish(c.ctx, append(c.hintHead(hintFrame, visitor, len(f)), f...))
}

func (c *Channel) hintHead(kind byte, visitor string, room int) []byte {
	b := make([]byte, 0, len(c.instance)+len(visitor)+room+4)
	b = append(b, c.instance...)
	b = append(b, kind)
	return appendString(b, visitor)
}

// hear takes a hint. Our own were shown when they were published. payload is not kept.
func (c *Channel) hear(payload []byte) {
	n := len(c.instance)
	if len(payload) <= n || string(payload[:n]) == c.instance {
		return
	}
	kind, rest := payload[n], payload[n+1:]
	visitor, rest, ok := takeString(rest)
	if !ok || c.hub.find(visitor) == nil {
		return
	}
	switch kind {
	case hintFrame:
		c.flash(visitor, bytes.Clone(rest))
	case hintEvent:
		seq, n := binary.Uvarint(rest)
		if n <= 0 {
			return
		}
		external, body, ok := takeString(rest[n:])
		if ok {
			c.tell(visitor, shown{seq: int64(seq), external: external, body: bytes.Clone(body)})
		}
	}
}

// tell shows an event in the windows on this node.
func (c *Channel) tell(visitor string, e shown) {
	v := c.hub.find(visitor)
	if v == nil {
		return
	}
	f := e.frame()
	v.mu.Lock()
	defer v.mu.Unlock()
	v.active = c.now().Unix()
	if e.external != "" {
		v.marks.note(e.seq, e.external)
	}
	for _, s := range v.sockets {
		s.offer(e, f)
	}
	for _, w := range v.waiters {
		select {
		case w <- struct{}{}:
		default:
		}
	}
}

// flash shows a passing frame in the windows on this node that have said hello.
func (c *Channel) flash(visitor string, f []byte) {
	v := c.hub.find(visitor)
	if v == nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, s := range v.sockets {
		s.mu.Lock()
		if s.ready && !s.closing {
			s.enqueue(frame{frameText, f})
		}
		s.wake()
	}
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func takeString(b []byte) (s string, rest []byte, ok bool) {
	n, used := binary.Uvarint(b)
	if used <= 0 || n > uint64(len(b)-used) {
		return "", nil, false
	}
	b = b[used:]
	return string(b[:n]), b[n:], true
}
