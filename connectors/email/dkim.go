package email

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"

	signing "github.com/emersion/go-msgauth/dkim"

	"hearback/desk"
)

// A dkim signs what leaves (RFC 6376), for servers that do not do it themselves.
type dkim struct {
	selector, domain string
	key              crypto.Signer
}

// readDKIM reads an RSA or Ed25519 private key in PEM; nil when none is set.
func readDKIM(selector, text, domain string) (*dkim, error) {
	if selector == "" && text == "" {
		return nil, nil
	}
	block, _ := pem.Decode([]byte(text))
	if block == nil || selector == "" {
		return nil, fmt.Errorf("read DKIM key: %w: a selector and a private key in PEM belong together", desk.ErrInvalid)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		if key, err = x509.ParsePKCS1PrivateKey(block.Bytes); err != nil {
			return nil, fmt.Errorf("read DKIM key: %w: not a private key", desk.ErrInvalid)
		}
	}
	switch key := key.(type) {
	case *rsa.PrivateKey:
		return &dkim{selector, domain, key}, nil
	case ed25519.PrivateKey:
		return &dkim{selector, domain, key}, nil
	}
	return nil, fmt.Errorf("read DKIM key: %w: RSA or Ed25519 is needed", desk.ErrInvalid)
}

// covered are the fields a signature covers, whether the letter has them or not: none can be added on the way.
var covered = []string{"From", "To", "Cc", "Subject", "Date", "Message-Id", "In-Reply-To", "References", "Reply-To", "MIME-Version", "Content-Type"}

// sign writes the letter once to be hashed and puts the signature above it. Written again it is the same.
func (d *dkim) sign(ctx context.Context, l *letter) error {
	s, err := signing.NewSigner(&signing.SignOptions{Domain: d.domain, Selector: d.selector, Signer: d.key, HeaderKeys: covered,
		HeaderCanonicalization: signing.CanonicalizationRelaxed, BodyCanonicalization: signing.CanonicalizationRelaxed})
	if err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	defer s.Close()
	if err := l.write(ctx, s); err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	l.signature = strings.TrimRight(s.Signature(), "\r\n") + "\r\n"
	return nil
}
