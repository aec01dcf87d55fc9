package router

import (
	"encoding/json"
	"sync/atomic"

	"hearback/desk"
	"hearback/ticketstore"
)

// maxClassified is how much of a text is read for keywords, in bytes. What a message is about stands at its beginning.
const maxClassified = 64 << 10

// A Classifier reads messages against the rules it was given last. Its methods may be called at the same time.
type Classifier struct {
	current atomic.Pointer[ruleset]
}

// NewClassifier returns a classifier without rules: everything is normal and goes nowhere special.
func NewClassifier() *Classifier {
	c := &Classifier{}
	c.Load(nil)
	return c
}

// Load replaces the rules. Messages being classified are finished with the old ones. Disabled rules and rules without a word
// under All or Any match nothing.
func (c *Classifier) Load(rules []desk.Rule) { c.current.Store(compile(rules)) }

// A Hit is one keyword found in a message.
type Hit struct {
	RuleID  desk.ID `json:"rule_id"`
	Rule    string  `json:"rule"` // the rule's name
	Version int64   `json:"version"`
	Word    string  `json:"word"`  // as the admin wrote it
	Field   string  `json:"field"` // text or subject
	Start   int     `json:"start"` // bytes of the original
	End     int     `json:"end"`
	Text    string  `json:"text"` // what stands there
	// PassedOver tells why the word does not count here, "" when it does: "negated by 不", "part of 退款失败".
	PassedOver string `json:"passed_over,omitempty"`
}

// A Classification is what the rules say of a message.
type Classification struct {
	TeamID   desk.ID       `json:"team_id"`
	Priority desk.Priority `json:"priority"` // "": the rules leave it
	Tags     []string      `json:"tags"`
	Hits     []Hit         `json:"hits"`    // those that were passed over included, by place
	Reasons  []string      `json:"reasons"` // what each matching rule did, in order of position
}

// Classify reads a message. The first matching rule that names a team decides the team, the first that names a priority
// the priority; every matching rule adds its tags.
//
// A keyword counts where it stands as a word (Latin ones between boundaries), is not negated right before, and is not part
// of a longer keyword of another matching rule. Words under Not forbid the rule wherever they occur.
func (c *Classifier) Classify(text, subject string, channel desk.ID) Classification {
	return c.current.Load().classify(text, subject, channel)
}

// Plan is the classification as the store files it, with the decision to keep.
func (c Classification) Plan() ticketstore.Plan {
	detail, err := json.Marshal(c)
	if err != nil { // strings and numbers only: cannot happen
		detail = nil
	}
	return ticketstore.Plan{TeamID: c.TeamID, Priority: c.Priority, Tags: c.Tags, Decision: detail}
}

// A Sample is a message to try rules on.
type Sample struct {
	Text    string
	Subject string
	Channel desk.ID
}

// DryRun tells what rules would say of past messages, without loading them.
func DryRun(rules []desk.Rule, samples []Sample) []Classification {
	set := compile(rules)
	out := make([]Classification, len(samples))
	for i, s := range samples {
		out[i] = set.classify(s.Text, s.Subject, s.Channel)
	}
	return out
}

// cut shortens s to at most n bytes without splitting a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}
