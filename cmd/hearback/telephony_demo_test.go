package main

import (
	"encoding/json"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// TestTheDemoHasACallCentre rings the demo's phone from the command line: a call pops up at the first administrator, a missed one is
// called back by the demo itself and its recording can be heard.
func TestTheDemoHasACallCentre(t *testing.T) {
	t.Parallel() // it mostly waits for people who talk
	g := newGateway(t, "--demo")
	token := g.addAgent("root@example.com", "admin")
	g.start()
	agent, err := dialAgent(t.Context(), g.base, token)
	if err != nil {
		t.Fatal(err)
	}
	defer agent.Close()
	simulate := func(args ...string) {
		t.Helper()
		args = append(append([]string{"simulate", "call", "--json", "--url", g.base, "--now"}, args...), g.args...)
		if out, err := exec.Command(binary, args...).CombinedOutput(); err != nil {
			t.Fatalf("simulate call: %v: %s", err, out)
		}
	}
	simulate("--scenario", "missed", "--from", "+8613900139000")
	popped(t, agent, "+8613900139000")
	w := &phoneWorld{gateway: g, t: t, admin: g.api(token)}
	ticket := w.onlyTicket()
	eventually(t, 20*time.Second, "a callback is due", func() bool {
		ticket = w.ticket(ticket.ID)
		return ticket.Callback != nil && ticket.Callback.State == "due"
	})
	route, ok := ticket.route("callback")
	if !ok {
		t.Fatalf("no way to call back: %+v", ticket.Reply.Routes)
	}
	if err := w.admin.do(t.Context(), "POST", "/api/v1/tickets/"+ticket.ID+"/replies", map[string]string{"text": "", "route": route, "idempotency_key": "1"}, nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, "the customer was called back and the recording is there", func() bool {
		for _, m := range w.timeline(ticket.ID) {
			if m.Call != nil && m.Direction == "out" && m.Call.Outcome == "answered" && m.Call.TalkSeconds == 10 && len(m.Attachments) == 1 && m.Attachments[0].Size > 0 {
				return true
			}
		}
		return false
	})
	if got := w.ticket(ticket.ID).Callback.State; got != "done" {
		t.Errorf("the callback is %s", got)
	}
	simulate("--scenario", "all", "--order", "shuffled", "--repeat", "1", "--from", "+8613700000000")
	eventually(t, 30*time.Second, "all scenarios are one caller's calls", func() bool {
		all, err := allTickets(t.Context(), w.admin)
		return err == nil && len(all) == 2
	})
	g.kill(syscall.SIGTERM)
}

// popped reads until a call of that number shows.
func popped(t *testing.T, conn *websocket.Conn, from string) {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	for {
		_, raw, err := conn.ReadMessage()
		if err != nil {
			t.Fatalf("no call popped up: %v", err)
		}
		var f struct {
			Type string          `json:"type"`
			Call json.RawMessage `json:"call"`
		}
		if json.Unmarshal(raw, &f) == nil && f.Type == "call" && strings.Contains(string(f.Call), from) {
			return
		}
	}
}
