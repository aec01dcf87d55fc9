package delivery

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"hearback/connectors"
	"hearback/desk"
	"hearback/ticketstore"
)

// store is what the outbound belt needs from the ticket store.
type store interface {
	ClaimDeliveries(ctx context.Context, limit int, leaseUntil desk.Time) ([]ticketstore.ClaimedDelivery, error)
	Settle(ctx context.Context, s []ticketstore.Settlement) ([]desk.Event, error)
	NextDeliveryDue(ctx context.Context) (desk.Time, error)
	Quote(ctx context.Context, reply desk.ID) (*desk.Quote, error)
	HoldChannel(ctx context.Context, channel desk.ID, reason string) ([]desk.Event, error)
}

// fleet finds the open connector of a channel.
type fleet interface {
	Get(channel desk.ID) (connectors.Connector, desk.Channel, bool)
}

// Options is what a belt works with. Store, Fleet and Logger are required.
type Options struct {
	Store   store
	Fleet   fleet
	Publish func(context.Context, []desk.Event)
	Logger  *slog.Logger
	Now     func() time.Time
	Workers int           // replies on their way at once; 0: 16
	Lease   time.Duration // 0: 90 s; a send is given at most two thirds of it
	Metrics *Metrics
}

// Belt is the outbound belt of one node.
type Belt struct {
	o    Options
	kick chan struct{}
	free chan struct{} // one token per idle worker
}

const sweepEvery = 5 * time.Second

// New makes a belt; Run starts it.
func New(o Options) *Belt {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Workers == 0 {
		o.Workers = 16
	}
	if o.Lease == 0 {
		o.Lease = 90 * time.Second
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics(nil)
	}
	b := &Belt{o: o, kick: make(chan struct{}, 1), free: make(chan struct{}, o.Workers)}
	for range o.Workers {
		b.free <- struct{}{}
	}
	return b
}

// Kick makes the belt look for due replies now.
func (b *Belt) Kick() {
	select {
	case b.kick <- struct{}{}:
	default:
	}
}

// Run sends replies until ctx ends and then waits for those under way: their outcome is still recorded.
func (b *Belt) Run(ctx context.Context) error {
	var sends sync.WaitGroup
	defer sends.Wait()
	sweep := time.NewTimer(0)
	defer sweep.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-b.kick:
		case <-sweep.C:
		}
		sweep.Reset(b.round(ctx, &sends))
	}
}

// round starts every due reply for which a worker is idle and returns how long the next look may wait.
func (b *Belt) round(ctx context.Context, sends *sync.WaitGroup) time.Duration {
	for ctx.Err() == nil {
		workers := b.take(ctx)
		if workers == 0 {
			return sweepEvery
		}
		claimed, err := b.o.Store.ClaimDeliveries(ctx, workers, desk.At(b.o.Now().Add(b.o.Lease)))
		b.give(workers - len(claimed))
		if err != nil {
			if ctx.Err() == nil {
				b.o.Logger.Warn("cannot claim deliveries; trying again", "err", err)
			}
			return sweepEvery
		}
		if len(claimed) == 0 {
			return b.untilNext(ctx)
		}
		for _, c := range claimed {
			sends.Go(func() {
				// A stop must not cut a send in half: the provider may already have it.
				b.deliver(context.WithoutCancel(ctx), c)
				b.give(1)
				b.Kick() // the next reply of this ticket may go now
			})
		}
	}
	return sweepEvery
}

// take waits for one idle worker and takes all others that are idle too.
func (b *Belt) take(ctx context.Context) int {
	select {
	case <-ctx.Done():
		return 0
	case <-b.free:
	}
	for n := 1; ; n++ {
		select {
		case <-b.free:
		default:
			return n
		}
	}
}

func (b *Belt) give(n int) {
	for range n {
		b.free <- struct{}{}
	}
}

func (b *Belt) untilNext(ctx context.Context) time.Duration {
	due, err := b.o.Store.NextDeliveryDue(ctx)
	if err != nil || due == 0 {
		return sweepEvery
	}
	return min(max(due.Std().Sub(b.o.Now()), 10*time.Millisecond), sweepEvery)
}

