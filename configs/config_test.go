package configs

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func none(string) string { return "" }

func write(t *testing.T, text string) string {
	file := filepath.Join(t.TempDir(), "hearback.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestExampleFileEqualsDefaults(t *testing.T) {
	want := Example()
	got, err := os.ReadFile("hearback.example.toml")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("hearback.example.toml is not what Example() renders; write it anew with: go run ./cmd/hearback config example > configs/hearback.example.toml")
	}
	c, err := Load("hearback.example.toml", none, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.TrustedProxies = nil // an empty list and no list are the same
	if !reflect.DeepEqual(c, Default()) {
		t.Errorf("loaded example = %+v, want the defaults", c)
	}
}

func TestLaterPlaceWins(t *testing.T) {
	file := write(t, "listen = \":1\"\n[routing]\ncapacity = 2\ngrace = \"5s\"\n")
	env := func(k string) string {
		return map[string]string{"HEARBACK_LISTEN": ":2", "HEARBACK_ROUTING_CAPACITY": "3"}[k]
	}
	c, err := Load(file, env, map[string]string{"listen": ":3"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != ":3" || c.Routing.Capacity != 3 || c.Routing.Grace != 5*time.Second {
		t.Errorf("got listen %s capacity %d grace %s", c.Listen, c.Routing.Capacity, c.Routing.Grace)
	}
}

func TestSecretFromFile(t *testing.T) {
	path := write(t, "k1:abc\n")
	c, err := Load("", func(k string) string { return map[string]string{"HEARBACK_MASTER_KEY_FILE": path}[k] }, nil)
	if err != nil || c.MasterKey != "k1:abc" {
		t.Errorf("master key %q, %v", c.MasterKey, err)
	}
}

func TestMistakesNameKeyLineAndFix(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"listen = \":1\"\nlisten_adress = 3\n", "line 2: listen_adress: there is no such key"},
		{"[routing]\n\ncapacty = 3\n", `line 3: routing.capacty: there is no such key; did you mean "routing.capacity"?`},
		{"[routing]\ncapacity = \"ten\"\n", "line 2: routing.capacity: must be a whole number"},
		{"[routing]\ngrace = 5\n", "line 2: routing.grace: must be a duration in quotes"},
		{"demo = \"yes\"\n", "line 1: demo: must be true or false"},
		{"listen = \n", "line 1: syntax"},
		{"[log]\nlevel = \"loud\"\n", "log.level: must be one of debug, info, warn, error"},
		{"listen = \"8080\"\n", "listen: must be HOST:PORT"},
		{"database = \"mysql://u:geheim@h/d\"\n", "database: must be or begin with sqlite"},
		{"public_url = \"https://x/\"\n", "public_url: must be an address"},
		{"time_zone = \"Mars/Base\"\n", "time_zone: must be a zone"},
		{"trusted_proxies = [\"x\"]\n", "trusted_proxies: must list addresses"},
		{"[delivery]\nworkers = 0\n", "delivery.workers: must be a number, at least 1"},
	} {
		_, err := Load(write(t, c.text), none, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want …%s…", c.text, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "geheim") {
			t.Errorf("%q: the error repeats a password: %v", c.text, err)
		}
	}
}
