package blobs

import (
	"bytes"
	"net/http"
	"strings"
)

// SniffLen is how many leading bytes Sniff wants to see.
const SniffLen = 512

// Sniff names the media type by content, whatever the sender called it, without parameters ("text/plain"). Beside what
// net/http knows it tells apart what phones and chat programs send. SVG is image/svg+xml: a document that can carry scripts,
// see Inline.
func Sniff(head []byte) string {
	head = head[:min(len(head), SniffLen)]
	if t := container(head); t != "" {
		return t
	}
	t, _, _ := strings.Cut(http.DetectContentType(head), ";")
	if strings.HasPrefix(t, "text/") && looksLikeSVG(head) {
		return "image/svg+xml"
	}
	return t
}

// container recognizes what net/http does not.
func container(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte("#!AMR")):
		return "audio/amr"
	case bytes.HasPrefix(head, []byte("#!SILK")), bytes.HasPrefix(head, []byte("\x02#!SILK")):
		return "audio/silk"
	case bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")):
		return "application/x-ole-storage" // Word, Excel and PowerPoint until 2003
	case bytes.HasPrefix(head, []byte("7z\xbc\xaf\x27\x1c")):
		return "application/x-7z-compressed"
	case bytes.HasPrefix(head, []byte("\xff\xf1")), bytes.HasPrefix(head, []byte("\xff\xf9")):
		return "audio/aac"
	case bytes.HasPrefix(head, []byte("\xff\xfb")), bytes.HasPrefix(head, []byte("\xff\xf3")), bytes.HasPrefix(head, []byte("\xff\xf2")):
		return "audio/mpeg" // layer III without a tag, as recorders write it
	case len(head) >= 12 && string(head[4:8]) == "ftyp":
		return brand(string(head[8:12]))
	}
	return ""
}

// brand names ISO base media files by their major brand (ISO/IEC 14496-12, 4.3).
func brand(b string) string {
	switch b {
	case "heic", "heix", "heim", "heis":
		return "image/heic"
	case "mif1", "msf1", "heif":
		return "image/heif"
	case "avif", "avis":
		return "image/avif"
	case "M4A ", "M4B ":
		return "audio/mp4"
	case "qt  ":
		return "video/quicktime"
	}
	if strings.HasPrefix(b, "3gp") || strings.HasPrefix(b, "3g2") {
		return "video/3gpp"
	}
	return "video/mp4"
}

func looksLikeSVG(head []byte) bool {
	return bytes.Contains(bytes.ToLower(head), []byte("<svg"))
}

// Inline tells whether a browser may show the type inside our own pages. Pictures, sound and film only; never SVG, HTML or
// anything else that can run.
func Inline(mediaType string) bool {
	switch mediaType {
	case "image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp",
		"audio/mpeg", "audio/mp4", "audio/wave", "audio/aac", "application/ogg", "video/mp4", "video/webm":
		return true
	}
	return false
}
