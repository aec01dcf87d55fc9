package webchat_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"hearback/connectors/connectortest"
	"hearback/connectors/webchat"
	"hearback/desk"
)

const (
	secret = "0123456789abcdef-host-page"
	shop   = "https://shop.example.com"
	limit  = 10 * time.Second // how long a test waits before it calls something lost
)

func open(t testing.TB, more map[string]string) *connectortest.Env {
	t.Helper()
	settings := map[string]string{"origins": shop, "identity_secret": secret}
	for k, v := range more {
		settings[k] = v
	}
	return connectortest.OpenChannel(t, webchat.Kind, connectortest.NewHouse(t), settings)
}

// call makes a request and returns status, body and header.
func call(t testing.TB, e *connectortest.Env, method, path, token string, body any, headers ...string) (int, map[string]any, http.Header) {
	t.Helper()
	var raw []byte
	switch b := body.(type) {
	case nil:
	case string:
		raw = []byte(b)
	default:
		raw, _ = json.Marshal(b)
	}
	req, err := http.NewRequest(method, e.URL+path, bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	got, _ := io.ReadAll(res.Body)
	var out map[string]any
	json.Unmarshal(got, &out)
	return res.StatusCode, out, res.Header
}

func visitor(t testing.TB, e *connectortest.Env, body any) (token, id string) {
	t.Helper()
	status, out, _ := call(t, e, "POST", "/visitors", "", body)
	if status != 201 {
		t.Fatalf("visitors: %d %v", status, out)
	}
	return out["visitor_token"].(string), out["visitor_id"].(string)
}

// say posts a message and returns its id and seq.
func say(t testing.TB, e *connectortest.Env, token, clientID, text string) (id string, seq int64) {
	t.Helper()
	status, out, _ := call(t, e, "POST", "/messages", token, map[string]string{"client_msg_id": clientID, "text": text})
	if status != 201 {
		t.Fatalf("messages: %d %v", status, out)
	}
	return out["id"].(string), int64(out["seq"].(float64))
}

func answer(t testing.TB, e *connectortest.Env, visitor, text string) desk.Outbound {
	t.Helper()
	id := desk.NewID()
	out := desk.Outbound{MessageID: id, ExternalID: id, Sender: visitor, Text: text, Author: desk.Author{Kind: "agent", Name: "王芳"}}
	if _, err := e.Conn.Send(t.Context(), out); err != nil {
		t.Fatal(err)
	}
	return out
}

// A window is one websocket of a visitor.
type window struct {
	t    testing.TB
	conn *websocket.Conn
}

type frame struct {
	Type     string          `json:"type"`
	Seq      int64           `json:"seq"`
	Last     int64           `json:"last"`
	ID       string          `json:"id"`
	ClientID string          `json:"client_msg_id"`
	Code     string          `json:"code"`
	Retry    int             `json:"retry_after"`
	On       bool            `json:"on"`
	Token    string          `json:"visitor_token"`
	Config   json.RawMessage `json:"config"`
	Event    event           `json:"event"`
}

type event struct {
	Seq      int64  `json:"seq"`
	ID       string `json:"id"`
	From     string `json:"from"`
	Name     string `json:"name"`
	Text     string `json:"text"`
	ClientID string `json:"client_msg_id"`
	At       string `json:"at"`
	Files    []struct {
		ID, Name, Type, URL string
		Size                int64
	} `json:"attachments"`
}

func dial(t testing.TB, e *connectortest.Env, token string, headers ...string) (*window, *http.Response, error) {
	// A small receive buffer: a window that does not read is soon a slow reader.
	small := &net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 64<<10) })
	}}
	d := websocket.Dialer{Subprotocols: []string{"hearback.v1", "token." + token}, HandshakeTimeout: limit, NetDialContext: small.DialContext}
	h := http.Header{}
	for i := 0; i+1 < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	conn, res, err := d.Dial("ws"+strings.TrimPrefix(e.URL, "http")+"/ws", h)
	if err != nil {
		return nil, res, err
	}
	w := &window{t, conn}
	t.Cleanup(func() { conn.Close() })
	return w, res, nil
}

// enter opens a window and says hello; it returns after the welcome.
func enter(t testing.TB, e *connectortest.Env, token string, after int64) (*window, frame) {
	t.Helper()
	w, _, err := dial(t, e, token, "Origin", shop)
	if err != nil {
		t.Fatal(err)
	}
	w.write(map[string]any{"type": "hello", "after": after})
	f := w.read()
	if f.Type != "welcome" {
		t.Fatalf("got %+v, want a welcome", f)
	}
	return w, f
}

func (w *window) write(v any) {
	w.t.Helper()
	if s, ok := v.(string); ok {
		if err := w.conn.WriteMessage(websocket.TextMessage, []byte(s)); err != nil {
			w.t.Fatal(err)
		}
		return
	}
	if err := w.conn.WriteJSON(v); err != nil {
		w.t.Fatal(err)
	}
}

func (w *window) send(clientID, text string) {
	w.t.Helper()
	w.write(map[string]any{"type": "message", "client_msg_id": clientID, "text": text})
}

func (w *window) read() frame {
	w.t.Helper()
	w.conn.SetReadDeadline(time.Now().Add(limit))
	var f frame
	if err := w.conn.ReadJSON(&f); err != nil {
		w.t.Fatalf("read: %v", err)
	}
	return f
}

// until reads on to the first frame of that type.
func (w *window) until(typ string) frame {
	w.t.Helper()
	for {
		if f := w.read(); f.Type == typ {
			return f
		}
	}
}

// events reads n events and checks that their numbers rise.
func (w *window) events(n int) []event {
	w.t.Helper()
	var out []event
	for len(out) < n {
		f := w.until("event")
		if f.Seq != f.Event.Seq || len(out) > 0 && f.Seq <= out[len(out)-1].Seq {
			w.t.Fatalf("event %d comes after %+v", f.Seq, out)
		}
		out = append(out, f.Event)
	}
	return out
}

// closed reads until the server closes and returns its code.
func (w *window) closed() int {
	w.t.Helper()
	w.conn.SetReadDeadline(time.Now().Add(limit))
	for {
		_, _, err := w.conn.ReadMessage()
		if c, ok := err.(*websocket.CloseError); ok {
			return c.Code
		}
		if err != nil {
			w.t.Fatalf("ended without a close frame: %v", err)
		}
	}
}

func texts(events []event) string {
	var all []string
	for _, e := range events {
		all = append(all, fmt.Sprintf("%s:%s", e.From, e.Text))
	}
	return strings.Join(all, " ")
}

// newToken is visitor for another process than the server's.
func newToken(t testing.TB, url string) string {
	t.Helper()
	res, err := http.Post(url+"/visitors", "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var out struct {
		Token string `json:"visitor_token"`
	}
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil || out.Token == "" {
		t.Fatalf("no token: %v", err)
	}
	return out.Token
}

// serve mounts another connector of the same channel.
func serve(t testing.TB, e *connectortest.Env, conn http.Handler) *connectortest.Env {
	s := httptest.NewServer(http.StripPrefix("/c/"+e.Channel.ID, conn))
	t.Cleanup(s.Close)
	other := *e
	other.URL = s.URL + "/c/" + e.Channel.ID
	return &other
}
