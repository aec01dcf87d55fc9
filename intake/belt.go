package intake

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"hearback/connectors"
	"hearback/desk"
	"hearback/ticketstore"
)

// store is what the inbound belt needs from the ticket store.
type store interface {
	PutInbox(ctx context.Context, arrivals []*ticketstore.Arrival, leaseUntil desk.Time) error
	ClaimInbox(ctx context.Context, limit int, leaseUntil desk.Time) ([]desk.Envelope, error)
	File(ctx context.Context, filings []ticketstore.Filing) ([]ticketstore.Filed, error)
	FailInbox(ctx context.Context, id desk.ID, reason string, retryAt desk.Time, dead bool) error
	NextInboxDue(ctx context.Context) (desk.Time, error)
}

// Options is what a belt works with. Store, Blobs, Kinds and Logger are required.
type Options struct {
	Store store
	Blobs connectors.Blobs
	Kinds []connectors.Kind
	// Classify proposes team, priority and tags for a message, should it open a ticket. nil: no proposal.
	Classify func(in desk.Inbound, channel desk.ID) ticketstore.Plan
	// Route queues tickets that were opened or reopened. It must not block for long and has its own safety net.
	Route func(context.Context, []desk.Ticket)
	// Opened is told of each ticket a person's message has opened, after the commit. It must not block. nil: nobody is.
	Opened func(in desk.Inbound, t desk.Ticket)
	// Publish tells the consoles; lost hints are refetched.
	Publish func(context.Context, []desk.Event)
	// Calls is told of calls that changed, after the consoles. Fetch and Asked are told that files wait to be fetched and questions to
	// be answered. None may block. nil: nobody is told.
	Calls       func(context.Context, []desk.CallNews)
	Fetch       func()
	Asked       func()
	Logger      *slog.Logger
	Now         func() time.Time
	Batch       int           // envelopes per transaction; 0: 256
	Lease       time.Duration // 0: 10 s
	MaxAttempts int           // 0: 8
	Metrics     *Metrics      // nil: not counted
}

// Belt is the inbound belt of one node.
type Belt struct {
	o        Options
	kinds    map[string]connectors.Kind
	arrivals chan *arrival
	ready    chan desk.Envelope // accepted here, waiting to be filed
	waiting  atomic.Int64       // envelopes in ready or about to be put there
	kick     chan struct{}
}

const (
	maxRawInRow = 64 << 10 // a larger original is a blob, so that the inbox table stays quick to scan
	readyRoom   = 8192     // envelopes kept in memory; past that they wait in the database
	sweepEvery  = 5 * time.Second
	drainFor    = 5 * time.Second
)

// New makes a belt; Run starts it.
func New(o Options) *Belt {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Batch == 0 {
		o.Batch = 256
	}
	if o.Lease == 0 {
		o.Lease = 10 * time.Second
	}
	if o.MaxAttempts == 0 {
		o.MaxAttempts = 8
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics(nil)
	}
	kinds := map[string]connectors.Kind{}
	for _, k := range o.Kinds {
		kinds[k.Name] = k
	}
	return &Belt{
		o: o, kinds: kinds,
		arrivals: make(chan *arrival, 1024),
		ready:    make(chan desk.Envelope, readyRoom),
		kick:     make(chan struct{}, 1),
	}
}

// Run commits arrivals and files them until ctx ends; then it takes nothing more and files what it has in memory, for at most
// drainFor. What is left by then is filed after the lease, by any node.
func (b *Belt) Run(ctx context.Context) error {
	committed := make(chan struct{})
	var g errgroup.Group
	g.Go(func() error {
		defer close(committed)
		return b.commit(ctx)
	})
	g.Go(func() error {
		work, cancel := context.WithCancel(context.WithoutCancel(ctx))
		defer cancel()
		stop := context.AfterFunc(ctx, func() { time.AfterFunc(drainFor, cancel) })
		defer stop()
		b.file(ctx, work)
		<-committed
		b.drainAll(work)
		return nil
	})
	return g.Wait()
}

// drainAll files everything that was accepted before the stop.
func (b *Belt) drainAll(work context.Context) {
	for work.Err() == nil {
		select {
		case first := <-b.ready:
			b.process(work, b.drain(first))
		default:
			return
		}
	}
}

// Kick makes the belt look for due rows now, after a row was put back by hand.
func (b *Belt) Kick() {
	select {
	case b.kick <- struct{}{}:
	default:
	}
}

// file takes envelopes from memory as they come, and rows that fell due from the database, until ctx ends. The work itself
// runs under its own context, so that a stop does not cut a transaction that is nearly done.
func (b *Belt) file(ctx, work context.Context) {
	sweep := time.NewTimer(0) // rows of a former life first
	defer sweep.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case first := <-b.ready:
			batch := b.drain(first)
			b.process(work, batch)
			b.waiting.Add(-int64(len(batch)))
		case <-b.kick:
			sweep.Reset(b.sweep(ctx))
		case <-sweep.C:
			sweep.Reset(b.sweep(ctx))
		}
	}
}

func (b *Belt) drain(first desk.Envelope) []desk.Envelope {
	batch := append(make([]desk.Envelope, 0, min(b.o.Batch, len(b.ready)+1)), first)
	for len(batch) < b.o.Batch {
		select {
		case e := <-b.ready:
			batch = append(batch, e)
		default:
			return batch
		}
	}
	return batch
}

// sweep files due rows until there are none and returns how long the next one may be left alone.
func (b *Belt) sweep(ctx context.Context) time.Duration {
	for ctx.Err() == nil {
		batch, err := b.o.Store.ClaimInbox(ctx, b.o.Batch, desk.At(b.o.Now().Add(b.o.Lease)))
		if err != nil {
			b.o.Logger.Warn("cannot claim inbox rows; trying again", "err", err)
			return sweepEvery
		}
		if len(batch) == 0 {
			break
		}
		b.process(ctx, batch)
	}
	due, err := b.o.Store.NextInboxDue(ctx)
	if err != nil || due == 0 {
		return sweepEvery
	}
	return min(max(due.Std().Sub(b.o.Now()), 10*time.Millisecond), sweepEvery)
}
