package telephony

import (
	"cmp"

	"hearback/connectors"
)

// gateway is how this channel sends SMS; nil when it does not.
func (c *Connector) gateway() *smsGateway { return gatewayOf(c.ch.Settings) }

func gatewayOf(s map[string]string) *smsGateway {
	switch s["sms"] {
	case "twilio":
		return twilioGateway(s)
	case "aliyun":
		return aliyunGateway(s)
	case "tencent":
		return tencentGateway(s)
	case "http":
		g, _ := httpGateway(s)
		return g
	}
	return nil
}

// twilioGateway is Twilio's Messages resource, which SignalWire, Telnyx and others offer alike under their own address.
func twilioGateway(s map[string]string) *smsGateway {
	return &smsGateway{
		name: "twilio", method: "POST", url: cmp.Or(s["sms_url"], "https://api.twilio.com") + "/2010-04-01/Accounts/{{account}}/Messages.json",
		form: []smsPair{{"To", "{{to}}"}, {"From", "{{from}}"}, {"Body", "{{text}}"}, {"StatusCallback", "{{status_url}}"}},
		sign: signBasic(cmp.Or(s["sms_key_id"], s["sms_account"]), s["sms_key"]), idPath: []string{"sid"}, errPath: []string{"code", "error_code"},
		maxText: 1600, reports: true,
		classes: []smsClass{
			{"20003", connectors.Credentials, both("Twilio 拒绝了账号或密钥，请管理员更新。", "Twilio refuses the credentials; an administrator must renew them.")},
			{"20429", connectors.Throttled, ""},
			{"21610", connectors.Permanent, both("客户已退订短信（STOP）。", "The customer has unsubscribed (STOP).")},
			{"21614", connectors.Permanent, both("这不是手机号码。", "This is no mobile number.")},
			{"21211", connectors.Permanent, both("号码无效。", "The number is not valid.")},
			{"21408", connectors.Credentials, both("Twilio 账号未开通向该国家发送。", "The Twilio account may not send to that country.")},
			{"21606", connectors.Credentials, both("发送号码不属于此账号或不能发短信。", "The sender number is not the account's or cannot send SMS.")},
			{"21608", connectors.Permanent, both("试用账号只能发给已验证的号码。", "A trial account may write to verified numbers only.")},
			{"3000*", connectors.Permanent, ""},
		},
	}
}

// aliyunGateway is 阿里云短信服务 SendSms. The text is the template's variable (sms_param).
func aliyunGateway(s map[string]string) *smsGateway {
	return &smsGateway{
		name: "aliyun", method: "POST", url: cmp.Or(s["sms_url"], "https://dysmsapi.aliyuncs.com/"),
		form: []smsPair{{"Action", "SendSms"}, {"Version", "2017-05-25"}, {"Format", "JSON"}, {"RegionId", cmp.Or(s["sms_region"], "cn-hangzhou")},
			{"PhoneNumbers", "{{to_local}}"}, {"SignName", "{{from}}"}, {"TemplateCode", "{{template}}"},
			{"TemplateParam", `{"` + jsonEscape(cmp.Or(s["sms_param"], "content")) + `":"{{text.json}}"}`}, {"OutId", "{{id}}"}},
		sign: signAliyun(s["sms_key_id"], s["sms_key"]), success: []smsPair{{"Code", "OK"}}, idPath: []string{"BizId"}, errPath: []string{"Code"},
		maxText: 1500, reports: true,
		classes: []smsClass{
			{"isv.BUSINESS_LIMIT_CONTROL", connectors.Throttled, both("触发短信频率限制，稍后再发。", "The SMS rate limit was hit; it is sent later.")},
			{"isv.DAY_LIMIT_CONTROL", connectors.Throttled, both("触发短信日发送限额，稍后再发。", "The daily SMS limit was hit; it is sent later.")},
			{"Throttling*", connectors.Throttled, ""},
			{"isv.AMOUNT_NOT_ENOUGH", connectors.Credentials, both("短信账户余额不足，请管理员充值。", "The SMS account has no credit left; an administrator must top it up.")},
			{"isv.OUT_OF_SERVICE", connectors.Credentials, both("短信账户已停机。", "The SMS account is suspended.")},
			{"isv.ACCOUNT*", connectors.Credentials, ""},
			{"isv.PRODUCT_UN*", connectors.Credentials, ""},
			{"isv.SMS_SIGNATURE*", connectors.Credentials, both("短信签名不可用，请管理员核对。", "The SMS signature cannot be used; an administrator must check it.")},
			{"isv.SMS_TEMPLATE*", connectors.Credentials, both("短信模板不可用，请管理员核对。", "The SMS template cannot be used; an administrator must check it.")},
			{"isv.SMS_SIGN_ILLEGAL", connectors.Credentials, both("短信签名不可用，请管理员核对。", "The SMS signature cannot be used; an administrator must check it.")},
			{"InvalidAccessKeyId*", connectors.Credentials, ""},
			{"SignatureDoesNotMatch", connectors.Credentials, ""},
			{"Forbidden*", connectors.Credentials, ""},
			{"isp.RAM_PERMISSION_DENY", connectors.Credentials, ""},
			{"isp.SYSTEM_ERROR", connectors.Transient, ""},
			{"ServiceUnavailable*", connectors.Transient, ""},
			{"InternalError*", connectors.Transient, ""},
			{"isv.MOBILE*", connectors.Permanent, both("号码无效。", "The number is not valid.")},
			{"isv.BLACK_KEY*", connectors.Permanent, both("内容含平台禁止的词。", "The text holds words the gateway forbids.")},
			{"isv.PARAM_LENGTH_LIMIT", connectors.Permanent, both("内容超过短信模板变量的长度。", "The text is longer than the SMS template's variable.")},
		},
	}
}

