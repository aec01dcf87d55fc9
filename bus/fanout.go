package bus

import (
	"slices"
	"sync"
	"sync/atomic"
)

// A fanout hands a value to everybody who listens, on the sender's goroutine. Sending takes no lock.
type fanout[T any] struct {
	mu   sync.Mutex
	list atomic.Pointer[[]*func(T)]
}

// add begins to call f; the returned function ends it.
func (o *fanout[T]) add(f func(T)) (remove func()) {
	p := &f
	o.mu.Lock()
	defer o.mu.Unlock()
	o.store(append(slices.Clone(o.load()), p))
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.store(slices.DeleteFunc(slices.Clone(o.load()), func(q *func(T)) bool { return p == q }))
	}
}

func (o *fanout[T]) send(v T) {
	for _, f := range o.load() {
		(*f)(v)
	}
}

func (o *fanout[T]) load() []*func(T) {
	if p := o.list.Load(); p != nil {
		return *p
	}
	return nil
}

func (o *fanout[T]) store(list []*func(T)) { o.list.Store(&list) }
