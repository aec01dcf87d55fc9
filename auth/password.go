package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"hearback/desk"
)

// The cost of a hash: OWASP's first choice for argon2id. A hash says its own cost, so it may rise later; older hashes are
// renewed at the next log-in.
const (
	memory  = 19 * 1024 // KiB
	passes  = 2
	lanes   = 1
	saltLen = 16
	keyLen  = 32

	minPassword = 10   // characters
	maxPassword = 1000 // bytes: more is no password but an attempt to keep us busy
)

// decoy is hashed against when there is no account or no password: the answer takes as long. Nothing hashes to it.
const decoy = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// A hasher hashes a few passwords at once: each takes 19 MB and a whole processor, and a crowd at the door must not take all.
type hasher struct {
	slots chan struct{}
	runs  atomic.Int64
}

func newHasher(n int) *hasher { return &hasher{slots: make(chan struct{}, n)} }

// key derives the hash's bytes; it waits for its turn until ctx ends.
func (h *hasher) key(ctx context.Context, password string, p phc) ([]byte, error) {
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return nil, fmt.Errorf("hash password: %w", ctx.Err())
	}
	h.runs.Add(1)
	return argon2.IDKey([]byte(password), p.salt, p.passes, p.memory, p.lanes, uint32(len(p.key))), nil
}

// hash makes the text stored of a password.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	p := phc{memory: memory, passes: passes, lanes: lanes, salt: make([]byte, saltLen), key: make([]byte, keyLen)}
	rand.Read(p.salt)
	key, err := h.key(ctx, password, p)
	if err != nil {
		return "", err
	}
	p.key = key
	return p.String(), nil
}

// verify tells whether password is the one stored. An empty or unreadable hash is nobody's password and costs the same.
func (h *hasher) verify(ctx context.Context, password, stored string) (bool, error) {
	p, err := parsePHC(stored)
	if err != nil || len(password) > maxPassword {
		password = ""
		p, err = parsePHC(decoy)
	}
	if err != nil {
		return false, err
	}
	key, err := h.key(ctx, password, p)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(key, p.key) == 1, nil
}

// A phc is a hash in the PHC string format: $argon2id$v=19$m=19456,t=2,p=1$salt$hash.
type phc struct {
	memory, passes uint32
	lanes          uint8
	salt, key      []byte
}

func (p phc) String() string {
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.memory, p.passes, p.lanes, enc.EncodeToString(p.salt), enc.EncodeToString(p.key))
}

// parsePHC refuses what argon2 would panic on or what would take the whole machine.
func parsePHC(s string) (phc, error) {
	var (
		p       phc
		version int
	)
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return p, fmt.Errorf("password hash: not argon2id")
	}
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return p, fmt.Errorf("password hash: unknown version")
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.passes, &p.lanes); err != nil {
		return p, fmt.Errorf("password hash: unreadable cost")
	}
	var err1, err2 error
	enc := base64.RawStdEncoding.Strict()
	p.salt, err1 = enc.DecodeString(parts[4])
	p.key, err2 = enc.DecodeString(parts[5])
	switch {
	case err1 != nil || err2 != nil || len(p.salt) < 8 || len(p.salt) > 64 || len(p.key) < 16 || len(p.key) > 64:
		return p, fmt.Errorf("password hash: unreadable salt or hash")
	case p.passes < 1 || p.passes > 20 || p.lanes < 1 || p.lanes > 16 || p.memory < 8*uint32(p.lanes) || p.memory > 256*1024:
		return p, fmt.Errorf("password hash: cost out of bounds")
	}
	return p, nil
}

// outdated tells that a hash was made at another cost than today's.
func outdated(stored string) bool {
	p, err := parsePHC(stored)
	return err == nil && (p.memory != memory || p.passes != passes || p.lanes != lanes || len(p.key) != keyLen)
}

// HashPassword judges a password and makes what is stored of it; a weak one is desk.ErrInvalid, whose text may be shown.
func (a *Auth) HashPassword(password string) (string, error) {
	if err := judge(password, ""); err != nil {
		return "", err
	}
	return a.hasher.hash(context.Background(), password)
}

// judge says what is wrong with a new password. Length is what counts; rules about signs only make people write it down.
func judge(password, email string) error {
	switch {
	case utf8.RuneCountInString(password) < minPassword:
		return fmt.Errorf("the password needs at least %d characters: %w", minPassword, desk.ErrInvalid)
	case len(password) > maxPassword:
		return fmt.Errorf("the password is longer than %d bytes: %w", maxPassword, desk.ErrInvalid)
	case strings.EqualFold(strings.TrimSpace(password), email):
		return fmt.Errorf("the password must not be the e-mail address: %w", desk.ErrInvalid)
	case isOneSign(password):
		return fmt.Errorf("the password must not be one sign repeated: %w", desk.ErrInvalid)
	}
	return nil
}

func isOneSign(s string) bool {
	first, _ := utf8.DecodeRuneInString(s)
	return strings.Trim(s, string(first)) == ""
}

// OneTimePassword makes a password to be read aloud or typed once: 100 random bits in groups of five.
func OneTimePassword() string {
	t := strings.ToLower(rand.Text())
	return t[0:5] + "-" + t[5:10] + "-" + t[10:15] + "-" + t[15:20]
}
