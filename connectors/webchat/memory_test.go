package webchat_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/gorilla/websocket"
)

const (
	idleSockets = 2000
	idleBudget  = 14 << 10 // bytes per idle visitor's socket
)

// TestIdleSocketIsSmall opens sockets from another process, so that only the server's side is measured.
func TestIdleSocketIsSmall(t *testing.T) {
	if url := os.Getenv("WEBCHAT_IDLE_CLIENT"); url != "" {
		idleClient(t, url)
		return
	}
	per, resident := measureIdle(t, idleSockets)
	t.Logf("%d bytes of heap and stacks per idle socket (%d sockets), %d bytes of resident memory", per, idleSockets, resident)
	if per > idleBudget {
		t.Errorf("an idle socket costs %d bytes, at most %d are allowed", per, idleBudget)
	}
}

func measureIdle(t testing.TB, n int) (perSocket, perSocketResident int64) {
	t.Helper()
	allowFiles(t, 3*n)
	e := open(t, map[string]string{"rate_per_minute": "0"})
	token, _ := visitor(t, e, nil)
	w, _ := enter(t, e, token, 0) // pools and caches are warm now
	w.send("warm", "up")
	w.until("ack")
	before, residentBefore := inUse(), resident(t)

	cmd := exec.Command(os.Args[0], "-test.run=^TestIdleSocketIsSmall$")
	cmd.Env = append(os.Environ(), "WEBCHAT_IDLE_CLIENT="+e.URL, "WEBCHAT_IDLE_N="+strconv.Itoa(n))
	in, _ := cmd.StdinPipe()
	out, _ := cmd.StdoutPipe()
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var ready string
	if _, err := fmt.Fscan(out, &ready); err != nil || ready != "ready" {
		t.Fatalf("client: %q, %v", ready, err)
	}
	after, residentAfter := inUse(), resident(t)
	in.Close()
	cmd.Wait()
	return (after - before) / int64(n), (residentAfter - residentBefore) / int64(n)
}

// inUse is heap and stacks after the collector has had its say. Stacks shrink by half each time.
func inUse() int64 {
	var m runtime.MemStats
	for range 4 {
		debug.FreeOSMemory()
	}
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

func resident(t testing.TB) int64 {
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(raw))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

func allowFiles(t testing.TB, n int) {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil || l.Cur >= uint64(n) {
		return
	}
	l.Cur = min(uint64(n), l.Max)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		t.Logf("open files: %v", err)
	}
}

// idleClient holds sockets of many visitors open until its input ends.
func idleClient(t *testing.T, url string) {
	n, _ := strconv.Atoi(os.Getenv("WEBCHAT_IDLE_N"))
	allowFiles(t, 2*n)
	conns := make([]*websocket.Conn, 0, n)
	for range n {
		token := newToken(t, url)
		d := websocket.Dialer{Subprotocols: []string{"hearback.v1", "token." + token}, ReadBufferSize: 512, WriteBufferSize: 512,
			NetDial: func(network, addr string) (net.Conn, error) { return net.Dial(network, addr) }}
		conn, _, err := d.Dial("ws"+strings.TrimPrefix(url, "http")+"/ws", http.Header{"Origin": {shop}})
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
		if err := conn.WriteJSON(map[string]any{"type": "hello"}); err != nil {
			t.Fatal(err)
		}
		var f frame
		if err := conn.ReadJSON(&f); err != nil || f.Type != "welcome" {
			t.Fatalf("%+v, %v", f, err)
		}
	}
	http.DefaultClient.CloseIdleConnections()
	fmt.Println("ready")
	os.Stdin.Read(make([]byte, 1))
	runtime.KeepAlive(conns)
}
