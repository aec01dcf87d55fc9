package console

import (
	"context"
	"errors"
	"time"

	"hearback/desk"
)

const (
	watchLimit  = 500 // tickets one page may watch
	replayLimit = 500 // messages replayed of one ticket; more is a resync
	replayPage  = 200
	settleBack  = 30 // messages before the page's position whose state may have changed meanwhile
)

// watch is one ticket a page shows. Until the replay is through, live frames wait in held.
type watch struct {
	channel desk.ID
	sender  string
	typed   time.Time

	replaying bool
	held      []heldFrame
	horizon   int64 // messages up to this seq were replayed
}

type heldFrame struct {
	message int64 // seq of the message added; 0 for updates
	frame   *frame
}

// watch shows a ticket from seq on. It listens first and replays then, so that nothing falls between; what comes twice is
// dropped by its seq.
func (s *socket) watch(ctx context.Context, ticket desk.ID, seq int64) {
	t, err := s.h.c.store.Ticket(ctx, ticket)
	if errors.Is(err, desk.ErrNotFound) || err == nil && !s.me().Scope.Sees(t) {
		s.send(encode(ticketWord{Type: "gone", TicketID: ticket}))
		return
	}
	if err != nil {
		s.refuse(fromError(err).Code, "The ticket could not be read. Try again.")
		return
	}
	if !s.beginWatch(ticket, t) {
		s.refuse("too_many", "A page watches at most 500 tickets.")
		return
	}
	s.h.watch(s, ticket)
	if !s.replay(ctx, ticket, seq) {
		s.replayed(ticket, t.Version) // what it loads has that much
		s.sendPatiently(encode(ticketWord{Type: "resync", TicketID: ticket}))
	}
	s.release(ticket)
}

func (s *socket) beginWatch(ticket desk.ID, t desk.Ticket) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, again := s.watches[ticket]; !again && len(s.watches) >= watchLimit {
		return false
	}
	s.watches[ticket] = &watch{channel: t.ChannelID, sender: t.Sender, replaying: true}
	return true
}

// replay sends the messages after seq, then the state of those shortly before it: deliveries settle while a page is away.
// false: too much was missed, or it could not be read.
func (s *socket) replay(ctx context.Context, ticket desk.ID, seq int64) bool {
	messages, ok := s.missed(ctx, ticket, seq)
	if !ok {
		return false
	}
	for _, m := range messages {
		s.sendPatiently(encode(messageFrame{Type: "message", TicketID: ticket, Seq: m.Seq, Message: s.h.c.wireMessage(m, s.channelOf(ticket))}))
	}
	if len(messages) > 0 {
		s.replayed(ticket, messages[len(messages)-1].Seq)
	}
	now, err := s.h.c.store.Ticket(ctx, ticket)
	if err != nil || now.Version <= seq {
		return err == nil
	}
	return seq == 0 || s.replayStates(ctx, ticket, seq, now.Version)
}

// missed reads what was written after seq, page by page; false when that is over the limit.
func (s *socket) missed(ctx context.Context, ticket desk.ID, seq int64) (all []desk.Message, ok bool) {
	for {
		page, err := s.h.c.store.Messages(ctx, ticket, seq, replayPage)
		if all = append(all, page...); err != nil || len(all) > replayLimit {
			return nil, false
		}
		if len(page) < replayPage {
			return all, true
		}
		seq = page[len(page)-1].Seq
	}
}

func (s *socket) replayStates(ctx context.Context, ticket desk.ID, seq, version int64) bool {
	before, err := s.h.c.store.LastMessages(ctx, ticket, seq+1, settleBack)
	if err != nil {
		return false
	}
	for _, m := range before {
		if m.Delivery == nil && m.Call == nil && len(m.Attachments) == 0 {
			continue
		}
		s.sendPatiently(encode(messageFrame{Type: "message_update", TicketID: ticket, Seq: version, Message: s.h.c.wireMessage(m, s.channelOf(ticket))}))
	}
	row, err := s.h.c.store.TicketRow(ctx, ticket, s.me().Agent.ID)
	if err != nil {
		return false
	}
	s.summarize(ticket, encode(ticketFrame{Type: "ticket", TicketID: ticket, Seq: row.Version, Ticket: s.h.c.wireRow(ctx, row)}))
	return true
}

func (s *socket) replayed(ticket desk.ID, horizon int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.watches[ticket]; w != nil {
		w.horizon = horizon
	}
}

// release lets the live frames flow, those that waited first.
func (s *socket) release(ticket desk.ID) {
	s.mu.Lock()
	if w := s.watches[ticket]; w != nil {
		for _, held := range w.held {
			if held.message == 0 || held.message > w.horizon {
				s.pushLocked(held.frame)
			}
		}
		w.held, w.replaying = nil, false
	}
	s.mu.Unlock()
	s.poke()
}

// sendLive sends a frame of a watched ticket. message is the seq of the message it adds, 0 for an update.
func (s *socket) sendLive(ticket desk.ID, message int64, f *frame) {
	s.mu.Lock()
	w := s.watches[ticket]
	switch {
	case w != nil && w.replaying && len(w.held) >= queueLimit:
		s.failLocked(closeResync, "resync")
	case w != nil && w.replaying:
		w.held = append(w.held, heldFrame{message, f})
	case w != nil && message > 0 && message <= w.horizon:
		// replayed a moment ago
	default:
		s.pushLocked(f)
	}
	s.mu.Unlock()
	s.poke()
}

// channelOf is the channel of a watched ticket.
func (s *socket) channelOf(ticket desk.ID) desk.ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.watches[ticket]; w != nil {
		return w.channel
	}
	return ""
}

func (s *socket) unwatch(ticket desk.ID) {
	s.mu.Lock()
	delete(s.watches, ticket)
	s.mu.Unlock()
	s.h.unwatch(s, ticket)
}

func (s *socket) isWatching(ticket desk.ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.watches[ticket] != nil
}

func (s *socket) watched() []desk.ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]desk.ID, 0, len(s.watches))
	for ticket := range s.watches {
		all = append(all, ticket)
	}
	return all
}
