package wechat

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"path"
	"strings"
	"time"

	"hearback/connectors"
	"hearback/desk"
)

// Types of temporary media, and what Tencent takes of each.
const (
	mediaImage = "image"
	mediaVoice = "voice"
	mediaVideo = "video"
	mediaFile  = "file" // WeCom only

	maxImage = 10 << 20
	maxVoice = 2 << 20
	maxVideo = 10 << 20
	maxFile  = 20 << 20

	// uploadLife is how long an upload is reused: Tencent keeps it for three days.
	uploadLife = mediaLife - 2*time.Hour
)

var extensions = map[string]string{
	"image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "image/bmp": "bmp", "audio/amr": "amr", "audio/mpeg": "mp3", "audio/mp3": "mp3", "video/mp4": "mp4",
}

func bare(mediaType string) string {
	base, _, _ := strings.Cut(mediaType, ";")
	return strings.ToLower(strings.TrimSpace(base))
}

// mediaKind is the message type an account has for a file; "" when only a link will do.
func (c *official) mediaKind(a desk.Attachment) string {
	switch typ := bare(a.Type); {
	case typ == "image/jpeg" || typ == "image/png" || typ == "image/gif" || typ == "image/bmp":
		return fits(a, mediaImage, maxImage)
	case c.s.account == accountMiniprogram:
		return ""
	case typ == "audio/amr" || typ == "audio/mpeg" || typ == "audio/mp3":
		return fits(a, mediaVoice, maxVoice)
	case typ == "video/mp4":
		return fits(a, mediaVideo, maxVideo)
	}
	return ""
}

func fits(a desk.Attachment, kind string, limit int64) string {
	if a.Size > limit {
		return ""
	}
	return kind
}

// withMedia uploads a file, or takes the id of an earlier upload, and hands it to send. An id that Tencent has forgotten is uploaded
// anew, once: the message was not sent with it.
func (a *api) withMedia(ctx context.Context, file desk.Attachment, kind string, send func(mediaID string) error) error {
	key := "media:" + kind + ":" + file.Blob
	if kind == mediaFile {
		key += ":" + file.Name // customers see the name it was uploaded with
	}
	upload := func() (string, error) {
		id, err := a.tools.Cache.Once(ctx, key, func(ctx context.Context) (string, time.Duration, error) {
			id, err := a.upload(ctx, file, kind)
			return id, uploadLife, err
		})
		if err != nil && !isAnswer(err) {
			err = a.s.judge(&lostError{why: withoutAddress(err)}, false, a.tools.Now())
		}
		return id, err
	}
	id, err := upload()
	if err != nil {
		return err
	}
	err = send(id)
	var e *connectors.SendError
	if !errors.As(err, &e) || e.Code != "40007" {
		return err
	}
	if dropped := a.tools.Cache.Drop(ctx, key, id); dropped != nil {
		return err
	}
	again, failed := upload()
	if failed != nil || again == id {
		return err
	}
	return send(again)
}

// upload hands a file to Tencent and returns its media id.
func (a *api) upload(ctx context.Context, file desk.Attachment, kind string) (string, error) {
	head, tail, typ, err := envelopeOf(file)
	if err != nil {
		return "", &connectors.SendError{Class: connectors.Permanent, Err: err}
	}
	c := call{method: http.MethodPost, path: "/cgi-bin/media/upload", query: url.Values{"type": {kind}}, typ: typ, file: true}
	c.body = func() (io.ReadCloser, int64, error) {
		blob, err := a.tools.Blobs.Open(ctx, file.Blob)
		if err != nil {
			return nil, 0, &connectors.SendError{Class: connectors.Permanent, Code: "attachment_missing", Err: fmt.Errorf("open attachment: %w", err),
				Hint: say("附件已不存在。", "The attachment is gone.")}
		}
		n, err := blob.Seek(0, io.SeekEnd)
		if err == nil {
			_, err = blob.Seek(0, io.SeekStart)
		}
		if err != nil {
			blob.Close()
			return nil, 0, &connectors.SendError{Class: connectors.Transient, Err: fmt.Errorf("read attachment: %w", err)}
		}
		return both{io.MultiReader(bytes.NewReader(head), blob, bytes.NewReader(tail)), blob}, int64(len(head)+len(tail)) + n, nil
	}
	var answer struct {
		ID    string `json:"media_id"`
		Thumb string `json:"thumb_media_id"`
	}
	if err := a.do(ctx, c, &answer); err != nil {
		return "", err
	}
	if answer.ID = first(answer.ID, answer.Thumb); answer.ID == "" {
		return "", &connectors.SendError{Class: connectors.Transient, Err: errors.New("upload: the answer names no media id")}
	}
	return answer.ID, nil
}

// both reads from one and closes the other.
type both struct {
	io.Reader
	io.Closer
}

// envelopeOf is what stands around a file in multipart/form-data (RFC 7578).
func envelopeOf(file desk.Attachment) (head, tail []byte, typ string, err error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	h := textproto.MIMEHeader{}
	h.Set("Content-Disposition", `form-data; name="media"; filename="`+fileName(file)+`"`)
	h.Set("Content-Type", first(bare(file.Type), "application/octet-stream"))
	if _, err := w.CreatePart(h); err != nil {
		return nil, nil, "", fmt.Errorf("write upload: %w", err)
	}
	cut := b.Len()
	if err := w.Close(); err != nil {
		return nil, nil, "", fmt.Errorf("write upload: %w", err)
	}
	return b.Bytes()[:cut:cut], b.Bytes()[cut:], w.FormDataContentType(), nil
}

// fileName is a name with the ending Tencent judges the type by, and nothing that breaks the header it stands in.
func fileName(file desk.Attachment) string {
	name := strings.Map(func(r rune) rune {
		if r < 0x20 || r == '"' || r == '\\' || r == '/' {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(file.Name, ""))
	if ext := extensions[bare(file.Type)]; ext != "" && !strings.EqualFold(strings.TrimPrefix(path.Ext(name), "."), ext) {
		name = first(strings.TrimSuffix(name, path.Ext(name)), "file") + "." + ext
	}
	return first(name, "file")
}
