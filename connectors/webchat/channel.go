package webchat

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"hearback/connectors"
	"hearback/desk"
)

// acceptTimeout bounds how long a visitor waits for the store; his client repeats the message afterwards.
const acceptTimeout = 15 * time.Second

// A Channel is one open web chat.
type Channel struct {
	id       desk.ID
	set      settings
	tools    connectors.Tools
	path     string // the channel's address without scheme and host, "/c/<id>"
	instance string // tells our own hints from those of other nodes

	hub     *hub
	limits  limits
	signals chan signal

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup
	mu     sync.Mutex // guards starting against closing
}

// A signal is a passing hint for the agents.
type signal struct {
	typ, sender string
	data        map[string]string
}

// Open makes a channel ready. It touches no network.
func Open(_ context.Context, ch desk.Channel, tools connectors.Tools) (*Channel, error) {
	set, err := readSettings(ch, tools.PublicURL)
	if err != nil {
		return nil, fmt.Errorf("open web chat: %w", err)
	}
	if len(tools.Key) < 16 {
		return nil, fmt.Errorf("open web chat: %w: no key to sign visitors' tokens with", desk.ErrInvalid)
	}
	c := &Channel{id: ch.ID, set: set, tools: tools, path: "/c/" + ch.ID, instance: rand.Text()[:16], hub: newHub(), signals: make(chan signal, 1024)}
	if u, err := url.Parse(tools.Address); err == nil && u.Path != "" {
		c.path = strings.TrimSuffix(u.Path, "/")
	}
	c.limits = newLimits(set, tools)
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.wg.Go(func() { c.turnWheel() })
	c.wg.Go(func() { c.passSignals() })
	c.wg.Go(func() {
		if err := tools.Bus.Subscribe(c.ctx, c.hear); err != nil && c.ctx.Err() == nil {
			tools.Logger.Warn("hints of other nodes are not heard; sockets look into the log instead", "err", err)
		}
	})
	return c, nil
}

// Capabilities says that a chat takes any text and any file, shows a reply twice sent once, and tells of arrival and reading.
func (c *Channel) Capabilities() connectors.Capabilities {
	return connectors.Capabilities{
		MaxText: maxFrame, MaxParts: 1, Attachments: []string{"*/*"}, Resendable: true,
		DeliveredKnown: true, ReadKnown: true, Typing: true, SendTimeout: acceptTimeout,
	}
}

// Send puts a reply into the visitor's conversation; he sees it at once or when he comes back. It waits for the log only.
func (c *Channel) Send(ctx context.Context, out desk.Outbound) (connectors.Receipt, error) {
	if out.Sender == "" || out.MessageID == "" {
		return connectors.Receipt{}, &connectors.SendError{Class: connectors.Permanent, Code: "no_visitor", Hint: "This ticket has no chat visitor to answer."}
	}
	a := answered{From: authorWord(out.Author, out.Automatic), Name: out.Author.Name, Text: out.Text, External: out.ExternalID, At: out.CreatedAt}
	if a.External == "" {
		a.External = out.MessageID
	}
	if a.At == 0 {
		a.At = desk.At(c.now())
	}
	for _, f := range out.Attachments {
		a.Files = append(a.Files, file{Name: f.Name, Type: f.Type, Size: f.Size, Blob: f.Blob})
	}
	body, err := json.Marshal(a)
	if err != nil {
		return connectors.Receipt{}, &connectors.SendError{Class: connectors.Permanent, Code: "encode", Err: err}
	}
	if err := ctx.Err(); err != nil {
		return connectors.Receipt{}, &connectors.SendError{Class: connectors.Transient, Err: err}
	}
	seq, err := c.tools.Log.Append(ctx, out.Sender, out.MessageID, body)
	if err != nil {
		return connectors.Receipt{}, &connectors.SendError{Class: connectors.Transient, Code: "log", Err: fmt.Errorf("append reply: %w", err)}
	}
	c.show(out.Sender, c.showAnswer(seq, out.MessageID, &a))
	return connectors.Receipt{State: desk.DeliverySent}, nil
}

func authorWord(a desk.Author, automatic bool) string {
	switch {
	case a.Kind == "bot":
		return "bot"
	case automatic || a.Kind == "system":
		return "system"
	}
	return "agent"
}

// Typing shows the visitor that an agent is typing.
func (c *Channel) Typing(_ context.Context, sender string, on bool) error {
	frame := []byte(`{"type":"typing","on":false,"name":""}`)
	if on {
		frame = []byte(`{"type":"typing","on":true,"name":""}`)
	}
	c.hint(sender, frame)
	return nil
}

// Close tells every socket to come back elsewhere (1012), ends waiting requests, and returns within a few seconds.
func (c *Channel) Close() error {
	c.mu.Lock()
	c.cancel()
	c.mu.Unlock()
	c.hub.closeAll(3 * time.Second)
	c.wg.Wait()
	return nil
}

// start runs f beside, unless the channel is closing; Close waits for it.
func (c *Channel) start(f func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx.Err() != nil {
		return false
	}
	c.wg.Go(f)
	return true
}

func (c *Channel) now() time.Time { return c.tools.Now() }

func (c *Channel) online() bool { return c.tools.Online == nil || c.tools.Online() }

// signal hands a hint to the agents without waiting. Under a flood hints are dropped.
func (c *Channel) signal(typ, sender string, data map[string]string) {
	select {
	case c.signals <- signal{typ, sender, data}:
	default:
	}
}

func (c *Channel) passSignals() {
	for {
		select {
		case <-c.ctx.Done():
			return
		case s := <-c.signals:
			c.tools.Signal(s.typ, s.sender, s.data)
		}
	}
}
