package wechat

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/silenceper/wechat/v2/util"
)

// The vectors Tencent published with its demo code for official accounts (V1 to V3) and WeCom (V4 to V6).
const (
	vectorKey   = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
	v1Encrypted = "hyzAe4OzmOMbd6TvGdIOO6uBmdJoD0Fk53REIHvxYtJlE2B655HuD0m8KUePWB3+LrPXo87wzQ1QLvbeUgmBM4x6F8PGHQHFVAFmOD2LdJF9FrXpbUAh0B5GIItb52sn896wVsMSHGuPE328HnRGBcrS7C41IzDWyWNlZkyyXwon8T332jisa+h6tEDYsVticbSnyU8dKOIbgU6ux5VTjg3yt+WGzjlpKn6NPhRjpA912xMezR4kw6KWwMrCVKSVCZciVGCgavjIQ6X8tCOp3yZbGpy0VxpAe+77TszTfRd5RJSVO/HTnifJpXgCSUdUue1v6h0EIBYYI1BD1DlD+C0CR8e6OewpusjZ4uBl9FyJvnhvQl+q5rv1ixrcpCumEPo5MJSgM9ehVsNPfUM669WuMyVWQLCzpu9GhglF2PE="
	v1Plain     = "<xml><ToUserName><![CDATA[gh_10f6c3c3ac5a]]></ToUserName>\n<FromUserName><![CDATA[oyORnuP8q7ou2gfYjqLzSIWZf0rs]]></FromUserName>\n<CreateTime>1409735668</CreateTime>\n<MsgType><![CDATA[text]]></MsgType>\n<Content><![CDATA[abcdteT]]></Content>\n<MsgId>6054768590064713728</MsgId>\n</xml>"
	v3Plain     = "<xml><ToUserName><![CDATA[oia2Tj我是中文jewbmiOUlr6X-1crbLOvLw]]></ToUserName><FromUserName><![CDATA[gh_7f083739789a]]></FromUserName><CreateTime>1407743423</CreateTime><MsgType><![CDATA[video]]></MsgType><Video><MediaId><![CDATA[eYJ1MbwPRJtOvIEabaxHs7TX2D-HV71s79GUxqdUkjm6Gs2Ed1KF3ulAOA9H1xG0]]></MediaId><Title><![CDATA[testCallBackReplyVideo]]></Title><Description><![CDATA[testCallBackReplyVideo]]></Description></Video></xml>"
	v3Encrypted = "jn1L23DB+6ELqJ+6bruv23M2GmYfkv0xBh2h+XTBOKVKcgDFHle6gqcZ1cZrk3e1qjPQ1F4RsLWzQRG9udbKWesxlkupqcEcW7ZQweImX9+wLMa0GaUzpkycA8+IamDBxn5loLgZpnS7fVAbExOkK5DYHBmv5tptA9tklE/fTIILHR8HLXa5nQvFb3tYPKAlHF3rtTeayNf0QuM+UW/wM9enGIDIJHF7CLHiDNAYxr+r+OrJCmPQyTy8cVWlu9iSvOHPT/77bZqJucQHQ04sq7KZI27OcqpQNSto2OdHCoTccjggX5Z9Mma0nMJBU+jLKJ38YB1fBIz+vBzsYjrTmFQ44YfeEuZ+xRTQwr92vhA9OxchWVINGC50qE/6lmkwWTwGX9wtQpsJKhP+oS7rvTY8+VdzETdfakjkwQ5/Xka042OlUb1/slTwo4RscuQ+RdxSGvDahxAJ6+EAjLt9d8igHngxIbf6YyqqROxuxqIeIch3CssH/LqRs+iAcILvApYZckqmA7FNERspKA5f8GoJ9sv8xmGvZ9Yrf57cExWtnX8aCMMaBropU/1k+hKP5LVdzbWCG0hGwx/dQudYR/eXp3P0XxjlFiy+9DMlaFExWUZQDajPkdPrEeOwofJb"
	v4Echo      = "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ=="
	v5Encrypted = "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/sYYvuJTs3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIGHBZZIs2pDBS8R07+qN+E7Q=="
	v6Echo      = "fsi1xnbH4yQh0+PJxcOdhhK6TDXkjMyhEPA7xB2TGz6b+g7xyAbEkRxN/3cNXW9qdqjnoVzEtpbhnFyq6SVHyA=="
)

func account(app, token, key string) *settings {
	return &settings{appID: app, token: token, keys: []string{key}}
}

