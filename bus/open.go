package bus

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"hearback/desk"
)

// Options says where Redis is.
type Options struct {
	// URL is "embedded" (or empty), redis://, rediss:// or unix:// as go-redis reads them,
	// redis+sentinel://[user:password@]host:port,host:port/master[/db][?sentinel_password=…] or
	// redis+cluster://[user:password@]host:port,host:port; rediss+… for TLS.
	URL       string
	Workspace string       // Hash tag of all keys. Empty means "hearback".
	Node      string       // Name of this process among the nodes. Empty: a fresh id.
	Logger    *slog.Logger // nil: slog.Default()
}

// A Bus is one node's connection to Redis. Its methods may be called at the same time.
type Bus struct {
	client redis.UniversalClient
	mini   *miniredis.Miniredis // nil unless embedded
	prefix string               // "{hearback}:"
	node   string
	logger *slog.Logger

	events fanout[[]desk.Event]
	gaps   fanout[struct{}]
	linesM sync.Mutex
	lines  map[string]*Line

	out      chan entry // hints on their way to other nodes
	outBytes atomic.Int64
	lost     atomic.Bool // hints were dropped that other nodes should have got

	flights flights // Once calls of this process
	memory  memory  // what Once and Allow remember while Redis is away
}

// Open connects, or starts the embedded Redis. A Redis that cannot be reached now is not an error: the house works without
// it, and the client keeps trying. Only a URL that makes no sense is.
func Open(ctx context.Context, o Options) (*Bus, error) {
	b := &Bus{
		prefix: "{" + or(o.Workspace, "hearback") + "}:",
		node:   or(o.Node, desk.NewID()),
		logger: o.Logger,
		lines:  map[string]*Line{},
		out:    make(chan entry, maxQueued),
	}
	if b.logger == nil {
		b.logger = slog.Default()
	}
	if strings.ContainsAny(b.prefix[1:len(b.prefix)-2], "{}") {
		return nil, fmt.Errorf("open bus: workspace %q must not contain braces: %w", o.Workspace, desk.ErrInvalid)
	}
	if o.URL == "" || o.URL == "embedded" {
		b.embed()
		return b, nil
	}
	client, err := connect(o.URL)
	if err != nil {
		return nil, fmt.Errorf("open bus: %w", err)
	}
	b.client = client
	if err := b.Ping(ctx); err != nil {
		b.logger.Warn("redis does not answer; going on without it and trying again", "err", err)
	}
	return b, nil
}

// embed starts a Redis in this process that only in-memory pipes lead to.
func (b *Bus) embed() {
	b.mini = miniredis.NewMiniRedis()
	b.client = redis.NewClient(&redis.Options{
		Dialer:          func(context.Context, string, string) (net.Conn, error) { return b.mini.Dial() },
		Protocol:        2,
		DisableIdentity: true,
		MaxRetries:      -1,
		MaintNotificationsConfig: &maintnotifications.Config{
			Mode: maintnotifications.ModeDisabled,
		},
	})
}

// Client is the Redis client, for those who bring their own scripts. Every key must come from Key.
func (b *Bus) Client() redis.UniversalClient { return b.client }

// Key joins parts to a key of this workspace: "{hearback}:queue:support".
func (b *Bus) Key(parts ...string) string { return b.prefix + strings.Join(parts, ":") }

// Node is this process's name among the nodes.
func (b *Bus) Node() string { return b.node }

// Embedded tells whether Redis runs in this process: then this is the only node.
func (b *Bus) Embedded() bool { return b.mini != nil }

// Ping asks Redis for a sign of life.
func (b *Bus) Ping(ctx context.Context) error {
	if err := b.client.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("ping redis: %w", err)
	}
	return nil
}

// Close ends the connections; the embedded Redis forgets everything.
func (b *Bus) Close() error {
	err := b.client.Close()
	if b.mini != nil {
		b.mini.Close()
	}
	return err
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
