package blobs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"hearback/desk"
)

const (
	prefix    = "sha256-"
	keyLen    = len(prefix) + 2*sha256.Size
	temporary = "tmp"
	leftover  = 24 * time.Hour // older temporary files belong to nobody
)

// A Blob is one stored file.
type Blob struct {
	Key  string // "sha256-<64 hex digits>"
	Size int64  // bytes
	Type string // media type by content, see Sniff
}

// A Store is a folder of files named by their content.
type Store struct {
	dir string
}

// Open prepares the folder, makes it when missing, and removes temporary files older than a day.
func Open(dir string) (*Store, error) {
	s := &Store{dir: dir}
	if err := os.MkdirAll(filepath.Join(dir, temporary), 0o700); err != nil {
		return nil, fmt.Errorf("open blobs: %w", err)
	}
	left, err := os.ReadDir(filepath.Join(dir, temporary))
	if err != nil {
		return nil, fmt.Errorf("open blobs: %w", err)
	}
	for _, f := range left {
		if info, err := f.Info(); err == nil && time.Since(info.ModTime()) > leftover {
			os.Remove(filepath.Join(dir, temporary, f.Name()))
		}
	}
	return s, nil
}

// Put stores what r yields, at most max bytes (0: no limit). More than max is desk.ErrInvalid, a disk that does not take it
// desk.ErrUnavailable; an error of r is passed on. Nothing is kept then.
func (s *Store) Put(ctx context.Context, r io.Reader, max int64) (Blob, error) {
	f, err := os.CreateTemp(filepath.Join(s.dir, temporary), "put-")
	if err != nil {
		return Blob{}, unavailable("create", err)
	}
	defer os.Remove(f.Name()) // fails after the rename, as it should
	blob, err := fill(ctx, f, r, max)
	if err == nil {
		if err = f.Sync(); err != nil {
			err = unavailable("sync", err)
		}
	}
	if e := f.Close(); e != nil && err == nil {
		err = unavailable("close", e)
	}
	if err == nil {
		err = s.settle(f.Name(), blob.Key)
	}
	if err != nil {
		return Blob{}, err
	}
	return blob, nil
}

// fill copies r into f and learns size, hash and type on the way.
func fill(ctx context.Context, f *os.File, r io.Reader, max int64) (Blob, error) {
	if max > 0 {
		r = io.LimitReader(r, max+1)
	}
	hash, head := sha256.New(), &bytes.Buffer{}
	buf := make([]byte, 32<<10)
	var size int64
	for {
		if ctx.Err() != nil {
			return Blob{}, fmt.Errorf("put blob: %w", ctx.Err())
		}
		n, rerr := r.Read(buf)
		if _, err := f.Write(buf[:n]); err != nil {
			return Blob{}, unavailable("write", err)
		}
		hash.Write(buf[:n])
		head.Write(buf[:min(n, SniffLen-head.Len())])
		if size += int64(n); max > 0 && size > max {
			return Blob{}, fmt.Errorf("put blob: more than %d bytes: %w", max, desk.ErrInvalid)
		}
		if errors.Is(rerr, io.EOF) {
			break
		}
		if rerr != nil {
			return Blob{}, fmt.Errorf("put blob: read: %w", rerr)
		}
	}
	return Blob{Key: prefix + hex.EncodeToString(hash.Sum(nil)), Size: size, Type: Sniff(head.Bytes())}, nil
}

// settle moves a synced temporary file to its key. The folder is synced even when the file is there already: whoever
// renamed it may not have come that far yet.
func (s *Store) settle(temp, key string) error {
	path := s.path(key)
	folder := filepath.Dir(path)
	if err := s.makeFolder(folder); err != nil {
		return err
	}
	if _, err := os.Stat(path); err != nil {
		if err := os.Rename(temp, path); err != nil {
			return unavailable("rename", err)
		}
	}
	return syncFolder(folder)
}

// makeFolder makes the two levels of fan-out and syncs what names them.
func (s *Store) makeFolder(folder string) error {
	if _, err := os.Stat(folder); err == nil {
		return nil
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return unavailable("make folder", err)
	}
	if err := syncFolder(filepath.Dir(folder)); err != nil {
		return err
	}
	return syncFolder(s.dir)
}

func syncFolder(folder string) error {
	d, err := os.Open(folder)
	if err != nil {
		return unavailable("open folder", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return unavailable("sync folder", err)
	}
	return nil
}

// Open returns the content. The caller closes it.
func (s *Store) Open(_ context.Context, key string) (io.ReadSeekCloser, error) {
	if !IsKey(key) {
		return nil, fmt.Errorf("open blob: %w", desk.ErrNotFound)
	}
	f, err := os.Open(s.path(key))
	if err != nil {
		return nil, missing("open blob", err)
	}
	return f, nil
}

// Stat tells size and type without handing out the content.
func (s *Store) Stat(ctx context.Context, key string) (Blob, error) {
	f, err := s.Open(ctx, key)
	if err != nil {
		return Blob{}, err
	}
	defer f.Close()
	head := make([]byte, SniffLen)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return Blob{}, fmt.Errorf("stat blob: %w", err)
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return Blob{}, fmt.Errorf("stat blob: %w", err)
	}
	return Blob{Key: key, Size: size, Type: Sniff(head[:n])}, nil
}

// Remove forgets a file. One that is not there is no error.
func (s *Store) Remove(_ context.Context, key string) error {
	if !IsKey(key) {
		return nil
	}
	if err := os.Remove(s.path(key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return unavailable("remove", err)
	}
	return nil
}

// Each calls f with every key until f fails, in no order a caller may rely on.
func (s *Store) Each(ctx context.Context, f func(key string) error) error {
	err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		if d.IsDir() || !IsKey(d.Name()) {
			return nil
		}
		return f(d.Name())
	})
	if err != nil {
		return fmt.Errorf("list blobs: %w", err)
	}
	return nil
}

// IsKey tells whether key has the form Put returns; only such a key ever becomes a path.
func IsKey(key string) bool {
	if len(key) != keyLen || !strings.HasPrefix(key, prefix) {
		return false
	}
	for _, c := range []byte(key[len(prefix):]) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// path fans out over two levels of 256 folders, so that none grows beyond what file systems list quickly.
func (s *Store) path(key string) string {
	h := key[len(prefix):]
	return filepath.Join(s.dir, h[:2], h[2:4], key)
}

func unavailable(what string, err error) error {
	return fmt.Errorf("put blob: %s: %w: %w", what, desk.ErrUnavailable, err)
}

func missing(what string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", what, desk.ErrNotFound)
	}
	return fmt.Errorf("%s: %w: %w", what, desk.ErrUnavailable, err)
}
