package wechat_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"hearback/connectors/connectortest"
	"hearback/connectors/wechat"
	"hearback/connectors/wechat/tencent"
)

// A troupe is a stand-in whose callbacks go to whatever channel the suite has open.
type troupe struct {
	*tencent.Tencent
	account tencent.Account

	mu      sync.Mutex
	letters map[int]tencent.Letter
	url     string
}

func (tr *troupe) letter(e *connectortest.Env, n int) tencent.Letter {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	l, ok := tr.letters[n]
	if !ok {
		l = tr.Customer(tr.account.AppID, "oCustomer").Compose(fmt.Sprintf("第 %d 个问题", n))
		tr.letters[n] = l
	}
	l.Account.Callback = e.URL
	return l
}

func TestContractOfOfficialAccountsAndMiniPrograms(t *testing.T) {
	for _, kind := range []tencent.Kind{tencent.Official, tencent.MiniProgram} {
		for _, mode := range []string{"plain", "compatible", "safe"} {
			t.Run(string(kind)+" "+mode, func(t *testing.T) {
				tr := &troupe{letters: map[int]tencent.Letter{}}
				tr.account = tencent.Account{Kind: kind, AppID: appID, Secret: appKey, Token: "spamtest", AESKey: aesKey, Mode: mode, JSON: kind == tencent.MiniProgram}
				var err error
				if tr.Tencent, err = tencent.New(tencent.Options{Accounts: []tencent.Account{tr.account}}); err != nil {
					t.Fatal(err)
				}
				api := connectortest.NewProvider(t, tr.ServeHTTP)
				connectortest.Conformance(t, wechat.Kind, connectortest.Harness{
					Settings: map[string]string{"account": string(kind), "app_id": appID, "app_secret": appKey, "token": "spamtest", "encoding_aes_key": aesKey, "mode": mode, "api_base": api},
					Deliver: func(t testing.TB, e *connectortest.Env, n int) bool {
						req, err := tr.letter(e, n).Request(context.Background())
						if err != nil {
							t.Fatal(err)
						}
						status, body, _ := answer(t, req)
						return status == http.StatusOK && body == "success"
					},
					Hang: tr.hang("/cgi-bin/message/custom/send"),
				})
			})
		}
	}
}

func (tr *troupe) hang(path string) func(*connectortest.Env) func() {
	return func(*connectortest.Env) func() {
		tr.Fail(path, tencent.Fault{Times: 100, Hang: true})
		return tr.Mend
	}
}

// A customer-service account keeps its messages: each channel of the suite gets an account of its own, so that it meets no old ones.
func TestContractOfCustomerService(t *testing.T) {
	tr := &troupe{}
	tr.account = tencent.Account{Kind: tencent.KF, AppID: corpID, Secret: appKey, Token: "spamtest", AESKey: aesKey, OpenKfID: openKfid}
	var api string
	var mu sync.Mutex
	said := map[string]string{} // channel and number to msgid
	renew := func() {
		var err error
		if tr.Tencent, err = tencent.New(tencent.Options{Accounts: []tencent.Account{tr.account}}); err != nil {
			t.Fatal(err)
		}
	}
	renew()
	api = connectortest.NewProvider(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		now := tr.Tencent
		mu.Unlock()
		now.ServeHTTP(w, r)
	})
	connectortest.Conformance(t, wechat.Kind, connectortest.Harness{
		Settings: map[string]string{"account": "kf", "app_id": corpID, "app_secret": appKey, "token": "spamtest", "encoding_aes_key": aesKey, "open_kfid": openKfid, "api_base": api},
		Deliver: func(t testing.TB, e *connectortest.Env, n int) bool {
			mu.Lock()
			if tr.url != e.URL {
				tr.url = e.URL
				tr.account.Callback = e.URL
				renew()
			}
			mu.Unlock()
			key := fmt.Sprint(e.URL, n)
			before := failures(e)
			if id, again := said[key]; again {
				if err := tr.Knock(context.Background(), openKfid); err != nil {
					t.Fatal(err)
				}
				eventually(t, "the message or a failure", func() bool { return taken(e, id) || failures(e) > before })
				return taken(e, id)
			}
			id, err := tr.KFCustomer(openKfid, "wmCustomer").Say(context.Background(), fmt.Sprintf("第 %d 个问题", n))
			if err != nil {
				t.Fatal(err)
			}
			said[key] = id
			eventually(t, "the message or a failure", func() bool { return taken(e, id) || failures(e) > before })
			return taken(e, id)
		},
		Hang: tr.hang("/cgi-bin/kf/send_msg"),
	})
}

func taken(e *connectortest.Env, id string) bool {
	for _, env := range e.House.Inbox.Envelopes() {
		if env.ExternalID == id {
			return true
		}
	}
	return false
}

// failures counts failed receptions: the store's, not the provider's passing ones.
func failures(e *connectortest.Env) (n int) {
	for _, err := range e.House.Health() {
		if err != nil && strings.Contains(err.Error(), "accept") {
			n++
		}
	}
	return n
}
