package router

import (
	"context"
	_ "embed" // for the scripts
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"hearback/bus"
	"hearback/desk"
)

var (
	//go:embed lua/prelude.lua
	prelude string
	//go:embed lua/pick.lua
	pickSource string
	//go:embed lua/place.lua
	placeSource string
	//go:embed lua/seat.lua
	seatSource string
	//go:embed lua/beat.lua
	beatSource string
	//go:embed lua/reap.lua
	reapSource string
	//go:embed lua/epoch.lua
	epochSource string
	//go:embed lua/recount.lua
	recountSource string
	//go:embed lua/finish.lua
	finishSource string

	pickScript    = redis.NewScript(prelude + pickSource)
	placeScript   = redis.NewScript(prelude + placeSource)
	seatScript    = redis.NewScript(prelude + seatSource)
	beatScript    = redis.NewScript(prelude + beatSource)
	reapScript    = redis.NewScript(prelude + reapSource)
	epochScript   = redis.NewScript(prelude + epochSource)
	recountScript = redis.NewScript(prelude + recountSource)
	finishScript  = redis.NewScript(finishSource)
)

// errStale: the board this node knew is gone, or was never there. Whoever runs next builds it or finds the new one.
var errStale = errors.New("the load board is gone; it is being built again")

// errAway: Redis did not answer a moment ago. Asking every time would make everybody wait for its timeouts.
var errAway = fmt.Errorf("redis does not answer: %w", desk.ErrUnavailable)

// awayFor is how long Redis is left alone after it did not answer.
const awayFor = time.Second

// A board is this node's view of the board in Redis: which generation it believes in.
type board struct {
	bus  *bus.Bus
	now  func() time.Time
	mu   sync.Mutex
	gen  string       // "" when unknown
	away atomic.Int64 // unix ms until which Redis is left alone
}

func newBoard(b *bus.Bus, now func() time.Time) *board { return &board{bus: b, now: now} }

func (b *board) meta() string             { return b.bus.Key("board", "meta") }
func (b *board) prefix(gen string) string { return b.bus.Key("board", gen, "") }

// key names a key of the generation this node believes in.
func (b *board) key(name string) string { return b.prefix(b.generation()) + name }

func (b *board) generation() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.gen
}

func (b *board) believe(gen string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.gen = gen
}

// run runs a script on the valid generation. When another node has rebuilt the board it goes on with that one; when there is
// none the error is errStale.
func (b *board) run(ctx context.Context, script *redis.Script, args ...any) (*redis.Cmd, error) {
	for range 2 {
		gen := b.generation()
		if gen == "" {
			if err := b.learn(ctx); err != nil {
				return nil, err
			}
			gen = b.generation()
		}
		cmd, err := b.runOn(ctx, gen, gen, script, args...)
		if !errors.Is(err, errStale) {
			return cmd, err
		}
		b.believe("")
	}
	return nil, errStale
}

// runOn runs a script on the keys of gen, checked against check ("": unchecked, while building).
func (b *board) runOn(ctx context.Context, gen, check string, script *redis.Script, args ...any) (*redis.Cmd, error) {
	if b.isAway() {
		return nil, errAway
	}
	cmd := script.Run(ctx, b.bus.Client(), []string{b.meta(), b.prefix(gen)}, append([]any{check}, args...)...)
	return cmd, b.judge(ctx, cmd.Err())
}

// learn asks Redis for the valid generation.
func (b *board) learn(ctx context.Context) error {
	if b.isAway() {
		return errAway
	}
	gen, err := b.bus.Client().HGet(ctx, b.meta(), "gen").Result()
	if err == redis.Nil {
		return errStale
	}
	if err := b.judge(ctx, err); err != nil {
		return err
	}
	b.believe(gen)
	return nil
}

// judge sorts an error: a stale generation, an answer, or a Redis that is away and left alone for a moment.
func (b *board) judge(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if strings.HasPrefix(err.Error(), "STALEGEN") {
		return errStale
	}
	if _, answered := err.(redis.Error); !answered && ctx.Err() == nil {
		b.away.Store(b.now().Add(awayFor).UnixMilli())
	}
	return fmt.Errorf("ask the load board: %w", err)
}

func (b *board) isAway() bool { return b.now().UnixMilli() < b.away.Load() }

// ready tells whether the board stands.
func (b *board) ready(ctx context.Context) error {
	gen, err := b.bus.Client().HGet(ctx, b.meta(), "gen").Result()
	if err == redis.Nil || err == nil && gen == "" {
		return errStale
	}
	if err != nil {
		return fmt.Errorf("ask the load board: %w", err)
	}
	return nil
}
