package console

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"hearback/desk"
	"hearback/router"
	"hearback/ticketstore/storetest"
)

func TestMessageReachesWatcherAndListWithoutReload(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		page := w.open(w.wang, `{"type":"hello","build":"test","tickets":{}}`)
		ticket, first := w.arrive("v1", "退款没到账", w.support.ID)
		row := page.until("ticket")
		if row.TicketID != ticket || !row.Ticket.Unread || row.Ticket.Contact.Name != "王芳" || row.Ticket.Team == nil || row.Ticket.Team.Name != "Support" {
			t.Fatalf("%+v", row.Ticket)
		}
		if row.Ticket.Channel.Name != "网站" || row.Ticket.LastMessage.Text != "退款没到账" {
			t.Fatalf("%+v", row.Ticket)
		}
		page.say(fmt.Sprintf(`{"type":"watch","ticket_id":%q,"seq":0}`, ticket))
		if f := page.until("message"); f.Message.Event == nil || f.Message.Event.Type != "created" {
			t.Fatalf("%+v", f)
		}
		if f := page.until("message"); f.Message.ID != first.ID {
			t.Fatalf("%+v", f)
		}
		page.ping() // the watch is through
		_, second := w.arrive("v1", "<script>alert(1)</script>", "")
		f := page.until("message")
		if f.Message.ID != second.ID || f.Seq != second.Seq || f.Message.Text != "<script>alert(1)</script>" {
			t.Fatalf("%+v", f)
		}
	})
}

func TestFramesEqualWhatRestAnswers(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	page := w.open(w.wang, `{"type":"hello","tickets":{}}`)
	ticket, _ := w.arrive("v1", "hello", w.support.ID)
	live := page.until("ticket").Ticket
	row := must(w.store.TicketRow(t.Context(), ticket, w.wang.ID))(t)
	if stored := w.console.wireRow(t.Context(), row); !equalJSON(t, live, stored) {
		t.Errorf("live %+v\nstored %+v", live, stored)
	}
}

func TestPageThatWasAwayReceivesFiftyMessagesOnce(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		ticket, last := w.arrive("v1", "0", w.support.ID)
		page := w.open(w.wang, fmt.Sprintf(`{"type":"hello","tickets":{%q:%d}}`, ticket, last.Seq))
		page.conn.Close()
		for i := 1; i <= 50; i++ {
			w.arrive("v1", fmt.Sprint(i), "")
		}
		// More come in while the page comes back.
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i := 51; i <= 80; i++ {
				w.arrive("v1", fmt.Sprint(i), "")
			}
		}()
		page = w.open(w.wang, "")
		page.say(fmt.Sprintf(`{"type":"hello","tickets":{%q:%d}}`, ticket, last.Seq))
		for i := 1; i <= 80; i++ {
			if f := page.until("message"); f.Message.Text != fmt.Sprint(i) {
				t.Fatalf("message %d is %q", i, f.Message.Text)
			}
		}
		<-done
		page.quiet("message")
	})
}

func TestPageThatMissedTooMuchLoadsAgain(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	ticket, last := w.arrive("v1", "0", w.support.ID)
	for i := range replayLimit + 1 {
		w.arrive("v1", fmt.Sprint(i), "")
	}
	page := w.open(w.wang, "")
	page.say(fmt.Sprintf(`{"type":"hello","tickets":{%q:%d}}`, ticket, last.Seq))
	if f := page.next(); f.Type != "resync" || f.TicketID != ticket {
		t.Fatalf("%+v", f)
	}
	page.until("welcome")
	_, late := w.arrive("v1", "still live", "")
	if f := page.until("message"); f.Message.ID != late.ID {
		t.Fatalf("%+v", f)
	}
}

func TestTicketThatLeavesTheScopeIsGone(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		wang := w.open(w.wang, `{"type":"hello","tickets":{}}`)
		li := w.open(w.li, `{"type":"hello","tickets":{}}`)
		boss := w.open(w.boss, `{"type":"hello","tickets":{}}`)
		ticket, _ := w.arrive("v1", "hello", w.support.ID)
		wang.until("ticket")
		li.until("ticket")
		w.give(ticket, w.li)
		if f := wang.until("gone"); f.TicketID != ticket {
			t.Fatalf("%+v", f)
		}
		if f := li.until("assigned"); f.TicketID != ticket || f.Number == "" || f.Reason != "least load" {
			t.Fatalf("%+v", f)
		}
		_, m := w.arrive("v1", "for the owner, watched or not", "")
		if f := li.until("message"); f.Message.Direction == "in" && f.Message.ID != m.ID {
			t.Fatalf("%+v", f)
		}
		wang.quiet("message", "ticket")
		boss.quiet("message", "ticket", "gone")
	})
}

