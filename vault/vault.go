package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// ErrWrongKey tells that none of the given master keys can open a sealed value.
var ErrWrongKey = errors.New("none of the given master keys opens this secret")

// ErrDamaged tells that a sealed value was changed, cut, or moved from the place it was sealed for.
var ErrDamaged = errors.New("sealed secret is damaged or belongs elsewhere")

const (
	keySize = 32 // bytes: AES-256
	version = "hb1"
	checked = "hearback"
)

// A Vault holds the master keys. It is safe for concurrent use.
type Vault struct {
	keys []masterKey // the first seals
}

type masterKey struct {
	id     string
	secret []byte
	wrap   cipher.AEAD // seals data keys
}

// Open reads master keys: base64 of 32 bytes each, separated by white space or commas, the sealing one first. Lines starting
// with # are remarks.
func Open(keys string) (*Vault, error) {
	v := &Vault{}
	for line := range strings.Lines(keys) {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		for _, word := range strings.FieldsFunc(line, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' || r == '\r' }) {
			secret, err := decodeKey(word)
			if err != nil {
				return nil, fmt.Errorf("read master key %d: %w", len(v.keys)+1, err)
			}
			k, err := newMasterKey(secret)
			if err != nil {
				return nil, fmt.Errorf("read master key %d: %w", len(v.keys)+1, err)
			}
			v.keys = append(v.keys, k)
		}
	}
	if len(v.keys) == 0 {
		return nil, errors.New("read master key: none given")
	}
	return v, nil
}

// NewKey makes a master key in the form Open reads.
func NewKey() string {
	secret := make([]byte, keySize)
	rand.Read(secret)
	return base64.StdEncoding.EncodeToString(secret)
}

func decodeKey(word string) ([]byte, error) {
	word = strings.TrimRight(word, "=")
	word = strings.NewReplacer("-", "+", "_", "/").Replace(word)
	secret, err := base64.RawStdEncoding.DecodeString(word)
	if err != nil || len(secret) != keySize {
		return nil, fmt.Errorf("want base64 of %d bytes", keySize)
	}
	return secret, nil
}

func newMasterKey(secret []byte) (masterKey, error) {
	wrapKey, err := hkdf.Key(sha256.New, secret, nil, "hearback vault wrap", keySize)
	if err != nil {
		return masterKey{}, fmt.Errorf("derive wrapping key: %w", err)
	}
	id, err := hkdf.Key(sha256.New, secret, nil, "hearback vault key id", 4)
	if err != nil {
		return masterKey{}, fmt.Errorf("derive key id: %w", err)
	}
	wrap, err := aead(wrapKey)
	if err != nil {
		return masterKey{}, err
	}
	return masterKey{id: hex.EncodeToString(id), secret: secret, wrap: wrap}, nil
}

func aead(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("make cipher: %w", err)
	}
	a, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("make cipher: %w", err)
	}
	return a, nil
}

// KeyID names the master key that seals. It tells nothing about the key.
func (v *Vault) KeyID() string { return v.keys[0].id }

// Seal makes plaintext unreadable to whoever lacks a master key. aad names the place the secret belongs to and must be the
// same when it is opened. The result is printable text: version.key id.data key.secret.
func (v *Vault) Seal(aad string, plaintext []byte) (string, error) {
	dataKey := make([]byte, keySize)
	rand.Read(dataKey)
	box, err := aead(dataKey)
	if err != nil {
		return "", fmt.Errorf("seal secret: %w", err)
	}
	k := v.keys[0]
	wrapped := k.wrap.Seal(nil, nil, dataKey, place(k.id, aad))
	sealed := box.Seal(nil, nil, plaintext, place(k.id, aad))
	enc := base64.RawURLEncoding
	return version + "." + k.id + "." + enc.EncodeToString(wrapped) + "." + enc.EncodeToString(sealed), nil
}

// Open returns what Seal was given for the same aad. Its errors wrap ErrWrongKey or ErrDamaged and never hold the secret.
func (v *Vault) Open(aad, sealed string) ([]byte, error) {
	parts := strings.Split(sealed, ".")
	if len(parts) != 4 || parts[0] != version {
		return nil, fmt.Errorf("open secret: %w", ErrDamaged)
	}
	k, ok := v.key(parts[1])
	if !ok {
		return nil, fmt.Errorf("open secret sealed by key %s: %w", parts[1], ErrWrongKey)
	}
	enc := base64.RawURLEncoding
	wrapped, err1 := enc.DecodeString(parts[2])
	secret, err2 := enc.DecodeString(parts[3])
	if err1 != nil || err2 != nil {
		return nil, fmt.Errorf("open secret: %w", ErrDamaged)
	}
	dataKey, err := k.wrap.Open(nil, nil, wrapped, place(k.id, aad))
	if err != nil || len(dataKey) != keySize {
		return nil, fmt.Errorf("open secret: %w", ErrDamaged)
	}
	box, err := aead(dataKey)
	if err != nil {
		return nil, fmt.Errorf("open secret: %w", err)
	}
	plain, err := box.Open(nil, nil, secret, place(k.id, aad))
	if err != nil {
		return nil, fmt.Errorf("open secret: %w", ErrDamaged)
	}
	return plain, nil
}

// SealedBy returns the id of the key a value was sealed with, "" when it is no sealed value. Rotation skips what the sealing
// key holds already.
func SealedBy(sealed string) string {
	parts := strings.Split(sealed, ".")
	if len(parts) != 4 || parts[0] != version {
		return ""
	}
	return parts[1]
}

func (v *Vault) key(id string) (masterKey, bool) {
	for _, k := range v.keys {
		if k.id == id {
			return k, true
		}
	}
	return masterKey{}, false
}

// place is the associated data: version, key and location, so that none of them can be exchanged.
func place(keyID, aad string) []byte { return []byte(version + "\x00" + keyID + "\x00" + aad) }

// Check makes a value to be stored beside the secrets; Verify of the same keys accepts it.
func (v *Vault) Check() (string, error) { return v.Seal("check", []byte(checked)) }

// Verify tells whether these master keys are those that made check. Call it before the first write.
func (v *Vault) Verify(check string) error {
	plain, err := v.Open("check", check)
	if err != nil {
		return fmt.Errorf("the master key does not fit this database (it was sealed by key %s, given is %s); restore the master key file or HEARBACK_MASTER_KEY it was made with: %w",
			SealedBy(check), v.KeyID(), err)
	}
	if string(plain) != checked {
		return fmt.Errorf("verify master key: %w", ErrDamaged)
	}
	return nil
}

// Derive makes 32 bytes for one purpose (signing visitor tokens, cookies) from the sealing key. Different purposes give
// unrelated keys.
func (v *Vault) Derive(purpose string) []byte { return v.keys[0].derive(purpose) }

// DeriveAll makes Derive's bytes for every master key, newest first: what was signed before a rotation still verifies.
func (v *Vault) DeriveAll(purpose string) [][]byte {
	all := make([][]byte, len(v.keys))
	for i, k := range v.keys {
		all[i] = k.derive(purpose)
	}
	return all
}

func (k masterKey) derive(purpose string) []byte {
	key, err := hkdf.Key(sha256.New, k.secret, nil, "hearback derive "+purpose, keySize)
	if err != nil {
		panic("vault: " + err.Error()) // only for lengths over 255 hashes
	}
	return key
}
