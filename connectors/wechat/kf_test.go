package wechat_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
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

// say lets n customers' messages be written and returns their ids.
func (s *stage) say(n int) (ids []string) {
	s.t.Helper()
	for i := range n {
		id, err := s.customer(fmt.Sprint("wm", i%3)).Say(context.Background(), fmt.Sprint("message ", i))
		if err != nil {
			s.t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}

func ids(all []desk.Envelope) (out []string) {
	for _, e := range all {
		out = append(out, e.ExternalID)
	}
	return out
}

func (s *stage) each(want []string) {
	s.t.Helper()
	if got := ids(s.wait(len(want))); !slices.Equal(got, want) {
		s.t.Errorf("got %d messages %v, want each of %d once, in order", len(got), got, len(want))
	}
}

func TestMessagesFetchedButNotCommittedAreFetchedAgain(t *testing.T) {
	s := play(t, tencent.KF, nil)
	want := s.say(3)
	s.each(want)
	// The process dies between sync_msg and the commit: nothing of the page is kept, nor the cursor behind it.
	s.House.Inbox.Fail(fmt.Errorf("%w: killed", desk.ErrUnavailable))
	calls := s.House.Inbox.Calls()
	want = append(want, s.say(4)...)
	eventually(t, "a failed commit", func() bool { return s.House.Inbox.Calls() > calls })
	s.Close()
	s.House.Inbox.Fail(nil)
	s.Env = s.Again(t)
	s.each(want)
	cur := string(s.House.Inbox.Cursor(s.Channel.ID))
	s.Close()
	// The next life begins where the last one ended.
	asked := len(s.Calls("/cgi-bin/kf/sync_msg"))
	s.Env = s.Again(t)
	eventually(t, "a look", func() bool { return len(s.Calls("/cgi-bin/kf/sync_msg")) > asked })
	if got := string(s.House.Inbox.Cursor(s.Channel.ID)); got != cur || len(s.House.Inbox.Envelopes()) != len(want) {
		t.Errorf("cursor %s, then %s; %d messages", cur, got, len(s.House.Inbox.Envelopes()))
	}
}

func TestLostCallbacksAreMadeUpFor(t *testing.T) {
	s := play(t, tencent.KF, func(_ *tencent.Account, set map[string]string) { set["poll_seconds"] = "1" })
	s.Fail(tencent.Callbacks, tencent.Fault{Times: 5, Drop: true})
	s.each(s.say(5))
}

func TestAnOldCursorBringsEachMessageOnce(t *testing.T) {
	s := play(t, tencent.KF, nil)
	want := s.say(1)
	s.each(want)
	old := s.House.Inbox.Cursor(s.Channel.ID)
	want = append(want, s.say(6)...)
	s.each(want)
	s.Close()
	house := s.House
	kind := s.notes.kind()
	inner := kind.Open
	kind.Open = func(ctx context.Context, ch desk.Channel, tools connectors.Tools) (connectors.Connector, error) {
		tools.Cursor = old
		return inner(ctx, ch, tools)
	}
	before := house.Inbox.Calls()
	e := *s.Env
	e.Kind = kind
	again := e.Again(t)
	eventually(t, "the old page", func() bool { return house.Inbox.Calls() > before })
	again.Close()
	s.each(want)
	for _, broken := range []string{"{", `{"open_kfid":"another","cursor":"x"}`, "nonsense"} {
		old = []byte(broken)
		before = house.Inbox.Calls()
		again = e.Again(t)
		eventually(t, "everything again", func() bool { return house.Inbox.Calls() > before })
		again.Close()
	}
	s.each(want)
}

func TestPagesGoOnWhileThereIsMoreAlsoWhenOneIsEmpty(t *testing.T) {
	s := play(t, tencent.KF, func(a *tencent.Account, _ map[string]string) { a.PageSize = 2 })
	eventually(t, "the first look", func() bool { return len(s.Calls("/cgi-bin/kf/sync_msg")) == 1 })
	s.Fail(tencent.Callbacks, tencent.Fault{Times: 9, Drop: true})
	want := s.say(9)
	s.EmptyPages(openKfid, 2)
	if err := s.Knock(context.Background(), openKfid); err != nil {
		t.Fatal(err)
	}
	s.each(want)
}

func TestCallbacksThatComeTogetherMakeFewLooks(t *testing.T) {
	s := play(t, tencent.KF, nil)
	eventually(t, "the first look", func() bool { return len(s.Calls("/cgi-bin/kf/sync_msg")) > 0 })
	s.Fail("/cgi-bin/kf/sync_msg", tencent.Fault{Delay: 200 * time.Millisecond, Done: true})
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() { s.Knock(context.Background(), openKfid) })
	}
	all.Wait()
	want := s.say(1)
	s.each(want)
	if n := len(s.Calls("/cgi-bin/kf/sync_msg")); n > 30 {
		t.Errorf("%d looks for 41 callbacks", n)
	}
}

