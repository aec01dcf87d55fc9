package console

import "sync"

// recall remembers a bounded number of values by key. It keeps two generations: when the young one is full it becomes the old
// one, and the old one is forgotten; what is asked for from the old one becomes young again.
type recall[V any] struct {
	mu         sync.Mutex
	max        int // of each generation
	young, old map[string]V
}

func newRecall[V any](limit int) *recall[V] {
	return &recall[V]{max: max(limit/2, 1), young: map[string]V{}}
}

func (r *recall[V]) get(key string) (V, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if v, ok := r.young[key]; ok {
		return v, true
	}
	v, ok := r.old[key]
	if ok {
		r.keep(key, v)
	}
	return v, ok
}

func (r *recall[V]) put(key string, v V) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keep(key, v)
}

func (r *recall[V]) drop(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.young, key)
	delete(r.old, key)
}

func (r *recall[V]) keep(key string, v V) {
	if len(r.young) >= r.max {
		r.old, r.young = r.young, map[string]V{}
	}
	r.young[key] = v
}
