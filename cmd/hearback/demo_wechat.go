package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"time"

	"hearback/connectors"
	"hearback/connectors/fleet"
	"hearback/connectors/wechat/tencent"
	"hearback/desk"
)

const (
	demoWechatPath  = "/demo/wechat"
	demoWechatAppID = "wxdem0dem0dem0dem0"
	demoTemplate    = "DEMO-TEMPLATE"
)

// A wechatDemo is the stand-in for Tencent that `serve --demo` runs beside the gateway, and the page on which a visitor is a
// WeChat customer. Its API listens on a port of the loopback; the demo's channel points there, and the fleet lets channels reach
// exactly that address.
type wechatDemo struct {
	channel desk.ID
	tencent *tencent.Tencent
	phone   *tencent.Phone
	ln      net.Listener
	file    string // keeps the phones over a restart
	log     *slog.Logger
}

// stageWechat finds or makes the demo's WeChat channel and prepares the stand-in it talks to. Without a demo, or when an admin
// switched the channel off, there is none.
func (h *house) stageWechat(ctx context.Context) error {
	kind, ch, wanted, err := h.demoOf(ctx, "wechat", func(c desk.Channel) bool { return c.Settings["app_id"] == demoWechatAppID })
	if err != nil || !wanted {
		return err
	}
	ln, err := listenAgain(ch.Settings["api_base"])
	if err != nil {
		return fmt.Errorf("listen for the demo's WeChat: %w", err)
	}
	if ch, err = h.saveWechatDemo(ctx, kind, ch, "http://"+ln.Addr().String()); err != nil {
		ln.Close()
		return err
	}
	return h.openWechatDemo(ch, ln)
}

// demoOf finds the demo's channel of a kind, the zero one when it has to be made. wanted is false without a demo, and when an admin
// switched the channel off.
func (h *house) demoOf(ctx context.Context, name string, mine func(desk.Channel) bool) (kind connectors.Kind, ch desk.Channel, wanted bool, err error) {
	kind, known := kindNamed(name)
	if !h.config.Demo || !known {
		return kind, ch, false, nil
	}
	channels, err := h.store.Channels(ctx)
	if err != nil {
		return kind, ch, false, err
	}
	if i := slices.IndexFunc(channels, func(c desk.Channel) bool { return c.Kind == name && mine(c) }); i >= 0 {
		ch = channels[i]
	}
	return kind, ch, ch.ID == "" || ch.Enabled, nil
}

// listenAgain takes the port of the last start when it is free, so that the channel stays as it is.
func listenAgain(base string) (net.Listener, error) {
	if u, err := url.Parse(base); err == nil && u.Port() != "" {
		if ln, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", u.Port())); err == nil {
			return ln, nil
		}
	}
	return net.Listen("tcp", "127.0.0.1:0")
}

// saveWechatDemo makes the channel once, and lets it follow a new port.
func (h *house) saveWechatDemo(ctx context.Context, kind connectors.Kind, ch desk.Channel, base string) (desk.Channel, error) {
	if ch.ID == "" {
		teams, err := h.store.Teams(ctx)
		if err != nil {
			return ch, err
		}
		settings, _ := fleet.Complete(kind, map[string]string{"account": "official", "app_id": demoWechatAppID, "app_secret": desk.NewID(),
			"mode": "safe", "template_id": demoTemplate}, true)
		ch = desk.Channel{Kind: kind.Name, Name: "回音小店公众号 WeChat demo", Enabled: true, Settings: settings}
		if i := slices.IndexFunc(teams, func(t desk.Team) bool { return t.Name == demoSales }); i >= 0 {
			ch.TeamID = teams[i].ID
		}
	}
	if ch.Settings["api_base"] == base {
		return ch, nil
	}
	ch.Settings["api_base"] = base
	saved, err := h.store.SaveChannel(ctx, ch, secretFields(kind))
	if err != nil {
		return ch, fmt.Errorf("save the demo's WeChat channel: %w", err)
	}
	return saved, nil
}

func (h *house) openWechatDemo(ch desk.Channel, ln net.Listener) (err error) {
	d := &wechatDemo{channel: ch.ID, ln: ln, log: h.log, file: filepath.Join(h.config.Data, "demo-wechat.json")}
	if d.tencent, err = tencent.New(tencent.Options{Accounts: []tencent.Account{h.wechatDemoAccount(ch)}, Client: h.toMyself(), Pause: time.Second}); err != nil {
		return err
	}
	if err := d.tencent.Load(d.file); err != nil {
		h.log.Warn("the demo's WeChat phones begin empty", "err", err)
	}
	if d.phone, err = tencent.NewPhone(d.tencent, demoWechatAppID, demoWechatPath, "回音小店", "Echo Goods"); err != nil {
		return err
	}
	h.wechat = d
	return nil
}

func (h *house) wechatDemoAccount(ch desk.Channel) tencent.Account {
	s := ch.Settings
	return tencent.Account{Kind: tencent.Official, AppID: s["app_id"], Secret: s["app_secret"], Token: s["token"], AESKey: s["encoding_aes_key"],
		Mode: s["mode"], Templates: []string{demoTemplate}, Callback: "http://gateway/c/" + ch.ID}
}

// toMyself is a client that reaches this gateway whatever the address says: the public one may not be reachable from here.
func (h *house) toMyself() *http.Client {
	address := h.config.Listen
	if host, port, err := net.SplitHostPort(address); err == nil && (host == "" || net.ParseIP(host).IsUnspecified()) {
		address = net.JoinHostPort("127.0.0.1", port)
	}
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, "tcp", address)
	}}}
}

// followWechatDemo lets the stand-in know what an admin changed: token, key, mode.
func (h *house) followWechatDemo(ctx context.Context) {
	if h.wechat == nil {
		return
	}
	channels, err := h.store.Channels(ctx)
	if err != nil {
		h.log.Warn("the demo's WeChat channel could not be read again", "err", err)
		return
	}
	if i := slices.IndexFunc(channels, func(ch desk.Channel) bool { return ch.ID == h.wechat.channel }); i >= 0 {
		if err := h.wechat.tencent.Open(h.wechatDemoAccount(channels[i])); err != nil {
			h.log.Warn("the stand-in for Tencent cannot use the demo channel's settings", "err", err)
		}
	}
}

// allowed are the private addresses channels may reach: the stand-ins'.
func (h *house) allowed(address string) bool {
	return h.wechat != nil && address == h.wechat.ln.Addr().String() || h.call.at(address)
}

// Run serves the stand-in's API until ctx ends, and keeps its phones.
func (d *wechatDemo) Run(ctx context.Context) error {
	server := &http.Server{Handler: d.tencent, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)}
	ctx, cancel := context.WithCancel(ctx)
	context.AfterFunc(ctx, func() { server.Close() })
	saved := make(chan struct{})
	go func() { defer close(saved); d.save(ctx) }()
	defer func() { cancel(); <-saved }()
	if err := server.Serve(d.ln); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the demo's WeChat: %w", err)
	}
	return ctx.Err()
}

// save writes the phones to their file a second after something changed, and at the end.
func (d *wechatDemo) save(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-d.tencent.Changed():
		case <-ctx.Done():
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
		if err := d.tencent.Save(d.file); err != nil {
			d.log.Warn("the demo's WeChat phones could not be kept", "err", err)
		}
	}
}

func (h *house) demoWechatURL() string {
	if h.wechat == nil {
		return ""
	}
	return h.baseURL() + demoWechatPath
}
