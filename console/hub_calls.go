package console

import (
	"context"
	"slices"
	"sync"
	"time"

	"hearback/auth"
	"hearback/desk"
	"hearback/ticketstore"
)

const (
	callsWaiting  = 2000        // calls whose news wait; more are dropped: they are hints
	strangeCalls  = 50          // calls of nobody in particular that one node begins to show per second
	openShown     = 5           // tickets of a caller that pop up with him
	liveFor       = time.Second // how long a list of the live calls is good for another page
	callerFor     = 30 * time.Second
	callsRecalled = 5000
)

// callBoard shows calls while they ring and are talked on. Dispatch hands over what happened and goes on; the board asks the store
// who calls and tells the pages. Of a call that changes faster than that, only the latest is told.
type callBoard struct {
	h    *hub
	kick chan struct{}

	mu      sync.Mutex
	waiting map[string]desk.CallNews
	order   []string

	told    *recall[[]desk.ID] // agents whose pages show the call: they learn how it goes on
	callers *recall[whoCalls]
	second  int64
	begun   int // strange calls in this second

	liveMu sync.Mutex
	live   []ticketstore.CallRow
	liveAt time.Time
}

// whoCalls is who calls, as read a moment ago.
type whoCalls struct {
	contact *ContactRef
	tickets []desk.Ticket
	at      time.Time
}

func newCallBoard(h *hub) *callBoard {
	return &callBoard{h: h, kick: make(chan struct{}, 1), waiting: map[string]desk.CallNews{},
		told: newRecall[[]desk.ID](callsRecalled), callers: newRecall[whoCalls](callsRecalled)}
}

func callKey(n desk.CallNews) string { return n.ChannelID + "\x00" + n.Call.ID }

// take is called by dispatch.
func (b *callBoard) take(n desk.CallNews) {
	if n.Call.Direction == "internal" {
		return // colleagues among themselves
	}
	key := callKey(n)
	b.mu.Lock()
	if _, waits := b.waiting[key]; !waits && len(b.order) < callsWaiting {
		b.order = append(b.order, key)
		b.waiting[key] = n
	} else if waits {
		b.waiting[key] = n
	}
	b.mu.Unlock()
	select {
	case b.kick <- struct{}{}:
	default:
	}
}

func (b *callBoard) next() (desk.CallNews, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.order) == 0 {
		return desk.CallNews{}, false
	}
	key := b.order[0]
	b.order = b.order[1:]
	n := b.waiting[key]
	delete(b.waiting, key)
	return n, true
}

func (b *callBoard) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.kick:
		}
		for ctx.Err() == nil {
			n, ok := b.next()
			if !ok {
				break
			}
			b.tell(ctx, n)
		}
	}
}

// tell sends a call to the pages of those it concerns and of those who were shown it before.
func (b *callBoard) tell(ctx context.Context, n desk.CallNews) {
	key := callKey(n)
	before, _ := b.told.get(key)
	people, strange := b.audience(n)
	if strange && len(before) == 0 && !b.mayBegin(n) {
		people = nil
	}
	for _, agent := range before {
		people[agent] = true
	}
	sockets := b.socketsOf(people)
	if len(sockets) == 0 {
		return
	}
	if n.Call.State == "ended" {
		b.told.drop(key)
	} else {
		b.told.put(key, agents(people))
	}
	w, tickets := b.describe(ctx, n)
	for _, s := range sockets {
		me := s.me()
		f := encode(callFrame{Type: "call", Call: forReader(w, tickets, me)})
		if concerns(n, me.Agent.ID) {
			s.send(f)
			continue
		}
		s.summarize("call\x00"+key, f) // of other people's calls the latest state is enough, and a flood must not close the page
	}
}

// mayBegin bounds what one second of a flood shows to pages that are not rung.
func (b *callBoard) mayBegin(n desk.CallNews) bool {
	if n.Call.State == "ended" {
		return false
	}
	if now := time.Now().Unix(); now != b.second {
		b.second, b.begun = now, 0
	}
	b.begun++
	return b.begun <= strangeCalls
}

