package telephony

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"hearback/connectors"
)

// smsFields are the settings of the SMS sender.
func smsFields() []connectors.Field {
	text := func(name, zh, en, helpZh, helpEn string) connectors.Field {
		return connectors.Field{Name: name, Type: "text", Label: connectors.Text{Zh: zh, En: en}, Help: connectors.Text{Zh: helpZh, En: helpEn}}
	}
	area := func(name, zh, en, helpZh, helpEn string) connectors.Field {
		f := text(name, zh, en, helpZh, helpEn)
		f.Type = "textarea"
		return f
	}
	provider := text("sms", "短信", "SMS", "回复来电者的短信由谁发送。留空则不发短信。", "Who sends the SMS that answer a caller. Empty: none.")
	provider.Type = "select"
	provider.Options = []connectors.Option{
		{Value: "", Label: connectors.Text{Zh: "不发短信", En: "None"}},
		{Value: "twilio", Label: connectors.Text{Zh: "Twilio 及兼容平台", En: "Twilio and alike"}},
		{Value: "aliyun", Label: connectors.Text{Zh: "阿里云短信", En: "Alibaba Cloud SMS"}},
		{Value: "tencent", Label: connectors.Text{Zh: "腾讯云短信", En: "Tencent Cloud SMS"}},
		{Value: "http", Label: connectors.Text{Zh: "其他（自定义 HTTP）", En: "Another (described below)"}},
	}
	key := text("sms_key", "短信密钥", "SMS key", "Twilio：Auth Token；阿里云：AccessKey Secret；腾讯云：SecretKey；其他：密码。",
		"Twilio: auth token. Alibaba Cloud: AccessKey secret. Tencent Cloud: SecretKey. Others: the password.")
	key.Type, key.Secret = "password", true
	headers := area("sms_headers", "短信请求头", "SMS headers", "自定义 HTTP：每行“名称: 模板”，可含令牌。", "Own HTTP: lines of \"Name: template\"; may hold a token.")
	headers.Secret = true
	sign := text("sms_sign", "短信签名方式", "SMS signing", "自定义 HTTP 如何证明身份。", "Own HTTP: how the request proves who it is from.")
	sign.Type = "select"
	sign.Options = []connectors.Option{
		{Value: "", Label: connectors.Text{Zh: "无", En: "None"}}, {Value: "basic", Label: connectors.Text{Zh: "HTTP Basic", En: "HTTP basic"}},
		{Value: "aliyun", Label: connectors.Text{Zh: "阿里云 RPC（HMAC-SHA1）", En: "Alibaba Cloud RPC (HMAC-SHA1)"}},
		{Value: "tencent", Label: connectors.Text{Zh: "腾讯云 TC3-HMAC-SHA256", En: "Tencent Cloud TC3-HMAC-SHA256"}},
	}
	method := text("sms_method", "短信请求方法", "SMS method", "自定义 HTTP：POST 或 GET。", "Own HTTP: POST or GET.")
	method.Pattern = `POST|GET|PUT`
	return []connectors.Field{
		provider,
		text("sms_account", "短信账号", "SMS account", "Twilio：Account SID。", "Twilio: account SID."),
		text("sms_key_id", "短信密钥 ID", "SMS key id", "阿里云：AccessKey ID；腾讯云：SecretId；Twilio：API Key（可选）；其他：用户名。",
			"Alibaba Cloud: AccessKey id. Tencent Cloud: SecretId. Twilio: API key (optional). Others: the user."),
		key,
		text("sms_from", "短信发送方", "SMS sender", "Twilio：发送号码（+1…）；阿里云、腾讯云：短信签名。", "Twilio: the number it comes from (+1…). Alibaba and Tencent Cloud: the SMS signature."),
		text("sms_template", "短信模板", "SMS template", "阿里云：模板 Code（SMS_…）；腾讯云：模板 ID。模板只含一个变量，即回复内容。",
			"Alibaba Cloud: template code (SMS_…). Tencent Cloud: template id. The template has one variable, the answer's text."),
		text("sms_param", "模板变量名", "Template variable", "阿里云：模板中变量的名称，默认 content。", "Alibaba Cloud: the variable's name in the template; content by default."),
		text("sms_app", "短信应用", "SMS app", "腾讯云：SdkAppId。", "Tencent Cloud: SdkAppId."),
		text("sms_region", "短信地域", "SMS region", "留空用默认地域。", "Empty: the default region."),
		text("sms_url", "短信接口地址", "SMS address", "自定义 HTTP 必填；其他留空用官方地址。可含 {{to}} 等变量。", "Required for own HTTP; empty for the others' official address. May hold {{to}} and the like."),
		method, headers,
		area("sms_body", "短信内容模板", "SMS body", "JSON，或每行“参数=模板”的表单（GET 时作为查询参数）。变量：{{to}} {{to_digits}} {{to_local}} {{text}} {{id}} {{number}} {{from}}；表单内的 JSON 用 {{text.json}}。",
			"JSON, or a form as lines of \"name=template\" (the query of a GET). Variables: {{to}} {{to_digits}} {{to_local}} {{text}} {{id}} {{number}} {{from}}; JSON inside a form: {{text.json}}."),
		sign,
		area("sms_success", "短信成功条件", "SMS success", "每行“路径=值”，须全部满足，例如 code=0。留空则 HTTP 2xx 即成功。", "Lines of \"path=value\" that must all hold, e.g. code=0. Empty: status 2xx is enough."),
		area("sms_errors", "短信错误码", "SMS errors", "第一行为错误码路径，之后每行“错误码=类别”；类别 transient、throttled、credentials、permanent；错误码可以 * 结尾。",
			"The first line is the error code's path, then lines of \"code=class\"; classes are transient, throttled, credentials, permanent; a code may end in *."),
		text("sms_id", "短信编号路径", "SMS id path", "应答中短信编号的路径，例如 data.id。", "Path of the message's id in the answer, e.g. data.id."),
	}
}

