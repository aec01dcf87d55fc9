package wechat

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/silenceper/wechat/v2/util"
)

// freshFor is how far a callback's timestamp may be from our clock: repeated tries come within seconds, clocks differ by more.
const freshFor = 10 * time.Minute

// Reasons to refuse a callback. Their words go to the channel's live log.
var (
	errSignature = errors.New("the signature is wrong: the token here and in WeChat's console differ, or somebody else has called")
	errStale     = errors.New("the timestamp is more than ten minutes from our clock: an old request, or this server's clock is wrong")
	errPlainBody = errors.New("the body is not encrypted, but this account takes encrypted messages only; set both sides to the same mode")
	errEncrypted = errors.New("the body is encrypted, but this account is in plain mode; set both sides to the same mode")
	errReplayed  = errors.New("this signature came before with another body")
)

// signed checks a signature over the channel's token, the request's timestamp and nonce, and more (the Encrypt element, echostr).
func (s *settings) signed(signature string, parts ...string) bool {
	want := util.Signature(append([]string{s.token}, parts...)...)
	return subtle.ConstantTimeCompare([]byte(want), []byte(signature)) == 1
}

// fresh checks that a callback was made about now.
func fresh(timestamp string, now time.Time) bool {
	at, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return false
	}
	off := now.Sub(time.Unix(at, 0))
	return -freshFor <= off && off <= freshFor
}

// stamp is what every callback's address carries.
type stamp struct{ signature, msgSignature, timestamp, nonce string }

func stampOf(q url.Values) stamp {
	return stamp{q.Get("signature"), q.Get("msg_signature"), q.Get("timestamp"), q.Get("nonce")}
}

// decrypt opens an Encrypt element with the current key, else with the previous one. The error tells why the current key failed.
func (s *settings) decrypt(encrypted string) ([]byte, error) {
	var reason error
	for _, key := range s.keys {
		_, plain, err := util.DecryptMsg(s.appID, encrypted, key)
		if err == nil {
			return plain, nil
		}
		if reason == nil {
			reason = err
		}
	}
	if reason == nil {
		reason = errors.New("there is no EncodingAESKey")
	}
	return nil, fmt.Errorf("decrypt: %s", strings.TrimPrefix(oneLine(reason.Error()), "panic error: err="))
}
