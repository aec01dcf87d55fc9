package telephony

import (
	"context"

	"hearback/connectors"
	"hearback/desk"
)

// outFields are the settings of what goes out: callback_url, callback_secret, sms_*.
func outFields() []connectors.Field { return nil }

// checkOut judges the settings of outFields and profile.
func checkOut(map[string]string) []connectors.Problem { return nil }

// Capabilities tells how an answer can leave.
func (c *Connector) Capabilities() connectors.Capabilities {
	return connectors.Capabilities{NoText: true}
}

// Send carries an answer to the caller.
func (c *Connector) Send(context.Context, desk.Outbound) (connectors.Receipt, error) {
	return connectors.Receipt{}, &connectors.SendError{Class: connectors.Permanent}
}

// reach tells whether the channel may write to (or call) an address first.
func reach(ch desk.Channel, to desk.Identity) (sender string, ok bool) { return "", false }

// testCallback checks that callback_url answers; nil when none is set.
func (c *Connector) testCallback(context.Context) error { return nil }