// audience is who is to see a call: those whose phones ring or who talk; else the team whose queue it waits in, and the channel's;
// else, strange tells, those who look after everything.
func (b *callBoard) audience(n desk.CallNews) (people map[desk.ID]bool, strange bool) {
	people = map[desk.ID]bool{}
	for _, agent := range slices.Concat(n.AgentIDs, n.Rang) {
		people[agent] = true
	}
	if len(people) > 0 {
		return people, false
	}
	names := b.h.c.names.now.Load()
	teams := []desk.ID{n.TeamID, names.homes[n.ChannelID]}
	for _, a := range names.agents {
		if slices.ContainsFunc(a.Teams, func(t desk.ID) bool { return slices.Contains(teams, t) }) {
			people[a.ID] = true
		}
	}
	if len(people) > 0 {
		return people, true
	}
	for _, a := range names.agents {
		if a.Role == desk.RoleAdmin || a.Role == desk.RoleSupervisor {
			people[a.ID] = true
		}
	}
	return people, true
}

func agents(people map[desk.ID]bool) []desk.ID {
	all := make([]desk.ID, 0, len(people))
	for agent := range people {
		all = append(all, agent)
	}
	return all
}

func (b *callBoard) socketsOf(people map[desk.ID]bool) []*socket {
	var all []*socket
	for agent := range people {
		all = append(all, b.h.of(agent)...)
	}
	return all
}

// concerns tells whether the agent's phone rings or rang, or whether he talks.
func concerns(n desk.CallNews, agent desk.ID) bool {
	return slices.Contains(n.AgentIDs, agent) || slices.Contains(n.Rang, agent)
}

// describe is the call with who calls; the caller's tickets are cut to the reader's scope later.
func (b *callBoard) describe(ctx context.Context, n desk.CallNews) (LiveCall, []desk.Ticket) {
	ctx, cancel := context.WithTimeout(ctx, lookUp)
	defer cancel()
	c := n.Call
	w := LiveCall{
		ID: c.ID, Channel: b.h.c.names.channel(n.ChannelID, ""), State: c.State, Direction: c.Direction, From: c.From, FromName: c.FromName,
		To: c.To, Queue: c.Queue, Ticket: b.h.c.linked(ctx, n.TicketID), OpenTickets: []OpenTicket{}, AgentIDs: list(n.AgentIDs),
		StartedAt: c.StartedAt, AnsweredAt: c.AnsweredAt, EndedAt: c.EndedAt, Outcome: c.Outcome,
	}
	who := b.caller(ctx, n.ContactID)
	w.Contact = who.contact
	return w, who.tickets
}

// caller reads who calls once per call, not once per event of it.
func (b *callBoard) caller(ctx context.Context, contact desk.ID) whoCalls {
	if contact == "" {
		return whoCalls{}
	}
	if known, ok := b.callers.get(contact); ok && time.Since(known.at) < callerFor {
		return known
	}
	who := whoCalls{at: time.Now()}
	if ref, ok := b.h.contact(ctx, contact); ok {
		who.contact = &ref
	}
	rows, _, err := b.h.c.store.Tickets(ctx, ticketstore.TicketFilter{
		Scope: ticketstore.Scope{All: true}, ContactID: contact, Sort: "updated", Limit: 4 * openShown,
		Status: []desk.Status{desk.StatusNew, desk.StatusOpen, desk.StatusWaiting, desk.StatusResolved},
	}, "")
	if err != nil {
		b.h.c.logger.Debug("a caller's tickets were not read", "err", err)
		return who
	}
	for _, row := range rows {
		who.tickets = append(who.tickets, row.Ticket)
	}
	b.callers.put(contact, who)
	return who
}

// forReader is the call as one agent may see it.
func forReader(w LiveCall, tickets []desk.Ticket, me who) LiveCall {
	w.OpenTickets = []OpenTicket{}
	for _, t := range tickets {
		if len(w.OpenTickets) < openShown && me.Scope.Sees(t) {
			w.OpenTickets = append(w.OpenTickets, OpenTicket{ID: t.ID, Number: t.Number, Subject: t.Subject, Status: string(t.Status)})
		}
	}
	w.Mine = slices.Contains(w.AgentIDs, me.Agent.ID)
	return w
}

