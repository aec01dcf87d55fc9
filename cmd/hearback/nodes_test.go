package main

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"hearback/bus/bustest"
	"hearback/desk"
	"hearback/ticketstore/storetest"
)

// TestTwoNodesTalkAndOneMayDie puts the visitor on one node and the agent on the other, and kills the agent's node in the
// middle of the conversation.
func TestTwoNodesTalkAndOneMayDie(t *testing.T) {
	database, redisURL := storetest.PostgresURL(t), bustest.Redis(t)
	key := "HEARBACK_MASTER_KEY"
	t.Setenv(key, testKey)
	a := newGateway(t, "--database", database, "--redis", redisURL)
	b := newGateway(t, "--database", database, "--redis", redisURL)
	channel, token := a.addWebchat(), a.addAgent("ann@example.com", "admin")
	a.start()
	b.start()
	ctx := context.Background()

	agent := mustDialAgent(t, b.base, token)
	visitor := a.visitor(channel, http.DefaultClient)
	if err := visitor.enter(ctx, "Wang Fang"); err != nil {
		t.Fatal(err)
	}
	conn, err := visitor.dial(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := sendWait(conn, desk.NewID(), "你好"); err != nil {
		t.Fatal(err)
	}
	ticket := awaitTicket(t, agent, "你好")

	reply(t, b.api(token), ticket, "first answer")
	awaitEvent(t, conn, "first answer")
	b.kill(syscall.SIGKILL)

	if _, err := sendWait(conn, desk.NewID(), "are you there?"); err != nil {
		t.Fatal(err)
	}
	agent = mustDialAgent(t, a.base, token)
	reply(t, a.api(token), ticket, "yes, on the other node")
	awaitEvent(t, conn, "yes, on the other node")
	b.start()
	reply(t, b.api(token), ticket, "and here again")
	awaitEvent(t, conn, "and here again")
	agent.Close()
	checkConversation(t, visitor, []string{"你好", "first answer", "are you there?", "yes, on the other node", "and here again"})
}

// testKey is a master key for tests with several nodes. It protects nothing.
const testKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

func mustDialAgent(t *testing.T, base, token string) *websocket.Conn {
	t.Helper()
	conn, err := dialAgent(context.Background(), base, token)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// awaitTicket reads the agent's frames until a ticket's last words are text.
func awaitTicket(t *testing.T, conn *websocket.Conn, text string) desk.ID {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(15 * time.Second))
	for {
		var f agentFrame
		if err := conn.ReadJSON(&f); err != nil {
			t.Fatalf("wait for the ticket of %q: %v", text, err)
		}
		if f.Ticket != nil && f.Ticket.LastMessage.Text == text {
			return f.TicketID
		}
	}
}

func reply(t *testing.T, api *apiClient, ticket desk.ID, text string) {
	t.Helper()
	if err := api.do(context.Background(), "POST", "/api/v1/tickets/"+ticket+"/replies", map[string]string{"text": text, "idempotency_key": desk.NewID()}, nil); err != nil {
		t.Fatal(err)
	}
}

// awaitEvent reads the visitor's frames until an event says text.
func awaitEvent(t *testing.T, conn *websocket.Conn, text string) {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(15 * time.Second))
	for {
		var f chatFrame
		if err := conn.ReadJSON(&f); err != nil {
			t.Fatalf("wait for %q: %v", text, err)
		}
		if f.Event != nil && f.Event.Text == text {
			return
		}
	}
}

// checkConversation reads the visitor's log over HTTP: exactly these texts, in this order.
func checkConversation(t *testing.T, v *chatClient, want []string) {
	t.Helper()
	var got struct {
		Items []chatEvent `json:"items"`
	}
	req, err := http.NewRequest("GET", v.base+"/c/"+v.channel+"/events?after=0", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+v.token)
	req.Header.Set("Origin", v.origin)
	if err := doJSON(http.DefaultClient, req, &got); err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, e := range got.Items {
		texts = append(texts, e.Text)
	}
	if fmt.Sprint(texts) != fmt.Sprint(want) {
		t.Errorf("the visitor's conversation is %q, want %q", texts, want)
	}
}

