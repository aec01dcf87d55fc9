package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"hearback/admin"
	"hearback/auth"
	"hearback/blobs"
	"hearback/bus"
	"hearback/configs"
	"hearback/connectors"
	"hearback/connectors/fleet"
	"hearback/console"
	"hearback/customer"
	"hearback/delivery"
	"hearback/desk"
	"hearback/intake"
	"hearback/router"
	"hearback/ticketstore"
	"hearback/vault"
	"hearback/web"
)

// A house is every room of one node, built and wired; run starts it.
type house struct {
	config   configs.Config
	log      *slog.Logger
	vault    *vault.Vault
	store    *ticketstore.Store
	bus      *bus.Bus
	files    connectors.Blobs
	auth     *auth.Auth
	rules    *router.Classifier
	router   *router.Router
	intake   *intake.Belt
	fetch    *intake.Fetch
	answers  *customer.Answers
	fleet    *fleet.Fleet
	out      *delivery.Belt
	console  *console.Console
	admin    *admin.Admin
	signals  chan signalled
	openings chan opening
	metrics  *prometheus.Registry
	handler  http.Handler
	first    firstLogin
	demo     desk.ID // the demo's channel; "" without a demo
	wechat   *wechatDemo
	call     *callDemo
	there    whoIsThere
	ready    atomic.Bool
	node     string
}

// A firstLogin is shown once, on the very first start.
type firstLogin struct{ Email, Password string }

// build opens everything the house stands on and wires the rooms. It starts nothing that runs on.
func build(ctx context.Context, c configs.Config, log *slog.Logger) (_ *house, err error) {
	h := &house{config: c, log: log, node: desk.NewID(), metrics: prometheus.NewRegistry(), signals: make(chan signalled, 256),
		openings: make(chan opening, 4096)}
	defer func() {
		if err != nil {
			h.close()
		}
	}()
	if err := h.open(ctx); err != nil {
		return nil, err
	}
	if err := h.furnish(ctx); err != nil {
		return nil, err
	}
	if h.handler, err = h.routes(); err != nil {
		return nil, err
	}
	return h, nil
}

// open opens what may fail: key, database, Redis, files.
func (h *house) open(ctx context.Context) (err error) {
	var made bool
	if h.vault, made, err = openVault(h.config); err != nil {
		return err
	}
	if made {
		h.log.Warn("a master key was made; keep a copy of it in a safe place: without it stored credentials are lost", "file", masterKeyFile(h.config))
	}
	if h.store, err = openStore(ctx, h.config, h.vault, h.log); err != nil {
		return err
	}
	if h.bus, err = bus.Open(ctx, bus.Options{URL: h.config.Redis, Node: h.node, Logger: h.log}); err != nil {
		return err
	}
	if h.alone() {
		// A killed process leaves its leases behind: nobody else can hold them here, so that mailboxes need not wait for their end.
		if err := h.store.ForgetLeases(ctx); err != nil {
			return err
		}
	}
	store, err := blobs.Open(filepath.Join(h.config.Data, "blobs"))
	if err != nil {
		return fmt.Errorf("open the attachments' folder: %w", err)
	}
	h.files = fleet.Files(store)
	return nil
}

// alone tells that no other node can belong to this house: nobody can share a load board inside the process.
func (h *house) alone() bool { return h.config.Redis == "" || h.config.Redis == "embedded" }

