package telephony

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// profileFields are what a rule may set.
var profileFields = []string{"type", "call_id", "key", "at", "leg", "direction", "customer", "line", "from", "to", "from_name", "agent", "queue",
	"started_at", "answered_at", "ended_at", "outcome", "cause", "by", "keys", "label", "text", "speaker", "rating", "seconds", "callback",
	"recording", "expires_at"}

// profileWords are the values a field may take; "" means that the field is left out.
var profileWords = map[string][]string{
	"type":      append([]string{""}, callEventTypes...),
	"direction": {"", "inbound", "outbound", "internal"},
	"outcome":   {"", "answered", "missed", "busy", "rejected", "failed", "voicemail", "forwarded", "canceled"},
	"by":        {"", "customer", "agent", "system"},
}

// conditions reads "when": a table of path = value or path = [values].
func (r *profileReader) conditions(key string, v any) []profileCondition {
	table, ok := v.(map[string]any)
	if !ok {
		r.at(key, "须为表，例如 when = { status = \"28\" }", "must be a table, e.g. when = { status = \"28\" }")
		return nil
	}
	var out []profileCondition
	for _, path := range slices.Sorted(maps.Keys(table)) {
		r.path(key+"."+path, path)
		out = append(out, profileCondition{Path: path, Values: r.texts(key+"."+path, table[path])})
	}
	return out
}

// texts reads one text or several; numbers and truth values are taken as written.
func (r *profileReader) texts(key string, v any) []string {
	if list, ok := v.([]any); ok {
		var out []string
		for _, e := range list {
			out = append(out, r.texts(key, e)...)
		}
		return out
	}
	s, ok := scalarText(v)
	if !ok {
		r.at(key, "须为文字、数字或它们的数组", "must be a text, a number or an array of these")
	}
	return []string{s}
}

func scalarText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case int64:
		return strconv.FormatInt(v, 10), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}

// rule reads a path, or a table with one.
func (r *profileReader) rule(key string, v any) profileRule {
	if s, ok := scalarText(v); ok {
		r.path(key, s)
		return profileRule{Paths: []string{s}}
	}
	table, ok := v.(map[string]any)
	if !ok {
		r.at(key, "须为路径或表，例如 { path = \"a.b\" }", "must be a path or a table, e.g. { path = \"a.b\" }")
		return profileRule{}
	}
	var out profileRule
	before := len(r.problems)
	for _, name := range slices.Sorted(maps.Keys(table)) {
		r.part(&out, key+"."+name, name, table[name])
	}
	sources := 0
	for _, given := range []bool{len(out.Paths) > 0, out.Const != "", out.Template != ""} {
		if given {
			sources++
		}
	}
	if sources != 1 && len(r.problems) == before { // a misspelled source has been told of

		r.at(key, "path、const、template 须且只能有一个", "exactly one of path, const and template is needed")
	}
	return out
}

// part reads one key of a rule's table.
func (r *profileReader) part(out *profileRule, key, name string, v any) {
	switch name {
	case "path":
		out.Paths = r.texts(key, v)
		for _, p := range out.Paths {
			r.path(key, p)
		}
	case "map":
		out.Map = r.wordMap(key, v)
	case "const", "template", "default", "split", "format":
		s, ok := scalarText(v)
		if !ok {
			r.at(key, "须为文字", "must be a text")
		}
		into := map[string]*string{"const": &out.Const, "template": &out.Template, "default": &out.Default, "split": &out.Split, "format": &out.Format}
		*into[name] = s
		r.judgePart(key, name, s)
	default:
		r.at(key, "没有这个键，可用的有 path, const, template, map, default, split, format",
			"there is no such key; there are path, const, template, map, default, split, format")
	}
}

func (r *profileReader) judgePart(key, name, s string) {
	switch name {
	case "template":
		if _, err := templatePaths(s); err != nil {
			r.at(key, "花括号不成对", "its braces do not match")
		}
	case "format":
		if err := checkTimeFormat(s); err != nil {
			r.at(key, err.Zh, err.En)
		}
	}
}

func (r *profileReader) wordMap(key string, v any) map[string]string {
	table, ok := v.(map[string]any)
	if !ok {
		r.at(key, "须为表，例如 { \"1\" = \"inbound\" }", "must be a table, e.g. { \"1\" = \"inbound\" }")
		return nil
	}
	if len(table) > maxProfileMap {
		r.at(key, fmt.Sprintf("最多 %d 项", maxProfileMap), fmt.Sprintf("at most %d entries are allowed", maxProfileMap))
	}
	out := map[string]string{}
	for k, e := range table {
		s, ok := scalarText(e)
		if !ok {
			r.at(key+"."+k, "须为文字", "must be a text")
		}
		out[k] = s
	}
	return out
}

// words judges the values that a rule names itself; what comes out of a payload is judged when it comes.
func (r *profileReader) words(key, field string, rule profileRule) {
	allowed, ok := profileWords[field]
	if !ok {
		return
	}
	for _, w := range append(slices.Sorted(maps.Values(rule.Map)), rule.Const, rule.Default) {
		if !slices.Contains(allowed, w) {
			list := strings.Join(allowed[1:], ", ")
			r.at(key, fmt.Sprintf("“%s”无效，可填 %s", brief(w), list), fmt.Sprintf("%q is none of %s", brief(w), list))
		}
	}
}

func (r *profileReader) path(key, path string) {
	switch {
	case path == "":
		r.at(key, "路径为空", "the path is empty")
	case len(path) > maxProfilePath:
		r.at(key, fmt.Sprintf("路径不得超过 %d 字节", maxProfilePath), fmt.Sprintf("a path may have at most %d bytes", maxProfilePath))
	}
}

// lineOfKey finds where a key stands: "answer.type", "event[2].at", "event[2].outcome.map". The deepest part that is found counts.
// It looks at headers and at what stands left of "=", which is enough to point at; 0 means that it is not there.
func lineOfKey(text, key string) int {
	section, rest, _ := strings.Cut(key, ".")
	name, nth := section, 0
	if head, index, ok := strings.Cut(section, "["); ok {
		name = head
		nth, _ = strconv.Atoi(strings.TrimSuffix(index, "]"))
	}
	in, found, count := name == "" || rest == "", 0, 0
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			header := strings.Trim(line, "[] ")
			if header == name && strings.HasPrefix(line, "[[") {
				count++
			}
			in = (header == name || strings.HasPrefix(header, name+".")) && (nth == 0 || nth == count)
			if in && found == 0 {
				found = i + 1
			}
			if in && rest != "" && header == name+"."+rest {
				return i + 1
			}
			continue
		}
		left, _, ok := strings.Cut(line, "=")
		if !ok || !in {
			continue
		}
		if left = strings.Trim(left, ` "'`); left == rest || left == key || rest != "" && strings.HasPrefix(rest, left+".") {
			return i + 1
		}
	}
	return found
}
