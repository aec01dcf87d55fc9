package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"hearback/bus/bustest"
	"hearback/connectors/wechat/tencent"
	"hearback/ticketstore/storetest"
)

const (
	callbackCustomers = 40
	callbackEach      = 25 // messages per customer: 1,000 in all
	callbackWires     = 20 // connections
)

// TestAThousandWechatMessagesStandOnceWhenRepeatedAndKilled delivers each message three times, the repetitions in shuffled order,
// over 20 connections, while the process is killed five times.
func TestAThousandWechatMessagesStandOnceWhenRepeatedAndKilled(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { repeatCallbacks(t, newGateway(t, "--allow-private-networks")) })
	t.Run("postgres", func(t *testing.T) {
		repeatCallbacks(t, newGateway(t, "--allow-private-networks", "--database", storetest.PostgresURL(t), "--redis", bustest.Redis(t)))
	})
}

func repeatCallbacks(t *testing.T, g *gateway) {
	w := g.addWechat(tencent.Official)
	api := func(token string) *apiClient { return g.api(token) }
	token := g.addAgent("root@example.com", "admin")
	g.start()
	w.aim(g)
	r := &repeater{t: t, w: w, acked: make(chan struct{}, 3*callbackCustomers*callbackEach)}
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		for range 5 {
			for range 20 + rand.IntN(400) {
				<-r.acked
			}
			g.kill(syscall.SIGKILL)
			g.start()
		}
	}()
	r.run()
	<-killed
	checkCallbacksStandOnce(t, api(token))
}

// A repeater delivers every message three times: the first delivery of each customer's messages in the order he wrote them, the
// others whenever and over whichever connection.
type repeater struct {
	t     *testing.T
	w     *wechatHouse
	acked chan struct{}

	mu   sync.Mutex
	pool []tencent.Letter // repetitions still to be delivered
}

func (r *repeater) run() {
	var wires sync.WaitGroup
	for wire := range callbackWires {
		wires.Go(func() {
			client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxConnsPerHost: 1}}
			for i := range callbackEach {
				for n := wire; n < callbackCustomers; n += callbackWires {
					l := r.w.customer(fmt.Sprintf("oCustomer-%04d-of-the-chaos", n)).Compose(fmt.Sprintf("customer %d message %d 退款", n, i))
					r.insist(client, l)
					r.later(l)
					for range rand.IntN(4) {
						r.repeat(client)
					}
				}
			}
			for r.repeat(client) {
			}
		})
	}
	wires.Wait()
}

func (r *repeater) later(l tencent.Letter) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pool = append(r.pool, l, l)
}

// repeat delivers one message of the pool again.
func (r *repeater) repeat(client *http.Client) bool {
	r.mu.Lock()
	if len(r.pool) == 0 {
		r.mu.Unlock()
		return false
	}
	i := rand.IntN(len(r.pool))
	l := r.pool[i]
	r.pool = slices.Delete(r.pool, i, i+1)
	r.mu.Unlock()
	r.insist(client, l)
	return true
}

// insist repeats a callback while the gateway is away.
func (r *repeater) insist(client *http.Client, l tencent.Letter) {
	for try := 0; ; try++ {
		req, err := l.Request(context.Background())
		if err != nil {
			r.t.Error(err)
			return
		}
		if err = acknowledged(client, req); err == nil {
			r.acked <- struct{}{}
			return
		}
		if try > 2000 {
			r.t.Errorf("a callback was never taken: %v", err)
			return
		}
		<-time.After(10 * time.Millisecond)
	}
}

// checkCallbacksStandOnce reads everything back: a ticket per customer, his messages once and in order.
func checkCallbacksStandOnce(t *testing.T, api *apiClient) {
	ctx := context.Background()
	eventually(t, 60*time.Second, "all messages are filed", func() bool {
		n, err := api.filed(ctx)
		return err == nil && n >= callbackCustomers*callbackEach
	})
	tickets, err := allTickets(ctx, api)
	if err != nil {
		t.Fatal(err)
	}
	if len(tickets) != callbackCustomers {
		t.Errorf("%d tickets for %d customers", len(tickets), callbackCustomers)
	}
	for _, ticket := range tickets {
		checkWrote(t, inboundTexts(t, api, ticket.ID), "customer", callbackEach, " 退款")
	}
}

// inboundTexts are a ticket's messages of the customer.
func inboundTexts(t *testing.T, api *apiClient, ticket string) (texts []string) {
	t.Helper()
	all, err := allMessages(context.Background(), api, ticket)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		if m.Direction == "in" {
			texts = append(texts, m.Text)
		}
	}
	return texts
}

// checkWrote wants "<who> N message 0…each-1<tail>" in order.
func checkWrote(t *testing.T, texts []string, who string, each int, tail string) {
	t.Helper()
	if len(texts) != each {
		t.Errorf("a ticket holds %d messages, want %d: %q", len(texts), each, texts)
		return
	}
	n, err := strconv.Atoi(strings.Fields(texts[0])[1])
	for i, text := range texts {
		if want := fmt.Sprintf("%s %d message %d%s", who, n, i, tail); err != nil || text != want {
			t.Errorf("message %d is %q, want %q", i, text, want)
			return
		}
	}
}

