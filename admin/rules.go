package admin

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"hearback/auth"
	"hearback/desk"
)

// A Rule classifies by keywords.
type Rule struct {
	ID        desk.ID   `json:"id"`
	Name      string    `json:"name"`
	Position  int       `json:"position" doc:"Rules are tried in rising order; the first that matches decides team and priority."`
	Enabled   bool      `json:"enabled"`
	All       []string  `json:"all" doc:"Every one must occur."`
	Any       []string  `json:"any" doc:"At least one must occur."`
	Not       []string  `json:"not" doc:"None may occur."`
	Channels  []desk.ID `json:"channels" doc:"Only on these; empty: on all."`
	TeamID    desk.ID   `json:"team_id"`
	Priority  string    `json:"priority" enum:",normal,urgent,critical"`
	Tags      []string  `json:"tags" doc:"Every rule that matches adds its own."`
	Version   int64     `json:"version"`
	CreatedAt desk.Time `json:"created_at" nullable:"false"`
	UpdatedAt desk.Time `json:"updated_at" nullable:"false"`
}

// RuleBody is what is set of a rule; what is absent stays.
type RuleBody struct {
	ID       desk.ID    `json:"id,omitempty" doc:"Only in a dry run: which stored rule this one replaces."`
	Name     *string    `json:"name,omitempty" minLength:"1" maxLength:"100"`
	Position *int       `json:"position,omitempty" minimum:"0" maximum:"100000"`
	Enabled  *bool      `json:"enabled,omitempty"`
	All      *Words     `json:"all,omitempty"`
	Any      *Words     `json:"any,omitempty"`
	Not      *Words     `json:"not,omitempty"`
	Channels *[]desk.ID `json:"channels,omitempty" maxItems:"200"`
	TeamID   *desk.ID   `json:"team_id,omitempty"`
	Priority *string    `json:"priority,omitempty" enum:",normal,urgent,critical"`
	Tags     *Words     `json:"tags,omitempty"`
	Version  int64      `json:"version,omitempty" doc:"Of the rule as it was read: refused with conflict when somebody changed it meanwhile."`
}

// Words is a list of words; it may be sent as one string with the words between ， , 、 ; ； or line breaks.
type Words []string

// Schema allows both forms.
func (Words) Schema(huma.Registry) *huma.Schema {
	s := &huma.Schema{
		OneOf: []*huma.Schema{
			{Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeString}},
			{Type: huma.TypeString},
		},
		Description: "A list, or one string with the words between ， , 、 ; ； or line breaks.",
	}
	s.PrecomputeMessages()
	return s
}

// UnmarshalJSON splits strings, trims, and drops empty and repeated words.
func (w *Words) UnmarshalJSON(b []byte) error {
	var parts []string
	var one string
	if err := json.Unmarshal(b, &one); err == nil {
		parts = []string{one}
	} else if err := json.Unmarshal(b, &parts); err != nil {
		return err
	}
	*w = Words{}
	for _, part := range parts {
		for _, word := range strings.FieldsFunc(part, func(r rune) bool { return strings.ContainsRune("，,、;；\n\r", r) }) {
			if word = strings.TrimSpace(word); word != "" && !slices.Contains(*w, word) {
				*w = append(*w, word)
			}
		}
	}
	return nil
}

type createRule struct{ Body RuleBody }

type changeRule struct {
	ID   string `path:"id"`
	Body RuleBody
}

func (a *Admin) registerRules(api huma.API) {
	const g = "Rules"
	add(api, g, auth.RulesRead, http.MethodGet, "/api/v1/rules", "list-rules", "List rules", a.listRules)
	add(api, g, auth.RulesWrite, http.MethodPost, "/api/v1/rules", "create-rule", "Add a rule", a.createRule)
	add(api, g, auth.RulesWrite, http.MethodPatch, "/api/v1/rules/{id}", "change-rule", "Change a rule", a.changeRule)
	add(api, g, auth.RulesWrite, http.MethodDelete, "/api/v1/rules/{id}", "delete-rule", "Remove a rule", a.deleteRule)
	add(api, g, auth.RulesRead, http.MethodPost, "/api/v1/rules/dry-run", "dry-run-rules", "What rules would have done to the last tickets", a.dryRun)
}

