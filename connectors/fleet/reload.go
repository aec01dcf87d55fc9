package fleet

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hearback/connectors"
	"hearback/desk"
)

// Reload compares the open channels with the store once: opens new and changed ones, closes disabled ones. Main calls it
// before it listens, so that no webhook meets a 404 at the start. The error is the store's; a channel that will not open is
// no error here.
func (f *Fleet) Reload(ctx context.Context) error {
	f.reload.Lock()
	defer f.reload.Unlock()
	if f.isClosed() {
		return nil
	}
	channels, err := f.o.Store.Channels(ctx)
	if err != nil {
		return fmt.Errorf("reload channels: %w", err)
	}
	wanted := map[desk.ID]bool{}
	for _, ch := range channels {
		if ch.Enabled {
			wanted[ch.ID] = true
			f.bring(ctx, ch)
		}
	}
	for _, v := range f.unwanted(wanted) {
		f.retire(v, v.current())
	}
	return nil
}

func (f *Fleet) isClosed() bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.closed
}

// bring opens ch unless this very version is open or has just failed, and then closes the one it replaces.
func (f *Fleet) bring(ctx context.Context, ch desk.Channel) {
	f.mu.RLock()
	old, fail := f.open[ch.ID], f.failed[ch.ID]
	f.mu.RUnlock()
	isOpen := old != nil && old.ch.Version == ch.Version
	hasFailed := fail.version == ch.Version && f.o.Now().Before(fail.again)
	if isOpen || hasFailed {
		return
	}
	kind, known := f.kinds[ch.Kind]
	conn, err := connectors.Connector(nil), error(nil)
	if known {
		conn, err = f.openChannel(ctx, kind, ch)
	} else {
		err = fmt.Errorf("this build knows no channel kind %q", ch.Kind)
	}
	if err != nil {
		f.failToOpen(ch, err)
		return
	}
	v := &vessel{ch: ch, kind: kind, conn: conn}
	v.token, v.mounted = mountDigest(kind, ch)
	f.mu.Lock()
	f.open[ch.ID] = v
	delete(f.failed, ch.ID)
	f.mu.Unlock()
	f.o.Logger.Info("channel is open", "channel", ch.ID, "kind", ch.Kind, "version", ch.Version)
	if old != nil {
		f.retire(old, old.current())
	}
	if fail.version != 0 {
		f.report(ch, nil)
	}
	f.startPoll(v)
}

// failToOpen leaves an older version open, if there is one: better yesterday's settings than a dead channel.
func (f *Fleet) failToOpen(ch desk.Channel, err error) {
	f.mu.Lock()
	broken := failure{version: ch.Version, again: f.o.Now().Add(reopen), kind: ch.Kind}
	broken.token, broken.mounted = mountDigest(f.kinds[ch.Kind], ch)
	f.failed[ch.ID] = broken
	f.mu.Unlock()
	f.o.Logger.Error("channel cannot be opened", "channel", ch.ID, "kind", ch.Kind, "err", redact(err.Error(), f.secrets(ch)))
	f.report(ch, fmt.Errorf("open: %w", err))
}

// unwanted takes out of the map what is open and no longer to be.
func (f *Fleet) unwanted(wanted map[desk.ID]bool) (out []*vessel) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, v := range f.open {
		if !wanted[id] {
			delete(f.open, id)
			out = append(out, v)
		}
	}
	for id := range f.failed {
		if !wanted[id] {
			delete(f.failed, id)
		}
	}
	return out
}

// retire stops a vessel's poller and closes conn. What is not called from outside is closed late, so that a Send that
// has just begun can end.
func (f *Fleet) retire(v *vessel, conn connectors.Connector) {
	v.haltPoll()
	f.closeLate(v, conn)
}

func (f *Fleet) closeLate(v *vessel, conn connectors.Connector) {
	wait := conn.Capabilities().SendTimeout
	if wait == 0 {
		wait = 30 * time.Second
	}
	if _, ok := conn.(connectors.Webhook); ok {
		wait = 0 // its sockets must come back to the new one
	}
	f.wg.Go(func() {
		t := time.NewTimer(wait)
		defer t.Stop()
		select {
		case <-t.C:
		case <-f.stop:
		}
		if err := conn.Close(); err != nil {
			f.o.Logger.Warn("channel did not close cleanly", "channel", v.ch.ID, "err", redact(err.Error(), f.secrets(v.ch)))
		}
	})
}

// openChannel lends the tools and opens; a panic is an error.
func (f *Fleet) openChannel(ctx context.Context, kind connectors.Kind, ch desk.Channel) (c connectors.Connector, err error) {
	defer func() {
		if p := recover(); p != nil {
			c, err = nil, fmt.Errorf("panic: %v", p)
		}
	}()
	cursor, err := f.o.Store.Cursor(ctx, ch.ID)
	if err != nil && !errors.Is(err, desk.ErrNotFound) {
		return nil, fmt.Errorf("read cursor: %w", err)
	}
	ch.Settings, _ = Complete(kind, ch.Settings, false)
	return kind.Open(ctx, ch, f.tools(kind, ch, cursor, f.o.Inbox))
}

// Test tries settings, stored or not, and says in a sentence what is wrong. Nothing is taken in meanwhile. It takes at most
// 30 seconds.
func (f *Fleet) Test(ctx context.Context, ch desk.Channel) (err error) {
	kind, ok := f.kinds[ch.Kind]
	if !ok {
		return fmt.Errorf("test channel: %w: this build knows no channel kind %q", desk.ErrInvalid, ch.Kind)
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("test channel: panic: %v", p)
		}
		if err != nil {
			err = redacted{redact(err.Error(), f.secrets(ch)), err}
		}
	}()
	ch.Settings, _ = Complete(kind, ch.Settings, false)
	if problems := Validate(kind, ch.Settings); len(problems) > 0 {
		return fmt.Errorf("%w: %s: %s", desk.ErrInvalid, problems[0].Field, problems[0].Text.En)
	}
	tools := f.tools(kind, ch, nil, closedInbox{})
	tools.Health, tools.Note = func(error) {}, func(connectors.Note) {}
	if kind.Test != nil {
		return kind.Test(ctx, ch, tools)
	}
	conn, err := kind.Open(ctx, ch, tools)
	if err != nil {
		return err
	}
	return conn.Close()
}
