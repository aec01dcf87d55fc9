package fleet

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"time"

	"hearback/blobs"
	"hearback/connectors"
	"hearback/desk"
)

// tools is what one open channel may use of the house.
func (f *Fleet) tools(kind connectors.Kind, ch desk.Channel, cursor []byte, inbox connectors.Inbox) connectors.Tools {
	t := connectors.Tools{
		Inbox: channelInbox{inbox, ch.ID, kind.Name, func() { f.report(ch, nil) }}, Cursor: cursor, Log: channelLog{f.o.Store, ch.ID},
		Blobs: f.o.Blobs, HTTP: f.http, Dial: newDialer(guard{f.o.AllowPrivateNetworks, f.o.Allow}).DialContext, Logger: f.logger(ch), Now: f.o.Now,
		PublicURL: f.o.PublicURL, Address: f.o.PublicURL + "/c/" + ch.ID, Key: f.key(ch.ID),
		Keep:                 f.keeper(kind, ch.ID),
		Health:               func(err error) { f.report(ch, err) },
		Note:                 f.note(ch),
		Signal:               func(string, string, map[string]string) {},
		AllowPrivateNetworks: f.o.AllowPrivateNetworks,
	}
	t.Cache = channelCache{f.o.Cache, "channel:" + ch.ID + ":"}
	if f.o.Line != nil {
		t.Bus = f.o.Line("channel:" + ch.ID)
	} else {
		t.Bus = noBus{}
	}
	if f.o.Signal != nil {
		t.Signal = func(typ, sender string, data map[string]string) { f.o.Signal(ch.ID, typ, sender, data) }
	}
	if f.o.Online != nil {
		t.Online = func() bool { return f.o.Online(ch.TeamID) }
	}
	return t
}

// key derives the channel's own key, so that what one channel signs means nothing to another.
func (f *Fleet) key(channel desk.ID) []byte {
	mac := hmac.New(sha256.New, f.o.Secret)
	mac.Write([]byte("channel key:" + channel))
	return mac.Sum(nil)
}

// channelInbox fills in whose envelopes these are.
type channelInbox struct {
	inbox   connectors.Inbox
	channel desk.ID
	kind    string
	took    func() // tells health that something came through; coalesced there
}

func (i channelInbox) Accept(ctx context.Context, b connectors.Batch) error {
	b.ChannelID = i.channel
	for n := range b.Envelopes {
		b.Envelopes[n].ChannelID, b.Envelopes[n].Kind = i.channel, i.kind
	}
	err := i.inbox.Accept(ctx, b)
	if err == nil && len(b.Envelopes) > 0 {
		i.took()
	}
	return err
}

// closedInbox is lent to tests of settings.
type closedInbox struct{}

func (closedInbox) Accept(context.Context, connectors.Batch) error {
	return fmt.Errorf("accept during a test of the settings: %w", desk.ErrUnavailable)
}

// channelLog narrows the store's log to one channel.
type channelLog struct {
	store   Store
	channel desk.ID
}

func (l channelLog) Append(ctx context.Context, sender, id string, body []byte) (int64, error) {
	return l.store.AppendLog(ctx, l.channel, sender, id, body)
}

func (l channelLog) Last(ctx context.Context, sender string) (int64, error) {
	return l.store.LastLog(ctx, l.channel, sender)
}

func (l channelLog) Read(ctx context.Context, sender string, after int64, limit int) ([]connectors.Entry, error) {
	rows, err := l.store.ReadLog(ctx, l.channel, sender, after, limit)
	if err != nil {
		return nil, err
	}
	out := make([]connectors.Entry, len(rows))
	for i, r := range rows {
		out[i] = connectors.Entry{Seq: r.Seq, ID: r.ID, Inbound: r.Inbound, Body: r.Body, At: r.At}
	}
	return out, nil
}

// channelCache gives each channel its own keys. Without a cache nothing is shared and nothing is limited.
type channelCache struct {
	cache  connectors.Cache
	prefix string
}

func (c channelCache) Once(ctx context.Context, key string, make func(context.Context) (string, time.Duration, error)) (string, error) {
	if c.cache == nil {
		v, _, err := make(ctx)
		return v, err
	}
	return c.cache.Once(ctx, c.prefix+key, make)
}

func (c channelCache) Drop(ctx context.Context, key, value string) error {
	if c.cache == nil {
		return nil
	}
	return c.cache.Drop(ctx, c.prefix+key, value)
}

func (c channelCache) Seen(ctx context.Context, key string, ttl time.Duration) (bool, error) {
	if c.cache == nil {
		return false, nil
	}
	return c.cache.Seen(ctx, c.prefix+key, ttl)
}

func (c channelCache) Allow(ctx context.Context, key string, perMinute, burst int) (bool, time.Duration, error) {
	if c.cache == nil {
		return true, 0, nil
	}
	return c.cache.Allow(ctx, c.prefix+key, perMinute, burst)
}

type noBus struct{}

func (noBus) Publish(context.Context, []byte) error { return nil }
func (noBus) Subscribe(ctx context.Context, _ func([]byte)) error {
	<-ctx.Done()
	return ctx.Err()
}

// Files lends a store of files in the contract's words.
func Files(s *blobs.Store) connectors.Blobs { return files{s} }

type files struct{ store *blobs.Store }

func (f files) Put(ctx context.Context, r io.Reader, max int64) (connectors.Blob, error) {
	b, err := f.store.Put(ctx, r, max)
	return connectors.Blob{Key: b.Key, Size: b.Size, Type: b.Type}, err
}

func (f files) Open(ctx context.Context, key string) (io.ReadSeekCloser, error) {
	return f.store.Open(ctx, key)
}

// secrets lists the values that must not be told to anybody.
func (f *Fleet) secrets(ch desk.Channel) []string {
	var out []string
	for _, field := range f.kinds[ch.Kind].Fields {
		if v := ch.Settings[field.Name]; field.Secret && len(v) >= 4 {
			out = append(out, v)
		}
	}
	// The longest first: one secret may contain another.
	slices.SortFunc(out, func(a, b string) int { return len(b) - len(a) })
	return out
}
