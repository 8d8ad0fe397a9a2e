package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"regexp"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the database forward to the newest form. Every released form has a file that leads away from it, so
// any of them can be taken over. A database newer than this program is refused, not touched.
func migrate(ctx context.Context, db *sql.DB, dialect goose.Dialect) error {
	steps, err := migrationsFor(dialect)
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(dialect, db, nil, goose.WithGoMigrations(steps...))
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
// for PostgreSQL alone. A file is given to the database as it is: both take many statements at once, and cutting a text into statements
// took most of the time that opening takes.
func migrationsFor(dialect goose.Dialect) ([]*goose.Migration, error) {
	ours, theirs := sqliteOnly, postgresOnly
	if dialect != goose.DialectSQLite3 {
		ours, theirs = theirs, ours
	}
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	var out []*goose.Migration
	for _, name := range names {
		version, err := goose.NumericComponent(name)
		if err != nil {
			return nil, err
		}
		text, err := migrations.ReadFile(name)
		if err != nil {
			return nil, err
		}
		up := string(theirs.ReplaceAll(ours.ReplaceAll(text, []byte("$1")), nil))
		out = append(out, goose.NewGoMigration(version, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, up)
			return err
		}}, nil))
	}
	return out, nil
}

var (
	sqliteOnly   = regexp.MustCompile(`(?s)/\*sqlite (.*?)\*/`)
	postgresOnly = regexp.MustCompile(`(?s)/\*postgres (.*?)\*/`)
)
