package fleet

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"hearback/connectors"
	"hearback/desk"
	"hearback/ticketstore"
)

const (
	sweepEvery = 15 * time.Second // at the latest then a change is seen whose hint was lost
	lookEvery  = time.Second      // at most so often an unknown address makes the fleet look
	reopen     = time.Minute      // pause before a channel that would not open is tried again
)

// Store is what the fleet needs from the ticket store.
type Store interface {
	Channels(ctx context.Context) ([]desk.Channel, error)
	Cursor(ctx context.Context, channel desk.ID) ([]byte, error)
	AppendLog(ctx context.Context, channel desk.ID, sender, id string, body []byte) (int64, error)
	ReadLog(ctx context.Context, channel desk.ID, sender string, after int64, limit int) ([]ticketstore.LogEntry, error)
	LastLog(ctx context.Context, channel desk.ID, sender string) (int64, error)
	SetHealth(ctx context.Context, channel desk.ID, ok bool, errText string) error
	Lease(ctx context.Context, name, holder string, until desk.Time) (bool, error)
	Unlease(ctx context.Context, name, holder string) error
}

// Options is what a fleet is made of.
type Options struct {
	Kinds     []connectors.Kind
	Store     Store
	Inbox     connectors.Inbox // intake's belt; ChannelID and Kind are filled in on the way
	Blobs     connectors.Blobs // see Files
	Cache     connectors.Cache // the bus; keys are prefixed per channel here. nil: nothing is shared, nothing is limited
	Line      func(name string) connectors.Bus
	Logger    *slog.Logger
	PublicURL string // without a trailing slash
	Node      string // names this node in leases
	Secret    []byte // the workspace's key from which each channel's own is derived; the same on every node, kept in the store
	// AllowPrivateNetworks lets channels reach private addresses, as tests on the loopback do.
	AllowPrivateNetworks bool
	// Signal passes a connector's live hint on: "typing", "preview", "online", "offline". nil: dropped.
	Signal func(channel desk.ID, typ, sender string, data map[string]string)
	// Online tells whether somebody is there to answer a channel of that team. nil: not known.
	Online func(team desk.ID) bool
	Now    func() time.Time // nil: time.Now
	// Allow lets channels reach one address ("127.0.0.1:8089", after name resolution) although it is private: a stand-in for a
	// provider that runs beside the gateway. nil: none. Everything else is refused as ever.
	Allow func(address string) bool
	// Recent keeps the channels' live logs where all nodes see them. nil: each node shows what it saw itself.
	Recent Recent
	// Noted tells that a channel's live log has new lines, at most once a second. nil: nobody is told.
	Noted func(channel desk.ID)
}

// A Fleet is the open channels of this node.
type Fleet struct {
	o     Options
	kinds map[string]connectors.Kind
	http  *http.Client
	kick  chan struct{}
	notes chan note // health on its way to the store
	book  *logbook  // live logs on their way to Redis

	reload   sync.Mutex      // one reload at a time
	looking  sync.Mutex      // guards looked and consents
	looked   time.Time       // when an unknown address last made the fleet look
	consents map[string]bool // states used, when there is no cache

	mu     sync.RWMutex
	open   map[desk.ID]*vessel
	failed map[desk.ID]failure
	closed bool
	polls  context.Context // set while Run runs: pollers live as long
	wg     sync.WaitGroup  // pollers and late closers
	stop   chan struct{}   // closed by Close
}

// A vessel is one open channel.
type vessel struct {
	ch   desk.Channel
	kind connectors.Kind
	mu   sync.RWMutex
	conn connectors.Connector // replaced when a poller takes its lease
	halt context.CancelFunc   // stops the poller
	done chan struct{}        // closed when the poller has stopped; nil: none runs

	mounted bool // it has a second address
	token   digest
}

func (v *vessel) current() connectors.Connector {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.conn
}

func (v *vessel) replace(c connectors.Connector) (old connectors.Connector) {
	v.mu.Lock()
	defer v.mu.Unlock()
	old, v.conn = v.conn, c
	return old
}

// A failure remembers a version that would not open.
type failure struct {
	version int64
	again   time.Time
	kind    string
	mounted bool
	token   digest
}

// New makes a fleet. Nothing is open until Reload or Run.
func New(o Options) *Fleet {
	if o.Now == nil {
		o.Now = time.Now
	}
	f := &Fleet{
		o: o, kinds: map[string]connectors.Kind{}, http: newHTTPClient(guard{o.AllowPrivateNetworks, o.Allow}), book: newLogbook(),
		kick: make(chan struct{}, 1), notes: make(chan note, 256), stop: make(chan struct{}),
		open: map[desk.ID]*vessel{}, failed: map[desk.ID]failure{},
	}
	for _, k := range o.Kinds {
		f.kinds[k.Name] = k
	}
	return f
}

// Run keeps the fleet as the store says until ctx ends, then stops the pollers; channels stay open for Send until Close. It
// returns ctx's error.
func (f *Fleet) Run(ctx context.Context) error {
	f.startPolls(ctx)
	health := make(chan struct{})
	go func() { defer close(health); f.writeHealth(ctx) }()
	log := make(chan struct{})
	go func() { defer close(log); f.writeLog(ctx) }()
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		if err := f.Reload(ctx); err != nil && ctx.Err() == nil {
			f.o.Logger.Warn("channels could not be read; they stay open as they are", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-f.kick:
		case <-tick.C:
		}
	}
	f.stopPolls()
	<-health
	<-log
	return ctx.Err()
}

// Changed tells that some channel was changed: the fleet looks at once. It never blocks.
func (f *Fleet) Changed() {
	select {
	case f.kick <- struct{}{}:
	default:
	}
}

// Get returns the open connector of a channel and the channel as it was opened.
func (f *Fleet) Get(id desk.ID) (connectors.Connector, desk.Channel, bool) {
	f.mu.RLock()
	v := f.open[id]
	f.mu.RUnlock()
	if v == nil {
		return nil, desk.Channel{}, false
	}
	return v.current(), v.ch, true
}

// Channels returns the open channels, by name.
func (f *Fleet) Channels() []desk.Channel {
	f.mu.RLock()
	all := make([]desk.Channel, 0, len(f.open))
	for _, v := range f.open {
		all = append(all, v.ch)
	}
	f.mu.RUnlock()
	slices.SortFunc(all, func(a, b desk.Channel) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	})
	return all
}

// Kind returns a kind by name.
func (f *Fleet) Kind(name string) (connectors.Kind, bool) {
	k, ok := f.kinds[name]
	return k, ok
}

// Kinds returns the kinds in the order they were given.
func (f *Fleet) Kinds() []connectors.Kind { return f.o.Kinds }

// Close closes every channel, all at once, and waits for them. The fleet opens nothing afterwards.
func (f *Fleet) Close() error {
	f.reload.Lock()
	defer f.reload.Unlock()
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		return nil
	}
	f.closed = true
	close(f.stop)
	open := f.open
	f.open = map[desk.ID]*vessel{}
	f.mu.Unlock()

	errs := make([]error, len(open))
	var wg sync.WaitGroup
	i := 0
	for _, v := range open {
		n := i
		i++
		wg.Go(func() {
			v.haltPoll()
			errs[n] = v.current().Close()
		})
	}
	wg.Wait()
	f.wg.Wait()
	f.http.CloseIdleConnections()
	return errors.Join(errs...)
}
