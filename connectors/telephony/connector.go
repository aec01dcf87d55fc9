package telephony

import (
	"context"
	"fmt"
	"net/http"

	"hearback/connectors"
	"hearback/desk"
)

// A Connector is one open telephony channel. It starts no goroutine.
type Connector struct {
	ch     desk.Channel
	tools  connectors.Tools
	set    *settings
	format format
}

// Open makes a channel ready. It fails on settings that cannot work.
func Open(_ context.Context, ch desk.Channel, tools connectors.Tools) (*Connector, error) {
	c := &Connector{ch: ch, tools: tools, set: readSettings(ch.Settings)}
	f, err := formatOf(c.set)
	if err != nil {
		return nil, fmt.Errorf("open telephony channel: %w", err)
	}
	c.format = f
	return c, nil
}

// Close has nothing to stop.
func (c *Connector) Close() error { return nil }

// ServeHTTP takes a provider's request.
func (c *Connector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	http.Error(w, "not there yet", http.StatusServiceUnavailable)
}
