package console

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"hearback/auth"
	"hearback/desk"
)

// eventSessions tells every node that log-ins of data["agent_id"] ended.
const eventSessions = "sessions"

const (
	closeResync   = 4008 // the socket could not keep up: come back with the last position
	closeSession  = 4001 // the log-in ended
	stopWithin    = 3 * time.Second
	recheckEvery  = 30 * time.Second // log-ins that ended without anybody being told
	batchesWaited = 4096
)

// hub carries events to agents' sockets.
//
// The bus calls take on the publisher's goroutine; dispatch alone decides who gets what, so that the order of a ticket's
// events is kept; each socket has one writer. mu guards the registry only and is never held while writing or querying.
type hub struct {
	c        *Console
	upgrader websocket.Upgrader
	incoming chan []desk.Event
	missed   atomic.Bool   // events were dropped: everybody must load again
	gap      chan struct{} // wakes dispatch for it

	mu       sync.RWMutex
	stopped  bool
	sockets  map[*socket]struct{}
	byAgent  map[desk.ID]map[*socket]struct{}
	watchers map[desk.ID]map[*socket]struct{}
	writers  sync.WaitGroup

	// What dispatch remembers of tickets it has seen, so that an event needs no query.
	seen     *recall[standing]
	contacts *recall[ContactRef]
	lastIn   *recall[int64] // seq of the ticket's last customer message

	counts   *counts
	presence *presenceBoard
	calls    *callBoard
	logs     *logBoard
}

func newHub(c *Console) *hub {
	h := &hub{
		c: c, incoming: make(chan []desk.Event, batchesWaited), gap: make(chan struct{}, 1),
		sockets: map[*socket]struct{}{}, byAgent: map[desk.ID]map[*socket]struct{}{}, watchers: map[desk.ID]map[*socket]struct{}{},
		seen: newRecall[standing](20000), contacts: newRecall[ContactRef](20000), lastIn: newRecall[int64](20000),
		counts: newCounts(c), presence: newPresenceBoard(c), logs: newLogBoard(),
	}
	h.calls = newCallBoard(h)
	h.upgrader = websocket.Upgrader{
		HandshakeTimeout: 10 * time.Second, ReadBufferSize: 2 << 10, WriteBufferSize: 4 << 10,
		WriteBufferPool: &sync.Pool{}, CheckOrigin: h.ownOrigin,
	}
	return h
}

// ownOrigin admits pages of this very site. A program sends no Origin; a browser always does.
func (h *hub) ownOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || origin == h.c.opt.PublicURL {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host == r.Host
}

// serve answers GET /ws.
func (h *hub) serve(w http.ResponseWriter, r *http.Request) {
	me, err := h.admit(r)
	if err != nil {
		writeProblem(w, fromError(err))
		return
	}
	conn, err := h.upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	s := newSocket(h, conn, r, me)
	if !h.add(s) {
		s.code, s.reason = websocket.CloseServiceRestart, "restart"
		s.sayGoodbye()
		conn.Close()
		return
	}
	go s.write()
	s.read()
	h.remove(s)
}

// admit is the log-in of a socket: the same rules as for a request that reads tickets.
func (h *hub) admit(r *http.Request) (who, error) {
	if !h.ownOrigin(r) {
		return who{}, problem(http.StatusForbidden, "cross_origin", "The page is of another site.")
	}
	found, err := h.c.auth.Authenticate(r)
	if err != nil {
		return who{}, err
	}
	return who{Principal: found, Scope: found.Scope()}, allowed(found, string(auth.TicketsRead))
}

func (h *hub) add(s *socket) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped {
		return false
	}
	h.writers.Add(1)
	h.sockets[s] = struct{}{}
	agent := s.me().Agent.ID
	if h.byAgent[agent] == nil {
		h.byAgent[agent] = map[*socket]struct{}{}
	}
	h.byAgent[agent][s] = struct{}{}
	return true
}

