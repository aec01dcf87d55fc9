package console

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"hearback/connectors"
	"hearback/desk"
	"hearback/ticketstore/storetest"
)

// BenchmarkMessageToAgent measures from the event's publication to the frame in the agent's hands, one at a time, with 20
// agents of the team connected.
func BenchmarkMessageToAgent(b *testing.B) {
	w := newWorld(b, storetest.SQLite(b))
	ticket, last := w.arrive("v1", "hello", w.support.ID)
	page := w.open(w.wang, fmt.Sprintf(`{"type":"hello","tickets":{%q:%d}}`, ticket, last.Seq))
	for range 19 {
		other := w.open(w.li, `{"type":"hello","tickets":{}}`)
		go func() {
			for {
				if _, _, err := other.conn.ReadMessage(); err != nil {
					return
				}
			}
		}()
	}
	t := must(w.store.Ticket(b.Context(), ticket))(b)
	took := make([]time.Duration, 0, b.N)
	for b.Loop() {
		t.Version++
		m := last
		m.Seq = t.Version
		began := time.Now()
		w.ok(w.bus.Publish(b.Context(), []desk.Event{{Type: "message", TicketID: ticket, Seq: m.Seq, Message: &m, Ticket: &t}}))
		page.until("message")
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}

// BenchmarkCallToPopUp measures from the event's publication to the pop-up in the hands of the agent whose phone rings: a new call
// of a customer with open tickets each time, 20 agents of the team connected.
func BenchmarkCallToPopUp(b *testing.B) {
	w := newWorld(b, storetest.SQLite(b))
	phone := w.addLine("telephony", "热线", connectors.Capabilities{}, nil)
	page := w.open(w.wang, `{"type":"hello"}`)
	for range 19 {
		other := w.open(w.li, `{"type":"hello"}`)
		go func() {
			for {
				if _, _, err := other.conn.ReadMessage(); err != nil {
					return
				}
			}
		}()
	}
	callers := make([]desk.Ticket, 200)
	for i := range callers {
		callers[i] = w.come(phone, desk.Identity{Type: "phone", Value: fmt.Sprintf("+861380000%04d", i), Verified: true}, nil)
	}
	took := make([]time.Duration, 0, b.N)
	for i := 0; b.Loop(); i++ {
		who := callers[i%len(callers)]
		began := time.Now()
		w.ok(w.bus.Publish(b.Context(), []desk.Event{{Type: "call", TicketID: who.ID, Call: &desk.CallNews{
			ChannelID: phone.ID, ContactID: who.ContactID, TicketID: who.ID, AgentIDs: []desk.ID{w.wang.ID},
			Call: desk.Call{ID: fmt.Sprint(i), State: "ringing", Direction: "inbound", From: who.Sender},
		}}}))
		page.until("call")
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}
