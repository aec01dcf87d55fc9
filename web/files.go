package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"path"
	"regexp"
)

//go:embed all:dist
var embedded embed.FS

//go:embed demo
var demoFiles embed.FS

// A file is one servable file with its ready compressed forms.
type file struct {
	name    string
	media   string
	tag     string // of the uncompressed content
	hashed  bool   // the name changes with the content
	size    int64
	variant map[string]int64 // "br" and "gzip" to their sizes
}

// hashedName matches what the build puts a hash into: assets/index-B3xk9_Qa.js.
var hashedName = regexp.MustCompile(`^assets/.*-[A-Za-z0-9_-]{8,}\.[a-z0-9]+$`)

var endings = map[string]string{"br": ".br", "gzip": ".gz"}

// index lists all files of a tree with their tags, reading each once.
func index(tree fs.FS) (map[string]*file, error) {
	files := map[string]*file{}
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Base(name)[0] == '.' {
			return err
		}
		if e := path.Ext(name); e == ".br" || e == ".gz" {
			return nil
		}
		f, err := describe(tree, name)
		files[name] = f
		return err
	})
	return files, err
}

func describe(tree fs.FS, name string) (*file, error) {
	r, err := tree.Open(name)
	if err != nil {
		return nil, fmt.Errorf("index file: %w", err)
	}
	defer r.Close()
	sum := sha256.New()
	size, err := io.Copy(sum, r)
	if err != nil {
		return nil, fmt.Errorf("index file: %w", err)
	}
	f := &file{name: name, media: mediaType(name), tag: hex.EncodeToString(sum.Sum(nil)[:10]), hashed: hashedName.MatchString(name),
		size: size, variant: map[string]int64{}}
	for coding, ending := range endings {
		if info, err := fs.Stat(tree, name+ending); err == nil {
			f.variant[coding] = info.Size()
		}
	}
	return f, nil
}

// mediaType does not depend on the machine's mime tables for what browsers are strict about.
func mediaType(name string) string {
	switch path.Ext(name) {
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".html":
		return "text/html; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".webmanifest":
		return "application/manifest+json"
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return t
	}
	return "application/octet-stream"
}
