package connectortest

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"hearback/connectors"
	"hearback/desk"
)

// An Inbox records what was accepted, with the numbering, duplicates and conflicts of the real one.
type Inbox struct {
	clock *Clock

	mu       sync.Mutex
	accepted []desk.Envelope
	byID     map[string]desk.Envelope // channel + external id
	seqs     map[string]int64         // channel + sender
	lines    map[string][]connectors.Entry
	cursors  map[desk.ID][]byte
	fail     error
	failLog  error
	hang     chan struct{}
	calls    int
	news     chan struct{} // closed and replaced at every change
}

// NewInbox makes an empty one.
func NewInbox(clock *Clock) *Inbox {
	return &Inbox{clock: clock, byID: map[string]desk.Envelope{}, seqs: map[string]int64{}, lines: map[string][]connectors.Entry{},
		cursors: map[desk.ID][]byte{}, news: make(chan struct{})}
}

// Fail makes Accept fail with err until it is called with nil.
func (i *Inbox) Fail(err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.fail = err
}

// FailLog makes the log fail with err until it is called with nil.
func (i *Inbox) FailLog(err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.failLog = err
}

// HangLog makes Append hang until the returned function is called.
func (i *Inbox) HangLog() (release func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	hang := make(chan struct{})
	i.hang = hang
	return func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		close(hang)
		i.hang = nil
	}
}

// Envelopes returns what was accepted, duplicates left out, in order.
func (i *Inbox) Envelopes() []desk.Envelope {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.accepted)
}

// Calls tells how often Accept was called.
func (i *Inbox) Calls() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.calls
}

// Cursor returns the channel's committed position.
func (i *Inbox) Cursor(channel desk.ID) []byte {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.cursors[channel]
}

// Wait returns the accepted envelopes as soon as enough says so, or fails when ctx ends.
func (i *Inbox) Wait(ctx context.Context, enough func([]desk.Envelope) bool) ([]desk.Envelope, error) {
	for {
		i.mu.Lock()
		all, news := slices.Clone(i.accepted), i.news
		i.mu.Unlock()
		if enough(all) {
			return all, nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return all, fmt.Errorf("wait for envelopes, %d so far: %w", len(all), ctx.Err())
		}
	}
}

func (i *Inbox) accept(ch desk.Channel, b connectors.Batch) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.calls++
	if i.fail != nil {
		return i.fail
	}
	for n := range b.Envelopes {
		e := &b.Envelopes[n]
		if e.ExternalID == "" || e.Sender == "" {
			return fmt.Errorf("accept: %w: external id and sender must not be empty", desk.ErrInvalid)
		}
		e.ChannelID, e.Kind = ch.ID, ch.Kind
		i.put(e)
	}
	if b.Cursor != nil {
		i.cursors[ch.ID] = bytes.Clone(b.Cursor)
	}
	close(i.news)
	i.news = make(chan struct{})
	return nil
}

func (i *Inbox) put(e *desk.Envelope) {
	key := e.ChannelID + "\x00" + e.ExternalID
	if first, ok := i.byID[key]; ok {
		e.ID, e.Seq, e.ReceivedAt, e.Duplicate, e.Conflict = first.ID, first.Seq, first.ReceivedAt, true, first.Digest != e.Digest
		return
	}
	if e.ID == "" {
		e.ID = desk.NewID()
	}
	if e.Type == "" {
		e.Type = desk.EnvelopeMessage
	}
	if e.ReceivedAt == 0 {
		e.ReceivedAt = desk.At(i.clock.Now())
	}
	line := e.ChannelID + "\x00" + e.Sender
	i.seqs[line]++
	e.Seq = i.seqs[line]
	kept := *e
	kept.Raw, kept.Meta = bytes.Clone(e.Raw), maps.Clone(e.Meta)
	i.byID[key] = kept
	i.accepted = append(i.accepted, kept)
	if e.Type == desk.EnvelopeMessage {
		i.lines[line] = append(i.lines[line], connectors.Entry{Seq: e.Seq, ID: e.ExternalID, Inbound: true, Body: kept.Raw, At: e.ReceivedAt})
	}
}

func (i *Inbox) channel(ch desk.Channel) connectors.Inbox { return channelInbox{i, ch} }

type channelInbox struct {
	inbox *Inbox
	ch    desk.Channel
}

func (c channelInbox) Accept(ctx context.Context, b connectors.Batch) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("accept: %w: %w", desk.ErrUnavailable, err)
	}
	return c.inbox.accept(c.ch, b)
}

func (i *Inbox) log(channel desk.ID) connectors.Log { return channelLog{i, channel} }

type channelLog struct {
	inbox   *Inbox
	channel desk.ID
}

func (l channelLog) Append(ctx context.Context, sender, id string, body []byte) (int64, error) {
	i := l.inbox
	i.mu.Lock()
	hang := i.hang
	i.mu.Unlock()
	if hang != nil {
		select {
		case <-hang:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.failLog != nil {
		return 0, i.failLog
	}
	line := l.channel + "\x00" + sender
	for _, e := range i.lines[line] {
		if !e.Inbound && e.ID == id {
			return e.Seq, nil
		}
	}
	i.seqs[line]++
	i.lines[line] = append(i.lines[line], connectors.Entry{Seq: i.seqs[line], ID: id, Body: bytes.Clone(body), At: desk.At(i.clock.Now())})
	return i.seqs[line], nil
}

func (l channelLog) Read(_ context.Context, sender string, after int64, limit int) ([]connectors.Entry, error) {
	i := l.inbox
	i.mu.Lock()
	defer i.mu.Unlock()
	var out []connectors.Entry
	for _, e := range i.lines[l.channel+"\x00"+sender] {
		if e.Seq > after && len(out) < limit {
			out = append(out, e)
		}
	}
	return out, i.failLog
}

func (l channelLog) Last(_ context.Context, sender string) (int64, error) {
	l.inbox.mu.Lock()
	defer l.inbox.mu.Unlock()
	return l.inbox.seqs[l.channel+"\x00"+sender], l.inbox.failLog
}
