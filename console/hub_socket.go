package console

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"hearback/desk"
)

const (
	queueLimit   = 256 // live frames waiting for one socket
	readLimit    = 64 << 10
	silence      = 30 * time.Second // without a frame the socket is closed
	writeWait    = 10 * time.Second
	goodbyeWait  = time.Second
	summaryPause = 50 * time.Millisecond
	readMarks    = 2000 // of tickets, remembered per socket
)

// socket is one agent's page. Frames wait in queue; what is known of tickets waits apart, the latest of each, so that a burst
// on one ticket costs one frame.
type socket struct {
	h       *hub
	conn    *websocket.Conn
	request *http.Request // to look again whether the log-in still stands
	person  atomic.Pointer[who]
	wake    chan struct{}
	done    chan struct{} // closed when the writer ended

	mu        sync.Mutex
	queue     []*frame
	room      *sync.Cond
	summaries map[desk.ID]*frame
	order     []desk.ID
	watches   map[desk.ID]*watch
	readTo    *recall[int64]
	flushing  bool // the writer is in the middle of a flush of summaries
	closing   bool
	code      int
	reason    string
}

func newSocket(h *hub, conn *websocket.Conn, r *http.Request, me who) *socket {
	s := &socket{
		h: h, conn: conn, request: r, wake: make(chan struct{}, 1), done: make(chan struct{}),
		summaries: map[desk.ID]*frame{}, watches: map[desk.ID]*watch{}, readTo: newRecall[int64](readMarks),
	}
	s.room = sync.NewCond(&s.mu)
	s.person.Store(&me)
	return s
}

func (s *socket) me() who { return *s.person.Load() }

// send queues a frame. A socket whose queue is full is shown the door.
func (s *socket) send(f *frame) {
	s.mu.Lock()
	s.pushLocked(f)
	s.mu.Unlock()
	s.poke()
}

func (s *socket) pushLocked(f *frame) {
	if s.closing {
		return
	}
	if len(s.queue) >= queueLimit {
		s.failLocked(closeResync, "resync")
		return
	}
	s.queue = append(s.queue, f)
}

// sendPatiently queues a frame of a replay: it waits for room instead of giving up, and ends when the socket does.
func (s *socket) sendPatiently(f *frame) {
	s.mu.Lock()
	for !s.closing && len(s.queue) >= queueLimit/2 {
		s.room.Wait()
	}
	s.pushLocked(f)
	s.mu.Unlock()
	s.poke()
}

// summarize queues a ticket as it is now; one that waits of the same ticket is replaced.
func (s *socket) summarize(ticket desk.ID, f *frame) {
	s.mu.Lock()
	if !s.closing {
		if _, waits := s.summaries[ticket]; !waits {
			s.order = append(s.order, ticket)
		}
		s.summaries[ticket] = f
	}
	s.mu.Unlock()
	s.poke()
}

func (s *socket) fail(code int, reason string) {
	s.mu.Lock()
	s.failLocked(code, reason)
	s.mu.Unlock()
	s.poke()
}

func (s *socket) failLocked(code int, reason string) {
	if s.closing {
		return
	}
	s.closing, s.code, s.reason = true, code, reason
	s.queue, s.summaries, s.order = nil, nil, nil
	s.room.Broadcast()
}

func (s *socket) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// write is the one goroutine that writes frames. It ends when the socket fails or a write does.
func (s *socket) write() {
	defer s.h.writers.Done()
	defer close(s.done)
	timer := time.NewTimer(0)
	defer timer.Stop()
	var flushed time.Time
	for {
		f, summary, wait, closing := s.next(time.Since(flushed))
		switch {
		case closing:
			s.sayGoodbye()
			return
		case f != nil:
			s.conn.SetWriteDeadline(time.Now().Add(writeWait))
			if s.conn.WritePreparedMessage(f.prepared) != nil {
				s.fail(websocket.CloseAbnormalClosure, "")
				s.conn.Close()
				return
			}
			if summary {
				flushed = time.Now()
			}
			continue
		}
		timer.Reset(wait)
		select {
		case <-s.wake:
		case <-timer.C:
		}
	}
}

// next takes what is to be written: queued frames first, then tickets, all that wait in one go but not more often than every
// 50 ms. Without either it says how long to sleep.
func (s *socket) next(sinceFlush time.Duration) (f *frame, summary bool, wait time.Duration, closing bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return nil, false, 0, true
	}
	if len(s.queue) > 0 {
		f = s.queue[0]
		s.queue[0] = nil
		if s.queue = s.queue[1:]; len(s.queue) == 0 {
			s.queue = nil
		}
		s.room.Signal()
		return f, false, 0, false
	}
	if len(s.order) == 0 {
		return nil, false, time.Hour, false
	}
	if !s.flushing && sinceFlush < summaryPause {
		return nil, false, summaryPause - sinceFlush, false
	}
	ticket := s.order[0]
	s.order = s.order[1:]
	f = s.summaries[ticket]
	delete(s.summaries, ticket)
	s.flushing = len(s.order) > 0
	return f, true, 0, false
}

// sayGoodbye writes the close frame; the reader ends with the client's answer or a moment later.
func (s *socket) sayGoodbye() {
	s.mu.Lock()
	code, reason := s.code, s.reason
	s.mu.Unlock()
	if code != websocket.CloseAbnormalClosure {
		message := websocket.FormatCloseMessage(code, reason)
		s.conn.WriteControl(websocket.CloseMessage, message, time.Now().Add(goodbyeWait))
	}
	s.conn.SetReadDeadline(time.Now().Add(goodbyeWait))
}

// hasRead notes what the agent has seen.
func (s *socket) hasRead(ticket desk.ID, seq int64) {
	if old, _ := s.readTo.get(ticket); seq > old {
		s.readTo.put(ticket, seq)
	}
}
