package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// command runs the binary and returns its exit status and what it printed on both outputs.
func command(t *testing.T, dir string, args ...string) (int, string) {
	t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

func TestMistakesOnTheCommandLineAreToldInASentence(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "bad.toml"), []byte("[routing]\ncapacty = 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		status int
		want   string
		args   []string
	}{
		{2, "unexpected argument frobnicate", []string{"frobnicate"}},
		{2, `there is no channel kind "fax"`, []string{"channel", "add", "--kind", "fax", "--name", "x"}},
		{2, "origns: There is no such setting", []string{"channel", "add", "--kind", "webchat", "--name", "x", "--set", "origns=1"}},
		{2, "origins", []string{"channel", "add", "--kind", "webchat", "--name", "x", "--set", "origins=*"}},
		{1, "there is no channel nope", []string{"channel", "show", "nope"}},
		{1, "there is nobody with the address", []string{"token", "add", "--agent", "a@example.com"}},
		{1, `bad.toml line 2: routing.capacty: there is no such key; did you mean "routing.capacity"?`, []string{"serve", "--config", "bad.toml"}},
		{1, "listen: must be HOST:PORT", []string{"serve", "--listen", "nonsense"}},
	} {
		status, out := command(t, dir, c.args...)
		if status != c.status || !strings.Contains(out, c.want) || strings.Contains(out, "goroutine") {
			t.Errorf("%v: status %d, said %q; want %d and …%s…", c.args, status, out, c.status, c.want)
		}
	}
}

func TestForeignMasterKeyStopsTheStartAndDamagesNothing(t *testing.T) {
	g := newGateway(t)
	channel := g.addWebchat("identity_secret=a-secret-of-the-shop")
	file := filepath.Join(g.args[1], "master.key")
	right, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(testKey+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	status, out := command(t, ".", append([]string{"serve", "--listen", "127.0.0.1:0"}, g.args...)...)
	if status != 1 || !strings.Contains(out, "master key") || strings.Contains(out, "goroutine") {
		t.Errorf("status %d, said %q", status, out)
	}
	if err := os.WriteFile(file, right, 0o600); err != nil {
		t.Fatal(err)
	}
	var shown channelView
	g.run(&shown, "", "channel", "show", channel)
	if shown.Settings["identity_secret"] == "" {
		t.Error("the secret is gone")
	}
}

func TestRotatedKeyOpensEverythingWithoutTheOldOne(t *testing.T) {
	g := newGateway(t)
	channel := g.addWebchat("identity_secret=a-secret-of-the-shop")
	g.run(nil, "", "secrets", "rotate")
	file := filepath.Join(g.args[1], "master.key")
	keys, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Fields(string(keys))
	if len(lines) != 2 {
		t.Fatalf("the key file holds %d keys after one rotation", len(lines))
	}
	if err := os.WriteFile(file, []byte(lines[0]+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	g.start()
	var shown channelView
	g.run(&shown, "", "channel", "show", channel)
	if !strings.HasSuffix(shown.Settings["identity_secret"], "shop") {
		t.Errorf("the secret reads %q", shown.Settings["identity_secret"])
	}
}
