package fleet

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"hearback/connectors"
	"hearback/desk"
)

const (
	leaseFor   = 30 * time.Second
	renewEvery = 10 * time.Second
	leaseSlack = 5 * time.Second // given up this long before it runs out, for clocks that differ
	firstPause = time.Second
	longPause  = 5 * time.Minute
	credPause  = 15 * time.Minute // refused credentials: somebody has to mend them, which changes the version and reopens
	goodRun    = time.Minute      // after this long a failure is a new one
	handOver   = 3                // failures in a row after which another node may try
)

func (f *Fleet) startPolls(ctx context.Context) {
	f.mu.Lock()
	f.polls = ctx
	open := make([]*vessel, 0, len(f.open))
	for _, v := range f.open {
		open = append(open, v)
	}
	f.mu.Unlock()
	for _, v := range open {
		f.startPoll(v)
	}
}

func (f *Fleet) stopPolls() {
	f.mu.Lock()
	f.polls = nil
	open := make([]*vessel, 0, len(f.open))
	for _, v := range f.open {
		open = append(open, v)
	}
	f.mu.Unlock()
	for _, v := range open {
		v.haltPoll()
	}
}

// startPoll lets a Poller receive, once, while Run runs.
func (f *Fleet) startPoll(v *vessel) {
	if _, ok := v.current().(connectors.Poller); !ok {
		return
	}
	f.mu.RLock()
	parent := f.polls
	f.mu.RUnlock()
	v.mu.Lock()
	defer v.mu.Unlock()
	if parent == nil || v.done != nil {
		return
	}
	ctx, cancel := context.WithCancel(parent)
	done := make(chan struct{})
	v.halt, v.done = cancel, done
	go func() { defer close(done); f.poll(ctx, v) }()
}

// haltPoll stops the poller and waits until it has.
func (v *vessel) haltPoll() {
	v.mu.Lock()
	halt, done := v.halt, v.done
	v.mu.Unlock()
	if done != nil {
		halt()
		<-done
		v.mu.Lock()
		v.done = nil
		v.mu.Unlock()
	}
}

// poll waits for the lease and receives while it holds.
func (f *Fleet) poll(ctx context.Context, v *vessel) {
	name, failures := "channel:"+v.ch.ID, 0
	for ctx.Err() == nil {
		held, err := f.o.Store.Lease(ctx, name, f.o.Node, desk.At(f.o.Now().Add(leaseFor)))
		if err != nil || !held {
			pause(ctx, jitter(renewEvery))
			continue
		}
		failures = f.hold(ctx, v, name, failures)
		free, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
		if err := f.o.Store.Unlease(free, name, f.o.Node); err != nil {
			f.o.Logger.Warn("lease was not given back; it runs out by itself", "channel", v.ch.ID, "err", err)
		}
		cancel()
		if failures > 0 {
			pause(ctx, backoff(failures))
		}
	}
}

// hold receives, again and again, while the lease is renewed, and gives up after every third failure in a row, so that another
// node may try. It takes and returns how often in a row receiving has failed here.
func (f *Fleet) hold(ctx context.Context, v *vessel, name string, failures int) int {
	ctx, lost := context.WithCancel(ctx)
	renewed := make(chan struct{})
	go func() { defer close(renewed); defer lost(); f.renew(ctx, name) }()
	defer func() { lost(); <-renewed }()
	for {
		began := f.o.Now()
		err := f.receive(ctx, v)
		if ctx.Err() != nil {
			return 0
		}
		if f.o.Now().Sub(began) > goodRun {
			failures = 0
		}
		failures++
		if err == nil {
			err = errors.New("receiving ended by itself")
		}
		f.report(v.ch, err)
		f.o.Logger.Warn("receiving failed", "channel", v.ch.ID, "kind", v.ch.Kind, "failures", failures,
			"err", redact(err.Error(), f.secrets(v.ch)))
		if connectors.AsSendError(err).Class == connectors.Credentials {
			pause(ctx, credPause)
			failures = 0
			continue
		}
		if failures%handOver == 0 {
			return failures
		}
		pause(ctx, backoff(failures))
	}
}

// receive opens the channel with the cursor as it stands now (another node may have moved it) and lets it receive.
func (f *Fleet) receive(ctx context.Context, v *vessel) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("receive: panic: %v", p)
		}
	}()
	conn, err := f.openChannel(ctx, v.kind, v.ch)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	f.closeLate(v, v.replace(conn))
	poller, ok := conn.(connectors.Poller)
	if !ok {
		return fmt.Errorf("%w: kind %s opened something that cannot receive", desk.ErrInvalid, v.kind.Name)
	}
	return poller.Receive(ctx)
}

// renew keeps the lease until ctx ends, it is somebody else's, or it may have run out.
func (f *Fleet) renew(ctx context.Context, name string) {
	until := f.o.Now().Add(leaseFor)
	for {
		pause(ctx, renewEvery)
		if ctx.Err() != nil {
			return
		}
		next := f.o.Now().Add(leaseFor)
		try, cancel := context.WithTimeout(ctx, leaseSlack)
		held, err := f.o.Store.Lease(try, name, f.o.Node, desk.At(next))
		cancel()
		switch {
		case err == nil && held:
			until = next
		case err == nil:
			return
		case f.o.Now().Add(renewEvery + leaseSlack).After(until):
			return
		}
	}
}

// backoff doubles from 1 s to 5 min, with jitter.
func backoff(failures int) time.Duration {
	return jitter(min(longPause, firstPause<<min(failures-1, 16)))
}

// jitter is d, give or take a quarter, so that nodes and channels do not come all at once.
func jitter(d time.Duration) time.Duration {
	return d*3/4 + rand.N(d/2)
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
