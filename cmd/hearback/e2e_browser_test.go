package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// e2ePerson is somebody who can log in.
type e2ePerson struct {
	Email    string `json:"email"`
	Password string `json:"password"`
}

// e2eLook is how a browser is set up.
type e2eLook struct {
	Lang  string `json:"lang"`
	Theme string `json:"theme"`
	Size  int    `json:"size"`
}

// e2eGiven is what the browser's side of a test is told (web/e2e/lib.mjs).
type e2eGiven struct {
	Base     string    `json:"base"`
	Pictures string    `json:"pictures"` // folder for screenshots, "" for none
	Look     e2eLook   `json:"look"`
	Right    e2ePerson `json:"right"`
	Wrong    e2ePerson `json:"wrong"`
	Admin    e2ePerson `json:"admin"`
	Post     string    `json:"post"` // where letters are handed in and seen (letters.mjs)
}

const e2ePassword = "a long enough password"

// demoGateway runs the real binary as `hearback serve --demo` does, with an agent in each of the demo's teams and an admin.
func demoGateway(t *testing.T, more ...string) (*gateway, e2eGiven) {
	t.Helper()
	g := newGateway(t, append([]string{"--demo"}, more...)...)
	g.start()
	add := func(email, role string, more ...string) e2ePerson {
		g.run(nil, e2ePassword+"\n", append([]string{"agent", "add", "--email", email, "--name", more[0], "--role", role, "--password-stdin"}, more[1:]...)...)
		return e2ePerson{email, e2ePassword}
	}
	given := e2eGiven{
		Base:  g.base,
		Right: add("lin@hearback.local", "agent", "小林", "--team", "财务 Finance"),
		Wrong: add("chen@hearback.local", "agent", "小陈", "--team", "售后 After-sales"),
		Admin: add("boss@hearback.local", "admin", "Boss"),
	}
	if os.Getenv("HEARBACK_SCREENSHOTS") == "1" {
		given.Pictures, _ = filepath.Abs("../../docs/img")
		if err := os.MkdirAll(given.Pictures, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return g, given
}

// browse runs one script of web/e2e in a real browser and passes on what it prints.
func browse(t *testing.T, script string, given e2eGiven, within time.Duration) {
	t.Helper()
	settings, err := json.Marshal(given)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", filepath.Join("..", "..", "web", "e2e", script))
	cmd.Env = append(os.Environ(), "HEARBACK_E2E="+string(settings))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the browser ends with the script
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatalf("run the browser test: %v (Node 20, Chromium and `npm ci` in web are needed: make test prepares them)", err)
	}
	late := time.AfterFunc(within, func() { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	for lines := bufio.NewScanner(out); lines.Scan(); {
		t.Log(lines.Text())
	}
	err = cmd.Wait()
	if !late.Stop() {
		t.Fatalf("%s took longer than %s", script, within)
	}
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
}

func TestCustomerAndAgentTalkThroughACutLineInTheBrowser(t *testing.T) {
	for _, look := range []e2eLook{{"zh-CN", "light", 1440}, {"en", "dark", 390}} {
		t.Run(look.Lang+"-"+look.Theme, func(t *testing.T) {
			_, given := demoGateway(t)
			given.Look = look
			browse(t, "chat.mjs", given, 3*time.Minute)
		})
	}
}

func TestEveryScreenIsCleanInBothLanguagesThemesAndSizes(t *testing.T) {
	_, given := demoGateway(t)
	browse(t, "screens.mjs", given, 8*time.Minute)
}

// looks are those of the walks: between them both languages, themes and sizes.
var looks = []e2eLook{{"zh-CN", "light", 1440}, {"en", "dark", 390}}

func TestCallsRingAreHeardAndCalledBackInTheBrowser(t *testing.T) {
	for _, look := range looks {
		t.Run(look.Lang+"-"+look.Theme, func(t *testing.T) {
			_, given := demoGateway(t, "--allow-private-networks")
			given.Look = look
			browse(t, "call.mjs", given, 3*time.Minute)
		})
	}
}

func TestWeChatCustomerAndAgentTalkInTheBrowser(t *testing.T) {
	for _, look := range looks {
		t.Run(look.Lang+"-"+look.Theme, func(t *testing.T) {
			_, given := demoGateway(t)
			given.Look = look
			browse(t, "wechat.mjs", given, 3*time.Minute)
		})
	}
}

func TestLettersAreReadAndAnsweredInTheBrowser(t *testing.T) {
	for _, look := range looks {
		t.Run(look.Lang+"-"+look.Theme, func(t *testing.T) {
			room := openMailroom(t)
			g, given := demoGateway(t, "--allow-private-networks")
			g.run(nil, "", room.settings("acknowledge=off")...)
			given.Look, given.Post = look, postOffice(t, room)
			browse(t, "letters.mjs", given, 3*time.Minute)
		})
	}
}

// postOffice lets a script hand letters in and see those that left.
func postOffice(t *testing.T, room *mailroom) string {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /deliver", func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		room.deliver(string(raw))
	})
	mux.HandleFunc("GET /sent", func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(append([]string{}, room.sent()...))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}
