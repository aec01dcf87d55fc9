package wechat_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"hearback/connectors/wechat"
	"hearback/desk"
)

// write replaces the expectations with what is decoded now; the difference is then read by a person.
var write = flag.Bool("write", false, "write testdata/*.want.json anew")

func meta(account string) map[string]string {
	return map[string]string{"account": account, "hours": "48", "messages": "5", "warn": "30"}
}

func decodeFile(t *testing.T, name, account string) []desk.Inbound {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	e := desk.Envelope{ID: "e", ChannelID: "channel", Kind: "wechat", Raw: raw, Meta: meta(account), ReceivedAt: 1764000000000}
	if account == "kf" {
		e.Meta["name"], e.Meta["unionid"] = "李雷", "oUnion"
	}
	in, err := wechat.Kind.Decode(e)
	if err != nil {
		t.Fatalf("decode: %v", err)
	}
	return in
}

func compare(t *testing.T, file string, got []desk.Inbound) {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(trimmed(t, got)); err != nil {
		t.Fatal(err)
	}
	if *write {
		if err := os.WriteFile("testdata/"+file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, b.Bytes()) {
		t.Errorf("got %s\nwant %s", b.Bytes(), want)
	}
}

// trimmed leaves out what is not set, so that the files say what matters.
func trimmed(t *testing.T, in []desk.Inbound) any {
	t.Helper()
	raw, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return set(v)
}

func set(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, x := range v {
			if x = set(x); x != nil {
				out[k] = x
			}
		}
		if len(out) == 0 {
			return nil
		}
		return out
	case []any:
		out := []any{}
		for _, x := range v {
			out = append(out, set(x))
		}
		if len(out) == 0 {
			return nil
		}
		return out
	case string:
		if v == "" {
			return nil
		}
	case bool:
		if !v {
			return nil
		}
	}
	if v == 0.0 {
		return nil
	}
	return v
}

func TestEveryCallbackIsUnderstood(t *testing.T) {
	for _, name := range documents {
		t.Run(name, func(t *testing.T) { compare(t, name+".want.json", decodeFile(t, name+".xml", "official")) })
	}
	t.Run("json", func(t *testing.T) { compare(t, "text-json.want.json", decodeFile(t, "text.json", "miniprogram")) })
}

func TestEveryCustomerServiceMessageIsUnderstood(t *testing.T) {
	raw, err := os.ReadFile("testdata/kf.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	var got []desk.Inbound
	for _, m := range all {
		e := desk.Envelope{ID: "e", ChannelID: "channel", Kind: "wechat", Raw: m, Meta: meta("kf"), ReceivedAt: 1764000000000}
		e.Meta["name"], e.Meta["unionid"] = "李雷", "oUnion"
		in, err := wechat.Kind.Decode(e)
		if err != nil {
			t.Fatalf("%s: %v", m, err)
		}
		got = append(got, in...)
	}
	compare(t, "kf.want.json", got)
}

func TestWindowsFollowTheChannelsSettings(t *testing.T) {
	raw, err := os.ReadFile("testdata/text.xml")
	if err != nil {
		t.Fatal(err)
	}
	e := desk.Envelope{ChannelID: "channel", Raw: raw, Meta: map[string]string{"account": "official", "hours": "24", "messages": "20", "warn": "0"}}
	in, err := wechat.Kind.Decode(e)
	if err != nil {
		t.Fatal(err)
	}
	if w := in[0].Window; w.Remaining != 20 || w.ClosesAt != in[0].SentAt.Add(24*time.Hour) || w.WarnBefore != 0 || w.Widens {
		t.Errorf("%+v", w)
	}
}

func TestWhatCannotBeReadIsAnErrorAndNotSilence(t *testing.T) {
	for account, raw := range map[string]string{"official": "<xml><MsgType>text</MsgType></xml>", "miniprogram": "{", "kf": `{"msgtype":"text"}`} {
		if in, err := wechat.Kind.Decode(desk.Envelope{Raw: []byte(raw), Meta: meta(account)}); err == nil || len(in) > 0 || strings.Contains(err.Error(), raw) {
			t.Errorf("%s: %v, %v", account, in, err)
		}
	}
}
