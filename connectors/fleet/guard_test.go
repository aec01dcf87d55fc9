package fleet_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"hearback/connectors"
	"hearback/connectors/fleet"
	"hearback/desk"
)

func TestOnlyPublicAddressesAreReached(t *testing.T) {
	for _, address := range []string{
		"127.0.0.1:80", "127.8.8.8:80", "10.0.0.1:443", "172.16.0.1:443", "172.31.255.255:1", "192.168.1.1:80", "169.254.169.254:80", "100.64.0.1:80",
		"0.0.0.0:80", "224.0.0.1:80", "240.0.0.1:80", "255.255.255.255:80", "198.18.0.1:80", "192.0.2.1:80",
		"[::1]:80", "[::]:80", "[fe80::1]:80", "[fe80::1%eth0]:80", "[fc00::1]:80", "[fd12::1]:80", "[ff02::1]:80", "[fec0::1]:80", "[2001:db8::1]:80",
		"[::ffff:127.0.0.1]:80", "[::ffff:10.0.0.1]:80", "[64:ff9b::7f00:1]:80", "[64:ff9b::a9fe:a9fe]:80", "[2002:7f00:1::]:80", "[2001::1]:80",
		"localhost:80", "", "example.com:80",
	} {
		if err := fleet.CheckAddress(address); !errors.Is(err, fleet.ErrPrivateAddress) {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, address := range []string{"8.8.8.8:443", "101.226.103.106:80", "[2400:3200::1]:443", "[64:ff9b::808:808]:443", "[2002:808:808::1]:80", "172.32.0.1:80", "100.128.0.1:80"} {
		if err := fleet.CheckAddress(address); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestGuardedClientRefusesTheLoopbackByNameAndNumber(t *testing.T) {
	reached := false
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer s.Close()
	port := s.URL[len("http://127.0.0.1"):]
	guarded := fleet.NewHTTPClient(false)
	defer guarded.CloseIdleConnections()
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]"} {
		if _, err := guarded.Get("http://" + host + port); !errors.Is(err, fleet.ErrPrivateAddress) {
			t.Errorf("%s: %v", host, err)
		}
	}
	if reached {
		t.Error("the request arrived")
	}
	open := fleet.NewHTTPClient(true)
	defer open.CloseIdleConnections()
	res, err := open.Get(s.URL)
	if err != nil || !reached {
		t.Fatalf("allowed, but %v", err)
	}
	res.Body.Close()
}

func TestValidateNamesFieldAndRemedy(t *testing.T) {
	kind := connectors.Kind{Name: "x", Fields: []connectors.Field{
		{Name: "host", Type: "text", Required: true, Pattern: `[a-z.]+`, Label: connectors.Text{Zh: "主机", En: "Host"}, Help: connectors.Text{Zh: "小写。", En: "Lower case."}},
		{Name: "port", Type: "number"}, {Name: "tls", Type: "bool", Default: "true"}, {Name: "tint", Type: "color"}, {Name: "words", Type: "textarea", MaxLen: 10},
		{Name: "mode", Type: "select", Options: []connectors.Option{{Value: "a"}, {Value: "b"}}, Default: "a"},
		{Name: "token", Type: "password", Secret: true, Generate: func() string { return "made" }},
	}, Check: func(s map[string]string) []connectors.Problem {
		if s["port"] == "25" && s["tls"] == "true" {
			return []connectors.Problem{{Field: "port", Text: connectors.Text{Zh: "不配", En: "do not fit"}}}
		}
		return nil
	}}
	for _, c := range []struct {
		settings map[string]string
		field    string
	}{
		{map[string]string{"host": "a.b"}, ""},
		{map[string]string{}, "host"},
		{map[string]string{"host": "A"}, "host"},
		{map[string]string{"host": "a\nb"}, "host"},
		{map[string]string{"host": "a", "port": "x"}, "port"},
		{map[string]string{"host": "a", "tls": "maybe"}, "tls"},
		{map[string]string{"host": "a", "tint": "red"}, "tint"},
		{map[string]string{"host": "a", "tint": "#12abEF"}, ""},
		{map[string]string{"host": "a", "words": "12345678901"}, "words"},
		{map[string]string{"host": "a", "words": "a\nb"}, ""},
		{map[string]string{"host": "a", "mode": "c"}, "mode"},
		{map[string]string{"host": "a", "colour": "c"}, "colour"},
		{map[string]string{"host": "a", "port": "25", "tls": "true"}, "port"},
	} {
		got := ""
		for _, p := range fleet.Validate(kind, c.settings) {
			got = p.Field
			if p.Text.Zh == "" || p.Text.En == "" {
				t.Errorf("%v: words are missing", c.settings)
			}
		}
		if got != c.field {
			t.Errorf("%v: problem with %q, want %q", c.settings, got, c.field)
		}
	}
	given := map[string]string{"host": "a"}
	full, made := fleet.Complete(kind, given, true)
	if full["tls"] != "true" || full["mode"] != "a" || full["token"] != "made" || made["token"] != "made" || len(made) != 1 || len(given) != 1 {
		t.Errorf("got %v, made %v", full, made)
	}
	if full, made := fleet.Complete(kind, given, false); full["token"] != "" || len(made) != 0 {
		t.Errorf("later: %v, made %v", full, made)
	}
}

func TestOneAllowedAddressOpensNoOther(t *testing.T) {
	reached := map[string]int{}
	serve := func(name string) *httptest.Server {
		return httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached[name]++ }))
	}
	allowed, other := serve("allowed"), serve("other")
	defer allowed.Close()
	defer other.Close()
	s := newShelf(now)
	s.put(desk.Channel{ID: "c1", Kind: "hook", Name: "c1", Enabled: true, Version: 1})
	f := newFleet(s, "n1", kinds(&trace{}, nil), &bytes.Buffer{}, func(o *fleet.Options) {
		o.Allow = func(address string) bool { return address == allowed.Listener.Addr().String() }
	})
	defer f.Close()
	if err := f.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	conn, _, _ := f.Get("c1")
	tools := conn.(*hook).tools
	get := func(url string) error {
		res, err := tools.HTTP.Get(url)
		if err == nil {
			res.Body.Close()
		}
		return err
	}
	if err := get(allowed.URL); err != nil {
		t.Errorf("the allowed one: %v", err)
	}
	if err := get(other.URL); !errors.Is(err, fleet.ErrPrivateAddress) {
		t.Errorf("its neighbour: %v", err)
	}
	if _, err := tools.Dial(t.Context(), "tcp", other.Listener.Addr().String()); !errors.Is(err, fleet.ErrPrivateAddress) {
		t.Errorf("its neighbour, dialled: %v", err)
	}
	if tools.AllowPrivateNetworks || reached["allowed"] != 1 || reached["other"] != 0 {
		t.Errorf("reached %v", reached)
	}
}
