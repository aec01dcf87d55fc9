package bustest

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"hearback/bus"
)

// A Server is a private redis-server that can be stopped and started again on the same address. It keeps nothing.
type Server struct {
	URL    string // unix://…
	t      testing.TB
	socket string
	cmd    *exec.Cmd     // nil while stopped
	ended  chan struct{} // closed when cmd has ended
}

// Redis starts a redis-server for this test and returns its URL.
func Redis(t testing.TB) string {
	t.Helper()
	return NewServer(t).URL
}

// NewServer starts a redis-server that ends with the test.
func NewServer(t testing.TB) *Server {
	t.Helper()
	// t.TempDir's names can be longer than the 107 bytes a socket address holds.
	dir, err := os.MkdirTemp("", "redis")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, socket: filepath.Join(dir, "s")}
	s.URL = "unix://" + s.socket
	t.Cleanup(func() {
		s.Stop()
		os.RemoveAll(dir)
	})
	s.Start()
	return s
}

// Start starts the server and returns when it takes connections.
func (s *Server) Start() {
	s.t.Helper()
	s.cmd = exec.Command("redis-server", "--port", "0", "--unixsocket", s.socket, "--save", "", "--appendonly", "no",
		"--dir", filepath.Dir(s.socket), "--daemonize", "no")
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.run(); err != nil {
		s.t.Fatalf("start redis-server (Debian package redis-server): %v", err)
	}
	var said []string
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		said = append(said, lines.Text())
		// 7.0 says "The server is now ready to accept connections at …", later ones "Ready to accept connections unix".
		if text := strings.ToLower(lines.Text()); strings.Contains(text, "ready to accept connections") {
			go func() { // its pipe must not fill up
				for lines.Scan() {
				}
			}()
			return
		}
	}
	<-s.ended
	s.t.Fatalf("redis-server ended:\n%s", strings.Join(said, "\n"))
}

// Stop kills the server; what it held is gone.
func (s *Server) Stop() {
	if s.cmd == nil {
		return
	}
	s.cmd.Process.Kill()
	<-s.ended
	s.cmd = nil
}

// run starts the process on a thread that lives as long as it does, so that it can be bound to this process.
func (s *Server) run() error {
	bind(s.cmd)
	started := make(chan error)
	s.ended = make(chan struct{})
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with this goroutine
		err := s.cmd.Start()
		started <- err
		if err == nil {
			s.cmd.Wait()
		}
		close(s.ended)
	}()
	return <-started
}

// Open opens a bus and runs it until the test ends.
func Open(t testing.TB, url string) *bus.Bus {
	t.Helper()
	b, err := bus.Open(context.Background(), bus.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		b.Close()
	})
	return b
}

// Each runs the test on the embedded Redis and on a real one.
func Each(t *testing.T, test func(t *testing.T, b *bus.Bus)) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) { test(t, Open(t, "embedded")) })
	t.Run("redis", func(t *testing.T) { test(t, Open(t, Redis(t))) })
}
