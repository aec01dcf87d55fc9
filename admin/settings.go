package admin

import (
	"maps"
	"slices"
	"strings"

	"hearback/desk"
)

// overlay puts what is given over what is stored. An empty secret keeps the stored one: the form shows it empty.
func overlay(stored, given map[string]string, secret []string) map[string]string {
	out := map[string]string{}
	maps.Copy(out, stored)
	for k, v := range given {
		if v == "" && slices.Contains(secret, k) {
			continue
		}
		out[k] = v
	}
	return out
}

// keys are the names of what was given, for the audit.
func keys(m map[string]string) []string {
	return slices.Sorted(maps.Keys(m))
}

// withoutSecrets masks a channel's secrets in what a provider or a library said about it.
func (a *Admin) withoutSecrets(ch desk.Channel, text string) string {
	kind, _ := a.o.Fleet.Kind(ch.Kind)
	for _, name := range secretFields(kind) {
		if v := ch.Settings[name]; len(v) >= 4 {
			text = strings.ReplaceAll(text, v, "••••")
		}
	}
	return text
}

// trimmed is a list without empty and repeated entries. nil stays nil.
func trimmed(all []string) []string {
	var out []string
	for _, s := range all {
		if s = strings.TrimSpace(s); s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