func TestOutOfScopeTicketCannotBeWatched(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	ticket, _ := w.arrive("v1", "hello", w.finance.ID)
	page := w.open(w.wang, `{"type":"hello","tickets":{}}`)
	page.say(fmt.Sprintf(`{"type":"watch","ticket_id":%q}`, ticket))
	if f := page.until("gone"); f.TicketID != ticket {
		t.Fatalf("%+v", f)
	}
	page.say(fmt.Sprintf(`{"type":"typing","ticket_id":%q,"on":true}`, ticket))
	page.say(fmt.Sprintf(`{"type":"read","ticket_id":%q,"seq":1}`, ticket))
	if f := page.until("error"); f.Code != "not_watched" {
		t.Fatalf("%+v", f)
	}
	page.quiet("message", "ticket")
	if len(w.fleet.typed) != 0 {
		t.Error("the customer was shown typing")
	}
}

func TestSlowSocketIsShownTheDoorAndNobodyWaits(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	ticket, last := w.arrive("v1", "0", w.support.ID)
	hello := fmt.Sprintf(`{"type":"hello","tickets":{%q:%d}}`, ticket, last.Seq)
	slow, quick := w.open(w.wang, hello), w.open(w.li, hello)
	message := last
	message.Text = strings.Repeat("长", 10000)
	message.Direction = desk.DirectionIn
	under := make(chan struct{}, 100) // the quick one is that far behind at most
	caughtUp := make(chan struct{})
	go func() {
		defer close(caughtUp)
		for range under {
			quick.until("message_update")
		}
	}()
	for range 1000 { // 30 MB: more than the slow one's buffers take
		w.ok(w.bus.Publish(t.Context(), []desk.Event{{Type: "message_update", TicketID: ticket, Seq: last.Seq, Message: &message}}))
		under <- struct{}{}
	}
	close(under)
	<-caughtUp
	if code := slow.closed(); code != closeResync {
		t.Errorf("closed with %d", code)
	}
}

func TestEndedLoginClosesItsSockets(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	page, other := w.open(w.wang, `{"type":"hello","tickets":{}}`), w.open(w.li, `{"type":"hello","tickets":{}}`)
	tokens := must(w.store.Tokens(t.Context(), w.wang.ID))(t)
	w.ok(w.store.RevokeToken(t.Context(), w.wang.ID, tokens[0].ID))
	w.ok(w.bus.Publish(t.Context(), []desk.Event{{Type: "people"}}))
	if code := page.closed(); code != closeSession {
		t.Errorf("closed with %d", code)
	}
	if f := other.until("changed"); f.What != "people" {
		t.Errorf("%+v", f)
	}
	other.ping()
}

func TestAgentWhoChangesTeamSeesItAtOnce(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	page := w.open(w.wang, `{"type":"hello","tickets":{}}`)
	w.wang.Teams = []desk.ID{w.finance.ID}
	must(w.store.UpdateAgent(t.Context(), w.wang))(t)
	w.ok(w.bus.Publish(t.Context(), []desk.Event{{Type: "people"}}))
	page.until("resync")
	w.arrive("v1", "for support", w.support.ID)
	ticket, _ := w.arrive("v2", "for finance", w.finance.ID)
	if f := page.until("ticket"); f.TicketID != ticket {
		t.Errorf("%+v", f.Ticket)
	}
}

func TestServerThatStopsSaysComeBack(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	page := w.open(w.wang, `{"type":"hello","tickets":{}}`)
	w.stop()
	if code := page.closed(); code != websocket.CloseServiceRestart {
		t.Errorf("closed with %d", code)
	}
	if code := w.open(w.wang, "").closed(); code != websocket.CloseServiceRestart {
		t.Errorf("a late one was closed with %d", code)
	}
}

func TestBadFramesGetAnswersAndChangeNothing(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	page := w.open(w.wang, `{"type":"hello","tickets":{}}`)
	for _, frame := range []string{`{`, `[]`, `"x"`, `{"type":5}`, `{"type":"dance"}`, strings.Repeat("[", 20000), `{"type":"availability","value":"drunk"}`} {
		page.say(frame)
		page.until("error")
	}
	page.ping()
	big := w.open(w.wang, "")
	big.say(`{"type":"` + strings.Repeat("x", readLimit) + `"}`)
	if code := big.closed(); code != websocket.CloseMessageTooBig {
		t.Errorf("too big: closed with %d", code)
	}
	binary := w.open(w.wang, "")
	w.ok(binary.conn.WriteMessage(websocket.BinaryMessage, []byte(`{"type":"ping"}`)))
	if code := binary.closed(); code != websocket.CloseUnsupportedData {
		t.Errorf("binary: closed with %d", code)
	}
}

