package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"regexp"
	"testing/fstest"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the database forward to the newest form. Every released form has a file that leads away from it, so
// any of them can be taken over. A database newer than this program is refused, not touched.
func migrate(ctx context.Context, db *sql.DB, dialect goose.Dialect) error {
	files, err := migrationsFor(dialect)
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(dialect, db, files)
	if err != nil {
		return fmt.Errorf("store: migrations: %w", err)
	}
	current, target, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("store: database version: %w", err)
	}
	if current > target {
		return fmt.Errorf("store: the database has version %d, this program knows %d: use a newer program", current, target)
	}
	if current == target {
		return nil
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("store: migrate: %w", err)
	}
	return nil
}

// migrationsFor makes the one text fit a dialect: what stands in /*sqlite ...*/ is for SQLite alone, what stands in /*postgres ...*/
// for PostgreSQL alone.
func migrationsFor(dialect goose.Dialect) (fs.FS, error) {
	ours, theirs := sqliteOnly, postgresOnly
	if dialect != goose.DialectSQLite3 {
		ours, theirs = theirs, ours
	}
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(dir, "*.sql")
	if err != nil {
		return nil, err
	}
	out := fstest.MapFS{}
	for _, name := range names {
		text, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, err
		}
		text = theirs.ReplaceAll(ours.ReplaceAll(text, []byte("$1")), nil)
		out[name] = &fstest.MapFile{Data: text, Mode: 0o444}
	}
	return out, nil
}

var (
	sqliteOnly   = regexp.MustCompile(`(?s)/\*sqlite (.*?)\*/`)
	postgresOnly = regexp.MustCompile(`(?s)/\*postgres (.*?)\*/`)
)