func wireRule(r desk.Rule) Rule {
	return Rule{
		ID: r.ID, Name: r.Name, Position: r.Position, Enabled: r.Enabled, All: orEmpty(r.All), Any: orEmpty(r.Any), Not: orEmpty(r.Not),
		Channels: orEmpty(r.Channels), TeamID: r.TeamID, Priority: string(r.Priority), Tags: orEmpty(r.Tags),
		Version: r.Version, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
	}
}

func (a *Admin) listRules(ctx context.Context, _ *struct{}) (*body[List[Rule]], error) {
	rules, err := a.store.Rules(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]Rule, 0, len(rules))
	for _, r := range rules {
		all = append(all, wireRule(r))
	}
	return items(all, ""), nil
}

func (a *Admin) createRule(ctx context.Context, in *createRule) (*body[Rule], error) {
	r := desk.Rule{Enabled: true}
	if in.Body.Position == nil {
		rules, err := a.store.Rules(ctx)
		if err != nil {
			return nil, err
		}
		for _, other := range rules {
			r.Position = max(r.Position, other.Position+1)
		}
	}
	return a.saveRule(ctx, applyRule(r, in.Body), "rule.created")
}

func (a *Admin) changeRule(ctx context.Context, in *changeRule) (*body[Rule], error) {
	r, err := a.store.Rule(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	r = applyRule(r, in.Body)
	r.Version = in.Body.Version
	return a.saveRule(ctx, r, "rule.changed")
}

// applyRule puts what is given over what was.
func applyRule(r desk.Rule, b RuleBody) desk.Rule {
	if b.Name != nil {
		r.Name = strings.TrimSpace(*b.Name)
	}
	if b.Position != nil {
		r.Position = *b.Position
	}
	if b.Enabled != nil {
		r.Enabled = *b.Enabled
	}
	for to, words := range map[*[]string]*Words{&r.All: b.All, &r.Any: b.Any, &r.Not: b.Not, &r.Tags: b.Tags} {
		if words != nil {
			*to = *words
		}
	}
	if b.Channels != nil {
		r.Channels = *b.Channels
	}
	if b.TeamID != nil {
		r.TeamID = *b.TeamID
	}
	if b.Priority != nil {
		r.Priority = desk.Priority(*b.Priority)
	}
	return r
}

func (a *Admin) saveRule(ctx context.Context, r desk.Rule, action string) (*body[Rule], error) {
	if err := a.checkRule(ctx, r); err != nil {
		return nil, err
	}
	r, err := a.store.SaveRule(ctx, r)
	if err != nil {
		return nil, err
	}
	a.changed(ctx, "rules", action, r.ID, wireRule(r))
	return &body[Rule]{wireRule(r)}, nil
}

const (
	maxWords = 2000 // per list of one rule
	maxWord  = 200  // bytes
)

// checkRule refuses a rule that could never match, or always would.
func (a *Admin) checkRule(ctx context.Context, r desk.Rule) error {
	if r.Name == "" {
		return wrong("body.name", "Give the rule a name.")
	}
	if len(r.All)+len(r.Any) == 0 {
		return wrong("body.any", "Give at least one word in any or all: a rule without words would match everything.")
	}
	for field, words := range map[string][]string{"body.all": r.All, "body.any": r.Any, "body.not": r.Not, "body.tags": r.Tags} {
		if len(words) > maxWords {
			return wrong(field, "At most 2,000 words. Split the rule.")
		}
		if slices.ContainsFunc(words, func(w string) bool { return len(w) > maxWord }) {
			return wrong(field, "A word has at most 200 bytes.")
		}
	}
	if err := a.checkTeam(ctx, r.TeamID); err != nil {
		return err
	}
	for _, id := range r.Channels {
		if _, err := a.store.Channel(ctx, id); err != nil {
			return wrong("body.channels", "There is no channel "+id+".")
		}
	}
	return nil
}

func (a *Admin) deleteRule(ctx context.Context, in *byID) (*none, error) {
	r, err := a.store.Rule(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if err := a.store.DeleteRule(ctx, r.ID); err != nil {
		return nil, err
	}
	a.changed(ctx, "rules", "rule.deleted", r.ID, wireRule(r))
	return &none{}, nil
}
