package wechat

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"hearback/connectors"
)

// An apiError is an errcode other than 0 in an answer. Tencent sends it with HTTP 200.
type apiError struct {
	code int
	msg  string
}

func (e *apiError) Error() string { return fmt.Sprintf("errcode %d %s", e.code, oneLine(e.msg)) }

// A statusError is an answer that is no answer of the API.
type statusError struct{ status int }

func (e *statusError) Error() string {
	if e.status == http.StatusOK {
		return "the answer cannot be read"
	}
	return fmt.Sprintf("HTTP status %d", e.status)
}

// A lostError is a request without an answer. left tells that all of it had been written.
type lostError struct {
	left bool
	why  string
}

func (e *lostError) Error() string { return e.why }

// tokenCodes mean that the access token is not good any more: it is fetched again and the call made once more.
var tokenCodes = map[int]bool{40001: true, 40014: true, 42001: true}

func isTokenError(err error) bool {
	e, ok := err.(*apiError)
	return ok && tokenCodes[e.code]
}

// A verdict is what an errcode means for a reply.
type verdict struct {
	class  connectors.Class
	zh, en string
}

// verdicts is the table of what Tencent refuses a reply with. Codes of both lines of business; those that mean something else for
// WeCom stand in kfVerdicts.
var verdicts = map[int]verdict{
	-1:    {connectors.Transient, "微信系统繁忙，将自动重试。", "WeChat is busy; it is tried again."},
	40001: {connectors.Transient, "接口凭证失效，正在更新，将自动重试。", "The access token is not valid; it is renewed and the reply tried again."},
	40014: {connectors.Transient, "接口凭证失效，正在更新，将自动重试。", "The access token is not valid; it is renewed and the reply tried again."},
	41001: {connectors.Transient, "接口凭证失效，正在更新，将自动重试。", "The access token is not valid; it is renewed and the reply tried again."},
	42001: {connectors.Transient, "接口凭证已过期，正在更新，将自动重试。", "The access token has expired; it is renewed and the reply tried again."},
	40003: {connectors.Permanent, "微信找不到这位客户（OpenID 无效）。", "WeChat does not know this customer (invalid openid)."},
	40004: {connectors.Permanent, "微信不支持这种文件类型。", "WeChat does not take files of this type."},
	40005: {connectors.Permanent, "微信不支持这种文件格式。", "WeChat does not take files of this format."},
	40006: {connectors.Permanent, "文件大小不符合微信的要求。", "WeChat does not take a file of this size."},
	40007: {connectors.Permanent, "文件在微信服务器上已失效。", "The file is no longer kept by WeChat."},
	40009: {connectors.Permanent, "图片大小不符合微信的要求。", "WeChat does not take a picture of this size."},
	40010: {connectors.Permanent, "语音大小不符合微信的要求。", "WeChat does not take a voice message of this size."},
	40011: {connectors.Permanent, "视频大小不符合微信的要求。", "WeChat does not take a video of this size."},
	40013: {connectors.Credentials, "AppID 不正确，请检查渠道设置。", "The AppID is wrong; check the channel's settings."},
	40037: {connectors.Credentials, "模板 ID 不正确，请在渠道设置里更正。", "The template's id is wrong; correct it in the channel's settings."},
	40125: {connectors.Credentials, "AppSecret 不正确，请在微信后台重置后更新渠道设置。", "The AppSecret is wrong; reset it in WeChat's console and update the channel."},
	40137: {connectors.Permanent, "微信不支持这种图片格式。", "WeChat does not take pictures of this format."},
	41002: {connectors.Credentials, "缺少 AppID，请检查渠道设置。", "The AppID is missing; check the channel's settings."},
	41004: {connectors.Credentials, "缺少 AppSecret，请检查渠道设置。", "The AppSecret is missing; check the channel's settings."},
	42007: {connectors.Credentials, "账号密码已修改，授权失效，请重新配置。", "The account's password was changed, which ended the permission; set it up again."},
	43004: {connectors.Permanent, "客户没有关注公众号，无法接收消息。", "The customer does not follow the account and cannot be written to."},
	43019: {connectors.Permanent, "客户在公众号的黑名单中，请先移出。", "The customer is on the account's blacklist; take him off it first."},
	43101: {connectors.Permanent, "客户没有同意接收订阅消息。", "The customer has not agreed to receive subscription messages."},
	44002: {connectors.Permanent, "消息内容为空。", "The message is empty."},
	44004: {connectors.Permanent, "消息内容为空。", "The message is empty."},
	45001: {connectors.Permanent, "文件太大，微信拒收。", "The file is too big for WeChat."},
	45002: {connectors.Permanent, "文字太长，微信拒收，请分几条发送。", "The text is too long for WeChat; send it in several messages."},
	45003: {connectors.Permanent, "标题太长，微信拒收。", "The title is too long for WeChat."},
	45004: {connectors.Permanent, "描述太长，微信拒收。", "The description is too long for WeChat."},
	45005: {connectors.Permanent, "链接太长，微信拒收。", "The link is too long for WeChat."},
	45007: {connectors.Permanent, "语音超过 60 秒，微信拒收。", "The voice message is longer than 60 seconds."},
	45009: {connectors.Throttled, "今天的接口调用次数已用完，额度恢复后自动发出。", "Today's API quota is used up; the reply leaves when it is renewed."},
	45011: {connectors.Throttled, "发送太频繁，稍后自动发出。", "Sent too often; the reply leaves shortly."},
	45015: {connectors.Permanent, "客户已超过 48 小时没有发来消息，微信不允许再回复。请换一种方式联系客户。",
		"The customer has not written in the last 48 hours; WeChat refuses the reply. Reach him another way."},
	45047: {connectors.Permanent, "回复条数已用完，要等客户再次发来消息。", "The messages WeChat allows are used up until the customer writes again."},
	46004: {connectors.Permanent, "微信找不到这位客户。", "WeChat does not know this customer."},
	47001: {connectors.Permanent, "微信读不懂这条消息，请联系管理员。", "WeChat cannot read the message; tell an administrator."},
	47003: {connectors.Permanent, "模板字段的内容不符合要求（类型或长度）。", "A template field does not hold what it may (type or length)."},
	48001: {connectors.Credentials, "此账号没有客服消息接口的权限，请在微信后台确认账号已认证并开通。", "The account may not use the customer-message API; see in WeChat's console that it is verified and the API granted."},
	48002: {connectors.Permanent, "客户拒收公众号的消息。", "The customer refuses the account's messages."},
	48004: {connectors.Credentials, "接口被微信封禁，请登录微信后台查看原因。", "WeChat has banned the API for this account; its console says why."},
	48008: {connectors.Permanent, "此账号没有发送该类型消息的权限。", "The account may not send messages of this type."},
	50001: {connectors.Credentials, "此账号未获得接口授权。", "The account may not use the API."},
	50002: {connectors.Permanent, "账号或客户受到微信限制，无法发送。", "WeChat has restricted the account or the customer."},
}