func TestSocketNeedsLoginAndOwnOrigin(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	dial := func(header http.Header) int {
		conn, answer, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(w.server.URL, "http")+"/ws", header)
		if err == nil {
			conn.Close()
			return http.StatusSwitchingProtocols
		}
		return answer.StatusCode
	}
	login := "Bearer " + w.tokens[w.wang.ID]
	for _, c := range []struct {
		header http.Header
		status int
	}{
		{http.Header{}, 401}, {http.Header{"Authorization": {"Bearer hbk_wrong"}}, 401},
		{http.Header{"Authorization": {login}, "Origin": {"https://evil.example"}}, 403},
		{http.Header{"Authorization": {login}, "Origin": {"null"}}, 403},
		{http.Header{"Authorization": {login}, "Origin": {w.server.URL}}, 101},
		{http.Header{"Authorization": {login}}, 101},
	} {
		if got := dial(c.header); got != c.status {
			t.Errorf("%v: %d, want %d", c.header, got, c.status)
		}
	}
}

func TestTypingReachesColleagueAndCustomer(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	ticket, last := w.arrive("v1", "hello", w.support.ID)
	hello := fmt.Sprintf(`{"type":"hello","tickets":{%q:%d}}`, ticket, last.Seq)
	wang, li := w.open(w.wang, hello), w.open(w.li, hello)
	wang.say(fmt.Sprintf(`{"type":"typing","ticket_id":%q,"on":true}`, ticket))
	f := li.until("typing")
	if !f.On || f.Who.ID != w.wang.ID || f.Who.Kind != "agent" || f.Who.Name != "wang" {
		t.Fatalf("%+v", f)
	}
	if sender := <-w.fleet.typed; sender != "v1" {
		t.Errorf("typing shown to %q", sender)
	}
	w.ok(w.bus.Publish(t.Context(), []desk.Event{{Type: "typing", TicketID: ticket, Data: map[string]string{"name": "王芳", "on": "true"}}}))
	if f := wang.until("typing"); f.Who.Kind != "contact" || f.Who.Name != "王芳" {
		t.Errorf("%+v", f) // and not his own
	}
}

func TestCountsFollowChanges(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		page := w.open(w.wang, `{"type":"hello","tickets":{}}`)
		if f := page.until("counts"); f.Counts != (Counts{}) {
			t.Fatalf("%+v", f.Counts)
		}
		w.arrive("v1", "hello", w.support.ID)
		if f := page.until("counts"); f.Counts.Queue != 1 || f.Counts.All != 1 {
			t.Fatalf("%+v", f.Counts)
		}
	})
}

func TestHeartbeatRenewsPresence(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	page := w.open(w.wang, `{"type":"hello","tickets":{}}`)
	if agent := <-w.router.beats; agent != w.wang.ID {
		t.Fatal(agent)
	}
	page.say(`{"type":"ping"}`)
	page.until("pong")
	if agent := <-w.router.beats; agent != w.wang.ID {
		t.Fatal(agent)
	}
	w.router.sit(w.li.ID, router.Seat{Online: true, Used: 3})
	w.ok(w.bus.Publish(t.Context(), []desk.Event{{Type: "presence"}}))
	for {
		if f := page.until("presence"); f.AgentID == w.li.ID && f.Online {
			if f.Used != 3 || f.Capacity != 10 {
				t.Errorf("%+v", f.Presence)
			}
			return
		}
	}
}

func TestReadMarkTakesUnreadAway(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	page := w.open(w.wang, `{"type":"hello","tickets":{}}`)
	ticket, m := w.arrive("v1", "hello", w.support.ID)
	page.until("ticket")
	w.want(204, w.wang, "POST", "/api/v1/tickets/"+ticket+"/read", map[string]int64{"seq": m.Seq})
	if row := must(w.store.TicketRow(t.Context(), ticket, w.wang.ID))(t); row.Unread {
		t.Error("still unread in the store")
	}
	now := must(w.store.Ticket(t.Context(), ticket))(t)
	w.ok(w.bus.Publish(t.Context(), []desk.Event{{Type: "ticket", TicketID: ticket, Seq: now.Version, Ticket: &now}}))
	if f := page.until("ticket"); f.Ticket.Unread {
		t.Error("still unread on the page")
	}
}

func TestBurstOnOneTicketIsOneFrame(t *testing.T) {
	s := &socket{wake: make(chan struct{}, 1), summaries: map[desk.ID]*frame{}}
	first, second, other := &frame{}, &frame{}, &frame{}
	s.summarize("a", first)
	s.summarize("b", other)
	s.summarize("a", second)
	if _, _, wait, _ := s.next(10 * time.Millisecond); wait != 40*time.Millisecond {
		t.Errorf("waits %v", wait)
	}
	if f, summary, _, _ := s.next(time.Second); f != second || !summary {
		t.Error("not the latest")
	}
	if f, _, _, _ := s.next(0); f != other {
		t.Error("the rest of a flush must not wait")
	}
	if f, _, wait, _ := s.next(0); f != nil || wait < time.Minute {
		t.Error("nothing is left")
	}
}

func TestLostHintsMakePagesLoadAgain(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	page := w.open(w.wang, `{"type":"hello","tickets":{}}`)
	w.console.hub.lostSome()
	if f := page.until("resync"); f.TicketID != "" {
		t.Errorf("%+v", f)
	}
}
