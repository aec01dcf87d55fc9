package console

import (
	"testing"

	"hearback/desk"
)

func TestConversationIsBegunByMail(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		mailbox, _, account := w.outsideLines()
		begin := map[string]any{
			"channel_id": mailbox.ID, "to": " Chen@Example.com", "name": "陈明", "subject": "您的订单", "text": "您好", "cc": []string{"li@example.com"},
			"assign_to_me": true, "idempotency_key": "once",
		}
		a := w.want(201, w.wang, "POST", "/api/v1/tickets", begin)
		if a["subject"] != "您的订单" || a["contact"].(map[string]any)["name"] != "陈明" || a["assignee"].(map[string]any)["id"] != w.wang.ID {
			t.Fatalf("%v", a)
		}
		ticket := a["id"].(string)
		select {
		case <-w.kicks:
		default:
			t.Error("the delivery belt was not woken")
		}
		messages := must(w.store.LastMessages(t.Context(), ticket, 0, 10))(t)
		var out *desk.Message
		for i := range messages {
			if messages[i].Direction == desk.DirectionOut {
				out = &messages[i]
			}
		}
		if out == nil || out.Text != "您好" || out.Delivery == nil || out.Delivery.State != desk.DeliveryQueued {
			t.Fatalf("%+v", messages)
		}
		if again := w.want(201, w.wang, "POST", "/api/v1/tickets", begin); again["id"] != ticket {
			t.Errorf("the same key began %v", again["id"])
		}
		begin["text"] = "other words"
		if a := w.want(409, w.wang, "POST", "/api/v1/tickets", begin); a["code"] != "idempotency_conflict" {
			t.Errorf("%v", a)
		}
		answer := w.come(mailbox, desk.Identity{Type: "email", Value: "chen@example.com", Verified: true}, nil)
		if answer.ID != ticket {
			t.Errorf("the customer's answer opened %s beside %s", answer.ID, ticket)
		}
		for field, wrong := range map[string]any{
			"channel_id": account.ID, "to": "no address", "text": " ", "team_id": "nowhere", "contact_id": desk.NewID(), "means": "callback",
			"cc": []string{"x\r\ny: z@example.com"}, "subject": "a\nb",
		} {
			b := map[string]any{"channel_id": mailbox.ID, "to": "chen@example.com", "subject": "s", "text": "t", "idempotency_key": desk.NewID(), field: wrong}
			if field == "contact_id" {
				b["to"] = ""
			}
			if a := w.want(422, w.wang, "POST", "/api/v1/tickets", b); a["code"] != "invalid" || a["errors"] == nil {
				t.Errorf("%s: %v", field, a)
			}
		}
	})
}

func TestCallIsAskedForWithoutATicketBefore(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		_, phone, _ := w.outsideLines()
		b := map[string]any{"channel_id": phone.ID, "to": "138 1234 5678", "subject": "回访", "text": "", "means": "callback", "idempotency_key": "k"}
		a := w.want(201, w.wang, "POST", "/api/v1/tickets", b)
		if call := a["callback"].(map[string]any); call["state"] != "requested" || call["number"] != "138****5678" || a["assignee"] != nil {
			t.Errorf("%v", a)
		}
		b["means"], b["idempotency_key"] = "", "k2"
		w.want(422, w.wang, "POST", "/api/v1/tickets", b) // it sends no written messages
	})
}

func TestContactIsWrittenToByAnAddressHeIsKnownBy(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		mailbox, _, account := w.outsideLines()
		ticket := w.come(account, openID(account), known)
		b := map[string]any{"channel_id": mailbox.ID, "contact_id": ticket.ContactID, "subject": "s", "text": "t", "idempotency_key": "k"}
		w.want(422, w.boss, "POST", "/api/v1/tickets", b) // he does not see the contact
		a := w.want(201, w.wang, "POST", "/api/v1/tickets", b)
		if a["contact"].(map[string]any)["id"] != ticket.ContactID || a["id"] == ticket.ID {
			t.Errorf("%v", a)
		}
		if to := a["reply"].(map[string]any)["routes"].([]any)[0].(map[string]any)["to"]; to != "w***@example.com" {
			t.Errorf("written to %v", to)
		}
	})
}

func TestStartableChannelsTellWhatTheyTake(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		mailbox, phone, _ := w.outsideLines()
		got := map[string]string{}
		for _, item := range w.want(200, w.wang, "GET", "/api/v1/channels/startable", nil)["items"].([]any) {
			one := item.(map[string]any)
			takes := one["takes"].([]any)
			if len(takes) != 1 || one["capabilities"] == nil {
				t.Errorf("%v", one)
			}
			got[one["channel"].(map[string]any)["id"].(string)] = takes[0].(string)
		}
		if len(got) != 2 || got[mailbox.ID] != "email" || got[phone.ID] != "phone" {
			t.Errorf("%v", got)
		}
	})
}

func TestAgentChangesHisOwnSignatureAndNothingElse(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		a := w.want(200, w.wang, "PATCH", "/api/v1/session", `{"signature":"王 · 支持组\n400-000-0000","language":"zh-CN"}`)
		if a["signature"] != "王 · 支持组\n400-000-0000" || a["language"] != "zh-CN" || a["role"] != "agent" {
			t.Errorf("%v", a)
		}
		me := w.want(200, w.wang, "GET", "/api/v1/session", nil)["agent"].(map[string]any)
		if me["signature"] != "王 · 支持组\n400-000-0000" {
			t.Errorf("%v", me)
		}
		w.want(422, w.wang, "PATCH", "/api/v1/session", `{"role":"admin"}`)
		w.want(422, w.wang, "PATCH", "/api/v1/session", `{"extensions":["1"]}`)
	})
}
