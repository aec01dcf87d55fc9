package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"hearback/configs"
	"hearback/connectors/telephony/pbx"
	"hearback/desk"
	"hearback/ticketstore"
)

// simulateCall plays a call centre against a running gateway. With --office it also keeps recordings, takes callback requests and
// calls back; the gateway must then run with --allow-private-networks and the channel's callback_url be http://ADDRESS/callback.
type simulateCall struct {
	URL      string        `help:"Address of the gateway." default:"http://127.0.0.1:8080"`
	Channel  string        `help:"Telephony channel (hearback channel list). Empty: the first one."`
	Secret   string        `help:"The channel's secret. Empty: read from the gateway's database." env:"HEARBACK_CALL_SECRET"`
	Token    string        `help:"The channel's address token. Empty: read from the gateway's database." env:"HEARBACK_CALL_TOKEN"`
	Format   string        `help:"How the call centre tells of calls: generic, zammad, zammad-form, sipgate, placetel, twilio, freeswitch, tccc, aliyun, clink, 7moor, vonage. Empty: as the channel is set."`
	Scenario []string      `help:"What happens: answered, missed, voicemail, transferred, two-legs, abandoned, outbound; several are played one after another, \"all\" is all." default:"answered"`
	From     string        `help:"The customer's number." default:"+8613800138000"`
	Name     string        `help:"The caller's name as the network shows it."`
	To       string        `help:"Our number." default:"+861064368888"`
	Agent    string        `help:"Extension that rings." default:"8001"`
	Other    string        `help:"Extension of the second agent, for transferred and two-legs." default:"8002"`
	Queue    string        `help:"Queue the caller waits in." default:"售后"`
	Ring     time.Duration `help:"How long it rings." default:"4s"`
	Talk     time.Duration `help:"How long they talk." default:"15s"`
	Count    int           `help:"So many calls, from numbers that follow --from." default:"1"`
	Now      bool          `help:"Tell everything at once instead of as it happens."`
	Order    string        `help:"in (as it happens) or shuffled." enum:"in,shuffled" default:"in"`
	Repeat   int           `help:"Tell each event so many times more." default:"0"`
	Lose     float64       `help:"The part of events that is lost, 0 to 1." default:"0"`
	Seed     uint64        `help:"Makes shuffling and losses repeatable." default:"1"`
	Office   string        `help:"Listen here as the provider's server: recordings, callbacks. Stays until interrupted." placeholder:"127.0.0.1:8091"`

	centre *pbx.Centre
	office *pbx.Office
}

// Run plays the calls, then waits for callbacks when there is an office.
func (s *simulateCall) Run(g *globals) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ch, err := s.prepare(g)
	if err != nil {
		return err
	}
	scripts, err := s.scripts()
	if err != nil {
		return err
	}
	if s.Office != "" {
		server, err := s.openOffice(ctx, g, ch)
		if err != nil {
			return err
		}
		defer server.Close()
	}
	if err := s.play(ctx, g, scripts); err != nil {
		return err
	}
	if s.Office != "" {
		<-ctx.Done()
	}
	return nil
}

// prepare finds the channel and its secrets. An operator who can read the gateway's database need not type them.
func (s *simulateCall) prepare(g *globals) (desk.Channel, error) {
	var ch desk.Channel
	if s.Channel == "" || s.Secret == "" && s.Token == "" {
		err := g.withStore(func(ctx context.Context, _ configs.Config, store *ticketstore.Store) error {
			channels, err := store.Channels(ctx)
			if err != nil {
				return err
			}
			i := slices.IndexFunc(channels, func(c desk.Channel) bool {
				return c.Kind == "telephony" && c.Enabled && (s.Channel == "" || c.ID == s.Channel)
			})
			if i < 0 {
				return errors.New("there is no such telephony channel; hearback channel add --kind telephony --name Telephone makes one")
			}
			ch = channels[i]
			return nil
		})
		if err != nil {
			return ch, err
		}
		s.Channel, s.Secret, s.Token = ch.ID, ch.Settings["secret"], ch.Settings["token"]
	}
	if s.Format == "" {
		s.Format = formatOfChannel(ch)
	}
	if !slices.Contains(pbx.Formats, s.Format) {
		return ch, usagef("there is no format %q; there are %s", s.Format, strings.Join(pbx.Formats, ", "))
	}
	recordings := demoOffice(ch)
	if recordings == "" {
		recordings = "https://recordings.invalid"
	}
	s.centre = &pbx.Centre{Format: s.Format, Target: strings.TrimSuffix(s.URL, "/") + "/c/" + s.Channel, Secret: s.Secret, Token: s.Token,
		Recordings: recordings, HTTP: &http.Client{Timeout: 20 * time.Second}}
	return ch, nil
}

