package webchat

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"html"
	"net/url"
	"slices"
	"strings"

	"hearback/connectors"
	"hearback/desk"
)

const (
	kindName     = "webchat"
	defaultColor = "#2563eb"
	defaultTypes = "image/*,audio/*,video/*,application/pdf,text/plain,office,zip"
)

// Kind is the web chat.
var Kind = connectors.Kind{
	Name:  kindName,
	Title: connectors.Text{Zh: "网页聊天", En: "Web chat"},
	Asks:  true,
	Fields: []connectors.Field{
		{Name: "origins", Type: "list", MaxLen: 4096, Label: connectors.Text{Zh: "允许的网站", En: "Allowed websites"},
			Help: connectors.Text{Zh: "可嵌入此聊天的网站来源，逗号分隔，例如 https://shop.example.com。留空：仅本服务自己的页面。",
				En: "Origins of the pages that may embed this chat, comma separated, e.g. https://shop.example.com. Empty: only pages of this server."}},
		{Name: "identity_secret", Type: "password", Secret: true, Generate: newSecret, Label: connectors.Text{Zh: "身份签名密钥", En: "Identity secret"},
			Help: connectors.Text{Zh: "网站后端用它签名（HS256 JWT 或 HMAC-SHA256）以证明登录用户的身份。",
				En: "Your site's backend signs with it (HS256 JWT or HMAC-SHA256) to prove who a logged-in user is."}},
		{Name: "title", Type: "text", MaxLen: 80, Label: connectors.Text{Zh: "标题", En: "Title"},
			Help: connectors.Text{Zh: "聊天窗口顶部的名称，例如公司或团队名。", En: "Shown at the top of the chat, e.g. the name of your company or team."}},
		{Name: "greeting", Type: "textarea", MaxLen: 1000, Label: connectors.Text{Zh: "欢迎语", En: "Greeting"},
			Help: connectors.Text{Zh: "访客打开聊天时看到的第一句话。", En: "The first words a visitor sees."}},
		{Name: "color", Type: "color", Default: defaultColor, Label: connectors.Text{Zh: "主题色", En: "Accent colour"},
			Help: connectors.Text{Zh: "例如 #2563eb。", En: "E.g. #2563eb."}},
		{Name: "locale", Type: "select", Default: "auto", Label: connectors.Text{Zh: "语言", En: "Language"},
			Help: connectors.Text{Zh: "自动：跟随网页的语言。", En: "Automatic follows the page's language."},
			Options: []connectors.Option{
				{Value: "auto", Label: connectors.Text{Zh: "自动", En: "Automatic"}},
				{Value: "zh-CN", Label: connectors.Text{Zh: "简体中文", En: "Chinese (simplified)"}},
				{Value: "en", Label: connectors.Text{Zh: "英语", En: "English"}},
			}},
		{Name: "file_types", Type: "list", Default: defaultTypes, Label: connectors.Text{Zh: "允许的文件类型", En: "Allowed file types"},
			Help: connectors.Text{Zh: "媒体类型，逗号分隔；可用 image/* 以及 office、zip。填 none 关闭上传。",
				En: "Media types, comma separated; image/*, and the words office and zip, work too. The word none switches uploads off."}},
		{Name: "max_file_mb", Type: "number", Default: "10", Pattern: `[1-9][0-9]?`, Label: connectors.Text{Zh: "文件大小上限（MB）", En: "Largest file (MB)"},
			Help: connectors.Text{Zh: "1 到 99。", En: "From 1 to 99."}},
		{Name: "rate_per_minute", Type: "number", Default: "60", Pattern: `[0-9]{1,6}`, Label: connectors.Text{Zh: "每位访客每分钟消息数", En: "Messages per visitor and minute"},
			Help: connectors.Text{Zh: "连发最多为其三分之一。0 关闭所有限速（压力测试用）。", En: "Up to a third of it in one burst. 0 switches all rate limits off (for load tests)."}},
		{Name: "visitors_per_minute", Type: "number", Default: "120", Pattern: `[0-9]{1,6}`, Label: connectors.Text{Zh: "每个地址每分钟新访客数", En: "New visitors per address and minute"},
			Help: connectors.Text{Zh: "0 表示不限。", En: "0 means no limit."}},
		{Name: "demo", Type: "bool", Default: "false", Label: connectors.Text{Zh: "演示", En: "Demo"},
			Help: connectors.Text{Zh: "仅用于演示：允许来源填 *。", En: "For demonstrations only: allows the origin *."}},
	},
	Demo:   map[string]string{"demo": "true", "origins": "*", "title": "回音小店", "greeting": "您好！有什么可以帮您？ Hi, how can we help?"},
	Check:  check,
	Decode: Decode,
	Open: func(ctx context.Context, ch desk.Channel, tools connectors.Tools) (connectors.Connector, error) {
		return Open(ctx, ch, tools)
	},
	Embed: func(publicURL string, ch desk.Channel) string {
		return fmt.Sprintf(`<script async src="%s/widget.js" data-channel="%s"></script>`, html.EscapeString(publicURL), html.EscapeString(ch.ID))
	},
}

func newSecret() string {
	b := make([]byte, 32)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// check judges what fields alone cannot.
func check(settings map[string]string) []connectors.Problem {
	var out []connectors.Problem
	for _, o := range splitList(settings["origins"]) {
		if o == "*" {
			if settings["demo"] != "true" {
				out = append(out, connectors.Problem{Field: "origins", Text: connectors.Text{
					Zh: "* 只允许用于演示。请列出具体网站，例如 https://shop.example.com。",
					En: "* is for the demo only. List your sites, e.g. https://shop.example.com."}})
			}
			continue
		}
		if _, err := parseOrigin(o); err != nil {
			out = append(out, connectors.Problem{Field: "origins", Text: connectors.Text{
				Zh: fmt.Sprintf("%q 不是网站来源。请填 https://域名[:端口]，不含路径。", o),
				En: fmt.Sprintf("%q is no origin. Give https://host[:port] without a path.", o)}})
		}
	}
	if s := settings["identity_secret"]; s != "" && len(s) < 16 {
		out = append(out, connectors.Problem{Field: "identity_secret", Text: connectors.Text{
			Zh: "至少 16 个字符；建议使用 32 个随机字节。", En: "At least 16 characters; 32 random bytes are better."}})
	}
	return out
}

// parseOrigin returns an origin the way browsers write it (RFC 6454, 6.2).
func parseOrigin(s string) (string, error) {
	u, err := url.Parse(strings.ToLower(strings.TrimSuffix(s, "/")))
	if err != nil {
		return "", fmt.Errorf("parse origin: %w", err)
	}
	if u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil ||
		strings.ContainsAny(u.Host, "*;, '\"") {
		return "", fmt.Errorf("parse origin: %w", desk.ErrInvalid)
	}
	host := u.Host
	if u.Scheme == "https" {
		host = strings.TrimSuffix(host, ":443")
	} else {
		host = strings.TrimSuffix(host, ":80")
	}
	return u.Scheme + "://" + host, nil
}

// splitList reads a comma separated list, full-width commas and line breaks included.
func splitList(s string) []string {
	parts := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(",，、;； \t\r\n", r) })
	slices.Sort(parts)
	return slices.Compact(parts)
}
