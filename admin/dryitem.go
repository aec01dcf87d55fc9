package admin

import (
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"hearback/desk"
	"hearback/ticketstore"
)

// A Classify says what one set of rules does with a text: where it would go and which words of it matched. Start and End of
// the words are byte offsets in text.
type Classify func(channel desk.ID, text string) Explanation

// An Explanation is the outcome of classification with its reasons.
type Explanation struct {
	Matched  bool // some rule applies
	TeamID   desk.ID
	Priority desk.Priority
	Tags     []string
	Words    []Match
}

// TransformSchema says that a ticket may have no team.
func (DryOutcome) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	p := s.Properties["team"]
	s.Properties["team"] = &huma.Schema{AnyOf: []*huma.Schema{{Ref: p.Ref}, {Type: "null"}}}
	return s
}

// dryItem compares a ticket as it is with what the rules would have made of its first message.
func dryItem(t ticketstore.TicketRow, first desk.Message, classify Classify, teams map[desk.ID]string) (DryItem, bool) {
	text := classified(t.Subject, first.Text)
	found := classify(t.ChannelID, text)
	item := DryItem{
		Ticket: DryTicket{ID: t.ID, Number: t.Number, Subject: t.Subject}, Text: cut(text, dryText), MatchedWords: []Match{},
		Before: outcome(t.TeamID, t.Priority, t.Tags, teams),
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
	for _, w := range found.Words {
		item.MatchedWords = append(item.MatchedWords, shown(w, text, len(item.Text)))
	}
	return item, found.Matched
}

// classified is the text rules look at: subject and first message.
func classified(subject, text string) string {
	if subject == "" || strings.HasPrefix(text, subject) {
		return text
	}
	return subject + "\n" + text
}

// shown turns a word's byte offsets into those of the page.
func shown(w Match, text string, visible int) Match {
	from, to := max(min(w.Start, len(text)), 0), max(min(w.End, len(text)), 0)
	if from > to {
		from, to = 0, 0
	}
	w.Text = text[from:to]
	if to > visible {
		w.Start, w.End = -1, -1
		return w
	}
	w.Start, w.End = utf16At(text, from), utf16At(text, to)
	return w
}

func outcome(team desk.ID, priority desk.Priority, tags []string, teams map[desk.ID]string) DryOutcome {
	o := DryOutcome{Priority: string(priority), Tags: orEmpty(tags)}
	if team != "" {
		o.Team = &DryTeam{ID: team, Name: teams[team]}
	}
	return o
}