// TestStopUnderLoadLosesNothing sends SIGTERM while visitors write: it ends within 10 s, and what was acknowledged is there
// after the next start.
func TestStopUnderLoadLosesNothing(t *testing.T) {
	g := newGateway(t)
	channel, token := g.addWebchat(), g.addAgent("root@example.com", "admin")
	g.start()
	var mu sync.Mutex
	acked, enough := 0, make(chan struct{})
	var writers sync.WaitGroup
	for n := range 16 {
		writers.Go(func() {
			v := g.visitor(channel, &http.Client{Timeout: 5 * time.Second})
			if v.enter(context.Background(), fmt.Sprintf("visitor-%d", n)) != nil {
				return
			}
			for i := 0; ; i++ {
				if _, err := v.send(context.Background(), desk.NewID(), fmt.Sprintf("message %d", i)); err != nil {
					return // the gateway is going
				}
				mu.Lock()
				if acked++; acked == 500 {
					close(enough)
				}
				mu.Unlock()
			}
		})
	}
	<-enough
	if took := g.kill(syscall.SIGTERM); took > 10*time.Second {
		t.Errorf("stopping took %s", took)
	}
	writers.Wait()
	g.start()
	api := g.api(token)
	eventually(t, 30*time.Second, fmt.Sprintf("%d acknowledged messages are filed", acked), func() bool {
		n, err := api.filed(context.Background())
		return err == nil && n >= acked
	})
}

// TestDatabaseReadOnlyRefusesAndRecovers makes PostgreSQL read-only under a running gateway: senders get 503, nothing is
// acknowledged, and it goes on by itself when the database takes writes again.
func TestDatabaseReadOnlyRefusesAndRecovers(t *testing.T) {
	url := storetest.PostgresURL(t)
	g := newGateway(t, "--database", url)
	channel, token := g.addWebchat(), g.addAgent("root@example.com", "admin")
	g.start()
	ctx := context.Background()
	v := g.visitor(channel, http.DefaultClient)
	if err := v.enter(ctx, "Wang"); err != nil {
		t.Fatal(err)
	}
	id := desk.NewID()
	setReadOnly(t, url, true)
	_, err := v.send(ctx, id, "while read only")
	if refused, ok := err.(*errRefused); !ok || refused.Status != http.StatusServiceUnavailable {
		t.Errorf("while read only: %v, want 503", err)
	}
	setReadOnly(t, url, false)
	eventually(t, 15*time.Second, "the message is taken", func() bool {
		_, err := v.send(ctx, id, "while read only")
		return err == nil
	})
	eventually(t, 15*time.Second, "it is filed once", func() bool {
		n, err := g.api(token).filed(ctx)
		return err == nil && n == 1
	})
}

// TestConversationsGoOnWithoutRedis stops Redis under a running gateway: customers and agents go on talking, and tickets that
// came meanwhile get their owner when it is back.
func TestConversationsGoOnWithoutRedis(t *testing.T) {
	server := bustest.NewServer(t)
	g := newGateway(t, "--database", storetest.PostgresURL(t), "--redis", server.URL)
	channel, token := g.addWebchat(), g.addAgent("ann@example.com", "admin")
	g.start()
	ctx := context.Background()
	stop := make(chan struct{})
	var present sync.WaitGroup
	present.Go(func() { stayOnline(t, g.base, token, stop) })

	visitor := g.visitor(channel, http.DefaultClient)
	if err := visitor.enter(ctx, "Wang Fang"); err != nil {
		t.Fatal(err)
	}
	conn, err := visitor.dial(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	agent := mustDialAgent(t, g.base, token)
	if _, err := sendWait(conn, desk.NewID(), "before"); err != nil {
		t.Fatal(err)
	}
	ticket := awaitTicket(t, agent, "before")

	server.Stop()
	if _, err := sendWait(conn, desk.NewID(), "while it is away"); err != nil {
		t.Fatal(err)
	}
	awaitTicket(t, agent, "while it is away")
	reply(t, g.api(token), ticket, "we are still here")
	awaitEvent(t, conn, "we are still here")
	second := g.visitor(channel, http.DefaultClient)
	if err := second.enter(ctx, "Li Lei"); err != nil {
		t.Fatal(err)
	}
	if _, err := second.send(ctx, desk.NewID(), "new while it is away"); err != nil {
		t.Fatal(err)
	}

	server.Start()
	checkEveryTicketHasOneOwner(t, g.api(token))
	close(stop)
	present.Wait()
}

// TestTicketNoRuleKnowsGoesToItsChannelsTeam writes on a channel that belongs to a team.
func TestTicketNoRuleKnowsGoesToItsChannelsTeam(t *testing.T) {
	g := newGateway(t)
	token := g.addAgent("root@example.com", "admin", "--team", "售后")
	var made struct {
		ID string `json:"id"`
	}
	g.run(&made, "", "channel", "add", "--kind", "webchat", "--name", "Shop", "--team", "售后", "--set", "origins=http://shop.test")
	g.start()
	ctx := context.Background()
	v := g.visitor(made.ID, http.DefaultClient)
	if err := v.enter(ctx, "Wang"); err != nil {
		t.Fatal(err)
	}
	if _, err := v.send(ctx, desk.NewID(), "你好"); err != nil {
		t.Fatal(err)
	}
	eventually(t, 10*time.Second, "the ticket is in the channel's team", func() bool {
		all, err := allTickets(ctx, g.api(token))
		return err == nil && len(all) == 1 && all[0].Team != nil && all[0].Team.Name == "售后"
	})
}
