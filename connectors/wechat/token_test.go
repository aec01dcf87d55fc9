package wechat_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"hearback/bus/bustest"
	"hearback/connectors"
	"hearback/connectors/wechat"
	"hearback/connectors/wechat/tencent"
)

// nodes are three nodes of one cluster with the same channel, which share a cache.
func (s *stage) nodes() []connectors.Connector {
	return []connectors.Connector{s.Conn, s.Again(s.t).Conn, s.Again(s.t).Conn}
}

// storm sends n replies at once, spread over nodes, and returns what failed.
func (s *stage) storm(nodes []connectors.Connector, n int) (failed []error) {
	var all sync.WaitGroup
	var mu sync.Mutex
	start := make(chan struct{})
	for i := range n {
		out := s.reply("o1", fmt.Sprint("reply ", i))
		all.Go(func() {
			<-start
			if _, err := nodes[i%len(nodes)].Send(context.Background(), out); err != nil {
				mu.Lock()
				failed = append(failed, err)
				mu.Unlock()
			}
		})
	}
	close(start)
	all.Wait()
	return failed
}

func roomy(a *tencent.Account, _ map[string]string) {
	a.Windows.Message = tencent.Allowance{For: 48 * 3600e9, Count: 100_000}
}

func TestAmongThreeNodesOneFetchesTheToken(t *testing.T) {
	for _, kind := range []tencent.Kind{tencent.Official, tencent.KF} {
		t.Run(string(kind), func(t *testing.T) {
			s := play(t, kind, roomy)
			if _, err := s.customer("o1").Say(context.Background(), "在吗"); err != nil {
				t.Fatal(err)
			}
			if kind == tencent.KF {
				s.wait(1)
			}
			nodes := s.nodes()
			if kind == tencent.Official {
				if failed := s.storm(nodes, 200); len(failed) > 0 || s.Tokens() != 1 {
					t.Fatalf("a cold start: %d token requests, %d failed: %v", s.Tokens(), len(failed), failed)
				}
			}
			before := s.Tokens()
			s.Expire(s.Account.AppID)
			if failed := s.storm(nodes, 200); len(failed) > 0 || s.Tokens()-before != 1 {
				t.Errorf("an expired token: %d token requests, %d failed: %v", s.Tokens()-before, len(failed), failed)
			}
			before = s.Tokens()
			s.Revoke(s.Account.AppID) // 40001: another server took it back
			if failed := s.storm(nodes, 200); len(failed) > 0 || s.Tokens()-before != 1 {
				t.Errorf("a revoked token: %d token requests, %d failed: %v", s.Tokens()-before, len(failed), failed)
			}
		})
	}
}

// The same with what nodes really share: three connections to one Redis, each with its own view of it.
func TestAmongThreeNodesOnARedisOneFetchesTheToken(t *testing.T) {
	s := play(t, tencent.Official, roomy)
	if _, err := s.customer("o1").Say(context.Background(), "在吗"); err != nil {
		t.Fatal(err)
	}
	url := bustest.Redis(t)
	var nodes []connectors.Connector
	for range 3 {
		tools := s.House.Tools(s.Channel)
		tools.Cache = bustest.Open(t, url)
		conn, err := wechat.Kind.Open(context.Background(), s.Channel, tools)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		nodes = append(nodes, conn)
	}
	if failed := s.storm(nodes, 200); len(failed) > 0 || s.Tokens() != 1 {
		t.Fatalf("a cold start: %d token requests, %d failed: %v", s.Tokens(), len(failed), failed)
	}
	s.Expire(s.Account.AppID)
	if failed := s.storm(nodes, 200); len(failed) > 0 || s.Tokens() != 2 {
		t.Errorf("an expired token: %d token requests in all, %d failed: %v", s.Tokens(), len(failed), failed)
	}
	s.Revoke(s.Account.AppID)
	if failed := s.storm(nodes, 200); len(failed) > 0 || s.Tokens() != 3 {
		t.Errorf("a revoked token: %d token requests in all, %d failed: %v", s.Tokens(), len(failed), failed)
	}
}

func TestARefusedTokenThatComesBackIsForcedOnceAndNotAgain(t *testing.T) {
	s := play(t, tencent.Official, roomy)
	s.customer("o1").Say(context.Background(), "在吗")
	// Tencent refuses a token it goes on handing out: a new one has to be made by force.
	s.Fail(customSend, tencent.Fault{ErrCode: 40001})
	if err := s.send(s.reply("o1", "first")); err != nil {
		t.Fatal(err)
	}
	var forced int
	for _, b := range s.sentTo("/cgi-bin/stable_token") {
		if b["force_refresh"] == true {
			forced++
		}
	}
	if forced != 1 || len(s.Calls(customSend)) != 2 {
		t.Errorf("%d forced, %d sends", forced, len(s.Calls(customSend)))
	}
	// Twenty times a day is all Tencent allows: the next time is left to the backoff.
	s.Fail(customSend, tencent.Fault{Times: 5, ErrCode: 40014})
	if err := s.send(s.reply("o1", "second")); classOf(err) != connectors.Transient || codeOf(err) != "40014" {
		t.Errorf("%v", err)
	}
	for _, b := range s.sentTo("/cgi-bin/stable_token")[3:] {
		if b["force_refresh"] == true {
			t.Error("forced again")
		}
	}
}

func TestATokenRefusedTwiceIsNotAskedForForever(t *testing.T) {
	s := play(t, tencent.Official, roomy)
	s.customer("o1").Say(context.Background(), "在吗")
	s.Fail(customSend, tencent.Fault{Times: 100, ErrCode: 42001})
	if err := s.send(s.reply("o1", "x")); classOf(err) != connectors.Transient {
		t.Errorf("%v", err)
	}
	if n := len(s.Calls(customSend)); n != 2 {
		t.Errorf("%d tries", n)
	}
}

func TestARefusedSecretHoldsTheChannel(t *testing.T) {
	for _, kind := range []tencent.Kind{tencent.Official, tencent.KF} {
		s := play(t, kind, func(_ *tencent.Account, set map[string]string) { set["app_secret"] = "another-secret" })
		err := s.send(s.reply("o1", "x"))
		if classOf(err) != connectors.Credentials || codeOf(err) != "40125" || connectors.AsSendError(err).Hint == "" {
			t.Errorf("%s: %v", kind, err)
		}
		health := s.House.Health()
		if len(health) == 0 || classOf(health[len(health)-1]) != connectors.Credentials {
			t.Errorf("%s: health %v", kind, health)
		}
		s.House.CheckSecrets(s.Kind, s.Channel, fmt.Sprint(err, health))
	}
}

func TestRedisAwayCostsTokensAndNoReply(t *testing.T) {
	s := play(t, tencent.Official, roomy)
	s.customer("o1").Say(context.Background(), "在吗")
	s.House.Cache.Fail(errors.New("redis is away"))
	if err := s.send(s.reply("o1", "x")); err == nil || classOf(err) != connectors.Transient {
		t.Errorf("%v", err)
	}
	s.House.Cache.Fail(nil)
	if err := s.send(s.reply("o1", "x")); err != nil {
		t.Error(err)
	}
}
