package telephony

import (
	"context"
	"io"

	"hearback/connectors"
)

// Fetch brings a recording; ref is recording.Ref.
func (c *Connector) Fetch(ctx context.Context, ref string) (io.ReadCloser, string, error) {
	return nil, "", &connectors.SendError{Class: connectors.Permanent}
}
