package webchat_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"hearback/connectors/connectortest"
	"hearback/connectors/fleet"
	"hearback/connectors/webchat"
)

func TestContractOverHTTP(t *testing.T) {
	var mu sync.Mutex
	tokens := map[*connectortest.Env]string{}
	connectortest.Conformance(t, webchat.Kind, connectortest.Harness{
		Settings: map[string]string{"origins": shop, "identity_secret": secret},
		Deliver: func(t testing.TB, e *connectortest.Env, n int) bool {
			mu.Lock()
			defer mu.Unlock()
			if tokens[e] == "" {
				tokens[e], _ = visitor(t, e, map[string]string{"name": "Li", "email": "li@example.com"})
			}
			status, _, _ := call(t, e, "POST", "/messages", tokens[e], map[string]string{"client_msg_id": fmt.Sprint("m", n), "text": "你好 hello"})
			http.DefaultClient.CloseIdleConnections()
			return status == http.StatusCreated
		},
	})
}

func TestContractOverWebsocket(t *testing.T) {
	var mu sync.Mutex
	windows := map[*connectortest.Env]*window{}
	connectortest.Conformance(t, webchat.Kind, connectortest.Harness{
		Settings: map[string]string{"origins": shop, "identity_secret": secret},
		Deliver: func(t testing.TB, e *connectortest.Env, n int) bool {
			mu.Lock()
			defer mu.Unlock()
			if windows[e] == nil {
				token, _ := visitor(t, e, map[string]string{"name": "Li"})
				windows[e], _ = enter(t, e, token, 0)
			}
			windows[e].t = t
			windows[e].send(fmt.Sprint("m", n), "你好")
			for {
				switch f := windows[e].read(); f.Type {
				case "ack":
					return true
				case "error":
					return false
				}
			}
		},
	})
}

func TestSettingsAreChecked(t *testing.T) {
	for _, c := range []struct {
		settings map[string]string
		field    string
	}{
		{map[string]string{"origins": "*"}, "origins"},
		{map[string]string{"origins": "*", "demo": "true"}, ""},
		{map[string]string{"origins": "https://a.example, https://b.example:8443/"}, ""},
		{map[string]string{"origins": "https://a.example/path"}, "origins"},
		{map[string]string{"origins": "https://*.example"}, "origins"},
		{map[string]string{"origins": "javascript:alert(1)"}, "origins"},
		{map[string]string{"identity_secret": "short"}, "identity_secret"},
	} {
		got := ""
		for _, p := range webchat.Kind.Check(c.settings) {
			got = p.Field
			if p.Text.Zh == "" || p.Text.En == "" {
				t.Errorf("%v: words are missing", c.settings)
			}
		}
		if got != c.field {
			t.Errorf("%v: problem with %q, want %q", c.settings, got, c.field)
		}
	}
}

func TestEmbedEscapes(t *testing.T) {
	e := open(t, nil)
	got := webchat.Kind.Embed(`https://desk.example.com"><b>`, e.Channel)
	if strings.Contains(got, "<b>") || !strings.Contains(got, `data-channel="`+e.Channel.ID+`"`) {
		t.Error(got)
	}
}

func TestDemoSettingsAreValid(t *testing.T) {
	if problems := fleet.Validate(webchat.Kind, webchat.Kind.Demo); len(problems) > 0 {
		t.Errorf("got %+v", problems)
	}
	full, made := fleet.Complete(webchat.Kind, nil, true)
	if problems := fleet.Validate(webchat.Kind, full); len(problems) > 0 || len(made["identity_secret"]) != 64 {
		t.Errorf("a channel made without settings: %+v, %v", problems, made)
	}
}
