package email

import (
	"context"
	"strconv"

	"hearback/connectors"
	"hearback/desk"
)

const kindName = "email"

// reopenDays is how long a ticket takes further mails when the admin says nothing else.
const reopenDays = 14

// Kind is the mailbox.
var Kind = connectors.Kind{
	Name:        kindName,
	Patient:     true,
	Title:       connectors.Text{Zh: "电子邮件", En: "E-mail"},
	Fields:      fields(),
	Check:       check,
	Decode:      Decode,
	DecodeBig:   decodeBig,
	Reach:       reach,
	Consent:     &consent,
	Test:        try,
	Acknowledge: acknowledge,
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

func secret(f *connectors.Field) { f.Secret = true }

func byDefault(v string) func(*connectors.Field) {
	return func(f *connectors.Field) { f.Default = v }
}

func choice(v string, options ...connectors.Option) func(*connectors.Field) {
	return func(f *connectors.Field) { f.Default, f.Options = v, options }
}

func option(value, zh, en string) connectors.Option {
	return connectors.Option{Value: value, Label: connectors.Text{Zh: zh, En: en}}
}

func fields() []connectors.Field {
	all := []connectors.Field{
		with(field("provider", "select", "邮箱服务商", "Provider", "决定未填写的服务器地址。", "Fills in the servers that are left empty."),
			choice("own", providerOptions()...)),
		with(field("address", "text", "邮箱地址", "Address", "客户写信的地址，例如 support@example.com。", "What customers write to, e.g. support@example.com."),
			func(f *connectors.Field) {
				f.Required, f.MaxLen, f.Pattern = true, 254, `[^\s@<>"(),:;\\]+@[^\s@<>"(),:;\\]+`
			}),
		with(field("name", "text", "发件人名称", "Sender name", "客户在收件箱里看到的名称，例如公司名。", "What customers see beside the address, e.g. your company."),
			func(f *connectors.Field) { f.MaxLen = 120 }),
		with(field("aliases", "list", "其他收信地址", "Other addresses", "同一邮箱的别名，用逗号分隔；不会被抄送或当作客户。",
			"Further addresses of this mailbox, separated by commas: they are never copied in and never taken for a customer."), func(f *connectors.Field) { f.MaxLen = 2000 }),
		with(field("auth", "select", "登录方式", "Log-in", "密码含授权码、应用专用密码；XOAUTH2 用于 Google 与 Microsoft 365。",
			"Password includes authorization codes and app passwords; XOAUTH2 is for Google and Microsoft 365."),
			choice("password", option("password", "密码或授权码", "Password"), option("xoauth2", "OAuth 2（XOAUTH2）", "OAuth 2 (XOAUTH2)"))),
	}
	all = append(all, server("imap", "收信", "IMAP", "留空则用邮箱地址。", "Empty: the address.")...)
	all = append(all, inward()...)
	all = append(all, server("smtp", "发信", "SMTP", "留空则与收信相同。", "Empty: the same as for IMAP.")...)
	all = append(all, outward()...)
	return append(all, oauthFields()...)
}

func server(prefix, zh, en, helpZh, helpEn string) []connectors.Field {
	return []connectors.Field{
		with(field(prefix+"_host", "text", zh+"服务器", en+" server", "留空则按服务商。", "Empty: the provider's."),
			func(f *connectors.Field) { f.MaxLen, f.Pattern = 253, `[0-9A-Za-z.:_-]+` }),
		with(field(prefix+"_port", "number", zh+"端口", en+" port", "留空则按服务商或加密方式。", "Empty: the provider's, or the usual one for the security."),
			func(f *connectors.Field) { f.Pattern = `[1-9][0-9]{0,4}` }),
		with(field(prefix+"_security", "select", zh+"加密", en+" security", "留空则按服务商；无加密仅限本机或内网。",
			"Empty: the provider's. No encryption is for the same machine only."),
			choice("", option(securityTLS, "TLS", "TLS"), option(securityStartTLS, "STARTTLS", "STARTTLS"), option(securityNone, "无", "None"))),
		with(field(prefix+"_user", "text", zh+"用户名", en+" user", helpZh, helpEn), func(f *connectors.Field) { f.MaxLen = 254 }),
		with(field(prefix+"_password", "password", zh+"密码", en+" password", "QQ、163、腾讯企业邮等请填授权码，而非登录密码。",
			"QQ, 163, Exmail and others want the authorization code, Gmail an app password."), secret),
	}
}

func inward() []connectors.Field {
	return []connectors.Field{
		with(field("imap_folder", "text", "文件夹", "Folder", "从哪个文件夹收信。", "Which folder is read."), byDefault("INBOX")),
		with(field("after_fetch", "text", "收取之后", "After fetching", "seen（标为已读）、leave（不动）或 move:文件夹。", "seen (mark as read), leave, or move:FOLDER."),
			func(f *connectors.Field) { f.Default, f.Pattern = "seen", `seen|leave|move:.{1,200}` }),
		with(field("import", "text", "首次导入", "First import", "new（仅新邮件）、days:N（最近 N 天）或 all（全部）。", "new (only new mail), days:N (the last N days), or all."),
			func(f *connectors.Field) { f.Default, f.Pattern = "new", `new|all|days:[1-9][0-9]{0,3}` }),
		with(field("reopen_days", "number", "工单重开期限（天）", "Reopen within (days)", "已答复或已解决的工单，在此期限内来信则继续；之后开新工单并关联。0 表示始终继续。",
			"An answered or resolved ticket goes on when its customer writes within this time; later a new one is opened and linked. 0 means always."),
			func(f *connectors.Field) { f.Default, f.Pattern = strconv.Itoa(reopenDays), `[0-9]{1,4}` }),
		with(field("trusted_authserv", "list", "可信的验证服务器", "Trusted receiving server", "收信服务器在 Authentication-Results 中的名称，例如 mx.example.com；留空则按服务商。该服务器必须删除外来的同名字段。",
			"The name your receiving server writes in Authentication-Results, e.g. mx.example.com; empty: the provider's. That server must remove foreign fields of its name."),
			func(f *connectors.Field) { f.MaxLen = 1000 }),
		with(field("poll_seconds", "number", "轮询间隔（秒）", "Poll every (seconds)", "服务器不支持 IDLE 时使用。", "Used where the server has no IDLE."),
			func(f *connectors.Field) { f.Default, f.Pattern = "60", `[1-9][0-9]{0,4}` }),
		with(field("max_mail_mb", "number", "邮件大小上限（MB）", "Largest mail (MB)", "更大的邮件只取开头，并在消息上注明。", "Of larger ones only the beginning is fetched, and the message says so."),
			func(f *connectors.Field) { f.Default, f.Pattern = "64", `[1-9][0-9]{0,2}` }),
	}
}

func outward() []connectors.Field {
	switches := []connectors.Option{option("auto", "按服务商", "As the provider does"), option("on", "是", "Yes"), option("off", "否", "No")}
	return []connectors.Field{
		with(field("plus_address", "select", "加号地址", "Plus addresses", "回信地址带会话标记（name+标记@）。服务商不支持时，主题带工单编号。",
			"The reply address carries the conversation (name+token@). Where the provider has none, the subject carries the ticket's number."), choice("auto", switches...)),
		with(field("sent_copy", "select", "保存到已发送", "Copy to Sent", "把回复存入“已发送”文件夹。", "Puts replies into the Sent folder."), choice("auto", switches...)),
		with(field("rate_per_minute", "number", "每分钟发信上限", "Mails per minute", "超出的稍后发出。0 表示不限。", "More wait for their turn. 0 means no limit."),
			func(f *connectors.Field) { f.Default, f.Pattern = "60", `[0-9]{1,5}` }),
		with(field("signature", "textarea", "签名", "Signature", "附在每封回复之后；{agent} 表示客服姓名。", "Below every reply; {agent} stands for the agent's name."),
			func(f *connectors.Field) { f.MaxLen = 2000 }),
		with(field("acknowledge", "select", "自动确认", "Acknowledge", "新工单自动回一封确认信，含工单编号。机器来信从不自动回复。",
			"New tickets are acknowledged by a mail with their number. Machines' mail is never answered by itself."), choice("on", option("on", "是", "Yes"), option("off", "否", "No"))),
		with(field("acknowledge_text", "textarea", "确认信内容", "Acknowledgement", "可用 {number} 表示工单编号。留空用默认内容。", "{number} stands for the ticket's number. Empty: our words."),
			func(f *connectors.Field) { f.MaxLen = 2000 }),
		with(field("dkim_selector", "text", "DKIM 选择器", "DKIM selector", "仅在发信服务器自己不签名时填写。", "Only where the mail server does not sign by itself."),
			func(f *connectors.Field) { f.MaxLen, f.Pattern = 63, `[0-9A-Za-z._-]+` }),
		with(field("dkim_key", "textarea", "DKIM 私钥（PEM）", "DKIM private key (PEM)", "RSA 或 Ed25519。", "RSA or Ed25519."),
			func(f *connectors.Field) { f.Secret, f.MaxLen = true, 8192 }),
		field("tls_ca", "textarea", "额外信任的证书（PEM）", "Extra trusted certificate (PEM)", "自建服务器使用私有 CA 或自签名证书时填写。", "For own servers with a private CA or a self-signed certificate."),
	}
}

func oauthFields() []connectors.Field {
	return []connectors.Field{
		field("oauth_client_id", "text", "OAuth 客户端 ID", "OAuth client id", "登录方式为 XOAUTH2 时必填。", "Required for XOAUTH2."),
		with(field("oauth_client_secret", "password", "OAuth 客户端密钥", "OAuth client secret", "公共客户端可留空。", "Empty for public clients."), secret),
		with(field("oauth_refresh_token", "password", "OAuth 刷新令牌", "OAuth refresh token", "点击“登录授权”后自动填写。", "Filled in by itself when you log in at the provider."), secret),
		with(field("oauth_tenant", "text", "Microsoft 租户", "Microsoft tenant", "租户 ID 或域名；留空则用 common。", "The tenant's id or domain; empty: common."),
			func(f *connectors.Field) { f.MaxLen, f.Pattern = 253, `[0-9A-Za-z.-]+` }),
		with(field("oauth_scope", "text", "OAuth 权限范围", "OAuth scope", "留空则按服务商。", "Empty: the provider's."), func(f *connectors.Field) { f.MaxLen = 1000 }),
		with(field("oauth_auth_url", "text", "OAuth 授权地址", "OAuth authorization URL", "留空则按服务商。", "Empty: the provider's."),
			func(f *connectors.Field) { f.Pattern = `https?://.+` }),
		with(field("oauth_token_url", "text", "OAuth 令牌地址", "OAuth token URL", "留空则按服务商。", "Empty: the provider's."),
			func(f *connectors.Field) { f.Pattern = `https?://.+` }),
	}
}
