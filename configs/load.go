package configs

import (
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
)

// An Error is one wrong key or value. Where names the file and line, the environment variable or the flag.
type Error struct {
	Where string
	Key   string
	Fix   string
}

// Error is one sentence with the fix.
func (e *Error) Error() string { return fmt.Sprintf("%s: %s: %s", e.Where, e.Key, e.Fix) }

// Load builds the configuration from the file (none when file is empty), the environment and flags (key to value).
func Load(file string, getenv func(string) string, flags map[string]string) (Config, error) {
	c := Default()
	if file != "" {
		if err := readFile(file, &c); err != nil {
			return c, err
		}
	}
	for _, l := range leaves(&c) {
		name := EnvName(l.key)
		v, where := getenv(name), "environment "+name
		if path := getenv(name + "_FILE"); v == "" && l.secret && path != "" {
			b, err := os.ReadFile(path)
			if err != nil {
				return c, &Error{"environment " + name + "_FILE", l.key, "the file cannot be read: " + err.Error()}
			}
			v = strings.TrimSpace(string(b))
		}
		if f, ok := flags[l.key]; ok {
			v, where = f, "flag --"+strings.ReplaceAll(l.key, "_", "-")
		} else if v == "" {
			continue
		}
		if err := l.set(v); err != nil {
			return c, &Error{where, l.key, err.Error()}
		}
	}
	for k := range flags {
		if !known(&c, k) {
			return c, &Error{"flag --set", k, unknownKey(&c, k)}
		}
	}
	return c, check(&c)
}

// EnvName is the environment variable of a key: routing.capacity is HEARBACK_ROUTING_CAPACITY.
func EnvName(key string) string {
	return "HEARBACK_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

func readFile(file string, c *Config) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return &Error{file, "--config", "the file cannot be read: " + err.Error()}
	}
	var tree map[string]any
	if _, err := toml.Decode(string(text), &tree); err != nil {
		if pe, ok := err.(toml.ParseError); ok {
			return &Error{fmt.Sprintf("%s line %d", file, pe.Position.Line), "syntax", pe.Message}
		}
		return &Error{file, "syntax", err.Error()}
	}
	return apply(c, tree, "", func(key string) string { return fmt.Sprintf("%s line %d", file, lineOf(string(text), key)) })
}

// apply walks the parsed file so that every message can name its key; the library's own decoder names only types.
func apply(c *Config, tree map[string]any, prefix string, where func(string) string) error {
	fields := map[string]leaf{}
	for _, l := range leaves(c) {
		fields[l.key] = l
	}
	for k, v := range tree {
		key := prefix + k
		if sub, ok := v.(map[string]any); ok && isTable(c, key) {
			if err := apply(c, sub, key+".", where); err != nil {
				return err
			}
			continue
		}
		l, ok := fields[key]
		if !ok {
			return &Error{where(key), key, unknownKey(c, key)}
		}
		if err := l.setAny(v); err != nil {
			return &Error{where(key), key, err.Error()}
		}
	}
	return nil
}

// lineOf finds where key is written: its table's header, then the key itself.
func lineOf(text, key string) int {
	table, name := "", key
	if i := strings.LastIndex(key, "."); i >= 0 {
		table, name = key[:i], key[i+1:]
	}
	current := ""
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			current = strings.Trim(strings.SplitN(line, "#", 2)[0], "[] \t")
			if current == key {
				return i + 1
			}
		}
		left, _, ok := strings.Cut(line, "=")
		left = strings.Trim(strings.TrimSpace(left), `"'`)
		if ok && (current == table && left == name || current == "" && left == key) {
			return i + 1
		}
	}
	return 0
}

// A leaf is one settable value of the struct.
type leaf struct {
	key    string
	value  reflect.Value
	tag    reflect.StructTag
	secret bool
}

func leaves(c *Config) []leaf { return walk(reflect.ValueOf(c).Elem(), "") }

func walk(v reflect.Value, prefix string) (out []leaf) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		key := prefix + f.Tag.Get("toml")
		if f.Type.Kind() == reflect.Struct {
			out = append(out, walk(v.Field(i), key+".")...)
			continue
		}
		out = append(out, leaf{key, v.Field(i), f.Tag, f.Tag.Get("secret") == "true"})
	}
	return out
}

func isTable(c *Config, key string) bool {
	for _, l := range leaves(c) {
		if strings.HasPrefix(l.key, key+".") {
			return true
		}
	}
	return false
}

func known(c *Config, key string) bool {
	for _, l := range leaves(c) {
		if l.key == key {
			return true
		}
	}
	return false
}

func (l leaf) setAny(v any) error {
	switch v := v.(type) {
	case string:
		if l.value.Kind() == reflect.String || l.value.Type() == durationType {
			return l.set(v)
		}
	case bool:
		if l.value.Kind() == reflect.Bool {
			l.value.SetBool(v)
			return nil
		}
	case int64:
		if l.value.Kind() == reflect.Int {
			return l.set(strconv.FormatInt(v, 10))
		}
	case []any:
		if l.value.Kind() == reflect.Slice {
			list := make([]string, len(v))
			for i, e := range v {
				s, ok := e.(string)
				if !ok {
					return fmt.Errorf("every entry must be a string, as in [\"10.0.0.0/8\"]")
				}
				list[i] = s
			}
			l.value.Set(reflect.ValueOf(list))
			return nil
		}
	}
	return fmt.Errorf("must be %s, not %v", l.wants(), v)
}

var durationType = reflect.TypeFor[time.Duration]()

func (l leaf) wants() string {
	switch {
	case l.value.Type() == durationType:
		return `a duration in quotes, such as "90s", "5m" or "4h"`
	case l.value.Kind() == reflect.Bool:
		return "true or false"
	case l.value.Kind() == reflect.Int:
		return "a whole number"
	case l.value.Kind() == reflect.Slice:
		return `a list of strings, such as ["10.0.0.0/8"]`
	}
	return "a string in quotes"
}

// set reads a value from text, as the environment and flags give it.
func (l leaf) set(s string) error {
	switch {
	case l.value.Type() == durationType:
		d, err := time.ParseDuration(s)
		if err != nil {
			return fmt.Errorf("must be %s, not %q", l.wants(), s)
		}
		l.value.SetInt(int64(d))
	case l.value.Kind() == reflect.Bool:
		b, err := strconv.ParseBool(s)
		if err != nil {
			return fmt.Errorf("must be true or false, not %q", s)
		}
		l.value.SetBool(b)
	case l.value.Kind() == reflect.Int:
		n, err := strconv.Atoi(s)
		if err != nil {
			return fmt.Errorf("must be a whole number, not %q", s)
		}
		l.value.SetInt(int64(n))
	case l.value.Kind() == reflect.Slice:
		var list []string
		for _, e := range strings.Split(s, ",") {
			if e = strings.TrimSpace(e); e != "" {
				list = append(list, e)
			}
		}
		l.value.Set(reflect.ValueOf(list))
	default:
		l.value.SetString(s)
	}
	return nil
}
