package main

import (
	"bufio"
	"encoding/json"
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
}

const e2ePassword = "a long enough password"

// demoGateway runs the real binary as `hearback serve --demo` does, with an agent in each of the demo's teams and an admin.
func demoGateway(t *testing.T) (*gateway, e2eGiven) {
	t.Helper()
	g := newGateway(t, "--demo")
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
