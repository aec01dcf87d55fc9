package webchat

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"hearback/blobs"
	"hearback/desk"
)

// office documents as they look from inside: the new ones are zip archives, the old ones OLE.
var office = map[string]string{
	".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
	".odt":  "application/vnd.oasis.opendocument.text", ".ods": "application/vnd.oasis.opendocument.spreadsheet",
	".doc": "application/msword", ".xls": "application/vnd.ms-excel", ".ppt": "application/vnd.ms-powerpoint", ".wps": "application/vnd.ms-works",
}

// serveUpload keeps a file for a message to come. What counts is what the file is, not what it is called.
func (c *Channel) serveUpload(w http.ResponseWriter, r *http.Request) {
	who := c.caller(w, r)
	if who == nil {
		return
	}
	if ref := c.limits.message(r.Context(), who.Visitor); ref != nil {
		writeProblem(w, ref)
		return
	}
	http.NewResponseController(w).SetReadDeadline(time.Now().Add(2 * time.Minute))
	r.Body = http.MaxBytesReader(w, r.Body, c.set.maxFile+64<<10) // and the form around it
	f, ref := c.keepFile(r)
	if ref != nil {
		writeProblem(w, ref)
		return
	}
	link := c.linkFile(f)
	link.ID = c.uploadID(f, who.Visitor)
	writeJSON(w, http.StatusCreated, link)
}

// keepFile finds the form's file, looks at its beginning, and stores it.
func (c *Channel) keepFile(r *http.Request) (file, *refusal) {
	form, err := r.MultipartReader()
	if err != nil {
		return file{}, refuse(http.StatusBadRequest, "bad_frame", "Send the file as multipart/form-data, field file.")
	}
	for {
		part, err := form.NextPart()
		if err != nil {
			return file{}, uploadRefusal(err, c.set.maxFile)
		}
		if part.FormName() != "file" {
			continue
		}
		head := make([]byte, blobs.SniffLen)
		n, err := io.ReadFull(part, head)
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return file{}, uploadRefusal(err, c.set.maxFile)
		}
		if n == 0 {
			return file{}, refuse(http.StatusUnprocessableEntity, "bad_frame", "The file is empty.")
		}
		name := safeName(part.FileName())
		mediaType, allowed := c.judgeType(blobs.Sniff(head[:n]), name)
		if !allowed {
			return file{}, refuse(http.StatusUnsupportedMediaType, "forbidden", "Files of this type are not accepted here.")
		}
		b, err := c.tools.Blobs.Put(r.Context(), io.MultiReader(bytes.NewReader(head[:n]), part), c.set.maxFile)
		if err != nil {
			return file{}, uploadRefusal(err, c.set.maxFile)
		}
		return file{Name: name, Type: mediaType, Size: b.Size, Blob: b.Key}, nil
	}
}

func uploadRefusal(err error, limit int64) *refusal {
	var tooBig *http.MaxBytesError
	switch {
	case errors.As(err, &tooBig), errors.Is(err, desk.ErrInvalid):
		return refuse(http.StatusRequestEntityTooLarge, "too_long", fmt.Sprintf("A file has at most %d MB.", limit>>20))
	case errors.Is(err, desk.ErrUnavailable):
		return &refusal{status: http.StatusServiceUnavailable, code: "unavailable", detail: "The file was not stored. Please send it again.", after: 5 * time.Second}
	case errors.Is(err, io.EOF):
		return refuse(http.StatusBadRequest, "bad_frame", "The form has no field file.")
	}
	return refuse(http.StatusBadRequest, "bad_frame", "The upload broke off.")
}

// judgeType refines the sniffed type by the name where the content is a container, and asks the channel's list.
func (c *Channel) judgeType(sniffed, name string) (mediaType string, allowed bool) {
	mediaType = sniffed
	isContainer := sniffed == "application/zip" || sniffed == "application/x-ole-storage"
	if t := office[strings.ToLower(path.Ext(name))]; t != "" && isContainer {
		mediaType = t
	}
	for _, want := range c.set.fileTypes {
		family, any := strings.CutSuffix(want, "/*")
		switch {
		case mediaType == "image/svg+xml": // a document that can run scripts, whatever the list says
			return mediaType, false
		case any && strings.HasPrefix(mediaType, family+"/"), want == mediaType,
			want == "office" && mediaType != sniffed,
			want == "zip" && sniffed == "application/zip",
			want == "text/plain" && mediaType == "text/csv":
			return mediaType, true
		}
	}
	return mediaType, false
}

// safeName is the last part of a file's name, without what could mislead: controls and bidi overrides ("exe.gpj").
func safeName(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, name)
	if name = strings.TrimSpace(name); name == "" || name == "." || name == ".." {
		name = "file"
	}
	if ext := path.Ext(name); len(name) > 200 && len(ext) < 20 {
		return cut(name, 200-len(ext)) + ext
	}
	return cut(name, 200)
}

// serveFile hands out a file by a signed link.
func (c *Channel) serveFile(w http.ResponseWriter, r *http.Request, key string) {
	var t fileToken
	err := c.unseal("file", r.URL.Query().Get("token"), &t)
	switch {
	case err != nil || t.Blob != key:
		writeProblem(w, refuse(http.StatusForbidden, "forbidden", "This link is not valid."))
		return
	case c.now().Unix() >= t.Expires:
		writeProblem(w, refuse(http.StatusForbidden, "token_expired", "This link has expired: load the conversation again."))
		return
	}
	content, err := c.tools.Blobs.Open(r.Context(), key)
	if err != nil {
		writeProblem(w, refuse(http.StatusNotFound, "not_found", "The file is not there any more."))
		return
	}
	defer content.Close()
	disposition := "attachment"
	if blobs.Inline(t.Type) {
		disposition = "inline"
	}
	h := w.Header()
	h.Set("Content-Type", t.Type)
	h.Set("Content-Disposition", mime.FormatMediaType(disposition, map[string]string{"filename": t.Name}))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("Cache-Control", "private, immutable, max-age="+strconv.Itoa(int(linkLife.Seconds())))
	http.ServeContent(w, r, "", time.Time{}, content)
}
