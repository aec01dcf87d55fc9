package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"hearback/bus/bustest"
	"hearback/ticketstore/storetest"
)

// BenchmarkLoad is the table of docs/performance.md: the load generator against the real binary, everything on this machine.
// Run it with: make load
func BenchmarkLoad(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { benchLoad(b, newGateway(b)) })
	b.Run("postgres", func(b *testing.B) {
		benchLoad(b, newGateway(b, "--database", storetest.PostgresURL(b), "--redis", bustest.Redis(b)))
	})
}

func benchLoad(b *testing.B, g *gateway) {
	token := g.addAgent("root@example.com", "admin")
	g.start()
	for _, mode := range [][]string{
		{"webchat", "--mode", "messages", "--senders", "64", "--duration", "10s"},
		{"webchat", "--mode", "conversations", "--senders", "64", "--duration", "10s"},
		{"webchat", "--mode", "latency", "--count", "500"},
		{"wechat", "--mode", "safe", "--senders", "64", "--duration", "10s"},
		{"call", "--mode", "events", "--senders", "64", "--duration", "10s"},
		{"call", "--mode", "latency", "--count", "500"},
	} {
		b.Run(mode[0]+"-"+mode[2], func(b *testing.B) {
			for range b.N {
				report(b, g, token, mode)
			}
		})
	}
	g.kill(syscall.SIGTERM)
}

func report(b *testing.B, g *gateway, token string, mode []string) {
	cmd := exec.Command(binary, append([]string{"load", mode[0], "--json", "--url", g.base}, mode[1:]...)...)
	cmd.Env = append(os.Environ(), "HEARBACK_TOKEN="+token)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	var r loadResult
	if err := json.Unmarshal(out, &r); err != nil {
		b.Fatal(err)
	}
	if r.Errors > 0 {
		b.Errorf("%d errors, first: %s", r.Errors, r.Error)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(r.Rate, "/s")
	b.ReportMetric(float64(r.P50.Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(r.P99.Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(*r.Verified), "verified")
}
