package connectortest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"regexp"
	"testing"
	"time"

	"hearback/connectors"
	"hearback/desk"
)

// A Harness tells the suite how to play a kind's provider. The zero value of an optional part skips nothing: the suite makes do.
type Harness struct {
	Settings map[string]string

	// Deliver brings message number n to the open channel; the same n again must be the same message to the provider. It returns
	// once the provider has its answer, and tells whether that answer was an acknowledgement. A poller's Deliver puts n before
	// the connector and waits until the connector has marked it as fetched, or has tried and failed.
	Deliver func(t testing.TB, e *Env, n int) (acknowledged bool)

	// Outbound makes a reply the fake provider takes; nil: a text to the sender of the first accepted envelope.
	Outbound func(e *Env) desk.Outbound

	// Hang makes the provider take requests and not answer; nil: the house's log hangs.
	Hang func(e *Env) (release func())
}

// Conformance checks what every kind promises.
func Conformance(t *testing.T, kind connectors.Kind, h Harness) {
	t.Run("fields are complete", func(t *testing.T) { fieldsAreComplete(t, kind) })
	t.Run("acknowledged only after accept", func(t *testing.T) { acknowledgedAfterAccept(t, kind, h) })
	t.Run("not acknowledged when accept fails", func(t *testing.T) { notAcknowledgedOnFailure(t, kind, h) })
	t.Run("duplicates are acknowledged the same way", func(t *testing.T) { duplicatesAcknowledged(t, kind, h) })
	t.Run("send delivers and can be repeated when resendable", func(t *testing.T) { sendDelivers(t, kind, h) })
	t.Run("send gives up when its context ends", func(t *testing.T) { sendGivesUp(t, kind, h) })
	t.Run("decode is pure and survives any bytes", func(t *testing.T) { decodeSurvives(t, kind, h) })
	t.Run("nothing runs and no secret is told after close", func(t *testing.T) { closesCleanly(t, kind, h) })
}

func fieldsAreComplete(t *testing.T, kind connectors.Kind) {
	if kind.Name == "" || kind.Title.Zh == "" || kind.Title.En == "" || kind.Decode == nil || kind.Open == nil {
		t.Error("a kind needs name, title in both languages, Decode and Open")
	}
	seen := map[string]bool{}
	for _, f := range kind.Fields {
		if seen[f.Name] {
			t.Errorf("field %s is declared twice", f.Name)
		}
		seen[f.Name] = true
		if f.Label.Zh == "" || f.Label.En == "" || (f.Help.Zh == "") != (f.Help.En == "") {
			t.Errorf("field %s lacks words in one language", f.Name)
		}
		if _, err := regexp.Compile(f.Pattern); err != nil {
			t.Errorf("field %s: pattern: %v", f.Name, err)
		}
		if f.Secret && f.Default != "" {
			t.Errorf("field %s: a secret has no default", f.Name)
		}
		if (f.Type == "select") != (len(f.Options) > 0) {
			t.Errorf("field %s: options belong to selects", f.Name)
		}
	}
}

func acknowledgedAfterAccept(t *testing.T, kind connectors.Kind, h Harness) {
	e := OpenChannel(t, kind, NewHouse(t), h.Settings)
	if !h.Deliver(t, e, 1) {
		t.Fatal("not acknowledged")
	}
	got := e.House.Inbox.Envelopes() // no waiting: the acknowledgement must have been later
	if len(got) == 0 {
		t.Fatal("acknowledged before it was accepted")
	}
	for _, env := range got {
		if env.ExternalID == "" || env.Sender == "" || len(env.Raw) == 0 {
			t.Errorf("envelope lacks external id, sender or raw bytes")
		}
	}
}

func notAcknowledgedOnFailure(t *testing.T, kind connectors.Kind, h Harness) {
	e := OpenChannel(t, kind, NewHouse(t), h.Settings)
	e.House.Inbox.Fail(fmt.Errorf("accept: %w", errAway))
	if h.Deliver(t, e, 1) {
		t.Error("acknowledged although it was not accepted")
	}
	e.House.Inbox.Fail(nil)
	if !h.Deliver(t, e, 1) || len(messages(e)) != 1 {
		t.Errorf("the provider's second try is not taken in: %d envelopes", len(messages(e)))
	}
}

func duplicatesAcknowledged(t *testing.T, kind connectors.Kind, h Harness) {
	e := OpenChannel(t, kind, NewHouse(t), h.Settings)
	for range 3 {
		if !h.Deliver(t, e, 1) {
			t.Error("a repeated message was not acknowledged")
		}
	}
	h.Deliver(t, e, 2)
	if n := len(messages(e)); n != 2 {
		t.Errorf("%d envelopes of two messages", n)
	}
}

func messages(e *Env) (out []desk.Envelope) {
	for _, env := range e.House.Inbox.Envelopes() {
		if env.Type == desk.EnvelopeMessage {
			out = append(out, env)
		}
	}
	return out
}