func (h *hub) remove(s *socket) {
	h.mu.Lock()
	delete(h.sockets, s)
	agent := s.me().Agent.ID
	if delete(h.byAgent[agent], s); len(h.byAgent[agent]) == 0 {
		delete(h.byAgent, agent)
	}
	for _, ticket := range s.watched() {
		h.unwatchLocked(s, ticket)
	}
	h.mu.Unlock()
	h.presence.look()
}

func (h *hub) watch(s *socket, ticket desk.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.watchers[ticket] == nil {
		h.watchers[ticket] = map[*socket]struct{}{}
	}
	h.watchers[ticket][s] = struct{}{}
}

func (h *hub) unwatch(s *socket, ticket desk.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.unwatchLocked(s, ticket)
}

func (h *hub) unwatchLocked(s *socket, ticket desk.ID) {
	if delete(h.watchers[ticket], s); len(h.watchers[ticket]) == 0 {
		delete(h.watchers, ticket)
	}
}

// all is a snapshot of the sockets, to be written to without the lock.
func (h *hub) all() []*socket {
	h.mu.RLock()
	defer h.mu.RUnlock()
	list := make([]*socket, 0, len(h.sockets))
	for s := range h.sockets {
		list = append(list, s)
	}
	return list
}

func (h *hub) of(agent desk.ID) []*socket {
	h.mu.RLock()
	defer h.mu.RUnlock()
	list := make([]*socket, 0, len(h.byAgent[agent]))
	for s := range h.byAgent[agent] {
		list = append(list, s)
	}
	return list
}

func (h *hub) watching(ticket desk.ID) []*socket {
	h.mu.RLock()
	defer h.mu.RUnlock()
	list := make([]*socket, 0, len(h.watchers[ticket]))
	for s := range h.watchers[ticket] {
		list = append(list, s)
	}
	return list
}

// run listens and dispatches until ctx ends, then closes every socket with 1012.
func (h *hub) run(ctx context.Context) {
	defer h.c.bus.OnGap(h.lostSome)()
	var parts sync.WaitGroup
	parts.Go(func() { h.c.bus.Subscribe(ctx, h.take) })
	parts.Go(func() { h.dispatch(ctx) })
	parts.Go(func() { h.counts.run(ctx, h) })
	parts.Go(func() { h.presence.run(ctx, h) })
	parts.Go(func() { h.calls.run(ctx) })
	parts.Go(func() { h.logs.run(ctx, h) })
	parts.Go(func() { h.recheckNowAndThen(ctx) })
	<-ctx.Done()
	h.stop()
	parts.Wait()
}

// recheckNowAndThen finds log-ins that were ended from the command line or whose hint was lost.
func (h *hub) recheckNowAndThen(ctx context.Context) {
	tick := time.NewTicker(recheckEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			h.recheck(h.all())
		}
	}
}

// stop says good-bye and waits a moment for it to be written.
func (h *hub) stop() {
	h.mu.Lock()
	h.stopped = true
	h.mu.Unlock()
	for _, s := range h.all() {
		s.fail(websocket.CloseServiceRestart, "restart")
	}
	written := make(chan struct{})
	go func() { h.writers.Wait(); close(written) }()
	select {
	case <-written:
	case <-time.After(stopWithin):
	}
}

// take is called by the bus and must not block: when dispatch is that far behind, everybody loads again.
func (h *hub) take(events []desk.Event) {
	select {
	case h.incoming <- events:
	default:
		h.lostSome()
	}
}

func (h *hub) lostSome() {
	h.missed.Store(true)
	select {
	case h.gap <- struct{}{}:
	default:
	}
}

func (h *hub) forgetContact(id desk.ID) { h.contacts.drop(id) }

// markRead remembers what an agent has seen, for the unread mark of later events.
func (h *hub) markRead(agent, ticket desk.ID, seq int64) {
	for _, s := range h.of(agent) {
		s.hasRead(ticket, seq)
	}
}
