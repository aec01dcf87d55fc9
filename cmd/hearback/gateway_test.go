package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary is the real program, built once for all tests of this package.
var binary string

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "hearback-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "hearback")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the gateway: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// A gateway is one process of the real binary, started, killed and started again by a test.
type gateway struct {
	t     testing.TB
	args  []string
	base  string // http://127.0.0.1:PORT, known after the first start and kept over restarts
	first readyLine
	log   lockedBuffer

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{} // closed when the process is gone
}

// readyLine is what serve --json prints once it answers.
type readyLine struct {
	Event         string `json:"event"`
	URL           string `json:"url"`
	Email         string `json:"admin_email"`
	Password      string `json:"admin_password"`
	DemoURL       string `json:"demo_url"`
	DemoWechatURL string `json:"demo_wechat_url"`
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// newGateway prepares a gateway with its own data folder; start runs it. Its log is shown when the test fails.
func newGateway(t testing.TB, args ...string) *gateway {
	g := &gateway{t: t, args: append([]string{"--data", t.TempDir(), "--log-level", "warn"}, args...)}
	t.Cleanup(func() {
		g.kill(syscall.SIGKILL)
		if t.Failed() {
			t.Logf("log of the gateway:\n%s", tail(g.log.String(), 8000))
		}
	})
	return g
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

// start runs the gateway and returns when it says that it is ready.
func (g *gateway) start() {
	g.t.Helper()
	listen := "127.0.0.1:0"
	if g.base != "" {
		listen = strings.TrimPrefix(g.base, "http://")
	}
	cmd := exec.Command(binary, append([]string{"serve", "--json", "--listen", listen}, g.args...)...)
	cmd.Stderr = &g.log
	out, err := cmd.StdoutPipe()
	if err != nil {
		g.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		g.t.Fatal(err)
	}
	ready := make(chan readyLine, 1)
	done := make(chan struct{})
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var l readyLine
			if json.Unmarshal(lines.Bytes(), &l) == nil && l.Event == "ready" {
				ready <- l
			}
		}
		cmd.Wait()
		close(done)
	}()
	g.mu.Lock()
	g.cmd, g.done = cmd, done
	g.mu.Unlock()
	select {
	case l := <-ready:
		if g.base == "" {
			g.base, g.first = l.URL, l
		}
	case <-done:
		g.t.Fatalf("the gateway ended before it was ready:\n%s", tail(g.log.String(), 4000))
	case <-time.After(30 * time.Second):
		g.t.Fatalf("the gateway is not ready after 30 s:\n%s", tail(g.log.String(), 4000))
	}
}

// kill sends sig and waits until the process is gone; it returns how long that took.
func (g *gateway) kill(sig syscall.Signal) time.Duration {
	g.mu.Lock()
	cmd, done := g.cmd, g.done
	g.cmd = nil
	g.mu.Unlock()
	if cmd == nil {
		return 0
	}
	begin := time.Now()
	cmd.Process.Signal(sig)
	<-done
	return time.Since(begin)
}

// pid is the running process's id.
func (g *gateway) pid() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.cmd.Process.Pid
}

// run calls another command of the binary on the same data and decodes its JSON answer into out (nil: ignored).
func (g *gateway) run(out any, stdin string, args ...string) {
	g.t.Helper()
	if err := g.try(out, stdin, args...); err != nil {
		g.t.Fatal(err)
	}
}

func (g *gateway) try(out any, stdin string, args ...string) error {
	args = append(append([]string{"--json"}, args...), g.args...)
	cmd := exec.Command(binary, args...)
	cmd.Stdin = strings.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	b, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("hearback %s: %w: %s", strings.Join(args, " "), err, stderr.String())
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(b, out)
}

// addWebchat makes a web-chat channel before the gateway runs.
func (g *gateway) addWebchat(settings ...string) (id string) {
	g.t.Helper()
	args := []string{"channel", "add", "--kind", "webchat", "--name", "Shop", "--set", "origins=http://shop.test", "--set", "rate_per_minute=0"}
	for _, s := range settings {
		args = append(args, "--set", s)
	}
	var made struct {
		ID string `json:"id"`
	}
	g.run(&made, "", args...)
	return made.ID
}

// addAgent makes a person and returns his token.
func (g *gateway) addAgent(email, role string, more ...string) (token string) {
	g.t.Helper()
	g.run(nil, "a long enough password\n", append([]string{"agent", "add", "--email", email, "--name", strings.Split(email, "@")[0], "--role", role, "--password-stdin"}, more...)...)
	var made struct {
		Token string `json:"token"`
	}
	g.run(&made, "", "token", "add", "--agent", email)
	return made.Token
}

func (g *gateway) api(token string) *apiClient {
	return &apiClient{g.base, token, &http.Client{Timeout: 20 * time.Second}}
}

func (g *gateway) visitor(channel string, client *http.Client) *chatClient {
	return &chatClient{base: g.base, channel: channel, origin: "http://shop.test", http: client}
}

// eventually calls f until it returns true, with growing pauses bounded by the deadline; for conditions that only polling can
// see, such as the answer of an HTTP API.
func eventually(t testing.TB, within time.Duration, what string, f func() bool) {
	t.Helper()
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	for wait := 5 * time.Millisecond; !f(); wait = min(2*wait, 250*time.Millisecond) {
		select {
		case <-deadline.C:
			t.Fatalf("not within %s: %s", within, what)
		case <-time.After(wait):
		}
	}
}

// A ticketView is a ticket as the API shows it, as far as the tests look at it.
type ticketView struct {
	ID       string `json:"id"`
	Number   string `json:"number"`
	Status   string `json:"status"`
	Version  int64  `json:"version"`
	Assignee *struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"assignee"`
	Contact struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"contact"`
	Team *struct {
		Name string `json:"name"`
	} `json:"team"`
}

type messageView struct {
	ID        string `json:"id"`
	Seq       int64  `json:"seq"`
	Direction string `json:"direction"`
	Text      string `json:"text"`
	Event     *struct {
		Type string `json:"type"`
	} `json:"event"`
	Delivery *struct {
		State string `json:"state"`
		Hint  string `json:"hint"`
	} `json:"delivery"`
}

// allTickets pages through every ticket.
func allTickets(ctx context.Context, api *apiClient) (all []ticketView, err error) {
	for cursor := ""; ; {
		var page struct {
			Items []ticketView `json:"items"`
			Next  string       `json:"next"`
		}
		if err := api.do(ctx, "GET", "/api/v1/tickets?view=all&sort=created&limit=200&cursor="+cursor, nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if cursor = page.Next; cursor == "" {
			return all, nil
		}
	}
}

// allMessages pages through a ticket's timeline.
func allMessages(ctx context.Context, api *apiClient, ticket string) (all []messageView, err error) {
	for after := int64(0); ; {
		var page struct {
			Items []messageView `json:"items"`
		}
		if err := api.do(ctx, "GET", fmt.Sprintf("/api/v1/tickets/%s/messages?after=%d&limit=200", ticket, after), nil, &page); err != nil {
			return nil, err
		}
		if len(page.Items) == 0 {
			return all, nil
		}
		all = append(all, page.Items...)
		after = page.Items[len(page.Items)-1].Seq
	}
}

// getStatus fetches a path and returns the status and the body.
func getStatus(t testing.TB, url string, header ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	return res.StatusCode, string(b)
}
