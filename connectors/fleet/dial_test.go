package fleet_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"hearback/connectors"
	"hearback/connectors/fleet"
	"hearback/desk"
)

func TestDialerRefusesPrivateAddressesUnlessAllowed(t *testing.T) {
	for _, allowed := range []bool{false, true} {
		var tools connectors.Tools
		k := connectors.Kind{Name: "dialling", Open: func(_ context.Context, _ desk.Channel, lent connectors.Tools) (connectors.Connector, error) {
			tools = lent
			return &probe{log: &trace{}}, nil
		}}
		s := newShelf(now)
		s.put(desk.Channel{ID: "c", Kind: "dialling", Enabled: true, Version: 1})
		f := newFleet(s, "n", []connectors.Kind{k}, &bytes.Buffer{}, func(o *fleet.Options) { o.AllowPrivateNetworks = allowed })
		if err := f.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for _, to := range []string{"127.0.0.1:1", "localhost:1", "[::1]:1", "0.0.0.0:1"} {
			conn, err := tools.Dial(t.Context(), "tcp", to)
			if err == nil {
				conn.Close()
			}
			if refused := errors.Is(err, fleet.ErrPrivateAddress); refused == allowed {
				t.Errorf("%s, private addresses allowed %v: %v", to, allowed, err)
			}
		}
	}
}
