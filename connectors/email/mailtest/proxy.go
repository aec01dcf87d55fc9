package mailtest

import (
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
)

// A Proxy is the line to a server; it can be cut after so many bytes from the server.
type Proxy struct {
	Port   int
	target string

	mu    sync.Mutex
	after int64 // bytes the next connections may bring; 0: all
	conns []net.Conn
	cuts  int
}

// StartProxy stands in front of a port of this machine.
func StartProxy(t testing.TB, target int) *Proxy {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{Port: l.Addr().(*net.TCPAddr).Port, target: fmt.Sprint("127.0.0.1:", target)}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { p.serve(c) })
		}
	})
	t.Cleanup(func() { l.Close(); p.Cut(); wg.Wait() })
	return p
}

func (p *Proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer server.Close()
	p.mu.Lock()
	after := p.after
	p.conns = append(p.conns, client, server)
	p.mu.Unlock()
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { io.Copy(server, client); server.Close() })
	from := io.Reader(server)
	if after > 0 {
		from = io.LimitReader(server, after)
	}
	n, _ := io.Copy(client, from)
	if after > 0 && n == after {
		p.mu.Lock()
		p.cuts++
		p.mu.Unlock()
	}
	client.Close()
}

// Allow sets what the next connections may bring.
func (p *Proxy) Allow(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.after = n
}

// Cut breaks all lines.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

// Broken counts the lines that ended so.
func (p *Proxy) Broken() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cuts
}
