package bus

import (
	"sync"
	"time"
)

const maxRemembered = 10_000 // entries of each sort; beyond, the outdated ones go, then all

// memory is what this process remembers by itself while Redis is away: made values and rate buckets.
type memory struct {
	mu     sync.Mutex
	values map[string]remembered
	full   map[string]time.Time // when the bucket will be full again
}

type remembered struct {
	value string
	until time.Time
}

func (m *memory) value(key string) (string, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.values[key]
	return r.value, ok && time.Now().Before(r.until)
}

func (m *memory) keep(key, value string, ttl time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	m.values = room(m.values, func(r remembered) bool { return r.until.Before(now) })
	m.values[key] = remembered{value: value, until: now.Add(ttl)}
}

func (m *memory) drop(key, value string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.values[key].value == value {
		delete(m.values, key)
	}
}

// allow is allowScript for one process.
func (m *memory) allow(key string, per time.Duration, burst int, now time.Time) (bool, time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.full = room(m.full, func(t time.Time) bool { return t.Before(now) })
	full := m.full[key]
	if full.Before(now) {
		full = now
	}
	if wait := full.Add(per - time.Duration(burst)*per).Sub(now); wait > 0 {
		return false, wait
	}
	m.full[key] = full.Add(per)
	return true, 0
}

// room returns a map that can take one more.
func room[V any](m map[string]V, outdated func(V) bool) map[string]V {
	if len(m) >= maxRemembered {
		for k, v := range m {
			if outdated(v) {
				delete(m, k)
			}
		}
	}
	if m == nil || len(m) >= maxRemembered {
		m = map[string]V{}
	}
	return m
}
