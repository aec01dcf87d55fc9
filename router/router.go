package router

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"hearback/bus"
	"hearback/desk"
	"hearback/ticketstore"
)

// Store is what routing needs from the ticket store: the referee.
type Store interface {
	Assign(ctx context.Context, assignments []ticketstore.Assignment) ([]ticketstore.AssignResult, error)
	Unassign(ctx context.Context, ticket desk.ID, epoch int64, toTeam *desk.ID, kind string, actor desk.Author, reason string) (ticketstore.AssignResult, error)
	Loads(ctx context.Context, after desk.ID, limit int) ([]ticketstore.Load, error)
	LoadsByID(ctx context.Context, ids []desk.ID) ([]ticketstore.Load, error)
	MaxEpoch(ctx context.Context) (int64, error)
	AddDecision(ctx context.Context, ticket desk.ID, kind string, detail json.RawMessage) error
	Ticket(ctx context.Context, id desk.ID) (desk.Ticket, error)
	Tickets(ctx context.Context, f ticketstore.TicketFilter, reader desk.ID) ([]ticketstore.TicketRow, string, error)
	Agents(ctx context.Context) ([]desk.Agent, error)
	Agent(ctx context.Context, id desk.ID) (desk.Agent, error)
	Availabilities(ctx context.Context) (map[desk.ID]desk.Availability, error)
}

// Options is what a router lives on. Store and Bus must be set.
type Options struct {
	Store  Store
	Bus    *bus.Bus
	Logger *slog.Logger     // nil: slog.Default()
	Clock  func() time.Time // nil: time.Now
	Node   string           // This process among the nodes, for logs.

	Lease           time.Duration // How long a heartbeat is good for. 0: 30 s.
	Grace           time.Duration // After a lost lease, before the agent's waiting customers go to others. 0: 60 s.
	DefaultCapacity int           // Of agents who have none of their own. 0: 10.

	// Weights is what a ticket of a channel kind costs of a capacity; kinds not named cost 1, and 0 means the whole agent (a call).
	Weights map[string]int
	// Calls lists the calls that are live, so that whoever talks is given nothing. nil: there are none.
	Calls func(context.Context) ([]ticketstore.CallRow, error)
	// Patient are channel kinds whose customers do not wait at the screen: their tickets stay with an agent who lost his
	// connection.
	Patient []string
	// Boost is how much earlier than its deadline a ticket of a priority ranks. It is also by how much one can be overtaken.
	// nil: urgent 15 min, critical 1 h.
	Boost map[desk.Priority]time.Duration
	// Requires names the skills a ticket asks for; only agents who have them all get it. nil: none.
	Requires func(ticketstore.Load) []string
}

// A Router keeps the board and gives tickets to people. Its methods may be called at the same time.
type Router struct {
	o      Options
	store  Store
	bus    *bus.Bus
	logger *slog.Logger
	now    func() time.Time
	board  *board

	people people // who exists, as last read from SQL

	mu      sync.Mutex
	waiting map[desk.ID]bool // queues worth looking at
	all     bool             // every queue is worth looking at
	fresh   []desk.ID        // some of the tickets that came in since the last drain
	wake    chan struct{}    // something is to be done; holds one

	beats    beats
	suspects map[desk.ID]int64 // tickets the last reconcile found ahead of SQL, and their epochs. Only Run's goroutine uses it.
}

// New makes a router; Run lets it assign.
func New(o Options) *Router {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	o.Lease = orDuration(o.Lease, 30*time.Second)
	o.Grace = orDuration(o.Grace, time.Minute)
	if o.DefaultCapacity <= 0 {
		o.DefaultCapacity = 10
	}
	if o.Boost == nil {
		o.Boost = map[desk.Priority]time.Duration{desk.PriorityUrgent: 15 * time.Minute, desk.PriorityCritical: time.Hour}
	}
	return &Router{
		o: o, store: o.Store, bus: o.Bus, logger: o.Logger, now: o.Clock, board: newBoard(o.Bus, o.Clock),
		waiting: map[desk.ID]bool{}, wake: make(chan struct{}, 1), suspects: map[desk.ID]int64{},
	}
}

func orDuration(d, otherwise time.Duration) time.Duration {
	if d <= 0 {
		return otherwise
	}
	return d
}

const (
	sweepEvery     = 5 * time.Second
	reconcileEvery = time.Minute
)

// Run assigns until ctx ends, and returns its error. Whatever Redis or SQL do, it goes on.
func (r *Router) Run(ctx context.Context) error {
	sweep, reconcile := time.NewTicker(sweepEvery), time.NewTicker(reconcileEvery)
	defer sweep.Stop()
	defer reconcile.Stop()
	r.step(ctx, "start", r.sweep)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.wake:
			r.step(ctx, "assign", r.drain)
		case <-sweep.C:
			r.step(ctx, "sweep", r.sweep)
		case <-reconcile.C:
			r.step(ctx, "reconcile", r.reconcile)
		}
	}
}

// step does one part of Run's work. A failure is logged once and tried again at the next occasion; a panic too.
func (r *Router) step(ctx context.Context, what string, do func(context.Context) error) {
	defer func() {
		if p := recover(); p != nil {
			r.logger.Error("routing step panicked", "step", what, "node", r.o.Node, "err", p)
		}
	}()
	if err := do(ctx); err != nil && ctx.Err() == nil {
		r.logger.Warn("routing step failed; it is tried again", "step", what, "node", r.o.Node, "err", err)
	}
}

// Ready tells whether the board stands. Without it messages and replies go on; only assignment waits.
func (r *Router) Ready(ctx context.Context) error { return r.board.ready(ctx) }

// look asks Run to look at queues; none named: at all of them.
func (r *Router) look(queues ...desk.ID) {
	r.mu.Lock()
	for _, q := range queues {
		r.waiting[q] = true
	}
	r.all = r.all || len(queues) == 0
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// toLookAt takes what look collected.
func (r *Router) toLookAt() (queues []desk.ID, all bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for q := range r.waiting {
		queues = append(queues, q)
	}
	all, r.all = r.all, false
	clear(r.waiting)
	return queues, all
}
