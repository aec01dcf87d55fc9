package tencent

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

type pulled struct {
	ErrCode int    `json:"errcode"`
	Next    string `json:"next_cursor"`
	More    int    `json:"has_more"`
	List    []struct {
		MsgID  string `json:"msgid"`
		Origin int    `json:"origin"`
		Type   string `json:"msgtype"`
		Text   struct {
			Content string `json:"content"`
		} `json:"text"`
		Event struct {
			Type    string `json:"event_type"`
			Welcome string `json:"welcome_code"`
			Failed  string `json:"fail_msgid"`
			Why     int    `json:"fail_type"`
		} `json:"event"`
	} `json:"msg_list"`
}

func (w *world) corpToken() string {
	_, body := w.raw("GET", "/cgi-bin/gettoken?corpid=ww1&corpsecret=corp", "", nil)
	return between(body, `"access_token":"`, `"`)
}

func (w *world) pull(cursor, token string, limit int) pulled {
	w.t.Helper()
	_, body := w.post("/cgi-bin/kf/sync_msg?access_token="+w.corpToken(), map[string]any{"cursor": cursor, "token": token, "limit": limit, "open_kfid": "wk1"})
	var p pulled
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (w *world) kfSendText(c *Customer, id, s string) int {
	w.t.Helper()
	code, _ := w.post("/cgi-bin/kf/send_msg?access_token="+w.corpToken(), map[string]any{"touser": c.OpenID, "open_kfid": "wk1", "msgid": id, "msgtype": "text", "text": map[string]string{"content": s}})
	return code
}

func TestMessagesArePulledInPagesForThreeDays(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	c := w.Customer("ww1", "")
	for i := range 5 {
		if _, err := c.Say(ctx, fmt.Sprint("m", i)); err != nil {
			t.Fatal(err)
		}
	}
	token := between(w.got[len(w.got)-1], "<Token><![CDATA[", "]]>")
	w.EmptyPages("wk1", 1)
	var texts []string
	cursor, pages := "", 0
	for {
		p := w.pull(cursor, token, 2)
		for _, m := range p.List {
			texts = append(texts, m.Text.Content)
		}
		cursor, pages = p.Next, pages+1
		if p.More == 0 {
			break
		}
	}
	if got := strings.Join(texts, ","); got != "m0,m1,m2,m3,m4" || pages != 4 {
		t.Errorf("%s in %d pages", got, pages)
	}
	if p := w.pull(cursor, "", 0); len(p.List) != 0 || p.ErrCode != 0 {
		t.Errorf("nothing new, but %+v", p)
	}
	w.advance(10 * time.Minute)
	if p := w.pull(cursor, token, 0); p.ErrCode != 95007 {
		t.Errorf("a token of 10 minutes ago: %d", p.ErrCode)
	}
	w.advance(3 * 24 * time.Hour)
	c.Say(ctx, "new")
	if p := w.pull("", "", 0); len(p.List) != 1 || p.List[0].Text.Content != "new" {
		t.Errorf("after three days: %+v", p.List)
	}
}

func TestTheSameMsgidIsShownOnce(t *testing.T) {
	w := newWorld(t)
	c := w.Customer("ww1", "")
	c.Say(context.Background(), "hi")
	for range 3 {
		if code := w.kfSendText(c, "our-1", "hello"); code != 0 {
			t.Errorf("errcode %d", code)
		}
	}
	if n := len(c.Answers()); n != 1 {
		t.Errorf("shown %d times", n)
	}
	if code := w.kfSendText(c, "not/allowed", "x"); code != 40035 {
		t.Errorf("bad msgid: %d", code)
	}
}

func TestAFailureIsToldLaterWithOurId(t *testing.T) {
	w := newWorld(t)
	c := w.Customer("ww1", "")
	c.Say(context.Background(), "hi")
	c.FailNext(10)
	if code := w.kfSendText(c, "our-2", "hello"); code != 0 {
		t.Fatalf("errcode %d", code)
	}
	p := w.pull("", "", 0)
	e := p.List[len(p.List)-1]
	if e.Origin != 4 || e.Event.Type != "msg_send_fail" || e.Event.Failed != "our-2" || e.Event.Why != 10 || len(c.Answers()) != 0 {
		t.Errorf("last event %+v, phone shows %d", e, len(c.Answers()))
	}
}

func TestAWelcomeIsGoodOnceAndForTwentySeconds(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	c := w.Customer("ww1", "")
	welcome := func(code string) int {
		n, _ := w.post("/cgi-bin/kf/send_msg_on_event?access_token="+w.corpToken(), map[string]any{"code": code, "msgtype": "text", "text": map[string]string{"content": "欢迎"}})
		return n
	}
	c.Enter(ctx, "site")
	p := w.pull("", "", 0)
	code := p.List[0].Event.Welcome
	if first, second := welcome(code), welcome(code); first != 0 || second != 95007 {
		t.Errorf("first %d, second %d", first, second)
	}
	c.Enter(ctx, "site")
	if p = w.pull(p.Next, "", 0); p.List[0].Event.Welcome != "" {
		t.Error("a second welcome within 48 h")
	}
	late := w.Customer("ww1", "")
	late.Enter(ctx, "site")
	p = w.pull(p.Next, "", 0)
	w.advance(20 * time.Second)
	if n := welcome(p.List[0].Event.Welcome); n != 95007 {
		t.Errorf("after 20 s: %d", n)
	}
}

func TestOnlyNewAndBotSessionsTakeMessages(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	c := w.Customer("ww1", "")
	c.Say(ctx, "hi")
	trans := func(state int, who string) int {
		n, _ := w.post("/cgi-bin/kf/service_state/trans?access_token="+w.corpToken(), map[string]any{"open_kfid": "wk1", "external_userid": c.OpenID, "service_state": state, "servicer_userid": who})
		return n
	}
	var codes []int
	codes = append(codes, w.kfSendText(c, "a", "x"), trans(1, ""), w.kfSendText(c, "b", "x"), trans(3, "zhang"), w.kfSendText(c, "c", "x"), trans(4, ""), trans(1, ""))
	if got := fmt.Sprint(codes); got != "[0 0 0 0 95018 0 95016]" {
		t.Errorf("errcodes %s", got)
	}
	c.Say(ctx, "again")
	if code := w.kfSendText(c, "d", "x"); code != 0 || c.State() != StateNew {
		t.Errorf("after the customer wrote again: %d in state %d", code, c.State())
	}
}

func TestACorpsAddressIsVerified(t *testing.T) {
	w := newWorld(t)
	if err := w.Verify(context.Background(), "ww1"); err == nil {
		t.Error("a channel that answers success to a GET was taken for verified")
	}
}
