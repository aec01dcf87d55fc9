package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"hearback/connectors/telephony/pbx"
	"hearback/desk"
)

// loadCall tells of calls in the generic format, signed with Standard Webhooks. Modes: events (each connection tells the next event
// after the acknowledgement of the last), latency (one at a time: ringing to the agent's pop-up).
type loadCall struct {
	URL       string        `help:"Address of the gateway." default:"http://127.0.0.1:8080"`
	Token     string        `help:"API token of an administrator (hearback token add)." env:"HEARBACK_TOKEN" required:""`
	Mode      string        `help:"events or latency." enum:"events,latency" default:"events"`
	Senders   int           `help:"Connections." default:"64"`
	Customers int           `help:"Callers per connection." default:"50"`
	Duration  time.Duration `help:"How long to tell." default:"10s"`
	Count     int           `help:"Calls for latency." default:"500"`

	centre *pbx.Centre
}

// Run makes a channel of its own, measures once and prints.
func (l *loadCall) Run(g *globals) error {
	ctx := context.Background()
	l.URL = strings.TrimSuffix(l.URL, "/")
	api := &apiClient{l.URL, l.Token, &http.Client{Timeout: 30 * time.Second}}
	if err := l.channel(ctx, api); err != nil {
		return err
	}
	before, err := api.taken(ctx)
	if err != nil {
		return err
	}
	var res loadResult
	want := 0
	if l.Mode == "events" {
		res = l.spread(ctx)
		want = res.Count
	} else if res, want, err = l.latency(ctx, api); err != nil {
		return err
	}
	n, err := settledBy(ctx, api.taken, before, want)
	if err != nil {
		return err
	}
	res.Verified = &n
	res.print(g.JSON)
	if n < want {
		return fmt.Errorf("%d acknowledged events are missing in the store", want-n)
	}
	return nil
}

// channel makes one for this run; its secrets are worth nothing afterwards.
func (l *loadCall) channel(ctx context.Context, api *apiClient) error {
	var made struct {
		ID string `json:"id"`
	}
	secret := "whsec_" + randomHex(24)
	if err := api.do(ctx, "POST", "/api/v1/channels", map[string]any{"kind": "telephony", "name": "Load test", "enabled": true,
		"settings": map[string]string{"format": "generic", "secret": secret, "token": randomHex(16)}}, &made); err != nil {
		return err
	}
	l.centre = &pbx.Centre{Format: "generic", Target: l.URL + "/c/" + made.ID, Secret: secret, Recordings: "https://recordings.invalid",
		HTTP: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: l.Senders, MaxConnsPerHost: l.Senders}}}
	return nil
}

// taken asks the ledger how many events ended on a call.
func (a *apiClient) taken(ctx context.Context) (int, error) {
	var got struct {
		Counts map[string]int `json:"counts"`
	}
	if err := a.do(ctx, "GET", "/api/v1/intake/counts", nil, &got); err != nil {
		return 0, err
	}
	return got.Counts["ticket"] + got.Counts["appended"] + got.Counts["updated"], nil
}

// settledBy waits until count has grown by want; it gives up when nothing moves for 10 s.
func settledBy(ctx context.Context, count func(context.Context) (int, error), before, want int) (int, error) {
	last, still := -1, 0
	for {
		n, err := count(ctx)
		if err != nil || n-before >= want || still >= 100 {
			return n - before, err
		}
		if n == last {
			still++
		} else {
			last, still = n, 0
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (l *loadCall) spread(ctx context.Context) loadResult {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var rec recorder
	var wg sync.WaitGroup
	var ids atomic.Int64
	ids.Store(time.Now().UnixNano())
	begin := time.Now()
	time.AfterFunc(l.Duration, cancel)
	for n := range l.Senders {
		wg.Go(func() {
			took, err := l.tell(ctx, n, &ids)
			errs := 0
			if err != nil {
				errs = 1
			}
			rec.add(took, errs, err)
		})
	}
	wg.Wait()
	return rec.result("call-events", l.Senders, time.Since(begin))
}

// tell is one connection: calls of its customers one after another, each with all its events. The last event is finished, not cut:
// an acknowledgement that was under way must be counted.
func (l *loadCall) tell(ctx context.Context, n int, ids *atomic.Int64) (took []time.Duration, err error) {
	for i := 0; ctx.Err() == nil; i++ {
		script := pbx.Script{ID: fmt.Sprint("load-", ids.Add(1)), Scenario: pbx.Scenarios[i%len(pbx.Scenarios)], Customer: pbx.Number("+8613900000000", n*l.Customers+i%l.Customers),
			Start: time.Now().Add(-2 * time.Minute), Agent: "no-such-extension", Other: "nor-this"}
		for _, r := range l.centre.Requests(script) {
			if ctx.Err() != nil {
				return took, nil
			}
			if r.Type == "recording" || r.Type == "voicemail" {
				continue // there is nothing to fetch
			}
			at := time.Now()
			if _, err := l.centre.Post(context.WithoutCancel(ctx), r); err != nil {
				return took, err
			}
			took = append(took, time.Since(at))
		}
	}
	return took, nil
}

// latency measures from the call centre's "ringing" to the pop-up of the agent whose extension rings.
func (l *loadCall) latency(ctx context.Context, api *apiClient) (res loadResult, events int, err error) {
	extension := "load-" + randomHex(4)
	if err := l.takeExtension(ctx, api, extension); err != nil {
		return res, 0, err
	}
	agent, err := dialAgent(ctx, l.URL, l.Token)
	if err != nil {
		return res, 0, err
	}
	defer agent.Close()
	var took []time.Duration
	begin := time.Now()
	for i := range l.Count + 1 {
		script := pbx.Script{ID: "ring-" + desk.NewID(), Scenario: pbx.Missed, Customer: pbx.Number("+8613800000000", i%100), Agent: extension, Start: time.Now()}
		for _, r := range l.centre.Requests(script) {
			at := time.Now()
			if _, err := l.centre.Post(ctx, r); err != nil {
				return res, events, err
			}
			events++
			if r.Type != "ringing" {
				continue
			}
			if err := awaitRing(agent, script.ID); err != nil {
				return res, events, err
			}
			if i > 0 { // the first one warms up
				took = append(took, time.Since(at))
			}
		}
	}
	var rec recorder
	rec.add(took, 0, nil)
	return rec.result("ring-to-popup", 1, time.Since(begin)), events, nil
}

// takeExtension gives the token's owner a telephone for this run, beside those he has.
func (l *loadCall) takeExtension(ctx context.Context, api *apiClient, extension string) error {
	var session struct {
		Agent struct {
			ID string `json:"id"`
		} `json:"agent"`
	}
	if err := api.do(ctx, "GET", "/api/v1/session", nil, &session); err != nil {
		return err
	}
	return api.do(ctx, "PATCH", "/api/v1/agents/"+session.Agent.ID, map[string]any{"extensions": []string{extension}}, nil)
}

// awaitRing reads until the call pops up at this agent.
func awaitRing(conn *websocket.Conn, id string) error {
	conn.SetReadDeadline(time.Now().Add(15 * time.Second))
	for {
		_, raw, err := conn.ReadMessage()
		if err != nil {
			return fmt.Errorf("wait for the call to pop up: %w", err)
		}
		var f struct {
			Type string `json:"type"`
			Call struct {
				ID    string `json:"id"`
				State string `json:"state"`
				Mine  bool   `json:"mine"`
			} `json:"call"`
		}
		if json.Unmarshal(raw, &f) == nil && f.Type == "call" && f.Call.ID == id && f.Call.State == "ringing" && f.Call.Mine {
			return nil
		}
	}
}
