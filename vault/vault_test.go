package vault

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func open(t testing.TB, keys ...string) *Vault {
	t.Helper()
	v, err := Open(strings.Join(keys, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestASealedSecretOpensOnlyInItsPlace(t *testing.T) {
	v := open(t, NewKey())
	sealed, err := v.Seal("channel/password", []byte("s3cret"))
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := v.Open("channel/password", sealed); err != nil || string(plain) != "s3cret" {
		t.Fatalf("%q %v", plain, err)
	}
	if strings.Contains(sealed, "s3cret") || SealedBy(sealed) != v.KeyID() {
		t.Errorf("sealed %q", sealed)
	}
	if _, err := v.Open("channel/token", sealed); !errors.Is(err, ErrDamaged) {
		t.Errorf("opened elsewhere: %v", err)
	}
	again, err := v.Seal("channel/password", []byte("s3cret"))
	if err != nil || again == sealed {
		t.Errorf("equal secrets look equal: %v", err)
	}
}

func TestEveryChangedByteIsNoticed(t *testing.T) {
	v := open(t, NewKey())
	sealed, err := v.Seal("a", []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range sealed {
		changed := []byte(sealed)
		changed[i] ^= 1
		plain, err := v.Open("a", string(changed))
		// The last character of a part may hold bits base64 does not use.
		if err == nil && !bytes.Equal(plain, []byte("secret")) {
			t.Errorf("byte %d changed and opened as %q", i, plain)
		}
	}
	if _, err := v.Open("a", sealed[:len(sealed)-4]); !errors.Is(err, ErrDamaged) {
		t.Errorf("cut: %v", err)
	}
}

func TestRotationSealsWithTheNewKeyAndOpensWithBoth(t *testing.T) {
	old := NewKey()
	v1 := open(t, old)
	sealed, err := v1.Seal("a", []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	check, err := v1.Check()
	if err != nil {
		t.Fatal(err)
	}
	v2 := open(t, "# newest first", NewKey(), old)
	if plain, err := v2.Open("a", sealed); err != nil || string(plain) != "x" {
		t.Errorf("old secret: %q %v", plain, err)
	}
	if err := v2.Verify(check); err != nil {
		t.Error(err)
	}
	if v2.KeyID() == v1.KeyID() || !bytes.Equal(v2.DeriveAll("p")[1], v1.Derive("p")) || bytes.Equal(v2.Derive("p"), v2.Derive("q")) {
		t.Error("keys are mixed up")
	}
	if err := open(t, NewKey()).Verify(check); !errors.Is(err, ErrWrongKey) || !strings.Contains(err.Error(), "master key") {
		t.Errorf("a foreign key: %v", err)
	}
}

func TestTheFirstStartMakesAPrivateKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "master.key")
	v, created, err := LoadOrCreate(path, "")
	if err != nil || !created {
		t.Fatal(created, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v %v", info.Mode(), err)
	}
	again, created, err := LoadOrCreate(path, "")
	if err != nil || created || again.KeyID() != v.KeyID() {
		t.Error("the second start made another key", err)
	}
	env, created, err := LoadOrCreate(path, NewKey())
	if err != nil || created || env.KeyID() == v.KeyID() {
		t.Error("the environment does not go first", err)
	}
	rotated, err := AddKey(path)
	if err != nil || rotated.KeyID() == v.KeyID() || len(rotated.DeriveAll("x")) != 2 {
		t.Error("no key added", err)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".master-key-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind %v %v", left, err)
	}
}

func TestBrokenKeysAreRefused(t *testing.T) {
	for _, keys := range []string{"", "# only a remark", "short", "not base64 at all!", NewKey() + " AAAA"} {
		if _, err := Open(keys); err == nil {
			t.Errorf("took %q", keys)
		}
	}
	path := filepath.Join(t.TempDir(), "master.key")
	if err := os.WriteFile(path, []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := LoadOrCreate(path, ""); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("broken file: %v", err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "rubbish" {
		t.Error("the broken file was written over")
	}
}

func FuzzOpenNeverPanicsNorInvents(f *testing.F) {
	v := open(f, NewKey())
	sealed, err := v.Seal("a", []byte("x"))
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{sealed, "", "hb1...", "hb1." + v.KeyID() + "..", "hb1." + v.KeyID() + ".AAAA.AAAA"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if plain, err := v.Open("a", s); err == nil && string(plain) != "x" {
			t.Errorf("%q opened as %q", s, plain)
		}
	})
}
