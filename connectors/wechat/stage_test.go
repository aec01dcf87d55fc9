package wechat_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"hearback/connectors"
	"hearback/connectors/connectortest"
	"hearback/connectors/wechat"
	"hearback/connectors/wechat/tencent"
	"hearback/desk"
)

const (
	aesKey   = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
	otherKey = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
	appID    = "wxb11529c136998cb6"
	corpID   = "ww1436e0e65a779aee"
	openKfid = "wkAJ2GCAAASSm4_FhToWMFea0xAFfd3Q"
	appKey   = "7c2a9f5e1b3d4c6a8e0f1a2b3c4d5e6f"
)

// A stage is a stand-in for Tencent with one account and the channel that belongs to it.
type stage struct {
	*tencent.Tencent
	*connectortest.Env
	t        testing.TB
	API      string
	Account  tencent.Account
	settings map[string]string
	notes    *notebook
}

// notebook keeps a channel's live log.
type notebook struct {
	mu  sync.Mutex
	all []connectors.Note
}

func (n *notebook) add(note connectors.Note) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, note)
}

func (n *notebook) notes() []connectors.Note {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]connectors.Note(nil), n.all...)
}

// kind is the kind with a live log, which the test house does not lend.
func (n *notebook) kind() connectors.Kind {
	k := wechat.Kind
	k.Open = func(ctx context.Context, ch desk.Channel, tools connectors.Tools) (connectors.Connector, error) {
		tools.Note = n.add
		return wechat.Kind.Open(ctx, ch, tools)
	}
	return k
}

// play opens an account at Tencent and its channel here. change may alter both.
func play(t testing.TB, kind tencent.Kind, change func(*tencent.Account, map[string]string)) *stage {
	t.Helper()
	s := &stage{t: t, notes: &notebook{}}
	house := connectortest.NewHouse(t)
	s.Account = tencent.Account{Kind: kind, AppID: appID, Secret: appKey, Token: "spamtest", AESKey: aesKey, Mode: "safe", Templates: []string{"TM1"}}
	if kind == tencent.KF {
		s.Account.AppID, s.Account.OpenKfID = corpID, openKfid
	}
	s.settings = map[string]string{"account": string(kind), "app_id": s.Account.AppID, "app_secret": appKey, "token": "spamtest", "encoding_aes_key": aesKey, "open_kfid": s.Account.OpenKfID}
	if change != nil {
		change(&s.Account, s.settings)
	}
	if s.settings["mode"] != "" {
		s.Account.Mode = s.settings["mode"]
	}
	var err error
	if s.Tencent, err = tencent.New(tencent.Options{Accounts: []tencent.Account{s.Account}, Now: house.Clock.Now}); err != nil {
		t.Fatal(err)
	}
	api := httptest.NewServer(s.Tencent)
	t.Cleanup(func() { api.CloseClientConnections(); api.Close() })
	s.API, s.settings["api_base"] = api.URL, api.URL
	s.Env = connectortest.OpenChannel(t, s.notes.kind(), house, s.settings)
	s.Account.Callback = s.URL
	if err := s.Open(s.Account); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *stage) customer(id string) *tencent.Customer {
	if s.Account.Kind == tencent.KF {
		return s.KFCustomer(openKfid, id)
	}
	return s.Customer(s.Account.AppID, id)
}

// wait for n accepted envelopes.
func (s *stage) wait(n int) []desk.Envelope {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	got, err := s.House.Inbox.Wait(ctx, func(all []desk.Envelope) bool { return len(all) >= n })
	if err != nil {
		s.t.Fatalf("%v; health %v", err, s.House.Health())
	}
	return got
}

// decoded is what the n-th envelope says.
func (s *stage) decoded(n int) desk.Inbound {
	s.t.Helper()
	in, err := wechat.Kind.Decode(s.wait(n + 1)[n])
	if err != nil || len(in) != 1 {
		s.t.Fatalf("decode: %v, %d inbounds", err, len(in))
	}
	return in[0]
}

// reply is an answer to a customer.
func (s *stage) reply(to, text string, files ...desk.Attachment) desk.Outbound {
	id := desk.NewID()
	return desk.Outbound{DeliveryID: desk.NewID(), MessageID: id, TicketID: desk.NewID(), Number: "GD20260101-0001", ChannelID: s.Channel.ID, Sender: to, Text: text,
		ExternalID: id, Attachments: files, Author: desk.Author{Kind: "agent", ID: desk.NewID(), Name: "王芳"}, Attempt: 1, CreatedAt: desk.At(s.House.Clock.Now())}
}

func (s *stage) send(out desk.Outbound) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, err := s.Conn.Send(ctx, out)
	return err
}

// file puts bytes into the house's blobs.
func (s *stage) file(name, typ string, content []byte) desk.Attachment {
	s.t.Helper()
	b, err := s.House.Blobs.Put(context.Background(), strings.NewReader(string(content)), 0)
	if err != nil {
		s.t.Fatal(err)
	}
	return desk.Attachment{ID: desk.NewID(), Name: name, Type: typ, Size: int64(len(content)), Blob: b.Key}
}

// answer makes a request and returns status and body.
func answer(t testing.TB, req *http.Request) (int, string, http.Header) {
	t.Helper()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(body), res.Header
}

// sentTo returns the bodies of the calls of an endpoint.
func (s *stage) sentTo(path string) (out []map[string]any) {
	for _, c := range s.Calls(path) {
		m := map[string]any{}
		if json.Unmarshal([]byte(c.Body), &m) != nil {
			s.t.Fatalf("%s was called with %q", path, c.Body)
		}
		out = append(out, m)
	}
	return out
}

func classOf(err error) connectors.Class { return connectors.AsSendError(err).Class }

func codeOf(err error) string {
	var e *connectors.SendError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// eventually waits until f holds.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(20 * time.Second)
	for !f() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("waited for %s in vain", what)
		}
	}
}
