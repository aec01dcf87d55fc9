package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// loadCmd is the load generator: real clients against a running gateway.
type loadCmd struct {
	Webchat loadWebchat `cmd:"" help:"Visitors writing in the web chat."`
	Call    loadCall    `cmd:"" help:"Calls of a call centre, signed."`
	Wechat  loadWechat  `cmd:"" help:"Callbacks of WeChat, signed and encrypted."`
}

// A loadResult is one measured run.
type loadResult struct {
	Mode     string        `json:"mode"`
	Senders  int           `json:"senders"`
	Count    int           `json:"count"`
	Errors   int           `json:"errors"`
	Error    string        `json:"first_error,omitempty"`
	Seconds  float64       `json:"seconds"`
	Rate     float64       `json:"per_second"`
	P50      time.Duration `json:"p50_ns"`
	P99      time.Duration `json:"p99_ns"`
	Max      time.Duration `json:"max_ns"`
	Verified *int          `json:"verified_in_store,omitempty"`
}

// print writes the result for people or as JSON.
func (r loadResult) print(asJSON bool) {
	if asJSON {
		b, _ := json.Marshal(r)
		fmt.Println(string(b))
		return
	}
	fmt.Printf("%s: %d in %.1f s with %d senders = %.0f/s, p50 %s, p99 %s, max %s, errors %d\n",
		r.Mode, r.Count, r.Seconds, r.Senders, r.Rate, short(r.P50), short(r.P99), short(r.Max), r.Errors)
	if r.Error != "" {
		fmt.Println("first error:", r.Error)
	}
	if r.Verified != nil {
		fmt.Printf("verified in the store: %d\n", *r.Verified)
	}
}

func short(d time.Duration) string { return d.Round(10 * time.Microsecond).String() }

// A recorder collects latencies of many senders.
type recorder struct {
	mu    sync.Mutex
	took  []time.Duration
	errs  int
	first error
}

func (r *recorder) add(took []time.Duration, errs int, first error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.took, r.errs = append(r.took, took...), r.errs+errs
	if r.first == nil {
		r.first = first
	}
}

func (r *recorder) result(mode string, senders int, elapsed time.Duration) loadResult {
	slices.Sort(r.took)
	at := func(p float64) time.Duration {
		if len(r.took) == 0 {
			return 0
		}
		return r.took[min(int(p*float64(len(r.took))), len(r.took)-1)]
	}
	res := loadResult{Mode: mode, Senders: senders, Count: len(r.took), Errors: r.errs, Seconds: elapsed.Seconds(),
		Rate: float64(len(r.took)) / elapsed.Seconds(), P50: at(.5), P99: at(.99), Max: at(1)}
	if r.first != nil {
		res.Error = r.first.Error()
	}
	return res
}

// An apiClient talks to the console API with a token.
type apiClient struct {
	base, token string
	http        *http.Client
}

func (a *apiClient) do(ctx context.Context, method, path string, in, out any) error {
	var body strings.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body.Reset(string(b))
	}
	req, err := http.NewRequestWithContext(ctx, method, a.base+path, &body)
	if err != nil {
		return err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Authorization", "Bearer "+a.token)
	if err := doJSON(a.http, req, out); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// filed asks the ledger how many envelopes ended in a ticket.
func (a *apiClient) filed(ctx context.Context) (int, error) {
	var got struct {
		Counts map[string]int `json:"counts"`
	}
	if err := a.do(ctx, "GET", "/api/v1/intake/counts", nil, &got); err != nil {
		return 0, err
	}
	return got.Counts["ticket"] + got.Counts["appended"], nil
}
