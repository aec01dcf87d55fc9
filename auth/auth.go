package auth

import (
	"context"
	"log/slog"
	"runtime"
	"time"

	"hearback/desk"
	"hearback/ticketstore"
)

// Limiter takes one from a rate bucket of at most burst that refills at perMinute; when it is empty it says how long to wait.
type Limiter interface {
	Allow(ctx context.Context, key string, perMinute, burst int) (ok bool, wait time.Duration, err error)
}

// Options is what auth lives on.
type Options struct {
	Store   *ticketstore.Store
	Limiter Limiter          // nil: attempts are not limited
	Logger  *slog.Logger     // nil: slog.Default()
	Now     func() time.Time // nil: time.Now; must be the store's clock
	Hashes  int              // Passwords hashed at once, 19 MB each. 0: one per processor.
	Secure  bool             // The house is reached by https: its cookies never leave on plain http.
}

// An Auth answers who is calling. Its methods may be called at the same time.
type Auth struct {
	store   *ticketstore.Store
	limiter Limiter
	logger  *slog.Logger
	clock   func() time.Time
	hasher  *hasher
	known   *known
	secure  bool
}

// New builds it.
func New(o Options) *Auth {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Hashes <= 0 {
		o.Hashes = runtime.GOMAXPROCS(0)
	}
	if o.Limiter == nil {
		o.Limiter = unlimited{}
	}
	return &Auth{store: o.Store, limiter: o.Limiter, logger: o.Logger, clock: o.Now, hasher: newHasher(o.Hashes), known: newKnown(), secure: o.Secure}
}

func (a *Auth) now() desk.Time { return desk.At(a.clock()) }

type unlimited struct{}

func (unlimited) Allow(context.Context, string, int, int) (bool, time.Duration, error) {
	return true, 0, nil
}
