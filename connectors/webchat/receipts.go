package webchat

import (
	"encoding/json"
	"fmt"
	"time"

	"hearback/connectors"
	"hearback/desk"
)

const (
	maxMarks     = 64 // replies remembered per visitor
	lookBack     = 100
	receiptTries = 4
)

// marks is how far a visitor has got and read, and what of it the house knows.
type marks struct {
	replies         []mark // rising seq, the last ones
	delivered, read int64  // accepted
	wantDelivered   int64  // to be told
	wantRead        int64
	loaded          bool // replies from before he came are known
	running         bool // receipts is at it
}

// A mark is one reply by its seq and external id.
type mark struct {
	seq      int64
	external string
}

// note remembers a reply. Seqs come in nearly rising order, and more than once.
func (m *marks) note(seq int64, external string) {
	i := len(m.replies)
	for i > 0 && m.replies[i-1].seq > seq {
		i--
	}
	if i > 0 && m.replies[i-1].seq == seq {
		return
	}
	m.replies = append(m.replies, mark{})
	copy(m.replies[i+1:], m.replies[i:])
	m.replies[i] = mark{seq, external}
	if over := len(m.replies) - maxMarks; over > 0 {
		m.replies = append(m.replies[:0:0], m.replies[over:]...)
	}
}

// due returns the strongest news there is: what was read since the last time, or else what has arrived. upTo is the highest
// seq it speaks of.
func (m *marks) due() (r receipt, upTo int64) {
	for _, reply := range m.replies {
		if reply.seq > m.read && reply.seq <= m.wantRead {
			r.State, upTo = desk.DeliveryRead, reply.seq
			r.IDs = append(r.IDs, reply.external)
		}
	}
	if len(r.IDs) > 0 {
		return r, upTo
	}
	for _, reply := range m.replies {
		if reply.seq > max(m.read, m.delivered) && reply.seq <= m.wantDelivered {
			r.State, upTo = desk.DeliveryDelivered, reply.seq
			r.IDs = append(r.IDs, reply.external)
		}
	}
	return r, upTo
}

func (v *visitor) noteReply(e shown) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.marks.note(e.seq, e.external)
}

// acknowledge hears that the visitor has got and read up to these seqs (0: no news). One goroutine per visitor tells the
// house; what comes meanwhile is told in one go afterwards.
func (c *Channel) acknowledge(v *visitor, delivered, read int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	m := &v.marks
	m.wantDelivered, m.wantRead = max(m.wantDelivered, delivered), max(m.wantRead, read)
	if m.running || m.wantRead <= m.read && m.wantDelivered <= max(m.delivered, m.read) {
		return
	}
	m.running = c.start(func() { c.tellReceipts(v) })
}

// tellReceipts sends receipts into the house until there is no news. What the store will not take after a few tries waits
// for the visitor's next sign: the external id is the same then, so nothing counts twice.
func (c *Channel) tellReceipts(v *visitor) {
	c.loadReplies(v)
	for try := 1; ; {
		v.mu.Lock()
		m := &v.marks
		r, upTo := m.due()
		if len(r.IDs) == 0 || try > receiptTries {
			if len(r.IDs) == 0 { // claims beyond what was shown count for nothing later
				m.wantDelivered, m.wantRead = m.delivered, m.read
			}
			m.running = false
			v.mu.Unlock()
			return
		}
		v.mu.Unlock()
		if err := c.acceptReceipt(v.id, r, upTo); err != nil {
			c.tools.Logger.Debug("a receipt was not taken", "err", err)
			try++
			if !c.rest(time.Duration(try) * time.Second) {
				try = receiptTries + 1
			}
			continue
		}
		v.mu.Lock()
		if r.State == desk.DeliveryRead {
			m.read = max(m.read, upTo)
		} else {
			m.delivered = max(m.delivered, upTo)
		}
		v.mu.Unlock()
	}
}

func (c *Channel) acceptReceipt(visitor string, r receipt, upTo int64) error {
	raw, _ := json.Marshal(r) // plain data: cannot fail
	return c.tools.Inbox.Accept(c.ctx, connectors.Batch{Envelopes: []desk.Envelope{{
		Type: desk.EnvelopeReceipt, ExternalID: fmt.Sprintf("%s:%s:%d", visitor, r.State, upTo),
		// Receipts stand in a line of their own: they wait for no message, and no message waits for them.
		Sender: "receipts:" + visitor, Raw: raw,
	}}})
}

// loadReplies reads once which replies were shown before the visitor came to this node.
func (c *Channel) loadReplies(v *visitor) {
	v.mu.Lock()
	upTo, loaded := max(v.marks.wantDelivered, v.marks.wantRead), v.marks.loaded
	v.mu.Unlock()
	if loaded {
		return
	}
	entries, err := c.tools.Log.Read(c.ctx, v.id, max(0, upTo-lookBack), lookBack)
	if err != nil {
		return // asked again at the next sign
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.marks.loaded = true
	for _, e := range entries {
		if e.Inbound {
			continue
		}
		var a answered
		if json.Unmarshal(e.Body, &a) != nil {
			continue
		}
		if a.External == "" {
			a.External = e.ID
		}
		v.marks.note(e.Seq, a.External)
	}
}

// rest waits; false when the channel closes meanwhile.
func (c *Channel) rest(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-c.ctx.Done():
		return false
	}
}
