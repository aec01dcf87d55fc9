package bus_test

import (
	"fmt"
	"testing"
	"time"

	"hearback/bus"
	"hearback/bus/bustest"
)

func TestLastLinesAreKeptNewestFirst(t *testing.T) {
	bustest.Each(t, func(t *testing.T, b *bus.Bus) {
		if got, err := b.Recall(t.Context(), "k"); err != nil || len(got) != 0 {
			t.Fatalf("%q %v", got, err)
		}
		for i := range 4 {
			lines := [][]byte{fmt.Append(nil, 2*i), fmt.Append(nil, 2*i+1)}
			if err := b.Remember(t.Context(), "k", 5, time.Minute, lines); err != nil {
				t.Fatal(err)
			}
		}
		got, err := b.Recall(t.Context(), "k")
		if err != nil || fmt.Sprintf("%s", got) != "[7 6 5 4 3]" {
			t.Errorf("%s %v", got, err)
		}
		left, err := b.Client().PTTL(t.Context(), b.Key("recent", "k")).Result()
		if err != nil || left <= 0 || left > time.Minute {
			t.Errorf("kept for %s, %v", left, err)
		}
		if err := b.Remember(t.Context(), "k", 5, time.Minute, nil); err != nil {
			t.Error(err)
		}
	})
}
