package console

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hearback/auth"
	"hearback/connectors"
	"hearback/desk"
	"hearback/router"
	"hearback/ticketstore"
)

// Router is what the console asks of the load board: everything by hand goes through it, so that loads stay true.
type Router interface {
	// Claim gives an unowned ticket to the agent. Taken false: somebody else was first, Ticket says who.
	Claim(ctx context.Context, ticket desk.ID, agent desk.Agent) (ticketstore.AssignResult, error)
	// Transfer gives a ticket to another agent, over his capacity when a person says so.
	Transfer(ctx context.Context, ticket desk.ID, to desk.Agent, actor desk.Author, reason string) (ticketstore.AssignResult, error)
	// ToTeam puts a ticket back to waiting in a team's queue.
	ToTeam(ctx context.Context, ticket, team desk.ID, actor desk.Author, reason string) (ticketstore.AssignResult, error)
	// Queue tells that a ticket is active again, Release that it is not any more.
	Queue(ctx context.Context, t desk.Ticket) error
	Release(ctx context.Context, t desk.Ticket) error
	// Beat renews the agent's presence lease.
	Beat(ctx context.Context, agent desk.ID) error
	// SetAvailability tells what an agent says of himself.
	SetAvailability(ctx context.Context, agent desk.ID, word desk.Availability) error
	// Presence is who is online and how loaded, by agent.
	Presence(ctx context.Context) (map[desk.ID]router.Seat, error)
}

// Fleet is what the console asks of the open channels.
type Fleet interface {
	Get(channel desk.ID) (connectors.Connector, desk.Channel, bool)
	// Channels are the open ones, by name.
	Channels() []desk.Channel
	Kind(name string) (connectors.Kind, bool)
}

// Bus carries events between the nodes.
type Bus interface {
	Publish(ctx context.Context, events []desk.Event) error
	Subscribe(ctx context.Context, f func([]desk.Event)) error
	OnGap(f func()) (stop func())
}

// Options is everything the console lives on. All of it must be set unless said otherwise.
type Options struct {
	Store         *ticketstore.Store
	Router        Router
	Fleet         Fleet
	Auth          *auth.Auth
	Bus           Bus
	Blobs         connectors.Blobs
	Kick          func()                                 // Wakes the delivery belt after a reply. nil: it finds the reply by itself.
	Logger        *slog.Logger                           // nil: slog.Default()
	Clock         func() time.Time                       // nil: time.Now
	Node          string                                 // This process among the nodes, for logs and the session answer.
	ClientAddress func(*http.Request) string             // Who is behind the trusted proxies. nil: the connection's address.
	PublicURL     string                                 // https://desk.example.com, without a trailing slash.
	Build         string                                 // Version shown to pages; another one than theirs makes them reload.
	FirstResponse time.Duration                          // In which a customer should get a first answer; 0: no promise.
	NewExternalID func(desk.Message, desk.Ticket) string // Mints a reply's provider-visible id. nil: the message id.
}

// A Console answers agents. Its methods may be called at the same time.
type Console struct {
	store         *ticketstore.Store
	router        Router
	fleet         Fleet
	auth          *auth.Auth
	bus           Bus
	blobs         connectors.Blobs
	kick          func()
	logger        *slog.Logger
	now           func() time.Time
	opt           Options
	newExternalID func(desk.Message, desk.Ticket) string
	origin        *http.CrossOriginProtection
	names         *names
	numbers       *recall[string]
	homes         *recall[desk.ID] // ticket to its channel
	hub           *hub
}

// New builds a console; Register puts it on the mux and Run keeps its sockets alive.
func New(o Options) *Console {
	if o.Kick == nil {
		o.Kick = func() {}
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	c := &Console{
		store: o.Store, router: o.Router, fleet: o.Fleet, auth: o.Auth, bus: o.Bus, blobs: o.Blobs, kick: o.Kick, logger: o.Logger,
		now: o.Clock, opt: o, newExternalID: o.NewExternalID, names: newNames(o.Store), numbers: newRecall[string](4096), homes: newRecall[desk.ID](20000),
		origin: http.NewCrossOriginProtection(),
	}
	if o.PublicURL != "" {
		// A wrong address was refused when the configuration was read.
		if err := c.origin.AddTrustedOrigin(o.PublicURL); err != nil {
			c.logger.Warn("the public URL is no origin", "err", err)
		}
	}
	c.hub = newHub(c)
	return c
}

// Register adds every route of the console to api and the websocket to mux.
func (c *Console) Register(api huma.API, mux *http.ServeMux) {
	api.UseMiddleware(c.guard(api))
	c.registerSession(api)
	c.registerTickets(api)
	c.registerReplies(api)
	c.registerActs(api)
	c.registerFiles(api)
	c.registerContacts(api)
	c.registerPresence(api)
	c.registerStart(api)
	c.registerCalls(api)
	c.registerOriginals(api)
	if mux != nil {
		mux.HandleFunc("GET /ws", c.hub.serve)
	}
}

// Run loads the names, listens for events and keeps the sockets until ctx ends; then it closes them with 1012 and returns
// ctx's error.
func (c *Console) Run(ctx context.Context) error {
	if err := c.names.load(ctx); err != nil {
		c.logger.Warn("names are not known yet", "err", err)
	}
	var parts sync.WaitGroup
	parts.Go(func() { c.hub.run(ctx) })
	<-ctx.Done()
	parts.Wait()
	return ctx.Err()
}

// publish tells every node what was committed. A hint that is lost costs nothing but time: pages ask for what is missing.
func (c *Console) publish(ctx context.Context, events []desk.Event) {
	if len(events) == 0 {
		return
	}
	if err := c.bus.Publish(context.WithoutCancel(ctx), events); err != nil {
		c.logger.Warn("events were not published", "ticket", events[0].TicketID, "err", err)
	}
}
