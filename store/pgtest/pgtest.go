//go:build unix

// Package pgtest gives tests and benchmarks a real PostgreSQL of their own, on loopback.
//
// It is for tests only and knows nothing of the store's tables: it hands out empty databases.
package pgtest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/dragoman-hub/dragoman/chat"
)

// patience bounds every single act on a server: a machine with all cores busy is slow, not broken.
const patience = time.Minute

// shared is the one server of this test process. It is the only state of the package: a start costs about a
// second, an empty database a tenth of that.
var shared = sync.OnceValues(launch)

// Start makes an empty database on this process's own PostgreSQL and gives its address (postgres://...). The
// first call starts the server; it stops, and its files go, when the process ends in whatever way. The database
// is dropped after the test's own clean-ups.
func Start(tb testing.TB) (dsn string) {
	tb.Helper()
	s, err := shared()
	if err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	return s.Database(tb)
}

// NewServer starts a server for one test alone, which may stop it and start it again. It ends with the test.
func NewServer(tb testing.TB) *Server {
	tb.Helper()
	s, err := launch()
	if err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	tb.Cleanup(s.remove)
	return s
}

// Database makes an empty database and gives its address. It is dropped after the test, if the server still runs.
func (s *Server) Database(tb testing.TB) (dsn string) {
	tb.Helper()
	return s.database(tb, "")
}

func newName() string { return "t" + strings.ReplaceAll(chat.NewID(), "-", "") }

func (s *Server) database(tb testing.TB, like string) (dsn string) {
	tb.Helper()
	name := newName()
	if err := s.admin(tb.Context(), "CREATE DATABASE "+name+like); err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	tb.Cleanup(func() {
		if !s.running() {
			return
		}
		if err := s.admin(context.WithoutCancel(tb.Context()), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			tb.Logf("pgtest: %v", err)
		}
	})
	return s.url(name)
}

// Stop ends the server at once, as a crash would: open transactions are lost, committed ones are not.
func (s *Server) Stop(tb testing.TB) {
	tb.Helper()
	if err := s.stop(); err != nil {
		tb.Fatalf("pgtest: stop: %v", err)
	}
}

// Start starts a stopped server again, at the same address and with the same data, and waits until it answers.
func (s *Server) Start(tb testing.TB) {
	tb.Helper()
	if err := s.start(); err != nil {
		tb.Fatalf("pgtest: start: %v", err)
	}
}

// admin runs one statement on the maintenance database.
func (s *Server) admin(ctx context.Context, sql string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c, err := pgx.Connect(ctx, s.url("postgres"))
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer c.Close(ctx) //nolint:errcheck // the statement has been answered
	if _, err := c.Exec(ctx, sql); err != nil {
		return fmt.Errorf("%s: %w", sql, err)
	}
	return nil
}
