package console

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"hearback/desk"
	"hearback/ticketstore/storetest"
)

func reply(text string, more ...any) map[string]any {
	b := map[string]any{"text": text, "idempotency_key": desk.NewID()}
	for i := 0; i < len(more); i += 2 {
		b[more[i].(string)] = more[i+1]
	}
	return b
}

func TestReplyIsKeptAnnouncedAndWakesDelivery(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		ticket, last := w.arrive("v1", "hello", w.support.ID)
		w.give(ticket, w.wang)
		page := w.open(w.wang, fmt.Sprintf(`{"type":"hello","tickets":{%q:%d}}`, ticket, last.Seq))
		body := reply("您好，已为您查询")
		made := w.want(201, w.wang, "POST", "/api/v1/tickets/"+ticket+"/replies", body)
		<-w.kicks
		delivery := made["delivery"].(map[string]any)
		if made["direction"] != "out" || delivery["state"] != "queued" || made["author"].(map[string]any)["name"] != "wang" {
			t.Fatal(made)
		}
		for f := page.until("message"); f.Message.ID != made["id"]; f = page.until("message") {
		}
		again := w.want(201, w.wang, "POST", "/api/v1/tickets/"+ticket+"/replies", body)
		if again["id"] != made["id"] {
			t.Error("the same key made a second message")
		}
		body["text"] = "something else"
		if a := w.want(409, w.wang, "POST", "/api/v1/tickets/"+ticket+"/replies", body); a["code"] != "idempotency_conflict" {
			t.Error(a)
		}
		if one := w.want(200, w.wang, "GET", "/api/v1/tickets/"+ticket, nil); one["status"] == "new" {
			t.Error(one["status"])
		}
	})
}

func TestColleagueWhoAnsweredFirstIsNamed(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		ticket, seen := w.arrive("v1", "hello", "")
		path := "/api/v1/tickets/" + ticket + "/replies"
		first := w.want(201, w.li, "POST", path, reply("from li"))
		answer := w.want(409, w.admin, "POST", path, reply("from admin", "if_seq", seen.Seq))
		if answer["code"] != "colleague_answered" || answer["name"] != "li" || answer["seconds_ago"] == nil {
			t.Fatal(answer)
		}
		w.want(201, w.admin, "POST", path, reply("all the same", "if_seq", seen.Seq, "force", true))
		w.want(201, w.admin, "POST", path, reply("my own does not count", "if_seq", first["seq"]))
		if all := must(w.store.Messages(t.Context(), ticket, 0, 100))(t); countOut(all) != 3 {
			t.Errorf("%d replies", countOut(all))
		}
	})
}

func countOut(all []desk.Message) (n int) {
	for _, m := range all {
		if m.Direction == desk.DirectionOut {
			n++
		}
	}
	return n
}

func TestOfTwoWhoClaimAtOnceOneIsToldWho(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		for range 5 {
			ticket, _ := w.arrive(desk.NewID(), "hello", w.support.ID)
			type outcome struct {
				status int
				answer map[string]any
			}
			var both [2]outcome
			var race sync.WaitGroup
			for i, who := range []desk.Agent{w.wang, w.li} {
				race.Go(func() {
					both[i].status, both[i].answer = w.do(who, "POST", "/api/v1/tickets/"+ticket+"/claim", "{}")
				})
			}
			race.Wait()
			won, lost := both[0], both[1]
			winner := w.wang
			if won.status != 200 {
				won, lost, winner = lost, won, w.li
			}
			if won.status != 200 || won.answer["assignee"].(map[string]any)["id"] != winner.ID {
				t.Fatal(won)
			}
			if lost.status == 404 {
				continue // came after: the ticket was out of his scope already
			}
			if lost.status != 409 || lost.answer["code"] != "already_claimed" || lost.answer["assignee"].(map[string]any)["name"] != winner.Name {
				t.Fatal(lost)
			}
		}
	})
}

