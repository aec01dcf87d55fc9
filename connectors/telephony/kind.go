package telephony

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"time"

	"github.com/nyaruka/phonenumbers"

	"hearback/connectors"
	"hearback/desk"
)

const kindName = "telephony"

// Kind is the telephone.
var Kind = connectors.Kind{
	Name:    kindName,
	Title:   connectors.Text{Zh: "电话", En: "Telephone"},
	Fields:  append(inFields(), outFields()...),
	Patient: true,
	Mount:   &connectors.Mount{Prefix: "/api/v1/cti/", Field: "token"},
	Check:   check,
	Decode:  Decode,
	Open: func(ctx context.Context, ch desk.Channel, tools connectors.Tools) (connectors.Connector, error) {
		return Open(ctx, ch, tools)
	},
	Test:  test,
	Reach: reach,
	Try:   try,
}

// inFields are the settings of what comes in; outFields (send.go) those of what goes out.
func inFields() []connectors.Field {
	return []connectors.Field{
		{Name: "format", Type: "select", Default: "generic", Label: connectors.Text{Zh: "格式", En: "Format"},
			Help: connectors.Text{Zh: "呼叫中心推送通话事件的格式。", En: "How your call centre posts its calls."},
			Options: []connectors.Option{
				{Value: "generic", Label: connectors.Text{Zh: "通用 JSON（Standard Webhooks 签名）", En: "Generic JSON (signed with Standard Webhooks)"}},
				{Value: "zammad", Label: connectors.Text{Zh: "Zammad CTI 兼容", En: "Zammad CTI"}},
				{Value: "sipgate", Label: connectors.Text{Zh: "sipgate.io", En: "sipgate.io"}},
				{Value: "placetel", Label: connectors.Text{Zh: "Placetel", En: "Placetel"}},
				{Value: "twilio", Label: connectors.Text{Zh: "Twilio 及兼容平台（SignalWire、TeXML）", En: "Twilio and alike (SignalWire, TeXML)"}},
				{Value: "freeswitch", Label: connectors.Text{Zh: "FreeSWITCH json_cdr", En: "FreeSWITCH json_cdr"}},
				{Value: "tccc", Label: connectors.Text{Zh: "腾讯云联络中心 TCCC", En: "Tencent Cloud Contact Center (TCCC)"}},
				{Value: "aliyun", Label: connectors.Text{Zh: "阿里云云联络中心 CCC", En: "Alibaba Cloud Contact Center (CCC)"}},
				{Value: "profile", Label: connectors.Text{Zh: "映射配置（天润、容联七陌、Vonage 等）", En: "Mapping profile (Vonage, CTI Cloud and others)"}},
			}},
		{Name: "secret", Type: "password", Secret: true, Generate: newSecret, Label: connectors.Text{Zh: "密钥", En: "Secret"},
			Help: connectors.Text{
				Zh: "通用格式：whsec_… 签名密钥（多个用空格分隔，便于轮换）；Twilio：Auth Token；Placetel：共享密钥；FreeSWITCH、TCCC、阿里云：HTTP Basic 的 用户名:密码。",
				En: "Generic: the whsec_… signing secret (several, separated by blanks, while rotating). Twilio: the auth token. Placetel: the shared secret. FreeSWITCH, TCCC, Alibaba Cloud: user:password of HTTP basic authentication."}},
		{Name: "token", Type: "password", Secret: true, Generate: newToken, Pattern: `[A-Za-z0-9_-]{16,128}`, Label: connectors.Text{Zh: "地址令牌", En: "Address token"},
			Help: connectors.Text{
				Zh: "推送地址的最后一段：/api/v1/cti/令牌，或渠道地址后加 /令牌。用于不签名的格式（Zammad、sipgate、Placetel、TCCC、阿里云等）。",
				En: "Last part of the address posted to: /api/v1/cti/TOKEN, or the channel's address followed by /TOKEN. For formats that do not sign (Zammad, sipgate, Placetel, TCCC, Alibaba Cloud and others)."}},
		{Name: "allow_ips", Type: "list", Label: connectors.Text{Zh: "允许的来源地址", En: "Allowed addresses"},
			Help: connectors.Text{Zh: "IP 或网段，逗号分隔，例如 203.0.113.7, 198.51.100.0/24。留空表示不限制。", En: "Addresses or networks, comma separated, e.g. 203.0.113.7, 198.51.100.0/24. Empty: from anywhere."}},
		{Name: "country", Type: "text", Default: "CN", Pattern: `[A-Za-z]{2}`, Label: connectors.Text{Zh: "国家或地区", En: "Country"},
			Help: connectors.Text{Zh: "两位代码，例如 CN。没有国际区号的号码按它解释。", En: "Two letters, e.g. CN. Numbers without a country code are read as of this country."}},
		{Name: "area_code", Type: "text", Pattern: `0?[1-9][0-9]{0,4}`, Label: connectors.Text{Zh: "区号", En: "Area code"},
			Help: connectors.Text{Zh: "例如 010。本地号码（没有区号的）按它解释。", En: "E.g. 010. Local numbers without an area code are read with it."}},
		{Name: "time_zone", Type: "text", Default: defaultZone, Label: connectors.Text{Zh: "时区", En: "Time zone"},
			Help: connectors.Text{Zh: "没有时区的时间按它解释，例如 Asia/Shanghai。", En: "Times told without a zone are read as of this one, e.g. Asia/Shanghai."}},
		{Name: "profile", Type: "textarea", MaxLen: 16 << 10, Label: connectors.Text{Zh: "映射配置", En: "Mapping profile"},
			Help: connectors.Text{Zh: "自带配置的名称（7moor、astercc、clink、volcengine、vonage、zhichi），或完整的 TOML 配置。仅用于格式“映射配置”。", En: "Name of a shipped profile (7moor, astercc, clink, volcengine, vonage, zhichi), or a whole profile in TOML. Only for the format \"mapping profile\"."}},
		{Name: "open", Type: "select", Default: "every", Label: connectors.Text{Zh: "哪些来电建工单", En: "Calls that open a ticket"},
			Help: connectors.Text{Zh: "来电者没有可归入的工单时才新建。", En: "When the caller has no ticket the call could join."},
			Options: []connectors.Option{
				{Value: "every", Label: connectors.Text{Zh: "每一通电话", En: "Every call"}},
				{Value: "missed", Label: connectors.Text{Zh: "未接来电和语音留言", En: "Missed calls and voicemail"}},
				{Value: "voicemail", Label: connectors.Text{Zh: "仅语音留言", En: "Voicemail only"}},
			}},
		{Name: "within_hours", Type: "number", Default: "72", Pattern: `[0-9]{1,4}`, Label: connectors.Text{Zh: "归入已有工单的时限（小时）", En: "Join a ticket within (hours)"},
			Help: connectors.Text{Zh: "来电者的未结工单在此时间内有过消息时，通话归入该工单。0：总是新建。", En: "A call joins the caller's open ticket when its last message is not older. 0: never."}},
		{Name: "callback_minutes", Type: "number", Default: "30", Pattern: `[0-9]{1,5}`, Label: connectors.Text{Zh: "回拨时限（分钟）", En: "Call back within (minutes)"},
			Help: connectors.Text{Zh: "未接来电应在此时间内回拨。0：不建回拨任务。", En: "A missed call is to be called back within this time. 0: no callback task."}},
		{Name: "urgent_after", Type: "number", Default: "3", Pattern: `[0-9]{1,3}`, Label: connectors.Text{Zh: "几次未接后转紧急", En: "Urgent from this many missed calls"},
			Help: connectors.Text{Zh: "同一工单未接来电达到此数时优先级升为紧急。0：从不。", En: "A ticket with this many missed calls becomes urgent. 0: never."}},
		{Name: "stale_minutes", Type: "number", Default: "240", Pattern: `[1-9][0-9]{0,4}`, Label: connectors.Text{Zh: "无后续事件时结束（分钟）", En: "Close silent calls after (minutes)"},
			Help: connectors.Text{Zh: "呼叫中心没有报告挂机时，过这么久视为已结束。", En: "A call whose end nobody reported counts as ended after this time."}},
	}
}

