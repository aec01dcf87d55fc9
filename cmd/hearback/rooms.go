package main

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"hearback/admin"
	"hearback/auth"
	"hearback/console"
)

// consoleOptions wires the agents' room.
func (h *house) consoleOptions() console.Options {
	return console.Options{Store: h.store, Router: h.router, Fleet: h.fleet, Auth: h.auth, Bus: h.bus, Blobs: h.files,
		Kick: h.out.Kick, Logger: h.log, Node: h.node, PublicURL: h.baseURL(), Build: version, FirstResponse: h.config.SLA.FirstResponse}
}

// adminOptions wires the admins' room.
func (h *house) adminOptions() admin.Options {
	return admin.Options{Store: h.store, Fleet: h.fleet, Auth: h.auth, Bus: h.bus, Actor: console.Actor,
		Wake: h.intake.Kick, Checks: h.checks, Blobs: h.files, Logger: h.log, PublicURL: h.baseURL()}
}

// checks is what the admin page shows of the house beside its channels.
func (h *house) checks(ctx context.Context) []admin.Check {
	var out []admin.Check
	add := func(name string, err error) {
		c := admin.Check{Name: name, State: "ok"}
		if err != nil {
			c.State, c.Detail = "error", err.Error()
		}
		out = append(out, c)
	}
	add("database", h.store.Ready(ctx))
	add("redis", h.bus.Ping(ctx))
	add("router", h.router.Ready(ctx))
	return out
}

// private lets in the machine itself and administrators.
func (h *house) private(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		addr, err := netip.ParseAddr(hostOf(r))
		if err == nil && addr.IsLoopback() {
			next.ServeHTTP(w, r)
			return
		}
		if p, err := h.auth.Authenticate(r); err != nil || !p.Can(auth.HealthRead) {
			http.Error(w, "metrics are for the machine itself and administrators; give them an own address with metrics_listen", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// behindProxies makes RemoteAddr the client's own address where trusted proxies tell it: the last address of X-Forwarded-For
// that is no trusted proxy's is the one a proxy of ours has seen itself.
func (h *house) behindProxies(next http.Handler) http.Handler {
	if len(h.config.TrustedProxies) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := hostOf(r)
		seen := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		for i := len(seen) - 1; i >= 0 && h.trusted(host); i-- {
			if addr, err := netip.ParseAddr(strings.TrimSpace(seen[i])); err == nil {
				host = addr.String()
			}
		}
		r.RemoteAddr = net.JoinHostPort(host, "0")
		next.ServeHTTP(w, r)
	})
}

func hostOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func (h *house) trusted(address string) bool {
	addr, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	for _, s := range h.config.TrustedProxies {
		if p, err := netip.ParsePrefix(s); err == nil && p.Contains(addr.Unmap()) {
			return true
		}
		if a, err := netip.ParseAddr(s); err == nil && a == addr.Unmap() {
			return true
		}
	}
	return false
}

// apiSpec describes the HTTP API.
func apiSpec() (json.RawMessage, error) {
	a := admin.New(admin.Options{})
	return console.Spec(version, a.Register)
}