func TestClosedTicketTakesNothingMore(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		ticket, _ := w.arrive("v1", "hello", "")
		w.give(ticket, w.wang)
		path := "/api/v1/tickets/" + ticket
		if a := w.want(200, w.wang, "POST", path+"/resolve", nil); a["status"] != "resolved" {
			t.Fatal(a)
		}
		if a := w.want(200, w.wang, "POST", path+"/close", `{"reason":"done"}`); a["status"] != "closed" {
			t.Fatal(a)
		}
		for _, c := range []string{"/replies", "/notes"} {
			if a := w.want(409, w.wang, "POST", path+c, reply("late")); a["code"] != "ticket_closed" {
				t.Error(a)
			}
		}
		if a := w.want(422, w.wang, "POST", path+"/reopen", `{"reason":" "}`); a["code"] != "invalid" {
			t.Error(a)
		}
		if a := w.want(200, w.wang, "POST", path+"/reopen", `{"reason":"not solved"}`); a["status"] != "open" {
			t.Error(a)
		}
		w.want(201, w.wang, "POST", path+"/replies", reply("again"))
	})
}

func TestTransferNeedsAReasonAndAPlaceToGo(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		ticket, _ := w.arrive("v1", "hello", w.support.ID)
		w.give(ticket, w.wang)
		path := "/api/v1/tickets/" + ticket + "/transfer"
		for _, b := range []string{
			`{"to_agent":"` + w.li.ID + `"}`, `{"to_agent":"` + w.li.ID + `","reason":" "}`, `{"reason":"x"}`,
			`{"to_agent":"nobody","reason":"x"}`, `{"to_team":"nowhere","reason":"x"}`,
			`{"to_agent":"` + w.li.ID + `","to_team":"` + w.finance.ID + `","reason":"x"}`,
		} {
			if a := w.want(422, w.wang, "POST", path, b); a["code"] != "invalid" || a["errors"] == nil {
				t.Errorf("%s: %v", b, a)
			}
		}
		a := w.want(200, w.wang, "POST", path, `{"to_agent":"`+w.li.ID+`","reason":"knows it"}`)
		if a["assignee"].(map[string]any)["id"] != w.li.ID {
			t.Error(a["assignee"])
		}
		w.want(404, w.wang, "GET", "/api/v1/tickets/"+ticket, nil)
		a = w.want(200, w.li, "POST", path, `{"to_team":"`+w.finance.ID+`","reason":"money"}`)
		if a["assignee"] != nil || a["team"].(map[string]any)["name"] != "财务" || a["status"] != "new" {
			t.Error(a)
		}
		w.want(200, w.boss, "GET", "/api/v1/tickets/"+ticket, nil)
	})
}

func TestPatchChangesWhatIsGivenAndSnoozeEnds(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		ticket, _ := w.arrive("v1", "hello", "")
		path := "/api/v1/tickets/" + ticket
		a := w.want(200, w.wang, "PATCH", path, `{"subject":"<b>退款</b>","priority":"urgent","tags":["退款","vip"],"fields":{"order":"42"},"snoozed_until":"2030-01-01T00:00:00Z"}`)
		if a["subject"] != "<b>退款</b>" || a["priority"] != "urgent" || len(a["tags"].([]any)) != 2 || a["snoozed_until"] != "2030-01-01T00:00:00.000Z" {
			t.Fatal(a)
		}
		a = w.want(200, w.wang, "PATCH", path, `{"fields":{"order":""},"snoozed_until":null}`)
		if len(a["fields"].(map[string]any)) != 0 || a["snoozed_until"] != nil || a["priority"] != "urgent" {
			t.Fatal(a)
		}
		for _, b := range []string{`{"priority":"huge"}`, `{"snoozed_until":"tomorrow"}`, `{"subject":5}`, `{"nothing":1}`} {
			w.want(422, w.wang, "PATCH", path, b)
		}
	})
}