// kfVerdicts is what WeCom means by its codes.
var kfVerdicts = map[int]verdict{
	40013: {connectors.Credentials, "企业 ID 不正确，请检查渠道设置。", "The corporation's id is wrong; check the channel's settings."},
	40091: {connectors.Credentials, "Secret 不正确，请检查渠道设置。", "The secret is wrong; check the channel's settings."},
	40096: {connectors.Permanent, "企业微信找不到这位客户。", "WeCom does not know this customer."},
	40201: {connectors.Credentials, "客服账号因涉及敏感信息已被封禁，请联系企业微信。", "The customer-service account was banned for sensitive content; turn to WeCom."},
	45009: {connectors.Throttled, "接口调用太频繁，稍后自动发出。", "The API was called too often; the reply leaves shortly."},
	45033: {connectors.Throttled, "接口并发太高，稍后自动发出。", "Too many calls at once; the reply leaves shortly."},
	48002: {connectors.Credentials, "应用没有微信客服接口的权限，请在“可调用接口的应用”中添加。", "The app may not use the customer-service API; add it under 可调用接口的应用 in WeCom's console."},
	60011: {connectors.Credentials, "应用没有管理此客服账号的权限。", "The app may not manage this customer-service account."},
	60030: {connectors.Permanent, "接待人员不在职或不在服务范围内。", "The colleague is not on duty."},
	95000: {connectors.Credentials, "客服账号 ID 无效，请检查渠道设置。", "The customer-service account's id is invalid; check the channel's settings."},
	95001: {connectors.Permanent, "回复条数已用完，或客户已超过 48 小时没有发来消息，要等客户再次发来消息。", "The messages WeCom allows are used up, or 48 hours are over; the customer has to write again."},
	95002: {connectors.Permanent, "客户已超过 48 小时没有发来消息，无法回复。", "The customer has not written in the last 48 hours."},
	95004: {connectors.Credentials, "客服账号不存在或已删除，请检查渠道设置。", "The customer-service account does not exist; check the channel's settings."},
	95012: {connectors.Credentials, "微信客服未在企业微信中启用。", "Customer service is not used in WeCom."},
	95013: {connectors.Permanent, "会话已结束，要等客户再次发来消息。", "The conversation has ended; the customer has to write again."},
	95016: {connectors.Permanent, "当前会话状态不允许这样操作。", "The conversation's state does not allow that."},
	95017: {connectors.Credentials, "微信客服的 API 功能未开启，请在企业微信后台开启。", "The customer-service API is switched off; switch it on in WeCom's console."},
	95018: {connectors.Permanent, "会话正由同事在企业微信中接待，或已结束，无法通过接口回复。", "A colleague has this conversation in WeCom, or it has ended; it cannot be answered from here."},
}

