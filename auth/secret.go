package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
)

// tokenPrefix lets people and scanners see what a leaked string is.
const tokenPrefix = "hbk_"

// newSecret makes 256 random bits, printable.
func newSecret() string {
	b := make([]byte, 32)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// digest is what is stored of a secret. It needs no salt and no cost: 256 random bits cannot be guessed.
func digest(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// NewToken makes an API token: the secret shown once, and what is stored of it.
func (a *Auth) NewToken() (secret, hash, lastFour string) {
	secret = tokenPrefix + newSecret()
	return secret, digest(secret), secret[len(secret)-4:]
}
