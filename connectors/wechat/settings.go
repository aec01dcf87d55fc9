package wechat

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"hearback/connectors"
	"hearback/desk"
)

// Kinds of account.
const (
	accountOfficial    = "official"
	accountKf          = "kf"
	accountMiniprogram = "miniprogram"
)

// Modes of callbacks.
const (
	modePlain      = "plain"
	modeCompatible = "compatible"
	modeSafe       = "safe"
)

// Tencent's addresses.
const (
	publicBase = "https://api.weixin.qq.com"
	workBase   = "https://qyapi.weixin.qq.com"
)

// settings is a channel's settings, understood.
type settings struct {
	account  string
	appID    string // the corporation's id for kf
	secret   string
	token    string
	keys     []string // the current EncodingAESKey first, then the previous one
	mode     string
	base     string // without a trailing slash
	openKfid string
	hours    int // how long after a customer's message we may write
	messages int // and how often
	warn     int // minutes before the end at which the agent is warned
	poll     time.Duration
	welcome  string
	template template
}

// A template is the message that may be sent when the window is shut.
type template struct {
	id   string
	page string            // where a tap leads: a URL, for mini-programs a page
	data map[string]string // its fields; values may hold {text}, {number}, {agent}, {time}
}

// parse reads settings that check has passed.
func parse(set map[string]string) (*settings, error) {
	s := &settings{
		account: first(set["account"], accountOfficial), appID: strings.TrimSpace(set["app_id"]), secret: strings.TrimSpace(set["app_secret"]),
		token: set["token"], mode: first(set["mode"], modeSafe), base: strings.TrimRight(set["api_base"], "/"), openKfid: strings.TrimSpace(set["open_kfid"]),
		hours: number(set["window_hours"], 48), messages: number(set["window_messages"], 5), warn: number(set["warn_minutes"], 30),
		poll: time.Duration(number(set["poll_seconds"], 120)) * time.Second, welcome: strings.TrimSpace(set["welcome"]),
	}
	for _, key := range []string{set["encoding_aes_key"], set["previous_encoding_aes_key"]} {
		if key != "" {
			s.keys = append(s.keys, key)
		}
	}
	if s.account == accountKf {
		s.mode = modeSafe // WeCom knows no other
	}
	if s.base == "" {
		s.base = publicBase
		if s.account == accountKf {
			s.base = workBase
		}
	}
	data, err := readTemplate(set["template_data"])
	if err != nil {
		return nil, err
	}
	s.template = template{strings.TrimSpace(set["template_id"]), strings.TrimSpace(set["template_page"]), data}
	if problems := check(set); len(problems) > 0 {
		return nil, fmt.Errorf("wechat account: %w: %s: %s", desk.ErrInvalid, problems[0].Field, problems[0].Text.En)
	}
	return s, nil
}

func number(s string, otherwise int) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return otherwise
	}
	return n
}

var templateLine = regexp.MustCompile(`^([a-z_]+[0-9]*)\s*=\s*(.+)$`)

// readTemplate reads one "field=value" a line.
func readTemplate(text string) (map[string]string, error) {
	data := map[string]string{}
	for _, line := range strings.Split(text, "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		m := templateLine.FindStringSubmatch(line)
		if m == nil {
			return nil, fmt.Errorf("template data: %w: %q is not field=value", desk.ErrInvalid, oneLine(line))
		}
		data[m[1]] = m[2]
	}
	return data, nil
}

// check judges what fields alone cannot.
func check(set map[string]string) (out []connectors.Problem) {
	wrong := func(field, zh, en string) {
		out = append(out, connectors.Problem{Field: field, Text: connectors.Text{Zh: zh, En: en}})
	}
	account, mode := first(set["account"], accountOfficial), first(set["mode"], modeSafe)
	if set["token"] == "" {
		wrong("token", "请填写与微信后台一致的 Token。", "Give the Token that is entered in WeChat's console.")
	}
	for _, name := range []string{"encoding_aes_key", "previous_encoding_aes_key"} {
		key := set[name]
		if key == "" {
			continue
		}
		if len(key) != 43 {
			wrong(name, fmt.Sprintf("EncodingAESKey 必须正好 43 个字符，现在是 %d 个。", len(key)), fmt.Sprintf("An EncodingAESKey has exactly 43 characters; this one has %d.", len(key)))
		} else if raw, err := base64.StdEncoding.DecodeString(key + "="); err != nil || len(raw) != 32 {
			wrong(name, "EncodingAESKey 只能包含大小写字母和数字。", "An EncodingAESKey holds letters and digits only.")
		}
	}
	if set["encoding_aes_key"] == "" && (mode != modePlain || account == accountKf) {
		wrong("encoding_aes_key", "加密的回调需要 EncodingAESKey。", "Encrypted callbacks need the EncodingAESKey.")
	}
	checkAccount(set, account, wrong)
	if u, err := url.Parse(set["api_base"]); set["api_base"] != "" && (err != nil || u.Host == "" || u.RawQuery != "" || u.User != nil) {
		wrong("api_base", "请填写不含参数的地址，例如 https://api2.weixin.qq.com。", "Give an address without parameters, e.g. https://api2.weixin.qq.com.")
	}
	return out
}

// checkAccount judges what belongs to one kind of account only.
func checkAccount(set map[string]string, account string, wrong func(field, zh, en string)) {
	if account == accountKf {
		if set["open_kfid"] == "" {
			wrong("open_kfid", "请填写客服账号 ID（以 wk 开头）。", "Give the customer-service account's id (it begins with wk).")
		}
		if set["template_id"] != "" {
			wrong("template_id", "微信客服没有模板消息，请留空。", "Customer service has no template messages; leave it empty.")
		}
		return
	}
	data, err := readTemplate(set["template_data"])
	switch {
	case err != nil:
		wrong("template_data", "每行一个“字段=内容”，例如 thing1={text}。", "One field=value a line, e.g. thing1={text}.")
	case set["template_id"] != "" && !strings.Contains(fmt.Sprint(data), "{text}"):
		wrong("template_data", "至少有一个字段要包含 {text}，即客服写的内容。", "At least one field must hold {text}, what the agent wrote.")
	}
}
