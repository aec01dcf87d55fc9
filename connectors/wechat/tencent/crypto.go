package tencent

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
)

// padTo is the block that Tencent pads to: 32 bytes, not AES's 16.
const padTo = 32

// sign is hex(sha1) of the parts, sorted and joined.
func sign(parts ...string) string {
	parts = slices.Clone(parts)
	slices.Sort(parts)
	sum := sha1.Sum([]byte(strings.Join(parts, "")))
	return hex.EncodeToString(sum[:])
}

// aesKey decodes an EncodingAESKey: 43 characters of base64 without padding. Published keys have stray bits in the last
// character, so the decoder is not strict.
func aesKey(encoding string) ([]byte, error) {
	if len(encoding) != 43 {
		return nil, errors.New("an EncodingAESKey has 43 characters")
	}
	return base64.StdEncoding.DecodeString(encoding + "=")
}

// seal encrypts for appid: 16 random bytes, length, text, appid; PKCS7 to 32; AES-256-CBC with the key's head as IV.
func seal(encoding, appid string, text []byte) (string, error) {
	random := make([]byte, 8)
	rand.Read(random)
	return sealWith(encoding, appid, []byte(hex.EncodeToString(random)), text)
}

func sealWith(encoding, appid string, random, text []byte) (string, error) {
	key, err := aesKey(encoding)
	if err != nil {
		return "", err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return "", err
	}
	plain := make([]byte, 0, 16+4+len(text)+len(appid)+padTo)
	plain = append(plain, random...)
	plain = binary.BigEndian.AppendUint32(plain, uint32(len(text)))
	plain = append(append(plain, text...), appid...)
	n := padTo - len(plain)%padTo
	plain = append(plain, bytes.Repeat([]byte{byte(n)}, n)...)
	cipher.NewCBCEncrypter(block, key[:aes.BlockSize]).CryptBlocks(plain, plain)
	return base64.StdEncoding.EncodeToString(plain), nil
}

// unseal is the way back; it is what a passive encrypted answer of the channel would need, and what the vectors are tested with.
func unseal(encoding, appid, sealed string) ([]byte, error) {
	key, err := aesKey(encoding)
	if err != nil {
		return nil, err
	}
	data, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil || len(data) == 0 || len(data)%padTo != 0 {
		return nil, errors.New("not whole blocks")
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	cipher.NewCBCDecrypter(block, key[:aes.BlockSize]).CryptBlocks(data, data)
	pad := int(data[len(data)-1])
	if pad < 1 || pad > padTo || len(data)-pad < 20 {
		return nil, errors.New("bad padding")
	}
	data = data[16 : len(data)-pad]
	n := int64(binary.BigEndian.Uint32(data))
	if n > int64(len(data)-4) || string(data[4+n:]) != appid {
		return nil, errors.New("not for this app")
	}
	return data[4 : 4+n], nil
}
