package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"hearback/connectors"
	"hearback/connectors/fleet"
	"hearback/connectors/telephony/pbx"
	"hearback/desk"
)

const (
	demoCallName  = "回音小店热线 Demo phone"
	demoCallLine  = "+861064368888"
	demoExtension = "8001"
	demoQueue     = "售后"
)

// A callDemo is the stand-in for a call centre that `serve --demo` runs beside the gateway: it keeps recordings and calls customers
// back when an agent asks for it. `hearback simulate call` rings the demo's phone. It listens on a port of the loopback that the fleet
// lets channels reach.
type callDemo struct {
	centre pbx.Centre
	office *pbx.Office
	ln     net.Listener
	asked  chan pbx.Script
	log    *slog.Logger
}

// stageCall finds or makes the demo's telephony channel and prepares the stand-in. Without a demo, or when an admin switched the
// channel off, there is none.
func (h *house) stageCall(ctx context.Context) error {
	kind, ch, wanted, err := h.demoOf(ctx, "telephony", func(c desk.Channel) bool { return c.Name == demoCallName })
	if err != nil || !wanted {
		return err
	}
	ln, err := listenAgain(ch.Settings["callback_url"])
	if err != nil {
		return fmt.Errorf("listen for the demo's phone: %w", err)
	}
	if ch, err = h.saveCallDemo(ctx, kind, ch, "http://"+ln.Addr().String()+"/callback"); err != nil {
		ln.Close()
		return err
	}
	d := &callDemo{ln: ln, log: h.log, asked: make(chan pbx.Script, 16), office: &pbx.Office{Secret: firstWord(ch.Settings["callback_secret"])},
		centre: pbx.Centre{Format: "generic", Target: "http://gateway/c/" + ch.ID, Secret: ch.Settings["secret"], HTTP: h.toMyself(),
			Recordings: "http://" + ln.Addr().String() + "/recordings"}}
	d.office.TakeCall = d.take
	h.call = d
	return nil
}

// saveCallDemo makes the channel once, with a team whose queue rings and an administrator who has a telephone, and lets it follow a
// new port.
func (h *house) saveCallDemo(ctx context.Context, kind connectors.Kind, ch desk.Channel, callback string) (desk.Channel, error) {
	if ch.ID == "" {
		settings, _ := fleet.Complete(kind, map[string]string{"format": "generic"}, true)
		ch = desk.Channel{Kind: kind.Name, Name: demoCallName, Enabled: true, Settings: settings}
		if err := h.giveDemoTelephones(ctx, &ch); err != nil {
			return ch, err
		}
	}
	if ch.Settings["callback_url"] == callback {
		return ch, nil
	}
	ch.Settings["callback_url"] = callback
	saved, err := h.store.SaveChannel(ctx, ch, secretFields(kind))
	if err != nil {
		return ch, fmt.Errorf("save the demo's phone: %w", err)
	}
	return saved, nil
}

func (h *house) giveDemoTelephones(ctx context.Context, ch *desk.Channel) error {
	teams, err := h.store.Teams(ctx)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(teams, func(t desk.Team) bool { return t.Name == demoSales }); i >= 0 {
		ch.TeamID = teams[i].ID
		if len(teams[i].Queues) == 0 {
			teams[i].Queues = []string{demoQueue}
			if _, err := h.store.SaveTeam(ctx, teams[i]); err != nil {
				return fmt.Errorf("give the demo's team a queue: %w", err)
			}
		}
	}
	admin, _, _, err := h.store.AgentByEmail(ctx, firstEmail)
	if err != nil || len(admin.Extensions) > 0 {
		return nil // the first administrator is gone, or has a telephone of his own
	}
	admin.Extensions = []string{demoExtension}
	if _, err := h.store.UpdateAgent(ctx, admin); err != nil {
		return fmt.Errorf("give the demo's administrator a telephone: %w", err)
	}
	return nil
}

// take says which call a callback becomes.
func (d *callDemo) take(cb pbx.Callback) string {
	s := pbx.Script{ID: "cb-" + cb.ID, Scenario: pbx.Outbound, Customer: cb.Number, Line: demoCallLine, Agent: cb.Extension, Ring: 3 * time.Second, Talk: 10 * time.Second,
		Callback: cb.ID}
	select {
	case d.asked <- s:
	default: // nobody asks for so many in a demo
	}
	return s.ID
}

// Run serves recordings and callbacks, and makes the calls that were asked for, until ctx ends.
func (d *callDemo) Run(ctx context.Context) error {
	server := &http.Server{Handler: d.office, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)}
	context.AfterFunc(ctx, func() { server.Close() })
	calls := make(chan struct{})
	go func() {
		defer close(calls)
		d.makeCalls(ctx)
	}()
	err := server.Serve(d.ln)
	<-calls
	if !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the demo's phone: %w", err)
	}
	return ctx.Err()
}

func (d *callDemo) makeCalls(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-d.asked:
			s.Start = time.Now()
			for _, r := range d.centre.Requests(s) {
				if !sleepUntil(ctx, r.At) {
					return
				}
				if err := d.centre.Insist(ctx, r); err != nil && ctx.Err() == nil {
					d.log.Warn("the demo's call centre could not tell of a call", "err", err)
				}
			}
		}
	}
}

// at tells whether an address is the stand-in's.
func (d *callDemo) at(address string) bool { return d != nil && address == d.ln.Addr().String() }

// demoOffice is where a channel of the demo keeps recordings: beside its callback address on this machine.
func demoOffice(ch desk.Channel) string {
	base, ok := strings.CutSuffix(ch.Settings["callback_url"], "/callback")
	if !ok || !strings.HasPrefix(base, "http://127.0.0.1:") {
		return ""
	}
	return base + "/recordings"
}
