package console

import (
	"strings"
	"testing"
	"time"

	"hearback/connectors"
	"hearback/desk"
	"hearback/ticketstore"
	"hearback/ticketstore/storetest"
)

// reachOf accepts addresses of one type, each by a conversation of its own name.
func reachOf(kind string) func(desk.Channel, desk.Identity) (string, bool) {
	return func(_ desk.Channel, to desk.Identity) (string, bool) {
		number := strings.ReplaceAll(to.Value, " ", "")
		if kind == "phone" && strings.HasPrefix(number, "1") {
			number = "+86" + number
		}
		right := map[string]bool{"phone": strings.HasPrefix(number, "+"), "email": strings.Contains(number, "@")}
		return number, to.Type == kind && right[kind] && !strings.Contains(to.Value, "unreachable")
	}
}

// addLine opens another channel.
func (w *world) addLine(kind, name string, able connectors.Capabilities, reach func(desk.Channel, desk.Identity) (string, bool)) desk.Channel {
	w.Helper()
	ch := must(w.store.SaveChannel(w.Context(), desk.Channel{Kind: kind, Name: name, Enabled: true}, nil))(w.TB)
	w.fleet.more = append(w.fleet.more, line{ch, able, reach})
	w.ok(w.console.names.load(w.Context()))
	return ch
}

// outsideLines are a mailbox, a call centre that can be asked to connect calls, and an account with windows and a template.
func (w *world) outsideLines() (mailbox, phone, account desk.Channel) {
	mailbox = w.addLine("email", "支持邮箱", connectors.Capabilities{HTML: true}, reachOf("email"))
	phone = w.addLine("telephony", "热线", connectors.Capabilities{NoText: true, Means: []connectors.Means{{Name: "callback", AfterWindow: true, Title: connectors.Text{Zh: "回拨", En: "Call back"}}}}, reachOf("phone"))
	account = w.addLine("wechat", "公众号", connectors.Capabilities{
		ReplyWindow: 48 * time.Hour, Quota: 5, Means: []connectors.Means{{Name: "template", AfterWindow: true, NeedsText: true, MaxText: 60}},
	}, nil)
	return
}

// come files a message on any channel.
func (w *world) come(ch desk.Channel, from desk.Identity, change func(*desk.Inbound)) desk.Ticket {
	w.Helper()
	env := []desk.Envelope{{ChannelID: ch.ID, Kind: ch.Kind, Type: desk.EnvelopeMessage, ExternalID: desk.NewID(), Sender: from.Value, Raw: []byte("x")}}
	w.ok(w.store.PutInbox(w.Context(), []*ticketstore.Arrival{{ChannelID: ch.ID, Envelopes: env}}, desk.At(time.Now().Add(time.Minute))))
	in := desk.Inbound{Type: desk.EnvelopeMessage, Text: "你好", Name: "王芳", From: from}
	if change != nil {
		change(&in)
	}
	filed := must(w.store.File(w.Context(), []ticketstore.Filing{{Envelope: env[0], Inbounds: []desk.Inbound{in}, Plans: []ticketstore.Plan{{TeamID: w.support.ID}}}}))(w.TB)
	w.ok(w.bus.Publish(w.Context(), filed[0].Events))
	return must(w.store.Ticket(w.Context(), filed[0].TicketID))(w.TB)
}

func openID(account desk.Channel) desk.Identity {
	return desk.Identity{Type: "wechat_openid", Value: "oABC", Scope: account.ID, Verified: true}
}

func known(in *desk.Inbound) {
	in.Also = []desk.Identity{
		{Type: "email", Value: "wang@example.com", Verified: true}, {Type: "phone", Value: "+8613812345678", Verified: true},
		{Type: "email", Value: "claimed@example.com"}, // not proven
	}
}

// ways reads a ticket's routes by "kind/means".
func (w *world) ways(ticket desk.ID) map[string]map[string]any {
	w.Helper()
	out := map[string]map[string]any{}
	limits := w.want(200, w.wang, "GET", "/api/v1/tickets/"+ticket, nil)["reply"].(map[string]any)
	for _, item := range limits["routes"].([]any) {
		r := item.(map[string]any)
		out[r["channel"].(map[string]any)["kind"].(string)+"/"+r["means"].(string)] = r
	}
	return out
}

