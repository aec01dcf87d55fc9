package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"hearback/bus/bustest"
	"hearback/desk"
	"hearback/ticketstore/storetest"
)

const (
	chaosVisitors = 40
	chaosEach     = 50 // messages per visitor: 2,000 in all
	chaosWires    = 20 // connections
)

// TestNothingIsLostOrDoubledWhenKilled sends 2,000 messages, each up to three times, while the process is killed ten times.
func TestNothingIsLostOrDoubledWhenKilled(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { chaos(t, newGateway(t)) })
	t.Run("postgres", func(t *testing.T) {
		chaos(t, newGateway(t, "--database", storetest.PostgresURL(t), "--redis", bustest.Redis(t)))
	})
}

func chaos(t *testing.T, g *gateway) {
	channel, token := g.addWebchat(), g.addAgent("root@example.com", "admin")
	g.start()
	acked := make(chan struct{}, chaosVisitors*chaosEach*3)
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		killTenTimes(g, acked)
	}()
	talk(t, g, channel, acked)
	<-killed
	checkEverythingStandsOnce(t, g.api(token))
	if d := g.kill(syscall.SIGTERM); d > 10*time.Second {
		t.Errorf("stopping took %s", d)
	}
}

// killTenTimes kills the process after a random number of further acknowledgements, ten times.
func killTenTimes(g *gateway, acked <-chan struct{}) {
	for range 10 {
		for range 20 + rand.IntN(260) {
			<-acked
		}
		g.kill(syscall.SIGKILL)
		g.start()
	}
}

// talk lets all visitors write over 20 connections; it returns when every message is acknowledged.
func talk(t *testing.T, g *gateway, channel string, acked chan<- struct{}) {
	var wires sync.WaitGroup
	for wire := range chaosWires {
		wires.Go(func() {
			client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxConnsPerHost: 1}}
			var people []*chaosVisitor
			for n := wire; n < chaosVisitors; n += chaosWires {
				v := &chaosVisitor{t: t, n: n, chat: g.visitor(channel, client), acked: acked}
				v.insist(func() error { return v.chat.enter(context.Background(), fmt.Sprintf("visitor-%d", n)) })
				people = append(people, v)
			}
			for range chaosEach {
				for _, v := range people {
					v.say()
				}
			}
		})
	}
	wires.Wait()
}

// A chaosVisitor writes his messages in order and repeats earlier ones at random.
type chaosVisitor struct {
	t     *testing.T
	n     int
	chat  *chatClient
	ids   []string
	seqs  []int64
	acked chan<- struct{}
}

func (v *chaosVisitor) say() {
	i := len(v.ids)
	v.ids = append(v.ids, desk.NewID())
	v.seqs = append(v.seqs, 0)
	v.post(i)
	for range rand.IntN(3) { // once or twice more: this one or an earlier one
		v.post(rand.IntN(i + 1))
	}
}

// post sends message i until it is acknowledged; a repetition must get the first answer.
func (v *chaosVisitor) post(i int) {
	var seq int64
	v.insist(func() (err error) {
		seq, err = v.chat.send(context.Background(), v.ids[i], fmt.Sprintf("visitor %d message %d 退款", v.n, i))
		return err
	})
	if v.seqs[i] != 0 && v.seqs[i] != seq {
		v.t.Errorf("visitor %d message %d: repetition answered seq %d, first was %d", v.n, i, seq, v.seqs[i])
	}
	if i > 0 && seq <= v.seqs[i-1] {
		v.t.Errorf("visitor %d message %d: seq %d does not rise over %d", v.n, i, seq, v.seqs[i-1])
	}
	v.seqs[i] = seq
	select {
	case v.acked <- struct{}{}:
	default:
	}
}

// insist repeats f while the gateway is away, as every good client does.
func (v *chaosVisitor) insist(f func() error) {
	for try := 0; ; try++ {
		err := f()
		if err == nil {
			return
		}
		var refused *errRefused
		if try > 2000 || errors.As(err, &refused) && refused.Status != http.StatusServiceUnavailable {
			v.t.Errorf("visitor %d: %v", v.n, err)
			return
		}
		<-time.After(10 * time.Millisecond)
	}
}

// checkEverythingStandsOnce reads all tickets back: one per visitor, every message once and in order.
func checkEverythingStandsOnce(t *testing.T, api *apiClient) {
	ctx := context.Background()
	eventually(t, 60*time.Second, "all messages are filed", func() bool {
		n, err := api.filed(ctx)
		return err == nil && n >= chaosVisitors*chaosEach
	})
	tickets, err := allTickets(ctx, api)
	if err != nil {
		t.Fatal(err)
	}
	if len(tickets) != chaosVisitors {
		t.Errorf("%d tickets for %d visitors", len(tickets), chaosVisitors)
	}
	numbers := map[string]bool{}
	for _, ticket := range tickets {
		if numbers[ticket.Number] {
			t.Errorf("number %s stands twice", ticket.Number)
		}
		numbers[ticket.Number] = true
		checkTimeline(t, api, ticket)
	}
}

