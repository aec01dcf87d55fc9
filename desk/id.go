package desk

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"sync"
	"time"
)

// ID is a UUIDv7 in its canonical text form (RFC 9562, 5.7): 36 characters, sorting by creation time.
type ID = string

var idClock struct {
	sync.Mutex
	last uint64 // unix milliseconds << 12 | sequence within the millisecond
}

// NewID makes an identifier that sorts after every identifier this process made before: the 12 bits after the time count
// up within a millisecond (RFC 9562, 6.2, method 1), the other 62 are random.
func NewID() ID {
	idClock.Lock()
	now := uint64(time.Now().UnixMilli()) << 12
	if now <= idClock.last {
		now = idClock.last + 1
	}
	idClock.last = now
	idClock.Unlock()

	var b [16]byte
	rand.Read(b[8:]) // crypto/rand.Read never fails since Go 1.24
	ms, seq := now>>12, now&0xfff
	binary.BigEndian.PutUint64(b[:8], ms<<16|0x7000|seq)
	b[8] = b[8]&0x3f | 0x80

	var t [36]byte
	hex.Encode(t[0:8], b[0:4])
	t[8] = '-'
	hex.Encode(t[9:13], b[4:6])
	t[13] = '-'
	hex.Encode(t[14:18], b[6:8])
	t[18] = '-'
	hex.Encode(t[19:23], b[8:10])
	t[23] = '-'
	hex.Encode(t[24:36], b[10:16])
	return string(t[:])
}

// MadeAt is when an identifier was made; zero for what is no UUIDv7.
func MadeAt(id ID) Time {
	if len(id) != 36 {
		return 0
	}
	b, err := hex.DecodeString(id[0:8] + id[9:13])
	if err != nil {
		return 0
	}
	return Time(binary.BigEndian.Uint64(append([]byte{0, 0}, b...)))
}
