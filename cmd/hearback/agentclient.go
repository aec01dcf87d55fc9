package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

// agentFrame is any frame the server sends to an agent, as far as the tools look at it.
type agentFrame struct {
	Type     string `json:"type"`
	TicketID string `json:"ticket_id"`
	Seq      int64  `json:"seq"`
	Detail   string `json:"detail"`
	Message  *struct {
		ID        string `json:"id"`
		Text      string `json:"text"`
		Direction string `json:"direction"`
	} `json:"message"`
	Ticket *struct {
		Number      string `json:"number"`
		LastMessage struct {
			Text string `json:"text"`
		} `json:"last_message"`
	} `json:"ticket"`
}

// dialAgent opens an agent's socket with a token and says hello; a heartbeat keeps it.
func dialAgent(ctx context.Context, base, token string) (*websocket.Conn, error) {
	addr := "ws" + strings.TrimPrefix(base, "http") + "/ws"
	conn, res, err := websocket.DefaultDialer.DialContext(ctx, addr, http.Header{"Authorization": {"Bearer " + token}})
	if err != nil {
		if res != nil {
			return nil, fmt.Errorf("open the agent's socket: status %d", res.StatusCode)
		}
		return nil, fmt.Errorf("open the agent's socket: %w", err)
	}
	if err := conn.WriteJSON(map[string]any{"type": "hello", "tickets": map[string]int64{}}); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// watchNewest waits for the ticket whose last words are text and watches it.
func watchNewest(conn *websocket.Conn, text string) error {
	conn.SetReadDeadline(time.Now().Add(15 * time.Second))
	for {
		var f agentFrame
		if err := conn.ReadJSON(&f); err != nil {
			return fmt.Errorf("wait for the ticket: %w", err)
		}
		if f.Ticket != nil && f.Ticket.LastMessage.Text == text || f.Message != nil && f.Message.Text == text {
			return conn.WriteJSON(map[string]any{"type": "watch", "ticket_id": f.TicketID, "seq": 0})
		}
	}
}

// awaitMessage reads until a message with this text arrives.
func awaitMessage(conn *websocket.Conn, text string) error {
	conn.SetReadDeadline(time.Now().Add(15 * time.Second))
	for {
		var f agentFrame
		if err := conn.ReadJSON(&f); err != nil {
			return fmt.Errorf("wait for %q: %w", text, err)
		}
		if f.Type == "message" && f.Message != nil && f.Message.Text == text {
			return nil
		}
	}
}
