package console

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"hearback/auth"
	"hearback/blobs"
	"hearback/desk"
)

const (
	maxUpload  = 25 << 20 // bytes of one file
	uploadTime = 5 * time.Minute
)

// uploadTypes are the media types an agent may send to customers. What a browser would run is not among them.
var uploadTypes = []string{
	"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/heic", "image/bmp",
	"audio/mpeg", "audio/mp4", "audio/wave", "audio/aac", "audio/amr", "application/ogg", "video/mp4", "video/webm", "video/quicktime", "video/3gpp",
	"application/pdf", "text/plain", "text/csv", "application/zip",
	"application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint",
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	"application/vnd.openxmlformats-officedocument.presentationml.presentation",
}

type upload struct {
	RawBody huma.MultipartFormFiles[struct {
		File huma.FormFile `form:"file" required:"true" doc:"One file."`
	}]
}

type onAttachment struct {
	ID string `path:"id"`
}

func (c *Console) registerFiles(api huma.API) {
	tag := huma.OperationTags("Files")
	add(api, post("upload", "/api/v1/uploads", auth.TicketsWrite, "Upload a file for a reply or note", tag, answers(http.StatusCreated), bodyLimit(maxUpload+64<<10, uploadTime)), c.upload)
	add(api, get("download", "/api/v1/attachments/{id}", auth.TicketsRead, "Download a file", tag, onFile), c.download)
}

// upload keeps a file until a reply or note takes it along. The content decides what it is, not its name.
func (c *Console) upload(ctx context.Context, in *upload) (*body[Attachment], error) {
	defer in.RawBody.Form.RemoveAll()
	f := in.RawBody.Data().File
	if f.File == nil {
		return nil, invalid("body.file", "Send one file in the form field named file.")
	}
	defer f.Close()
	if f.Size > maxUpload {
		return nil, problem(http.StatusRequestEntityTooLarge, "too_large", "The file is over 25 MB. Send a smaller one or a link.")
	}
	name := fileName(f.Filename)
	kind, err := sniff(f.File, name)
	if err != nil {
		return nil, err
	}
	blob, err := c.blobs.Put(ctx, f.File, maxUpload)
	if err != nil {
		return nil, err
	}
	a, err := c.store.AddUpload(ctx, desk.Attachment{
		ID: desk.NewID(), Name: name, Type: kind, Size: blob.Size, Blob: blob.Key, State: "stored",
	}, caller(ctx).Agent.ID)
	if err != nil {
		return nil, err
	}
	return &body[Attachment]{wireAttachment(a)}, nil
}

// fileName is the last part of what the browser called it, without what could mislead a reader or a file system.
func fileName(given string) string {
	name := path.Base(strings.ReplaceAll(given, `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || (r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069) || r == utf8.RuneError {
			return -1
		}
		return r
	}, name)
	for len(name) > 200 {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	if name == "" || name == "." || name == "/" {
		return "file"
	}
	return name
}

// sniff finds the media type in the content and refuses what agents do not send. The office formats are zip files, so there
// the name decides between types that are all harmless.
func sniff(f multipart.File, name string) (string, error) {
	head := make([]byte, blobs.SniffLen)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return "", err
	}
	if n == 0 {
		return "", invalid("body.file", "The file is empty.")
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	kind := sniffed(head[:n], name)
	for _, allowed := range uploadTypes {
		if kind == allowed {
			return kind, nil
		}
	}
	return "", problem(http.StatusUnsupportedMediaType, "unsupported_media_type",
		"Files of this type ("+kind+") are not taken. Use pictures, sound, video, PDF, text, office documents or zip.")
}

// sniffed is the content's type, refined by the name where the content is the same box for several harmless types.
func sniffed(head []byte, name string) string {
	kind, office := blobs.Sniff(head), officeType(name)
	switch {
	case kind == "application/zip" && strings.HasPrefix(office, openXML):
		return office
	case kind == "application/x-ole-storage" && office != "" && !strings.HasPrefix(office, openXML):
		return office
	case kind == "text/plain" && strings.EqualFold(path.Ext(name), ".csv"):
		return "text/csv"
	}
	return kind
}

const openXML = "application/vnd.openxmlformats-officedocument."

// officeType is fixed here because the system's table differs between machines.
func officeType(name string) string {
	return map[string]string{
		".docx": openXML + "wordprocessingml.document", ".xlsx": openXML + "spreadsheetml.sheet", ".pptx": openXML + "presentationml.presentation",
		".doc": "application/msword", ".xls": "application/vnd.ms-excel", ".ppt": "application/vnd.ms-powerpoint",
	}[strings.ToLower(path.Ext(name))]
}

// download sends a file of a ticket in the caller's scope, whole or in parts (RFC 9110, 14: players ask for ranges). Pictures, sound
// and film are shown, everything else is saved; nothing in it can run: no sniffing, no scripts, its own origin.
func (c *Console) download(ctx context.Context, in *onAttachment) (*huma.StreamResponse, error) {
	a, _, err := c.store.Attachment(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if a.State != "stored" || a.Blob == "" {
		return nil, problem(http.StatusNotFound, "not_found", "The file has not been fetched yet.")
	}
	content, err := c.blobs.Open(ctx, a.Blob)
	if err != nil {
		return nil, err
	}
	kind, err := playable(a.Type, content)
	if err != nil {
		content.Close()
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hctx huma.Context) {
		defer content.Close()
		r, w := humago.Unwrap(hctx)
		h := w.Header()
		h.Set("Content-Type", kind)
		h.Set("Content-Disposition", mime.FormatMediaType(disposition(kind), map[string]string{"filename": fileName(a.Name)}))
		h.Set("Content-Security-Policy", "sandbox; default-src 'none'; style-src 'unsafe-inline'; media-src 'self'; img-src 'self'")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "private, max-age=86400, immutable")
		h.Set("ETag", `"`+a.Blob+`"`)
		http.ServeContent(w, r, "", time.Time{}, content)
	}}, nil
}

// disposition shows pictures, sound and film and saves the rest.
func disposition(kind string) string {
	if blobs.Inline(kind) || strings.HasPrefix(kind, "audio/") || strings.HasPrefix(kind, "video/") {
		return "inline"
	}
	return "attachment"
}

// playable is the media type a browser is told: a type that says nothing is found in the content, and the names of one and the same
// sound become the one that players know.
func playable(declared string, content io.ReadSeeker) (string, error) {
	kind, _, err := mime.ParseMediaType(declared)
	if err != nil || kind == "application/octet-stream" || kind == "binary/octet-stream" {
		head := make([]byte, blobs.SniffLen)
		n, err := io.ReadFull(content, head)
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
			return "", err
		}
		if _, err := content.Seek(0, io.SeekStart); err != nil {
			return "", err
		}
		kind = blobs.Sniff(head[:n])
	}
	switch kind {
	case "audio/wave", "audio/x-wav", "audio/vnd.wave":
		return "audio/wav", nil
	case "audio/mp3", "audio/x-mp3", "audio/x-mpeg":
		return "audio/mpeg", nil
	case "audio/x-m4a":
		return "audio/mp4", nil
	}
	return kind, nil
}
