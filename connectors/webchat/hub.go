package webchat

import (
	"sync"
	"time"
)

const (
	wheelSlots = 25               // one per second: every socket is looked at every 25 s
	silence    = 60 * time.Second // a socket that says nothing for so long is dead
	quiet      = 20 * time.Second // one that spoke within it needs no ping
	linger     = 30 * time.Second // a visitor is remembered so long after his last window closed
	recent     = 10 * time.Minute // who was active within it may have missed a hint: the wheel looks into the log
	maxWindows = 20               // sockets of one visitor on one node
)

// hub knows the visitors who have a window open on this node.
type hub struct {
	mu       sync.Mutex
	visitors map[string]*visitor
	slots    [wheelSlots]map[*socket]struct{}
	next     int // slot of the next socket
	leaving  []leaver
	closed   bool
	gone     sync.WaitGroup // readers
}

// A leaver is a visitor whose last window closed.
type leaver struct {
	v     *visitor
	epoch int
	at    time.Time
}

// A visitor is somebody with at least one socket or waiting request here.
type visitor struct {
	id    string
	refs  int // guarded by hub.mu
	epoch int // counts comings and goings, guarded by hub.mu

	mu      sync.Mutex
	sockets []*socket
	waiters []chan struct{} // of long polls and event streams
	active  int64           // unix seconds of the last event
	online  bool            // the agents were told
	marks   marks
}

func newHub() *hub {
	h := &hub{visitors: map[string]*visitor{}}
	for i := range h.slots {
		h.slots[i] = map[*socket]struct{}{}
	}
	return h
}

// join counts the caller in; nil when the hub is closed. leave counts him out.
func (h *hub) join(id string) *visitor {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil
	}
	v := h.visitors[id]
	if v == nil {
		v = &visitor{id: id}
		h.visitors[id] = v
	}
	v.refs++
	v.epoch++
	return v
}

// leave forgets a visitor, at once when there is nothing to remember, else after a while: most come back (a reload).
func (h *hub) leave(v *visitor, now time.Time) {
	v.mu.Lock()
	remember := v.online || v.marks.loaded
	v.mu.Unlock()
	h.mu.Lock()
	defer h.mu.Unlock()
	if v.refs--; v.refs > 0 {
		return
	}
	if !remember {
		delete(h.visitors, v.id)
		return
	}
	v.epoch++
	h.leaving = append(h.leaving, leaver{v, v.epoch, now})
}

// find returns a visitor who is here, or nil.
func (h *hub) find(id string) *visitor {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.visitors[id]
}

// left removes and returns the visitors who have stayed away long enough.
func (h *hub) left(now time.Time) (out []*visitor) {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for ; n < len(h.leaving) && now.Sub(h.leaving[n].at) >= linger; n++ {
		l := h.leaving[n]
		if l.v.refs == 0 && l.v.epoch == l.epoch {
			delete(h.visitors, l.v.id)
			out = append(out, l.v)
		}
	}
	h.leaving = append(h.leaving[:0:0], h.leaving[n:]...)
	return out
}

// add puts a socket on the wheel; false when the hub is closed or the visitor has too many windows.
func (h *hub) add(s *socket) bool {
	s.v.mu.Lock()
	if len(s.v.sockets) >= maxWindows {
		s.v.mu.Unlock()
		return false
	}
	s.v.sockets = append(s.v.sockets, s)
	s.v.mu.Unlock()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	s.slot = uint8(h.next)
	h.next = (h.next + 1) % wheelSlots
	h.slots[s.slot][s] = struct{}{}
	h.gone.Add(1)
	return true
}

// remove takes it off again. Whoever added it calls this once.
func (h *hub) remove(s *socket) {
	h.mu.Lock()
	delete(h.slots[s.slot], s)
	h.mu.Unlock()
	h.gone.Done()
}

func (v *visitor) drop(s *socket) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for i, o := range v.sockets {
		if o == s {
			last := len(v.sockets) - 1
			v.sockets[i], v.sockets[last] = v.sockets[last], nil
			v.sockets = v.sockets[:last]
			return
		}
	}
}

// slot returns the sockets of one slot of the wheel.
func (h *hub) slot(n int) []*socket {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make([]*socket, 0, len(h.slots[n]))
	for s := range h.slots[n] {
		out = append(out, s)
	}
	return out
}

// closeAll says good-bye to everybody and waits for the sockets at most so long, then cuts them.
func (h *hub) closeAll(wait time.Duration) {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	for n := range h.slots {
		for _, s := range h.slot(n) {
			s.shut(closeRestart, "restart")
		}
	}
	done := make(chan struct{})
	go func() { h.gone.Wait(); close(done) }()
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-done:
		return
	case <-t.C:
	}
	for n := range h.slots {
		for _, s := range h.slot(n) {
			s.conn.Close()
		}
	}
	<-done
}

// turnWheel looks at a twenty-fifth of the sockets each second: dead ones go, quiet ones get a ping, busy visitors' ones a
// look into the log in case a hint was lost.
func (c *Channel) turnWheel() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for n := 0; ; n = (n + 1) % wheelSlots {
		select {
		case <-c.ctx.Done():
			return
		case <-tick.C:
		}
		now := c.now()
		for _, s := range c.hub.slot(n) {
			c.look(s, now)
		}
		for _, v := range c.hub.left(now) {
			if v.online {
				c.signal("offline", v.id, nil)
			}
		}
	}
}

func (c *Channel) look(s *socket, now time.Time) {
	since := now.Sub(time.Unix(s.seen.Load(), 0))
	if since > silence {
		s.conn.Close() // the reader wakes up and clears away
		return
	}
	if since > quiet {
		s.push(frame{kind: framePing})
	}
	s.v.mu.Lock()
	busy := now.Sub(time.Unix(s.v.active, 0)) < recent
	s.v.mu.Unlock()
	if busy {
		s.catchUp(0)
	}
}
