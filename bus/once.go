package bus

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"hearback/desk"
)

const (
	onceLock    = 15 * time.Second       // how long a dead maker keeps the others waiting
	onceRenew   = 5 * time.Second        // a living one renews its lock this often
	oncePoll    = 20 * time.Millisecond  // waiters look again, rarer and rarer
	oncePollMax = 250 * time.Millisecond //
)

// Answers the value when there is one, else takes the lock: in one step, or a maker that just finished would be followed by
// another. ARGV: 1 token, 2 milliseconds. Answers {1, value}, {2} for the lock taken, {0} for wait.
var onceTake = redis.NewScript(`
local v = redis.call('GET', KEYS[1])
if v then return {1, v} end
if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then return {2, ''} end
return {0, ''}`)

// Makes the value public only while the maker still holds the lock. The lock's content is the fencing token: a maker that was
// declared dead must not overwrite what its successor made.
var onceStore = redis.NewScript(`
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2])
if tonumber(ARGV[3]) > 0 then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1`)

var onceExtend = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`)

var dropValue = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`)

// Once returns the value under key, or makes it: among all nodes only one runs make at a time, the others wait for its value.
// The value lives for the duration make returns (at least a millisecond; 0 or less: it is not kept). An error of make goes to
// whoever ran it and to those of the same process who waited; others try themselves. While Redis is away each process makes
// its own and remembers it.
func (b *Bus) Once(ctx context.Context, key string,
	make func(context.Context) (value string, ttl time.Duration, err error)) (string, error) {
	for {
		f, leader := b.flights.join(key)
		if leader {
			f.value, f.err = b.once(ctx, key, make)
			b.flights.land(key, f)
			return f.value, f.err
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-f.landed:
		}
		// The leader's caller went away: that says nothing about this one.
		if errors.Is(f.err, context.Canceled) || errors.Is(f.err, context.DeadlineExceeded) {
			if ctx.Err() == nil {
				continue
			}
		}
		return f.value, f.err
	}
}

func (b *Bus) once(ctx context.Context, key string,
	make func(context.Context) (string, time.Duration, error)) (string, error) {
	value, lock := b.Key("once", key), b.Key("lock", key)
	token := b.node + "/" + desk.NewID()
	for wait := oncePoll; ; wait = min(2*wait, oncePollMax) {
		answer, err := onceTake.Run(ctx, b.client, []string{value, lock}, token, onceLock.Milliseconds()).Slice()
		switch {
		case err != nil || len(answer) != 2:
			return b.onceAlone(ctx, key, make, err)
		case answer[0] == int64(1):
			return fmt.Sprint(answer[1]), nil
		case answer[0] == int64(2):
			return b.onceHolding(ctx, key, token, make)
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(wait):
		}
	}
}

// onceHolding makes and stores the value while it holds the lock.
func (b *Bus) onceHolding(ctx context.Context, key, token string,
	make func(context.Context) (string, time.Duration, error)) (string, error) {
	lock := b.Key("lock", key)
	// Whatever make does, a panic included, the lock is given back.
	var v string
	var ttl time.Duration
	defer func() {
		// The caller may have gone; what was made is still good for the others.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commandTimeout)
		defer cancel()
		keys := []string{b.Key("once", key), lock}
		if err := onceStore.Run(ctx, b.client, keys, token, v, strconv.FormatInt(ttl.Milliseconds(), 10)).Err(); err != nil {
			b.logger.Warn("shared value cannot be stored: other nodes will make their own", "err", err)
		}
	}()
	stop := b.renew(ctx, lock, token)
	defer stop()
	made, life, err := make(ctx)
	if err != nil {
		return "", err
	}
	v, ttl = made, max(life, 0)
	return v, nil
}

// renew keeps a lock alive until the returned function is called.
func (b *Bus) renew(ctx context.Context, lock, token string) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var done sync.WaitGroup
	done.Go(func() {
		tick := time.NewTicker(onceRenew)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				// Lost or unreachable: make goes on, and the script that stores refuses if somebody else took over.
				onceExtend.Run(ctx, b.client, []string{lock}, token, onceLock.Milliseconds())
			}
		}
	})
	return func() { cancel(); done.Wait() }
}

// onceAlone makes the value for this process only: Redis is away.
func (b *Bus) onceAlone(ctx context.Context, key string,
	make func(context.Context) (string, time.Duration, error), cause error) (string, error) {
	if ctx.Err() != nil {
		return "", fmt.Errorf("share value: %w", ctx.Err())
	}
	if v, ok := b.memory.value(key); ok {
		return v, nil
	}
	b.logger.Warn("redis is away: a shared value is made for this node only", "err", cause)
	v, ttl, err := make(ctx)
	if err != nil {
		return "", err
	}
	b.memory.keep(key, v, ttl)
	return v, nil
}

// Drop forgets key if it still holds value: a token the provider refused must not take its successor with it. A Once of this process
// that began before may still bring the old value to those who wait for it already, but to nobody who comes after.
func (b *Bus) Drop(ctx context.Context, key, value string) error {
	defer b.flights.part(key)
	b.memory.drop(key, value)
	if err := dropValue.Run(ctx, b.client, []string{b.Key("once", key)}, value).Err(); err != nil {
		return fmt.Errorf("drop shared value: %w", err)
	}
	return nil
}

// Seen marks key for ttl and tells whether it was marked before. On an error nothing is known: the caller decides whether to
// let it pass.
func (b *Bus) Seen(ctx context.Context, key string, ttl time.Duration) (bool, error) {
	fresh, err := b.client.SetNX(ctx, b.Key("seen", key), "1", max(ttl, time.Millisecond)).Result()
	if err != nil {
		return false, fmt.Errorf("mark as seen: %w", err)
	}
	return !fresh, nil
}

// flights are the Once calls under way in this process, by key.
type flights struct {
	mu sync.Mutex
	m  map[string]*flight
}

type flight struct {
	landed chan struct{} // closed when value and err are final
	value  string
	err    error
}

// join returns the flight of key; the one who started it must land it.
func (f *flights) join(key string) (fl *flight, leader bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fl := f.m[key]; fl != nil {
		return fl, false
	}
	if f.m == nil {
		f.m = map[string]*flight{}
	}
	fl = &flight{landed: make(chan struct{})}
	f.m[key] = fl
	return fl, true
}

// part lets nobody join the flight of key any more.
func (f *flights) part(key string) {
	f.mu.Lock()
	delete(f.m, key)
	f.mu.Unlock()
}

func (f *flights) land(key string, fl *flight) {
	f.mu.Lock()
	if f.m[key] == fl {
		delete(f.m, key)
	}
	f.mu.Unlock()
	close(fl.landed)
}
