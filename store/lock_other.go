//go:build !unix

package store

import "os"

// lockFile relies on the system to refuse a second opener; where it does not, SQLite's own locks still keep the file whole.
func lockFile(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
}
