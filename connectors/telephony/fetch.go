package telephony

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"hearback/connectors"
)

// Limits of a recording. The house's client ends after 30 s; a long talk over a slow line takes longer.
const (
	fetchTimeout   = 5 * time.Minute
	maxFetchHops   = 5
	defaultFetchMB = 64
)

// fetchFields are the settings of recordings.
func fetchFields() []connectors.Field {
	return []connectors.Field{
		{Name: "recording_auth", Type: "select", Label: connectors.Text{Zh: "录音下载认证", En: "Recordings: log-in"},
			Help: connectors.Text{Zh: "下载录音时如何证明身份。Twilio 格式自动使用账号与 Auth Token。", En: "How recordings are fetched. With the Twilio format account and auth token are used by themselves."},
			Options: []connectors.Option{{Value: "", Label: connectors.Text{Zh: "无", En: "None"}},
				{Value: "basic", Label: connectors.Text{Zh: "HTTP Basic（用户名:密码）", En: "HTTP basic (user:password)"}},
				{Value: "bearer", Label: connectors.Text{Zh: "Bearer 令牌", En: "Bearer token"}}}},
		{Name: "recording_secret", Type: "password", Secret: true, Label: connectors.Text{Zh: "录音下载密码", En: "Recordings: password"},
			Help: connectors.Text{Zh: "用户名:密码，或令牌。只发给下面列出的主机。", En: "user:password, or the token. It is sent to the hosts below only."}},
		{Name: "recording_hosts", Type: "list", Label: connectors.Text{Zh: "录音主机", En: "Recordings: hosts"},
			Help: connectors.Text{Zh: "逗号分隔，例如 record.example.com。密码只发给它们。", En: "Comma separated, e.g. record.example.com. The password goes to these only."}},
		{Name: "recording_base", Type: "text", Pattern: `https?://.+`, Label: connectors.Text{Zh: "录音地址前缀", En: "Recordings: base address"},
			Help: connectors.Text{Zh: "呼叫中心只给出相对路径时，加在前面，例如 https://record.example.com/。", En: "Put before relative paths, e.g. https://record.example.com/."}},
		{Name: "recording_max_mb", Type: "number", Default: strconv.Itoa(defaultFetchMB), Pattern: `[1-9][0-9]{0,2}`, Label: connectors.Text{Zh: "录音上限（MB）", En: "Recordings: largest (MB)"},
			Help: connectors.Text{Zh: "更大的录音不保存。", En: "Larger ones are not kept."}},
	}
}

func checkFetch(given map[string]string) (out []connectors.Problem) {
	if given["recording_auth"] != "" && given["recording_secret"] == "" {
		out = append(out, connectors.Problem{Field: "recording_secret", Text: connectors.Text{Zh: "所选认证需要密码或令牌。", En: "The chosen log-in needs a password or token."}})
	}
	if given["recording_auth"] != "" && given["recording_hosts"] == "" {
		out = append(out, connectors.Problem{Field: "recording_hosts", Text: connectors.Text{Zh: "请列出可以收到密码的主机。", En: "Name the hosts the password may be sent to."}})
	}
	if given["recording_base"] != "" {
		out = append(out, checkURL("recording_base", given["recording_base"])...)
	}
	return out
}

// Fetch brings a recording; ref is recording.Ref: an address without credentials. What will never come is Permanent; everything
// else is worth another try while the link lives.
func (c *Connector) Fetch(ctx context.Context, ref string) (io.ReadCloser, string, error) {
	u, err := c.recordingURL(ref)
	if err != nil {
		return nil, "", &connectors.SendError{Class: connectors.Permanent, Code: "bad_address", Hint: both("录音地址无效。", "The recording's address cannot be used."), Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	res, err := c.getRecording(ctx, u)
	if err != nil {
		cancel()
		return nil, "", err
	}
	body, typ, err := c.recordingBody(res)
	if err != nil {
		res.Body.Close()
		cancel()
		return nil, "", err
	}
	return &recordingReader{Reader: body, body: res.Body, cancel: cancel}, typ, nil
}

// recordingReader closes the connection and its timer.
type recordingReader struct {
	io.Reader
	body   io.Closer
	cancel context.CancelFunc
}

// Close ends the transfer.
func (r *recordingReader) Close() error {
	defer r.cancel()
	return r.body.Close()
}

func (c *Connector) recordingURL(ref string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(ref))
	if err != nil {
		return nil, errors.New("the address cannot be read")
	}
	if !u.IsAbs() {
		base, err := url.Parse(c.ch.Settings["recording_base"])
		if err != nil || base.Host == "" {
			return nil, errors.New("the address is relative and no base address is set")
		}
		u = base.JoinPath(u.Path)
		if parsed, err := url.Parse(ref); err == nil {
			u.RawQuery = parsed.RawQuery
		}
	}
	if u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return nil, errors.New("the address is not http")
	}
	u.User = nil
	return u, nil
}

// getRecording asks for it. Credentials go to the hosts an admin named and to no other, redirects included.
func (c *Connector) getRecording(ctx context.Context, u *url.URL) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, &connectors.SendError{Class: connectors.Permanent, Code: "bad_address", Err: withoutURL(err)}
	}
	c.logIn(req)
	req.Header.Set("Accept", "audio/*, */*;q=0.5")
	client := *c.tools.HTTP
	client.Timeout = fetchTimeout
	client.CheckRedirect = func(next *http.Request, via []*http.Request) error {
		if len(via) > maxFetchHops {
			return errors.New("too many redirects")
		}
		c.logIn(next)
		return nil
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("fetch recording: %w", withoutURL(err))
	}
	if err := recordingStatus(res.StatusCode); err != nil {
		res.Body.Close()
		return nil, err
	}
	return res, nil
}