// The node that is called need not be the one that fetches.
func TestABellThatRingsOnAnotherNodeIsHeard(t *testing.T) {
	s := play(t, tencent.KF, nil)
	eventually(t, "the puller to listen", func() bool { return s.House.Nodes() > 0 })
	conn, err := wechat.Kind.Open(context.Background(), s.Channel, s.House.Tools(s.Channel))
	if err != nil {
		t.Fatal(err)
	}
	other := connectortest.NewProvider(t, conn.(connectors.Webhook).ServeHTTP)
	a := s.Account
	a.Callback = other + "/"
	if err := s.Open(a); err != nil {
		t.Fatal(err)
	}
	s.each(s.say(2))
}

func TestForgedBellsRingNothing(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*post)
		status int
		reason string
	}{
		{"another token", func(p *post) { p.token = "guessed" }, 403, "signature"},
		{"no encryption", func(p *post) { p.aes = false }, 403, "not encrypted"},
		{"another key", func(p *post) { p.key = otherKey }, 403, "decrypt"},
		{"another corporation", func(p *post) { p.app = "wwother" }, 403, "APPID"},
		{"an hour old", func(p *post) { p.timestamp = back(p.timestamp, 3600) }, 403, "ten minutes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := play(t, tencent.KF, nil)
			eventually(t, "the first look", func() bool { return len(s.Calls("/cgi-bin/kf/sync_msg")) == 1 })
			status, body, _ := answer(t, s.post(1, func(p *post) {
				p.body = "<xml><ToUserName>" + corpID + "</ToUserName><MsgType>event</MsgType><Event>kf_msg_or_event</Event><Token>T</Token><OpenKfId>" + openKfid + "</OpenKfId></xml>"
				c.change(p)
			}).request(t, s.URL))
			notes := s.notes.notes()
			if status != c.status || strings.Contains(body, "success") || len(notes) == 0 || !strings.Contains(notes[len(notes)-1].Detail, c.reason) {
				t.Errorf("%d %q, %+v", status, body, notes)
			}
			s.House.CheckSecrets(s.Kind, s.Channel, body, fmt.Sprint(notes))
		})
	}
}

func TestAnothersBellIsTakenAndIgnored(t *testing.T) {
	s := play(t, tencent.KF, nil)
	for _, body := range []string{
		"<xml><Event>kf_msg_or_event</Event><Token>T</Token><OpenKfId>wkOther</OpenKfId></xml>",
		"<xml><MsgType>event</MsgType><Event>change_contact</Event></xml>",
	} {
		if status, answer, _ := answer(t, s.post(1, func(p *post) { p.body = body }).request(t, s.URL)); status != 200 || answer != "success" {
			t.Errorf("%d %q", status, answer)
		}
	}
}

func TestTheCorporationsAddressIsVerified(t *testing.T) {
	s := play(t, tencent.KF, nil)
	if err := s.Verify(context.Background(), corpID); err != nil {
		t.Error(err)
	}
	if n := s.notes.notes(); len(n) == 0 || n[0].What != "verification" || n[0].Refused {
		t.Errorf("%+v", n)
	}
}

