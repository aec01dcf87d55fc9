package intake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"time"
	"unicode"

	"hearback/connectors"
	"hearback/desk"
	"hearback/normalizer"
	"hearback/ticketstore"
)

// decodeTries bounds the tries of an envelope that cannot be understood. Decode is pure, so a second try only helps when
// the first one died of something else (memory); meanwhile its sender's next messages wait.
const decodeTries = 3

// process understands a batch and files it.
func (b *Belt) process(ctx context.Context, batch []desk.Envelope) {
	filings := make([]ticketstore.Filing, 0, len(batch))
	for _, e := range batch {
		f, err := b.understand(ctx, e)
		if err != nil {
			b.putOff(ctx, e, err, decodeTries)
			continue
		}
		filings = append(filings, f)
	}
	if len(filings) > 0 {
		b.fileAll(ctx, filings)
	}
}

// understand runs the kind's Decode and the classification. A panic in either is an error of this envelope alone.
func (b *Belt) understand(ctx context.Context, e desk.Envelope) (f ticketstore.Filing, err error) {
	defer func() {
		if p := recover(); p != nil {
			b.o.Logger.Error("decoding panicked", "channel", e.ChannelID, "envelope", e.ID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("decode panicked: %v", p)
		}
	}()
	kind, ok := b.kinds[e.Kind]
	if !ok {
		return f, fmt.Errorf("this build has no channel kind %q", e.Kind)
	}
	f.Envelope = e
	if f.Inbounds, err = b.decode(ctx, kind, e); err != nil {
		return f, err
	}
	if len(f.Inbounds) == 0 {
		f.Outcome, f.Reason = desk.OutcomeRejected, "nothing to show"
		return f, nil
	}
	f.Plans = make([]ticketstore.Plan, len(f.Inbounds))
	for i := range f.Inbounds {
		if err := b.complete(ctx, e, &f.Inbounds[i]); err != nil {
			return f, err
		}
		if kind.Asks {
			ask(&f.Inbounds[i])
		}
		if b.o.Classify != nil && f.Inbounds[i].Type == desk.EnvelopeMessage {
			f.Plans[i] = b.o.Classify(f.Inbounds[i], e.ChannelID)
		}
	}
	return f, nil
}

// decode runs the kind's Decode. A big original is read as a stream where the kind can, else loaded: f.Envelope stays without it,
// for a batch of them must not be in memory at once.
func (b *Belt) decode(ctx context.Context, kind connectors.Kind, e desk.Envelope) (in []desk.Inbound, err error) {
	switch {
	case e.RawBlob != "" && kind.DecodeBig != nil:
		in, err = kind.DecodeBig(ctx, e, b.o.Blobs)
	default:
		if err := b.load(ctx, &e); err != nil {
			return nil, err
		}
		in, err = kind.Decode(e)
	}
	if err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	return in, nil
}

func (b *Belt) load(ctx context.Context, e *desk.Envelope) error {
	if e.RawBlob == "" {
		return nil
	}
	r, err := b.o.Blobs.Open(ctx, e.RawBlob)
	if err != nil {
		return fmt.Errorf("open original: %w", err)
	}
	defer r.Close()
	e.Raw, err = io.ReadAll(r)
	return err
}

// ask marks a message that only asks for the state of tickets: the house answers it.
func ask(in *desk.Inbound) {
	if in.Type != desk.EnvelopeMessage || in.FromAgent || in.Class != desk.ClassNormal || len(in.Attachments) > 0 {
		return
	}
	if q := normalizer.Question(in.Text); q != "" {
		in.Ask, in.NoTicket = q, true
		if in.Language == "" && strings.IndexFunc(in.Text, isLatinWord) >= 0 && strings.IndexFunc(in.Text, isHan) < 0 && q == "*" {
			in.Language = "en"
		}
	}
}

func isLatinWord(r rune) bool { return unicode.Is(unicode.Latin, r) }
func isHan(r rune) bool       { return unicode.Is(unicode.Han, r) }

// complete fills what Decode left to the house: defaults, and attachments that came as bytes become blobs.
func (b *Belt) complete(ctx context.Context, e desk.Envelope, in *desk.Inbound) error {
	if in.Type == "" {
		in.Type = e.Type
	}
	if in.Class == "" {
		in.Class = desk.ClassNormal
	}
	if in.SentAt == 0 {
		in.SentAt = e.ReceivedAt
	}
	for i := range in.Attachments {
		a := &in.Attachments[i]
		if a.Data == nil {
			continue
		}
		blob, err := b.o.Blobs.Put(ctx, bytes.NewReader(a.Data), 0)
		if err != nil {
			return fmt.Errorf("keep attachment: %w", err)
		}
		a.Blob, a.Size, a.Data = blob.Key, blob.Size, nil
		if a.Type == "" {
			a.Type = blob.Type
		}
	}
	return nil
}

// fileAll files in one transaction and waits while the store is away: the rows are safe, and nobody else will be quicker.
// Any other failure is one row's fault; then each is tried alone.
func (b *Belt) fileAll(ctx context.Context, filings []ticketstore.Filing) {
	start := b.o.Now()
	filed, err := b.o.Store.File(ctx, filings)
	for wait := 100 * time.Millisecond; errors.Is(err, desk.ErrUnavailable); wait = min(2*wait, 5*time.Second) {
		b.o.Logger.Warn("the store does not take messages; trying again", "waiting", len(filings), "err", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		filed, err = b.o.Store.File(ctx, filings)
	}
	switch {
	case err == nil:
		b.o.Metrics.filed(filed, b.o.Now().Sub(start))
		b.Tell(ctx, filed)
		b.opened(filings, filed)
	case ctx.Err() != nil:
	case len(filings) > 1:
		for i := range filings {
			b.fileAll(ctx, filings[i:i+1])
		}
	default:
		b.putOff(ctx, filings[0].Envelope, err, b.o.MaxAttempts)
	}
}

// Tell passes on what a commit made true: to the consoles, the router and whoever waits for it. The belt calls it after filing; others after
// what they filed by another way.
func (b *Belt) Tell(ctx context.Context, filed []ticketstore.Filed) {
	var queue []desk.Ticket
	var events []desk.Event
	var calls []desk.CallNews
	fetch, asked := false, false
	for _, f := range filed {
		if f.Skipped {
			b.Kick()
		}
		queue = append(append(append(queue, f.Opened...), f.Reopened...), f.Resumed...)
		events = append(events, f.Events...)
		for _, e := range f.Events {
			if e.Call != nil {
				calls = append(calls, *e.Call)
			}
		}
		fetch, asked = fetch || f.Fetch, asked || f.Asked
	}
	if len(events) > 0 && b.o.Publish != nil {
		b.o.Publish(ctx, events)
	}
	if len(queue) > 0 && b.o.Route != nil {
		b.o.Route(ctx, queue)
	}
	if len(calls) > 0 && b.o.Calls != nil {
		b.o.Calls(ctx, calls)
	}
	if fetch && b.o.Fetch != nil {
		b.o.Fetch()
	}
	if asked && b.o.Asked != nil {
		b.o.Asked()
	}
}

// opened names the messages that opened tickets. What machines wrote is left out: nothing answers them by itself.
func (b *Belt) opened(filings []ticketstore.Filing, filed []ticketstore.Filed) {
	if b.o.Opened == nil {
		return
	}
	for i, f := range filed {
		for _, t := range f.Opened {
			for _, in := range filings[i].Inbounds {
				if in.Type == desk.EnvelopeMessage && in.Class == desk.ClassNormal && !in.FromAgent && !in.NoTicket {
					b.o.Opened(in, t)
					break
				}
			}
		}
	}
}

// putOff schedules another try with growing distance (1 s, 2 s, 4 s … 5 min), or puts the envelope aside after the last one.
func (b *Belt) putOff(ctx context.Context, e desk.Envelope, cause error, tries int) {
	if ctx.Err() != nil {
		return // stopping: the lease brings it back
	}
	dead := e.Attempts >= tries
	wait := min(time.Second<<min(max(e.Attempts-1, 0), 9), 5*time.Minute)
	b.o.Logger.Warn("cannot file an envelope", "channel", e.ChannelID, "envelope", e.ID, "attempt", e.Attempts, "dead", dead, "err", cause)
	if err := b.o.Store.FailInbox(ctx, e.ID, cause.Error(), desk.At(b.o.Now().Add(wait)), dead); err != nil {
		b.o.Logger.Warn("cannot note a failed envelope; its lease brings it back", "envelope", e.ID, "err", err)
	}
	if dead {
		b.o.Metrics.outcome(desk.OutcomeDead)
	}
}

var _ connectors.Inbox = (*Belt)(nil)