// deliver makes one registered attempt and records how it ended.
func (b *Belt) deliver(ctx context.Context, c ticketstore.ClaimedDelivery) {
	s := b.attempt(ctx, c)
	s.DeliveryID = c.Outbound.DeliveryID
	b.o.Metrics.settled(s.State)
	log := b.o.Logger.With("channel", c.Outbound.ChannelID, "ticket", c.Outbound.TicketID, "message", c.Outbound.MessageID, "delivery", s.DeliveryID)
	if s.State == desk.DeliveryHeld {
		b.hold(ctx, log, c.Outbound.ChannelID, s.Hint)
	}
	if s.State != desk.DeliverySent {
		log.Warn("a reply was not sent", "state", s.State, "code", s.Code, "attempt", c.Outbound.Attempt)
	}
	// The outcome is known only here: keep trying to write it down until the lease ends, when another try would begin.
	giveUp := b.o.Now().Add(b.o.Lease / 3)
	for wait := 50 * time.Millisecond; ; wait *= 2 {
		events, err := b.o.Store.Settle(ctx, []ticketstore.Settlement{s})
		if err == nil {
			if b.o.Publish != nil {
				b.o.Publish(ctx, events)
			}
			return
		}
		log.Warn("cannot record what became of a reply", "state", s.State, "err", err)
		if b.o.Now().After(giveUp) {
			return
		}
		time.Sleep(wait)
	}
}

func (b *Belt) hold(ctx context.Context, log *slog.Logger, channel desk.ID, reason string) {
	events, err := b.o.Store.HoldChannel(ctx, channel, reason)
	if err != nil {
		log.Warn("cannot hold a channel whose credentials are refused", "err", err)
		return
	}
	if b.o.Publish != nil {
		b.o.Publish(ctx, events)
	}
}

// attempt fits and sends, and turns the answer into a settlement.
func (b *Belt) attempt(ctx context.Context, c ticketstore.ClaimedDelivery) ticketstore.Settlement {
	conn, _, ok := b.o.Fleet.Get(c.Outbound.ChannelID)
	if !ok {
		return ticketstore.Settlement{State: desk.DeliveryQueued, NextAt: desk.At(b.o.Now().Add(30 * time.Second)), FreeAttempt: true,
			Code: "channel_off", Hint: "The channel is switched off; the reply leaves when it is on again."}
	}
	caps := conn.Capabilities()
	if m, ok := meansOf(caps, c.Outbound.Means); ok {
		caps.Resendable = m.Resendable
	}
	if c.Interrupted && !caps.Resendable {
		return ticketstore.Settlement{State: desk.DeliveryUncertain, Code: "interrupted",
			Hint: "Sending was interrupted; the customer may have received it."}
	}
	if caps.History {
		if quote, err := b.o.Store.Quote(ctx, c.Outbound.MessageID); err == nil {
			c.Outbound.Quote = quote
		} else {
			b.o.Logger.Warn("a reply leaves without the history below it", "message", c.Outbound.MessageID, "err", err)
		}
	}
	parts, err := Fit(c.Outbound, caps, desk.At(b.o.Now()))
	if err != nil {
		return b.settlement(err, caps, c)
	}
	done := ticketstore.Settlement{State: desk.DeliverySent, PartsDone: c.PartsDone}
	for i := c.PartsDone; i < len(parts); i++ {
		receipt, err := b.send(ctx, conn, parts[i], caps.SendTimeout)
		if err != nil {
			s := b.settlement(err, caps, c)
			s.PartsDone = i
			return s
		}
		done.PartsDone, done.ProviderID = i+1, receipt.ExternalID
		if receipt.State != "" {
			done.State = receipt.State
		}
	}
	return done
}

// send calls the connector with a time limit well inside the lease. A panic counts as "may have been sent".
func (b *Belt) send(ctx context.Context, conn connectors.Connector, out desk.Outbound, timeout time.Duration) (r connectors.Receipt, err error) {
	limit := b.o.Lease * 2 / 3
	if timeout == 0 {
		timeout = 30 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, min(timeout, limit))
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			b.o.Logger.Error("sending panicked", "channel", out.ChannelID, "delivery", out.DeliveryID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = &connectors.SendError{Class: connectors.Uncertain, Code: "panic", Hint: "An internal error occurred while sending; the customer may have received it."}
		}
	}()
	return conn.Send(ctx, out)
}
