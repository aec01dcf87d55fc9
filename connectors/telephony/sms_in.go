package telephony

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"hearback/connectors"
	"hearback/desk"
)

// metaSMS marks envelopes that came from the SMS gateway; its value is the gateway.
const metaSMS = "sms"

// takesSMS tells whether a request is the SMS gateway's: everything below /sms and, where calls come from Twilio too, its incoming
// messages at the channel's own address.
func (c *Connector) takesSMS(path string, r *request) bool {
	if smsPath(path) {
		return true
	}
	return c.set.format == "twilio" && strings.Contains(string(r.Body), "MessageSid=") && !strings.Contains(string(r.Body), "CallSid=")
}

// smsPath tells whether an address is the SMS gateway's.
func smsPath(path string) bool { return path == "/sms" || strings.HasPrefix(path, "/sms/") }

// takeSMS keeps customers' messages and reports of delivery.
func (c *Connector) takeSMS(ctx context.Context, path string, r *request) connectors.Answer {
	gateway := c.ch.Settings["sms"]
	if path == "/" {
		gateway = "twilio"
	}
	if !c.smsGenuine(gateway, path, r) {
		c.noteSMS(http.StatusUnauthorized, "The signature or token is wrong.")
		return connectors.Answer{Status: http.StatusUnauthorized, Type: "text/plain; charset=utf-8", Body: "refused"}
	}
	envelopes, err := c.smsEnvelopes(gateway, r)
	if err != nil {
		c.noteSMS(http.StatusUnprocessableEntity, "The request cannot be read.")
		return connectors.Answer{Status: http.StatusUnprocessableEntity, Type: "text/plain; charset=utf-8", Body: "cannot be read"}
	}
	if err := c.tools.Inbox.Accept(ctx, connectors.Batch{Envelopes: envelopes}); err != nil {
		c.tools.Logger.Warn("an sms could not be stored", "err", err)
		return connectors.Answer{Status: http.StatusServiceUnavailable, Type: "text/plain; charset=utf-8", Body: "try again"}
	}
	if c.tools.Note != nil {
		for _, e := range envelopes {
			c.tools.Note(connectors.Note{What: "sms", Ref: e.ExternalID, Status: http.StatusOK, Envelope: e.ID})
		}
	}
	switch gateway {
	case "aliyun":
		return connectors.Answer{Status: http.StatusOK, Type: "application/json", Body: `{"code":0,"msg":"接收成功"}`}
	case "tencent":
		return connectors.Answer{Status: http.StatusOK, Type: "application/json", Body: `{"result":0,"errmsg":"OK"}`}
	}
	return connectors.Answer{Status: http.StatusOK, Type: "text/xml", Body: "<Response/>"}
}

func (c *Connector) noteSMS(status int, detail string) {
	if c.tools.Note != nil {
		c.tools.Note(connectors.Note{What: "sms", Status: status, Refused: true, Detail: detail})
	}
}

// smsGenuine: Twilio signs its requests; the others prove themselves by the channel's token behind /sms/.
func (c *Connector) smsGenuine(gateway, path string, r *request) bool {
	s := c.ch.Settings
	if gateway == "twilio" {
		key, address := s["sms_key"], c.tools.Address+"/sms"
		if path == "/" {
			key, address = s["secret"], c.tools.Address
		}
		return key != "" && twilioGenuine(key, address, r)
	}
	given := strings.TrimPrefix(strings.TrimPrefix(path, "/sms"), "/")
	return s["token"] != "" && subtle.ConstantTimeCompare([]byte(given), []byte(s["token"])) == 1
}

// twilioGenuine: the address it was given, then each parameter's name and values, distinct and sorted.
func twilioGenuine(key, address string, r *request) bool {
	form, err := url.ParseQuery(string(r.Body))
	if err != nil {
		return false
	}
	given, err := base64.StdEncoding.DecodeString(r.Header.Get("X-Twilio-Signature"))
	if err != nil {
		return false
	}
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, a := range []string{address, address + "/"} {
		if r.Query != "" {
			a += "?" + r.Query
		}
		mac := hmac.New(sha1.New, []byte(key))
		mac.Write([]byte(a))
		for _, name := range names {
			for _, v := range slices.Compact(slices.Sorted(slices.Values(form[name]))) {
				mac.Write([]byte(name + v))
			}
		}
		if hmac.Equal(given, mac.Sum(nil)) {
			return true
		}
	}
	return false
}

// An smsEvent is one message or report, as far as gateways agree.
type smsEvent struct {
	ID      string // provider's id of the message
	From    string // as told
	Text    string
	Media   int
	State   desk.DeliveryState // of reports
	Code    string
	Hint    string
	SentAt  string
	inbound bool
}

// smsEnvelopes splits a request into one envelope per message or report.
func (c *Connector) smsEnvelopes(gateway string, r *request) ([]desk.Envelope, error) {
	var parts [][]byte
	if gateway == "twilio" {
		parts = [][]byte{r.Body}
	} else {
		var list []json.RawMessage
		if err := json.Unmarshal(r.Body, &list); err != nil {
			list = []json.RawMessage{r.Body}
		}
		for _, p := range list {
			parts = append(parts, p)
		}
	}
	var out []desk.Envelope
	for _, raw := range parts {
		e, err := readSMS(gateway, raw)
		if err != nil {
			return nil, err
		}
		sender, ok := c.set.e164(e.From)
		if !ok {
			sender = "sms:" + e.ID
		}
		env := desk.Envelope{Type: desk.EnvelopeMessage, ExternalID: "sms:" + e.ID, Sender: sender, Raw: raw,
			Meta: map[string]string{metaSMS: gateway, "country": c.set.country, "area_code": c.set.areaCode}}
		if !e.inbound {
			env.Type, env.ExternalID = desk.EnvelopeReceipt, "sms:"+e.ID+":"+string(e.State)
		}
		out = append(out, env)
	}
	return out, nil
}

