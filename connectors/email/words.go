package email

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"

	"hearback/connectors"
)

// say is a sentence in both languages, for texts that exist once for all readers.
func say(zh, en string) string { return zh + " / " + en }

// refusal is a failed log-in, told so that an admin can mend it. told is the server's own word.
func (s *settings) refusal(side, told string) *connectors.SendError {
	e := &connectors.SendError{Class: connectors.Credentials, Code: side + "_login", Err: errors.New(oneLine(told))}
	low := strings.ToLower(told)
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(low, w) {
				return true
			}
		}
		return false
	}
	switch {
	case s.xoauth2:
		e.Hint = say("OAuth 授权被拒绝或已撤销，请重新授权。", "The OAuth consent was refused or revoked; give it anew.")
	case has("not enabled", "disabled", "not open", "service is not", "未开启", "turn on imap", "imap access"):
		e.Hint = say("邮箱未开启 IMAP/SMTP 服务，或密码不是授权码。请在邮箱网页的设置里开启，并填写授权码。",
			"IMAP/SMTP is switched off for this mailbox, or the password is no authorization code. Switch it on in the mailbox's web settings and give the code.")
	case s.preset.code || has("授权码", "authorization code", "app password", "application-specific", "app-specific"):
		e.Hint = say("登录被拒绝：此邮箱要填授权码（应用专用密码），而不是登录密码。", "Log-in refused: this mailbox wants an authorization code (app password), not the log-in password.")
	case has("unsafe login"):
		e.Hint = say("服务商认为登录不安全，请在邮箱网页确认或改用授权码。", "The provider takes the log-in for unsafe; confirm it on its web page or use an authorization code.")
	default:
		e.Hint = say("用户名或密码不正确。", "The user name or password is wrong.")
	}
	return e
}

// unreachable says why a server could not be talked to.
func unreachable(side string, a account, err error) *connectors.SendError {
	e := &connectors.SendError{Class: connectors.Transient, Code: side + "_connect", Err: err}
	at := a.dialAddress()
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	var dns *net.DNSError
	switch {
	case errors.As(err, &unknown), errors.As(err, &name), errors.As(err, &invalid):
		e.Code = side + "_certificate"
		e.Hint = say("服务器 "+at+" 的证书不受信任、过期或与地址不符。", "The certificate of "+at+" is not trusted, has expired or is for another name.")
	case errors.As(err, &record):
		e.Hint = say("服务器 "+at+" 在此端口不使用 TLS，请改为 STARTTLS 或换端口。", "The server "+at+" speaks no TLS on this port; try STARTTLS or another port.")
	case errors.As(err, &dns):
		e.Hint = say("找不到服务器 "+a.host+"，请检查地址。", "There is no server "+a.host+"; check the name.")
	default:
		e.Hint = say("连接不上服务器 "+at+"。", "The server "+at+" cannot be reached.")
	}
	return e
}

// oneLine makes a server's words fit for a log line or a hint.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " ")
	if len(s) > 300 {
		s = strings.ToValidUTF8(s[:300], "") + "…"
	}
	return s
}