// furnish makes the rooms, the lower floors first.
func (h *house) furnish(ctx context.Context) error {
	c := h.config
	h.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	h.auth = auth.New(auth.Options{Store: h.store, Limiter: h.bus, Logger: h.log, Secure: strings.HasPrefix(h.baseURL(), "https://")})
	if err := h.welcome(ctx); err != nil {
		return err
	}
	if err := h.stageWechat(ctx); err != nil {
		return err
	}
	if err := h.stageCall(ctx); err != nil {
		return err
	}
	h.rules = router.NewClassifier()
	if err := h.loadRules(ctx); err != nil {
		return err
	}
	h.router = router.New(router.Options{Store: h.store, Bus: h.bus, Logger: h.log, Node: h.node,
		Grace: c.Routing.Grace, Lease: c.Routing.Lease, DefaultCapacity: c.Routing.Capacity, Patient: patientKinds(),
		Calls: h.store.LiveCalls})
	h.intake = intake.New(intake.Options{Store: h.store, Blobs: h.files, Kinds: kinds, Classify: h.classify, Logger: h.log,
		Route: h.router.Route, Opened: h.opened, Calls: h.tellCalls, Fetch: func() { h.fetch.Kick() }, Asked: func() { h.answers.Kick() },
		Publish: h.publish, Batch: c.Intake.Batch, Lease: c.Intake.Lease, MaxAttempts: c.Intake.MaxAttempts,
		Metrics: intake.NewMetrics(h.metrics)})
	secret, err := h.workspaceSecret(ctx)
	if err != nil {
		return err
	}
	h.fleet = fleet.New(fleet.Options{Kinds: kinds, Store: h.store, Inbox: h.intake, Blobs: h.files, Cache: h.bus,
		Line: func(name string) connectors.Bus { return h.bus.Line(name) }, Logger: h.log, PublicURL: h.baseURL(), Node: h.node,
		Secret: secret, AllowPrivateNetworks: c.AllowPrivateNetworks, Signal: h.signal, Online: h.anyoneOnline, Allow: h.allowed,
		Recent: h.bus, Noted: h.noted})
	if err := h.fleet.Reload(ctx); err != nil {
		return fmt.Errorf("open channels: %w", err)
	}
	h.out = delivery.New(delivery.Options{Store: h.store, Fleet: h.fleet, Publish: h.publish, Logger: h.log,
		Workers: c.Delivery.Workers, Lease: c.Delivery.Lease, Metrics: delivery.NewMetrics(h.metrics)})
	h.fetch = intake.NewFetch(intake.FetchOptions{Store: h.store, Fleet: h.fleet, Blobs: h.files, Publish: h.publish, Logger: h.log})
	h.answers = customer.New(customer.Options{Store: h.store, Fleet: h.fleet, Logger: h.log, Publish: h.publish, Sent: h.out.Kick})
	h.console = console.New(h.consoleOptions())
	h.admin = admin.New(h.adminOptions())
	return nil
}

// front is what faces people; it stops first.
func (h *house) front() map[string]func(context.Context) error {
	return map[string]func(context.Context) error{"console": h.console.Run, "channels": h.fleet.Run, "live hints": h.passSignals,
		"acknowledgements": h.acknowledge}
}

// belts carry messages in and out; they drain after the front is closed.
func (h *house) belts() map[string]func(context.Context) error {
	return map[string]func(context.Context) error{"intake": h.intake.Run, "delivery": h.out.Run, "files": h.fetch.Run, "answers": h.answers.Run, "timers": h.watchTimers}
}

// ground is what everything stands on; it stops last.
func (h *house) ground() map[string]func(context.Context) error {
	parts := map[string]func(context.Context) error{"bus": h.bus.Run, "router": h.router.Run, "changes": h.followChanges}
	if h.wechat != nil {
		parts["demo"] = h.wechat.Run
	}
	if h.call != nil {
		parts["demo phone"] = h.call.Run
	}
	return parts
}

// close closes what open opened. It is called after every part has stopped.
func (h *house) close() {
	if h.bus != nil {
		h.bus.Close()
	}
	if h.store != nil {
		h.store.Close()
	}
}

// publish tells consoles on every node; a lost hint is refetched.
func (h *house) publish(ctx context.Context, events []desk.Event) {
	if err := h.bus.Publish(ctx, events); err != nil {
		h.log.Warn("a live hint was not sent", "err", err)
	}
}

// classify proposes team, priority, tags and the first deadline of a message that may open a ticket.
func (h *house) classify(in desk.Inbound, channel desk.ID) ticketstore.Plan {
	plan := h.rules.Classify(in.Text, in.Subject, channel).Plan()
	if plan.TeamID == "" { // no rule sends it anywhere: the channel's own team
		_, ch, _ := h.fleet.Get(channel)
		plan.TeamID = ch.TeamID
	}
	limit := h.config.SLA.FirstResponse
	switch plan.Priority {
	case desk.PriorityUrgent:
		limit = h.config.SLA.UrgentFirstResponse
	case desk.PriorityCritical:
		limit = h.config.SLA.CriticalFirstResponse
	}
	plan.FirstResponseDue = desk.At(time.Now().Add(limit))
	return plan
}

