package bus

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"hearback/desk"
)

// Redis is in the same room or gone: waiting long for it helps nobody.
const (
	dialTimeout    = 2 * time.Second
	commandTimeout = 2 * time.Second
)

// connect makes the client a URL asks for. Nothing is dialled yet.
func connect(raw string) (redis.UniversalClient, error) {
	quiet()
	scheme, rest, found := strings.Cut(raw, "://")
	if !found {
		return nil, fmt.Errorf("redis address has no scheme; write embedded or redis://host:6379: %w", desk.ErrInvalid)
	}
	switch base, kind, _ := strings.Cut(scheme, "+"); {
	case kind == "sentinel" && (base == "redis" || base == "rediss"):
		return sentinel(base, rest)
	case kind == "cluster" && (base == "redis" || base == "rediss"):
		return cluster(base, rest)
	case kind == "" && (base == "redis" || base == "rediss" || base == "unix"):
		return single(raw)
	}
	return nil, fmt.Errorf("redis scheme %q is none of embedded, redis, rediss, unix, redis+sentinel, redis+cluster: %w",
		scheme, desk.ErrInvalid)
}

func single(raw string) (redis.UniversalClient, error) {
	o, err := redis.ParseURL(raw)
	if err != nil {
		return nil, invalid(err)
	}
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	defaults(&o.Protocol, &o.MaxRetries, &o.DialerRetries, &o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout)
	return redis.NewClient(o), nil
}

func cluster(base, rest string) (redis.UniversalClient, error) {
	u, err := splitHosts(base, rest)
	if err != nil {
		return nil, err
	}
	o, err := redis.ParseClusterURL(u.String())
	if err != nil {
		return nil, invalid(err)
	}
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	defaults(&o.Protocol, &o.MaxRetries, &o.DialerRetries, &o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout)
	return redis.NewClusterClient(o), nil
}

func sentinel(base, rest string) (redis.UniversalClient, error) {
	u, err := splitHosts(base, rest)
	if err != nil {
		return nil, err
	}
	master, db, _ := strings.Cut(strings.Trim(u.Path, "/"), "/")
	if master == "" {
		return nil, fmt.Errorf("redis+sentinel address names no master; write redis+sentinel://host:26379/mymaster: %w", desk.ErrInvalid)
	}
	// go-redis takes the user of a failover URL for the Sentinels. Ours, like everywhere else, is Redis' own.
	user, q := u.User, u.Query()
	sentinelUser, sentinelPassword := q.Get("sentinel_username"), q.Get("sentinel_password")
	q.Del("sentinel_username")
	q.Del("sentinel_password")
	q.Set("master_name", master)
	u.User, u.Path, u.RawQuery = nil, db, q.Encode()
	o, err := redis.ParseFailoverURL(u.String())
	if err != nil {
		return nil, invalid(err)
	}
	o.SentinelUsername, o.SentinelPassword = sentinelUser, sentinelPassword
	if user != nil {
		o.Username = user.Username()
		o.Password, _ = user.Password()
	}
	defaults(&o.Protocol, &o.MaxRetries, &o.DialerRetries, &o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout)
	return redis.NewFailoverClient(o), nil
}

// splitHosts turns "user@a:1,b:2/path?q" into a URL of the first host with the others as addr parameters, as go-redis reads them.
// net/url refuses several hosts, so the authority is taken apart here.
func splitHosts(base, rest string) (*url.URL, error) {
	authority, tail := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, tail = rest[:i], rest[i:]
	}
	user, hosts := "", authority
	if i := strings.LastIndex(authority, "@"); i >= 0 {
		user, hosts = authority[:i+1], authority[i+1:]
	}
	all := strings.Split(hosts, ",")
	u, err := url.Parse(base + "://" + user + all[0] + tail)
	if err != nil {
		return nil, invalid(err)
	}
	q := u.Query()
	for _, h := range all {
		if h == "" {
			return nil, fmt.Errorf("redis address has an empty host in its list: %w", desk.ErrInvalid)
		}
	}
	for _, h := range all[1:] {
		q.Add("addr", h)
	}
	u.RawQuery = q.Encode()
	return u, nil
}

// defaults fills what the URL left open. RESP2 keeps answers the same on every server we support. No repeats: see the package.
func defaults(protocol, retries, dials *int, dial, read, write *time.Duration) {
	if *protocol == 0 {
		*protocol = 2
	}
	if *retries == 0 {
		*retries = -1
	}
	if *dials == 0 {
		*dials = 1
	}
	for t, d := range map[*time.Duration]time.Duration{dial: dialTimeout, read: commandTimeout, write: commandTimeout} {
		if *t == 0 {
			*t = d
		}
	}
}

// invalid hides the address in a parser's complaint: it may hold a password.
func invalid(err error) error {
	if e, ok := err.(*url.Error); ok {
		err = e.Err
	}
	if e, ok := err.(*strconv.NumError); ok {
		err = e.Err
	}
	return fmt.Errorf("redis address: %w: %w", err, desk.ErrInvalid)
}

// quiet sends go-redis' own log, which is process-wide and unstructured, to the default logger's debug level: every failure
// also comes back as an error, and is logged where something can be done about it.
var quiet = sync.OnceFunc(func() { redis.SetLogger(debugLog{}) })

type debugLog struct{}

// Printf satisfies the logger go-redis asks for.
func (debugLog) Printf(ctx context.Context, format string, v ...any) {
	slog.DebugContext(ctx, "redis client", "detail", fmt.Sprintf(format, v...))
}
