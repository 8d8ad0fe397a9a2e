//go:build unix

package storetest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/store/pgtest"
)

// Databases as Open leaves empty ones: to make all tables anew takes longer than most tests.
var (
	postgres = sync.OnceValues(func() (*pgtest.Template, error) { return pgtest.NewTemplate(migrated) })
	sqlite   = sync.OnceValues(sqliteFile)
)

// Postgres makes an empty database on this process's own PostgreSQL (see pgtest.Start), with all tables, and gives its address.
func Postgres(tb testing.TB) (dsn string) {
	tb.Helper()
	t, err := postgres()
	must(tb, err)
	return t.Copy(tb)
}

// SQLite makes an empty database with all tables in a folder of the test and gives its address.
func SQLite(tb testing.TB) (dsn string) {
	tb.Helper()
	file, err := sqlite()
	must(tb, err)
	dsn = filepath.Join(tb.TempDir(), "dragoman.db")
	must(tb, os.WriteFile(dsn, file, 0o600))
	return dsn
}

func migrated(ctx context.Context, dsn string) error {
	s, err := store.Open(ctx, store.Options{DSN: dsn})
	if err != nil {
		return err
	}
	return s.Close()
}

func sqliteFile() (_ []byte, err error) {
	dir, err := os.MkdirTemp("", "dragoman-sqlite-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "d.db")
	if err := migrated(context.Background(), path); err != nil { //nolint:forbidigo // no test owns it
		return nil, err
	}
	if _, err := os.Stat(path + "-wal"); err == nil {
		return nil, errors.New("storetest: a closed database has left its log")
	}
	return os.ReadFile(path)
}
