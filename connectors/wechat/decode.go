package wechat

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/silenceper/wechat/v2/officialaccount/message"

	"hearback/desk"
)

// mediaLife is how long Tencent keeps a customer's file.
const mediaLife = 72 * time.Hour

// Decode understands one envelope of any kind of account.
func Decode(e desk.Envelope) ([]desk.Inbound, error) {
	if e.Meta["account"] == accountKf {
		return decodeKf(e)
	}
	doc, err := readDocument(e.Raw)
	if err != nil {
		return nil, fmt.Errorf("decode callback: %w", err)
	}
	if clean(doc["FromUserName"]) == "" {
		return nil, fmt.Errorf("decode callback: %w", errShape)
	}
	r := reading{doc: doc, envelope: e}
	if message.MsgType(doc["MsgType"]) == message.MsgTypeEvent {
		return r.event(), nil
	}
	return r.message(), nil
}

// A reading is one callback being understood.
type reading struct {
	doc      document
	envelope desk.Envelope
}

// at is when the customer's message was made: seconds since 1970.
func (r reading) at() desk.Time {
	sec, err := strconv.ParseInt(r.doc["CreateTime"], 10, 64)
	if err != nil || sec <= 0 || sec > 1<<35 {
		return r.envelope.ReceivedAt
	}
	return desk.Time(sec * 1000)
}

// from is the frame of everything a customer of this account sends.
func (r reading) from() desk.Inbound {
	in := desk.Inbound{Type: desk.EnvelopeMessage, SentAt: r.at(),
		From: desk.Identity{Type: "wechat_openid", Value: clean(r.doc["FromUserName"]), Scope: r.envelope.ChannelID, Verified: true}}
	if id := clean(first(r.doc["UnionId"], r.doc["unionid"])); id != "" {
		in.Also = []desk.Identity{{Type: "wechat_unionid", Value: id, Verified: true}}
	}
	return in
}

// clean drops what no database keeps.
func clean(s string) string { return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "") }

// window is what a customer's own message allows us.
func window(meta map[string]string, at desk.Time) *desk.Window {
	w := &desk.Window{ClosesAt: at.Add(time.Duration(number(meta["hours"], 48)) * time.Hour), Remaining: number(meta["messages"], 5)}
	w.WarnBefore = time.Duration(number(meta["warn"], 30)) * time.Minute
	return w
}

// message understands what a customer wrote or sent.
func (r reading) message() []desk.Inbound {
	in := r.from()
	in.Window = window(r.envelope.Meta, in.SentAt)
	switch message.MsgType(r.doc["MsgType"]) {
	case message.MsgTypeText:
		in.Text = clean(r.doc["Content"])
		if r.doc["bizmsgmenuid"] != "" {
			// A tap on a menu message comes as text, but counts as a tap: it gives no window of its own.
			in.Window = r.tap(3)
		}
	case message.MsgTypeImage:
		in.Attachments = r.media("MediaId", "image", "image/jpeg", "jpg")
	case message.MsgTypeVoice:
		in.Text = clean(r.doc["Recognition"])
		if in.Text != "" {
			in.Repairs = []string{say("文字由微信语音识别得出", "The text is WeChat's recognition of the voice")}
		}
		in.Attachments = r.media("MediaId", "voice", voiceType(r.doc["Format"]), first(strings.ToLower(alnum(r.doc["Format"])), "amr"))
	case message.MsgTypeVideo, message.MsgTypeShortVideo:
		in.Attachments = append(r.media("MediaId", "video", "video/mp4", "mp4"), r.media("ThumbMediaId", "video-thumb", "image/jpeg", "jpg")...)
	case message.MsgTypeLocation:
		in.Text = place(r.doc["Location_X"], r.doc["Location_Y"], r.doc["Label"])
	case message.MsgTypeLink:
		in.Text = lines(r.doc["Title"], r.doc["Description"], r.doc["Url"])
	case message.MsgTypeMiniprogrampage:
		in.Text = card(r.doc["Title"], r.doc["PagePath"])
		in.Attachments = r.media("ThumbMediaId", "card-thumb", "image/jpeg", "jpg")
	case "file":
		in.Text = lines("［文件 File］"+" "+clean(r.doc["Title"]), r.doc["Description"], say("公众号接口不提供文件内容，请在微信后台查看。", "The API does not hand out files; look into WeChat's console."))
	default:
		in.Text = unknown(r.doc["MsgType"])
	}
	in.Text = clean(in.Text)
	return []desk.Inbound{in}
}

// media is a file Tencent keeps for three days, fetched after filing.
func (r reading) media(key, name, typ, ext string) []desk.InboundAttachment {
	id := r.doc[key]
	if id == "" {
		return nil
	}
	if n := alnum(r.doc["MsgId"]); n != "" {
		name += "-" + n
	}
	return []desk.InboundAttachment{{Name: name + "." + ext, Type: typ, Ref: refOf(r.envelope.Meta["account"], id), ExpiresAt: r.at().Add(mediaLife)}}
}

// voiceType is a voice message's media type. amr is what phones record; speex is rare.
func voiceType(format string) string {
	switch strings.ToLower(format) {
	case "mp3":
		return "audio/mpeg"
	case "speex":
		return "audio/speex"
	}
	return "audio/amr"
}

// place is a position as an agent can use it: words, numbers, and a map.
func place(lat, lng, label string) string {
	label = strings.Join(strings.Fields(clean(label)), " ")
	head := strings.TrimSpace("📍 " + label)
	at := clean(lat) + "," + clean(lng)
	if _, err := strconv.ParseFloat(lat, 64); err != nil {
		return head
	}
	q := url.Values{"marker": {"coord:" + at + ";title:" + first(label, at)}}
	return lines(head, at, "https://apis.map.qq.com/uri/v1/marker?"+q.Encode())
}

func card(title, page string) string {
	return lines("［小程序 Mini-program］"+" "+clean(title), clean(page))
}

// unknown shows what we cannot read yet, instead of hiding that the customer sent something.
func unknown(typ string) string {
	typ = first(oneLine(typ), "?")
	return say("［暂不支持的消息类型："+typ+"，请在微信中查看］", "[Message of a type not supported yet: "+typ+"; see it in WeChat]")
}

// alnum keeps letters and digits, for file names.
func alnum(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			return c
		}
		return -1
	}, s)
}
