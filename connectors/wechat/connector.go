package wechat

import (
	"fmt"
	"time"

	"hearback/connectors"
	"hearback/desk"
)

// What a message may hold. Tencent counts bytes; custom/send refuses 2,048 and more with 45002.
const (
	maxText  = 2000
	sendTime = 25 * time.Second
)

// official is an open official account or mini-program.
type official struct {
	gate
	api *api
}

// open makes a channel ready. Nothing is asked of Tencent here.
func open(ch desk.Channel, tools connectors.Tools) (connectors.Connector, error) {
	s, err := parse(ch.Settings)
	if err != nil {
		return nil, fmt.Errorf("open wechat channel: %w", err)
	}
	g := gate{s, tools}
	a := newAPI(s, tools)
	if s.account == accountKf {
		return newKf(g, a), nil
	}
	return &official{g, a}, nil
}

// Capabilities tells what fits into the account's messages. What the API has no type for leaves as a link, so every file can be sent.
func (c *official) Capabilities() connectors.Capabilities {
	caps := c.s.capabilities()
	caps.Typing = true
	if c.s.template.id != "" {
		caps.Means = []connectors.Means{{Name: meansTemplate, Title: connectors.Text{Zh: "模板消息", En: "Template message"}, NeedsText: true, MaxText: 600, AfterWindow: true}}
	}
	return caps
}

func (s *settings) capabilities() connectors.Capabilities {
	return connectors.Capabilities{
		MaxText: maxText, MaxParts: s.messages, Attachments: []string{"*/*"}, Single: true,
		ReplyWindow: time.Duration(s.hours) * time.Hour, Quota: s.messages, SendTimeout: sendTime,
	}
}

// Close has nothing to stop: requests end with their contexts.
func (c *official) Close() error { return nil }