// newSecret makes a Standard Webhooks secret of 32 random bytes.
func newSecret() string {
	b := make([]byte, 32)
	rand.Read(b)
	return "whsec_" + base64.StdEncoding.EncodeToString(b)
}

func newToken() string {
	b := make([]byte, 24)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// check judges what fields alone cannot.
func check(given map[string]string) []connectors.Problem {
	var out []connectors.Problem
	wrong := func(field, zh, en string) {
		out = append(out, connectors.Problem{Field: field, Text: connectors.Text{Zh: zh, En: en}})
	}
	d := &door{secret: given["secret"]}
	switch cmp.Or(given["format"], "generic") {
	case "generic":
		if _, err := webhookKeys(d.secret); err != nil {
			wrong("secret", "通用格式需要 whsec_ 开头的 Base64 密钥；新建时留空会自动生成。", "The generic format needs a Base64 secret that begins with whsec_; one is made when you leave it empty at creation.")
		}
	case "twilio":
		if !d.ownSecret() {
			wrong("secret", "请填 Twilio 控制台中的 Auth Token。", "Give the auth token from the Twilio console.")
		}
	}
	if _, known := phonenumbers.GetSupportedRegions()[strings.ToUpper(cmp.Or(given["country"], "CN"))]; !known {
		wrong("country", "没有这个国家或地区代码。请填两位代码，例如 CN。", "There is no such country. Give two letters, e.g. CN.")
	}
	if _, err := time.LoadLocation(cmp.Or(given["time_zone"], defaultZone)); err != nil {
		wrong("time_zone", "没有这个时区。例如 Asia/Shanghai。", "There is no such time zone. E.g. Asia/Shanghai.")
	}
	if _, err := readNetworks(given["allow_ips"]); err != nil {
		wrong("allow_ips", "请填 IP 或网段，例如 203.0.113.7, 198.51.100.0/24。", "Give addresses or networks, e.g. 203.0.113.7, 198.51.100.0/24.")
	}
	return append(out, checkOut(given)...)
}