func TestTheWelcomeLeavesAtOnceAndOnce(t *testing.T) {
	s := play(t, tencent.KF, func(_ *tencent.Account, set map[string]string) {
		set["welcome"] = "您好，请问有什么可以帮您？"
	})
	p := s.customer("wm1")
	// The store is away: the greeting has twenty seconds and does not wait for it, nor is it repeated with the page.
	s.House.Inbox.Fail(fmt.Errorf("%w: away", desk.ErrUnavailable))
	if err := p.Enter(context.Background(), "shop"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := p.AwaitText(ctx, "您好，请问有什么可以帮您？"); err != nil {
		t.Fatal(err)
	}
	s.House.Inbox.Fail(nil)
	in := s.decoded(0)
	if !in.NoTicket || in.Window != nil || !strings.Contains(in.Text, "shop") {
		t.Errorf("%+v", in)
	}
	if n := len(s.Calls("/cgi-bin/kf/send_msg_on_event")); n != 1 {
		t.Errorf("%d greetings", n)
	}
}

func TestAWelcomeThatIsTooLateIsNotSent(t *testing.T) {
	s := play(t, tencent.KF, func(_ *tencent.Account, set map[string]string) { set["welcome"] = "您好" })
	eventually(t, "the first look", func() bool { return len(s.Calls("/cgi-bin/kf/sync_msg")) == 1 })
	s.Fail(tencent.Callbacks, tencent.Fault{Drop: true})
	s.customer("wm1").Enter(context.Background(), "shop")
	s.House.Clock.Advance(time.Minute)
	s.Knock(context.Background(), openKfid)
	s.wait(1)
	if n := len(s.Calls("/cgi-bin/kf/send_msg_on_event")); n != 0 {
		t.Errorf("%d greetings", n)
	}
}

func TestAFailureToldLaterFindsItsReply(t *testing.T) {
	s := play(t, tencent.KF, nil)
	p := s.customer("wm1")
	p.Say(context.Background(), "在吗")
	s.wait(1)
	p.FailNext(10)
	out := s.reply("wm1", "您好")
	receipt, err := s.Conn.Send(context.Background(), out)
	if err != nil {
		t.Fatal(err)
	}
	env := s.wait(2)[1]
	in := s.decoded(1)
	if env.Type != desk.EnvelopeReceipt || in.Receipt == nil || in.Receipt.State != desk.DeliveryFailed || !strings.Contains(in.Receipt.Hint, "拒收") ||
		!slices.Contains(in.Receipt.ExternalIDs, out.ExternalID) || !slices.Contains(in.Receipt.ExternalIDs, receipt.ExternalID) {
		t.Errorf("%s %+v", env.Type, in.Receipt)
	}
}

func TestColleaguesRecallsAndNamesAreTakenIn(t *testing.T) {
	s := play(t, tencent.KF, nil)
	p := s.customer("wm1")
	p.Nickname, p.UnionID = "李雷", "oUnion1"
	id, _ := p.Say(context.Background(), "在吗")
	s.wait(1)
	if in := s.decoded(0); in.Name != "李雷" || len(in.Also) != 1 || in.Also[0].Value != "oUnion1" || in.From.Type != "wecom_userid" || in.Window.Remaining != 5 {
		t.Errorf("%+v", in)
	}
	p.Colleague(context.Background(), "wangfang", "您好，我是王芳")
	if in := s.decoded(1); !in.FromAgent || in.Name != "wangfang" || in.Text != "您好，我是王芳" || in.Window != nil {
		t.Errorf("%+v", in)
	}
	p.Recall(context.Background(), id)
	if in := s.decoded(2); in.Retracts != id || !in.NoTicket {
		t.Errorf("%+v", in)
	}
	p.Session(context.Background(), 3, "wangfang")
	if in := s.decoded(3); !in.NoTicket || !strings.Contains(in.Text, "结束") {
		t.Errorf("%+v", in)
	}
	if err := s.send(s.reply("wm1", "x")); codeOf(err) != "95018" || !strings.Contains(err.Error(), "企业微信") {
		t.Errorf("%v", err)
	}
	if n := len(s.Calls("/cgi-bin/kf/customer/batchget")); n != 1 {
		t.Errorf("asked %d times for one name", n)
	}
}

func TestNamesThatCannotBeReadDelayNothing(t *testing.T) {
	s := play(t, tencent.KF, nil)
	s.Fail("/cgi-bin/kf/customer/batchget", tencent.Fault{Times: 9, ErrCode: 48002})
	want := s.say(1)
	s.each(want)
	if in := s.decoded(0); in.Name != "" {
		t.Errorf("%+v", in)
	}
}

func TestATokenTencentDoesNotKnowIsLeftOut(t *testing.T) {
	s := play(t, tencent.KF, nil)
	s.each(s.say(1))
	s.Fail("/cgi-bin/kf/sync_msg", tencent.Fault{ErrCode: 95007})
	want := append(ids(s.wait(1)), s.say(1)...)
	s.each(want)
	calls := s.sentTo("/cgi-bin/kf/sync_msg")
	if last := calls[len(calls)-1]; last["token"] != nil {
		t.Errorf("asked with %v", last)
	}
}

func TestAMessageThatCannotBeReadStopsNothing(t *testing.T) {
	var mu sync.Mutex
	asked := 0
	provider := connectortest.NewProvider(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/gettoken"):
			io.WriteString(w, `{"errcode":0,"access_token":"T","expires_in":7200}`)
		case strings.HasSuffix(r.URL.Path, "/sync_msg"):
			mu.Lock()
			asked++
			mu.Unlock()
			// The same page for ever, and a cursor that leads nowhere.
			io.WriteString(w, `{"errcode":0,"next_cursor":"c1","has_more":1,"msg_list":[{"msgid":"a","external_userid":"wm1","send_time":1764000000,"origin":3,"msgtype":"text","text":{"content":"ok"}},{"msgid":7,"send_time":"x"},"odd"]}`)
		default:
			io.WriteString(w, `{"errcode":0}`)
		}
	})
	e := connectortest.OpenChannel(t, wechat.Kind, connectortest.NewHouse(t), map[string]string{"account": "kf", "app_id": corpID, "app_secret": appKey, "token": "spamtest", "encoding_aes_key": aesKey, "open_kfid": openKfid, "api_base": provider})
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	got, err := e.House.Inbox.Wait(ctx, func(all []desk.Envelope) bool { return len(all) == 3 })
	if err != nil {
		t.Fatal(err)
	}
	for _, env := range got {
		if env.ExternalID == "" || env.Sender == "" || !json.Valid(env.Raw) {
			t.Errorf("%+v", env)
		}
	}
	e.Close()
	mu.Lock()
	defer mu.Unlock()
	if asked > 8 {
		t.Errorf("asked %s times", strconv.Itoa(asked))
	}
}
