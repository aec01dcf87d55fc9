package customer

import (
	"context"
	"fmt"
	"strings"

	"hearback/desk"
	"hearback/normalizer"
)

// words are what customers are told in one language.
type words struct {
	unknown, none, list, more string
	ticket                    string // number, subject, state
	agent, due, updated       string
	layout                    string
	states                    map[desk.Status]string
}

var zh = words{
	unknown: "没有找到您的工单 %s，请核对工单号。发送“进度”可查看您处理中的工单。",
	none:    "您目前没有处理中的工单。直接留言即可，我们会尽快为您处理。",
	list:    "您有 %d 个工单：",
	more:    "发送工单号可查看详情。",
	ticket:  "%s「%s」：%s",
	agent:   "，由 %s 为您处理",
	due:     "，预计 %s 前回复您",
	updated: "，最近更新于 %s",
	layout:  "1月2日 15:04",
	states: map[desk.Status]string{desk.StatusNew: "已收到，等待分配客服", desk.StatusOpen: "处理中", desk.StatusWaiting: "等待您的回复",
		desk.StatusResolved: "已解决，请您确认", desk.StatusClosed: "已关闭", desk.StatusArchived: "已关闭"},
}

var en = words{
	unknown: "We could not find your ticket %s. Please check the number. Send \"progress\" for your open tickets.",
	none:    "You have no open ticket. Just write to us and we will take care of it.",
	list:    "You have %d tickets:",
	more:    "Send a ticket's number for more.",
	ticket:  "%s \"%s\": %s",
	agent:   ", with %s",
	due:     ", we answer before %s",
	updated: ", last changed %s",
	layout:  "2 Jan 15:04",
	states: map[desk.Status]string{desk.StatusNew: "received, waiting for an agent", desk.StatusOpen: "in progress", desk.StatusWaiting: "waiting for your answer",
		desk.StatusResolved: "solved, please confirm", desk.StatusClosed: "closed", desk.StatusArchived: "closed"},
}

// wordsFor speaks Chinese unless the customer is known to read something else.
func wordsFor(language string) words {
	if language == "" || strings.HasPrefix(strings.ToLower(language), "zh") {
		return zh
	}
	return en
}

// line tells one ticket's state; at length also who has it and when something happens.
func (a *Answers) line(ctx context.Context, w words, t desk.Ticket, long bool) string {
	text := fmt.Sprintf(w.ticket, t.Number, normalizer.Snippet(t.Subject, 24), w.states[t.Status])
	if !long {
		return text
	}
	if t.AssigneeID != "" && t.Status.Active() {
		if agent, err := a.o.Store.Agent(ctx, t.AssigneeID); err == nil {
			text += fmt.Sprintf(w.agent, agent.Name)
		}
	}
	if t.FirstReplyAt == 0 && t.Status.Active() && t.FirstResponseDueAt > desk.At(a.o.Now()) {
		text += fmt.Sprintf(w.due, t.FirstResponseDueAt.Std().In(a.o.Zone).Format(w.layout))
	} else {
		text += fmt.Sprintf(w.updated, t.UpdatedAt.Std().In(a.o.Zone).Format(w.layout))
	}
	if w.layout == zh.layout {
		text += "。"
	}
	return text
}
