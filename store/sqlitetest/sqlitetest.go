// Package sqlitetest gives tests SQLite databases of their own.
//
// It is for tests only, and for those that want a database and do not look at how it comes to its tables: to make them takes dozens of
// transactions, each with its fsync, which under the race detector is most of what such a test costs.
package sqlitetest

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/dragoman-hub/dragoman/store"
)

// empty is what a new database is before anything is stored in it: the only state of the package.
var empty = sync.OnceValues(read)

// File gives the path of an empty database with all its tables. It goes with the test.
func File(tb testing.TB) (dsn string) {
	tb.Helper()
	raw, err := empty()
	dsn = filepath.Join(tb.TempDir(), "hub.db")
	if err == nil {
		err = os.WriteFile(dsn, raw, 0o600)
	}
	if err != nil {
		tb.Fatalf("sqlitetest: %v", err)
	}
	return dsn
}

func read() ([]byte, error) {
	dir, err := os.MkdirTemp("", "sqlitetest-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "hub.db")
	s, err := store.Open(context.Background(), store.Options{DSN: path})
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil { // what stood in the write-ahead log is in the file now
		return nil, err
	}
	return os.ReadFile(path)
}
