package bus

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// The generic cell rate algorithm: the key holds the moment at which the bucket will be full again. Microseconds on Redis'
// own clock, so that nodes need not agree on the time.
// ARGV: 1 microseconds per token, 2 burst. Answers {1, 0} or {0, microseconds to wait}.
var allowScript = redis.NewScript(`
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000000 + tonumber(t[2])
local per, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local full = tonumber(redis.call('GET', KEYS[1]) or now)
if full < now then full = now end
local wait = full + per - burst * per - now
if wait > 0 then return {0, wait} end
full = full + per
redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000) + 1000)
return {1, 0}`)

// Allow takes one from a rate bucket of at most burst that refills at perMinute; when it is empty it says how long to wait.
// perMinute 0 or less means no limit; a burst below 1 counts as 1. While Redis is away each node keeps its own buckets.
func (b *Bus) Allow(ctx context.Context, key string, perMinute, burst int) (ok bool, wait time.Duration, err error) {
	if perMinute <= 0 {
		return true, 0, nil
	}
	per := time.Minute / time.Duration(perMinute)
	burst = max(burst, 1)
	res, err := allowScript.Run(ctx, b.client, []string{b.Key("rate", key)}, per.Microseconds(), burst).Int64Slice()
	if ctx.Err() != nil {
		return false, 0, fmt.Errorf("take from rate bucket: %w", ctx.Err())
	}
	if err != nil || len(res) != 2 {
		b.logger.Debug("redis is away: rates are limited per node", "err", err)
		ok, wait = b.memory.allow(key, per, burst, time.Now())
		return ok, wait, nil
	}
	return res[0] == 1, time.Duration(res[1]) * time.Microsecond, nil
}