func TestTencentsPublishedVectorsAreRead(t *testing.T) {
	for _, c := range []struct {
		name, app, token, key, timestamp, nonce, encrypted, signature, want string
	}{
		{"V1", "wx2c2769f8efd9abc2", "spamtest", vectorKey, "1409735669", "1320562132", v1Encrypted, "5d197aaffba7e9b25a30732f161a50dee96bd5fa", v1Plain},
		{"V2", "wxb11529c136998cb6", "", vectorKey, "", "", "jn1L23DB+6ELqJ+6bruv21Y6MD7KeIfP82D6gU39rmkgczbWwt5+3bnyg5K55bgVtVzd832WzZGMhkP72vVOfg==", "", "我是中文abcd123"},
		{"V3", "wxb11529c136998cb6", "", vectorKey, "", "", v3Encrypted, "", v3Plain},
		{"V4", "wx5823bf96d3bd56c7", "QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "1409659589", "263014780", v4Echo, "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3", "1616140317555161061"},
		{"V5", "wx5823bf96d3bd56c7", "QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "1409659813", "1372623149", v5Encrypted, "477715d11cdb4164915debcba66cb864d751f3e6", ""},
		{"V6", "ww1436e0e65a779aee", "hJqcu3uJ9Tn2gXPmxx2w9kkCkCE2EPYo", "6qkdMrq68nTKduznJYO1A37W2oEgpkMUvkttRToqhUt", "1476416373", "47744683", v6Echo, "012bc692d0a58dd4b10f8dfe5c4ac00ae211ebeb", "1288432023552776189"},
		{"V6, the other token", "ww1436e0e65a779aee", "xxxxxxx", "6qkdMrq68nTKduznJYO1A37W2oEgpkMUvkttRToqhUt", "1476416373", "47744683", v6Echo, "59dce1a653fc31a6f0472567199561e9336a8d0b", "1288432023552776189"},
	} {
		s := account(c.app, c.token, c.key)
		if c.signature != "" && (!s.signed(c.signature, c.timestamp, c.nonce, c.encrypted) || s.signed(c.signature, c.timestamp, c.nonce, c.encrypted+"A")) {
			t.Errorf("%s: the signature is judged wrong", c.name)
		}
		got, err := s.decrypt(c.encrypted)
		if err != nil || c.want != "" && string(got) != c.want {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
		if c.name == "V5" {
			if doc, err := readDocument(got); err != nil || doc["FromUserName"] != "mycreate" || doc["Content"] != "hello" || doc["MsgId"] != "4561255354251345929" || doc["AgentID"] != "218" {
				t.Errorf("V5 reads as %v, %v", doc, err)
			}
		}
	}
	if s := account("wx2c2769f8efd9abc2", "spamtest", vectorKey); !s.signed("16120ec1b8dbb870f510d87ce6bc2463eae6ca1a", "1409735669", "1320562132") {
		t.Error("V1's plain signature is refused")
	}
}

// sealed encrypts a plaintext of any shape as Tencent does, so that wrong shapes can be made.
func sealed(t testing.TB, key string, plain []byte) string {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(key + "=")
	if err != nil {
		t.Fatal(err)
	}
	block, err := aes.NewCipher(raw)
	if err != nil {
		t.Fatal(err)
	}
	out := bytes.Clone(plain)
	cipher.NewCBCEncrypter(block, raw[:16]).CryptBlocks(out, out)
	return base64.StdEncoding.EncodeToString(out)
}

// padded is random, length, text and app id with padding to 32.
func padded(length uint32, text, app string, pad byte) []byte {
	b := append(bytes.Repeat([]byte("r"), 16), binary.BigEndian.AppendUint32(nil, length)...)
	b = append(append(b, text...), app...)
	n := 32 - len(b)%32
	if pad == 0 {
		pad = byte(n)
	}
	return append(b, bytes.Repeat([]byte{pad}, n)...)
}

func TestWhatCannotBeDecryptedIsRefusedWithItsReason(t *testing.T) {
	const app = "wxb11529c136998cb6"
	whole, err := util.EncryptMsg([]byte("aaaabbbbccccdddd"), []byte("<xml></xml>"), app, vectorKey)
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := base64.StdEncoding.DecodeString(string(whole))
	for _, c := range []struct{ name, encrypted, key, reason string }{
		{"truncated base64", string(whole[:len(whole)-3]), vectorKey, "base64"},
		{"half a block", base64.StdEncoding.EncodeToString(raw[:48]), vectorKey, "multiple of the block size"},
		{"one block only", base64.StdEncoding.EncodeToString(raw[:16]), vectorKey, "too short"},
		{"bad padding", sealed(t, vectorKey, padded(11, "<xml></xml>", app, 77)), vectorKey, "amount to pad"},
		{"zero padding", sealed(t, vectorKey, append(bytes.Repeat([]byte("x"), 31), 0)), vectorKey, "amount to pad"},
		{"length 0xFFFFFFFF", sealed(t, vectorKey, padded(0xffffffff, "<xml></xml>", app, 0)), vectorKey, "length too large"},
		{"another account's", sealed(t, vectorKey, padded(11, "<xml></xml>", "wxffffffffffffffff", 0)), vectorKey, "APPID"},
		{"a key of 42 characters", string(whole), vectorKey[:42], "43"},
		{"no key", string(whole), "", "43"},
		{"nothing", "", vectorKey, "too short"},
	} {
		got, err := account(app, "t", c.key).decrypt(c.encrypted)
		if err == nil || got != nil || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: %q, %v, want the reason %q", c.name, got, err, c.reason)
		}
		if c.key != "" && err != nil && strings.Contains(err.Error(), c.key) {
			t.Errorf("%s: the key is told", c.name)
		}
	}
}

func TestSettingsThatCannotWorkAreNamed(t *testing.T) {
	good := map[string]string{"account": "official", "app_id": "wx1", "app_secret": "s", "token": "abc", "encoding_aes_key": vectorKey, "mode": "safe"}
	for _, c := range []struct {
		name, field, value, problem string
	}{
		{"a key of 42 characters", "encoding_aes_key", vectorKey[:42], "encoding_aes_key"},
		{"a key with other characters", "previous_encoding_aes_key", vectorKey[:42] + "!", "previous_encoding_aes_key"},
		{"safe without a key", "encoding_aes_key", "", "encoding_aes_key"},
		{"customer service without its account", "account", "kf", "open_kfid"},
		{"no token", "token", "", "token"},
		{"an address with a token in it", "api_base", "https://api.example.com/?access_token=x", "api_base"},
		{"a template nobody's words are in", "template_id", "TM1", "template_data"},
		{"nothing wrong", "mode", "compatible", ""},
	} {
		set := map[string]string{}
		for k, v := range good {
			set[k] = v
		}
		set[c.field] = c.value
		problems := check(set)
		switch {
		case c.problem == "" && len(problems) > 0:
			t.Errorf("%s: %v", c.name, problems)
		case c.problem != "" && (len(problems) == 0 || problems[0].Field != c.problem || problems[0].Text.Zh == "" || problems[0].Text.En == ""):
			t.Errorf("%s: %v, want a problem of %s", c.name, problems, c.problem)
		}
		if _, err := parse(set); (err != nil) != (c.problem != "") || err != nil && strings.Contains(err.Error(), vectorKey[:42]) {
			t.Errorf("%s: opens with %v", c.name, err)
		}
	}
}

func TestGeneratedKeysAreOnesTencentTakes(t *testing.T) {
	for range 50 {
		key := random(43)
		if problems := check(map[string]string{"token": random(24), "encoding_aes_key": key}); len(problems) > 0 || alnum(key) != key {
			t.Fatalf("%q: %v", key, problems)
		}
	}
}

func TestAMsgidLeadsBackToItsReply(t *testing.T) {
	const uuid = "0190a000-0000-7abc-8def-0123456789ab"
	for _, external := range []string{uuid, uuid + ".2", uuid + ".12"} {
		id := msgID(external)
		if len(id) > 32 || strings.Trim(id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-") != "" {
			t.Errorf("msgid %q", id)
		}
		if replyID(id) != uuid {
			t.Errorf("%s leads back to %q", id, replyID(id))
		}
	}
	if msgID(uuid+".2") == msgID(uuid) || msgID("x") == msgID("y") || len(msgID(strings.Repeat("长", 50))) > 32 || replyID("4kz0abc") != "" {
		t.Error("ids are mixed up")
	}
}

func FuzzDecrypt(f *testing.F) {
	for _, s := range []string{v1Encrypted, v3Encrypted, v4Echo, "", "AAAA", v1Encrypted[:64]} {
		f.Add(s)
	}
	s := account("wx2c2769f8efd9abc2", "spamtest", vectorKey)
	f.Fuzz(func(t *testing.T, encrypted string) {
		plain, err := s.decrypt(encrypted)
		if err != nil {
			if plain != nil || strings.Contains(err.Error(), vectorKey) {
				t.Fatalf("%q, %v", plain, err)
			}
			return
		}
		back, err := util.EncryptMsg([]byte("89465c840c5f116f"), plain, s.appID, vectorKey)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := s.decrypt(string(back)); err != nil || !bytes.Equal(again, plain) {
			t.Fatalf("%q reads back as %q, %v", plain, again, err)
		}
	})
}
