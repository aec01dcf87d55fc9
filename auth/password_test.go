package auth

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func TestHashIsVerifiedAndEachIsDifferent(t *testing.T) {
	h := newHasher(1)
	a, err := h.hash(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	b, err := h.hash(t.Context(), password)
	if err != nil || a == b {
		t.Error("two hashes of one password are equal", err)
	}
	for stored, want := range map[string]bool{a: true, b: true, "": false, decoy: false, strings.Replace(a, "t=2", "t=3", 1): false,
		"$2a$10$bcryptbcryptbcryptbcry": false, strings.Replace(a, "m=19456", "m=4294967295", 1): false} {
		if got, err := h.verify(t.Context(), password, stored); err != nil || got != want {
			t.Errorf("%q: %v, %v", stored, got, err)
		}
	}
	if ok, _ := h.verify(t.Context(), password+" ", a); ok {
		t.Error("another password is taken")
	}
}

func TestHashingWaitsForItsTurnAndGivesUp(t *testing.T) {
	h := newHasher(1)
	h.slots <- struct{}{} // somebody hashes
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.hash(ctx, password); !errors.Is(err, context.Canceled) || h.runs.Load() != 0 {
		t.Errorf("%v after %d hashes", err, h.runs.Load())
	}
	<-h.slots
	if _, err := h.hash(t.Context(), password); err != nil {
		t.Error(err)
	}
}

func FuzzStoredHashNeverPanics(f *testing.F) {
	f.Add(decoy)
	f.Add("$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA")
	f.Add("$argon2id$v=19$m=-1,t=0,p=0$$")
	f.Fuzz(func(t *testing.T, stored string) {
		p, err := parsePHC(stored)
		if err == nil && (p.passes == 0 || p.lanes == 0 || len(p.key) == 0 || p.memory > 256*1024) {
			t.Errorf("%q: %+v", stored, p)
		}
	})
}

func BenchmarkHash(b *testing.B) {
	h := newHasher(1)
	for b.Loop() {
		if _, err := h.hash(b.Context(), password); err != nil {
			b.Fatal(err)
		}
	}
}
