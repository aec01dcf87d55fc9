package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"hearback/connectors/wechat/tencent"
)

const customSendPath = "/cgi-bin/message/custom/send"

// TestAWechatCustomerAndAnAgentTalk is the conversation of the issue: text, picture and voice in, text and picture out.
func TestAWechatCustomerAndAnAgentTalk(t *testing.T) {
	for _, kind := range []tencent.Kind{tencent.Official, tencent.MiniProgram, tencent.KF} {
		t.Run(string(kind), func(t *testing.T) {
			_, w, api := newWechat(t, kind)
			if err := w.Verify(context.Background(), w.account.AppID); err != nil {
				t.Errorf("Tencent refuses the address: %v", err)
			}
			ctx, c := context.Background(), w.customer("")
			ticket := hears(t, api, c, "包裹收到了，可是箱子裂了")
			if _, err := c.SendImage(ctx, "parcel.png", tencent.PNG); err != nil {
				t.Fatal(err)
			}
			if _, err := c.SendVoice(ctx, tencent.AMR, ""); err != nil {
				t.Fatal(err)
			}
			checkFiles(t, api, ticket, map[string][]byte{"image/png": tencent.PNG, "audio/amr": tencent.AMR})
			reply := answerTo(t, api, ticket, "给您补发一件，好吗？", uploadFile(t, api, "new.png", tencent.PNG))
			reads(t, c, "给您补发一件，好吗？")
			becomes(t, api, ticket, reply, "sent")
			answers := c.Answers()
			if len(answers) != 2 || answers[1].Type != "image" || !bytes.Equal(answers[1].Data, tencent.PNG) {
				t.Errorf("the phone shows %d answers, want a text and the picture", len(answers))
			}
		})
	}
}

// checkFiles waits until the ticket has these files, fetched from Tencent, and compares every byte.
func checkFiles(t *testing.T, api *apiClient, ticket string, want map[string][]byte) {
	t.Helper()
	urls := map[string]string{}
	eventually(t, 20*time.Second, "the files are fetched", func() bool {
		for _, m := range timeline(t, api, ticket) {
			for _, a := range m.Attachments {
				if a.State == "stored" {
					urls[a.Type] = a.URL
				}
			}
		}
		return len(urls) == len(want)
	})
	for typ, data := range want {
		code, body := getStatus(t, api.base+urls[typ], "Authorization", "Bearer "+api.token)
		if code != http.StatusOK || body != string(data) {
			t.Errorf("%s: status %d, %d bytes, want %d", typ, code, len(body), len(data))
		}
	}
}

// TestWhatTencentRefusesIsNeverShownAsSent has every refusal lead to the state and the words of the contract.
func TestWhatTencentRefusesIsNeverShownAsSent(t *testing.T) {
	t.Parallel() // it waits for two retries
	_, w, api := newWechat(t, tencent.Official)
	for _, c := range []struct {
		name  string
		fault tencent.Fault
		state string // what the agent sees
		hint  string // and reads
		later bool   // it is sent by itself afterwards
	}{
		{"45009", tencent.Fault{ErrCode: 45009}, "queued", "额度", false},
		{"45011", tencent.Fault{ErrCode: 45011}, "queued", "频繁", false},
		{"45015", tencent.Fault{ErrCode: 45015}, "failed", "48 小时", false},
		{"45047", tencent.Fault{ErrCode: 45047}, "failed", "条数", false},
		{"-1", tencent.Fault{ErrCode: -1}, "queued", "繁忙", true},
		{"HTTP 500", tencent.Fault{Status: 500}, "queued", "重试", true},
		{"48001", tencent.Fault{ErrCode: 48001}, "held", "权限", false}, // the last: it holds the whole channel
	} {
		t.Run(c.name, func(t *testing.T) {
			customer := w.customer("")
			ticket := hears(t, api, customer, "在吗 "+c.name)
			c.fault.Match = customer.OpenID
			w.Fail(customSendPath, c.fault)
			reply := answerTo(t, api, ticket, "您好 "+c.name)
			var seen sendView
			eventually(t, 20*time.Second, "the refusal is on the ticket", func() bool {
				seen = message(t, api, ticket, reply)
				return seen.Delivery.Hint != ""
			})
			if seen.Delivery.State != c.state || !strings.Contains(seen.Delivery.Hint, c.hint) || len(customer.Answers()) != 0 {
				t.Errorf("the agent sees %q, %q; want %s with %q; the phone shows %d answers", seen.Delivery.State, seen.Delivery.Hint, c.state, c.hint, len(customer.Answers()))
			}
			if c.later {
				becomes(t, api, ticket, reply, "sent")
				if n := len(customer.Answers()); n != 1 {
					t.Errorf("after the retry the phone shows %d answers", n)
				}
			}
		})
	}
}

