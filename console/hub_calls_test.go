package console

import (
	"fmt"
	"testing"
	"time"

	"hearback/desk"
	"hearback/ticketstore"
	"hearback/ticketstore/storetest"
)

// ring files one thing a call centre says and publishes what intake would.
func (w *world) ring(ch desk.Channel, id, typ string, change func(*desk.CallEvent)) {
	w.Helper()
	e := desk.CallEvent{Key: typ + id, Type: typ, At: desk.At(time.Now()), Direction: "inbound", From: "+8613812345678", To: "4001"}
	if change != nil {
		change(&e)
	}
	env := []desk.Envelope{{ChannelID: ch.ID, Kind: ch.Kind, Type: desk.EnvelopeMessage, ExternalID: desk.NewID(), Sender: "+8613812345678", Raw: []byte("x")}}
	w.ok(w.store.PutInbox(w.Context(), []*ticketstore.Arrival{{ChannelID: ch.ID, Envelopes: env}}, desk.At(time.Now().Add(time.Minute))))
	filed := must(w.store.File(w.Context(), []ticketstore.Filing{{Envelope: env[0], Plans: []ticketstore.Plan{{TeamID: w.support.ID}}, Inbounds: []desk.Inbound{{
		Type: desk.EnvelopeMessage, From: desk.Identity{Type: "phone", Value: "+8613812345678", Verified: true}, Name: "王芳",
		Call: &desk.CallReport{ID: id, Event: e, Customer: "+8613812345678", Open: "missed", CallBackIn: time.Hour},
	}}}}))(w.TB)
	w.ok(w.bus.Publish(w.Context(), filed[0].Events))
}

func at(extension string) func(*desk.CallEvent) {
	return func(e *desk.CallEvent) { e.Agents = []string{extension} }
}

// seat gives an agent an extension.
func (w *world) seat(a *desk.Agent, extension string) {
	w.Helper()
	a.Extensions = []string{extension}
	*a = must(w.store.UpdateAgent(w.Context(), *a))(w.TB)
	w.ok(w.console.names.load(w.Context()))
}

func TestCallPopsUpAtTheAgentWhosePhoneRings(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		_, phone, account := w.outsideLines()
		w.seat(&w.wang, "8001")
		old := w.come(account, openID(account), known)
		theirs := w.come(account, desk.Identity{Type: "wechat_openid", Value: "oOther", Scope: account.ID, Verified: true}, known)
		w.give(theirs.ID, w.li)
		wang, li := w.open(w.wang, `{"type":"hello"}`), w.open(w.li, `{"type":"hello"}`)
		w.ring(phone, "c1", desk.CallRinging, at("8001"))
		call := wang.until("call").Call
		if call.State != "ringing" || !call.Mine || call.From != "+8613812345678" || call.Channel.Name != "热线" || call.Contact == nil || call.Contact.Name != "王芳" {
			t.Errorf("%+v", call)
		}
		if len(call.OpenTickets) != 1 || call.OpenTickets[0].ID != old.ID || len(call.AgentIDs) != 1 || call.AgentIDs[0] != w.wang.ID {
			t.Errorf("%+v", call)
		}
		w.ring(phone, "c1", desk.CallAnswered, at("8001"))
		if call := wang.until("call").Call; call.State != "answered" || call.AnsweredAt == 0 {
			t.Errorf("%+v", call)
		}
		w.ring(phone, "c1", desk.CallHangup, nil)
		if call := wang.until("call").Call; call.State != "ended" || call.Outcome != "answered" || call.EndedAt == 0 {
			t.Errorf("%+v", call)
		}
		li.quiet("call")
	})
}

func TestTeamOfTheQueueSeesItsCallsAndTheRestDoesNot(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		_, phone, _ := w.outsideLines()
		w.support.Queues = []string{"售后"}
		w.support = must(w.store.SaveTeam(t.Context(), w.support))(t)
		w.seat(&w.li, "8002")
		wang, li, boss := w.open(w.wang, `{"type":"hello"}`), w.open(w.li, `{"type":"hello"}`), w.open(w.boss, `{"type":"hello"}`)
		w.ring(phone, "c1", desk.CallQueued, func(e *desk.CallEvent) { e.Queue = "售后" })
		for _, page := range []*tab{wang, li} {
			if call := page.until("call").Call; call.Mine || call.Queue != "售后" || call.OpenTickets == nil {
				t.Errorf("%+v", call)
			}
		}
		w.ring(phone, "c1", desk.CallAnswered, at("8002"))
		if call := li.until("call").Call; !call.Mine || call.State != "answered" {
			t.Errorf("%+v", call)
		}
		if call := wang.until("call").Call; call.Mine || call.State != "answered" { // his page shows that somebody took it
			t.Errorf("%+v", call)
		}
		boss.quiet("call")
	})
}

