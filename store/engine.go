package store

import (
	"context"
	"database/sql"
	"errors"
)

// errAway marks an error of the way to the database. With errCut beside it nobody knows whether the transaction was committed;
// without, nothing was.
var (
	errAway = errors.New("store: the database is away")
	errCut  = errors.New("store: cut off while committing")
)

// plain gives the arguments in a form that both databases can keep: texts are valid UTF-8 without NUL.
func plain(args []any) []any {
	for i, a := range args {
		if s, ok := a.(string); ok {
			if clean := cleanText(s); len(clean) != len(s) || clean != s {
				args[i] = clean
			}
		}
	}
	return args
}

// stmt is one statement of a pipeline. Exactly one of scan and nothing: with scan it is a query, whose rows
// scan gets one by one.
type stmt struct {
	sql  string
	args []any
	scan func(scanner) error
}

// scanner is a row, of either driver.
type scanner interface{ Scan(dest ...any) error }

// writeTx is a write transaction. It is used by one goroutine.
type writeTx interface {
	// run executes in order, in one round trip where the database is across a wire. After an error the transaction is dead.
	run(ctx context.Context, list []stmt) error
	// commit executes the rest and makes all of it durable.
	commit(ctx context.Context, rest []stmt) error
	// commitSoon is commit that may leave the wait for the disk to settle.
	commitSoon(ctx context.Context, rest []stmt) error
	rollback()
}

// engine is what differs between the databases, and nothing more.
type engine interface {
	// begin waits for its turn: on SQLite there is one writer.
	begin(ctx context.Context) (writeTx, error)
	// settle waits until all that was committed, and so all that anybody can have read, is durable. After an error it never will be.
	settle() error
	// reader serves everything that does not write the log.
	reader() *sql.DB
	// writer serves plain writes outside the log (channels, tokens, ...).
	exec(ctx context.Context, list ...stmt) error
	// lock is what a SELECT needs to keep a row for itself until the end of the transaction.
	lock() string
	// conflict tells whether an error is a broken unique constraint.
	conflict(err error) bool
	// unfit tells whether an error is about a value that the database will never take.
	unfit(err error) bool
	// scrub makes sure that what was overwritten is gone from the files, as far as the database can do that at once.
	scrub(ctx context.Context) error
	// single tells that no other process can have this database open.
	single() bool
	close() error
}
