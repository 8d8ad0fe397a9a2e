package secret

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// keyFileLimit bounds a key file: some dozens of keys.
const keyFileLimit = 64 << 10

// Parse makes a ring of a setting: keys in Base64, split by commas or white space; the first is the primary.
func Parse(setting string) (*Keyring, error) {
	var keys [][]byte
	for _, s := range strings.FieldsFunc(setting, func(c rune) bool { return strings.ContainsRune(", \t\r\n", c) }) {
		raw, err := ParseKey(s)
		if err != nil {
			return nil, err
		}
		keys = append(keys, raw)
	}
	if len(keys) == 0 {
		return nil, errors.New("secret: no key")
	}
	return NewKeyring(keys[0], keys[1:]...)
}

// Load reads the ring of a key file: one key in Base64 per line, the primary first, "#" begins a comment. If the file is
// not there, Load makes it with a fresh key and mode 0600; two processes that do so at once end up with the same
// one. A file that others may read is an error.
func Load(path string) (*Keyring, error) {
	raw, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = create(path); err == nil {
			raw, err = read(path)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("secret: key file: %w", err)
	}
	var keys strings.Builder
	for line := range bytes.Lines(raw) {
		text, _, _ := bytes.Cut(line, []byte("#"))
		keys.Write(text)
		keys.WriteByte('\n')
	}
	r, err := Parse(keys.String())
	if err != nil {
		return nil, fmt.Errorf("%w: in key file %s", err, path)
	}
	return r, nil
}

func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("%s may be read by others (mode %04o): chmod 600 it, and think of its key as known", path, mode)
	}
	raw, err := io.ReadAll(io.LimitReader(f, keyFileLimit+1))
	if err == nil && len(raw) > keyFileLimit {
		err = fmt.Errorf("%s is too large for a key file", path)
	}
	return raw, err
}

// create writes a whole file under another name and links it into place, which fails if the name is taken: then
// another process was first, and its key counts.
func create(path string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".key-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	raw := make([]byte, KeySize)
	rand.Read(raw) //nolint:errcheck // never fails
	_, err = f.WriteString("# Dragoman's sealing keys: the first seals, all open. Keep a copy: without it the stored secrets are lost.\n" +
		base64.StdEncoding.EncodeToString(raw) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err = os.Link(f.Name(), path); errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes the name durable: what is sealed with a key that a power cut takes away is lost.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