// of lists the live calls that concern an agent, for a page that has just come.
func (b *callBoard) of(ctx context.Context, me who) ([]LiveCall, error) {
	rows, err := b.lately(ctx)
	if err != nil {
		return nil, err
	}
	var all []LiveCall
	for i := len(rows) - 1; i >= 0 && len(all) < strangeCalls; i-- {
		n := rows[i].News()
		people, _ := b.audience(n)
		if _, shown := people[me.Agent.ID]; !shown || n.Call.Direction == "internal" {
			continue
		}
		w, tickets := b.describe(ctx, n)
		all = append(all, forReader(w, tickets, me))
	}
	slices.Reverse(all)
	return all, nil
}

// lately is the list of live calls, read at most once a second for however many pages.
func (b *callBoard) lately(ctx context.Context) ([]ticketstore.CallRow, error) {
	b.liveMu.Lock()
	defer b.liveMu.Unlock()
	if time.Since(b.liveAt) < liveFor {
		return b.live, nil
	}
	rows, err := b.h.c.store.LiveCalls(ctx)
	if err != nil {
		return nil, err
	}
	b.live, b.liveAt = rows, time.Now()
	return rows, nil
}

// replay shows a page that has just come the calls that concern it.
func (s *socket) replayCalls(ctx context.Context) {
	calls, err := s.h.calls.of(ctx, s.me())
	if err != nil {
		s.h.c.logger.Debug("live calls were not read", "err", err)
		return
	}
	for _, call := range calls {
		n := desk.CallNews{ChannelID: call.Channel.ID, Call: desk.Call{ID: call.ID}}
		told, _ := s.h.calls.told.get(callKey(n))
		if me := s.me().Agent.ID; !slices.Contains(told, me) {
			s.h.calls.told.put(callKey(n), append(slices.Clone(told), me))
		}
		s.sendPatiently(encode(callFrame{Type: "call", Call: call}))
	}
}

// callEvent hands a call to the board. A talk that begins or ends shows in the agent's light.
func (h *hub) callEvent(e desk.Event) {
	if e.Call == nil || len(h.all()) == 0 {
		return
	}
	h.calls.take(*e.Call)
	if e.Call.Call.State != "ringing" && len(e.Call.AgentIDs) > 0 {
		h.presence.look()
	}
}

// windowEvent warns the owner that the time to answer is nearly over.
func (h *hub) windowEvent(e desk.Event) {
	if e.Ticket == nil || e.Ticket.AssigneeID == "" {
		return
	}
	f := encode(windowFrame{Type: "window", TicketID: e.TicketID, Number: e.Ticket.Number, ClosesAt: e.Ticket.WindowClosesAt, Remaining: e.Ticket.WindowRemaining})
	for _, s := range h.of(e.Ticket.AssigneeID) {
		s.send(f)
	}
}

// logBoard tells admins' pages that channels' live logs have new lines, at most once a second.
type logBoard struct {
	kick  chan struct{}
	mu    sync.Mutex
	dirty map[desk.ID]bool
}

func newLogBoard() *logBoard {
	return &logBoard{kick: make(chan struct{}, 1), dirty: map[desk.ID]bool{}}
}

func (l *logBoard) touch(channel desk.ID) {
	l.mu.Lock()
	l.dirty[channel] = true
	l.mu.Unlock()
	select {
	case l.kick <- struct{}{}:
	default:
	}
}

func (l *logBoard) run(ctx context.Context, h *hub) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.kick:
		}
		l.mu.Lock()
		dirty := l.dirty
		l.dirty = map[desk.ID]bool{}
		l.mu.Unlock()
		for channel := range dirty {
			f := encode(changedFrame{Type: "changed", What: "channel_log", ChannelID: channel})
			for _, s := range h.all() {
				if s.me().Can(auth.ChannelsWrite) {
					s.summarize("log\x00"+channel, f)
				}
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
	}
}
