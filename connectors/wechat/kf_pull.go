package wechat

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"hearback/connectors"
	"hearback/desk"
)

const (
	pageSize = 1000 // the most sync_msg gives at once
	maxStuck = 3    // pages in a row that say "more" and lead no further
)

// Receive fetches what is new whenever the bell rings, and now and then without, until ctx ends or something fails; then the fleet
// starts it again with the cursor that was committed last.
func (c *kf) Receive(ctx context.Context) error {
	var hints sync.WaitGroup
	ctx, stop := context.WithCancel(ctx)
	defer hints.Wait()
	defer stop()
	hints.Go(func() { c.listen(ctx) })
	for {
		if err := c.pull(ctx); err != nil {
			return err
		}
		t := time.NewTimer(c.s.poll)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-c.rung:
			t.Stop()
		case <-t.C:
		}
	}
}

// listen hears the bells that rang on other nodes.
func (c *kf) listen(ctx context.Context) {
	err := c.tools.Bus.Subscribe(ctx, func(payload []byte) {
		var b bell
		if json.Unmarshal(payload, &b) == nil && b.OpenKfid == c.s.openKfid {
			c.hear(b)
		}
	})
	if ctx.Err() == nil {
		c.tools.Logger.Warn("bells of other nodes are not heard; looking now and then only", "err", err)
	}
}

// A syncRequest asks for what comes after a cursor.
type syncRequest struct {
	Cursor      string `json:"cursor,omitempty"`
	Token       string `json:"token,omitempty"`
	Limit       int    `json:"limit"`
	VoiceFormat int    `json:"voice_format"` // 0: amr
	OpenKfid    string `json:"open_kfid"`
}

// A syncAnswer is one page. The SDK's own type loses who served a conversation and reads numbers as floats, so the messages stay raw.
type syncAnswer struct {
	Next     string            `json:"next_cursor"`
	HasMore  int               `json:"has_more"`
	Messages []json.RawMessage `json:"msg_list"`
}

// pull fetches page after page, also past empty ones while there is more; pages that lead nowhere end it until the next look.
func (c *kf) pull(ctx context.Context) error {
	for stuck := 0; ; {
		c.mu.Lock()
		cur := c.cur
		c.mu.Unlock()
		page, err := c.page(ctx, cur)
		if err != nil {
			return err
		}
		next := cursor{cur.OpenKfid, first(page.Next, cur.Next)}
		if err := c.keep(ctx, page.Messages, cur, next); err != nil {
			return err
		}
		if next == cur {
			stuck++
		}
		if page.HasMore != 1 || stuck == maxStuck {
			return nil
		}
	}
}

// page is one sync_msg. A token that Tencent does not know any more is left out: without one the API answers too, but not as often.
func (c *kf) page(ctx context.Context, cur cursor) (syncAnswer, error) {
	ask := syncRequest{Cursor: cur.Next, Token: c.callToken(), Limit: pageSize, OpenKfid: cur.OpenKfid}
	var page syncAnswer
	err := c.api.post(ctx, "/cgi-bin/kf/sync_msg", false, ask, &page)
	if ask.Token != "" && connectors.AsSendError(err).Code == "95007" {
		c.mu.Lock()
		if c.bell.Token == ask.Token {
			c.bell.Token = ""
		}
		c.mu.Unlock()
		ask.Token, page = "", syncAnswer{}
		err = c.api.post(ctx, "/cgi-bin/kf/sync_msg", false, ask, &page)
	}
	if err != nil {
		return page, fmt.Errorf("fetch messages: %w", err)
	}
	return page, nil
}

// keep commits a page with the cursor behind it. Welcome messages leave before: they have twenty seconds.
func (c *kf) keep(ctx context.Context, raw []json.RawMessage, cur, next cursor) error {
	if len(raw) == 0 && next == cur {
		return nil
	}
	read := make([]syncMessage, 0, len(raw))
	for _, r := range raw {
		m, err := readSync(r)
		if err != nil {
			c.note(nil, connectors.Note{What: "sync", Refused: true, Detail: oneLine(err.Error())})
			c.tools.Logger.Warn("a message cannot be read; it is kept as it came", "err", err)
		}
		c.greet(ctx, m)
		read = append(read, m)
	}
	c.learnNames(ctx, read)
	batch := connectors.Batch{Envelopes: make([]desk.Envelope, len(read)), Cursor: next.bytes()}
	for i, m := range read {
		batch.Envelopes[i] = c.envelope(m)
	}
	if err := c.tools.Inbox.Accept(ctx, batch); err != nil {
		c.note(nil, connectors.Note{What: "sync", Refused: true, Detail: oneLine(err.Error())})
		return fmt.Errorf("accept messages: %w", err)
	}
	c.mu.Lock()
	c.cur = next
	c.mu.Unlock()
	for i, m := range read {
		c.note(nil, connectors.Note{What: m.what(), Ref: m.MsgID, Envelope: batch.Envelopes[i].ID, Detail: repeated(batch.Envelopes[i])})
	}
	return nil
}

func (cur cursor) bytes() []byte {
	b, _ := json.Marshal(cur) // two strings
	return b
}

// A syncMessage is one entry of a page: the head that is needed to keep it, and all of it.
type syncMessage struct {
	kfHead
	MsgType string `json:"msgtype"`
	Event   struct {
		EventType      string `json:"event_type"`
		ExternalUserID string `json:"external_userid"`
		WelcomeCode    string `json:"welcome_code"`
	} `json:"event"`
	raw json.RawMessage
}

// readSync reads a message's head. Whatever cannot be read is kept all the same.
func readSync(raw json.RawMessage) (syncMessage, error) {
	m := syncMessage{raw: raw}
	err := json.Unmarshal(raw, &m)
	m.raw = raw
	m.ExternalUserID = first(m.ExternalUserID, m.Event.ExternalUserID)
	if m.MsgID == "" {
		m.MsgID = hashed(string(raw))
	}
	if err != nil {
		return m, fmt.Errorf("read message: %w", err)
	}
	return m, nil
}

func (m syncMessage) what() string {
	if m.MsgType == "event" {
		return first(oneLine(m.Event.EventType), "event")
	}
	return first(oneLine(m.MsgType), "message")
}

// envelope is what the inbox keeps. What concerns no customer stands in a line of its own.
func (c *kf) envelope(m syncMessage) desk.Envelope {
	e := desk.Envelope{Type: desk.EnvelopeMessage, ExternalID: m.MsgID, Sender: first(m.ExternalUserID, c.s.openKfid), Raw: m.raw, Meta: c.s.meta()}
	if m.Event.EventType == "msg_send_fail" {
		e.Type = desk.EnvelopeReceipt
	}
	if n, ok := c.names.of(m.ExternalUserID); ok {
		e.Meta["name"], e.Meta["unionid"] = n.name, n.union
	}
	return e
}
