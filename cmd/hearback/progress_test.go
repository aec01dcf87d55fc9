package main

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// hear returns the next text the house or an agent says on a visitor's socket.
func hear(t *testing.T, conn *websocket.Conn) string {
	t.Helper()
	for {
		conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		var f chatFrame
		if err := conn.ReadJSON(&f); err != nil {
			t.Fatalf("nothing was said: %v", err)
		}
		if f.Type == "event" && f.Event != nil && f.Event.From != "visitor" && f.Event.Text != "" {
			return f.Event.Text
		}
	}
}

func TestVisitorWhoAsksForProgressIsAnsweredAndOpensNoTicket(t *testing.T) {
	g := newGateway(t)
	g.start()
	channel := g.addWebchat()
	api := g.api(g.addAgent("boss@example.com", "admin"))
	ctx := context.Background()
	v := g.visitor(channel, http.DefaultClient)
	if err := v.enter(ctx, "王芳"); err != nil {
		t.Fatal(err)
	}
	conn, err := v.dial(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	say := func(id, text string) {
		t.Helper()
		if _, err := v.send(ctx, id, text); err != nil {
			t.Fatal(err)
		}
	}
	tickets := func() (list struct{ Items []struct{ ID, Number string } }) {
		t.Helper()
		if err := api.do(ctx, "GET", "/api/v1/tickets?view=all", nil, &list); err != nil {
			t.Fatal(err)
		}
		return list
	}
	say("1", "查询进度？")
	if got := hear(t, conn); !strings.Contains(got, "没有处理中的工单") {
		t.Errorf("%q", got)
	}
	if n := len(tickets().Items); n != 0 {
		t.Fatalf("a question opened %d tickets", n)
	}
	say("2", "退款没到账")
	eventually(t, 20*time.Second, "the message opens a ticket", func() bool { return len(tickets().Items) == 1 })
	number := tickets().Items[0].Number
	say("3", "请问 "+number+" 到哪了")
	if got := hear(t, conn); !strings.Contains(got, number) || !strings.Contains(got, "退款没到账") {
		t.Errorf("%q", got)
	}
	if n := len(tickets().Items); n != 1 {
		t.Errorf("%d tickets after a question", n)
	}
}
