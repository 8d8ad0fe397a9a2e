//go:build unix

package store

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/dragoman-hub/dragoman/store/pgtest"
)

// kind is a database as goose sees it.
type kind struct {
	dialect goose.Dialect
	dsn     string
	driver  string
}

func eachKind(t *testing.T, run func(t *testing.T, k kind, db *sql.DB)) {
	t.Helper()
	_ = stdlib.GetDefaultDriver()
	for name, k := range map[string]kind{
		"sqlite":   {goose.DialectSQLite3, filepath.Join(t.TempDir(), "d.db"), "sqlite"},
		"postgres": {goose.DialectPostgres, pgtest.Start(t), "pgx"},
	} {
		t.Run(name, func(t *testing.T) {
			db, err := sql.Open(k.driver, k.dsn)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			run(t, k, db)
		})
	}
}

// TestFromEveryVersion makes a database of every released form, puts a workspace in, and opens it with this program.
func TestFromEveryVersion(t *testing.T) {
	newest := int64(1)
	for v := int64(1); v <= newest; v++ {
		t.Run(fmt.Sprint(v), func(t *testing.T) {
			eachKind(t, func(t *testing.T, k kind, db *sql.DB) {
				steps, err := migrationsFor(k.dialect)
				if err != nil {
					t.Fatal(err)
				}
				p, err := goose.NewProvider(k.dialect, db, nil, goose.WithGoMigrations(steps...))
				if err != nil {
					t.Fatal(err)
				}
				sources := p.ListSources()
				newest = sources[len(sources)-1].Version
				if _, err := p.UpTo(t.Context(), v); err != nil {
					t.Fatal(err)
				}
				for _, add := range []string{
					"INSERT INTO workspaces (id, uid, name, head, created_at) VALUES (1, 'old', 'name', 0, 5)",
					"INSERT INTO flows (workspace, name, version, definition, created_at) VALUES (1, 'f', 7, '{}', 5)",
					"INSERT INTO tokens (uid, workspace, name, hash, scopes, created_at) VALUES ('t', 1, 'n', 'h', 'read', 5)",
				} {
					if _, err := db.ExecContext(t.Context(), add); err != nil {
						t.Fatal(err)
					}
				}
				s, err := Open(t.Context(), Options{DSN: k.dsn})
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				if w, err := s.Workspace(t.Context(), "old"); err != nil || w.Name != "name" {
					t.Fatalf("%+v, %v", w, err)
				}
				if f, err := s.Flow(t.Context(), "old", "f", 0); err != nil || f.Version != 7 {
					t.Fatalf("%+v, %v", f, err)
				}
				if x, err := s.TokenByHash(t.Context(), "h"); err != nil || !x.UsedAt.IsZero() {
					t.Fatalf("%+v, %v", x, err)
				}
				if _, err := s.AddChannel(t.Context(), Channel{Workspace: "old"}); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

// TestNewerIsRefused: a database that a newer program has changed is not touched.
func TestNewerIsRefused(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind, db *sql.DB) {
		s, err := Open(t.Context(), Options{DSN: k.dsn})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := db.ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)"); err != nil {
			t.Fatal(err)
		}
		if _, err := db.ExecContext(t.Context(), "DROP TABLE answers"); err != nil { // the newer form has no such table
			t.Fatal(err)
		}
		before := versions(t, db)
		for range 2 {
			s, err = Open(t.Context(), Options{DSN: k.dsn})
			if err == nil {
				s.Close() //nolint:errcheck // it should not be there
				t.Fatal("it was opened")
			}
			if !strings.Contains(err.Error(), "use a newer program") {
				t.Fatal(err)
			}
		}
		if after := versions(t, db); after != before {
			t.Fatalf("versions: got %s, want %s", after, before)
		}
		if _, err := db.ExecContext(t.Context(), "SELECT 1 FROM answers"); err == nil {
			t.Fatal("a table came back")
		}
	})
}

func versions(t *testing.T, db *sql.DB) string {
	t.Helper()
	var out string
	const read = "SELECT COUNT(*) || '/' || MAX(version_id) FROM goose_db_version"
	if err := db.QueryRowContext(context.WithoutCancel(t.Context()), read).Scan(&out); err != nil {
		t.Fatal(err)
	}
	return out
}
