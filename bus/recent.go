package bus

import (
	"context"
	"fmt"
	"time"
)

// Remember adds lines, the oldest first, to what is kept under key: the last keep of all nodes, until ttl after the last one. One
// round trip.
func (b *Bus) Remember(ctx context.Context, key string, keep int, ttl time.Duration, lines [][]byte) error {
	if len(lines) == 0 {
		return nil
	}
	at := b.Key("recent", key)
	values := make([]any, len(lines))
	for i, line := range lines {
		values[i] = line
	}
	pipe := b.client.TxPipeline()
	pipe.LPush(ctx, at, values...)
	pipe.LTrim(ctx, at, 0, int64(keep-1))
	pipe.PExpire(ctx, at, ttl)
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("remember lines: %w", err)
	}
	return nil
}

// Recall returns the lines kept under key, the newest first.
func (b *Bus) Recall(ctx context.Context, key string) ([][]byte, error) {
	all, err := b.client.LRange(ctx, b.Key("recent", key), 0, -1).Result()
	if err != nil {
		return nil, fmt.Errorf("recall lines: %w", err)
	}
	lines := make([][]byte, len(all))
	for i, line := range all {
		lines[i] = []byte(line)
	}
	return lines, nil
}