func TestTicketNamesEveryWayAnAnswerCanLeave(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		_, _, account := w.outsideLines()
		ticket := w.come(account, openID(account), func(in *desk.Inbound) {
			known(in)
			in.Window = &desk.Window{ClosesAt: desk.At(time.Now().Add(time.Hour)), Remaining: 3}
		})
		got := w.ways(ticket.ID)
		if len(got) != 4 {
			t.Fatalf("%d ways: %v", len(got), got)
		}
		own := got["wechat/"]
		if own["id"] != "" || own["own"] != true || own["open"] != true || own["remaining"] != 3.0 || own["window_closes_at"] == nil || own["why"] != "" {
			t.Errorf("own: %v", own)
		}
		if r := got["email/"]; r["own"] != false || r["open"] != true || r["to"] != "w***@example.com" || r["id"] == "" || r["remaining"] != -1.0 {
			t.Errorf("mail: %v", r)
		}
		if r := got["telephony/callback"]; r["to"] != "138****5678" || r["open"] != true || r["title"].(map[string]any)["zh"] != "回拨" {
			t.Errorf("call: %v", r)
		}
		if r := got["wechat/template"]; r["own"] != true || r["open"] != true {
			t.Errorf("template: %v", r)
		}
	})
}

func TestShutWayIsRefusedBeforeItIsTriedAndNamesTheOthers(t *testing.T) {
	for name, c := range map[string]struct {
		window desk.Window
		code   string
		why    string
		ways   []string
	}{
		"time is over":  {desk.Window{ClosesAt: desk.At(time.Now().Add(-time.Minute)), Remaining: 3}, "window_closed", "window_closed", []string{"wechat/template", "email/", "telephony/callback"}},
		"quota is used": {desk.Window{ClosesAt: desk.At(time.Now().Add(time.Hour)), Remaining: 0}, "quota_used", "quota_used", []string{"wechat/template", "email/", "telephony/callback"}},
		"unsubscribed":  {desk.Window{ClosesAt: desk.At(time.Now().Add(time.Hour)), Remaining: 3, Reason: "unsubscribed"}, "route_closed", "unreachable", []string{"email/", "telephony/callback"}},
	} {
		t.Run(name, func(t *testing.T) {
			inBothWorlds(t, func(t *testing.T, w *world) {
				_, _, account := w.outsideLines()
				ticket := w.come(account, openID(account), func(in *desk.Inbound) {
					known(in)
					in.Window = &c.window
				})
				path := "/api/v1/tickets/" + ticket.ID + "/replies"
				a := w.want(409, w.wang, "POST", path, reply("too late"))
				if a["code"] != c.code || a["detail"] == "" || len(a["routes"].([]any)) != len(c.ways) {
					t.Fatalf("%v", a)
				}
				got := w.ways(ticket.ID)
				if own := got["wechat/"]; own["open"] != false || own["why_code"] != c.why || own["why"] == "" {
					t.Errorf("own: %v", own)
				}
				messages := must(w.store.LastMessages(t.Context(), ticket.ID, 0, 10))(t)
				if last := messages[len(messages)-1]; last.Direction == desk.DirectionOut {
					t.Error("a refused reply was written")
				}
				for _, name := range c.ways {
					if got[name]["open"] != true {
						t.Errorf("%s: %v", name, got[name])
					}
				}
				b := reply("by another way")
				b["route"] = got["email/"]["id"].(string)
				sent := w.want(201, w.wang, "POST", path, b)
				if sent["channel"].(map[string]any)["kind"] != "email" || sent["ticket_id"] != ticket.ID || sent["delivery"].(map[string]any)["state"] != "queued" {
					t.Errorf("%v", sent)
				}
			})
		})
	}
}

func TestSameKeyIsAnsweredAlthoughTheWayHasShutSince(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		_, _, account := w.outsideLines()
		ticket := w.come(account, openID(account), func(in *desk.Inbound) {
			in.Window = &desk.Window{ClosesAt: desk.At(time.Now().Add(time.Hour)), Remaining: 1}
		})
		path, b := "/api/v1/tickets/"+ticket.ID+"/replies", reply("the last one")
		first := w.want(201, w.wang, "POST", path, b)
		if again := w.want(201, w.wang, "POST", path, b); again["id"] != first["id"] {
			t.Errorf("%v, then %v", first["id"], again["id"])
		}
		if a := w.want(409, w.wang, "POST", path, reply("one too many")); a["code"] != "quota_used" {
			t.Errorf("%v", a)
		}
	})
}

