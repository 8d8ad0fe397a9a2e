//go:build unix

package store_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/store/pgtest"
	"github.com/dragoman-hub/dragoman/store/storetest"
)

// TestMain lets more tests run side by side than there are processors: they wait for the disk most of the time.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		if err := f.Value.Set("4"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

func TestSQLite(t *testing.T) {
	t.Parallel()
	storetest.Run(t, sqlite())
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	storetest.Run(t, postgres())
}

func sqlite() storetest.Database {
	return storetest.Database{
		New:   storetest.SQLite,
		Dump:  dumpFiles,
		Steps: 40,
		Spawn: spawn,
	}
}

func postgres() storetest.Database {
	return storetest.Database{
		New:   storetest.Postgres,
		Nodes: true,
		Outage: func(tb testing.TB) (string, func(), func()) {
			s := pgtest.NewServer(tb)
			return s.Database(tb), func() { s.Stop(tb) }, func() { s.Start(tb) }
		},
		Dump:  dumpTables,
		Steps: 15,
		Spawn: spawn,
	}
}

// open opens a database for one test.
func open(t testing.TB, dsn string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// dumpFiles reads the database and what lies beside it.
func dumpFiles(tb testing.TB, dsn string) []byte {
	tb.Helper()
	names, err := filepath.Glob(dsn + "*")
	if err != nil || len(names) < 2 {
		tb.Fatalf("%s: %v, %v", dsn, names, err)
	}
	var all []byte
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, raw...)
	}
	return all
}

// dumpTables reads every row of every table.
func dumpTables(tb testing.TB, dsn string) []byte {
	tb.Helper()
	ctx := tb.Context()
	c, err := pgx.Connect(ctx, dsn)
	if err != nil {
		tb.Fatal(err)
	}
	defer c.Close(ctx)
	rows, err := c.Query(ctx, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
	if err != nil {
		tb.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(tables) < 10 {
		tb.Fatalf("%v, %v", tables, err)
	}
	var out bytes.Buffer
	for _, table := range tables {
		rows, err := c.Query(ctx, "SELECT t::text FROM "+pgx.Identifier{table}.Sanitize()+" t ORDER BY 1")
		if err != nil {
			tb.Fatal(err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			tb.Fatal(err)
		}
		for _, line := range lines {
			fmt.Fprintln(&out, table, line)
		}
	}
	return out.Bytes()
}
