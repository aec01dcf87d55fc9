package intake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"hearback/connectors"
	"hearback/desk"
	"hearback/ticketstore"
)

// An arrival is one Accept call waiting for its transaction. It owns its envelopes: the caller may give up and go.
type arrival struct {
	a    ticketstore.Arrival
	done chan error // buffered
}

// Accept takes a batch of one channel into safety; see connectors.Inbox. All envelopes of a batch must carry the same
// ChannelID and a Kind; a batch that only moves the cursor must carry the ChannelID itself.
func (b *Belt) Accept(ctx context.Context, batch connectors.Batch) error {
	if len(batch.Envelopes) == 0 && batch.Cursor == nil {
		return nil
	}
	a, err := b.prepare(ctx, batch)
	if err != nil {
		return err
	}
	select {
	case b.arrivals <- a:
	case <-ctx.Done():
		return fmt.Errorf("accept: %w: %w", desk.ErrUnavailable, ctx.Err())
	}
	select {
	case err := <-a.done:
		if err != nil {
			return fmt.Errorf("accept: %w", err)
		}
		for i := range batch.Envelopes {
			e, got := &batch.Envelopes[i], &a.a.Envelopes[i]
			e.ID, e.Seq, e.Duplicate, e.Conflict, e.ReceivedAt = got.ID, got.Seq, got.Duplicate, got.Conflict, got.ReceivedAt
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("accept: %w: %w", desk.ErrUnavailable, ctx.Err())
	}
}

// prepare checks and completes the envelopes and moves big originals out of the row.
func (b *Belt) prepare(ctx context.Context, batch connectors.Batch) (*arrival, error) {
	if len(batch.Envelopes) == 0 && batch.ChannelID == "" {
		return nil, fmt.Errorf("accept: %w: a cursor without a channel", desk.ErrInvalid)
	}
	a := &arrival{done: make(chan error, 1)}
	a.a.ChannelID, a.a.Cursor = batch.ChannelID, batch.Cursor
	a.a.Envelopes = slices.Clone(batch.Envelopes)
	now := desk.At(b.o.Now())
	for i := range a.a.Envelopes {
		e := &a.a.Envelopes[i]
		if e.ExternalID == "" || e.Sender == "" || e.ChannelID == "" || e.Kind == "" {
			return nil, fmt.Errorf("accept: %w: an envelope lacks external id, sender, channel or kind", desk.ErrInvalid)
		}
		a.a.ChannelID = e.ChannelID
		if e.ID == "" {
			e.ID = desk.NewID()
		}
		if e.Type == "" {
			e.Type = desk.EnvelopeMessage
		}
		if e.ReceivedAt == 0 {
			e.ReceivedAt = now
		}
		if len(e.Raw) > maxRawInRow {
			blob, err := b.o.Blobs.Put(ctx, bytes.NewReader(e.Raw), 0)
			if err != nil {
				return nil, fmt.Errorf("accept: keep original: %w", err)
			}
			e.RawBlob, e.Raw = blob.Key, nil
		}
	}
	return a, nil
}

// commit is the group commit: whatever has piled up while one transaction ran goes into the next; an idle belt commits at once.
func (b *Belt) commit(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			b.refuse()
			return nil
		case first := <-b.arrivals:
			group, n := []*arrival{first}, len(first.a.Envelopes)
			for more := true; more && n < b.o.Batch; {
				select {
				case a := <-b.arrivals:
					group, n = append(group, a), n+len(a.a.Envelopes)
				default:
					more = false
				}
			}
			b.put(ctx, group, n)
		}
	}
}

// refuse answers the arrivals that came too late. Callers whose arrival comes later still give up with their context.
func (b *Belt) refuse() {
	for {
		select {
		case a := <-b.arrivals:
			a.done <- fmt.Errorf("%w: the gateway is stopping", desk.ErrUnavailable)
		default:
			return
		}
	}
}

// put commits a group. If that fails for another reason than a store that is away, every arrival is tried alone, so that
// one bad batch does not refuse its neighbours.
func (b *Belt) put(ctx context.Context, group []*arrival, n int) {
	var lease desk.Time // zero: due at once, for whoever claims first
	if b.waiting.Load()+int64(n) <= readyRoom {
		lease = desk.At(b.o.Now().Add(b.o.Lease))
	}
	rows := make([]*ticketstore.Arrival, len(group))
	for i, a := range group {
		rows[i] = &a.a
	}
	err := b.o.Store.PutInbox(ctx, rows, lease)
	if err != nil && len(group) > 1 && !errors.Is(err, desk.ErrUnavailable) && ctx.Err() == nil {
		for i := range group {
			b.put(ctx, group[i:i+1], len(group[i].a.Envelopes))
		}
		return
	}
	if err == nil {
		b.o.Metrics.accepted(n, len(group))
		b.hand(group, lease != 0)
	}
	for _, a := range group {
		a.done <- err
	}
}

// hand gives committed envelopes to the filing side before their callers are told, so that filing starts as early as possible.
func (b *Belt) hand(group []*arrival, leased bool) {
	if !leased {
		b.Kick()
		return
	}
	for _, a := range group {
		for _, e := range a.a.Envelopes {
			if !e.Duplicate {
				b.waiting.Add(1)
				e.Attempts = 1
				b.ready <- e // never blocks: waiting was checked before the commit, and commit has one goroutine
			}
		}
	}
}
