package connectortest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"hearback/connectors"
	"hearback/desk"
)

// Blobs keeps files in memory.
type Blobs struct {
	mu    sync.Mutex
	files map[string][]byte
	fail  error
}

// NewBlobs makes an empty one.
func NewBlobs() *Blobs { return &Blobs{files: map[string][]byte{}} }

// Fail makes Put fail with err until it is called with nil.
func (b *Blobs) Fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fail = err
}

// Len tells how many files there are.
func (b *Blobs) Len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.files)
}

// Put stores a file.
func (b *Blobs) Put(_ context.Context, r io.Reader, max int64) (connectors.Blob, error) {
	if max > 0 {
		r = io.LimitReader(r, max+1)
	}
	content, err := io.ReadAll(r)
	if err != nil {
		return connectors.Blob{}, fmt.Errorf("put blob: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		return connectors.Blob{}, b.fail
	}
	if max > 0 && int64(len(content)) > max {
		return connectors.Blob{}, fmt.Errorf("put blob: %w", desk.ErrInvalid)
	}
	sum := sha256.Sum256(content)
	key := "sha256-" + hex.EncodeToString(sum[:])
	b.files[key] = content
	mediaType, _, _ := strings.Cut(http.DetectContentType(content), ";")
	return connectors.Blob{Key: key, Size: int64(len(content)), Type: mediaType}, nil
}

// Open returns a file's content.
func (b *Blobs) Open(_ context.Context, key string) (io.ReadSeekCloser, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	content, ok := b.files[key]
	if !ok {
		return nil, fmt.Errorf("open blob: %w", desk.ErrNotFound)
	}
	return nopCloser{bytes.NewReader(content)}, nil
}

type nopCloser struct{ io.ReadSeeker }

func (nopCloser) Close() error { return nil }

// Cache is one node's memory with the contract of the shared one.
type Cache struct {
	clock *Clock

	mu     sync.Mutex
	making map[string]*sync.Mutex // one maker at a time of each value, which may need another one
	values map[string]cached
	full   map[string]time.Time
	asked  int
	fail   error
}

type cached struct {
	value string
	until time.Time
}

// NewCache makes an empty one.
func NewCache(clock *Clock) *Cache {
	return &Cache{clock: clock, values: map[string]cached{}, full: map[string]time.Time{}, making: map[string]*sync.Mutex{}}
}

// Fail makes everything fail with err, as if Redis were gone, until it is called with nil.
func (c *Cache) Fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fail = err
}

// Asked tells how often Allow was called.
func (c *Cache) Asked() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked
}

func (c *Cache) get(key string) (string, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, ok := c.values[key]
	return v.value, ok && c.clock.Now().Before(v.until), c.fail
}

// Once returns the value under key or makes it.
func (c *Cache) Once(ctx context.Context, key string, make func(context.Context) (string, time.Duration, error)) (string, error) {
	c.mu.Lock()
	if c.making[key] == nil {
		c.making[key] = &sync.Mutex{}
	}
	once := c.making[key]
	c.mu.Unlock()
	once.Lock()
	defer once.Unlock()
	if v, ok, err := c.get(key); ok || err != nil {
		return v, err
	}
	v, ttl, err := make(ctx)
	if err != nil {
		return "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.values[key] = cached{v, c.clock.Now().Add(ttl)}
	return v, nil
}

// Drop forgets key if it still holds value.
func (c *Cache) Drop(_ context.Context, key, value string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.values[key].value == value {
		delete(c.values, key)
	}
	return c.fail
}

// Seen marks key and tells whether it was marked before.
func (c *Cache) Seen(_ context.Context, key string, ttl time.Duration) (bool, error) {
	_, ok, err := c.get("seen:" + key)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !ok {
		c.values["seen:"+key] = cached{"1", c.clock.Now().Add(ttl)}
	}
	return ok, err
}

// Allow takes one from a rate bucket.
func (c *Cache) Allow(_ context.Context, key string, perMinute, burst int) (bool, time.Duration, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	if c.fail != nil || perMinute <= 0 {
		return c.fail == nil, 0, c.fail
	}
	now, per := c.clock.Now(), time.Minute/time.Duration(perMinute)
	full := c.full[key]
	if full.Before(now) {
		full = now
	}
	if wait := full.Add(per).Sub(now) - per*time.Duration(max(burst, 1)); wait > 0 {
		return false, wait, nil
	}
	c.full[key] = full.Add(per)
	return true, 0, nil
}

// bus carries hints at once, to every subscriber.
type bus struct {
	mu   sync.Mutex
	subs map[int]func([]byte)
	next int
	deaf bool
}

func (b *bus) Publish(_ context.Context, payload []byte) error {
	b.mu.Lock()
	var all []func([]byte)
	if !b.deaf {
		for _, f := range b.subs {
			all = append(all, f)
		}
	}
	b.mu.Unlock()
	for _, f := range all {
		f(payload)
	}
	return nil
}

func (b *bus) Subscribe(ctx context.Context, f func([]byte)) error {
	b.mu.Lock()
	if b.subs == nil {
		b.subs = map[int]func([]byte){}
	}
	n := b.next
	b.next++
	b.subs[n] = f
	b.mu.Unlock()
	<-ctx.Done()
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.subs, n)
	return ctx.Err()
}

// Deafen loses every hint between nodes until it is called with false.
func (h *House) Deafen(deaf bool) {
	h.bus.mu.Lock()
	defer h.bus.mu.Unlock()
	h.bus.deaf = deaf
}

// Nodes tells how many listen for hints, for tests that wait until a second node does.
func (h *House) Nodes() int {
	h.bus.mu.Lock()
	defer h.bus.mu.Unlock()
	return len(h.bus.subs)
}
