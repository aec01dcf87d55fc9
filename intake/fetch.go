package intake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"hearback/connectors"
	"hearback/desk"
	"hearback/ticketstore"
)

// pending is what fetching needs from the ticket store.
type pending interface {
	AttachmentsToFetch(ctx context.Context, limit int, leaseUntil desk.Time) ([]ticketstore.PendingAttachment, error)
	SetAttachment(ctx context.Context, id desk.ID, blob string, size int64, mediaType, state, hint string) ([]desk.Event, error)
	PostponeAttachment(ctx context.Context, id desk.ID, at desk.Time, hint string) error
	NextAttachmentDue(ctx context.Context) (desk.Time, error)
}

// fleet finds the open connector of a channel.
type fleet interface {
	Get(channel desk.ID) (connectors.Connector, desk.Channel, bool)
}

// FetchOptions is what fetching works with. Store, Fleet, Blobs and Logger are required.
type FetchOptions struct {
	Store   pending
	Fleet   fleet
	Blobs   connectors.Blobs
	Publish func(context.Context, []desk.Event)
	Logger  *slog.Logger
	Now     func() time.Time
	Workers int           // files on their way at once; 0: 4
	Timeout time.Duration // for one file; 0: 2 minutes
	MaxSize int64         // bytes of one file; 0: 100 MB
}

// Fetch brings the files that messages only name: pictures and voice of WeChat, recordings of calls. It runs beside the belt, so
// that a text is never late for a picture.
//
// A file is claimed for as long as bringing it may take and a little more; if the node dies, the next one tries. What the provider
// says is gone for good is marked failed with its reason; anything else is tried until its reference runs out.
type Fetch struct {
	o    FetchOptions
	kick chan struct{}
}

const (
	fetchSweep = 10 * time.Second
	fetchLife  = 24 * time.Hour // of references that do not say when they end
)

// fetchBackoff is the distance to the next try after so many; the last one repeats.
var fetchBackoff = []time.Duration{2 * time.Second, 10 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute}

// NewFetch makes it; Run starts it.
func NewFetch(o FetchOptions) *Fetch {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Workers == 0 {
		o.Workers = 4
	}
	if o.Timeout == 0 {
		o.Timeout = 2 * time.Minute
	}
	if o.MaxSize == 0 {
		o.MaxSize = 100 << 20
	}
	return &Fetch{o: o, kick: make(chan struct{}, 1)}
}

// Kick makes it look for files now.
func (f *Fetch) Kick() {
	select {
	case f.kick <- struct{}{}:
	default:
	}
}

// Run fetches until ctx ends.
func (f *Fetch) Run(ctx context.Context) error {
	sweep := time.NewTimer(0)
	defer sweep.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-f.kick:
		case <-sweep.C:
		}
		sweep.Reset(f.round(ctx))
	}
}

// round brings what is due and returns how long the next look may wait.
func (f *Fetch) round(ctx context.Context) time.Duration {
	for ctx.Err() == nil {
		claimed, err := f.o.Store.AttachmentsToFetch(ctx, f.o.Workers, desk.At(f.o.Now().Add(f.o.Timeout+30*time.Second)))
		if err != nil {
			if ctx.Err() == nil {
				f.o.Logger.Warn("cannot claim files to fetch; trying again", "err", err)
			}
			return fetchSweep
		}
		if len(claimed) == 0 {
			break
		}
		var all sync.WaitGroup
		for _, p := range claimed {
			all.Go(func() { f.one(ctx, p) })
		}
		all.Wait()
	}
	due, err := f.o.Store.NextAttachmentDue(ctx)
	if err != nil || due == 0 {
		return fetchSweep
	}
	return min(max(due.Std().Sub(f.o.Now()), 10*time.Millisecond), fetchSweep)
}

// one brings one file and records how that ended.
func (f *Fetch) one(ctx context.Context, p ticketstore.PendingAttachment) {
	log := f.o.Logger.With("channel", p.ChannelID, "ticket", p.TicketID, "message", p.MessageID, "attachment", p.ID)
	blob, mediaType, err := f.bring(ctx, p)
	if ctx.Err() != nil {
		return // stopping: the lease brings it back
	}
	switch hint, final := f.judge(p, err); {
	case err == nil:
		f.settle(ctx, log, p.ID, blob, mediaType, "stored", "")
	case final:
		log.Warn("a file could not be fetched", "attempt", p.Attempts, "err", err)
		f.settle(ctx, log, p.ID, connectors.Blob{}, "", "failed", hint)
	default:
		log.Info("a file could not be fetched yet", "attempt", p.Attempts, "err", err)
		wait := fetchBackoff[min(max(p.Attempts-1, 0), len(fetchBackoff)-1)]
		if err := f.o.Store.PostponeAttachment(ctx, p.ID, desk.At(f.o.Now().Add(wait)), hint); err != nil {
			log.Warn("cannot put a file off; its lease brings it back", "err", err)
		}
	}
}

var errNoFetcher = errors.New("the channel is switched off or cannot fetch files")

// bring fetches the bytes into the blob store. A panic of the connector is an error of this file.
func (f *Fetch) bring(ctx context.Context, p ticketstore.PendingAttachment) (blob connectors.Blob, mediaType string, err error) {
	defer func() {
		if x := recover(); x != nil {
			f.o.Logger.Error("fetching a file panicked", "channel", p.ChannelID, "attachment", p.ID, "panic", fmt.Sprint(x), "stack", string(debug.Stack()))
			err = fmt.Errorf("fetch panicked: %v", x)
		}
	}()
	conn, _, open := f.o.Fleet.Get(p.ChannelID)
	fetcher, able := conn.(connectors.Fetcher)
	if !open || !able {
		return blob, "", errNoFetcher
	}
	ctx, cancel := context.WithTimeout(ctx, f.o.Timeout)
	defer cancel()
	body, mediaType, err := fetcher.Fetch(ctx, p.Ref)
	if err != nil {
		return blob, "", err
	}
	defer body.Close()
	blob, err = f.o.Blobs.Put(ctx, body, f.o.MaxSize)
	return blob, mediaType, err
}

// judge tells what to say of a failed try, and whether it was the last.
func (f *Fetch) judge(p ticketstore.PendingAttachment, err error) (hint string, final bool) {
	var refused *connectors.SendError
	switch {
	case err == nil:
		return "", false
	case errors.As(err, &refused) && refused.Class == connectors.Permanent:
		return orElse(refused.Hint, "The provider does not have this file any more."), true
	case errors.Is(err, desk.ErrInvalid):
		return fmt.Sprintf("The file is larger than %d MB.", f.o.MaxSize>>20), true
	}
	end := p.ExpiresAt
	if end == 0 {
		end = desk.MadeAt(p.ID).Add(fetchLife)
	}
	if desk.At(f.o.Now()) >= end {
		return "The file could not be fetched before the provider deleted it.", true
	}
	return "The file is still being fetched.", false
}

func (f *Fetch) settle(ctx context.Context, log *slog.Logger, id desk.ID, blob connectors.Blob, mediaType, state, hint string) {
	if blob.Type != "" && blob.Type != "application/octet-stream" {
		mediaType = blob.Type // content is believed before what was declared
	}
	events, err := f.o.Store.SetAttachment(ctx, id, blob.Key, blob.Size, mediaType, state, hint)
	if err != nil {
		log.Warn("cannot record a fetched file; it is fetched again", "err", err)
		return
	}
	if f.o.Publish != nil && len(events) > 0 {
		f.o.Publish(ctx, events)
	}
}

func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
