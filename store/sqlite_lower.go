package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"strings"

	"modernc.org/sqlite"
)

// sqliteFile opens connections that know small letters of every script: SQLite's own LOWER leaves all but ASCII as it is, and nobody would
// find Ömer by what he is called in PostgreSQL.
type sqliteFile struct {
	of  *sqlite.Driver
	dsn string
}

// openSQLiteFile is for database/sql what sql.Open is.
func openSQLiteFile(dsn string) (*sql.DB, error) {
	f := sqliteFile{&sqlite.Driver{}, dsn}
	if err := f.of.RegisterDeterministicScalarFunction("lower", 1, lower); err != nil {
		return nil, err
	}
	return sql.OpenDB(f), nil
}

func (f sqliteFile) Connect(context.Context) (driver.Conn, error) { return f.of.Open(f.dsn) }
func (f sqliteFile) Driver() driver.Driver                        { return f.of }

func lower(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
	if text, ok := args[0].(string); ok {
		return strings.ToLower(text), nil
	}
	return args[0], nil
}