func TestMergeAndSplitStayInScope(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		one, _ := w.arrive("v1", "first", "")
		two, _ := w.arrive("v2", "second", "")
		theirs, _ := w.arrive("v3", "third", w.finance.ID)
		w.want(422, w.wang, "POST", "/api/v1/tickets/"+one+"/merge", `{"into":"`+theirs+`"}`)
		w.want(422, w.wang, "POST", "/api/v1/tickets/"+one+"/merge", `{"into":"`+one+`"}`)
		number := must(w.store.Ticket(t.Context(), two))(t).Number
		if a := w.want(200, w.wang, "POST", "/api/v1/tickets/"+one+"/merge", `{"into":"`+number+`"}`); a["id"] != two {
			t.Fatal(a)
		}
		_, m := w.arrive("v2", "something else entirely", "")
		if a := w.want(200, w.wang, "POST", "/api/v1/tickets/"+two+"/split", `{"message_id":"`+m.ID+`"}`); a["id"] == two {
			t.Fatal(a)
		}
		w.want(422, w.wang, "POST", "/api/v1/tickets/"+two+"/split", `{"message_id":"`+desk.NewID()+`"}`)
	})
}

func TestTimelineIsReadFromItsEndAndBackwards(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	ticket, _ := w.arrive("v1", "0", "")
	for i := 1; i < 10; i++ {
		w.arrive("v1", fmt.Sprint(i), "")
	}
	path := "/api/v1/tickets/" + ticket + "/messages"
	last := w.want(200, w.wang, "GET", path+"?limit=4", nil)
	if texts(last) != "6789" || last["next"] == "" {
		t.Fatal(texts(last), last["next"])
	}
	if before := w.want(200, w.wang, "GET", path+"?limit=4&before="+last["next"].(string), nil); texts(before) != "2345" {
		t.Fatal(texts(before))
	}
	fifth := must(w.store.Messages(t.Context(), ticket, 0, 100))(t)[5]
	after := w.want(200, w.wang, "GET", fmt.Sprintf("%s?limit=100&after=%d", path, fifth.Seq), nil)
	if !strings.HasSuffix(texts(after), "9") || after["next"] != "" {
		t.Fatal(texts(after))
	}
}

func texts(page map[string]any) string {
	all := ""
	for _, item := range page["items"].([]any) {
		all += item.(map[string]any)["text"].(string)
	}
	return all
}

func TestSessionHasAllAPageNeedsToStart(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.ok(w.console.names.load(t.Context()))
	a := w.want(200, w.wang, "GET", "/api/v1/session", nil)
	agent := a["agent"].(map[string]any)
	if agent["email"] != "wang@example.com" || len(agent["teams"].([]any)) != 1 || len(a["teams"].([]any)) != 2 || len(a["channels"].([]any)) != 1 {
		t.Fatal(a)
	}
	if a["build"] != "test" || len(a["permissions"].([]any)) == 0 || a["config"].(map[string]any)["max_text"] != 20000.0 {
		t.Fatal(a)
	}
	w.want(200, w.wang, "GET", "/api/v1/presence", nil)
	w.want(200, w.wang, "GET", "/api/v1/tickets/counts", nil)
}

func TestContactIsChangedAndItsNameFollows(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	ticket, _ := w.arrive("v1", "hello", "")
	contact := must(w.store.Ticket(t.Context(), ticket))(t).ContactID
	a := w.want(200, w.wang, "PATCH", "/api/v1/contacts/"+contact, `{"name":"王小芳","level":"vip","fields":{"city":"上海"}}`)
	if a["name"] != "王小芳" || a["level"] != "vip" || len(a["identities"].([]any)) != 1 {
		t.Fatal(a)
	}
	if one := w.want(200, w.wang, "GET", "/api/v1/tickets/"+ticket, nil); one["contact"].(map[string]any)["name"] != "王小芳" {
		t.Error(one["contact"])
	}
	if all := w.want(200, w.wang, "GET", "/api/v1/contacts/"+contact+"/tickets", nil); len(all["items"].([]any)) != 1 {
		t.Error(all)
	}
	w.want(404, w.wang, "PATCH", "/api/v1/contacts/"+desk.NewID(), `{"name":"x"}`)
}
