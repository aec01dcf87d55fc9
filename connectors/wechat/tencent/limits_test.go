package tencent

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

const official = "wxb11529c136998cb6"

func TestTheTypingHintLastsFifteenSecondsAndNeedsACustomerWhoIsThere(t *testing.T) {
	w := newWorld(t)
	c := w.Customer(official, "")
	typing := func(command string) int {
		code, _ := w.post("/cgi-bin/message/custom/typing?access_token="+w.token(false), map[string]string{"touser": c.OpenID, "command": command})
		return code
	}
	var codes []int
	codes = append(codes, typing("Typing"))
	c.Say(context.Background(), "在吗")
	codes = append(codes, typing("Typing"), typing("Typing"), typing("Dancing"))
	if !c.Typing() {
		t.Error("the phone shows no hint")
	}
	w.advance(15 * time.Second)
	if c.Typing() {
		t.Error("the hint stays")
	}
	codes = append(codes, typing("Typing"), typing("CancelTyping"))
	w.advance(16 * time.Second)
	codes = append(codes, typing("Typing"))
	if got := fmt.Sprint(codes); got != "[45080 0 45081 45072 0 0 45080]" {
		t.Errorf("errcodes are %s", got)
	}
}

func TestTemplatesReachFollowersOnlyAndTellLater(t *testing.T) {
	w := newWorld(t)
	c := w.Customer(official, "")
	send := func(template string) int {
		code, _ := w.post("/cgi-bin/message/template/send?access_token="+w.token(false), map[string]any{"touser": c.OpenID, "template_id": template,
			"data": map[string]any{"thing1": map[string]string{"value": "您的工单有新回复"}}})
		return code
	}
	if code := send("another"); code != 40037 {
		t.Errorf("a template of somebody else: %d", code)
	}
	if code := send("TM1"); code != 0 || len(c.Answers()) != 1 {
		t.Errorf("errcode %d, the phone shows %d", code, len(c.Answers()))
	}
	c.Await(context.Background(), func([]Shown) bool { return len(w.Deliveries()) > 0 })
	if got := w.received(0); !strings.Contains(got, "TEMPLATESENDJOBFINISH") || !strings.Contains(got, "success") {
		t.Errorf("the end was told as %s", got)
	}
	c.Unsubscribe(context.Background())
	if code := send("TM1"); code != 43004 {
		t.Errorf("to somebody who left: %d", code)
	}
}

func (w *world) received(i int) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.got[i]
}

func TestWhoLeftOrBlocksCannotBeWrittenTo(t *testing.T) {
	w := newWorld(t)
	c, ctx := w.Customer(official, ""), context.Background()
	send := func() int {
		code, _ := w.post("/cgi-bin/message/custom/send?access_token="+w.token(false), sendText(c, "hello"))
		return code
	}
	c.Say(ctx, "hi")
	c.Block(true)
	blocked := send()
	c.Block(false)
	c.Unsubscribe(ctx)
	left := send()
	c.Subscribe(ctx, "")
	if back := send(); blocked != 43019 || left != 45015 || back != 0 {
		t.Errorf("blocked %d, left %d, back %d", blocked, left, back)
	}
}

func TestTheDailyQuotaEndsAndIsRenewed(t *testing.T) {
	w := newWorld(t, func(a *Account) { a.DailyCap = 2 })
	c := w.Customer(official, "")
	c.Say(context.Background(), "hi")
	var codes []int
	for range 3 {
		code, _ := w.post("/cgi-bin/message/custom/send?access_token="+w.token(false), sendText(c, "x"))
		codes = append(codes, code)
	}
	w.advance(24 * time.Hour)
	code, _ := w.post("/cgi-bin/message/custom/send?access_token="+w.token(false), sendText(c, "x"))
	if got := fmt.Sprint(append(codes, code)); got != "[0 0 45009 0]" {
		t.Errorf("errcodes are %s", got)
	}
}

func TestAnAddressThatIsNotOnTheWhitelistGetsNoToken(t *testing.T) {
	w := newWorld(t, func(a *Account) { a.Whitelist = []string{"203.0.113.9"} })
	code, body := w.post("/cgi-bin/stable_token", map[string]any{"appid": official, "secret": "s3cret"})
	if code != 40164 || !strings.Contains(body, "127.0.0.1") {
		t.Errorf("answered %s", body)
	}
}

func TestCallbacksCanBeLostDoubledAndWrittenInJSON(t *testing.T) {
	w := newWorld(t, func(a *Account) { a.Kind, a.JSON, a.Mode = MiniProgram, true, "plain" })
	c, ctx := w.Customer(official, ""), context.Background()
	w.Fail(Callbacks, Fault{Drop: true}, Fault{Twice: true})
	for _, text := range []string{"lost", "doubled", "once"} {
		if _, err := c.Say(ctx, text); err != nil {
			t.Fatal(err)
		}
	}
	var texts []string
	for _, body := range w.got {
		var m struct {
			Content string
			MsgId   json.Number
		}
		if err := json.Unmarshal([]byte(body), &m); err != nil || m.MsgId == "" {
			t.Errorf("%v: %s", err, body)
		}
		texts = append(texts, m.Content)
	}
	if got := strings.Join(texts, ","); got != "doubled,doubled,once" {
		t.Errorf("the channel got %s", got)
	}
}

func TestTheChannelsAddressPassesVerification(t *testing.T) {
	w := newWorld(t)
	w.answer = func(rw http.ResponseWriter, r *http.Request) { io.WriteString(rw, r.URL.Query().Get("echostr")) }
	if err := w.Verify(context.Background(), official); err != nil {
		t.Error(err)
	}
	w.answer = func(rw http.ResponseWriter, r *http.Request) { io.WriteString(rw, "success") }
	if err := w.Verify(context.Background(), official); err == nil {
		t.Error("an address that does not echo was taken")
	}
}
