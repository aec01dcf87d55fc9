package configs

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// check holds what a value must be beyond its type.
func check(c *Config) error {
	for _, l := range leaves(c) {
		if err := l.check(); err != nil {
			return &Error{"configuration", l.key, err.Error()}
		}
	}
	for _, f := range []struct {
		key string
		err error
	}{
		{"listen", checkAddress(c.Listen)},
		{"metrics_listen", checkOptionalAddress(c.MetricsListen)},
		{"public_url", checkURL(c.PublicURL)},
		{"database", checkScheme(c.Database, "sqlite", "sqlite:", "postgres://", "postgresql://")},
		{"redis", checkScheme(c.Redis, "embedded", "redis://", "rediss://", "unix://", "redis+sentinel://", "redis+cluster://")},
		{"time_zone", checkZone(c.TimeZone)},
		{"trusted_proxies", checkNetworks(c.TrustedProxies)},
	} {
		if f.err != nil {
			return &Error{"configuration", f.key, f.err.Error()}
		}
	}
	return nil
}

func (l leaf) check() error {
	if choices := l.tag.Get("oneof"); choices != "" && !slices.Contains(strings.Split(choices, ","), l.value.String()) {
		return fmt.Errorf("must be one of %s, not %q", strings.ReplaceAll(choices, ",", ", "), l.value.String())
	}
	if l.tag.Get("min") != "" && l.value.CanInt() {
		if least, _ := strconv.ParseInt(l.tag.Get("min"), 10, 64); l.value.Int() < least {
			return fmt.Errorf("must be %s, at least %d", map[bool]string{true: "a positive duration", false: "a number"}[l.value.Type() == durationType], least)
		}
	}
	if l.value.Type() == durationType && l.value.Int() < 0 {
		return fmt.Errorf("must not be negative")
	}
	return nil
}

func checkAddress(s string) error {
	host, port, err := net.SplitHostPort(s)
	if n, perr := strconv.Atoi(port); err != nil || perr != nil || n < 0 || n > 65535 {
		return fmt.Errorf("must be HOST:PORT, such as 127.0.0.1:8080 or :8080, not %q", s)
	}
	_ = host // any name the system resolves
	return nil
}

func checkOptionalAddress(s string) error {
	if s == "" {
		return nil
	}
	return checkAddress(s)
}

func checkURL(s string) error {
	if s == "" {
		return nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.HasSuffix(s, "/") || u.RawQuery != "" {
		return fmt.Errorf("must be an address such as https://desk.example.com without a trailing slash, not %q", s)
	}
	return nil
}

// checkScheme never repeats the value: it may hold a password.
func checkScheme(s string, allowed ...string) error {
	for _, a := range allowed {
		if s == a || strings.HasSuffix(a, ":") && strings.HasPrefix(s, a) || strings.HasSuffix(a, "//") && strings.HasPrefix(s, a) {
			return nil
		}
	}
	return fmt.Errorf("must be or begin with %s", strings.Join(allowed, ", "))
}

func checkZone(s string) error {
	if _, err := time.LoadLocation(s); err != nil {
		return fmt.Errorf("must be a zone of the IANA database, such as Asia/Shanghai, not %q", s)
	}
	return nil
}

func checkNetworks(list []string) error {
	for _, s := range list {
		if _, err := netip.ParsePrefix(s); err == nil {
			continue
		}
		if _, err := netip.ParseAddr(s); err != nil {
			return fmt.Errorf("must list addresses or networks, such as 10.0.0.0/8, not %q", s)
		}
	}
	return nil
}

// unknownKey says which key was probably meant.
func unknownKey(c *Config, key string) string {
	best, least := "", 4
	for _, l := range leaves(c) {
		if d := distance(key, l.key); d < least {
			best, least = l.key, d
		}
	}
	if best != "" {
		return fmt.Sprintf("there is no such key; did you mean %q?", best)
	}
	return "there is no such key; hearback.example.toml lists them all"
}

// distance is the Levenshtein distance.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diag := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diag, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diag+cost)
		}
	}
	return row[len(b)]
}

// Example renders hearback.example.toml: every key with its help and default.
func Example() string {
	c := Default()
	var b strings.Builder
	b.WriteString("# Hearback's configuration. Every key with its default: the gateway runs without this file.\n" +
		"# Environment: HEARBACK_ plus the key, dots as underscores (HEARBACK_ROUTING_CAPACITY=12). Flags win over both.\n")
	table := ""
	for _, l := range leaves(&c) {
		t, name := "", l.key
		if i := strings.LastIndex(l.key, "."); i >= 0 {
			t, name = l.key[:i], l.key[i+1:]
		}
		if t != table {
			table = t
			fmt.Fprintf(&b, "\n[%s]\n", t)
		}
		fmt.Fprintf(&b, "\n# %s\n%s = %s\n", l.tag.Get("help"), name, l.toml())
	}
	return b.String()
}

func (l leaf) toml() string {
	switch {
	case l.value.Type() == durationType:
		return strconv.Quote(shortDuration(time.Duration(l.value.Int())))
	case l.value.Kind() == reflect.Slice:
		return "[]"
	case l.value.Kind() == reflect.String:
		return strconv.Quote(l.value.String())
	}
	return fmt.Sprint(l.value.Interface())
}

// shortDuration drops the zero units that time.Duration prints: 4h0m0s is 4h.
func shortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}
