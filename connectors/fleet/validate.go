package fleet

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"hearback/connectors"
)

const defaultMaxLen = 4096

var color = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// Complete fills in defaults. With fresh (a channel is being created) it also makes what a field can make by itself, and
// returns those values so that they can be shown this once. settings is not changed.
func Complete(kind connectors.Kind, settings map[string]string, fresh bool) (full, made map[string]string) {
	full, made = maps.Clone(settings), map[string]string{}
	if full == nil {
		full = map[string]string{}
	}
	for _, f := range kind.Fields {
		if full[f.Name] != "" {
			continue
		}
		if fresh && f.Generate != nil {
			full[f.Name] = f.Generate()
			made[f.Name] = full[f.Name]
		} else if _, given := full[f.Name]; f.Default != "" && !given {
			full[f.Name] = f.Default
		}
	}
	return full, made
}

// Validate judges settings against what the kind declares and returns every problem, in the order of the fields; none means
// they can be stored. It asks no network.
func Validate(kind connectors.Kind, settings map[string]string) []connectors.Problem {
	var out []connectors.Problem
	known := map[string]bool{}
	for _, f := range kind.Fields {
		known[f.Name] = true
		if text := judge(f, settings[f.Name]); text != (connectors.Text{}) {
			out = append(out, connectors.Problem{Field: f.Name, Text: text})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		if !known[name] {
			out = append(out, connectors.Problem{Field: name, Text: connectors.Text{
				Zh: fmt.Sprintf("没有这个设置项。可用的有：%s。", names(kind)),
				En: fmt.Sprintf("There is no such setting. There are: %s.", names(kind)),
			}})
		}
	}
	if len(out) == 0 && kind.Check != nil {
		out = kind.Check(settings)
	}
	return out
}

func names(kind connectors.Kind) string {
	var all []string
	for _, f := range kind.Fields {
		all = append(all, f.Name)
	}
	return strings.Join(all, ", ")
}

// judge returns what is wrong with one value and what would be right, or nothing.
func judge(f connectors.Field, v string) connectors.Text {
	if v == "" {
		if f.Required {
			return connectors.Text{Zh: f.Label.Zh + "必须填写。", En: f.Label.En + " is required."}
		}
		return connectors.Text{}
	}
	limit := f.MaxLen
	if limit == 0 {
		limit = defaultMaxLen
	}
	if len(v) > limit {
		return connectors.Text{Zh: fmt.Sprintf("最长 %d 字节，现在是 %d。", limit, len(v)), En: fmt.Sprintf("At most %d bytes; it has %d.", limit, len(v))}
	}
	if !utf8.ValidString(v) || f.Type != "textarea" && strings.ContainsFunc(v, unicode.IsControl) || strings.ContainsRune(v, 0) {
		return connectors.Text{Zh: "不能包含换行或控制字符。", En: "It must not contain line breaks or control characters."}
	}
	if text := judgeType(f, v); text != (connectors.Text{}) {
		return text
	}
	return judgePattern(f, v)
}

func judgeType(f connectors.Field, v string) connectors.Text {
	switch f.Type {
	case "number":
		if _, err := strconv.ParseInt(v, 10, 64); err != nil {
			return connectors.Text{Zh: "请填整数，例如 60。", En: "Give a whole number, e.g. 60."}
		}
	case "bool":
		if v != "true" && v != "false" {
			return connectors.Text{Zh: "请填 true 或 false。", En: "Give true or false."}
		}
	case "color":
		if !color.MatchString(v) {
			return connectors.Text{Zh: "请填六位十六进制颜色，例如 #2563eb。", En: "Give a colour of six hex digits, e.g. #2563eb."}
		}
	case "select":
		var values []string
		for _, o := range f.Options {
			values = append(values, o.Value)
		}
		if !slices.Contains(values, v) {
			all := strings.Join(values, ", ")
			return connectors.Text{Zh: "请从中选择：" + all + "。", En: "Choose one of: " + all + "."}
		}
	}
	return connectors.Text{}
}

func judgePattern(f connectors.Field, v string) connectors.Text {
	if f.Pattern == "" {
		return connectors.Text{}
	}
	re, err := regexp.Compile(`^(?:` + f.Pattern + `)$`)
	if err != nil || re.MatchString(v) { // a broken pattern is the kind's fault; connectortest finds it
		return connectors.Text{}
	}
	hint := connectors.Text{Zh: "格式不对。", En: "This has not the right form."}
	if f.Help.Zh != "" {
		hint.Zh += f.Help.Zh
	}
	if f.Help.En != "" {
		hint.En += " " + f.Help.En
	}
	return hint
}

func toValid(s string) string { return strings.ToValidUTF8(s, "") }
