package tencent

import "testing"

const vectorKey = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"

// TestTencentsPublishedVectorsComeOutOfTheStandIn holds the stand-in's own crypto to what Tencent printed in its sample code.
func TestTencentsPublishedVectorsComeOutOfTheStandIn(t *testing.T) {
	const (
		plain  = "<xml><ToUserName><![CDATA[gh_10f6c3c3ac5a]]></ToUserName>\n<FromUserName><![CDATA[oyORnuP8q7ou2gfYjqLzSIWZf0rs]]></FromUserName>\n<CreateTime>1409735668</CreateTime>\n<MsgType><![CDATA[text]]></MsgType>\n<Content><![CDATA[abcdteT]]></Content>\n<MsgId>6054768590064713728</MsgId>\n</xml>"
		sealed = "hyzAe4OzmOMbd6TvGdIOO6uBmdJoD0Fk53REIHvxYtJlE2B655HuD0m8KUePWB3+LrPXo87wzQ1QLvbeUgmBM4x6F8PGHQHFVAFmOD2LdJF9FrXpbUAh0B5GIItb52sn896wVsMSHGuPE328HnRGBcrS7C41IzDWyWNlZkyyXwon8T332jisa+h6tEDYsVticbSnyU8dKOIbgU6ux5VTjg3yt+WGzjlpKn6NPhRjpA912xMezR4kw6KWwMrCVKSVCZciVGCgavjIQ6X8tCOp3yZbGpy0VxpAe+77TszTfRd5RJSVO/HTnifJpXgCSUdUue1v6h0EIBYYI1BD1DlD+C0CR8e6OewpusjZ4uBl9FyJvnhvQl+q5rv1ixrcpCumEPo5MJSgM9ehVsNPfUM669WuMyVWQLCzpu9GhglF2PE="
	)
	if got := sign("spamtest", "1409735669", "1320562132"); got != "16120ec1b8dbb870f510d87ce6bc2463eae6ca1a" {
		t.Errorf("signature is %s", got)
	}
	if got := sign("spamtest", "1409735669", "1320562132", sealed); got != "5d197aaffba7e9b25a30732f161a50dee96bd5fa" {
		t.Errorf("msg_signature is %s", got)
	}
	if got, err := sealWith(vectorKey, "wx2c2769f8efd9abc2", []byte("89465c840c5f116f"), []byte(plain)); err != nil || got != sealed {
		t.Errorf("V1 sealed is %s, %v", got, err)
	}
	if got, err := unseal(vectorKey, "wx2c2769f8efd9abc2", sealed); err != nil || string(got) != plain {
		t.Errorf("V1 open is %q, %v", got, err)
	}
	if _, err := unseal(vectorKey, "wx0000000000000000", sealed); err == nil {
		t.Error("another app's message was opened")
	}
	got, err := sealWith(vectorKey, "wxb11529c136998cb6", []byte("aaaabbbbccccdddd"), []byte("我是中文abcd123"))
	if want := "jn1L23DB+6ELqJ+6bruv21Y6MD7KeIfP82D6gU39rmkgczbWwt5+3bnyg5K55bgVtVzd832WzZGMhkP72vVOfg=="; err != nil || got != want {
		t.Errorf("V2 is %s, %v", got, err)
	}
}

func TestTheVerificationOfWeComIsReadable(t *testing.T) {
	for _, v := range []struct{ key, corp, echo, want string }{
		{"jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "wx5823bf96d3bd56c7", "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ==", "1616140317555161061"},
		{"6qkdMrq68nTKduznJYO1A37W2oEgpkMUvkttRToqhUt", "ww1436e0e65a779aee", "fsi1xnbH4yQh0+PJxcOdhhK6TDXkjMyhEPA7xB2TGz6b+g7xyAbEkRxN/3cNXW9qdqjnoVzEtpbhnFyq6SVHyA==", "1288432023552776189"},
	} {
		if got, err := unseal(v.key, v.corp, v.echo); err != nil || string(got) != v.want {
			t.Errorf("%s: %q, %v, want %s", v.corp, got, err, v.want)
		}
	}
	if got := sign("hJqcu3uJ9Tn2gXPmxx2w9kkCkCE2EPYo", "1476416373", "47744683", "fsi1xnbH4yQh0+PJxcOdhhK6TDXkjMyhEPA7xB2TGz6b+g7xyAbEkRxN/3cNXW9qdqjnoVzEtpbhnFyq6SVHyA=="); got != "012bc692d0a58dd4b10f8dfe5c4ac00ae211ebeb" {
		t.Errorf("signature of WeCom's sample is %s", got)
	}
}