func (h *house) loadRules(ctx context.Context) error {
	rules, err := h.store.Rules(ctx)
	if err != nil {
		return fmt.Errorf("load rules: %w", err)
	}
	h.rules.Load(rules)
	return nil
}

// followChanges takes up what admins change on any node: rules, people, channels. A sweep each minute covers lost hints.
func (h *house) followChanges(ctx context.Context) error {
	wake := make(chan string, 64)
	go h.bus.Subscribe(ctx, func(events []desk.Event) {
		for _, e := range events {
			switch e.Type {
			case "rules", "people", "teams", "sessions", "channel":
				select {
				case wake <- e.Type:
				default: // as many are waiting: the sweep covers the rest
				}
			}
		}
	})
	sweep := time.NewTicker(time.Minute)
	defer sweep.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case what := <-wake:
			h.takeUp(ctx, what)
		case <-sweep.C:
			h.takeUp(ctx, "rules")
		}
	}
}

func (h *house) takeUp(ctx context.Context, what string) {
	switch what {
	case "rules":
		if err := h.loadRules(ctx); err != nil && ctx.Err() == nil {
			h.log.Warn("rules could not be read again; the old ones go on", "err", err)
		}
	case "people", "teams":
		h.auth.Forget("")
		if err := h.router.Refresh(ctx); err != nil && ctx.Err() == nil {
			h.log.Warn("the load board was not told of changed people; its next sweep does it", "err", err)
		}
	case "sessions":
		h.auth.Forget("")
	case "channel":
		h.fleet.Changed()
		h.out.Kick()
		h.followWechatDemo(ctx)
	}
}

// workspaceSecret is the key from which channels derive theirs: made once, sealed in the store, the same on every node.
func (h *house) workspaceSecret(ctx context.Context) ([]byte, error) {
	const name, place = "workspace_secret", "meta:workspace_secret"
	sealed, err := h.vault.Seal(place, []byte(vault.NewKey()))
	if err != nil {
		return nil, err
	}
	stored, err := h.store.SetMetaOnce(ctx, name, sealed)
	if err != nil {
		return nil, fmt.Errorf("keep the workspace's key: %w", err)
	}
	return h.vault.Open(place, stored)
}

// routes puts every room on one mux.
func (h *house) routes() (http.Handler, error) {
	site, err := web.New(web.Options{PublicURL: h.baseURL(), DemoChannel: func() string { return h.demo }})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", h.serveReady)
	mux.Handle("GET /metrics", h.private(h.metricsHandler()))
	h.register(console.NewAPI(mux, version, h.log), mux)
	mux.HandleFunc("/api/", console.NotFound)
	mux.Handle("/c/", h.fleet)
	if h.wechat != nil {
		mux.Handle(demoWechatPath, h.wechat.phone)
		mux.Handle(demoWechatPath+"/", h.wechat.phone)
	}
	for _, prefix := range h.fleet.Mounts() {
		mux.Handle(prefix, h.fleet)
	}
	mux.Handle("/", site.Handler())
	return h.behindProxies(mux), nil
}

// register adds every described route; the console first, for it brings the guard.
func (h *house) register(api huma.API, mux *http.ServeMux) {
	h.console.Register(api, mux)
	h.admin.Register(api)
}

func (h *house) metricsHandler() http.Handler {
	return promhttp.HandlerFor(h.metrics, promhttp.HandlerOpts{})
}

// serveReady says whether this node takes work, and why not. A channel that is broken does not make it unready.
func (h *house) serveReady(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
	defer cancel()
	reasons := map[string]string{}
	if !h.ready.Load() {
		reasons["gateway"] = "starting or stopping"
	}
	if err := h.store.Ready(ctx); err != nil {
		reasons["database"] = "does not answer"
		h.log.Warn("the database does not answer", "err", err)
	}
	// Without the load board messages still come in and replies go out: taking the node out would make it worse.
	degraded := map[string]string{}
	if err := h.router.Ready(ctx); err != nil {
		degraded["router"] = err.Error()
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if len(reasons) > 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	json.NewEncoder(w).Encode(map[string]any{"ready": len(reasons) == 0, "reasons": reasons, "degraded": degraded})
}
