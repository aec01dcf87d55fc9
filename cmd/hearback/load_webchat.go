package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"hearback/desk"
)

// loadWebchat drives the web chat. Modes: messages (each sender on his own socket, the next message after the acknowledgement
// of the last), conversations (each message is a new visitor over HTTP), latency (one at a time: message to the agent's
// websocket event), idle (sockets that only stay open).
type loadWebchat struct {
	URL      string        `help:"Address of the gateway." default:"http://127.0.0.1:8080"`
	Token    string        `help:"API token of an administrator (hearback token add)." env:"HEARBACK_TOKEN" required:""`
	Channel  string        `help:"Web-chat channel; made when not given."`
	Mode     string        `help:"messages, conversations, latency or idle." enum:"messages,conversations,latency,idle" default:"messages"`
	Senders  int           `help:"Visitors writing at the same time." default:"64"`
	Duration time.Duration `help:"How long to write." default:"10s"`
	Count    int           `help:"Messages for latency, sockets for idle." default:"500"`
}

// Run measures once and prints.
func (l *loadWebchat) Run(g *globals) error {
	ctx, api, err := l.prepare()
	if err != nil {
		return err
	}
	before, err := api.filed(ctx)
	if err != nil {
		return err
	}
	var res loadResult
	switch l.Mode {
	case "messages":
		res = l.spread(ctx, l.writeOnSocket)
	case "conversations":
		res = l.spread(ctx, l.writeAsStrangers)
	case "latency":
		res, err = l.latency(ctx, api)
	case "idle":
		return l.idle(ctx)
	}
	if err != nil {
		return err
	}
	n, err := settled(ctx, api, before, res.Count)
	if err != nil {
		return err
	}
	res.Verified = &n
	res.print(g.JSON)
	if n < res.Count {
		return fmt.Errorf("%d acknowledged messages are missing in the store", res.Count-n)
	}
	return nil
}

func (l *loadWebchat) prepare() (context.Context, *apiClient, error) {
	ctx := context.Background()
	l.URL = strings.TrimSuffix(l.URL, "/")
	api := &apiClient{l.URL, l.Token, &http.Client{Timeout: 30 * time.Second}}
	if l.Channel != "" {
		return ctx, api, nil
	}
	var made struct {
		ID string `json:"id"`
	}
	err := api.do(ctx, "POST", "/api/v1/channels", map[string]any{"kind": "webchat", "name": "Load test", "enabled": true,
		"settings": map[string]string{"origins": l.URL, "rate_per_minute": "0"}}, &made)
	l.Channel = made.ID
	return ctx, api, err
}

// settled waits until the ledger has filed at least want more than before; it gives up when nothing moves for 10 s.
func settled(ctx context.Context, api *apiClient, before, want int) (int, error) {
	last, still := -1, 0
	for {
		n, err := api.filed(ctx)
		if err != nil || n-before >= want || still >= 100 {
			return n - before, err
		}
		if n == last {
			still++
		} else {
			last, still = n, 0
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (l *loadWebchat) visitor(client *http.Client) *chatClient {
	return &chatClient{base: l.URL, channel: l.Channel, origin: l.URL, http: client}
}

// spread runs f for each sender until the time is over. Connections are made before the clock starts.
func (l *loadWebchat) spread(ctx context.Context, f func(ctx context.Context, n int, start <-chan struct{}, ready *sync.WaitGroup) ([]time.Duration, error)) loadResult {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var ready, done sync.WaitGroup
	var rec recorder
	start := make(chan struct{})
	for n := range l.Senders {
		ready.Add(1)
		done.Go(func() {
			took, err := f(ctx, n, start, &ready)
			errs := 0
			if err != nil && !errors.Is(err, context.Canceled) {
				errs = 1
			}
			rec.add(took, errs, err)
		})
	}
	ready.Wait()
	begin := time.Now()
	close(start)
	time.AfterFunc(l.Duration, cancel)
	done.Wait()
	return rec.result(l.Mode, l.Senders, time.Since(begin))
}

// writeOnSocket is one visitor writing on one socket.
func (l *loadWebchat) writeOnSocket(ctx context.Context, n int, start <-chan struct{}, ready *sync.WaitGroup) (took []time.Duration, err error) {
	conn, err := l.connect(ctx, n)
	ready.Done()
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	<-start
	for ctx.Err() == nil {
		at := time.Now()
		if _, err := sendWait(conn, desk.NewID(), fmt.Sprintf("消息 %d: 请问我的订单什么时候到？", len(took))); err != nil {
			return took, err
		}
		took = append(took, time.Since(at))
	}
	return took, nil
}

func (l *loadWebchat) connect(ctx context.Context, n int) (*websocket.Conn, error) {
	v := l.visitor(http.DefaultClient)
	if err := v.enter(ctx, fmt.Sprintf("Visitor %d", n)); err != nil {
		return nil, err
	}
	return v.dial(ctx, 0)
}

// writeAsStrangers is one sender being a new visitor for every message.
func (l *loadWebchat) writeAsStrangers(ctx context.Context, n int, start <-chan struct{}, ready *sync.WaitGroup) (took []time.Duration, err error) {
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 2}}
	ready.Done()
	<-start
	for ctx.Err() == nil {
		at := time.Now()
		v := l.visitor(client)
		// The last conversation is finished, not cut: an acknowledgement that was under way must be counted.
		if err := v.enter(context.WithoutCancel(ctx), fmt.Sprintf("Visitor %d", n)); err != nil {
			return took, err
		}
		if _, err := v.send(context.WithoutCancel(ctx), desk.NewID(), "你好，我要退款"); err != nil {
			return took, err
		}
		took = append(took, time.Since(at))
	}
	return took, nil
}

// latency measures from a visitor's write to the agent's websocket event, one at a time.
func (l *loadWebchat) latency(ctx context.Context, api *apiClient) (loadResult, error) {
	agent, err := dialAgent(ctx, l.URL, l.Token)
	if err != nil {
		return loadResult{}, err
	}
	defer agent.Close()
	conn, err := l.connect(ctx, 0)
	if err != nil {
		return loadResult{}, err
	}
	defer conn.Close()
	if _, err := sendWait(conn, desk.NewID(), "latency start"); err != nil {
		return loadResult{}, err
	}
	if err := watchNewest(agent, "latency start"); err != nil {
		return loadResult{}, err
	}
	var rec recorder
	var took []time.Duration
	begin := time.Now()
	go func() { // the visitor's own frames must be read, or his socket would be shown the door
		for {
			if _, _, err := conn.ReadMessage(); err != nil {
				return
			}
		}
	}()
	for i := range l.Count {
		text := fmt.Sprintf("latency %d", i)
		at := time.Now()
		if err := conn.WriteJSON(map[string]string{"type": "message", "client_msg_id": desk.NewID(), "text": text}); err != nil {
			return loadResult{}, err
		}
		if err := awaitMessage(agent, text); err != nil {
			return loadResult{}, err
		}
		took = append(took, time.Since(at))
	}
	rec.add(took, 0, nil)
	return rec.result("latency", 1, time.Since(begin)), nil
}

// idle opens sockets and keeps them until interrupted or the time is over; the gateway's memory is read from /metrics or ps.
func (l *loadWebchat) idle(ctx context.Context) error {
	for i := range l.Count {
		conn, err := l.connect(ctx, i)
		if err != nil {
			return fmt.Errorf("socket %d: %w", i, err)
		}
		defer conn.Close()
	}
	fmt.Printf("%d sockets open for %s\n", l.Count, l.Duration)
	time.Sleep(l.Duration)
	return nil
}
