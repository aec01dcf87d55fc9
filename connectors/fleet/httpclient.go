package fleet

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// ErrPrivateAddress is why a request to a private address failed.
var ErrPrivateAddress = errors.New("private addresses are refused; start with --allow-private-networks if this one is meant")

// refused are the networks that are not the public internet, beside those netip knows by name (IANA special-purpose registries).
var refused = prefixes(
	"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
	"203.0.113.0/24", "240.0.0.0/4", "64:ff9b:1::/48", "100::/64", "2001::/32", "2001:db8::/32", "fec0::/10",
)

// Networks that carry an IPv4 address inside: NAT64 (RFC 6052) in the last four bytes, 6to4 (RFC 3056) after the first two.
var (
	nat64  = netip.MustParsePrefix("64:ff9b::/96")
	sixTo4 = netip.MustParsePrefix("2002::/16")
)

func prefixes(all ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(all))
	for i, s := range all {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

// NewHTTPClient makes the client channels talk to providers with. Unless allowPrivate, it connects to public addresses only;
// the check runs on the resolved address of every single connection, so neither a name that resolves inwards nor a
// redirect gets around it. No proxy is used. A request takes at most 30 seconds, at most 5 redirects.
func NewHTTPClient(allowPrivate bool) *http.Client { return newHTTPClient(guard{all: allowPrivate}) }

func newHTTPClient(g guard) *http.Client {
	return &http.Client{
		Timeout: 30 * time.Second,
		Transport: &http.Transport{
			DialContext: newDialer(g).DialContext, ForceAttemptHTTP2: true, TLSHandshakeTimeout: 10 * time.Second,
			MaxIdleConns: 64, MaxIdleConnsPerHost: 16, IdleConnTimeout: 90 * time.Second,
			ResponseHeaderTimeout: 25 * time.Second, ExpectContinueTimeout: time.Second, MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(_ *http.Request, via []*http.Request) error {
			if len(via) >= 5 {
				return errors.New("stopped after 5 redirects")
			}
			return nil
		},
	}
}

// A guard says which addresses beside the public ones may be connected to: all, or those one is true for.
type guard struct {
	all bool
	one func(address string) bool
}

func (g guard) check(address string) error {
	if g.all || g.one != nil && g.one(address) {
		return nil
	}
	return CheckAddress(address)
}

// newDialer connects to public addresses and what the guard lets through: each resolved address is judged before it is connected
// to, so that a name cannot be one thing when asked and another when used.
func newDialer(g guard) *net.Dialer {
	return &net.Dialer{
		Timeout: 10 * time.Second, KeepAlive: 30 * time.Second,
		Control: func(_, address string, _ syscall.RawConn) error { return g.check(address) },
	}
}

// CheckAddress refuses "ip:port" that is not on the public internet.
func CheckAddress(address string) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", address, ErrPrivateAddress)
	}
	if !public(ap.Addr()) {
		return fmt.Errorf("connect to %s: %w", ap.Addr(), ErrPrivateAddress)
	}
	return nil
}

func public(a netip.Addr) bool {
	a = a.WithZone("").Unmap()
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() {
		return false
	}
	for _, p := range refused {
		if p.Contains(a) {
			return false
		}
	}
	b := a.As16()
	switch {
	case nat64.Contains(a):
		return public(netip.AddrFrom4([4]byte(b[12:16])))
	case sixTo4.Contains(a):
		return public(netip.AddrFrom4([4]byte(b[2:6])))
	}
	return true
}
