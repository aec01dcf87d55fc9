package email

import "hearback/connectors"

// A preset is what is known of a provider, so that an admin gives only address and password.
type preset struct {
	title        connectors.Text
	imap, smtp   endpoint
	plus         bool   // delivers name+anything@ to name@
	keepsSent    bool   // puts what leaves by SMTP into the Sent folder by itself
	code         bool   // wants an authorization code made on its web page instead of the password
	tokenURL     string // where OAuth 2 access tokens come from
	authURL      string // where a person consents; {tenant} stands for the organisation
	receiver     string // the name under which it writes Authentication-Results; "" when it is not known
	scope        string
	passwordless bool // takes no passwords at all
}

type endpoint struct {
	host     string
	port     int
	security string
}

const (
	securityTLS      = "tls"
	securityStartTLS = "starttls"
	securityNone     = "none"
)

func onTLS(host string, port int) endpoint { return endpoint{host, port, securityTLS} }

// providers lists the presets in the order the form shows them.
var providers = []string{"own", "gmail", "microsoft365", "qq", "163", "aliyun", "exmail", "zoho"}

var presets = map[string]preset{
	"own": {title: connectors.Text{Zh: "自有服务器或其他", En: "Own server or other"}},
	"gmail": {title: connectors.Text{Zh: "Gmail", En: "Gmail"}, imap: onTLS("imap.gmail.com", 993), smtp: onTLS("smtp.gmail.com", 465),
		plus: true, keepsSent: true, code: true, tokenURL: "https://oauth2.googleapis.com/token",
		authURL: "https://accounts.google.com/o/oauth2/v2/auth", scope: "https://mail.google.com/", receiver: "mx.google.com"},
	"microsoft365": {title: connectors.Text{Zh: "Microsoft 365", En: "Microsoft 365"}, imap: onTLS("outlook.office365.com", 993),
		smtp: endpoint{"smtp.office365.com", 587, securityStartTLS}, plus: true, keepsSent: true, passwordless: true,
		tokenURL: "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
		authURL:  "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize", receiver: noName,
		scope: "https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send offline_access"},
	"qq":     {title: connectors.Text{Zh: "QQ 邮箱", En: "QQ Mail"}, imap: onTLS("imap.qq.com", 993), smtp: onTLS("smtp.qq.com", 465), code: true, receiver: "mx.qq.com"},
	"163":    {title: connectors.Text{Zh: "网易 163", En: "NetEase 163"}, imap: onTLS("imap.163.com", 993), smtp: onTLS("smtp.163.com", 465), code: true},
	"aliyun": {title: connectors.Text{Zh: "阿里企业邮箱", En: "Alibaba Mail"}, imap: onTLS("imap.qiye.aliyun.com", 993), smtp: onTLS("smtp.qiye.aliyun.com", 465), code: true},
	"exmail": {title: connectors.Text{Zh: "腾讯企业邮", En: "Tencent Exmail"}, imap: onTLS("imap.exmail.qq.com", 993), smtp: onTLS("smtp.exmail.qq.com", 465), code: true, receiver: "mx.qq.com"},
	"zoho":   {title: connectors.Text{Zh: "Zoho", En: "Zoho"}, imap: onTLS("imap.zoho.com", 993), smtp: onTLS("smtp.zoho.com", 465), plus: true, keepsSent: true, receiver: "mx.zohomail.com"},
}

func providerOptions() (out []connectors.Option) {
	for _, name := range providers {
		out = append(out, connectors.Option{Value: name, Label: presets[name].title})
	}
	return out
}
