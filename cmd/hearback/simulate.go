package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"hearback/desk"
)

// simulateCmd plays the outside world.
type simulateCmd struct {
	Webchat simulateWebchat `cmd:"" help:"A web-chat visitor: sends --say or what you type, prints what he sees."`
	Call    simulateCall    `cmd:"" help:"A call centre: plays calls in every format, keeps recordings, calls back."`
	Wechat  simulateWechat  `cmd:"" help:"A WeChat customer, and Tencent: sends --say or what you type, prints what his phone shows."`
}

type simulateWebchat struct {
	URL     string        `help:"Address of the gateway." default:"http://127.0.0.1:8080"`
	Channel string        `help:"Web-chat channel (hearback channel list)." required:""`
	Origin  string        `help:"Page the widget stands on. Empty: the gateway's own address."`
	Name    string        `help:"What the visitor calls himself." default:"Simulated visitor"`
	Say     []string      `help:"Send this instead of reading lines; may be repeated." sep:"none"`
	Replies int           `help:"After --say: wait for so many answers of an agent." default:"0"`
	Wait    time.Duration `help:"How long to wait for answers." default:"1m"`
}

// Run enters, talks and leaves.
func (s *simulateWebchat) Run(g *globals) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s.URL = strings.TrimSuffix(s.URL, "/")
	if s.Origin == "" {
		s.Origin = s.URL
	}
	chat := &chatClient{base: s.URL, channel: s.Channel, origin: s.Origin, http: &http.Client{Timeout: 20 * time.Second}}
	if err := chat.enter(ctx, s.Name); err != nil {
		return err
	}
	conn, err := chat.dial(ctx, 0)
	if err != nil {
		return err
	}
	defer conn.Close()
	frames := make(chan chatFrame, 64)
	go readFrames(conn, frames)
	for line := range sayLines(s.Say) {
		if err := s.sendAndShow(g, conn, frames, line); err != nil {
			return err
		}
	}
	return s.await(g, frames)
}

func readFrames(conn *websocket.Conn, frames chan<- chatFrame) {
	defer close(frames)
	for {
		var f chatFrame
		if err := conn.ReadJSON(&f); err != nil {
			return
		}
		frames <- f
	}
}

// sendAndShow sends a line and prints everything until it is acknowledged.
func (s *simulateWebchat) sendAndShow(g *globals, conn *websocket.Conn, frames <-chan chatFrame, line string) error {
	id := desk.NewID()
	if err := conn.WriteJSON(map[string]string{"type": "message", "client_msg_id": id, "text": line}); err != nil {
		return err
	}
	for f := range frames {
		s.show(g, f)
		if f.Type == "ack" && f.ClientMsgID == id {
			return nil
		}
		if f.Type == "error" {
			return fmt.Errorf("refused: %s: %s", f.Code, f.Detail)
		}
	}
	return errors.New("the gateway closed the connection")
}

// await prints until the wanted number of answers came.
func (s *simulateWebchat) await(g *globals, frames <-chan chatFrame) error {
	over := time.After(s.Wait)
	for got := 0; got < s.Replies; {
		select {
		case f, ok := <-frames:
			if !ok {
				return errors.New("the gateway closed the connection")
			}
			s.show(g, f)
			if f.Event != nil && f.Event.From == "agent" {
				got++
			}
		case <-over:
			return fmt.Errorf("%d of %d answers came within %s", got, s.Replies, s.Wait)
		}
	}
	return nil
}

func (s *simulateWebchat) show(g *globals, f chatFrame) {
	switch {
	case g.JSON:
		b, _ := json.Marshal(f)
		fmt.Println(string(b))
	case f.Event != nil:
		fmt.Printf("%4d %-8s %s\n", f.Event.Seq, f.Event.From, f.Event.Text)
	}
}
