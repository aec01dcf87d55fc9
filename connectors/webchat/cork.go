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

const corkKeep = 32 << 10 // bigger buffers are not kept

// corkConn gathers what is written between cork and uncork, so that several frames leave in one system call, and owns the
// write deadline. It belongs below gorilla's Conn.
type corkConn struct {
	net.Conn
	mu  sync.Mutex
	buf *bytes.Buffer // nil: not corked
}

func (c *corkConn) cork() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.buf = corks.Get().(*bytes.Buffer)
}

// uncork writes what was gathered, within wait.
func (c *corkConn) uncork(wait time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	buf := c.buf
	c.buf = nil
	if buf == nil {
		return nil
	}
	var err error
	if buf.Len() > 0 {
		c.Conn.SetWriteDeadline(time.Now().Add(wait)) // a deadline of the operating system, so its clock
		_, err = c.Conn.Write(buf.Bytes())
	}
	if buf.Cap() <= corkKeep {
		buf.Reset()
		corks.Put(buf)
	}
	return err
}

func (c *corkConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.buf != nil {
		return c.buf.Write(p)
	}
	return c.Conn.Write(p)
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
