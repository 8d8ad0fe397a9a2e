package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

// postgresEngine sends what a transaction has to say in pipelines: reads with the BEGIN, writes with the COMMIT. Transactions and
// plain reads have separate connections: a transaction may need a read, so it must never wait for another transaction to end.
type postgresEngine struct {
	pool     *pgxpool.Pool
	readPool *pgxpool.Pool
	read     *sql.DB
	texts    *sync.Map // of merged statements, by the text of one
	planner  *statistics
}

// migrationLock is the key of the advisory lock under which one node at a time migrates.
const migrationLock = 4739201138

func openPostgres(ctx context.Context, dsn string) (_ *postgresEngine, err error) {
	cfg, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("store: database address: %w", err)
	}
	cfg.MaxConns = max(cfg.MaxConns/2, 6)
	// an acknowledged message must survive a power cut whatever the server's default is
	cfg.ConnConfig.RuntimeParams["synchronous_commit"] = "on"
	cfg.ConnConfig.RuntimeParams["application_name"] = "dragoman"
	cfg.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheStatement // whatever the address says: rows are read in binary form
	cfg.ConnConfig.RuntimeParams["jit"] = "off"                           // nothing here runs long enough to be worth compiling
	// joins go in the order in which they are written, from the row that is named to what belongs to it: without statistics, as in
	// a new database, the planner would begin with whole tables
	cfg.ConnConfig.RuntimeParams["join_collapse_limit"] = "1"
	cfg.ConnConfig.RuntimeParams["plan_cache_mode"] = "force_generic_plan" // to plan costs more than to run
	writes := cfg.Copy()
	// every statement of a transaction finds its rows by a key; while tables are young the planner would read them whole, and keep
	// that plan when they have grown
	for _, way := range []string{"enable_seqscan", "enable_hashjoin", "enable_mergejoin", "enable_material"} {
		writes.ConnConfig.RuntimeParams[way] = "off"
	}
	// a node that freezes or vanishes inside a transaction has locked a workspace: the server takes the lock back, long before TCP would
	writes.ConnConfig.RuntimeParams["idle_in_transaction_session_timeout"] = "15s"
	pool, err := pgxpool.NewWithConfig(ctx, writes)
	if err != nil {
		return nil, fmt.Errorf("store: open database: %w", err)
	}
	reads, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		pool.Close()
		return nil, fmt.Errorf("store: open database: %w", err)
	}
	e := &postgresEngine{pool: pool, readPool: reads, read: stdlib.OpenDBFromPool(reads), texts: &sync.Map{}, planner: newStatistics(ctx, reads)}
	if err := e.migrate(ctx); err != nil {
		_ = e.close()
		return nil, err
	}
	return e, nil
}

func (e *postgresEngine) migrate(ctx context.Context) error {
	conn, err := e.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("store: reach database: %w", err)
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", migrationLock); err != nil {
		return fmt.Errorf("store: migration lock: %w", err)
	}
	err = migrate(ctx, e.read, goose.DialectPostgres)
	_, unlockErr := conn.Exec(ctx, "SELECT pg_advisory_unlock($1)", migrationLock)
	return errors.Join(err, unlockErr)
}

func (e *postgresEngine) reader() *sql.DB { return e.read }
func (e *postgresEngine) lock() string    { return " FOR UPDATE" }
func (e *postgresEngine) single() bool    { return false }
func (e *postgresEngine) settle() error   { return nil } // COMMIT has waited

func (e *postgresEngine) begin(ctx context.Context) (writeTx, error) {
	conn, err := e.pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errAway, err)
	}
	return &postgresTx{engine: e, conn: conn}, nil
}

// forget lets go of all connections, now that one has died: after a restart of the database the others are dead too, and each would
// fail a transaction of which nobody knows whether it was committed.
func (e *postgresEngine) forget() {
	e.pool.Reset()
	e.readPool.Reset()
}

