package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// Folder is a Store in a local folder, one file per blob. Nothing can lead it outside: not a key, not a link.
type Folder struct {
	root *os.Root
}

// partial holds the files that are being written; no key begins with a dot.
const partial = ".partial"

// Dir opens a folder as a Store and makes it if it is not there, for its owner only.
func Dir(name string) (*Folder, error) {
	if err := os.MkdirAll(name, 0o700); err != nil {
		return nil, fmt.Errorf("blob: %w", err)
	}
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, fmt.Errorf("blob: %w", err)
	}
	if err := root.Mkdir(partial, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, errors.Join(fmt.Errorf("blob: %w", err), root.Close())
	}
	return &Folder{root: root}, nil
}

// Close gives the folder back.
func (d *Folder) Close() error { return d.root.Close() }

// Put is Store.Put. The file is complete and on disk before it gets its name.
func (d *Folder) Put(ctx context.Context, key string, r io.Reader, limit int64) (Info, error) {
	if err := checkKey(key); err != nil {
		return Info{}, err
	}
	temp := partial + "/" + chat.NewID()
	m := newMeter(ctx, r, limit)
	err := d.write(temp, m)
	if err == nil {
		err = d.publish(temp, key)
	}
	if err != nil {
		if gone := d.root.Remove(temp); !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
		return Info{}, fmt.Errorf("blob: put %s: %w", key, err)
	}
	return m.info(), nil
}

func (d *Folder) write(name string, r io.Reader) error {
	f, err := d.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// publish gives a file its name and makes the name durable, with the folders on its way.
func (d *Folder) publish(temp, key string) error {
	if err := d.root.MkdirAll(path.Dir(key), 0o700); err != nil {
		return err
	}
	if err := d.root.Rename(temp, key); err != nil {
		return err
	}
	for dir := path.Dir(key); ; dir = path.Dir(dir) {
		if err := d.sync(dir); err != nil || dir == "." {
			return err
		}
	}
}

func (d *Folder) sync(dir string) error {
	f, err := d.root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Open is Store.Open.
func (d *Folder) Open(_ context.Context, key string, offset, length int64) (io.ReadCloser, Info, error) {
	if err := checkKey(key); err != nil {
		return nil, Info{}, err
	}
	f, err := d.root.Open(key)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, Info{}, notFound(key)
	}
	if err != nil {
		return nil, Info{}, fmt.Errorf("blob: open %s: %w", key, err)
	}
	info, n, err := measure(f, key, offset, length)
	if err != nil {
		return nil, Info{}, errors.Join(err, f.Close())
	}
	return section{io.NewSectionReader(f, offset, n), f}, info, nil
}

func measure(f *os.File, key string, offset, length int64) (Info, int64, error) {
	st, err := f.Stat()
	if err != nil {
		return Info{}, 0, fmt.Errorf("blob: open %s: %w", key, err)
	}
	if !st.Mode().IsRegular() {
		return Info{}, 0, notFound(key)
	}
	n, err := checkRange(st.Size(), offset, length)
	return Info{Size: st.Size()}, n, err
}

// section is a part of a file that closes the file.
type section struct {
	io.Reader
	io.Closer
}

// Delete is Store.Delete.
func (d *Folder) Delete(_ context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if st, err := d.root.Lstat(key); err == nil && st.IsDir() {
		return nil // a folder of blobs is no blob
	}
	if err := d.root.Remove(key); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("blob: delete %s: %w", key, err)
	}
	return nil
}

// Sweep removes what crashes left half written and was last touched before a time; choose one at which no upload
// can still be under way.
func (d *Folder) Sweep(before time.Time) error {
	list, err := fs.ReadDir(d.root.FS(), partial)
	if err != nil {
		return fmt.Errorf("blob: sweep: %w", err)
	}
	var all error
	for _, e := range list {
		st, err := e.Info()
		if err == nil && st.ModTime().Before(before) {
			err = d.root.Remove(partial + "/" + e.Name())
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			all = errors.Join(all, err)
		}
	}
	return all
}
