package telephony

import (
	"context"
	"net/url"

	"github.com/nyaruka/phonenumbers"

	"hearback/connectors"
	"hearback/desk"
)

// meansCallback asks the call centre to call the customer and connect him with the agent.
const meansCallback = "callback"

// outFields are the settings of what goes out: callback_url, callback_secret, sms_*.
func outFields() []connectors.Field {
	return append([]connectors.Field{
		{Name: "callback_url", Type: "text", Pattern: `https?://.+`, Label: connectors.Text{Zh: "回拨推送地址", En: "Callback address"},
			Help: connectors.Text{Zh: "客服点“回拨”时，向此地址推送签名的 callback.requested 事件，由呼叫中心外呼。留空则不能回拨。",
				En: "When an agent asks for a callback, a signed callback.requested event is posted here for your call centre to dial. Empty: no callbacks."}},
		{Name: "callback_secret", Type: "password", Secret: true, Generate: newSecret, Pattern: `(whsec_)?[A-Za-z0-9+/=_-]{16,200}( (whsec_)?[A-Za-z0-9+/=_-]{16,200}){0,3}`,
			Label: connectors.Text{Zh: "回拨签名密钥", En: "Callback secret"},
			Help: connectors.Text{Zh: "Standard Webhooks 密钥（whsec_…），呼叫中心用它验证推送。轮换时用空格分隔多个，逐个签名。",
				En: "Standard Webhooks secret (whsec_…) the call centre checks the event with. While rotating give several, separated by blanks: each signs."}},
	}, append(smsFields(), fetchFields()...)...)
}

// checkOut judges the settings of outFields and profile.
func checkOut(given map[string]string) []connectors.Problem {
	var out []connectors.Problem
	if given["format"] == "profile" {
		out = append(out, checkProfile(given["profile"])...)
	}
	if u := given["callback_url"]; u != "" {
		out = append(out, checkURL("callback_url", u)...)
		if _, err := signers(given["callback_secret"]); err != nil {
			out = append(out, connectors.Problem{Field: "callback_secret", Text: connectors.Text{
				Zh: "须为 whsec_ 开头的 Base64 密钥，可由系统生成。", En: "It must be a Base64 secret that begins with whsec_; one is made when you leave it empty at creation."}})
		}
	}
	return append(append(out, checkSMS(given)...), checkFetch(given)...)
}

func checkURL(field, s string) []connectors.Problem {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return []connectors.Problem{{Field: field, Text: connectors.Text{Zh: "须为完整的 https:// 地址。", En: "It must be a whole https:// address."}}}
	case u.User != nil:
		return []connectors.Problem{{Field: field, Text: connectors.Text{Zh: "地址中不能含用户名或密码。", En: "The address must not hold a user or password."}}}
	}
	return nil
}

// Capabilities tells how an answer can leave.
func (c *Connector) Capabilities() connectors.Capabilities {
	out := connectors.Capabilities{NoText: true, Resendable: true}
	if g := c.gateway(); g != nil {
		out.NoText, out.Resendable, out.MaxText, out.MaxParts, out.DeliveredKnown = false, false, g.maxText, 3, g.reports
	}
	if c.ch.Settings["callback_url"] != "" {
		out.Means = []connectors.Means{{Name: meansCallback, Title: connectors.Text{Zh: "回拨", En: "Call back"}, MaxText: 2000, AfterWindow: true, Resendable: true}}
	}
	return out
}

// Send carries an answer to the caller: as a request to call him back, or as an SMS.
func (c *Connector) Send(ctx context.Context, out desk.Outbound) (connectors.Receipt, error) {
	if out.Means == meansCallback {
		return c.sendCallback(ctx, out)
	}
	if out.Means != "" {
		return connectors.Receipt{}, permanent("means", "这个渠道没有这种回复方式。", "This channel has no such way to answer.")
	}
	g := c.gateway()
	if g == nil {
		return connectors.Receipt{}, permanent("no_sms", "这个电话渠道没有配置短信，请回拨客户。", "This telephone channel has no SMS sender; call the customer back.")
	}
	return c.sendSMS(ctx, g, out)
}

// reach tells whether the channel may write to (or call) an address first.
func reach(ch desk.Channel, to desk.Identity) (sender string, ok bool) {
	if to.Type != "phone" {
		return "", false
	}
	number, ok := readSettings(ch.Settings).e164(to.Value)
	if !ok || ch.Settings["callback_url"] == "" && (gatewayOf(ch.Settings) == nil || !mobile(number)) {
		return "", false
	}
	return number, true
}

// mobile tells whether an E.164 number may take an SMS. Some countries (the US) do not tell mobile numbers from others; those may.
func mobile(number string) bool {
	n, err := phonenumbers.Parse(number, "")
	if err != nil {
		return false
	}
	switch phonenumbers.GetNumberType(n) {
	case phonenumbers.MOBILE, phonenumbers.FIXED_LINE_OR_MOBILE:
		return true
	}
	return false
}

func permanent(code, zh, en string) *connectors.SendError {
	return &connectors.SendError{Class: connectors.Permanent, Code: code, Hint: both(zh, en)}
}

// both is a sentence in both languages: hints are shown to agents of either.
func both(zh, en string) string { return zh + " / " + en }
