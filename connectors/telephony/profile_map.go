package telephony

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"hearback/connectors"
	"hearback/desk"
)

// rule is what sets a field of an event: the event's own, or the one of all events.
func (p *profile) rule(e *profileRules, field string) (profileRule, bool) {
	if r, ok := e.Set[field]; ok {
		return r, true
	}
	r, ok := p.Call.Set[field]
	return r, ok
}

// singleRecord is how a report that shared its request with others is kept: the record alone, and which event of the profile it is.
type singleRecord struct {
	Index  int `json:"hearback_event"`
	Record any `json:"record"`
}

const singlePrefix = `{"hearback_event":`

// reports are what a request says. A record to which no event applies says nothing. The problems tell what could not be
// understood and was left out; they are for the try-out.
func (p *profile) reports(s *settings, r *request) (out []report, problems []connectors.Problem, err error) {
	if bytes.HasPrefix(r.Body, []byte(singlePrefix)) {
		return p.single(s, r)
	}
	records, err := p.records(r)
	if err != nil {
		return nil, nil, err
	}
	for _, rec := range records {
		for i := range p.Events {
			if !rec.holds(p.Events[i].When) {
				continue
			}
			m := profileMapper{p: p, rules: &p.Events[i], rec: rec, times: p.Time.in(s)}
			if one, ok := m.report(); ok {
				if one.Raw, err = json.Marshal(singleRecord{Index: i, Record: rec.tree}); err != nil {
					return nil, nil, fmt.Errorf("keep record: %w", err)
				}
				out = append(out, one)
			}
			problems = append(problems, m.problems...)
		}
	}
	if len(out) == 1 {
		out[0].Raw = nil
	}
	return out, problems, nil
}

// single reads what reports kept of one report.
func (p *profile) single(s *settings, r *request) ([]report, []connectors.Problem, error) {
	tree, err := jsonTree(r.Body)
	if err != nil {
		return nil, nil, err
	}
	query, err := url.ParseQuery(r.Query)
	if err != nil {
		return nil, nil, errors.New("the query of the address cannot be read")
	}
	rec := profileRecord{tree: walkTree(tree, "record"), query: query}
	i, err := strconv.Atoi(profileRecord{tree: tree}.value("hearback_event"))
	if err != nil || i < 0 || i >= len(p.Events) {
		return nil, nil, nil // the profile has been changed since
	}
	m := profileMapper{p: p, rules: &p.Events[i], rec: rec, times: p.Time.in(s)}
	one, ok := m.report()
	if !ok {
		return nil, m.problems, nil
	}
	return []report{one}, m.problems, nil
}

// profileMapper makes one event of one record.
type profileMapper struct {
	p        *profile
	rules    *profileRules
	rec      profileRecord
	times    profileTime
	problems []connectors.Problem
}

func (m *profileMapper) report() (report, bool) {
	typ := m.word("type")
	if typ == "" {
		return report{}, false // the map leaves this one out
	}
	out := report{Call: m.text("call_id"), ID: m.text("key"), Customer: m.text("customer")}
	if out.Call == "" {
		m.wrong("call_id", "没有通话编号，此事件被忽略。", "There is no call id; this event is left out.")
		return out, false
	}
	if out.ID != "" { // several events of one record share what names it
		out.ID += ":" + typ
	}
	out.Event = desk.CallEvent{
		Type: typ, At: m.time("at"), Leg: m.text("leg"), Direction: m.word("direction"), From: m.text("from"), To: m.text("to"),
		FromName: m.text("from_name"), Agents: m.texts("agent"), Queue: m.text("queue"), StartedAt: m.time("started_at"),
		AnsweredAt: m.time("answered_at"), EndedAt: m.time("ended_at"), Outcome: m.word("outcome"), Cause: m.text("cause"), By: m.word("by"),
		Keys: strings.Join(m.texts("keys"), ""), Label: m.text("label"), Text: m.text("text"), Speaker: m.text("speaker"),
		Rating: m.number("rating"), Seconds: m.number("seconds"), Callback: m.text("callback"),
	}
	if out.Event.At == 0 {
		out.Event.At = impliedTime(&out.Event)
	}
	m.parties(&out)
	if ref := m.text("recording"); ref != "" {
		out.Recording = &recording{ID: ref, Ref: ref, ExpiresAt: m.time("expires_at")}
	}
	return out, true
}

// parties fills in caller and called where the call centre tells customer and line.
func (m *profileMapper) parties(out *report) {
	e := &out.Event
	if out.Customer == "" {
		return
	}
	from, to := &e.From, &e.To
	if e.Direction == "outbound" {
		from, to = to, from
	}
	if *from == "" {
		*from = out.Customer
	}
	if *to == "" {
		*to = m.text("line")
	}
}