// TestKfMessagesStandOnceThroughKillsLostCallbacksAndOldCursors pulls while the process is killed right after pages were handed out.
func TestKfMessagesStandOnceThroughKillsLostCallbacksAndOldCursors(t *testing.T) {
	t.Parallel() // it mostly waits for the lease of a dead node
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		pullThroughKills(t, newGateway(t, "--allow-private-networks"))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		pullThroughKills(t, newGateway(t, "--allow-private-networks", "--database", storetest.PostgresURL(t), "--redis", bustest.Redis(t)))
	})
}

const (
	kfCustomers = 10
	kfEach      = 20
)

func pullThroughKills(t *testing.T, g *gateway) {
	w := g.addWechat(tencent.KF, "poll_seconds=1")
	w.account.PageSize = 7
	token := g.addAgent("root@example.com", "admin")
	g.start()
	w.aim(g)
	w.EmptyPages(w.account.OpenKfID, 3)
	ctx := context.Background()
	for i := range kfEach {
		if i%5 == 4 { // a third of the callbacks of this round never reach the channel
			w.Fail(tencent.Callbacks, tencent.Fault{Drop: true, Times: kfCustomers / 3})
		}
		if i == kfEach/2 {
			w.Rewind(w.account.OpenKfID, 50) // the cursor of an older backup
		}
		for n := range kfCustomers {
			w.customer(fmt.Sprintf("wmCustomer-%04d-of-the-chaos", n)).Say(ctx, fmt.Sprintf("kf %d message %d", n, i)) // pulled later when nobody acknowledges
		}
		if i == 3 || i == 11 {
			killAfterAPage(w, g)
		}
	}
	api := g.api(token)
	eventually(t, 60*time.Second, "all messages are filed", func() bool {
		n, err := api.filed(ctx)
		return err == nil && n >= kfCustomers*kfEach
	})
	tickets, err := allTickets(ctx, api)
	if err != nil || len(tickets) != kfCustomers {
		t.Fatalf("%d tickets for %d customers, %v", len(tickets), kfCustomers, err)
	}
	for _, ticket := range tickets {
		checkWrote(t, inboundTexts(t, api, ticket.ID), "kf", kfEach, "")
	}
}

// killAfterAPage kills the gateway as soon as the next page was handed out: between the pull and its commit, or near it.
func killAfterAPage(w *wechatHouse, g *gateway) {
	const path = "/cgi-bin/kf/sync_msg"
	for before := len(w.Calls(path)); len(w.Calls(path)) == before; {
		<-w.Changed()
	}
	g.kill(syscall.SIGKILL)
	g.start()
}

// TestThreeNodesAskForOneToken lets 200 replies meet an expired token, and then one that was replaced behind our back.
func TestThreeNodesAskForOneToken(t *testing.T) {
	t.Setenv("HEARBACK_MASTER_KEY", testKey)
	shared := []string{"--allow-private-networks", "--database", storetest.PostgresURL(t), "--redis", bustest.Redis(t)}
	var nodes []*gateway
	for range 3 {
		nodes = append(nodes, newGateway(t, shared...))
	}
	w := nodes[0].addWechat(tencent.Official)
	token := nodes[0].addAgent("root@example.com", "admin")
	for _, g := range nodes {
		g.start()
	}
	w.aim(nodes[0])
	const people = 200
	customers, tickets := crowd(t, w, nodes[0].api(token), people)
	w.Expire(w.account.AppID)
	answerAll(t, w, nodes, token, customers, tickets, "first")
	w.Revoke(w.account.AppID)
	answerAll(t, w, nodes, token, customers, tickets, "second")
	for i, c := range customers {
		if n := len(c.Answers()); n != 2 {
			t.Errorf("customer %d was answered %d times", i, n)
		}
	}
}

// crowd lets so many customers write and returns their tickets; one answer makes the first token.
func crowd(t *testing.T, w *wechatHouse, api *apiClient, people int) (customers []*tencent.Customer, tickets []string) {
	ctx := context.Background()
	byText := map[string]string{}
	for i := range people {
		c := w.customer("")
		customers = append(customers, c)
		if _, err := c.Say(ctx, fmt.Sprint("person ", i)); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, 60*time.Second, "everybody has a ticket", func() bool {
		n, err := api.filed(ctx)
		return err == nil && n >= people
	})
	all, err := allTickets(ctx, api)
	if err != nil {
		t.Fatal(err)
	}
	for _, ticket := range all {
		byText[inboundTexts(t, api, ticket.ID)[0]] = ticket.ID
	}
	for i := range people {
		tickets = append(tickets, byText[fmt.Sprint("person ", i)])
	}
	extra := w.customer("")
	answerTo(t, api, hears(t, api, extra, "one more"), "the first token")
	reads(t, extra, "the first token")
	return customers, tickets
}

// answerAll answers everybody at once, over all nodes, and counts the tokens that were asked for.
func answerAll(t *testing.T, w *wechatHouse, nodes []*gateway, token string, customers []*tencent.Customer, tickets []string, text string) {
	t.Helper()
	before := w.Tokens()
	var all sync.WaitGroup
	for i, ticket := range tickets {
		all.Go(func() { answerTo(t, nodes[i%len(nodes)].api(token), ticket, text) })
	}
	all.Wait()
	for _, c := range customers {
		reads(t, c, text)
	}
	if n := w.Tokens() - before; n != 1 {
		t.Errorf("%s round: %d tokens were asked for, want 1", text, n)
	}
}
