package main

import (
	"reflect"
	"testing"

	"hearback/configs"
)

// keysOf lists every configuration key.
func keysOf(t reflect.Type, prefix string) (out []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Type.Kind() == reflect.Struct {
			out = append(out, keysOf(f.Type, prefix+f.Tag.Get("toml")+".")...)
			continue
		}
		out = append(out, prefix+f.Tag.Get("toml"))
	}
	return out
}

func TestEveryConfigurationKeyIsAFlag(t *testing.T) {
	flags := map[string]bool{}
	for i, s := 0, reflect.TypeFor[settings](); i < s.NumField(); i++ {
		flags[s.Field(i).Tag.Get("key")] = true
	}
	for _, key := range keysOf(reflect.TypeFor[configs.Config](), "") {
		if !flags[key] {
			t.Errorf("%s is no flag", key)
		}
		delete(flags, key)
	}
	for key := range flags {
		t.Errorf("flag %s is no configuration key", key)
	}
}
