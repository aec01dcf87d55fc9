package telephony

import (
	"context"
	"fmt"
	"net/netip"

	"hearback/connectors"
	"hearback/desk"
)

// A Connector is one open telephony channel. It starts no goroutine.
type Connector struct {
	ch       desk.Channel
	tools    connectors.Tools
	set      *settings
	format   format
	networks []netip.Prefix    // who may call; empty: everybody
	meta     map[string]string // what goes with each envelope of this channel
}

// Open makes a channel ready. It fails on settings that cannot work.
func Open(_ context.Context, ch desk.Channel, tools connectors.Tools) (*Connector, error) {
	c := &Connector{ch: ch, tools: tools, set: readSettings(ch.Settings), meta: map[string]string{}}
	var err error
	if c.format, err = formatOf(c.set); err != nil {
		return nil, fmt.Errorf("open telephony channel: %w", err)
	}
	if c.networks, err = readNetworks(ch.Settings["allow_ips"]); err != nil {
		return nil, fmt.Errorf("open telephony channel: allow_ips: %w: %w", desk.ErrInvalid, err)
	}
	for _, name := range traveling {
		if v := ch.Settings[name]; v != "" && (name != "profile" || c.set.format == "profile") {
			c.meta[name] = v
		}
	}
	return c, nil
}

// Close has nothing to stop.
func (c *Connector) Close() error { return nil }

// note writes a line into the channel's live log.
func (c *Connector) note(n connectors.Note) {
	if c.tools.Note != nil {
		c.tools.Note(n)
	}
}