func TestCallOfNobodyIsShownToThoseWhoLookAfterEverything(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	_, phone, _ := w.outsideLines()
	wang, boss, admin := w.open(w.wang, `{"type":"hello"}`), w.open(w.boss, `{"type":"hello"}`), w.open(w.admin, `{"type":"hello"}`)
	w.ring(phone, "c1", desk.CallRinging, nil)
	for _, page := range []*tab{boss, admin} {
		if call := page.until("call").Call; call.ID != "c1" || call.Mine {
			t.Errorf("%+v", call)
		}
	}
	wang.quiet("call")
}

func TestPageThatComesSeesThePhoneRinging(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		_, phone, _ := w.outsideLines()
		w.seat(&w.wang, "8001")
		w.ring(phone, "c1", desk.CallRinging, at("8001"))
		w.ring(phone, "c2", desk.CallRinging, at("8001"))
		w.ring(phone, "c2", desk.CallHangup, nil)
		page := w.open(w.wang, "")
		page.say(`{"type":"hello"}`)
		var calls []LiveCall
		for f := page.next(); f.Type != "welcome"; f = page.next() {
			if f.Type == "call" {
				calls = append(calls, f.Call)
			}
		}
		if len(calls) != 1 || calls[0].ID != "c1" || calls[0].State != "ringing" || !calls[0].Mine {
			t.Errorf("%+v", calls)
		}
		w.ring(phone, "c1", desk.CallAnswered, at("8001"))
		page.until("call")
		second := w.open(w.wang, "")
		second.say(`{"type":"hello"}`)
		if call := second.until("call").Call; call.State != "answered" { // however lately the list was read
			t.Errorf("%+v", call)
		}
		listed := w.want(200, w.wang, "GET", "/api/v1/calls", nil)["items"].([]any)
		if len(listed) != 1 || listed[0].(map[string]any)["mine"] != true {
			t.Errorf("%v", listed)
		}
		if listed := w.want(200, w.li, "GET", "/api/v1/calls", nil)["items"].([]any); len(listed) != 0 {
			t.Errorf("a colleague sees %v", listed)
		}
		w.ring(phone, "c1", desk.CallHangup, nil)
		if call := page.until("call").Call; call.State != "ended" {
			t.Errorf("%+v", call)
		}
	})
}

func TestFloodOfStrangeCallsClosesNoPage(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	_, phone, _ := w.outsideLines()
	page := w.open(w.admin, `{"type":"hello"}`)
	var events []desk.Event
	for i := range 5000 {
		events = append(events, desk.Event{Type: "call", Call: &desk.CallNews{ChannelID: phone.ID, Call: desk.Call{ID: fmt.Sprint("c", i), State: "ringing", Direction: "inbound"}}})
	}
	w.ok(w.bus.Publish(t.Context(), events))
	page.until("call")
	page.ping() // the page lives
}

func TestOwnerIsWarnedThatTheWindowCloses(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	ticket, _ := w.arrive("v1", "hello", w.support.ID)
	w.give(ticket, w.wang)
	wang, li := w.open(w.wang, `{"type":"hello"}`), w.open(w.li, `{"type":"hello"}`)
	tk := must(w.store.Ticket(t.Context(), ticket))(t)
	tk.WindowClosesAt, tk.WindowRemaining = 1893456000000, 2
	w.ok(w.bus.Publish(t.Context(), []desk.Event{{Type: "window", TicketID: ticket, Ticket: &tk}}))
	if f := wang.until("window"); f.Number != tk.Number || f.ClosesAt != tk.WindowClosesAt || f.TicketID != ticket || f.Remaining != 2 {
		t.Errorf("%+v", f)
	}
	li.quiet("window")
}

func TestAdminsPagesLearnOfNewLogLinesAtMostOnceASecond(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	admin, wang := w.open(w.admin, `{"type":"hello"}`), w.open(w.wang, `{"type":"hello"}`)
	began := time.Now()
	for range 50 {
		w.ok(w.bus.Publish(t.Context(), []desk.Event{{Type: "channel_log", Data: map[string]string{"id": "c1"}}}))
	}
	for range 2 { // the first at once, the second for what came meanwhile
		if f := admin.until("changed"); f.What != "channel_log" || f.ChannelID != "c1" {
			t.Errorf("%+v", f)
		}
		w.ok(w.bus.Publish(t.Context(), []desk.Event{{Type: "channel_log", Data: map[string]string{"id": "c1"}}}))
	}
	if took := time.Since(began); took < 900*time.Millisecond {
		t.Errorf("two frames within %s", took)
	}
	wang.quiet("changed")
}
