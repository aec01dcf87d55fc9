package wechat

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"strings"

	"hearback/connectors"
	"hearback/desk"
)

const kindName = "wechat"

// Kind is WeChat.
var Kind = connectors.Kind{
	Name:   kindName,
	Title:  connectors.Text{Zh: "微信", En: "WeChat"},
	Fields: fields(),
	Check:  check,
	Decode: Decode,
	Test:   try,
	Asks:   true,
	Open: func(_ context.Context, ch desk.Channel, tools connectors.Tools) (connectors.Connector, error) {
		return open(ch, tools)
	},
}

func field(name, typ, zh, en, helpZh, helpEn string) connectors.Field {
	return connectors.Field{Name: name, Type: typ, Label: connectors.Text{Zh: zh, En: en}, Help: connectors.Text{Zh: helpZh, En: helpEn}}
}

func with(f connectors.Field, change func(*connectors.Field)) connectors.Field {
	change(&f)
	return f
}

func secret(f *connectors.Field) { f.Secret, f.MaxLen = true, 128 }

func option(value, zh, en string) connectors.Option {
	return connectors.Option{Value: value, Label: connectors.Text{Zh: zh, En: en}}
}

func numeric(byDefault, pattern string) func(*connectors.Field) {
	return func(f *connectors.Field) { f.Default, f.Pattern = byDefault, pattern }
}

func fields() []connectors.Field {
	return append(accountFields(), append(callbackFields(), answerFields()...)...)
}

func accountFields() []connectors.Field {
	return []connectors.Field{
		with(field("account", "select", "账号类型", "Account", "公众号含服务号与订阅号；微信客服在企业微信后台开通。", "Official accounts include service and subscription accounts; customer service is opened in WeCom's console."),
			func(f *connectors.Field) {
				f.Default = accountOfficial
				f.Options = []connectors.Option{option(accountOfficial, "公众号 / 服务号", "Official account"), option(accountKf, "微信客服", "Customer service (WeCom)"), option(accountMiniprogram, "小程序", "Mini-program")}
			}),
		with(field("app_id", "text", "AppID", "App id", "公众号、小程序填 AppID（wx 开头）；微信客服填企业 ID（ww 开头）。", "The AppID (wx…); for customer service the corporation's id (ww…)."),
			func(f *connectors.Field) { f.Required, f.MaxLen, f.Pattern = true, 64, `[0-9A-Za-z_-]+` }),
		with(field("app_secret", "password", "AppSecret", "App secret", "微信客服填已加入“可调用接口的应用”的自建应用的 Secret。", "For customer service the secret of an own app that may call its API."),
			func(f *connectors.Field) { secret(f); f.Required = true }),
		with(field("open_kfid", "text", "客服账号 ID", "Customer-service account", "仅微信客服：以 wk 开头。一个渠道对应一个客服账号。", "Customer service only: begins with wk. One channel is one account."),
			func(f *connectors.Field) { f.MaxLen, f.Pattern = 64, `[0-9A-Za-z_-]+` }),
		with(field("api_base", "text", "接口地址", "API address", "留空用腾讯的地址；可填就近机房或自建代理。", "Empty: Tencent's. A regional host or a proxy of your own can be given."),
			func(f *connectors.Field) { f.Pattern = `https?://.+` }),
	}
}

func callbackFields() []connectors.Field {
	return []connectors.Field{
		with(field("token", "password", "Token", "Token", "与微信后台“服务器配置”里填写的一致；留空则生成一个。", "The same as in WeChat's server settings; empty: one is made."),
			func(f *connectors.Field) {
				secret(f)
				f.Pattern, f.Generate = `[0-9A-Za-z]{3,32}`, func() string { return random(24) }
			}),
		with(field("encoding_aes_key", "password", "EncodingAESKey", "EncodingAESKey", "43 个字符，与微信后台一致；留空则生成一个。", "43 characters, the same as in WeChat's console; empty: one is made."),
			func(f *connectors.Field) { secret(f); f.Generate = func() string { return random(43) } }),
		with(field("previous_encoding_aes_key", "password", "旧的 EncodingAESKey", "Previous EncodingAESKey", "更换密钥期间填写，新旧密钥都能解密。", "While the key is being changed: both decrypt."), secret),
		with(field("mode", "select", "消息加解密方式", "Mode", "与微信后台一致。安全模式只接受加密的消息；兼容模式用于切换期间。微信客服总是加密。",
			"The same as in WeChat's console. Safe takes encrypted messages only; compatible is for the time of a change. Customer service always encrypts."),
			func(f *connectors.Field) {
				f.Default = modeSafe
				f.Options = []connectors.Option{option(modeSafe, "安全模式", "Safe"), option(modeCompatible, "兼容模式", "Compatible"), option(modePlain, "明文模式", "Plain")}
			}),
	}
}

func answerFields() []connectors.Field {
	return []connectors.Field{
		with(field("window_hours", "number", "可回复时长（小时）", "Reply window (hours)", "客户最后一条消息之后多久内可以回复。腾讯的规定是 48。", "How long after a customer's last message he may be answered. Tencent's rule is 48."), numeric("48", `[1-9][0-9]{0,3}`)),
		with(field("window_messages", "number", "可回复条数", "Messages in the window", "客户每发一条消息之后最多可以回复几条。腾讯的规定是 5。", "How many answers each message of a customer allows. Tencent's rule is 5."), numeric("5", `[1-9][0-9]{0,3}`)),
		with(field("warn_minutes", "number", "到期前提醒（分钟）", "Warn before the end (minutes)", "窗口关闭前多久提醒客服。0 表示不提醒。", "How long before the window shuts the agent is warned. 0: not at all."), numeric("30", `[0-9]{1,4}`)),
		with(field("welcome", "textarea", "欢迎语", "Welcome", "仅微信客服：客户进入会话时发送。企业微信后台已配置欢迎语时请留空。", "Customer service only: sent when a customer opens the conversation. Leave it empty when WeCom's own is set."),
			func(f *connectors.Field) { f.MaxLen = 2000 }),
		with(field("poll_seconds", "number", "轮询间隔（秒）", "Poll every (seconds)", "仅微信客服：回调丢失时的兜底。", "Customer service only: the net below lost callbacks."), numeric("120", `[1-9][0-9]{0,3}`)),
		with(field("template_id", "text", "模板消息 ID", "Template", "窗口关闭之后用它联系客户：公众号填模板消息，小程序填订阅消息。", "Reaches customers when the window is shut: a template message, for mini-programs a subscription message."),
			func(f *connectors.Field) { f.MaxLen, f.Pattern = 128, `[0-9A-Za-z_-]+` }),
		with(field("template_data", "textarea", "模板字段", "Template fields", "每行一个“字段=内容”，可用 {text}、{number}、{agent}、{time}。", "One field=value a line; {text}, {number}, {agent} and {time} stand for what they say."),
			func(f *connectors.Field) { f.Default, f.MaxLen = "thing1={text}\ncharacter_string2={number}", 2000 }),
		with(field("template_page", "text", "模板跳转", "Template link", "点开模板消息后去哪里：网址；小程序填页面路径。", "Where a tap on it leads: a URL, for mini-programs a page."),
			func(f *connectors.Field) { f.MaxLen = 512 }),
	}
}

// random is n letters and digits.
func random(n int) string {
	var out strings.Builder
	for out.Len() < n {
		b := make([]byte, 48)
		rand.Read(b) // never fails since Go 1.24
		for _, r := range base64.RawStdEncoding.EncodeToString(b) {
			if r != '+' && r != '/' && out.Len() < n {
				out.WriteRune(r)
			}
		}
	}
	return out.String()
}
