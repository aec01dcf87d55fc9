package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

// chatClient plays one web-chat visitor over the public protocol (docs/websocket.md); the load generator, the simulator and
// the tests share it.
type chatClient struct {
	base    string // https://desk.example.com
	channel string
	origin  string
	http    *http.Client
	token   string
}

// chatFrame is any frame the server sends to a visitor.
type chatFrame struct {
	Type        string     `json:"type"`
	Seq         int64      `json:"seq"`
	ID          string     `json:"id"`
	ClientMsgID string     `json:"client_msg_id"`
	Code        string     `json:"code"`
	Detail      string     `json:"detail"`
	RetryAfter  float64    `json:"retry_after"`
	Event       *chatEvent `json:"event"`
}

type chatEvent struct {
	Seq         int64  `json:"seq"`
	ID          string `json:"id"`
	From        string `json:"from"`
	Name        string `json:"name"`
	Text        string `json:"text"`
	ClientMsgID string `json:"client_msg_id"`
}

// errRefused is an answer other than 2xx.
type errRefused struct {
	Status int
	Body   string
}

func (e *errRefused) Error() string { return fmt.Sprintf("status %d: %s", e.Status, e.Body) }

func (c *chatClient) post(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, "POST", c.base+"/c/"+c.channel+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Origin", c.origin)
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	return doJSON(c.http, req, out)
}

// doJSON runs a request and decodes a 2xx answer; anything else is an *errRefused with at most 500 bytes of the body.
func doJSON(client *http.Client, req *http.Request, out any) error {
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		b, _ := io.ReadAll(io.LimitReader(res.Body, 500))
		return &errRefused{res.StatusCode, strings.TrimSpace(string(b))}
	}
	if out == nil {
		_, err = io.Copy(io.Discard, res.Body)
		return err
	}
	return json.NewDecoder(res.Body).Decode(out)
}

// enter becomes a visitor.
func (c *chatClient) enter(ctx context.Context, name string) error {
	var got struct {
		VisitorToken string `json:"visitor_token"`
	}
	if err := c.post(ctx, "/visitors", map[string]string{"name": name}, &got); err != nil {
		return fmt.Errorf("become a visitor: %w", err)
	}
	c.token = got.VisitorToken
	return nil
}

// send posts one message over HTTP and returns its place in the conversation.
func (c *chatClient) send(ctx context.Context, id, text string) (int64, error) {
	var got struct {
		Seq int64 `json:"seq"`
	}
	err := c.post(ctx, "/messages", map[string]string{"client_msg_id": id, "text": text}, &got)
	return got.Seq, err
}

// dial opens the visitor's socket and says hello.
func (c *chatClient) dial(ctx context.Context, after int64) (*websocket.Conn, error) {
	d := websocket.Dialer{Subprotocols: []string{"hearback.v1", "token." + c.token}, HandshakeTimeout: 10 * time.Second, ReadBufferSize: 2048, WriteBufferSize: 1024}
	addr := "ws" + strings.TrimPrefix(c.base, "http") + "/c/" + c.channel + "/ws"
	conn, res, err := d.DialContext(ctx, addr, http.Header{"Origin": {c.origin}})
	if err != nil {
		if res != nil {
			return nil, fmt.Errorf("open the visitor's socket: status %d", res.StatusCode)
		}
		return nil, fmt.Errorf("open the visitor's socket: %w", err)
	}
	if err := conn.WriteJSON(map[string]any{"type": "hello", "after": after}); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// sendWait writes one message on a socket and waits for its acknowledgement.
func sendWait(conn *websocket.Conn, id, text string) (int64, error) {
	if err := conn.WriteJSON(map[string]string{"type": "message", "client_msg_id": id, "text": text}); err != nil {
		return 0, err
	}
	for {
		var f chatFrame
		if err := conn.ReadJSON(&f); err != nil {
			return 0, err
		}
		switch {
		case f.Type == "ack" && f.ClientMsgID == id:
			return f.Seq, nil
		case f.Type == "error" && (f.ClientMsgID == id || f.ClientMsgID == ""):
			return 0, errors.New("refused: " + f.Code + ": " + f.Detail)
		}
	}
}
