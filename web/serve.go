package web

import (
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
)

// serve answers with one file, in the best form the client takes.
func serve(w http.ResponseWriter, r *http.Request, tree fs.FS, f *file, cache string) {
	coding := pick(r.Header.Get("Accept-Encoding"), f.variant)
	tag, name, size := `"`+f.tag+`"`, f.name, f.size
	if coding != "" {
		tag, name, size = `"`+f.tag+"-"+coding+`"`, f.name+endings[coding], f.variant[coding]
	}
	h := w.Header()
	h.Set("ETag", tag)
	h.Set("Cache-Control", cache)
	h.Add("Vary", "Accept-Encoding")
	if matches(r.Header.Get("If-None-Match"), f.tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	content, err := tree.Open(name)
	if err != nil {
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	defer content.Close()
	h.Set("Content-Type", f.media)
	h.Set("Content-Length", strconv.FormatInt(size, 10))
	if coding != "" {
		h.Set("Content-Encoding", coding)
	}
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		io.Copy(w, content) // A client that went away is nobody's error.
	}
}

// pick chooses the smallest form the client accepts (RFC 9110, 12.5.3); "" is the file as it is.
func pick(accept string, have map[string]int64) string {
	best := ""
	for part := range strings.SplitSeq(accept, ",") {
		coding, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		coding = strings.ToLower(strings.TrimSpace(coding))
		size, ok := have[coding]
		if !ok || refuses(params) {
			continue
		}
		if best == "" || size < have[best] {
			best = coding
		}
	}
	return best
}

// refuses tells whether the parameters of a coding say q=0.
func refuses(params string) bool {
	q, ok := strings.CutPrefix(strings.ReplaceAll(strings.ToLower(params), " ", ""), "q=")
	if !ok {
		return false
	}
	v, err := strconv.ParseFloat(q, 64)
	return err != nil || v <= 0
}

// matches tells whether an If-None-Match names the content in any of its forms: they are the same to a reader.
func matches(header, tag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		part = strings.Trim(strings.TrimPrefix(strings.TrimSpace(part), "W/"), `"`)
		if part == "*" {
			return true
		}
		part, _, _ = strings.Cut(part, "-")
		if part == tag {
			return true
		}
	}
	return false
}