// outbound makes a reply to the first message.
func (h Harness) outbound(t testing.TB, e *Env) desk.Outbound {
	if !h.Deliver(t, e, 1) {
		t.Fatal("not acknowledged")
	}
	if h.Outbound != nil {
		return h.Outbound(e)
	}
	first := messages(e)[0]
	in, err := e.Kind.Decode(first)
	if err != nil || len(in) == 0 {
		t.Fatalf("decode: %v, %d inbounds", err, len(in))
	}
	id := desk.NewID()
	return desk.Outbound{DeliveryID: desk.NewID(), MessageID: id, TicketID: desk.NewID(), Number: "GD20260101-0001", ChannelID: e.Channel.ID,
		Sender: first.Sender, To: in[0].From, ToName: in[0].Name, Subject: "Re: test", Text: "回音 answers", ExternalID: id,
		InReplyTo: []string{first.ExternalID}, Author: desk.Author{Kind: "agent", ID: desk.NewID(), Name: "Wang Fang"}, Attempt: 1,
		CreatedAt: desk.At(e.House.Clock.Now())}
}

func sendDelivers(t *testing.T, kind connectors.Kind, h Harness) {
	e := OpenChannel(t, kind, NewHouse(t), h.Settings)
	out := h.outbound(t, e)
	times := 1
	if e.Conn.Capabilities().Resendable {
		times = 2
	}
	for range times {
		if _, err := e.Conn.Send(context.Background(), out); err != nil {
			t.Fatalf("send: %v", err)
		}
	}
}

func sendGivesUp(t *testing.T, kind connectors.Kind, h Harness) {
	e := OpenChannel(t, kind, NewHouse(t), h.Settings)
	out := h.outbound(t, e)
	hang := h.Hang
	if hang == nil {
		hang = func(e *Env) func() { return e.House.Inbox.HangLog() }
	}
	release := hang(e)
	defer release()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	done := make(chan error, 1)
	go func() { _, err := e.Conn.Send(ctx, out); done <- err }()
	select {
	case err := <-done:
		if err == nil {
			t.Error("Send said yes while the provider was silent")
		}
		e.House.CheckSecrets(kind, e.Channel, fmt.Sprint(err))
	case <-time.After(10 * time.Second):
		t.Fatal("Send did not give up")
	}
}

func decodeSurvives(t *testing.T, kind connectors.Kind, h Harness) {
	e := OpenChannel(t, kind, NewHouse(t), h.Settings)
	h.Deliver(t, e, 1)
	for _, env := range e.House.Inbox.Envelopes() {
		first, err1 := kind.Decode(env)
		second, err2 := kind.Decode(env)
		if err1 != nil || !reflect.DeepEqual(first, second) || (err1 == nil) != (err2 == nil) {
			t.Errorf("the same bytes decode differently: %v, %v", err1, err2)
		}
		for _, in := range first {
			if in.Type == desk.EnvelopeMessage && (in.From.Type == "" || in.From.Value == "") {
				t.Error("a message says not from whom")
			}
		}
		for _, raw := range Mutations(env.Raw, 400) {
			env.Raw = raw
			if p := decodePanics(kind, env); p != nil {
				t.Errorf("Decode panics: %v on %q", p, raw)
			}
		}
	}
}

func decodePanics(kind connectors.Kind, env desk.Envelope) (p any) {
	defer func() { p = recover() }()
	kind.Decode(env)
	return nil
}

// Mutations returns n broken forms of raw: cut, flipped, doubled, spliced, always the same ones.
func Mutations(raw []byte, n int) [][]byte {
	r := rand.New(rand.NewPCG(1, uint64(len(raw))))
	out := [][]byte{nil, {}, {0}, []byte("{}"), []byte("[]"), []byte("null"), []byte("<"), []byte(`{"a":`)}
	for len(out) < n && len(raw) > 0 {
		b := append([]byte(nil), raw...)
		i, j := r.IntN(len(b)), r.IntN(len(b))
		switch r.IntN(5) {
		case 0:
			b = b[:i]
		case 1:
			b[i] ^= byte(1 + r.IntN(255))
		case 2:
			b = append(b[:i:i], append([]byte{byte(r.IntN(256))}, b[i:]...)...)
		case 3:
			b = append(b[:max(i, j):max(i, j)], b[min(i, j):]...)
		case 4:
			b = append(b[:min(i, j):min(i, j)], b[max(i, j):]...)
		}
		out = append(out, b)
	}
	return out
}

func closesCleanly(t *testing.T, kind connectors.Kind, h Harness) {
	e := OpenChannel(t, kind, NewHouse(t), h.Settings)
	out := h.outbound(t, e)
	_, err := e.Conn.Send(context.Background(), out)
	began := time.Now()
	e.Close()
	if d := time.Since(began); d > 8*time.Second {
		t.Errorf("Close took %s", d)
	}
	checkNothingRuns(t, kind)
	e.House.CheckSecrets(kind, e.Channel, fmt.Sprint(err), fmt.Sprint(e.House.Health()))
}
