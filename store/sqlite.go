package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// sqliteEngine: one file, one process, one writer. The writer's connection keeps its prepared statements.
type sqliteEngine struct {
	read  *sql.DB
	write *sql.DB
	conn  *sql.Conn
	turn  chan struct{} // holds the right to write
	ready map[string]*sql.Stmt
	guard *os.File
	copy  *checkpointer
	disk  *walSync
}

// sqlitePragmas: WAL, and an fsync at every commit, for an acknowledged message must survive a power cut (the writer's commits are synced
// by walSync); what is deleted is overwritten, for erased data must not stay in the file.
const sqlitePragmas = "_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)" +
	"&_pragma=cache_size(-65536)&_pragma=temp_store(MEMORY)&_pragma=journal_size_limit(67108864)&_pragma=wal_autocheckpoint(16000)&_pragma=secure_delete(1)"

func openSQLite(ctx context.Context, path string) (_ *sqliteEngine, err error) {
	guard, err := lockFile(path + ".lock")
	if err != nil {
		return nil, fmt.Errorf("store: %s is in use by another process: %w", path, err)
	}
	e := &sqliteEngine{turn: make(chan struct{}, 1), ready: map[string]*sql.Stmt{}, guard: guard}
	defer func() {
		if err != nil {
			_ = e.close()
		}
	}()
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + sqlitePragmas
	if e.write, err = openSQLiteFile(dsn); err != nil {
		return nil, err
	}
	e.write.SetMaxOpenConns(1)
	if err = migrate(ctx, e.write, goose.DialectSQLite3); err != nil {
		return nil, err
	}
	if e.conn, err = e.write.Conn(ctx); err != nil {
		return nil, fmt.Errorf("store: open %s: %w", path, err)
	}
	if e.disk, err = syncWAL(ctx, e.conn, path); err != nil {
		return nil, err
	}
	if e.read, err = openSQLiteFile(dsn + "&_pragma=query_only(1)"); err != nil {
		return nil, err
	}
	e.read.SetMaxOpenConns(8)
	e.read.SetMaxIdleConns(8)
	e.copy, err = startCheckpointer(dsn)
	return e, err
}

func (e *sqliteEngine) reader() *sql.DB { return e.read }
func (e *sqliteEngine) lock() string    { return "" }
func (e *sqliteEngine) single() bool    { return true }
func (e *sqliteEngine) settle() error   { return e.disk.wait() }

func (e *sqliteEngine) begin(ctx context.Context) (writeTx, error) {
	select {
	case e.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := e.disk.failed(); err != nil {
		<-e.turn
		return nil, err
	}
	tx := &sqliteTx{e: e}
	if err := tx.exec(ctx, stmt{sql: "BEGIN IMMEDIATE"}); err != nil {
		<-e.turn
		return nil, err
	}
	return tx, nil
}

func (e *sqliteEngine) exec(ctx context.Context, list ...stmt) error {
	tx, err := e.begin(ctx)
	if err != nil {
		return err
	}
	return tx.commit(ctx, list)
}

func (e *sqliteEngine) conflict(err error) bool {
	x, ok := errors.AsType[*sqlite.Error](err)
	return ok && (x.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || x.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
}

func (e *sqliteEngine) unfit(err error) bool {
	x, ok := errors.AsType[*sqlite.Error](err)
	return ok && (x.Code()&0xff == sqlite3.SQLITE_TOOBIG || x.Code()&0xff == sqlite3.SQLITE_MISMATCH || x.Code()&0xff == sqlite3.SQLITE_CONSTRAINT)
}

// scrub copies the write-ahead log into the file and empties it: secure_delete has overwritten the file's own free space.
func (e *sqliteEngine) scrub(ctx context.Context) error {
	e.turn <- struct{}{}
	defer func() { <-e.turn }()
	var busy, pages, done int
	if err := e.conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &done); err != nil {
		return err
	}
	if busy != 0 {
		return errors.New("a reader still needs the write-ahead log")
	}
	return nil
}

// close waits for the writer, so that a rough end does not tear the statement that it runs.
func (e *sqliteEngine) close() error {
	e.turn <- struct{}{}
	defer func() { <-e.turn }()
	var errs []error
	if e.copy != nil {
		errs = append(errs, e.copy.close())
	}
	for _, s := range e.ready {
		errs = append(errs, s.Close())
	}
	if e.conn != nil {
		errs = append(errs, e.conn.Close())
	}
	if e.disk != nil {
		errs = append(errs, e.disk.close())
	}
	for _, db := range []*sql.DB{e.read, e.write} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(append(errs, e.guard.Close())...)
}

// sqliteTx is the writer's turn. Statements run at once: there is no wire to save.
type sqliteTx struct {
	e    *sqliteEngine
	over bool
}

func (t *sqliteTx) run(ctx context.Context, list []stmt) error {
	for i := range list {
		if err := t.exec(ctx, list[i]); err != nil {
			return err
		}
	}
	return nil
}

// exec ignores that ctx may end: an interrupted statement of the shared connection would hit its neighbours.
func (t *sqliteTx) exec(ctx context.Context, q stmt) error {
	ctx = context.WithoutCancel(ctx)
	s, ok := t.e.ready[q.sql]
	if !ok {
		var err error
		if s, err = t.e.conn.PrepareContext(ctx, q.sql); err != nil {
			return fmt.Errorf("store: prepare: %w", err)
		}
		t.e.ready[q.sql] = s
	}
	args := plain(q.args)
	if q.scan == nil {
		_, err := s.ExecContext(ctx, args...)
		return err
	}
	rows, err := s.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := q.scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (t *sqliteTx) commit(ctx context.Context, rest []stmt) error {
	if err := t.commitSoon(ctx, rest); err != nil {
		return err
	}
	return t.e.settle()
}

func (t *sqliteTx) commitSoon(ctx context.Context, rest []stmt) error {
	err := t.run(ctx, rest)
	if err == nil {
		err = t.e.disk.write(func() error { return t.exec(ctx, stmt{sql: "COMMIT"}) })
	}
	if err != nil {
		t.rollback()
		return err
	}
	t.end()
	t.e.copy.commits.Add(1)
	return nil
}

func (t *sqliteTx) rollback() {
	if t.over {
		return
	}
	// an error here means that SQLite has rolled back by itself already (disk full, I/O error)
	_ = t.exec(context.Background(), stmt{sql: "ROLLBACK"}) //nolint:forbidigo // the end of a transaction is not the caller's to cancel
	t.end()
}

func (t *sqliteTx) end() {
	if !t.over {
		t.over = true
		<-t.e.turn
	}
}
