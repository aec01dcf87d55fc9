package storetest

import (
	"fmt"
	"testing"
	"time"

	"hearback/desk"
	"hearback/ticketstore"
)

// The inbound line as intake drives it: a group of 64 envelopes is put, then filed. One operation is one message.
//
//	go test ./ticketstore/storetest -run '^$' -bench Inbound -benchtime 3s

func BenchmarkInboundSQLite(b *testing.B)   { benchInbound(b, SQLite) }
func BenchmarkInboundPostgres(b *testing.B) { benchInbound(b, Postgres) }

func benchInbound(b *testing.B, open func(testing.TB) *ticketstore.Store) {
	b.Run("messages", func(b *testing.B) { inbound(b, open(b), func(i int) string { return fmt.Sprintf("visitor-%d", i%64) }) })
	b.Run("conversations", func(b *testing.B) { inbound(b, open(b), func(i int) string { return fmt.Sprintf("visitor-%d", i) }) })
}

// One message at a time, as it comes in a quiet hour: how long it takes from the door into its ticket.
//
//	go test ./ticketstore/storetest -run '^$' -bench Alone -benchtime 2000x

func BenchmarkAloneSQLite(b *testing.B)   { benchAlone(b, SQLite(b)) }
func BenchmarkAlonePostgres(b *testing.B) { benchAlone(b, Postgres(b)) }

func benchAlone(b *testing.B, s *ticketstore.Store) {
	for i := 0; b.Loop(); i++ {
		run(b, s, []desk.Envelope{{ChannelID: channel, Kind: "webchat", ExternalID: fmt.Sprint(i), Sender: fmt.Sprint("visitor-", i%64), Raw: []byte("你好")}})
	}
}

// Calls as intake drives them: a group of 64 events, three to a call, is put, then filed. One operation is one event.
//
//	go test ./ticketstore/storetest -run '^$' -bench Calls -benchtime 3s

func BenchmarkCallsSQLite(b *testing.B)   { benchCalls(b, SQLite(b)) }
func BenchmarkCallsPostgres(b *testing.B) { benchCalls(b, Postgres(b)) }

func benchCalls(b *testing.B, s *ticketstore.Store) {
	const group = 64
	types := []string{desk.CallRinging, desk.CallAnswered, desk.CallHangup}
	for i := 0; i < b.N; i += group {
		envs, filings := make([]desk.Envelope, min(group, b.N-i)), make([]ticketstore.Filing, min(group, b.N-i))
		for j := range envs {
			envs[j] = desk.Envelope{ChannelID: channel, Kind: "telephony", ExternalID: fmt.Sprint(b.N, "-", i+j), Sender: fmt.Sprintf("+86138%08d", (i+j)/3)}
		}
		lease := desk.At(time.Now().Add(time.Minute))
		if err := s.PutInbox(b.Context(), []*ticketstore.Arrival{{ChannelID: channel, Envelopes: envs}}, lease); err != nil {
			b.Fatal(err)
		}
		for j, e := range envs {
			n := i + j
			filings[j] = understood(e)
			filings[j].Inbounds[0].Call = callReport(fmt.Sprint(b.N, "-", n/3), e.Sender, desk.CallEvent{Type: types[n%3], At: desk.At(time.Now()), Direction: "inbound", Agents: []string{"8001"}})
		}
		if _, err := s.File(b.Context(), filings); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

func inbound(b *testing.B, s *ticketstore.Store, sender func(int) string) {
	const group = 64
	text := "你好，我昨天买的衣服尺码不合适，想退货退款，请问怎么处理？ order SO-20260101"
	for i := range group { // the 64 conversations are open already
		run(b, s, []desk.Envelope{{ChannelID: channel, Kind: "webchat", ExternalID: fmt.Sprint(sender(i), b.N, "warm", i), Sender: sender(i), Raw: []byte(text)}})
	}
	b.ResetTimer()
	for i := 0; i < b.N; i += group {
		envs := make([]desk.Envelope, min(group, b.N-i))
		for j := range envs {
			envs[j] = desk.Envelope{ChannelID: channel, Kind: "webchat", ExternalID: fmt.Sprint(sender(0), b.N, "m", i+j), Sender: sender(group + i + j), Raw: []byte(text)}
		}
		run(b, s, envs)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}

func run(b *testing.B, s *ticketstore.Store, envs []desk.Envelope) {
	lease := desk.At(time.Now().Add(time.Minute))
	if err := s.PutInbox(b.Context(), []*ticketstore.Arrival{{ChannelID: channel, Envelopes: envs}}, lease); err != nil {
		b.Fatal(err)
	}
	filings := make([]ticketstore.Filing, len(envs))
	for i, e := range envs {
		filings[i] = understood(e)
	}
	if _, err := s.File(b.Context(), filings); err != nil {
		b.Fatal(err)
	}
}
