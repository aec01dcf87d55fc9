package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

type serveCmd struct{}

// Run builds the house and runs it until it is told to stop or a part of it fails.
func (serveCmd) Run(g *globals) error {
	c, err := g.load()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log := newLogger(c)
	slog.SetDefault(log)
	ln, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w; choose another address with --listen", c.Listen, err)
	}
	c.Listen = ln.Addr().String() // the port the system chose, when asked for port 0
	h, err := build(ctx, c, log)
	if err != nil {
		ln.Close()
		return err
	}
	defer h.close()
	return h.run(ctx, ln, func() { announce(g, h) })
}

// announce prints where to go, and the first log-in once.
func announce(g *globals, h *house) {
	url := publicURL(h.config)
	if g.JSON {
		printLine(map[string]string{"event": "ready", "url": url, "admin_email": h.first.Email, "admin_password": h.first.Password, "demo_url": h.demoURL(), "demo_wechat_url": h.demoWechatURL()})
		return
	}
	fmt.Printf("\n  Hearback is ready:  %s\n", url)
	if h.first.Password != "" {
		fmt.Printf("  First log-in:       %s\n  One-time password:  %s   (shown only now)\n", h.first.Email, h.first.Password)
	}
	if h.demoURL() != "" {
		fmt.Printf("  Demo shop:          %s\n", h.demoURL())
	}
	if h.demoWechatURL() != "" {
		fmt.Printf("  Demo WeChat:        %s\n", h.demoWechatURL())
	}
	fmt.Println()
}

const (
	stopFront = 6 * time.Second  // for requests under way
	stopAll   = 10 * time.Second // for everything
)

// run starts every part and stops them in order: unready, no new requests, sockets closed with "reconnect", belts drained,
// then what they stand on. ready is called once the gateway answers.
func (h *house) run(ctx context.Context, ln net.Listener, ready func()) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ground := startParts(cancel, h.ground())
	belts := startParts(cancel, h.belts())
	front := startParts(cancel, h.front())
	server := &http.Server{
		Handler: h.handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(h.log.Handler(), slog.LevelDebug),
		// Long polls end when the stop begins; Shutdown would wait for them otherwise.
		BaseContext: func(net.Listener) context.Context { return front.ctx },
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	if h.config.MetricsListen != "" {
		startMetrics(front.ctx, cancel, h)
	}
	h.ready.Store(true)
	ready()

	select {
	case <-ctx.Done():
	case err := <-served:
		cancel(err)
	}
	h.ready.Store(false)
	h.log.Info("stopping")
	time.AfterFunc(stopAll, func() {
		h.log.Error("could not stop in time; what is unfinished is taken up at the next start")
		os.Exit(1)
	})
	return h.stop(context.Cause(ctx), server, front, belts, ground)
}

func (h *house) stop(cause error, server *http.Server, front, belts, ground *parts) error {
	limit, cancel := context.WithTimeout(context.Background(), stopFront)
	defer cancel()
	front.cancel()
	h.fleet.Close()
	if err := server.Shutdown(limit); err != nil {
		h.log.Warn("requests under way were cut", "err", err)
		server.Close()
	}
	err := errors.Join(front.wait(), belts.wait(), ground.wait())
	if cause != nil && !errors.Is(cause, context.Canceled) {
		err = errors.Join(cause, err)
	}
	return err
}

// parts are long-running parts that start and stop together.
type parts struct {
	ctx    context.Context
	cancel context.CancelFunc
	group  errgroup.Group
}

// startParts runs each part; one that fails stops the whole house.
func startParts(fail context.CancelCauseFunc, runs map[string]func(context.Context) error) *parts {
	p := &parts{}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	for name, run := range runs {
		p.group.Go(func() error {
			err := run(p.ctx)
			if p.ctx.Err() != nil {
				return nil // told to stop
			}
			if err == nil {
				err = errors.New("ended by itself")
			}
			err = fmt.Errorf("%s: %w", name, err)
			fail(err)
			return err
		})
	}
	return p
}

func (p *parts) wait() error {
	p.cancel()
	return p.group.Wait()
}

// startMetrics serves /metrics on its own address.
func startMetrics(ctx context.Context, fail context.CancelCauseFunc, h *house) {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", h.metricsHandler())
	server := &http.Server{Addr: h.config.MetricsListen, Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { server.Close() })
	go func() {
		if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
			fail(fmt.Errorf("metrics: %w", err))
		}
	}()
}

// baseURL is the gateway's public address without a trailing slash.
func (h *house) baseURL() string { return publicURL(h.config) }