var smsVariables = []string{"to", "to_digits", "to_local", "text", "id", "number", "from", "account", "key_id", "template", "app", "status_url"}

// smsRequired are the settings a provider cannot do without.
var smsRequired = map[string][]string{
	"twilio": {"sms_account", "sms_key", "sms_from"}, "aliyun": {"sms_key_id", "sms_key", "sms_from", "sms_template"},
	"tencent": {"sms_key_id", "sms_key", "sms_from", "sms_template", "sms_app"}, "http": {"sms_url", "sms_body"},
}

func checkSMS(given map[string]string) (out []connectors.Problem) {
	for _, name := range smsRequired[given["sms"]] {
		if given[name] == "" {
			out = append(out, connectors.Problem{Field: name, Text: connectors.Text{Zh: "所选的短信平台需要此项。", En: "The chosen SMS provider needs it."}})
		}
	}
	if given["sms"] != "" && given["sms_url"] != "" {
		out = append(out, checkURL("sms_url", fillSMS(given["sms_url"], nil, nil))...)
	}
	if given["sms"] != "http" {
		return out
	}
	for _, field := range []string{"sms_url", "sms_headers", "sms_body"} {
		for _, n := range smsNames(given[field]) {
			if !slices.Contains(smsVariables, n) {
				out = append(out, connectors.Problem{Field: field, Text: connectors.Text{
					Zh: fmt.Sprintf("没有变量 {{%s}}，可用 %s。", brief(n), strings.Join(smsVariables, ", ")),
					En: fmt.Sprintf("There is no variable {{%s}}; there are %s.", brief(n), strings.Join(smsVariables, ", "))}})
			}
		}
	}
	_, problems := httpGateway(given)
	return append(out, problems...)
}

