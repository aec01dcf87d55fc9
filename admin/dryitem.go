package admin

import (
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"hearback/desk"
	"hearback/router"
	"hearback/ticketstore"
)

// TransformSchema says that a ticket may have no team.
func (DryOutcome) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	p := s.Properties["team"]
	s.Properties["team"] = &huma.Schema{AnyOf: []*huma.Schema{{Ref: p.Ref}, {Type: "null"}}}
	return s
}

// dryItem compares a ticket as it is with what the rules would have made of its first message. What rules leave alone stays.
func dryItem(t ticketstore.TicketRow, text string, found router.Classification, teams map[desk.ID]string) DryItem {
	item := DryItem{
		Ticket: DryTicket{ID: t.ID, Number: t.Number, Subject: t.Subject}, Text: cut(text, dryText),
		MatchedWords: []Match{}, Reasons: orEmpty(found.Reasons), Before: outcome(t.TeamID, t.Priority, t.Tags, teams),
	}
	team, priority, tags := t.TeamID, t.Priority, slices.Clone(t.Tags)
	if found.TeamID != "" {
		team = found.TeamID
	}
	if found.Priority != "" {
		priority = found.Priority
	}
	for _, tag := range found.Tags {
		if !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	item.After = outcome(team, priority, tags, teams)
	for _, hit := range found.Hits {
		where := item.Text
		if hit.Field == "subject" {
			where = t.Subject
		}
		item.MatchedWords = append(item.MatchedWords, match(hit, where))
	}
	return item
}

// match turns a hit's byte offsets into those of the page.
func match(hit router.Hit, where string) Match {
	m := Match{
		RuleID: hit.RuleID, Rule: hit.Rule, Word: hit.Word, Text: hit.Text, Field: hit.Field, PassedOver: hit.PassedOver,
		Start: -1, End: -1,
	}
	if hit.End <= len(where) {
		m.Start, m.End = utf16At(where, hit.Start), utf16At(where, hit.End)
	}
	return m
}

func outcome(team desk.ID, priority desk.Priority, tags []string, teams map[desk.ID]string) DryOutcome {
	o := DryOutcome{Priority: string(priority), Tags: orEmpty(tags)}
	if team != "" {
		o.Team = &DryTeam{ID: team, Name: teams[team]}
	}
	return o
}
