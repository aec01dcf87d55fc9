package connectortest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"hearback/connectors"
	"hearback/connectors/connectortest"
	"hearback/desk"
)

// toy is the smallest connector that keeps the contract: mail comes by HTTP or is fetched from a list, replies are posted.
type toy struct {
	tools    connectors.Tools
	provider string
	key      string
}

func (c *toy) Capabilities() connectors.Capabilities { return connectors.Capabilities{} }
func (c *toy) Close() error                          { return nil }

func (c *toy) Send(ctx context.Context, out desk.Outbound) (connectors.Receipt, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.provider, strings.NewReader(out.Text))
	if err != nil {
		return connectors.Receipt{}, &connectors.SendError{Class: connectors.Permanent, Err: err}
	}
	req.Header.Set("Authorization", c.key)
	res, err := c.tools.HTTP.Do(req)
	if err != nil {
		return connectors.Receipt{}, &connectors.SendError{Class: connectors.Uncertain, Err: errors.New("no answer")}
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusOK:
		return connectors.Receipt{}, nil
	case http.StatusUnauthorized:
		return connectors.Receipt{}, &connectors.SendError{Class: connectors.Credentials, Code: "401", Hint: "The key is refused."}
	}
	return connectors.Receipt{}, fmt.Errorf("status %d", res.StatusCode)
}

func (c *toy) accept(ctx context.Context, id, from string, raw []byte, cursor []byte) error {
	return c.tools.Inbox.Accept(ctx, connectors.Batch{Cursor: cursor, Envelopes: []desk.Envelope{{ExternalID: id, Sender: from, Raw: raw}}})
}

type toyHook struct{ toy }

func (c *toyHook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	id := r.Header.Get("X-Id")
	if id == "" {
		http.Error(w, "who are you", http.StatusForbidden)
		return
	}
	if err := c.accept(r.Context(), id, r.URL.Query().Get("from"), append([]byte(r.URL.Query().Get("from")+":"), body...), nil); err != nil {
		http.Error(w, "later", http.StatusServiceUnavailable)
		return
	}
	io.WriteString(w, "success")
}

type toyPoll struct {
	toy
	mailbox *mailbox
}

// mailbox is the poller's provider.
type mailbox struct {
	next   chan int
	answer chan bool
}

func (c *toyPoll) Receive(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case n := <-c.mailbox.next:
			err := c.accept(ctx, fmt.Sprint(n), "li", []byte("li:hello"), []byte{byte(n)})
			c.mailbox.answer <- err == nil
		}
	}
}

func decodeToy(e desk.Envelope) ([]desk.Inbound, error) {
	from, text, ok := strings.Cut(string(e.Raw), ":")
	if !ok || from == "" {
		return nil, errors.New("no sender")
	}
	return []desk.Inbound{{Type: desk.EnvelopeMessage, From: desk.Identity{Type: "email", Value: from}, Text: text}}, nil
}

func toyKind(open func(toy) connectors.Connector) connectors.Kind {
	return connectors.Kind{Name: "toy", Title: connectors.Text{Zh: "玩具", En: "Toy"}, Decode: decodeToy,
		Fields: []connectors.Field{{Name: "provider", Type: "text", Label: connectors.Text{Zh: "地址", En: "Address"}},
			{Name: "key", Type: "password", Secret: true, Label: connectors.Text{Zh: "密钥", En: "Key"}}},
		Open: func(_ context.Context, ch desk.Channel, tools connectors.Tools) (connectors.Connector, error) {
			return open(toy{tools, ch.Settings["provider"], ch.Settings["key"]}), nil
		}}
}

var hookKind = toyKind(func(t toy) connectors.Connector { return &toyHook{t} })

// silentProvider answers 200 until hung.
func silentProvider(t *testing.T) (url string, hang func(*connectortest.Env) func()) {
	var mu sync.Mutex
	var hung chan struct{}
	server := connectortest.NewProvider(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		h := hung
		mu.Unlock()
		if h != nil {
			select {
			case <-h:
			case <-r.Context().Done():
			}
		}
	})
	return server, func(*connectortest.Env) func() {
		mu.Lock()
		defer mu.Unlock()
		hung = make(chan struct{})
		return func() { close(hung) }
	}
}

func TestWebhookThatKeepsTheContractPasses(t *testing.T) {
	url, hang := silentProvider(t)
	connectortest.Conformance(t, hookKind, connectortest.Harness{
		Settings: map[string]string{"provider": url, "key": "s3cret-key"},
		Hang:     hang,
		Deliver: func(t testing.TB, e *connectortest.Env, n int) bool {
			req, _ := http.NewRequest("POST", e.URL+"?from=li", strings.NewReader("hello"))
			req.Header.Set("X-Id", fmt.Sprint(n))
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			return res.StatusCode == http.StatusOK
		},
	})
}

func TestPollerThatKeepsTheContractPasses(t *testing.T) {
	box := &mailbox{next: make(chan int), answer: make(chan bool)}
	url, hang := silentProvider(t)
	connectortest.Conformance(t, toyKind(func(t toy) connectors.Connector { return &toyPoll{t, box} }), connectortest.Harness{
		Settings: map[string]string{"provider": url, "key": "s3cret-key"},
		Hang:     hang,
		Deliver: func(_ testing.TB, _ *connectortest.Env, n int) bool {
			box.next <- n
			return <-box.answer
		},
	})
}

func TestTablesKnowTheRules(t *testing.T) {
	settings := map[string]string{"key": "s3cret-key"}
	connectortest.Receive(t, hookKind, settings, []connectortest.In{
		{Name: "text", Request: "testdata/hello.txt", Want: "testdata/hello.want.json", Reply: "success"},
		{Name: "the same again", Request: "testdata/hello.txt", WantNothing: true, Reply: "success"},
		{Name: "without an id", Request: "testdata/body.txt", WantNothing: true, Status: 403},
		{Name: "signed late", Request: "testdata/body.txt", Reply: "success", Prepare: func(r *http.Request, _ int64) {
			r.Header.Set("X-Id", "2")
			r.URL.RawQuery = "from=wang"
		}},
	})
	out := desk.Outbound{MessageID: "m", Sender: "li", Text: "hi"}
	connectortest.Send(t, hookKind, func(url string) map[string]string { return map[string]string{"provider": url, "key": "s3cret-key"} }, []connectortest.Out{
		{Name: "taken", Provider: "ok", Outbound: out},
		{Name: "refused", Status: 401, Outbound: out, WantClass: connectors.Credentials, WantCode: "401", WantHint: true},
		{Name: "broken", Status: 500, Outbound: out, WantErr: true},
		{Name: "silent", Provider: connectortest.Hang, Outbound: out, WantClass: connectors.Uncertain},
	})
}