// judge turns a failed call into what delivery does about it. lasting tells that the call does something that must not happen twice.
func (s *settings) judge(err error, lasting bool, now time.Time) *connectors.SendError {
	switch e := err.(type) {
	case *connectors.SendError:
		return e
	case *apiError:
		return s.judgeCode(e, now)
	case *statusError:
		return judgeStatus(e, lasting)
	case *lostError:
		out := &connectors.SendError{Class: connectors.Transient, Code: "unreachable", Err: err, Hint: say("连接不上微信，将自动重试。", "WeChat cannot be reached; it is tried again.")}
		if e.left && lasting {
			out.Class, out.Code = connectors.Uncertain, "no_answer"
			out.Hint = say("已交给微信，但没有收到结果，客户可能已经收到。", "It was handed to WeChat, but the answer was lost; the customer may have received it.")
		}
		return out
	}
	return &connectors.SendError{Class: connectors.Transient, Err: err}
}

func (s *settings) judgeCode(e *apiError, now time.Time) *connectors.SendError {
	out := &connectors.SendError{Class: connectors.Permanent, Code: strconv.Itoa(e.code), Err: e}
	v, known := verdicts[e.code]
	if s.account == accountKf {
		if w, ok := kfVerdicts[e.code]; ok {
			v, known = w, true
		}
	}
	if !known {
		v = verdict{connectors.Permanent, "微信拒绝了这条消息（" + out.Code + "）。", "WeChat refused the message (" + out.Code + ")."}
	}
	if e.code == 40164 || e.code == 60020 {
		ip := first(address.FindString(e.msg), "?")
		v = verdict{connectors.Credentials, "本服务器的 IP（" + ip + "）不在白名单中，请在微信后台的“IP 白名单”里添加。", "This server's address (" + ip + ") is not in the IP white list; add it in WeChat's console."}
	}
	out.Class, out.Hint = v.class, say(v.zh, v.en)
	if out.Class == connectors.Throttled {
		out.After = s.patience(e.code, now)
	}
	return out
}

var address = regexp.MustCompile(`\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b|\b[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{0,4}){3,7}\b`)

// beijing is where Tencent's days begin. China has no summer time.
var beijing = time.FixedZone("UTC+8", 8*60*60)

// patience is how long a throttled call has to wait: until the daily quota is renewed, or for the minute's.
func (s *settings) patience(code int, now time.Time) time.Duration {
	if code != 45009 {
		return time.Minute
	}
	if s.account == accountKf {
		return 10 * time.Minute // WeCom has quotas of a minute, an hour and a day, and does not say which
	}
	y, m, d := now.In(beijing).Date()
	return time.Date(y, m, d+1, 0, 1, 0, 0, beijing).Sub(now)
}

func judgeStatus(e *statusError, lasting bool) *connectors.SendError {
	out := &connectors.SendError{Class: connectors.Transient, Code: strconv.Itoa(e.status), Err: e, Hint: say("微信服务暂时出错，将自动重试。", "WeChat has a failure; it is tried again.")}
	switch {
	case lasting && (e.status == http.StatusOK || e.status == http.StatusBadGateway || e.status == http.StatusGatewayTimeout):
		// Something between us and the API answered: the API itself may have taken it.
		out.Class, out.Hint = connectors.Uncertain, say("微信没有给出明确的结果，客户可能已经收到。", "WeChat gave no clear answer; the customer may have received it.")
	case e.status == http.StatusTooManyRequests:
		out.Class, out.After = connectors.Throttled, time.Minute
	case e.status/100 == 3 || e.status == http.StatusNotFound || e.status == http.StatusForbidden || e.status == http.StatusUnauthorized:
		out.Class, out.Hint = connectors.Credentials, say("接口地址不正确或拒绝访问，请检查渠道设置。", "The API address is wrong or refuses us; check the channel's settings.")
	}
	return out
}
