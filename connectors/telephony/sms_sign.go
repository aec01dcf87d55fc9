package telephony

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"hearback/desk"
)

// signBasic is RFC 7617.
func signBasic(user, password string) smsSigner {
	return func(r *smsRequest, _ time.Time) {
		r.header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(user+":"+password)))
	}
}

// signAliyun is Alibaba Cloud's RPC signature 1.0: the sorted parameters under HMAC-SHA1. The nonce keeps a copied request from
// being taken again.
func signAliyun(keyID, secret string) smsSigner {
	return func(r *smsRequest, at time.Time) {
		r.form = append(r.form, smsPair{"AccessKeyId", keyID}, smsPair{"SignatureMethod", "HMAC-SHA1"}, smsPair{"SignatureVersion", "1.0"},
			smsPair{"SignatureNonce", desk.NewID()}, smsPair{"Timestamp", at.UTC().Format("2006-01-02T15:04:05Z")})
		r.form = append(r.form, smsPair{"Signature", aliyunSignature(r.method, r.form, secret)})
	}
}

// aliyunSignature of parameters that do not hold "Signature" yet.
func aliyunSignature(method string, params []smsPair, secret string) string {
	sorted := slices.Clone(params)
	slices.SortFunc(sorted, func(a, b smsPair) int { return strings.Compare(a.name, b.name) })
	mac := hmac.New(sha1.New, []byte(secret+"&"))
	mac.Write([]byte(method + "&%2F&" + percentEncode(encodePairs(sorted))))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// signTencent is TC3-HMAC-SHA256 over content-type and host, as Tencent Cloud's API 3.0 wants of a JSON body.
func signTencent(id, key, service string) smsSigner {
	return func(r *smsRequest, at time.Time) {
		host := ""
		if u, err := url.Parse(r.url); err == nil {
			host = u.Host
		}
		r.header.Set("Content-Type", "application/json; charset=utf-8")
		r.header.Set("X-TC-Timestamp", strconv.FormatInt(at.Unix(), 10))
		r.header.Set("Authorization", tencentAuthorization(id, key, service, host, r.body, at))
	}
}

func tencentAuthorization(id, key, service, host, body string, at time.Time) string {
	date := at.UTC().Format("2006-01-02")
	canonical := "POST\n/\n\ncontent-type:application/json; charset=utf-8\nhost:" + host + "\n\ncontent-type;host\n" + sha256Hex(body)
	scope := date + "/" + service + "/tc3_request"
	toSign := "TC3-HMAC-SHA256\n" + strconv.FormatInt(at.Unix(), 10) + "\n" + scope + "\n" + sha256Hex(canonical)
	k := hmacSHA256(hmacSHA256(hmacSHA256([]byte("TC3"+key), date), service), "tc3_request")
	return "TC3-HMAC-SHA256 Credential=" + id + "/" + scope + ", SignedHeaders=content-type;host, Signature=" + hex.EncodeToString(hmacSHA256(k, toSign))
}

func hmacSHA256(key []byte, s string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(s))
	return mac.Sum(nil)
}

func sha256Hex(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
