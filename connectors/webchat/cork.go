package webchat

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
	"sync"
	"time"
)

var corks = sync.Pool{New: func() any { return new(bytes.Buffer) }}

const corkSize = 32 << 10 // as much is gathered at most

// corkConn gathers what is written between cork and uncork, so that several frames leave in one system call, and owns the
// write deadline. It belongs below gorilla's Conn.
type corkConn struct {
	net.Conn
	mu  sync.Mutex
	buf *bytes.Buffer // nil: not corked
	err error         // the first failed write; nothing is written afterwards
}

func (c *corkConn) cork() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.buf = corks.Get().(*bytes.Buffer)
}

// uncork writes what was gathered and returns the first error there was.
func (c *corkConn) uncork() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.buf != nil {
		c.flush()
		corks.Put(c.buf)
		c.buf = nil
	}
	return c.err
}

// flush writes out the buffer, each time within writeWait. With c.mu held.
func (c *corkConn) flush() {
	if c.buf.Len() > 0 && c.err == nil {
		c.Conn.SetWriteDeadline(time.Now().Add(writeWait)) // a deadline of the operating system, so its clock
		_, c.err = c.Conn.Write(c.buf.Bytes())
	}
	c.buf.Reset()
}

func (c *corkConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.buf == nil {
		return c.Conn.Write(p)
	}
	if c.buf.Len()+len(p) > corkSize {
		c.flush()
	}
	if c.err != nil {
		return 0, c.err
	}
	return c.buf.Write(p)
}

// SetWriteDeadline ignores the deadlines gorilla sets for each frame; uncork sets one for all.
func (c *corkConn) SetWriteDeadline(time.Time) error { return nil }

// hijacker lets gorilla's upgrader find a corkConn.
type hijacker struct {
	http.ResponseWriter
	conn *corkConn
}

func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	h.conn = &corkConn{Conn: conn}
	return h.conn, rw, nil
}
