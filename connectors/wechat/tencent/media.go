package tencent

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"time"
)

// mediaLife is how long temporary media stay.
const mediaLife = 3 * 24 * time.Hour

// A medium is one temporary file.
type medium struct {
	id    string
	acc   *account
	class string // image, voice, video, thumb, file
	name  string
	typ   string // media type
	data  []byte
	until time.Time
}

// limits are the sizes and the errcodes of what is larger.
var limits = map[string]struct {
	size int
	code int
}{
	"image": {10 << 20, 40009}, "voice": {2 << 20, 40010}, "video": {10 << 20, 40011}, "thumb": {64 << 10, 40009}, "file": {20 << 20, 45001},
}

// kinds of files each class takes, by their first bytes.
func fits(class string, data []byte) bool {
	typ := http.DetectContentType(data)
	switch class {
	case "image":
		return typ == "image/jpeg" || typ == "image/png" || typ == "image/gif" || typ == "image/bmp"
	case "thumb":
		return typ == "image/jpeg" || typ == "image/png"
	case "voice":
		return bytes.HasPrefix(data, []byte("#!AMR")) || typ == "audio/mpeg"
	case "video":
		return typ == "video/mp4"
	}
	return class == "file" && len(data) > 5
}

// typeOf is the media type a download is labelled with.
func typeOf(class string, data []byte) string {
	if bytes.HasPrefix(data, []byte("#!AMR")) {
		return "audio/amr"
	}
	if class == "voice" {
		return "audio/mpeg"
	}
	return http.DetectContentType(data)
}

// keep stores a file. t.mu is held.
func (t *Tencent) keep(acc *account, class, name string, data []byte) *medium {
	m := &medium{id: randomID(64), acc: acc, class: class, name: name, typ: typeOf(class, data), data: data, until: t.now().Add(mediaLife)}
	t.media[m.id] = m
	t.held += len(data)
	return m
}

// medium finds a file of the account that is still there. t.mu is held.
func (t *Tencent) medium(acc *account, id string) *medium {
	m := t.media[id]
	if m == nil || m.acc.AppID != acc.AppID || !t.now().Before(m.until) {
		return nil
	}
	return m
}

// mediaUpload takes one file in the form field "media".
func (t *Tencent) mediaUpload(r request) answer {
	class := r.URL.Query().Get("type")
	limit, known := limits[class]
	if !known || class == "file" && r.acc.Kind != KF || class == "thumb" && r.acc.Kind == KF {
		return refused(40004)
	}
	name, data := formFile(r)
	switch {
	case data == nil:
		return refused(41005)
	case len(data) > limit.size:
		return refused(limit.code)
	case !fits(class, data) && class == "image":
		return refused(40137)
	case !fits(class, data):
		return refused(40005)
	}
	m := t.keep(r.acc, class, name, data)
	at := t.now().Unix()
	if r.acc.Kind == KF {
		return ok(struct {
			Type    string `json:"type"`
			MediaID string `json:"media_id"`
			Created string `json:"created_at"`
		}{class, m.id, strconv.FormatInt(at, 10)})
	}
	return ok(struct {
		Type    string `json:"type"`
		MediaID string `json:"media_id"`
		Created int64  `json:"created_at"`
	}{class, m.id, at})
}

func formFile(r request) (name string, data []byte) {
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return "", nil
	}
	form := multipart.NewReader(bytes.NewReader(r.body), params["boundary"])
	for {
		part, err := form.NextPart()
		if err != nil {
			return "", nil
		}
		if part.FormName() == "media" && part.FileName() != "" {
			data, err := io.ReadAll(part)
			if err != nil {
				return "", nil
			}
			return part.FileName(), data
		}
	}
}

// mediaGet answers with the bytes; an error is JSON in text/plain, a video of an official account the address of its file.
func (t *Tencent) mediaGet(w http.ResponseWriter, r *http.Request) {
	f := t.fault(r.URL.Path, r.URL.RawQuery)
	if f != nil && f.wrong(w, r) {
		t.note(r, nil, answer{code: f.ErrCode}, f.Status)
		return
	}
	t.mu.Lock()
	q := r.URL.Query()
	acc, code := t.holder(q.Get("access_token"))
	var m *medium
	if code == 0 {
		if m = t.medium(acc, q.Get("media_id")); m == nil {
			code = 40007
		}
	}
	t.mu.Unlock()
	t.note(r, nil, answer{code: code}, 0)
	if code != 0 {
		w.Header().Set("Content-Type", "text/plain")
		fmt.Fprintf(w, `{"errcode":%d,"errmsg":%s}`, code, quote(words[code]))
		return
	}
	if m.class == "video" && acc.Kind != KF {
		w.Header().Set("Content-Type", "text/plain")
		fmt.Fprintf(w, `{"video_url":%s}`, quote("http://"+r.Host+"/video/"+m.id))
		return
	}
	m.write(w)
}

func (t *Tencent) videoFile(w http.ResponseWriter, r *http.Request) {
	t.mu.Lock()
	m := t.media[r.PathValue("id")]
	t.mu.Unlock()
	if m == nil {
		http.NotFound(w, r)
		return
	}
	m.write(w)
}

func (m *medium) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", m.typ)
	w.Header().Set("Content-Length", strconv.Itoa(len(m.data)))
	w.Header().Set("Content-Disposition", `attachment; filename="`+m.name+`"`)
	w.Write(m.data)
}
