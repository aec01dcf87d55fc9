package blobs_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"

	"hearback/blobs"
	"hearback/desk"
)

func open(t *testing.T) (*blobs.Store, string) {
	t.Helper()
	dir := t.TempDir()
	s, err := blobs.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s, dir
}

// files lists what lies in the store, temporary files included.
func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	filepath.WalkDir(dir, func(_ string, d os.DirEntry, _ error) error {
		if !d.IsDir() {
			names = append(names, d.Name())
		}
		return nil
	})
	return names
}

func TestSameContentIsStoredOnceUnderItsHash(t *testing.T) {
	s, dir := open(t)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			b, err := s.Put(context.Background(), strings.NewReader("hello"), 5)
			if err != nil || b.Size != 5 || b.Type != "text/plain" ||
				b.Key != "sha256-2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" {
				t.Errorf("got %+v, %v", b, err)
			}
		})
	}
	wg.Wait()
	if n := files(t, dir); len(n) != 1 {
		t.Fatalf("files: %v", n)
	}
}

func TestWhatWasPutComesBackAfterReopening(t *testing.T) {
	s, dir := open(t)
	content := make([]byte, 200_000)
	rand.Read(content)
	b, err := s.Put(context.Background(), bytes.NewReader(content), 0)
	if err != nil {
		t.Fatal(err)
	}
	s, err = blobs.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Open(context.Background(), b.Key)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, _ := io.ReadAll(r); !bytes.Equal(got, content) {
		t.Fatal("content differs")
	}
	if st, err := s.Stat(context.Background(), b.Key); err != nil || st != b {
		t.Fatalf("stat %+v, %v; put said %+v", st, err, b)
	}
	var keys []string
	s.Each(context.Background(), func(k string) error { keys = append(keys, k); return nil })
	if len(keys) != 1 || keys[0] != b.Key {
		t.Fatalf("each: %v", keys)
	}
	if err := s.Remove(context.Background(), b.Key); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Open(context.Background(), b.Key); !errors.Is(err, desk.ErrNotFound) {
		t.Fatalf("after remove: %v", err)
	}
}

func TestRefusedContentLeavesNothing(t *testing.T) {
	s, dir := open(t)
	if _, err := s.Put(context.Background(), strings.NewReader("123456"), 5); !errors.Is(err, desk.ErrInvalid) {
		t.Errorf("too much: %v", err)
	}
	broken := io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(io.ErrUnexpectedEOF))
	if _, err := s.Put(context.Background(), broken, 0); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("broken reader: %v", err)
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Put(ended, strings.NewReader("abc"), 0); !errors.Is(err, context.Canceled) {
		t.Errorf("ended context: %v", err)
	}
	if n := files(t, dir); len(n) != 0 {
		t.Fatalf("left behind: %v", n)
	}
}

func TestDiskThatTakesNothingIsUnavailable(t *testing.T) {
	s, dir := open(t)
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	// A file-size limit stands for a full disk: write fails with EFBIG after 4 KB (Go ignores SIGXFSZ).
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 4096, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	_, err := s.Put(context.Background(), bytes.NewReader(make([]byte, 10_000)), 0)
	if e := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); e != nil {
		t.Fatal(e)
	}
	if !errors.Is(err, desk.ErrUnavailable) {
		t.Fatalf("got %v", err)
	}
	if n := files(t, dir); len(n) != 0 {
		t.Fatalf("left behind: %v", n)
	}
	if _, err := s.Put(context.Background(), bytes.NewReader(make([]byte, 10_000)), 0); err != nil {
		t.Fatalf("does not recover: %v", err)
	}
}

func TestOnlyKeysBecomePaths(t *testing.T) {
	s, dir := open(t)
	os.WriteFile(filepath.Join(dir, "secret"), []byte("x"), 0o600)
	for _, key := range []string{"", "secret", "../secret", "sha256-" + strings.Repeat("/", 64), "sha256-" + strings.Repeat("A", 64)} {
		if _, err := s.Open(context.Background(), key); !errors.Is(err, desk.ErrNotFound) {
			t.Errorf("%q: %v", key, err)
		}
	}
}

func TestTypesAreToldByContent(t *testing.T) {
	for want, head := range map[string]string{
		"image/png":                 "\x89PNG\r\n\x1a\n",
		"image/jpeg":                "\xff\xd8\xff\xe0",
		"image/webp":                "RIFF\x00\x00\x00\x00WEBPVP8 ",
		"image/heic":                "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00",
		"video/mp4":                 "\x00\x00\x00\x18ftypisom\x00\x00\x02\x00",
		"audio/amr":                 "#!AMR\n",
		"audio/mpeg":                "\xff\xfb\x90\x00",
		"application/pdf":           "%PDF-1.7",
		"application/zip":           "PK\x03\x04",
		"application/x-ole-storage": "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
		"image/svg+xml":             `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg">`,
		"text/html":                 "<!DOCTYPE html><script>1</script>",
		"text/plain":                "你好",
	} {
		if got := blobs.Sniff([]byte(head)); got != want {
			t.Errorf("%q: got %s, want %s", head, got, want)
		}
	}
	if blobs.Inline("image/svg+xml") || blobs.Inline("text/html") || !blobs.Inline("image/png") {
		t.Error("inline list is wrong")
	}
}
