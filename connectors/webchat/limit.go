package webchat

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"hearback/connectors"
)

// askCache is how long a rate may wait for Redis; later the visitor gets the benefit of the doubt.
const askCache = 200 * time.Millisecond

// limits are the rates of one channel: messages per visitor, new visitors per address.
type limits struct {
	messages, visitors *rate
}

func newLimits(s settings, tools connectors.Tools) limits {
	if s.perMinute == 0 {
		return limits{}
	}
	l := limits{messages: newRate("messages:", s.perMinute, max(s.perMinute/3, 5), tools)}
	if s.perAddress > 0 {
		l.visitors = newRate("visitors:", s.perAddress, max(s.perAddress/2, 5), tools)
	}
	return l
}

func (l limits) message(ctx context.Context, visitor string) *refusal {
	return l.messages.take(ctx, visitor, "You are writing very fast. Please wait a moment.")
}

func (l limits) visitor(ctx context.Context, remote string) *refusal {
	return l.visitors.take(ctx, addressKey(remote), "Too many new visitors come from this address. Please wait a moment.")
}

// A rate is a bucket per key (generic cell rate algorithm): local for everybody, shared with the other nodes only for who has
// emptied half of his here. So the ordinary visitor costs Redis nothing, and the flood meets one limit everywhere.
type rate struct {
	name      string
	perMinute int
	burst     int
	tools     connectors.Tools

	mu   sync.Mutex
	full map[string]int64 // when the key's bucket is full again, unix nanoseconds
}

func newRate(name string, perMinute, burst int, tools connectors.Tools) *rate {
	return &rate{name: name, perMinute: perMinute, burst: burst, tools: tools, full: map[string]int64{}}
}

// take uses one up, or says no. A nil rate allows everything.
func (r *rate) take(ctx context.Context, key, detail string) *refusal {
	if r == nil {
		return nil
	}
	ok, eager, wait := r.local(key)
	if ok && eager {
		ask, cancel := context.WithTimeout(ctx, askCache)
		shared, w, err := r.tools.Cache.Allow(ask, r.name+key, r.perMinute, r.burst)
		cancel()
		if err == nil && !shared {
			ok, wait = false, w
		}
	}
	if ok {
		return nil
	}
	return &refusal{status: http.StatusTooManyRequests, code: "rate", detail: detail, after: max(wait, time.Second)}
}

func (r *rate) local(key string) (ok, eager bool, wait time.Duration) {
	now := r.tools.Now().UnixNano()
	per := int64(time.Minute) / int64(r.perMinute)
	r.mu.Lock()
	defer r.mu.Unlock()
	full := max(r.full[key], now)
	if over := full + per - now - per*int64(r.burst); over > 0 {
		return false, false, time.Duration(over)
	}
	r.full[key] = full + per
	if len(r.full) > 20_000 {
		for k, t := range r.full {
			if t <= now {
				delete(r.full, k)
			}
		}
	}
	return true, full+per-now > per*int64(r.burst)/2, 0
}

// addressKey is who a remote address belongs to: an IPv4 address, an IPv6 network of 64 bits.
func addressKey(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	a = a.Unmap().WithZone("")
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}
