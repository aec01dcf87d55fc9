package email

import (
	"context"
	"fmt"
	"sync"

	"hearback/connectors"
	"hearback/desk"
)

// A connector is one open mailbox.
type connector struct {
	ch    desk.Channel
	s     *settings
	tools connectors.Tools
	tag   string // marks our own Message-IDs, see ids.go

	mu  sync.Mutex
	cur cursor

	sends chan struct{} // one token per SMTP connection allowed at once
	life  context.Context
	end   context.CancelFunc
	sent  copier
}

// maxSends bounds the SMTP connections of one mailbox: providers count them.
const maxSends = 4

func open(ch desk.Channel, tools connectors.Tools) (*connector, error) {
	s, err := parse(ch.Settings)
	if err != nil {
		return nil, err
	}
	c := &connector{ch: ch, s: s, tools: tools, tag: tagOf(ch.ID), sends: make(chan struct{}, maxSends)}
	if c.cur, err = readCursor(tools.Cursor); err != nil {
		return nil, fmt.Errorf("open mailbox: %w", err)
	}
	c.life, c.end = context.WithCancel(context.Background())
	c.sent.c = c
	return c, nil
}

// Capabilities of a mailbox: long texts, any file, and the same Message-ID twice is one mail to everybody.
func (c *connector) Capabilities() connectors.Capabilities {
	return connectors.Capabilities{HTML: true, Attachments: []string{"*/*"}, MaxAttachment: 25 << 20, Resendable: true, History: true}
}

// Close ends what is under way for the Sent folder.
func (c *connector) Close() error {
	c.end()
	c.sent.wait()
	return nil
}