// TestAnAnswerLostOnTheWayBackIsNotRepeated: the request left, nothing came back. It may be on the phone already.
func TestAnAnswerLostOnTheWayBackIsNotRepeated(t *testing.T) {
	_, w, api := newWechat(t, tencent.Official)
	c := w.customer("")
	ticket := hears(t, api, c, "在吗")
	w.Fail(customSendPath, tencent.Fault{Cut: true, Done: true})
	reply := answerTo(t, api, ticket, "您好")
	if m := becomes(t, api, ticket, reply, "uncertain"); m.Delivery.Hint == "" {
		t.Error("the agent is not told why")
	}
	if n := len(w.Calls(customSendPath)); n != 1 || len(c.Answers()) != 1 {
		t.Errorf("%d sends, the phone shows %d", n, len(c.Answers()))
	}
}

// TestASlowTencentNeverDelaysACallback lets every call to the API hang while customers write.
func TestASlowTencentNeverDelaysACallback(t *testing.T) {
	_, w, api := newWechat(t, tencent.Official)
	c := w.customer("")
	ticket := hears(t, api, c, "第一句")
	hang := tencent.Fault{Hang: true, Times: 1000}
	for _, path := range []string{customSendPath, "/cgi-bin/media/get", "/cgi-bin/stable_token", "/cgi-bin/message/custom/typing"} {
		w.Fail(path, hang)
	}
	for i := range 4 {
		answerTo(t, api, ticket, fmt.Sprint("slow ", i))
	}
	ctx := context.Background()
	for i := range 100 {
		other := w.customer("")
		if _, err := other.Say(ctx, fmt.Sprint("line ", i)); err != nil {
			t.Fatal(err)
		}
		if i%10 == 0 {
			if _, err := other.SendVoice(ctx, tencent.AMR, ""); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, d := range w.Deliveries() {
		if d.Attempt > 1 || d.Took > 2*time.Second {
			t.Errorf("a callback took %s in delivery %d", d.Took, d.Attempt)
		}
	}
}

// TestTheWindowIsShownWarnedOfAndKept: at 47 h 30 a warning, at 48 h 01 a refusal with the ways that are left.
func TestTheWindowIsShownWarnedOfAndKept(t *testing.T) {
	t.Parallel() // it waits for the sweep that warns
	_, w, api := newWechat(t, tencent.Official)
	ctx := context.Background()
	near, over := w.customer(""), w.customer("")
	if _, err := near.SayAt(ctx, time.Now().Add(-47*time.Hour-30*time.Minute-time.Second), "四十七个半小时前"); err != nil {
		t.Fatal(err)
	}
	if _, err := over.SayAt(ctx, time.Now().Add(-48*time.Hour-time.Minute), "四十八小时零一分前"); err != nil {
		t.Fatal(err)
	}
	warned := ticketOf(t, api, "四十七个半小时前")
	eventually(t, 90*time.Second, "the agent is warned", func() bool {
		for _, m := range timeline(t, api, warned) {
			if m.Event != nil && m.Event.Type == "window_closing" {
				return true
			}
		}
		return false
	})
	reply := answerTo(t, api, warned, "还来得及")
	reads(t, near, "还来得及")
	becomes(t, api, warned, reply, "sent")

	shut := ticketOf(t, api, "四十八小时零一分前")
	before := len(w.Calls(customSendPath))
	p := refusal(t, api, shut, "太晚了")
	if p.Code != "window_closed" || len(p.Routes) != 1 || p.Routes[0].Means != "template" {
		t.Errorf("refused with %s, want window_closed and the template as the way out", p)
	}
	if n := len(w.Calls(customSendPath)) - before; n != 0 || len(over.Answers()) != 0 {
		t.Errorf("Tencent was asked %d times, the phone shows %d", n, len(over.Answers()))
	}
	sendByTemplate(t, api, shut, p)
	if lines := awaitAnswers(t, over, 1); lines[0].Via != "template" || !strings.Contains(lines[0].Text, "请您再发一句话") {
		t.Errorf("the phone shows %+v", lines[0])
	}
}

func sendByTemplate(t *testing.T, api *apiClient, ticket string, p problemView) {
	t.Helper()
	in := map[string]any{"text": "请您再发一句话", "idempotency_key": "template-1", "route": p.Routes[0].ID}
	if err := api.do(context.Background(), "POST", "/api/v1/tickets/"+ticket+"/replies", in, nil); err != nil {
		t.Fatal(err)
	}
}

// awaitAnswers waits until a phone shows n answers.
func awaitAnswers(t *testing.T, c *tencent.Customer, n int) []tencent.Shown {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_, err := c.Await(ctx, func(lines []tencent.Shown) bool {
		got := 0
		for _, l := range lines {
			if l.From == tencent.FromAccount {
				got++
			}
		}
		return got >= n
	})
	if err != nil {
		t.Fatalf("the phone shows %d answers, want %d", len(c.Answers()), n)
	}
	return c.Answers()
}

// TestTheSixthAnswerIsRefusedBeforeItIsTried: five for one message; another message brings five more.
func TestTheSixthAnswerIsRefusedBeforeItIsTried(t *testing.T) {
	_, w, api := newWechat(t, tencent.Official)
	c := w.customer("")
	ticket := hears(t, api, c, "在吗")
	for i := range 5 {
		becomes(t, api, ticket, answerTo(t, api, ticket, fmt.Sprint("answer ", i)), "sent")
	}
	p := refusal(t, api, ticket, "one too many")
	if p.Code != "quota_used" || len(p.Routes) == 0 || len(w.Calls(customSendPath)) != 5 {
		t.Errorf("refused with %s after %d sends, want quota_used with a way out after 5", p, len(w.Calls(customSendPath)))
	}
	if _, err := c.Say(context.Background(), "还在吗"); err != nil {
		t.Fatal(err)
	}
	eventually(t, 20*time.Second, "the quota is renewed", func() bool {
		var got struct {
			Reply struct {
				Remaining int `json:"remaining"`
			} `json:"reply"`
		}
		return api.do(context.Background(), "GET", "/api/v1/tickets/"+ticket, nil, &got) == nil && got.Reply.Remaining == 5
	})
	answerTo(t, api, ticket, "在的")
	reads(t, c, "在的")
}

// TestTheDemoHasAWechatCustomer drives the demo's phone over HTTP, as its page does, over a restart.
func TestTheDemoHasAWechatCustomer(t *testing.T) {
	g := newGateway(t, "--demo")
	token := g.addAgent("root@example.com", "admin")
	g.start()
	if g.first.DemoWechatURL != g.base+"/demo/wechat" {
		t.Errorf("demo_wechat_url is %q", g.first.DemoWechatURL)
	}
	api, phone := g.api(token), &apiClient{g.base + "/demo/wechat", "", http.DefaultClient}
	ctx := context.Background()
	var me struct {
		Customer string `json:"customer"`
	}
	if err := phone.do(ctx, "POST", "/customers", map[string]string{}, &me); err != nil {
		t.Fatal(err)
	}
	talkOnce := func(said, answer string) {
		t.Helper()
		var sent struct {
			Taken bool `json:"taken"`
		}
		if err := phone.do(ctx, "POST", "/say", map[string]string{"customer": me.Customer, "text": said}, &sent); err != nil || !sent.Taken {
			t.Fatalf("say: %v, taken %v", err, sent.Taken)
		}
		answerTo(t, api, demoTicket(t, api, said), answer)
		eventually(t, 20*time.Second, "the phone shows "+answer, func() bool {
			var screen struct {
				Lines []struct {
					From string `json:"from"`
					Text string `json:"text"`
				} `json:"lines"`
			}
			if err := phone.do(ctx, "GET", "/screen?customer="+me.Customer, nil, &screen); err != nil {
				return false
			}
			last := screen.Lines[len(screen.Lines)-1]
			return last.From == "account" && last.Text == answer
		})
	}
	talkOnce("我要退款", "好的")
	g.kill(syscall.SIGTERM)
	g.start()
	answerTo(t, api, demoTicket(t, api, "好的"), "已经到账") // the phone is still there, and its window open
	eventually(t, 20*time.Second, "the phone shows the answer", func() bool { return strings.Contains(phoneShows(t, phone, me.Customer), "已经到账") })
	talkOnce("收到了", "不客气")
	var channels []struct {
		Kind string `json:"kind"`
	}
	g.run(&channels, "", "channel", "list")
	n := 0
	for _, ch := range channels {
		if ch.Kind == "wechat" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d demo channels of WeChat after a restart", n)
	}
}

// phoneShows is the demo phone's screen as it came.
func phoneShows(t *testing.T, phone *apiClient, customer string) string {
	t.Helper()
	code, body := getStatus(t, phone.base+"/screen?customer="+customer)
	if code != http.StatusOK {
		t.Errorf("screen: status %d", code)
	}
	return body
}

// demoTicket waits for the ticket whose last message is text.
func demoTicket(t *testing.T, api *apiClient, text string) (id string) {
	t.Helper()
	eventually(t, 20*time.Second, "a ticket with "+text, func() bool {
		var page struct {
			Items []struct {
				ID   string `json:"id"`
				Last struct {
					Text string `json:"text"`
				} `json:"last_message"`
			} `json:"items"`
		}
		if api.do(context.Background(), "GET", "/api/v1/tickets?view=all", nil, &page) != nil {
			return false
		}
		for _, item := range page.Items {
			if item.Last.Text == text {
				id = item.ID
			}
		}
		return id != ""
	})
	return id
}
