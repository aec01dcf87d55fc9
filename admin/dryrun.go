package admin

import (
	"cmp"
	"context"
	"slices"
	"unicode/utf8"

	"hearback/desk"
	"hearback/router"
	"hearback/ticketstore"
)

// dryText is how many bytes of a first message a dry run shows.
const dryText = 2000

type dryRun struct {
	Body struct {
		Rule  *RuleBody   `json:"rule,omitempty" doc:"One rule, tried among the stored ones: by its id it replaces that one, without it is added."`
		Rules *[]RuleBody `json:"rules,omitempty" maxItems:"500" doc:"A whole set, tried instead of the stored ones."`
		Limit int         `json:"limit,omitempty" minimum:"1" maximum:"200" default:"200"`
	}
}

// DryRun is what a set of rules would have done.
type DryRun struct {
	Checked int       `json:"checked" doc:"Tickets looked at, the newest first."`
	Matched int       `json:"matched"`
	Items   []DryItem `json:"items" doc:"The tickets on which a word was found."`
}

// A DryItem is one ticket as it is and as it would have been.
type DryItem struct {
	Ticket       DryTicket  `json:"ticket"`
	Text         string     `json:"text" doc:"The first message; long ones are cut."`
	Reasons      []string   `json:"reasons" doc:"What each matching rule did."`
	MatchedWords []Match    `json:"matched_words"`
	Before       DryOutcome `json:"before"`
	After        DryOutcome `json:"after"`
}

// DryTicket names a ticket.
type DryTicket struct {
	ID      desk.ID `json:"id"`
	Number  string  `json:"number"`
	Subject string  `json:"subject"`
}

// A Match is one word found in a message.
type Match struct {
	RuleID     desk.ID `json:"rule_id"`
	Rule       string  `json:"rule" doc:"The rule's name."`
	Word       string  `json:"word" doc:"As the rule has it."`
	Text       string  `json:"text" doc:"As the customer wrote it."`
	Field      string  `json:"field" enum:"text,subject"`
	Start      int     `json:"start" doc:"Where it begins in the field, in UTF-16 units as scripts count; -1: beyond what is shown."`
	End        int     `json:"end"`
	PassedOver string  `json:"passed_over" doc:"Why the word does not count here; empty when it does."`
}

// DryOutcome is where a ticket went or would have gone.
type DryOutcome struct {
	Team     *DryTeam `json:"team"`
	Priority string   `json:"priority"`
	Tags     []string `json:"tags"`
}

// DryTeam names a team.
type DryTeam struct {
	ID   desk.ID `json:"id"`
	Name string  `json:"name"`
}

// dryRun changes nothing: it reads the newest tickets' first messages and asks the classifier.
func (a *Admin) dryRun(ctx context.Context, in *dryRun) (*body[DryRun], error) {
	rules, err := a.dryRules(ctx, in)
	if err != nil {
		return nil, err
	}
	teams, err := a.teamNames(ctx)
	if err != nil {
		return nil, err
	}
	tickets, _, err := a.store.Tickets(ctx, ticketstore.TicketFilter{
		Scope: ticketstore.Scope{All: true}, Sort: "created", Limit: cmp.Or(in.Body.Limit, 200),
	}, "")
	if err != nil {
		return nil, err
	}
	samples := make([]router.Sample, len(tickets))
	for i, t := range tickets {
		first, err := a.firstMessage(ctx, t.ID)
		if err != nil {
			return nil, err
		}
		samples[i] = router.Sample{Text: first.Text, Subject: t.Subject, Channel: t.ChannelID}
	}
	result := DryRun{Checked: len(tickets), Items: []DryItem{}}
	for i, found := range router.DryRun(rules, samples) {
		if len(found.Hits) == 0 {
			continue
		}
		result.Matched++
		result.Items = append(result.Items, dryItem(tickets[i], samples[i].Text, found, teams))
	}
	return &body[DryRun]{result}, nil
}

// dryRules are the stored rules with the given one among them, or the given set.
func (a *Admin) dryRules(ctx context.Context, in *dryRun) ([]desk.Rule, error) {
	if in.Body.Rules != nil {
		var rules []desk.Rule
		for i, b := range *in.Body.Rules {
			rules = append(rules, applyRule(desk.Rule{ID: desk.NewID(), Enabled: true, Position: i}, b))
		}
		return rules, nil
	}
	rules, err := a.store.Rules(ctx)
	if err != nil || in.Body.Rule == nil {
		return rules, err
	}
	b := *in.Body.Rule
	at := slices.IndexFunc(rules, func(r desk.Rule) bool { return r.ID == b.ID })
	if at < 0 {
		r := desk.Rule{ID: desk.NewID(), Enabled: true}
		for _, other := range rules {
			r.Position = max(r.Position, other.Position+1)
		}
		rules, at = append(rules, r), len(rules)
	}
	rules[at] = applyRule(rules[at], b)
	rules[at].Enabled = true // tried although it may be switched off
	slices.SortStableFunc(rules, func(x, y desk.Rule) int { return cmp.Compare(x.Position, y.Position) })
	return rules, nil
}

func (a *Admin) teamNames(ctx context.Context) (map[desk.ID]string, error) {
	teams, err := a.store.Teams(ctx)
	names := map[desk.ID]string{}
	for _, t := range teams {
		names[t.ID] = t.Name
	}
	return names, err
}

// firstMessage is what the ticket was classified by: its customer's first words.
func (a *Admin) firstMessage(ctx context.Context, ticket desk.ID) (desk.Message, error) {
	messages, err := a.store.Messages(ctx, ticket, 0, 10)
	if err != nil {
		return desk.Message{}, err
	}
	for _, m := range messages {
		if m.Direction == desk.DirectionIn {
			return m, nil
		}
	}
	return desk.Message{}, nil
}

// utf16At counts a byte offset in UTF-16 units.
func utf16At(text string, at int) int {
	n := 0
	for _, r := range text[:min(at, len(text))] {
		if r > 0xffff {
			n++
		}
		n++
	}
	return n
}

// cut shortens at a character's border.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}