// formatOfChannel is the stand-in's word for what a channel expects.
func formatOfChannel(ch desk.Channel) string {
	switch f := ch.Settings["format"]; f {
	case "":
		return "generic"
	case "profile":
		return ch.Settings["profile"]
	default:
		return f
	}
}

func (s *simulateCall) scripts() ([]pbx.Script, error) {
	if slices.Contains(s.Scenario, "all") {
		s.Scenario = pbx.Scenarios
	}
	var out []pbx.Script
	for n := range max(s.Count, 1) {
		for _, scenario := range s.Scenario {
			if !slices.Contains(pbx.Scenarios, scenario) {
				return nil, usagef("there is no scenario %q; there are all, %s", scenario, strings.Join(pbx.Scenarios, ", "))
			}
			out = append(out, pbx.Script{ID: "sim-" + desk.NewID(), Scenario: scenario, Customer: pbx.Number(s.From, n), Name: s.Name, Line: s.To, Agent: s.Agent,
				Other: s.Other, Queue: s.Queue, Ring: s.Ring, Talk: s.Talk})
		}
	}
	return out, nil
}

// play tells of all calls: as they happen one after another, or all of it at once.
func (s *simulateCall) play(ctx context.Context, g *globals, scripts []pbx.Script) error {
	order := pbx.Order{Shuffle: s.Order == "shuffled", Repeat: s.Repeat, Lose: s.Lose}
	rnd := rand.New(rand.NewPCG(s.Seed, 0))
	if s.Now || order.Shuffle {
		var all []pbx.Request
		for _, script := range scripts {
			script.Start = time.Now().Add(-script.Talk - script.Ring - time.Minute)
			all = append(all, s.centre.Requests(script)...)
		}
		for _, r := range order.Arrange(all, rnd) {
			if err := s.tell(ctx, g, r); err != nil {
				return err
			}
		}
		return nil
	}
	for _, script := range scripts {
		script.Start = time.Now()
		for _, r := range order.Arrange(s.centre.Requests(script), rnd) {
			if !sleepUntil(ctx, r.At) {
				return nil
			}
			if err := s.tell(ctx, g, r); err != nil {
				return err
			}
		}
	}
	return nil
}

func sleepUntil(ctx context.Context, at time.Time) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(time.Until(at)):
		return true
	}
}

func (s *simulateCall) tell(ctx context.Context, g *globals, r pbx.Request) error {
	answer, err := s.centre.Post(ctx, r)
	if err != nil {
		return fmt.Errorf("%s: %w", r.Type, err)
	}
	if g.JSON {
		printLine(map[string]string{"event": r.Type, "answer": answer})
		return nil
	}
	fmt.Printf("%s  %-12s %s\n", time.Now().Format("15:04:05"), r.Type, strings.TrimSpace(answer))
	return nil
}

// openOffice answers as the provider's server and calls back whoever it is asked to.
func (s *simulateCall) openOffice(ctx context.Context, g *globals, ch desk.Channel) (*http.Server, error) {
	ln, err := net.Listen("tcp", s.Office)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w; choose another address with --office", s.Office, err)
	}
	s.centre.Recordings = "http://" + ln.Addr().String() + "/recordings"
	s.office = &pbx.Office{Secret: firstWord(ch.Settings["callback_secret"])}
	var one sync.Mutex // calls are made one after another
	s.office.TakeCall = func(cb pbx.Callback) string {
		id := "cb-" + desk.NewID()
		fmt.Printf("%s  asked to call %s back for %s (%s): %s\n", time.Now().Format("15:04:05"), cb.Number, cb.Agent, cb.Ticket, cb.Note)
		go func() {
			one.Lock()
			defer one.Unlock()
			script := pbx.Script{ID: id, Scenario: pbx.Outbound, Customer: cb.Number, Line: s.To, Agent: cb.Extension, Ring: s.Ring, Talk: s.Talk, Callback: cb.ID}
			if err := s.play(ctx, g, []pbx.Script{script}); err != nil {
				fmt.Println("calling back failed:", err)
			}
		}()
		return id
	}
	server := &http.Server{Handler: s.office, ReadHeaderTimeout: 10 * time.Second}
	go server.Serve(ln)
	if !g.JSON {
		fmt.Printf("recordings and callbacks: http://%s (callback_url http://%s/callback)\n", ln.Addr(), ln.Addr())
	}
	return server, nil
}

func firstWord(s string) string {
	word, _, _ := strings.Cut(s, " ")
	return word
}