// impliedTime is when an event happened as far as its other times tell. Zero: when we heard of it.
func impliedTime(e *desk.CallEvent) desk.Time {
	switch e.Type {
	case desk.CallHangup, desk.CallCDR:
		return e.EndedAt
	case desk.CallAnswered:
		return e.AnsweredAt
	case desk.CallInitiated, desk.CallRinging, desk.CallQueued, desk.CallIVR:
		return e.StartedAt
	}
	return 0
}

// texts is a field's value as the rule gives it.
func (m *profileMapper) texts(field string) []string {
	rule, ok := m.p.rule(m.rules, field)
	if !ok {
		return nil
	}
	got := rule.source(m.rec)
	if rule.Split != "" {
		var parts []string
		for _, v := range got {
			parts = append(parts, strings.Split(v, rule.Split)...)
		}
		got = parts
	}
	var out []string
	for _, v := range got {
		if v = rule.meaning(strings.TrimSpace(v)); v != "" && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	if len(out) == 0 && rule.Default != "" {
		return []string{rule.Default}
	}
	return out
}

// source yields what was told, before its meaning is looked up.
func (r profileRule) source(rec profileRecord) []string {
	switch {
	case r.Const != "":
		return []string{r.Const}
	case r.Template != "":
		s, err := fillTemplate(r.Template, rec)
		if err != nil {
			return nil
		}
		return []string{s}
	}
	for _, path := range r.Paths {
		got := slices.DeleteFunc(slices.Clone(rec.values(path)), func(s string) bool { return strings.TrimSpace(s) == "" })
		if len(got) > 0 {
			return got
		}
	}
	if len(r.Map) > 0 { // an empty value may mean something too
		return []string{""}
	}
	return nil
}

func (r profileRule) meaning(v string) string {
	if r.Map == nil {
		return v
	}
	if mapped, ok := r.Map[v]; ok {
		return mapped
	}
	if v == "" {
		return ""
	}
	if all, ok := r.Map["*"]; ok {
		return all
	}
	return ""
}

func (m *profileMapper) text(field string) string {
	if got := m.texts(field); len(got) > 0 {
		return got[0]
	}
	return ""
}

// word is a value that must be one of a few.
func (m *profileMapper) word(field string) string {
	w := m.text(field)
	if !slices.Contains(profileWords[field], w) {
		list := strings.Join(profileWords[field][1:], ", ")
		m.wrong(field, fmt.Sprintf("“%s”无法识别（可用 %s），请用 map 转换。", brief(w), list), fmt.Sprintf("%q is not known (there are %s); translate it with a map.", brief(w), list))
		return ""
	}
	return w
}

func (m *profileMapper) number(field string) int {
	s := m.text(field)
	if s == "" {
		return 0
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f < 0 || f > 1e6 {
		m.wrong(field, fmt.Sprintf("“%s”不是可用的数字。", brief(s)), fmt.Sprintf("%q is no usable number.", brief(s)))
		return 0
	}
	return int(f + .5)
}

func (m *profileMapper) time(field string) desk.Time {
	rule, ok := m.p.rule(m.rules, field)
	if !ok {
		return 0
	}
	s := m.text(field)
	t, ok := m.times.parse(rule.Format, s)
	if !ok {
		m.wrong(field, fmt.Sprintf("“%s”不是所设格式的时间。", brief(s)), fmt.Sprintf("%q is no time of the format that was set.", brief(s)))
	}
	return t
}

func (m *profileMapper) wrong(field, zh, en string) {
	m.problems = append(m.problems, connectors.Problem{Field: field, Text: connectors.Text{Zh: zh, En: en}})
}

var errTemplateEmpty = errors.New("a part of the template is empty")

// templatePaths lists the paths in braces.
func templatePaths(template string) ([]string, error) {
	var out []string
	for rest := template; ; {
		before, after, ok := strings.Cut(rest, "{")
		if strings.Contains(before, "}") {
			return nil, errors.New("a brace closes nothing")
		}
		if !ok {
			return out, nil
		}
		path, tail, ok := strings.Cut(after, "}")
		if !ok || path == "" || strings.Contains(path, "{") {
			return nil, errors.New("a brace is not closed")
		}
		out, rest = append(out, path), tail
	}
}

// fillTemplate puts values in. One that is empty makes the whole empty: half an address is none.
func fillTemplate(template string, rec profileRecord) (string, error) {
	paths, err := templatePaths(template)
	if err != nil {
		return "", err
	}
	for _, path := range paths {
		v := rec.value(path)
		if v == "" {
			return "", errTemplateEmpty
		}
		before, after, _ := strings.Cut(template, "{"+path+"}")
		template = before + strings.ReplaceAll(strings.ReplaceAll(v, "{", ""), "}", "") + after
	}
	return template, nil
}