// httpGateway is the sender an admin describes.
func httpGateway(s map[string]string) (*smsGateway, []connectors.Problem) {
	g := &smsGateway{name: "http", method: s["sms_method"], url: s["sms_url"], maxText: 1500}
	if g.method == "" {
		g.method = http.MethodPost
	}
	var problems []connectors.Problem
	wrong := func(field, zh, en string) {
		problems = append(problems, connectors.Problem{Field: field, Text: connectors.Text{Zh: zh, En: en}})
	}
	var ok bool
	if g.headers, ok = smsLines(s["sms_headers"], ":"); !ok {
		wrong("sms_headers", "每行须为“名称: 值”。", "Each line must be \"Name: value\".")
	}
	if body := strings.TrimSpace(s["sms_body"]); strings.HasPrefix(body, "{") || strings.HasPrefix(body, "[") {
		g.body, g.headers = body, append([]smsPair{{"Content-Type", "application/json; charset=utf-8"}}, g.headers...)
	} else if g.form, ok = smsLines(body, "="); !ok {
		wrong("sms_body", "须为 JSON，或每行“参数=模板”。", "It must be JSON or lines of \"name=template\".")
	}
	if g.query = g.method == http.MethodGet; g.query && g.form == nil {
		wrong("sms_body", "GET 须用每行“参数=模板”的形式。", "With GET it must be lines of \"name=template\".")
	}
	if g.success, ok = smsLines(s["sms_success"], "="); !ok {
		wrong("sms_success", "每行须为“路径=值”。", "Each line must be \"path=value\".")
	}
	if s["sms_id"] != "" {
		g.idPath = []string{s["sms_id"]}
	}
	g.errors(s["sms_errors"], wrong)
	switch s["sms_sign"] {
	case "basic":
		g.sign = signBasic(s["sms_key_id"], s["sms_key"])
	case "aliyun":
		g.sign = signAliyun(s["sms_key_id"], s["sms_key"])
		if g.form == nil {
			wrong("sms_sign", "阿里云签名须用每行“参数=模板”的形式。", "Alibaba Cloud's signature needs the body as lines of \"name=template\".")
		}
	case "tencent":
		g.sign = signTencent(s["sms_key_id"], s["sms_key"], "sms")
		if g.form != nil {
			wrong("sms_sign", "腾讯云签名须用 JSON 内容。", "Tencent Cloud's signature needs a JSON body.")
		}
	}
	return g, problems
}

// errors reads the path of the error code and what codes mean.
func (g *smsGateway) errors(text string, wrong func(field, zh, en string)) {
	path, rest, _ := strings.Cut(strings.TrimSpace(text), "\n")
	if path = strings.TrimSpace(path); path == "" {
		return
	}
	g.errPath = []string{path}
	pairs, ok := smsLines(rest, "=")
	if !ok {
		wrong("sms_errors", "从第二行起，每行须为“错误码=类别”。", "From the second line on each must be \"code=class\".")
	}
	classes := map[string]connectors.Class{"transient": connectors.Transient, "throttled": connectors.Throttled, "credentials": connectors.Credentials,
		"permanent": connectors.Permanent, "uncertain": connectors.Uncertain}
	for _, p := range pairs {
		class, known := classes[p.value]
		if !known {
			wrong("sms_errors", fmt.Sprintf("类别“%s”无效，可用 transient、throttled、credentials、permanent。", brief(p.value)),
				fmt.Sprintf("%q is no class; there are transient, throttled, credentials, permanent.", brief(p.value)))
		}
		g.classes = append(g.classes, smsClass{pattern: p.name, class: class})
	}
}

// smsLines reads lines of name, separator, value; empty ones and those that begin with # do not count.
func smsLines(text, sep string) (out []smsPair, ok bool) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, found := strings.Cut(line, sep)
		if !found || strings.TrimSpace(name) == "" {
			return nil, false
		}
		out = append(out, smsPair{strings.TrimSpace(name), strings.TrimSpace(value)})
	}
	return out, true
}