func TestCallbackIsAskedForByItsRoute(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		_, phone, account := w.outsideLines()
		ticket := w.come(account, openID(account), known)
		b := reply("客户不方便打字")
		b["route"] = w.ways(ticket.ID)["telephony/callback"]["id"].(string)
		sent := w.want(201, w.wang, "POST", "/api/v1/tickets/"+ticket.ID+"/replies", b)
		if sent["means"] != "callback" || sent["channel"].(map[string]any)["id"] != phone.ID {
			t.Errorf("%v", sent)
		}
		a := w.want(200, w.wang, "GET", "/api/v1/tickets/"+ticket.ID, nil)["callback"].(map[string]any)
		if a["state"] != "requested" || a["number"] != "138****5678" {
			t.Errorf("%v", a)
		}
		a = w.want(200, w.wang, "POST", "/api/v1/tickets/"+ticket.ID+"/callback", `{"state":"done"}`)["callback"].(map[string]any)
		if a["state"] != "done" {
			t.Errorf("%v", a)
		}
		a = w.want(200, w.wang, "POST", "/api/v1/tickets/"+ticket.ID+"/callback", `{"state":"due","due_at":"2030-01-01T00:00:00Z"}`)["callback"].(map[string]any)
		if a["state"] != "due" || a["due_at"] != "2030-01-01T00:00:00.000Z" {
			t.Errorf("%v", a)
		}
		w.want(422, w.wang, "POST", "/api/v1/tickets/"+ticket.ID+"/callback", `{"state":"requested"}`)
		w.want(404, w.boss, "POST", "/api/v1/tickets/"+ticket.ID+"/callback", `{"state":"done"}`)
	})
}

func TestCallbackNeedsANumber(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		ticket, _ := w.arrive("v1", "hello", w.support.ID)
		w.want(422, w.wang, "POST", "/api/v1/tickets/"+ticket+"/callback", `{"state":"due"}`)
		if a := w.want(200, w.wang, "GET", "/api/v1/tickets/"+ticket, nil); a["callback"] != nil {
			t.Errorf("%v", a["callback"])
		}
	})
}

func TestAnonymousCallerCannotBeCalledBack(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		_, phone, _ := w.outsideLines()
		ticket := w.come(phone, desk.Identity{Type: "call", Value: "call:7", Scope: phone.ID}, nil)
		got := w.ways(ticket.ID)
		if r := got["telephony/callback"]; len(got) != 1 || r["open"] != false || r["why_code"] != "no_address" {
			t.Errorf("%v", got)
		}
		if a := w.want(409, w.wang, "POST", "/api/v1/tickets/"+ticket.ID+"/replies", reply("hello")); a["code"] != "route_closed" {
			t.Errorf("%v", a)
		}
		caller := w.come(phone, desk.Identity{Type: "phone", Value: "+8613900001111", Verified: true}, nil)
		if r := w.ways(caller.ID)["telephony/callback"]; r["open"] != true || r["to"] != "139****1111" || r["own"] != true {
			t.Errorf("%v", r)
		}
	})
}

func TestCopiesAreAddressesAndOnlyLettersHaveThem(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		mailbox, _, account := w.outsideLines()
		letter := w.come(mailbox, desk.Identity{Type: "email", Value: "wang@example.com", Verified: true}, nil)
		path := "/api/v1/tickets/" + letter.ID + "/replies"
		send := func(status int, field string, value any) map[string]any {
			b := map[string]any{"text": "hello", "idempotency_key": desk.NewID(), field: value}
			return w.want(status, w.wang, "POST", path, b)
		}
		for _, wrong := range []any{[]string{"no address"}, []string{"a@example.com\r\nBcc: b@example.com"}, []string{"a@example.com, b@example.com"}, []string{""}, many(51)} {
			send(422, "cc", wrong)
			send(422, "bcc", wrong)
		}
		send(422, "subject", "Hello\r\nBcc: everybody@example.com")
		sent := send(201, "cc", []string{"Li <li@example.com>", "zhao@example.com"})
		if head := sent["headers"].(map[string]any); len(head["cc"].([]any)) != 2 {
			t.Errorf("%v", head)
		}
		send(201, "subject", "Re: 另一件事")
		chat := w.come(account, openID(account), nil)
		path = "/api/v1/tickets/" + chat.ID + "/replies"
		send(422, "cc", []string{"li@example.com"})
	})
}

func many(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = "a@example.com"
	}
	return all
}

func TestChannelThatCannotAnswerSaysSo(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	phone := w.addLine("telephony", "热线", connectors.Capabilities{NoText: true}, reachOf("phone"))
	ticket := w.come(phone, desk.Identity{Type: "phone", Value: "+8613900001111", Verified: true}, nil)
	if got := w.ways(ticket.ID); len(got) != 0 {
		t.Errorf("%v", got)
	}
	a := w.want(409, w.wang, "POST", "/api/v1/tickets/"+ticket.ID+"/replies", reply("hello"))
	if all, is := a["routes"].([]any); a["code"] != "route_closed" || !is || len(all) != 0 {
		t.Errorf("%v", a)
	}
	w.fleet.more = nil // switched off
	if own := w.ways(ticket.ID)["telephony/"]; own["open"] != false || own["why_code"] != "channel_closed" {
		t.Errorf("%v", own)
	}
	w.want(201, w.wang, "POST", "/api/v1/tickets/"+ticket.ID+"/replies", reply("it waits until the channel is open again"))
}