// decodeSMS understands an envelope of smsEnvelopes.
func decodeSMS(env desk.Envelope) ([]desk.Inbound, error) {
	e, err := readSMS(env.Meta[metaSMS], env.Raw)
	if err != nil {
		return nil, err
	}
	if !e.inbound {
		if e.State == "" {
			return nil, nil
		}
		return []desk.Inbound{{Type: desk.EnvelopeReceipt, Receipt: &desk.Receipt{ExternalIDs: []string{e.ID}, State: e.State, Code: e.Code, Hint: e.Hint}}}, nil
	}
	number, ok := readSettings(env.Meta).e164(e.From)
	if !ok { // a short code or a name: nobody to answer to, but a message all the same
		number = clip(e.From)
	}
	if number == "" {
		return nil, fmt.Errorf("read sms: no sender: %w", desk.ErrInvalid)
	}
	in := desk.Inbound{Type: desk.EnvelopeMessage, From: desk.Identity{Type: "phone", Value: number, Verified: ok}, Text: e.Text}
	if at, ok := (profileTime{}).parse("", e.SentAt); ok {
		in.SentAt = at
	}
	if e.Media > 0 {
		in.Repairs = []string{fmt.Sprintf("短信附带的 %d 个媒体文件未收取 / %d media files of this SMS were not fetched", e.Media, e.Media)}
	}
	return []desk.Inbound{in}, nil
}

func readSMS(gateway string, raw []byte) (smsEvent, error) {
	var e smsEvent
	var err error
	switch gateway {
	case "twilio":
		e, err = readTwilioSMS(raw)
	default:
		e, err = readReportSMS(raw)
	}
	if err == nil && e.ID == "" {
		sum := sha256.Sum256(raw)
		e.ID = hex.EncodeToString(sum[:12])
	}
	e.ID = brief(e.ID)
	return e, err
}

func readTwilioSMS(raw []byte) (smsEvent, error) {
	f, err := url.ParseQuery(string(raw))
	if err != nil || f.Get("MessageSid") == "" && f.Get("SmsSid") == "" {
		return smsEvent{}, fmt.Errorf("read sms: no message id: %w", desk.ErrInvalid)
	}
	e := smsEvent{ID: f.Get("MessageSid"), From: f.Get("From"), Text: clip(f.Get("Body"))}
	if e.ID == "" {
		e.ID = f.Get("SmsSid")
	}
	if n := f.Get("NumMedia"); n != "" {
		fmt.Sscan(n, &e.Media)
	}
	status := f.Get("MessageStatus")
	if status == "" && f.Get("SmsStatus") != "received" && !f.Has("Body") {
		status = f.Get("SmsStatus")
	}
	if e.inbound = status == "" || status == "received" || status == "receiving"; e.inbound {
		return e, nil
	}
	e.From, e.Code = f.Get("To"), f.Get("ErrorCode")
	e.State = map[string]desk.DeliveryState{"sent": desk.DeliverySent, "delivered": desk.DeliveryDelivered, "read": desk.DeliveryRead,
		"undelivered": desk.DeliveryFailed, "failed": desk.DeliveryFailed}[status]
	if e.State == desk.DeliveryFailed {
		e.Hint = both("短信未送达。", "The SMS was not delivered.")
	}
	return e, nil
}

// readReportSMS reads an element of 阿里云's and 腾讯云's pushes: a report (SmsReport; report_status) or a customer's message (SmsUp;
// text).
func readReportSMS(raw []byte) (smsEvent, error) {
	tree, err := jsonTree(raw)
	if err != nil {
		return smsEvent{}, fmt.Errorf("read sms: %w: %w", err, desk.ErrInvalid)
	}
	rec := profileRecord{tree: tree}
	e := smsEvent{From: firstValue(rec, []string{"phone_number", "mobile"}), ID: firstValue(rec, []string{"biz_id", "sid", "sequence_id"}),
		Text: firstValue(rec, []string{"content", "text"}), Code: firstValue(rec, []string{"err_code", "errmsg"}), SentAt: firstValue(rec, []string{"send_time", "time"})}
	if code := rec.value("nationcode"); code != "" && !strings.HasPrefix(e.From, "+") {
		e.From = "+" + strings.TrimPrefix(code, "+") + e.From
	}
	done := firstValue(rec, []string{"success", "report_status"})
	if e.inbound = done == "" && e.Text != ""; e.inbound {
		return e, nil
	}
	switch strings.ToLower(done) {
	case "true", "success":
		e.State = desk.DeliveryDelivered
	case "false", "fail":
		e.State, e.Hint = desk.DeliveryFailed, both("短信未送达。", "The SMS was not delivered.")
	default:
		return smsEvent{}, fmt.Errorf("read sms: neither a report nor a message: %w", desk.ErrInvalid)
	}
	return e, nil
}
