package router

import (
	"context"
	"testing"

	"hearback/desk"
	"hearback/ticketstore"
)

func onPhone(state string, agent desk.ID) desk.CallNews {
	return desk.CallNews{ChannelID: "c", Call: desk.Call{ID: "call-1", State: state, AgentID: agent}}
}

func TestWhoTalksOnThePhoneIsGivenNothing(t *testing.T) {
	each(t, func(t *testing.T, n node) {
		n.here(n.store.agent("a", 5))
		must(t, n.OnCall(t.Context(), []desk.CallNews{onPhone("ringing", "a"), onPhone("answered", "")}))
		n.route(n.store.open("", "webchat"))
		if n.used("a") != 1 {
			t.Fatal("a ringing phone, or nobody's call, fills nobody")
		}
		must(t, n.OnCall(t.Context(), []desk.CallNews{onPhone("answered", "a")}))
		if p, _ := n.Presence(t.Context()); !p["a"].OnCall {
			t.Fatal("presence does not tell of the call")
		}
		chat := n.store.open("", "webchat")
		n.route(chat)
		if n.store.get(chat.ID).AssigneeID != "" {
			t.Fatal("he talks and was given a chat")
		}
		must(t, n.OnCall(t.Context(), []desk.CallNews{onPhone("answered", "a")})) // told again
		must(t, n.OnCall(t.Context(), []desk.CallNews{onPhone("ended", "a")}))
		must(t, n.drain(t.Context()))
		if p, _ := n.Presence(t.Context()); p["a"].OnCall || n.store.get(chat.ID).AssigneeID != "a" || n.used("a") != 2 {
			t.Fatalf("he has hung up: %+v", p["a"])
		}
	})
}

func TestLostWordOfACallIsMadeUpForBySQL(t *testing.T) {
	each(t, func(t *testing.T, n node) {
		live := []ticketstore.CallRow{{ChannelID: "c", Key: "call-1", Call: desk.Call{ID: "call-1", State: "answered", AgentID: "a"}}}
		n.o.Calls = func(context.Context) ([]ticketstore.CallRow, error) { return live, nil }
		n.here(n.store.agent("a", 5))
		must(t, n.compare(t.Context()))
		if p, _ := n.Presence(t.Context()); !p["a"].OnCall || p["a"].Used != 5 {
			t.Fatalf("SQL knows the call: %+v", p["a"])
		}
		live = nil
		must(t, n.compare(t.Context()))
		if p, _ := n.Presence(t.Context()); p["a"].OnCall || p["a"].Used != 0 {
			t.Fatalf("SQL knows of no call any more: %+v", p["a"])
		}
	})
}
