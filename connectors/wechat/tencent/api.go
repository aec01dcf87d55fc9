package tencent

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
)

// An answer is what an endpoint says: always HTTP 200, with an errcode.
type answer struct {
	code int
	msg  string
	more any // fields beside errcode and errmsg; nil for none
}

func ok(more any) answer                 { return answer{0, "ok", more} }
func refuse(code int, msg string) answer { return answer{code, msg, nil} }

// refused is an answer with Tencent's own words for a code.
func refused(code int) answer { return answer{code, words[code], nil} }

// words are Tencent's errmsg for the codes that stand here by themselves.
var words = map[int]string{
	-1: "system error", 40001: "invalid credential, access_token is invalid or not latest, could get access_token by getStableAccessToken",
	40003: "invalid openid", 40004: "invalid media type", 40005: "invalid file type", 40007: "invalid media_id", 40008: "invalid message type",
	40009: "invalid image size", 40010: "invalid voice size", 40011: "invalid video size", 40013: "invalid appid", 40014: "invalid access_token",
	40035: "invalid parameter", 40037: "invalid template_id", 40058: "invalid Request Parameter", 40066: "invalid url",
	40096: "invalid external userid", 40125: "invalid appsecret", 40137: "invalid image format", 40164: "invalid ip, not in whitelist",
	41001: "access_token missing", 41005: "media data missing", 42001: "access_token expired", 43002: "require POST method",
	43004: "require subscribe", 43019: "require remove blacklist", 44004: "empty content", 45002: "content size out of limit",
	45009: "reach max api daily quota limit", 45011: "api minute-quota reach limit, must slower, retry next minute",
	45015: "response out of time limit or subscription is canceled", 45047: "out of response count limit", 45008: "article size out of limit",
	45072: "command can only be Typing or CancelTyping", 45080: "need send typing within 30s of user interaction", 45081: "already typing",
	46004: "user not exist", 47001: "data format error", 48001: "api unauthorized", 60020: "not allow to access from your ip",
	95001: "send msg count limit", 95004: "open_kfid not exist", 95007: "invalid msg token", 95013: "conversation end",
	95016: "service state trans invalid", 95018: "send msg session status invalid",
}

// write sends the answer as Tencent does: text/plain is what custom/send really says its JSON is.
func (a answer) write(w http.ResponseWriter) {
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"errcode":%d,"errmsg":%s`, a.code, quote(a.msg))
	if more, err := json.Marshal(a.more); err == nil && a.more != nil && len(more) > 2 {
		b.WriteByte(',')
		b.Write(more[1 : len(more)-1])
	}
	b.WriteByte('}')
	w.Header().Set("Content-Type", "application/json; encoding=utf-8")
	w.Write(b.Bytes())
}

// A request is one call with its body read and its account known.
type request struct {
	*http.Request
	body []byte
	acc  *account
}

// into decodes a JSON body. Like Tencent's, it does not know the escapes of <, > and & that some encoders make: they reach the
// phone as they are.
func (r request) into(v any) bool {
	return json.Unmarshal(unknownEscapes.ReplaceAll(r.body, []byte(`\$0`)), v) == nil
}

var unknownEscapes = regexp.MustCompile(`\\u00(3c|3e|26|3C|3E)`)

// A handler answers one call; t.mu is held.
type handler func(r request) answer

// routes is the API. get and post need a token; the rest looks at it itself.
func (t *Tencent) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("/cgi-bin/token", t.open(t.plainToken))
	mux.HandleFunc("/cgi-bin/stable_token", t.open(t.stableToken))
	mux.HandleFunc("/cgi-bin/gettoken", t.open(t.corpToken))
	for path, h := range map[string]handler{
		"/cgi-bin/message/custom/send":            t.customSend,
		"/cgi-bin/message/custom/typing":          t.customTyping,
		"/cgi-bin/message/custom/business/typing": t.customTyping,
		"/cgi-bin/message/template/send":          t.templateSend,
		"/cgi-bin/message/subscribe/send":         t.templateSend,
		"/cgi-bin/user/info":                      t.userInfo,
		"/cgi-bin/media/upload":                   t.mediaUpload,
		"/cgi-bin/getcallbackip":                  t.callbackIP,
		"/cgi-bin/get_api_domain_ip":              t.callbackIP,
		"/cgi-bin/kf/account/list":                t.kfAccounts,
		"/cgi-bin/kf/sync_msg":                    t.kfSync,
		"/cgi-bin/kf/send_msg":                    t.kfSend,
		"/cgi-bin/kf/send_msg_on_event":           t.kfSendOnEvent,
		"/cgi-bin/kf/service_state/get":           t.kfState,
		"/cgi-bin/kf/service_state/trans":         t.kfTrans,
		"/cgi-bin/kf/customer/batchget":           t.kfCustomers,
	} {
		mux.HandleFunc(path, t.guarded(h))
	}
	mux.HandleFunc("/cgi-bin/media/get", t.mediaGet)
	mux.HandleFunc("/video/{id}", t.videoFile)
	mux.HandleFunc("/", t.open(func(request) answer { return refused(40066) }))
	return mux
}

// ServeHTTP answers the API.
func (t *Tencent) ServeHTTP(w http.ResponseWriter, r *http.Request) { t.mux.ServeHTTP(w, r) }

// maxBody is above every limit of Tencent's, so that the limits answer and not the connection.
const maxBody = 24 << 20

// open serves an endpoint that needs no token.
func (t *Tencent) open(h handler) http.HandlerFunc {
	return t.serve(func(r request) answer { return h(r) })
}

// guarded serves an endpoint that needs one.
func (t *Tencent) guarded(h handler) http.HandlerFunc {
	return t.serve(func(r request) answer {
		acc, code := t.holder(r.URL.Query().Get("access_token"))
		if code != 0 {
			return refused(code)
		}
		r.acc = acc
		return h(r)
	})
}

func (t *Tencent) serve(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
		if err != nil {
			return
		}
		f := t.fault(r.URL.Path, string(body))
		if f != nil && !f.Done && f.wrong(w, r) {
			t.note(r, body, answer{code: f.ErrCode}, f.Status)
			return
		}
		t.mu.Lock()
		a := h(request{r, body, nil})
		t.changed()
		t.mu.Unlock()
		t.note(r, body, a, 0)
		if f != nil && f.Done && f.wrong(w, r) {
			return
		}
		a.write(w)
	}
}

// note records a call.
func (t *Tencent) note(r *http.Request, body []byte, a answer, status int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := Call{At: t.now(), Method: r.Method, Path: r.URL.Path, ErrCode: a.code, Status: status}
	if status == 0 {
		c.Status = http.StatusOK
	}
	if acc, code := t.holder(r.URL.Query().Get("access_token")); code == 0 {
		c.AppID = acc.AppID
	}
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		c.Body = string(body)
	}
	t.calls = append(trimmed(t.calls), c)
	t.changed()
}

// maxRecorded is how many calls and callbacks are remembered: more than any test makes, less than a demo of weeks.
const maxRecorded = 50000

// trimmed forgets the older half of a record that is full.
func trimmed[T any](all []T) []T {
	if len(all) < maxRecorded {
		return all
	}
	return append([]T(nil), all[len(all)/2:]...)
}

// remote is the caller's address without its port.
func remote(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func (t *Tencent) callbackIP(request) answer {
	return ok(struct {
		List []string `json:"ip_list"`
	}{[]string{"127.0.0.1"}})
}
