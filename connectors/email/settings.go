package email

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"strconv"
	"strings"
	"time"

	"hearback/connectors"
	"hearback/desk"
)

// settings is a channel's settings, understood.
type settings struct {
	provider string
	preset   preset
	address  string // lower case
	name     string
	sign     string // below replies
	imap     account
	smtp     account
	folder   string
	after    string // seen, leave, move
	moveTo   string
	first    string // new, all, days
	days     int
	poll     time.Duration
	maxMail  int64
	plus     bool
	keepSent bool
	rate     int
	xoauth2  bool
	oauth    oauth
	roots    *x509.CertPool // nil: the system's
	dkim     *dkim          // nil: the server signs, or nobody

	aliases       []string // further addresses of the mailbox, lower case
	receivers     []string // whose Authentication-Results are believed
	receiversTold bool     // by the admin, not by the preset
	reopenDays    int      // 0: a ticket takes further mails always
}

// An account is one side of a mailbox.
type account struct {
	endpoint
	user, password string
}

func (s *settings) domain() string {
	_, domain, _ := strings.Cut(s.address, "@")
	return domain
}

func (a account) dialAddress() string {
	if strings.Contains(a.host, ":") && !strings.HasPrefix(a.host, "[") {
		return fmt.Sprintf("[%s]:%d", a.host, a.port)
	}
	return fmt.Sprintf("%s:%d", a.host, a.port)
}

func (s *settings) tls(host string) *tls.Config {
	return &tls.Config{ServerName: host, RootCAs: s.roots, MinVersion: tls.VersionTLS12}
}

// parse reads settings that check has passed; what is missing comes from the provider's preset.
func parse(set map[string]string) (*settings, error) {
	s := &settings{provider: set["provider"], address: strings.ToLower(strings.TrimSpace(set["address"])), name: set["name"], sign: set["signature"], folder: set["imap_folder"]}
	s.preset = presets[s.provider]
	s.imap = accountOf(set, "imap", s.preset.imap, 993, 143)
	s.smtp = accountOf(set, "smtp", s.preset.smtp, 465, 587)
	s.imap.user = first(s.imap.user, s.address)
	s.smtp.user, s.smtp.password = first(s.smtp.user, s.imap.user), first(s.smtp.password, s.imap.password)
	s.folder = first(s.folder, "INBOX")
	s.after, s.moveTo, _ = strings.Cut(first(set["after_fetch"], "seen"), ":")
	var days string
	s.first, days, _ = strings.Cut(first(set["import"], "new"), ":")
	s.days = number(days, 0)
	s.poll = time.Duration(number(set["poll_seconds"], 60)) * time.Second
	s.maxMail = int64(number(set["max_mail_mb"], 64)) << 20
	s.plus = decided(set["plus_address"], s.preset.plus)
	s.keepSent = decided(set["sent_copy"], !s.preset.keepsSent)
	s.rate = number(set["rate_per_minute"], 60)
	s.xoauth2 = set["auth"] == "xoauth2"
	s.oauth = oauthOf(set)
	s.aliases = listed(strings.ToLower(set["aliases"]))
	s.receivers = listed(strings.ToLower(first(set["trusted_authserv"], s.preset.receiver)))
	s.receiversTold = set["trusted_authserv"] != ""
	s.reopenDays = number(set["reopen_days"], reopenDays)
	if pem := set["tls_ca"]; pem != "" {
		s.roots = trusted(pem)
	}
	var err error
	if s.dkim, err = readDKIM(set["dkim_selector"], set["dkim_key"], s.domain()); err != nil {
		return nil, err
	}
	if s.imap.host == "" || s.smtp.host == "" || s.address == "" {
		return nil, fmt.Errorf("mailbox: %w: address, imap_host or smtp_host is missing", desk.ErrInvalid)
	}
	return s, nil
}

// trusted adds certificates to the system's.
func trusted(pem string) *x509.CertPool {
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM([]byte(pem)) {
		return nil
	}
	return roots
}

func accountOf(set map[string]string, prefix string, known endpoint, tlsPort, plainPort int) account {
	a := account{user: set[prefix+"_user"], password: set[prefix+"_password"]}
	a.host = first(set[prefix+"_host"], known.host)
	a.port = number(set[prefix+"_port"], known.port)
	a.security = first(set[prefix+"_security"], known.security)
	switch {
	case a.security == "" && a.port == plainPort:
		a.security = securityStartTLS
	case a.security == "":
		a.security = securityTLS
	}
	if a.port == 0 && a.security == securityTLS {
		a.port = tlsPort
	} else if a.port == 0 {
		a.port = plainPort
	}
	return a
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func number(s string, otherwise int) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return otherwise
	}
	return n
}

func decided(word string, otherwise bool) bool {
	switch word {
	case "on":
		return true
	case "off":
		return false
	}
	return otherwise
}

// check judges what fields alone cannot.
func check(set map[string]string) (out []connectors.Problem) {
	wrong := func(field, zh, en string) {
		out = append(out, connectors.Problem{Field: field, Text: connectors.Text{Zh: zh, En: en}})
	}
	p := presets[set["provider"]]
	for _, side := range []struct {
		prefix string
		known  endpoint
	}{{"imap", p.imap}, {"smtp", p.smtp}} {
		if set[side.prefix+"_host"] == "" && side.known.host == "" {
			wrong(side.prefix+"_host", "请填写服务器地址，或选择服务商。", "Give the server, or choose a provider.")
		}
		if number(set[side.prefix+"_port"], 0) > 65535 {
			wrong(side.prefix+"_port", "端口最大为 65535。", "Ports end at 65535.")
		}
	}
	if set["auth"] == "xoauth2" {
		if set["oauth_client_id"] == "" {
			wrong("oauth_client_id", "XOAUTH2 需要客户端 ID。", "XOAUTH2 needs a client id.")
		}
		if set["oauth_token_url"] == "" && p.tokenURL == "" {
			wrong("oauth_token_url", "请填写令牌地址，或选择服务商。", "Give the token URL, or choose a provider.")
		}
	} else if set["imap_password"] == "" {
		wrong("imap_password", "请填写密码或授权码。", "Give the password or authorization code.")
	}
	if set["auth"] != "xoauth2" && p.passwordless {
		wrong("auth", "Microsoft 365 已停用密码登录，请选择 XOAUTH2。", "Microsoft 365 takes no passwords any more; choose XOAUTH2.")
	}
	if _, err := readDKIM(set["dkim_selector"], set["dkim_key"], ""); err != nil {
		wrong("dkim_key", "请同时填写选择器与 PEM 格式的 RSA 或 Ed25519 私钥。", "Give both a selector and an RSA or Ed25519 private key in PEM.")
	}
	for _, a := range listed(set["aliases"]) {
		if _, err := mailbox(a); err != nil {
			wrong("aliases", "不是邮箱地址："+plain(a), "Not an e-mail address: "+plain(a))
			break
		}
	}
	if pem := set["tls_ca"]; pem != "" && trusted(pem) == nil {
		wrong("tls_ca", "这不是 PEM 证书。", "This is no PEM certificate.")
	}
	return out
}

// own are all addresses of the mailbox.
func (s *settings) own() []string { return append([]string{s.address}, s.aliases...) }
