package vault

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// LoadOrCreate opens the vault with the keys in env (the text itself, "" for none) or else in the file at path; when neither
// exists it makes the file with a new key, mode 0600, and returns created true: tell the operator to keep a copy.
func LoadOrCreate(path, env string) (v *Vault, created bool, err error) {
	if env != "" {
		v, err = Open(env)
		return v, false, err
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		text, created, err = create(path)
	}
	if err != nil {
		return nil, false, fmt.Errorf("read master key file: %w", err)
	}
	if v, err = Open(string(text)); err != nil {
		return nil, false, fmt.Errorf("master key file %s: %w", path, err)
	}
	return v, created, nil
}

// AddKey puts a new sealing key in front of those in the file at path, keeping the old ones for opening.
func AddKey(path string) (*Vault, error) {
	old, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read master key file: %w", err)
	}
	text := append([]byte(NewKey()+"\n"), old...)
	v, err := Open(string(text))
	if err != nil {
		return nil, err
	}
	if err := writeKeys(path, text, os.Rename); err != nil {
		return nil, fmt.Errorf("write master key file: %w", err)
	}
	return v, nil
}

// create makes the file under a temporary name and links it, so that of two first starts at once both use one key and no
// reader ever sees half a file.
func create(path string) (text []byte, created bool, err error) {
	text = []byte(NewKey() + "\n")
	err = writeKeys(path, text, os.Link)
	if errors.Is(err, fs.ErrExist) {
		text, err = os.ReadFile(path)
		return text, false, err
	}
	return text, err == nil, err
}

func writeKeys(path string, text []byte, place func(from, to string) error) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".master-key-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := place(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