func checkTimeline(t *testing.T, api *apiClient, ticket ticketView) {
	messages, err := allMessages(context.Background(), api, ticket.ID)
	if err != nil {
		t.Fatal(err)
	}
	n := strings.TrimPrefix(ticket.Contact.Name, "visitor-")
	var got []string
	for _, m := range messages {
		if m.Direction == "in" {
			got = append(got, m.Text)
		}
	}
	if len(got) != chaosEach {
		t.Errorf("%s (%s) holds %d messages, want %d", ticket.Number, ticket.Contact.Name, len(got), chaosEach)
		return
	}
	for i, text := range got {
		if want := fmt.Sprintf("visitor %s message %d 退款", n, i); text != want {
			t.Errorf("%s message %d is %q, want %q", ticket.Number, i, text, want)
			return
		}
	}
}

// TestNothingIsLostWhenRedisForgetsEverything flushes Redis at random moments while visitors write and agents work.
func TestNothingIsLostWhenRedisForgetsEverything(t *testing.T) {
	redisURL := bustest.Redis(t)
	g := newGateway(t, "--database", storetest.PostgresURL(t), "--redis", redisURL, "--routing-capacity", "100")
	channel, token := g.addWebchat(), g.addAgent("root@example.com", "admin")
	agents := []string{g.addAgent("ann@example.com", "agent"), g.addAgent("bob@example.com", "agent")}
	g.start()
	stop := make(chan struct{})
	var present sync.WaitGroup
	for _, a := range agents {
		present.Go(func() { stayOnline(t, g.base, a, stop) })
	}
	acked := make(chan struct{}, chaosVisitors*chaosEach*3)
	talked := make(chan struct{})
	flushed := flushAtRandom(t, redisURL, acked, talked)
	talk(t, g, channel, acked)
	close(talked)
	if n := <-flushed; n == 0 {
		t.Error("Redis was never flushed: the test shows nothing")
	}
	checkEverythingStandsOnce(t, g.api(token))
	checkEveryTicketHasOneOwner(t, g.api(token))
	close(stop)
	present.Wait()
}

// flushAtRandom empties Redis after every 100 to 400 acknowledgements until talked is closed, and tells how often.
func flushAtRandom(t *testing.T, url string, acked <-chan struct{}, talked <-chan struct{}) <-chan int {
	opt, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(opt)
	out := make(chan int, 1)
	go func() {
		defer client.Close()
		n := 0
		for {
			for range 100 + rand.IntN(300) {
				select {
				case <-acked:
				case <-talked:
					out <- n
					return
				}
			}
			if err := client.FlushAll(context.Background()).Err(); err != nil {
				t.Errorf("flush: %v", err)
			}
			n++
		}
	}()
	return out
}

// stayOnline keeps an agent's socket open, with heartbeats, until stop.
func stayOnline(t *testing.T, base, token string, stop <-chan struct{}) {
	conn, err := dialAgent(context.Background(), base, token)
	if err != nil {
		t.Error(err)
		return
	}
	var over atomic.Bool
	go func() {
		for {
			if _, _, err := conn.ReadMessage(); err != nil {
				if !over.Load() {
					t.Errorf("an agent's socket was closed: %v", err)
				}
				return
			}
		}
	}()
	beat := time.NewTicker(5 * time.Second)
	defer beat.Stop()
	for {
		select {
		case <-stop:
			over.Store(true)
			conn.Close()
			return
		case <-beat.C:
			conn.WriteJSON(map[string]string{"type": "ping"})
		}
	}
}

// checkEveryTicketHasOneOwner waits for the backlog to be assigned and reads each timeline: an owner is only ever named after
// the one before was taken away.
func checkEveryTicketHasOneOwner(t *testing.T, api *apiClient) {
	ctx := context.Background()
	var tickets []ticketView
	eventually(t, 60*time.Second, "every ticket has an owner", func() bool {
		var err error
		if tickets, err = allTickets(ctx, api); err != nil {
			return false
		}
		for _, ticket := range tickets {
			if ticket.Assignee == nil {
				return false
			}
		}
		return true
	})
	for _, ticket := range tickets {
		messages, err := allMessages(ctx, api, ticket.ID)
		if err != nil {
			t.Fatal(err)
		}
		owned := false
		for _, m := range messages {
			if m.Event == nil {
				continue
			}
			switch m.Event.Type {
			case "assigned", "claimed":
				if owned {
					t.Errorf("%s was given to a second owner", ticket.Number)
				}
				owned = true
			case "requeued", "unassigned", "transferred":
				owned = false
			}
		}
	}
}
