package storetest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"hearback/desk"
	"hearback/ticketstore"
)

// TestAnyTellingOfACallIsTheSameCall tells random calls in random order, in random portions and some events twice, with the number
// missing on some: the store's call is the fold over all of them, on one ticket with one message.
func TestAnyTellingOfACallIsTheSameCall(t *testing.T) {
	w := makeWorld(t, sqliteURL(t))
	calls := 0
	rapid.Check(t, func(r *rapid.T) {
		calls++
		id, number := fmt.Sprint("any-", calls), fmt.Sprintf("+86137%08d", calls)
		events := rapid.SliceOfNDistinct(rapid.Custom(anyCallEvent(w.in(0))), 1, 8, func(e desk.CallEvent) string { return e.Key }).Draw(r, "events")
		told := rapid.Permutation(append(slices.Clone(events), events[:len(events)/2]...)).Draw(r, "told")
		reports := make([]*desk.CallReport, len(told))
		for i, e := range told {
			customer := number
			if i > 0 && rapid.Bool().Draw(r, "number left out") {
				customer = ""
			}
			reports[i] = callReport(id, customer, e)
			reports[i].Event = e
		}
		tickets, messages := map[desk.ID]bool{}, map[desk.ID]bool{}
		for len(reports) > 0 {
			n := rapid.IntRange(1, len(reports)).Draw(r, "portion")
			var filings []ticketstore.Filing
			for _, report := range reports[:n] {
				filings = append(filings, w.ring(report))
			}
			for _, f := range w.file(filings...) {
				tickets[f.TicketID], messages[f.MessageID] = true, true
			}
			reports = reports[n:]
		}
		want := desk.Call{ID: id}
		for _, e := range events {
			want = want.With(e)
		}
		row := w.callRow(id)
		got, _ := json.Marshal(row.Call)
		if asked, _ := json.Marshal(want); string(got) != string(asked) {
			r.Fatalf("stored %s\nwant   %s", got, asked)
		}
		if len(tickets) != 1 || len(messages) != 1 || row.TicketID == "" || w.ticket(row.TicketID).Sender != number {
			r.Fatalf("tickets %v, messages %v", tickets, messages)
		}
		m, err := w.Store.Message(w.ctx, row.MessageID)
		if err != nil || m.Call == nil || m.Call.State != want.State || m.Call.Outcome != want.Outcome {
			r.Fatalf("message %+v, %v", m, err)
		}
	})
}

func anyCallEvent(at desk.Time) func(*rapid.T) desk.CallEvent {
	return func(r *rapid.T) desk.CallEvent {
		e := desk.CallEvent{
			Type: rapid.SampledFrom([]string{desk.CallInitiated, desk.CallRinging, desk.CallIVR, desk.CallQueued, desk.CallAnswered, desk.CallTransferred, desk.CallHangup,
				desk.CallRecording, desk.CallVoicemail, desk.CallTranscript, desk.CallRating, desk.CallCDR}).Draw(r, "type"),
			At:  at + desk.Time(rapid.IntRange(0, 600).Draw(r, "second")*1000),
			Leg: rapid.SampledFrom([]string{"", "", "a", "b"}).Draw(r, "leg"), Direction: "inbound",
			Agents: rapid.SampledFrom([][]string{nil, {"8001"}, {"8002", "8003"}}).Draw(r, "agents"),
		}
		switch e.Type {
		case desk.CallTranscript:
			e.Text = strings.ReplaceAll(rapid.StringN(0, 20, -1).Draw(r, "text"), "\x00", "\ufffd") // as the store mends it
		case desk.CallHangup, desk.CallCDR:
			e.Outcome = rapid.SampledFrom([]string{"", "answered", "missed", "busy", "forwarded"}).Draw(r, "outcome")
		}
		e.Key = e.Type + e.Leg
		return e
	}
}