// logIn sets or takes away a request's credentials, by its own host.
func (c *Connector) logIn(r *http.Request) {
	r.Header.Del("Authorization")
	if login := c.recordingLogin(r.URL); login != "" {
		r.Header.Set("Authorization", login)
	}
}

// recordingLogin is the Authorization a host gets; "" for hosts that get none.
func (c *Connector) recordingLogin(u *url.URL) string {
	s := c.ch.Settings
	listed := slices.Contains(hostList(s["recording_hosts"]), strings.ToLower(u.Host)) || slices.Contains(hostList(s["recording_hosts"]), strings.ToLower(u.Hostname()))
	switch {
	case s["recording_auth"] == "basic" && listed:
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(s["recording_secret"]))
	case s["recording_auth"] == "bearer" && listed:
		return "Bearer " + s["recording_secret"]
	case s["recording_auth"] == "" && s["format"] == "twilio" && (listed || u.Scheme == "https" && strings.HasSuffix(strings.ToLower(u.Hostname()), ".twilio.com")):
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(twilioAccount(u, s)+":"+s["secret"]))
	}
	return ""
}

// twilioAccount is the account a recording's address names: /2010-04-01/Accounts/AC…/Recordings/RE….
func twilioAccount(u *url.URL, s map[string]string) string {
	if _, rest, ok := strings.Cut(u.Path, "/Accounts/"); ok {
		account, _, _ := strings.Cut(rest, "/")
		return account
	}
	return s["sms_account"]
}

func hostList(list string) []string {
	return strings.FieldsFunc(strings.ToLower(list), func(r rune) bool { return r == ',' || r == ' ' || r == '，' || r == '\n' })
}

func recordingStatus(status int) error {
	code := "http_" + strconv.Itoa(status)
	switch {
	case status >= 200 && status < 300:
		return nil
	case status == http.StatusNotFound || status == http.StatusGone:
		return &connectors.SendError{Class: connectors.Permanent, Code: code, Hint: both("录音不存在或已被删除。", "The recording is not there or has been deleted.")}
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return &connectors.SendError{Class: connectors.Credentials, Code: code, Hint: both("录音需要认证，或链接已过期。", "The recording wants a log-in, or its link has expired.")}
	}
	return &connectors.SendError{Class: connectors.Transient, Code: code, Hint: both("录音暂时取不到，会继续重试。", "The recording cannot be fetched yet; it is tried again.")}
}

// recordingBody bounds what is read and tells the type by the first bytes: servers often say application/octet-stream.
func (c *Connector) recordingBody(res *http.Response) (io.Reader, string, error) {
	mb, err := strconv.ParseInt(c.ch.Settings["recording_max_mb"], 10, 64)
	if err != nil || mb <= 0 {
		mb = defaultFetchMB
	}
	limit := mb << 20
	tooBig := &connectors.SendError{Class: connectors.Permanent, Code: "too_big", Hint: both("录音超过大小上限。", "The recording is larger than allowed.")}
	if res.ContentLength > limit {
		return nil, "", tooBig
	}
	head := make([]byte, 512)
	n, err := io.ReadFull(res.Body, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, "", fmt.Errorf("read recording: %w", withoutURL(err))
	}
	head = head[:n]
	typ := audioType(head, res.Header.Get("Content-Type"))
	if typ == "" {
		return nil, "", &connectors.SendError{Class: connectors.Transient, Code: "no_audio", Hint: both("得到的不是录音，会再试。", "What came is no recording; it is tried again.")}
	}
	rest := &boundedReader{r: res.Body, left: limit - int64(n), err: tooBig}
	return io.MultiReader(bytes.NewReader(head), rest), typ, nil
}

// boundedReader fails when more comes than allowed.
type boundedReader struct {
	r    io.Reader
	left int64
	err  error
}

// Read fails with err at the first byte too many.
func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		var one [1]byte
		if n, err := b.r.Read(one[:]); n == 0 {
			return 0, err
		}
		return 0, b.err
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// audioMarks are beginnings of audio files (RFC 4867 for AMR).
var audioMarks = []struct{ mark, typ string }{
	{"#!AMR-WB\n", "audio/amr-wb"}, {"#!AMR", "audio/amr"}, {"fLaC", "audio/flac"}, {"OggS", "audio/ogg"}, {"ID3", "audio/mpeg"}, {".snd", "audio/basic"},
	{"\x02#!SILK", "audio/silk"}, {"#!SILK", "audio/silk"},
}

// audioType is the type of a file that begins with head; "" when it is no sound.
func audioType(head []byte, declared string) string {
	for _, m := range audioMarks {
		if bytes.HasPrefix(head, []byte(m.mark)) {
			return m.typ
		}
	}
	switch {
	case len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WAVE":
		return "audio/wav"
	case len(head) >= 12 && string(head[4:8]) == "ftyp":
		return "audio/mp4"
	case len(head) >= 2 && head[0] == 0xff && head[1]&0xe0 == 0xe0:
		return "audio/mpeg"
	}
	seen := http.DetectContentType(head)
	if strings.HasPrefix(seen, "text/") && len(head) > 0 || strings.HasPrefix(string(bytes.TrimSpace(head)), "{") { // an error page, whatever it says it is
		return ""
	}
	base, _, _ := strings.Cut(strings.ToLower(cmp.Or(declared, seen)), ";")
	if base = strings.TrimSpace(base); strings.HasPrefix(base, "audio/") || strings.HasPrefix(base, "video/") {
		return base
	}
	return ""
}
