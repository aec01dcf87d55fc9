package webchat

import (
	"strconv"
	"time"

	"github.com/gorilla/websocket"
)

const (
	maxQueue   = 256 // frames waiting on one socket
	writeWait  = 10 * time.Second
	goodbye    = 2 * time.Second // how long a closed socket may take to close, too
	page       = 200             // log entries read at once
	openingLog = 200             // how much of the conversation a new page gets

	closeRestart = websocket.CloseServiceRestart // 1012: come back, to any node
	closeResync  = 4008                          // too slow: come back with your position
)

type frameKind uint8

const (
	frameText frameKind = iota
	framePing
	framePong
	frameClose
)

// A frame is one item of a socket's queue. Its data may be shared with other sockets and is never changed.
type frame struct {
	kind frameKind
	data []byte
}

// offer gives a socket one event. It never blocks.
func (s *socket) offer(e shown, f []byte) {
	s.mu.Lock()
	switch {
	case !s.ready || s.closing || e.seq <= s.last:
	case s.catching:
		s.want = max(s.want, e.seq)
	case e.seq == s.last+1:
		s.last = e.seq
		s.enqueue(frame{frameText, f})
		s.markReply(e)
	default: // something is missing: the log has it
		s.want, s.catching = e.seq, true
	}
	s.wake()
}

// markReply asks the browser to tell that a reply has arrived: it answers a ping by itself. With s.mu held.
func (s *socket) markReply(e shown) {
	if e.external != "" {
		s.enqueue(frame{framePing, strconv.AppendInt([]byte("d"), e.seq, 10)})
	}
}

// push queues a frame that is no event.
func (s *socket) push(f frame) {
	s.mu.Lock()
	if !s.closing {
		s.enqueue(f)
	}
	s.wake()
}

// enqueue adds to the queue, or shows a slow reader the door. With s.mu held.
func (s *socket) enqueue(f frame) {
	if len(s.queue) >= maxQueue {
		s.shutLocked(closeResync, "resync")
		return
	}
	s.queue = append(s.queue, f)
}

// shut closes the socket after what it has queued.
func (s *socket) shut(code int, reason string) {
	s.mu.Lock()
	if !s.closing {
		s.shutLocked(code, reason)
	}
	s.wake()
}

// shutLocked queues the close frame; who is closed for being slow loses his queue, he asks for it again. With s.mu held.
func (s *socket) shutLocked(code int, reason string) {
	s.closing, s.catching = true, false
	if code == closeResync {
		s.queue = nil
	}
	s.queue = append(s.queue, frame{frameClose, websocket.FormatCloseMessage(code, reason)})
}

// catchUp makes the socket read the log up to at least want.
func (s *socket) catchUp(want int64) {
	s.mu.Lock()
	if s.ready && !s.closing {
		s.want, s.catching = max(s.want, want), true
	}
	s.wake()
}

// wake starts a writer when there is work and none is at it; called with s.mu held, it releases it. While the reader holds
// (it will write by itself in a moment) nothing is started.
func (s *socket) wake() {
	start := !s.held && s.claimWriting()
	s.mu.Unlock()
	if start {
		go s.write()
	}
}

// hold lets the reader gather frames; release writes them on the reader's own goroutine.
func (s *socket) hold() {
	s.mu.Lock()
	s.held = true
	s.mu.Unlock()
}

func (s *socket) release() {
	s.mu.Lock()
	s.held = false
	start := s.claimWriting()
	s.mu.Unlock()
	if start {
		s.write()
	}
}

// claimWriting makes the caller the one writer if there is work and none is at it. With s.mu held.
func (s *socket) claimWriting() bool {
	if s.writing || len(s.queue) == 0 && !s.behind() {
		return false
	}
	s.writing = true
	return true
}

// behind tells whether the log has to be replayed now. With s.mu held.
func (s *socket) behind() bool { return s.catching && !s.paused }

// write sends what is queued and replays the log where the socket is behind, until there is nothing left. One at a time runs
// per socket; no lock is held while the wire is.
func (s *socket) write() {
	for {
		s.mu.Lock()
		queue, behind := s.queue, s.behind()
		s.queue = nil
		if len(queue) == 0 && !behind {
			s.writing = false
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		if len(queue) > 0 {
			if !s.send(queue) {
				s.fail()
				return
			}
			continue // what came meanwhile goes first: it may be a close
		}
		s.replay()
	}
}

// send writes frames in one go; false when the socket is done for.
func (s *socket) send(frames []frame) bool {
	s.wire.cork()
	closed := false
	for _, f := range frames {
		switch f.kind {
		case frameText:
			s.conn.WriteMessage(websocket.TextMessage, f.data)
		case framePing:
			s.conn.WriteControl(websocket.PingMessage, f.data, time.Time{})
		case framePong:
			s.conn.WriteControl(websocket.PongMessage, f.data, time.Time{})
		case frameClose:
			s.conn.WriteControl(websocket.CloseMessage, f.data, time.Time{})
			closed = true
		}
	}
	if err := s.wire.uncork(); err != nil {
		return false
	}
	if closed { // the reader ends when the other side has closed too, or after a moment
		s.wire.Conn.SetReadDeadline(time.Now().Add(goodbye))
	}
	return true
}

// fail cuts a socket that cannot be written to. writing stays set: nobody shall try again.
func (s *socket) fail() {
	s.mu.Lock()
	s.closing, s.catching, s.queue = true, false, nil
	s.mu.Unlock()
	s.conn.Close()
}

// replay sends one page of the log after the socket's position.
func (s *socket) replay() {
	s.mu.Lock()
	last, want := s.last, s.want
	s.mu.Unlock()
	c := s.channel
	entries, err := c.tools.Log.Read(c.ctx, s.v.id, last, page)
	if err != nil {
		if c.ctx.Err() == nil {
			c.tools.Logger.Warn("the conversation could not be read; the visitor's page asks again", "err", err)
		}
		s.mu.Lock()
		s.ready, s.catching = false, false
		s.enqueue(frame{frameText, []byte(`{"type":"resync"}`)})
		s.mu.Unlock()
		return
	}
	var frames []frame
	for _, e := range entries {
		last = max(last, e.Seq)
		ev, ok := c.showEntry(e)
		if !ok {
			continue
		}
		frames = append(frames, frame{frameText, ev.frame()})
		if ev.external != "" {
			s.v.noteReply(ev)
			frames = append(frames, frame{framePing, strconv.AppendInt([]byte("d"), ev.seq, 10)})
		}
	}
	if len(frames) > 0 && !s.send(frames) {
		s.fail()
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = max(s.last, last)
	if len(entries) < page && s.want <= want { // the end, and nothing new was told meanwhile
		s.last, s.catching = max(s.last, s.want), false
	}
}
