package connectortest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"hearback/connectors"
	"hearback/desk"
)

// An In is one request of a provider and what must become of it. Cases of one table meet the same open channel, in order.
type In struct {
	Name        string
	Request     string                           // a file: a whole HTTP request ("POST /path HTTP/1.1 …"), or just the body of a POST to /
	Prepare     func(r *http.Request, now int64) // signs it; may be nil
	Tamper      bool                             // the body is changed after signing
	Status      int                              // 0: 200
	Reply       string                           // the answer's whole body, trimmed; "" is not checked
	Want        string                           // a JSON file: []desk.Inbound, what the new envelopes decode to
	WantNothing bool                             // no new envelope
}

// Receive runs a table of inbound requests against a Webhook.
func Receive(t *testing.T, kind connectors.Kind, settings map[string]string, cases []In) {
	t.Helper()
	e := OpenChannel(t, kind, NewHouse(t), settings)
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) { c.run(t, e) })
	}
	e.Close()
	checkNothingRuns(t, kind)
	e.House.CheckSecrets(kind, e.Channel)
}

func (c In) run(t *testing.T, e *Env) {
	before := len(e.House.Inbox.Envelopes())
	req := c.request(t, e)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	want := c.Status
	if want == 0 {
		want = http.StatusOK
	}
	if res.StatusCode != want {
		t.Errorf("status %d, want %d: %s", res.StatusCode, want, body)
	}
	if c.Reply != "" && strings.TrimSpace(string(body)) != c.Reply {
		t.Errorf("reply %q, want %q", body, c.Reply)
	}
	fresh := e.House.Inbox.Envelopes()[before:]
	if c.WantNothing && len(fresh) > 0 {
		t.Errorf("%d envelopes, want none", len(fresh))
	}
	if c.Want != "" {
		c.compare(t, e, fresh)
	}
	e.House.CheckSecrets(e.Kind, e.Channel, string(body))
}

func (c In) request(t *testing.T, e *Env) *http.Request {
	t.Helper()
	raw, err := os.ReadFile(c.Request)
	if err != nil {
		t.Fatal(err)
	}
	method, path, header, body := http.MethodPost, "/", http.Header{}, raw
	if line, _, _ := bytes.Cut(raw, []byte("\n")); bytes.Contains(line, []byte(" HTTP/1.")) {
		// Files end lines with LF and carry no Content-Length; both are mended here.
		head, rest, _ := bytes.Cut(bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n")), []byte("\n\n"))
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(append(bytes.ReplaceAll(head, []byte("\n"), []byte("\r\n")), "\r\n\r\n"...))))
		if err != nil {
			t.Fatalf("%s: %v", c.Request, err)
		}
		method, path, header, body = r.Method, r.URL.RequestURI(), r.Header, rest
	}
	req, err := http.NewRequest(method, e.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header
	setBody(req, body)
	if c.Prepare != nil {
		c.Prepare(req, e.House.Clock.Now().Unix())
	}
	if c.Tamper && req.Body != nil {
		body, _ = io.ReadAll(req.Body)
		if len(body) > 0 {
			body[len(body)/2] ^= 1
		}
		setBody(req, body)
	}
	return req
}

func setBody(r *http.Request, body []byte) {
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
}

func (c In) compare(t *testing.T, e *Env, fresh []desk.Envelope) {
	t.Helper()
	got := []desk.Inbound{}
	for _, env := range fresh {
		in, err := e.Kind.Decode(env)
		if err != nil {
			t.Errorf("decode: %v", err)
		}
		got = append(got, in...)
	}
	raw, err := os.ReadFile(c.Want)
	if err != nil {
		t.Fatal(err)
	}
	var want []desk.Inbound
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatalf("%s: %v", c.Want, err)
	}
	a, _ := json.MarshalIndent(got, "", "  ")
	b, _ := json.MarshalIndent(want, "", "  ")
	if !bytes.Equal(a, b) {
		t.Errorf("got %s\nwant %s", a, b)
	}
}

// Hang as Out.Provider makes the provider take the request and not answer.
const Hang = "\x00hang"

// An Out is one answer of a provider and how the reply must end.
type Out struct {
	Name      string
	Provider  string // the provider's answer, or Hang
	Status    int    // 0: 200
	Outbound  desk.Outbound
	WantClass connectors.Class // looked at when WantErr
	WantErr   bool
	WantCode  string // "" is not checked
	WantHint  bool   // the agent must be told something
}

// Send runs a table of replies against a fake provider; settings makes a channel's settings from its URL.
func Send(t *testing.T, kind connectors.Kind, settings func(providerURL string) map[string]string, cases []Out) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) { c.run(t, kind, settings) })
	}
}

func (c Out) run(t *testing.T, kind connectors.Kind, settings func(string) map[string]string) {
	stop := make(chan struct{})
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if c.Provider == Hang {
			select {
			case <-stop:
			case <-r.Context().Done():
			}
			return
		}
		if c.Status != 0 {
			w.WriteHeader(c.Status)
		}
		io.WriteString(w, c.Provider)
	}))
	defer provider.Close()
	defer close(stop)
	e := OpenChannel(t, kind, NewHouse(t), settings(provider.URL))
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	if c.Provider == Hang {
		cancel()
		ctx, cancel = context.WithTimeout(context.Background(), 200*time.Millisecond)
	}
	defer cancel()
	_, err := e.Conn.Send(ctx, c.Outbound)
	c.judge(t, err)
	e.Close()
	checkNothingRuns(t, kind)
	e.House.CheckSecrets(kind, e.Channel, fmt.Sprint(err))
}

func (c Out) judge(t *testing.T, err error) {
	t.Helper()
	wantErr := c.WantErr || c.WantClass != connectors.Transient
	if (err != nil) != wantErr {
		t.Fatalf("got %v, want an error: %v", err, wantErr)
	}
	if err == nil {
		return
	}
	got := connectors.AsSendError(err)
	if got.Class != c.WantClass {
		t.Errorf("class %s, want %s: %v", got.Class, c.WantClass, err)
	}
	if c.WantCode != "" && got.Code != c.WantCode {
		t.Errorf("code %q, want %q", got.Code, c.WantCode)
	}
	if c.WantHint && got.Hint == "" {
		t.Error("the agent is told nothing")
	}
}