func (e *postgresEngine) exec(ctx context.Context, list ...stmt) error {
	tx, err := e.begin(ctx)
	if err != nil {
		return err
	}
	return tx.commit(ctx, list)
}

func (e *postgresEngine) conflict(err error) bool {
	x, ok := errors.AsType[*pgconn.PgError](err)
	return ok && x.Code == "23505"
}

// unfit knows the classes of errors that a value causes: data exception, integrity, limits of the program.
func (e *postgresEngine) unfit(err error) bool {
	x, ok := errors.AsType[*pgconn.PgError](err)
	return ok && len(x.Code) == 5 && slices.Contains([]string{"22", "23", "54"}, x.Code[:2])
}

// scrub leaves it to the server's own vacuum to overwrite dead rows.
func (e *postgresEngine) scrub(context.Context) error { return nil }

func (e *postgresEngine) close() error {
	e.planner.close()
	err := e.read.Close()
	e.readPool.Close()
	e.pool.Close()
	return err
}

// postgresTx is a transaction whose BEGIN travels with its first statements and whose COMMIT with its last.
type postgresTx struct {
	engine *postgresEngine
	conn   *pgxpool.Conn
	begun  bool
	over   bool
}

func (t *postgresTx) run(ctx context.Context, list []stmt) error {
	return t.send(ctx, list, false)
}

func (t *postgresTx) commit(ctx context.Context, rest []stmt) error {
	if err := t.send(ctx, rest, true); err != nil {
		t.rollback()
		return err
	}
	t.end()
	t.engine.planner.committed()
	return nil
}

func (t *postgresTx) commitSoon(ctx context.Context, rest []stmt) error { return t.commit(ctx, rest) }

func (t *postgresTx) send(ctx context.Context, list []stmt, last bool) error {
	b := &pgx.Batch{}
	if !t.begun {
		b.Queue("BEGIN").Exec(ignoreTag)
		t.begun = true
	}
	for _, x := range coalesce(list, t.engine.texts) {
		item := b.Queue(x.sql, x.args...)
		if x.parts[0].scan == nil {
			item.Exec(ignoreTag)
			continue
		}
		item.Query(x.read)
	}
	if last {
		b.Queue("COMMIT").Exec(committed)
	}
	err := t.conn.SendBatch(ctx, b).Close()
	if err != nil && t.conn.Conn().IsClosed() {
		t.engine.forget()
		err = fmt.Errorf("%w: %w", errAway, err)
		if last {
			err = fmt.Errorf("%w: %w", errCut, err)
		}
	}
	return err
}

// read hands the rows of a query to the statements that asked for them.
func (b *bundle) read(rows pgx.Rows) error {
	defer rows.Close()
	for rows.Next() {
		part, row := b.parts[0], scanner(rows)
		if len(b.parts) > 1 {
			var ordinal int64 // in front of the row, from 1, in PostgreSQL's binary form
			part = b.parts[binary.BigEndian.Uint64(rows.RawValues()[0])-1]
			row = frontScanner{rows, []any{&ordinal}}
		}
		if err := part.scan(row); err != nil {
			return err
		}
	}
	return rows.Err()
}

func ignoreTag(pgconn.CommandTag) error { return nil }

// committed knows that PostgreSQL answers COMMIT with ROLLBACK, and no error, when the transaction had failed.
func committed(tag pgconn.CommandTag) error {
	if tag.String() != "COMMIT" {
		return fmt.Errorf("store: commit ended in %s", tag)
	}
	return nil
}

func (t *postgresTx) rollback() {
	if t.over {
		return
	}
	if t.begun {
		// the pool throws a connection away that is not idle; a failing rollback needs no other care
		_, _ = t.conn.Exec(context.Background(), "ROLLBACK") //nolint:forbidigo // the end of a transaction is not the caller's to cancel
	}
	t.end()
}

func (t *postgresTx) end() {
	if !t.over {
		t.over = true
		t.conn.Release()
	}
}
