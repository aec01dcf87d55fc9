package console

import (
	"encoding/json"
	"os"
	"testing"
)

func TestSpecIsWritten(t *testing.T) {
	b, err := Spec("test")
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if p := os.Getenv("SPEC_OUT"); p != "" {
		os.WriteFile(p, b, 0o600)
	}
}
