package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"hearback/connectors/wechat/tencent"
	"hearback/desk"
)

// A wechatHouse is a channel of a real gateway, and the stand-in for Tencent behind it.
type wechatHouse struct {
	*tencent.Tencent
	t       testing.TB
	channel string
	account tencent.Account
}

// addWechat makes a WeChat channel on a gateway that is not running yet; aim tells the stand-in where it runs.
func (g *gateway) addWechat(kind tencent.Kind, more ...string) *wechatHouse {
	g.t.Helper()
	a := tencent.Account{Kind: kind, AppID: "wx" + randomHex(8), Secret: randomHex(16), Token: randomHex(12), AESKey: randomHex(22)[:43], Mode: "safe", Templates: []string{"TM1"}}
	set := []string{"account=" + string(kind), "app_id=" + a.AppID, "app_secret=" + a.Secret, "token=" + a.Token, "encoding_aes_key=" + a.AESKey}
	if kind == tencent.KF {
		a.OpenKfID = "wk" + randomHex(8)
		set = append(set, "open_kfid="+a.OpenKfID)
	} else {
		set = append(set, "template_id=TM1", "mode=safe")
	}
	tc, err := tencent.New(tencent.Options{Accounts: []tencent.Account{a}, Client: callbackClient(), Pause: 100 * time.Millisecond})
	if err != nil {
		g.t.Fatal(err)
	}
	api := httptest.NewServer(tc)
	g.t.Cleanup(func() { api.CloseClientConnections(); api.Close() })
	args := []string{"channel", "add", "--kind", "wechat", "--name", "公众号"}
	for _, s := range append(append(set, "api_base="+api.URL), more...) {
		args = append(args, "--set", s)
	}
	var made struct {
		ID string `json:"id"`
	}
	g.run(&made, "", args...)
	return &wechatHouse{tc, g.t, made.ID, a}
}

// callbackClient makes every callback on a connection of its own: a kept one would be dead after a kill.
func callbackClient() *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
}

// aim tells the stand-in where the channel answers.
func (w *wechatHouse) aim(g *gateway) {
	w.t.Helper()
	w.account.Callback = g.base + "/c/" + w.channel
	if err := w.Open(w.account); err != nil {
		w.t.Fatal(err)
	}
}

func (w *wechatHouse) customer(id string) *tencent.Customer { return w.Customer(w.account.AppID, id) }

// newWechat is a running gateway with one WeChat channel, and an administrator's token.
func newWechat(t testing.TB, kind tencent.Kind, more ...string) (*gateway, *wechatHouse, *apiClient) {
	g := newGateway(t, "--allow-private-networks")
	w := g.addWechat(kind, more...)
	token := g.addAgent("root@example.com", "admin")
	g.start()
	w.aim(g)
	return g, w, g.api(token)
}

// A sendView is what the API tells of a message.
type sendView struct {
	ID          string `json:"id"`
	Direction   string `json:"direction"`
	Text        string `json:"text"`
	Attachments []struct {
		Name  string `json:"name"`
		Type  string `json:"type"`
		Size  int64  `json:"size"`
		URL   string `json:"url"`
		State string `json:"state"`
	} `json:"attachments"`
	Delivery *struct {
		State    string `json:"state"`
		Code     string `json:"code"`
		Hint     string `json:"hint"`
		Attempts int    `json:"attempts"`
	} `json:"delivery"`
	Event *struct {
		Type string            `json:"type"`
		Data map[string]string `json:"data"`
	} `json:"event"`
}

// timeline reads a ticket's messages.
func timeline(t testing.TB, api *apiClient, ticket desk.ID) []sendView {
	t.Helper()
	var page struct {
		Items []sendView `json:"items"`
	}
	if err := api.do(context.Background(), "GET", "/api/v1/tickets/"+ticket+"/messages?limit=200", nil, &page); err != nil {
		t.Fatal(err)
	}
	return page.Items
}

