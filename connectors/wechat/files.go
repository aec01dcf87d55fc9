package wechat

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"mime"
	"net/http"
	"strings"
	"time"

	"hearback/connectors"
	"hearback/desk"
)

const (
	filePath = "/f/"
	// linkLife is how long a link to a file works. Customers open what they got once more some days later.
	linkLife = 7 * 24 * time.Hour
)

// A filePass names one file and until when it may be fetched. It is signed with the channel's key, so that the address alone is enough
// and cannot be made up.
type filePass struct {
	Blob  string `json:"b"`
	Name  string `json:"n"`
	Type  string `json:"t"`
	Until int64  `json:"u"` // unix seconds
}

// link is the public address of our copy of a file.
func (g *gate) link(a desk.Attachment) (string, error) {
	if g.tools.Address == "" || g.tools.PublicURL == "" {
		return "", &connectors.SendError{Class: connectors.Permanent, Code: "no_public_url",
			Hint: say("这种文件只能以链接发送，但系统没有配置公网地址。", "Such a file can only be sent as a link, but the gateway has no public address.")}
	}
	raw, err := json.Marshal(filePass{a.Blob, a.Name, bare(a.Type), g.tools.Now().Add(linkLife).Unix()})
	if err != nil {
		return "", &connectors.SendError{Class: connectors.Permanent, Err: err}
	}
	payload := base64.RawURLEncoding.EncodeToString(raw)
	return g.tools.Address + filePath + payload + "." + g.seal(payload), nil
}

func (g *gate) seal(payload string) string {
	mac := hmac.New(sha256.New, g.tools.Key)
	mac.Write([]byte("wechat file\x00" + payload))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// serveFile gives a customer the file his link names. Whatever is wrong with a link, the answer is the same.
func (g *gate) serveFile(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	payload, mac, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, filePath), ".")
	raw, err := base64.RawURLEncoding.DecodeString(payload)
	var pass filePass
	if err != nil || !hmac.Equal([]byte(mac), []byte(g.seal(payload))) || json.Unmarshal(raw, &pass) != nil || g.tools.Now().Unix() > pass.Until {
		http.NotFound(w, r)
		return
	}
	file, err := g.tools.Blobs.Open(r.Context(), pass.Blob)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer file.Close()
	h := w.Header()
	h.Set("Content-Type", first(pass.Type, "application/octet-stream"))
	h.Set("Content-Disposition", mime.FormatMediaType(disposition(pass.Type), map[string]string{"filename": first(pass.Name, "file")}))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "private, max-age=3600")
	http.ServeContent(w, r, "", time.Time{}, file)
}

// disposition shows what WeChat's browser can show without running anything, and hands out the rest.
func disposition(typ string) string {
	switch typ {
	case "image/jpeg", "image/png", "image/gif", "image/webp", "image/bmp", "audio/mpeg", "video/mp4", "application/pdf":
		return "inline"
	}
	return "attachment"
}
