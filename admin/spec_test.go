package admin

import (
	"testing"

	"hearback/console"
)

func TestSpecHoldsBothRooms(t *testing.T) {
	if _, err := console.Spec("test", New(Options{}).Register); err != nil {
		t.Fatal(err)
	}
}
