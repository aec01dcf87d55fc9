package email_test

import (
	"os"
	"strings"
	"testing"

	"hearback/connectors/email"
)

func TestDocsNameEverySettingAndPreset(t *testing.T) {
	page, err := os.ReadFile("../../docs/email.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range email.Kind.Fields {
		if !strings.Contains(string(page), "`"+f.Name+"`") {
			t.Errorf("docs/email.md does not name the setting %s", f.Name)
		}
		if f.Name != "provider" {
			continue
		}
		for _, o := range f.Options {
			if !strings.Contains(string(page), "`"+o.Value+"`") {
				t.Errorf("docs/email.md does not name the provider %s", o.Value)
			}
		}
	}
}
