package router

import (
	"fmt"
	"log/slog"
	"testing"

	"hearback/bus"
	"hearback/bus/bustest"
	"hearback/desk"
)

// benchPick measures the board alone: pairs picked and confirmed per second, 50 agents, the queue always full.
func benchPick(b *testing.B, bus *bus.Bus) {
	store, c := newReferee(), newClock()
	for i := range 50 {
		store.agent(fmt.Sprintf("a%02d", i), 1_000_000)
	}
	r := New(Options{Store: store, Bus: bus, Clock: c.Now, Logger: slog.New(slog.DiscardHandler)})
	must(b, r.sweep(b.Context()))
	for id := range store.agents {
		must(b, r.Beat(b.Context(), id))
	}
	waiting, assigned := 0, 0
	for b.Loop() {
		b.StopTimer()
		for ; waiting < maxPicks; waiting += placeBatch {
			placings := make([]placing, placeBatch)
			for i := range placings {
				placings[i] = placing{load: loadOf(store.open("", "webchat"))}
			}
			must(b, r.place(b.Context(), placings...))
		}
		b.StartTimer()
		picks, _, _, err := r.pick(b.Context(), []desk.ID{""})
		must(b, err)
		confirmed := make([]any, len(picks))
		for i, p := range picks {
			confirmed[i] = p.ticket
		}
		must(b, r.bus.Client().ZRem(b.Context(), r.board.key("pend"), confirmed...).Err())
		waiting -= len(picks)
		assigned += len(picks)
	}
	b.ReportMetric(float64(assigned)/b.Elapsed().Seconds(), "assignments/s")
}

func BenchmarkPickRedis(b *testing.B)    { benchPick(b, bustest.Open(b, bustest.Redis(b))) }
func BenchmarkPickEmbedded(b *testing.B) { benchPick(b, bustest.Open(b, "embedded")) }

// benchRoute measures the whole way of one new ticket at a time: onto the board, picked, confirmed by a store in memory.
func benchRoute(b *testing.B, bus *bus.Bus) {
	store, c := newReferee(), newClock()
	for i := range 50 {
		store.agent(fmt.Sprintf("a%02d", i), 1_000_000)
	}
	r := New(Options{Store: store, Bus: bus, Clock: c.Now, Logger: slog.New(slog.DiscardHandler)})
	must(b, r.sweep(b.Context()))
	for id := range store.agents {
		must(b, r.Beat(b.Context(), id))
	}
	for b.Loop() {
		r.Route(b.Context(), []desk.Ticket{store.open("", "webchat")})
		must(b, r.drain(b.Context()))
	}
}

func BenchmarkRouteOneRedis(b *testing.B)    { benchRoute(b, bustest.Open(b, bustest.Redis(b))) }
func BenchmarkRouteOneEmbedded(b *testing.B) { benchRoute(b, bustest.Open(b, "embedded")) }