// tencentGateway is 腾讯云短信 SendSms (API 3.0). The text is the template's only variable.
func tencentGateway(s map[string]string) *smsGateway {
	return &smsGateway{
		name: "tencent", method: "POST", url: cmp.Or(s["sms_url"], "https://sms.tencentcloudapi.com/"),
		headers: []smsPair{{"X-TC-Action", "SendSms"}, {"X-TC-Version", "2021-01-11"}, {"X-TC-Region", cmp.Or(s["sms_region"], "ap-guangzhou")}},
		body:    `{"PhoneNumberSet":["{{to}}"],"SmsSdkAppId":"{{app}}","SignName":"{{from}}","TemplateId":"{{template}}","TemplateParamSet":["{{text}}"],"SessionContext":"{{id}}"}`,
		sign:    signTencent(s["sms_key_id"], s["sms_key"], "sms"), success: []smsPair{{"Response.SendStatusSet.0.Code", "Ok"}},
		idPath: []string{"Response.SendStatusSet.0.SerialNo"}, errPath: []string{"Response.Error.Code", "Response.SendStatusSet.0.Code"},
		maxText: 1500, reports: true,
		classes: []smsClass{
			{"LimitExceeded*", connectors.Throttled, both("触发短信频率限制，稍后再发。", "The SMS rate limit was hit; it is sent later.")},
			{"RequestLimitExceeded*", connectors.Throttled, ""},
			{"AuthFailure*", connectors.Credentials, both("腾讯云拒绝了密钥，请管理员更新。", "Tencent Cloud refuses the key; an administrator must renew it.")},
			{"UnauthorizedOperation*", connectors.Credentials, both("腾讯云账号没有短信权限，或应用不匹配。", "The Tencent Cloud account may not send SMS, or the app does not fit.")},
			{"FailedOperation.InsufficientBalance*", connectors.Credentials, both("短信套餐余量不足，请管理员充值。", "The SMS package is used up; an administrator must top it up.")},
			{"FailedOperation.Signature*", connectors.Credentials, both("短信签名不可用，请管理员核对。", "The SMS signature cannot be used; an administrator must check it.")},
			{"FailedOperation.MissingSignature*", connectors.Credentials, both("短信签名不可用，请管理员核对。", "The SMS signature cannot be used; an administrator must check it.")},
			{"FailedOperation.Template*", connectors.Credentials, both("短信模板不可用，请管理员核对。", "The SMS template cannot be used; an administrator must check it.")},
			{"FailedOperation.MissingTemplate*", connectors.Credentials, both("短信模板不可用，请管理员核对。", "The SMS template cannot be used; an administrator must check it.")},
			{"InvalidParameterValue.SdkAppId*", connectors.Credentials, ""},
			{"FailedOperation.PhoneNumberInBlacklist", connectors.Permanent, both("客户已退订短信。", "The customer has unsubscribed.")},
			{"InvalidParameterValue.IncorrectPhoneNumber", connectors.Permanent, both("号码无效。", "The number is not valid.")},
			{"FailedOperation.ContainSensitiveWord", connectors.Permanent, both("内容含平台禁止的词。", "The text holds words the gateway forbids.")},
			{"InternalError*", connectors.Transient, ""},
		},
	}
}
