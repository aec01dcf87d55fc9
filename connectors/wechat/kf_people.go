package wechat

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"sync"
	"time"
)

const (
	maxNames    = 10_000
	namesAtOnce = 100 // the most batchget takes
	namesTime   = 3 * time.Second
	welcomeLife = 20 * time.Second // a welcome_code's
)

// names are the customers Tencent told us of lately. They are asked for when they first write; who cannot be asked for now has no name.
type names struct {
	mu   *sync.Mutex
	seen map[string]name
}

type name struct{ name, union string }

func newNames() names { return names{&sync.Mutex{}, map[string]name{}} }

func (n names) of(customer string) (name, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	got, ok := n.seen[customer]
	return got, ok
}

// unknown returns whom we have to ask for, each once.
func (n names) unknown(all []syncMessage) (out []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.seen) > maxNames {
		clear(n.seen)
	}
	asked := map[string]bool{"": true}
	for _, m := range all {
		if _, ok := n.seen[m.ExternalUserID]; !ok && !asked[m.ExternalUserID] {
			asked[m.ExternalUserID] = true
			out = append(out, m.ExternalUserID)
		}
	}
	return out
}

// learnNames asks for the names of new customers. Messages do not wait for it longer than some seconds and never fail with it.
func (c *kf) learnNames(ctx context.Context, all []syncMessage) {
	ctx, cancel := context.WithTimeout(ctx, namesTime)
	defer cancel()
	ids := c.names.unknown(all)
	for len(ids) > 0 {
		some := ids[:min(namesAtOnce, len(ids))]
		ids = ids[len(some):]
		ask := struct {
			IDs []string `json:"external_userid_list"`
		}{some}
		var answer struct {
			Customers []struct {
				ID    string `json:"external_userid"`
				Name  string `json:"nickname"`
				Union string `json:"unionid"`
			} `json:"customer_list"`
		}
		if err := c.api.post(ctx, "/cgi-bin/kf/customer/batchget", false, ask, &answer); err != nil {
			c.tools.Logger.Warn("customers' names cannot be read; going on without", "err", err)
			return
		}
		c.names.mu.Lock()
		for _, p := range answer.Customers {
			c.names.seen[p.ID] = name{clean(p.Name), clean(p.Union)}
		}
		c.names.mu.Unlock()
	}
}

// greet sends the welcome message for an enter_session, in the twenty seconds its code is good for and past every queue. Among all
// nodes and repetitions a code is used once.
func (c *kf) greet(ctx context.Context, m syncMessage) {
	code := m.Event.WelcomeCode
	if m.Event.EventType != "enter_session" || code == "" || c.s.welcome == "" {
		return
	}
	if age := c.tools.Now().Sub(time.Unix(int64(m.SendTime), 0)); age > welcomeLife {
		return
	}
	if seen, err := c.tools.Cache.Seen(ctx, "welcome:"+hashed(code), 10*time.Minute); err != nil || seen {
		return
	}
	c.tasks.Go(func() {
		ctx, cancel := context.WithTimeout(c.life, callTime)
		defer cancel()
		msg := kfMessage{Code: code, MsgID: hashed("welcome " + code)}.withText(shorten(c.s.welcome, maxText))
		if err := c.api.post(ctx, "/cgi-bin/kf/send_msg_on_event", false, msg, nil); err != nil {
			c.tools.Logger.Warn("a welcome message was not sent", "err", err)
		}
	})
}

// hashed is a short name of anything, of the characters Tencent takes in ids.
func hashed(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "h" + base64.RawURLEncoding.EncodeToString(sum[:18])
}
