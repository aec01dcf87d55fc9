package pbx

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// take keeps an SMS, unless the office was told to refuse.
func (o *Office) take(s SMS) (refuse string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.refuse != "" {
		return o.refuse
	}
	o.texts = append(o.texts, s)
	o.tell()
	return ""
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

// twilioSMS is POST /2010-04-01/Accounts/{sid}/Messages.json with basic authentication.
func (o *Office) twilioSMS(w http.ResponseWriter, r *http.Request, body string) {
	fail := func(status, code int, message string) {
		reply(w, status, map[string]any{"code": code, "message": message, "more_info": fmt.Sprintf("https://www.twilio.com/docs/errors/%d", code), "status": status})
	}
	user, password, _ := r.BasicAuth()
	if user != o.SMSUser || password != o.SMSKey {
		fail(http.StatusUnauthorized, 20003, "Authenticate")
		return
	}
	form, err := url.ParseQuery(body)
	if err != nil || form.Get("To") == "" || form.Get("Body") == "" || !strings.HasSuffix(r.URL.Path, "/Accounts/"+o.SMSUser+"/Messages.json") {
		fail(http.StatusBadRequest, 21604, "The 'To' or 'Body' parameter is missing")
		return
	}
	id := fmt.Sprintf("SM%032x", sha256.Sum256([]byte(body)))[:34]
	if code := o.take(SMS{Gateway: "twilio", To: form.Get("To"), From: form.Get("From"), Text: form.Get("Body"), ID: id, StatusURL: form.Get("StatusCallback")}); code != "" {
		var n int
		fmt.Sscan(code, &n)
		fail(http.StatusBadRequest, n, "Refused")
		return
	}
	reply(w, http.StatusCreated, map[string]any{"sid": id, "status": "queued", "to": form.Get("To"), "error_code": nil, "error_message": nil, "num_segments": "1"})
}

// aliyunEncode is 阿里云's POP encoding, written from its page: unreserved characters stay, all others are %XX.
func aliyunEncode(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("-_.~", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// aliyunSMS is SendSms of dysmsapi with signature version 1.0.
func (o *Office) aliyunSMS(w http.ResponseWriter, r *http.Request, body string) {
	fail := func(status int, code string) {
		reply(w, status, map[string]string{"Code": code, "Message": "refused", "RequestId": "R-1"})
	}
	all := r.URL.Query()
	if form, err := url.ParseQuery(body); err == nil {
		for k, v := range form {
			all[k] = append(all[k], v...)
		}
	}
	if all.Get("AccessKeyId") != o.SMSUser {
		fail(http.StatusNotFound, "InvalidAccessKeyId.NotFound")
		return
	}
	var parts []string
	for k, v := range all {
		if k != "Signature" {
			parts = append(parts, aliyunEncode(k)+"="+aliyunEncode(v[0]))
		}
	}
	slices.Sort(parts)
	mac := hmac.New(sha1.New, []byte(o.SMSKey+"&"))
	mac.Write([]byte(r.Method + "&%2F&" + aliyunEncode(strings.Join(parts, "&"))))
	if all.Get("Signature") != base64.StdEncoding.EncodeToString(mac.Sum(nil)) {
		fail(http.StatusBadRequest, "SignatureDoesNotMatch")
		return
	}
	var params map[string]string
	if err := json.Unmarshal([]byte(all.Get("TemplateParam")), &params); err != nil || all.Get("TemplateCode") == "" || all.Get("SignName") == "" {
		fail(http.StatusOK, "isv.INVALID_JSON_PARAM")
		return
	}
	text := ""
	for _, v := range params {
		text = v
	}
	id := "biz-" + all.Get("OutId")
	if code := o.take(SMS{Gateway: "aliyun", To: all.Get("PhoneNumbers"), From: all.Get("SignName"), Text: text, ID: id}); code != "" {
		fail(http.StatusOK, code)
		return
	}
	reply(w, http.StatusOK, map[string]string{"Code": "OK", "Message": "OK", "BizId": id, "RequestId": "R-1"})
}

// tencentSMS is SendSms of API 3.0 with TC3-HMAC-SHA256.
func (o *Office) tencentSMS(w http.ResponseWriter, r *http.Request, body string) {
	fail := func(code string) {
		reply(w, http.StatusOK, map[string]any{"Response": map[string]any{"Error": map[string]string{"Code": code, "Message": "refused"}, "RequestId": "R-1"}})
	}
	if !o.tencentSigned(r, body) {
		fail("AuthFailure.SignatureFailure")
		return
	}
	var in struct {
		PhoneNumberSet, TemplateParamSet              []string
		SmsSdkAppID                                   string `json:"SmsSdkAppId"`
		SignName, TemplateID, SessionContext, Padding string
	}
	if err := json.Unmarshal([]byte(body), &in); err != nil || len(in.PhoneNumberSet) != 1 || len(in.TemplateParamSet) != 1 || in.SmsSdkAppID == "" || r.Header.Get("X-TC-Action") != "SendSms" {
		fail("InvalidParameter")
		return
	}
	id := "sn-" + in.SessionContext
	status := map[string]any{"SerialNo": id, "PhoneNumber": in.PhoneNumberSet[0], "Fee": 1, "SessionContext": in.SessionContext, "Code": "Ok", "Message": "send success", "IsoCode": "CN"}
	code := o.take(SMS{Gateway: "tencent", To: in.PhoneNumberSet[0], From: in.SignName, Text: in.TemplateParamSet[0], ID: id})
	switch {
	case strings.HasPrefix(code, "AuthFailure") || strings.HasPrefix(code, "RequestLimit"):
		fail(code)
		return
	case code != "":
		status["Code"], status["Message"], status["SerialNo"], status["Fee"] = code, "refused", "", 0
	}
	reply(w, http.StatusOK, map[string]any{"Response": map[string]any{"SendStatusSet": []any{status}, "RequestId": "R-1"}})
}

func (o *Office) tencentSigned(r *http.Request, body string) bool {
	hash := func(s string) string { h := sha256.Sum256([]byte(s)); return hex.EncodeToString(h[:]) }
	sign := func(key []byte, s string) []byte {
		m := hmac.New(sha256.New, key)
		m.Write([]byte(s))
		return m.Sum(nil)
	}
	ts := r.Header.Get("X-TC-Timestamp")
	_, scope, ok := strings.Cut(r.Header.Get("Authorization"), "Credential="+o.SMSUser+"/")
	scope, _, _ = strings.Cut(scope, ",")
	date, _, _ := strings.Cut(scope, "/")
	if !ok || scope != date+"/sms/tc3_request" {
		return false
	}
	canonical := strings.Join([]string{"POST", "/", "", "content-type:" + r.Header.Get("Content-Type") + "\nhost:" + r.Host + "\n", "content-type;host", hash(body)}, "\n")
	key := sign(sign(sign([]byte("TC3"+o.SMSKey), date), "sms"), "tc3_request")
	want := hex.EncodeToString(sign(key, strings.Join([]string{"TC3-HMAC-SHA256", ts, scope, hash(canonical)}, "\n")))
	return strings.HasSuffix(r.Header.Get("Authorization"), "Signature="+want)
}
