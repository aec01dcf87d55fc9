package console

import (
	"context"
	"encoding/json"
	"time"

	"github.com/gorilla/websocket"

	"hearback/connectors"
	"hearback/desk"
)

const frameTime = 10 * time.Second // for what one frame asks of the store

// read takes the page's frames until the socket ends. Each is answered before the next is read.
func (s *socket) read() {
	defer s.conn.Close()
	defer s.fail(websocket.CloseAbnormalClosure, "")
	s.conn.SetReadLimit(readLimit)
	for {
		s.listen()
		kind, data, err := s.conn.ReadMessage()
		if err != nil {
			return
		}
		if kind != websocket.TextMessage {
			s.fail(websocket.CloseUnsupportedData, "text frames only")
			continue // until the other side closes, or goodbyeWait
		}
		var f fromPage
		if err := json.Unmarshal(data, &f); err != nil {
			s.refuse("bad_frame", "The frame is not the JSON this socket speaks.")
			continue
		}
		s.handle(f)
	}
}

// listen gives the page another 30 seconds, unless the socket is being closed.
func (s *socket) listen() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closing {
		s.conn.SetReadDeadline(time.Now().Add(silence))
	}
}

func (s *socket) refuse(code, detail string) {
	s.send(encode(errorFrame{Type: "error", Code: code, Detail: detail}))
}

func (s *socket) handle(f fromPage) {
	ctx, cancel := context.WithTimeout(context.Background(), frameTime)
	defer cancel()
	switch f.Type {
	case "ping":
		s.send(encode(word{Type: "pong"}))
		s.beat(ctx)
	case "hello":
		s.hello(ctx, f)
	case "watch":
		s.watch(ctx, f.TicketID, f.Seq)
	case "unwatch":
		s.unwatch(f.TicketID)
	case "typing":
		s.typing(ctx, f)
	case "read":
		s.markRead(ctx, f)
	case "availability":
		s.availability(ctx, f.Value)
	default:
		s.refuse("bad_frame", "There is no such frame.")
	}
}

// beat renews the presence lease. Without Redis nobody is present and nothing else is missing.
func (s *socket) beat(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if err := s.h.c.router.Beat(ctx, s.me().Agent.ID); err != nil {
		s.h.c.logger.Debug("presence was not renewed", "err", err)
	}
}

func (s *socket) hello(ctx context.Context, f fromPage) {
	s.beat(ctx)
	for ticket, seq := range f.Tickets {
		s.watch(ctx, ticket, seq)
	}
	s.replayCalls(ctx)
	s.send(encode(welcomeFrame{
		Type: "welcome", Agent: s.h.c.me(ctx, s.me().Agent), Build: s.h.c.opt.Build, Now: desk.At(s.h.c.now()),
	}))
	s.h.counts.touch(s.me().Agent.ID, true)
	s.h.presence.look()
}

func (s *socket) markRead(ctx context.Context, f fromPage) {
	if !s.isWatching(f.TicketID) {
		s.refuse("not_watched", "Watch the ticket first.")
		return
	}
	if err := s.h.c.store.MarkRead(ctx, s.me().Agent.ID, f.TicketID, f.Seq); err != nil {
		s.refuse(fromError(err).Code, "The mark was not kept.")
		return
	}
	s.h.markRead(s.me().Agent.ID, f.TicketID, f.Seq)
}

func (s *socket) availability(ctx context.Context, value string) {
	word := desk.Availability(value)
	if word != desk.Available && word != desk.Busy && word != desk.Away {
		s.refuse("invalid", "Say available, busy or away.")
		return
	}
	if err := s.h.c.setAvailability(ctx, s.me().Agent.ID, word); err != nil {
		s.refuse(fromError(err).Code, "Your word was not kept.")
	}
}

// typing tells colleagues on the same ticket and, where the channel can, the customer.
func (s *socket) typing(ctx context.Context, f fromPage) {
	w := s.typingOn(f.TicketID, f.On)
	if w == nil {
		return
	}
	on := "false"
	if f.On {
		on = "true"
	}
	me := s.me().author()
	s.h.c.publish(ctx, []desk.Event{{
		Type: "typing", TicketID: f.TicketID,
		Data: map[string]string{"kind": me.Kind, "id": me.ID, "name": me.Name, "on": on},
	}})
	open, _, ok := s.h.c.fleet.Get(w.channel)
	if !ok {
		return
	}
	if typist, can := open.(connectors.Typist); can {
		if err := typist.Typing(ctx, w.sender, f.On); err != nil {
			s.h.c.logger.Debug("the customer was not shown typing", "ticket", f.TicketID, "err", err)
		}
	}
}

// typingOn is the watch when this frame says something new; pages repeat themselves.
func (s *socket) typingOn(ticket desk.ID, on bool) *watch {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.watches[ticket]
	if w == nil || on && time.Since(w.typed) < time.Second {
		return nil
	}
	w.typed = time.Now()
	if !on {
		w.typed = time.Time{}
	}
	return w
}
