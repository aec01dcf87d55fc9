package wechat

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"hearback/desk"
)

func TestXMLAttacksAreHarmless(t *testing.T) {
	var laughs strings.Builder
	laughs.WriteString(`<!DOCTYPE xml [<!ENTITY a0 "ha">`)
	for i := range 30 {
		fmt.Fprintf(&laughs, `<!ENTITY a%d "&a%d;&a%d;&a%d;">`, i+1, i, i, i)
	}
	laughs.WriteString(`]><xml><Content>&a30;</Content></xml>`)
	for _, c := range []struct {
		name, body string
		want       error // nil: any
	}{
		{"billion laughs", laughs.String(), errDTD},
		{"external entity", `<!DOCTYPE xml [<!ENTITY x SYSTEM "file:///etc/passwd">]><xml><Content>&x;</Content></xml>`, errDTD},
		{"entity without a declaration", `<xml><Content>&x;</Content></xml>`, nil},
		{"ten thousand deep", strings.Repeat("<a>", 10000) + strings.Repeat("</a>", 10000), errDeep},
		{"a thousand elements", "<xml>" + strings.Repeat("<a/>", 1000) + "</xml>", errDeep},
		{"deep JSON", strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000), errDeep},
		{"deep lists", `{"a":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "}", errDeep},
		{"not closed", "<xml><Content>a", errShape},
		{"closed by another", "<xml><a></b></xml>", errShape},
		{"two documents", "<xml></xml><xml></xml>", errShape},
		{"two JSON documents", `{"a":1}{"b":2}`, errShape},
		{"another charset", `<?xml version="1.0" encoding="utf-7"?><xml/>`, nil},
		{"no document", "hello", nil},
		{"nothing", "", errShape},
	} {
		doc, err := readDocument([]byte(c.body))
		if err == nil || doc != nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %d leaves, %v", c.name, len(doc), err)
		}
	}
}

func TestDocumentsOfBothFormatsReadAlike(t *testing.T) {
	want := document{"ToUserName": "gh_1", "FromUserName": "o1", "CreateTime": "1348831860", "MsgType": "event", "Event": "scancode_waitmsg",
		"MsgId": "23456789012345678901234", "ScanCodeInfo/ScanType": "qrcode", "ScanCodeInfo/ScanResult": "a<b>&c", "Latitude": "23.137466", "SendPicsInfo/PicList/item/PicMd5Sum": "1b5f"}
	xml := `<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName>o1</FromUserName><CreateTime>1348831860</CreateTime><MsgType>event</MsgType>
<Event><![CDATA[scancode_waitmsg]]></Event><MsgId>23456789012345678901234</MsgId><ScanCodeInfo><ScanType>qrcode</ScanType> <ScanResult><![CDATA[a<b>]]>&amp;c</ScanResult></ScanCodeInfo>
<Latitude>23.137466</Latitude><SendPicsInfo><PicList><item><PicMd5Sum>1b5f</PicMd5Sum></item><item><PicMd5Sum>zzzz</PicMd5Sum></item></PicList></SendPicsInfo></xml>`
	json := `{"ToUserName":"gh_1","FromUserName":"o1","CreateTime":1348831860,"MsgType":"event","Event":"scancode_waitmsg","MsgId":23456789012345678901234,
"ScanCodeInfo":{"ScanType":"qrcode","ScanResult":"a<b>&c"},"Latitude":23.137466,"SendPicsInfo":{"PicList":{"item":[{"PicMd5Sum":"1b5f"},{"PicMd5Sum":"zzzz"}]}},"Nothing":null}`
	for name, body := range map[string]string{"xml": xml, "json": json, "json after a byte order mark": "\ufeff" + json} {
		got, err := readDocument([]byte(body))
		delete(got, "SendPicsInfo/PicList/item/item/PicMd5Sum") // JSON names the list's elements
		if name != "xml" {
			got["SendPicsInfo/PicList/item/PicMd5Sum"] = want["SendPicsInfo/PicList/item/PicMd5Sum"]
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// Tencent passes on what customers type, also what XML 1.0 forbids.
func TestTextWithForbiddenCharactersIsNotLost(t *testing.T) {
	for in, want := range map[string]string{"a\x08b": "a\ufffdb", "a\xff\xfeb": "a\ufffdb", "tab\tline\n😀": "tab\tline\n😀", "\uffff": "\ufffd"} {
		doc, err := readDocument([]byte("<xml><Content><![CDATA[" + in + "]]></Content></xml>"))
		if err != nil || doc["Content"] != want {
			t.Errorf("%q: %q, %v", in, doc["Content"], err)
		}
	}
}

func FuzzXML(f *testing.F) {
	for _, s := range []string{v1Plain, v3Plain, `{"a":{"b":[1,"x",null,true]}}`, "<xml><a>&amp;</a></xml>", "<!DOCTYPE a>", "<a><b/></a>", "<xml>\x00</xml>"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		doc, err := readDocument(raw)
		if err != nil && doc != nil || len(doc) > maxElements {
			t.Fatalf("%d leaves, %v", len(doc), err)
		}
		for k, v := range doc {
			if strings.Count(k, "/") >= maxDepth || len(v) > 3*len(raw) {
				t.Fatalf("%q holds %d bytes of %d", k, len(v), len(raw))
			}
		}
		externalID(doc)
	})
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(v1Plain), "official")
	f.Add([]byte(v3Plain), "miniprogram")
	f.Add([]byte(`<xml><FromUserName>o</FromUserName><MsgType>event</MsgType><Event>TEMPLATESENDJOBFINISH</Event><MsgID>1</MsgID><Status>failed:user block</Status></xml>`), "official")
	f.Add([]byte(`{"msgid":"m","external_userid":"w","origin":3,"msgtype":"location","location":{"latitude":1.5,"longitude":2}}`), "kf")
	f.Add([]byte(`{"msgid":"m","origin":4,"msgtype":"event","event":{"event_type":"msg_send_fail","external_userid":"w","fail_msgid":"x","fail_type":10}}`), "kf")
	f.Fuzz(func(t *testing.T, raw []byte, account string) {
		e := desk.Envelope{ChannelID: "c", Kind: kindName, Raw: raw, Meta: map[string]string{"account": account, "hours": "48", "messages": "5"}}
		first, err := Decode(e)
		second, err2 := Decode(e)
		if !reflect.DeepEqual(first, second) || (err == nil) != (err2 == nil) {
			t.Fatal("the same bytes decode differently")
		}
		for _, in := range first {
			if in.Type == desk.EnvelopeMessage && (in.From.Type == "" || in.From.Value == "") {
				t.Fatal("a message says not from whom")
			}
			if strings.ContainsRune(in.Text, 0) || in.Type == desk.EnvelopeReceipt && in.Receipt == nil {
				t.Fatalf("%+v", in)
			}
		}
	})
}