// ticketOf waits for the ticket whose first message is text.
func ticketOf(t testing.TB, api *apiClient, text string) (id desk.ID) {
	t.Helper()
	eventually(t, 20*time.Second, "a ticket for "+text, func() bool {
		var page struct {
			Items []struct {
				ID      string `json:"id"`
				Subject string `json:"subject"`
			} `json:"items"`
		}
		if err := api.do(context.Background(), "GET", "/api/v1/tickets?view=all&limit=200", nil, &page); err != nil {
			return false
		}
		for _, item := range page.Items {
			if item.Subject == text {
				id = item.ID
			}
		}
		return id != ""
	})
	return id
}

// hears lets a customer write and returns his ticket.
func hears(t testing.TB, api *apiClient, c *tencent.Customer, text string) desk.ID {
	t.Helper()
	if _, err := c.Say(context.Background(), text); err != nil {
		t.Fatal(err)
	}
	return ticketOf(t, api, text)
}

// answerTo writes a reply with files and returns the message's id.
func answerTo(t testing.TB, api *apiClient, ticket desk.ID, text string, files ...string) (id desk.ID) {
	t.Helper()
	var made struct {
		ID string `json:"id"`
	}
	in := map[string]any{"text": text, "idempotency_key": desk.NewID()}
	if len(files) > 0 {
		in["attachments"] = files
	}
	if err := api.do(context.Background(), "POST", "/api/v1/tickets/"+ticket+"/replies", in, &made); err != nil {
		t.Fatal(err)
	}
	return made.ID
}

// message reads one message of a ticket.
func message(t testing.TB, api *apiClient, ticket, id desk.ID) sendView {
	t.Helper()
	all := timeline(t, api, ticket)
	i := slices.IndexFunc(all, func(m sendView) bool { return m.ID == id })
	if i < 0 || all[i].Delivery == nil {
		t.Fatalf("message %s is not on its ticket, or has no delivery", id)
	}
	return all[i]
}

// becomes waits until a reply's delivery is in a state.
func becomes(t testing.TB, api *apiClient, ticket, id desk.ID, state string) sendView {
	t.Helper()
	var m sendView
	eventually(t, 30*time.Second, "a reply that is "+state, func() bool {
		m = message(t, api, ticket, id)
		return m.Delivery.State == state
	})
	return m
}

// reads waits until a customer's phone shows an answer with that text.
func reads(t testing.TB, c *tencent.Customer, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := c.AwaitText(ctx, text); err != nil {
		t.Fatalf("the phone never showed %q: %v", text, c.Answers())
	}
}

// uploadFile hands the API a file for a reply.
func uploadFile(t testing.TB, api *apiClient, name string, data []byte) string {
	t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	part, err := form.CreateFormFile("file", name)
	if err != nil {
		t.Fatal(err)
	}
	part.Write(data)
	form.Close()
	req, err := http.NewRequest("POST", api.base+"/api/v1/uploads", &b)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", form.FormDataContentType())
	req.Header.Set("Authorization", "Bearer "+api.token)
	var made struct {
		ID string `json:"id"`
	}
	if err := doJSON(api.http, req, &made); err != nil {
		t.Fatal(err)
	}
	return made.ID
}

// refusal posts a reply that must not be taken and returns the problem.
func refusal(t testing.TB, api *apiClient, ticket desk.ID, text string) (p problemView) {
	t.Helper()
	body, _ := json.Marshal(map[string]string{"text": text, "idempotency_key": desk.NewID()})
	req, err := http.NewRequest("POST", api.base+"/api/v1/tickets/"+ticket+"/replies", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+api.token)
	res, err := api.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&p); err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusConflict {
		t.Errorf("the reply was answered with status %d %+v, want 409", res.StatusCode, p)
	}
	return p
}

type problemView struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Routes []struct {
		ID    string `json:"id"`
		Means string `json:"means"`
		Open  bool   `json:"open"`
	} `json:"routes"`
}

func (p problemView) String() string { return fmt.Sprintf("%s: %s %+v", p.Code, p.Detail, p.Routes) }
