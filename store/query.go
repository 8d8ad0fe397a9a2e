package store

import (
	"context"
	"database/sql"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// collect reads all rows and closes them.
func collect[T any](rows *sql.Rows, one func(scanner) (T, error)) ([]T, error) {
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := one(rows)
		if err != nil {
			return nil, unavailable(err)
		}
		if len(out) == 1 {
			out = slices.Grow(out, 31) // one row, or many
		}
		out = append(out, v)
	}
	return out, unavailable(rows.Err())
}

// backoff is how long to wait after so many failures: from 0.1 s doubling to a minute, with jitter, so that nodes
// that failed together do not come back together.
func backoff(failures int) time.Duration {
	d := 100 * time.Millisecond << min(failures, 10)
	d = min(d, time.Minute)
	return d/2 + rand.N(d/2) //nolint:gosec // jitter is no secret
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// list runs a query outside any transaction. What it answers is on disk: nobody acts upon what a power cut could take back.
func list[T any](ctx context.Context, s *Store, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	found, err := read(ctx, s, scan, query, args...)
	if err != nil {
		return nil, err
	}
	return found, unavailable(s.engine.settle())
}

func read[T any](ctx context.Context, s *Store, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	if !s.engine.single() { // pgx keeps the statements of its connections itself
		rows, err := s.engine.reader().QueryContext(ctx, query, plain(args)...)
		if err != nil {
			return nil, unavailable(err)
		}
		return collect(rows, scan)
	}
	st, err := s.readers.prepare(ctx, s.engine.reader(), query) //nolint:sqlclosecheck // kept for the next reader
	if err != nil {
		return nil, unavailable(err)
	}
	var rows *sql.Rows
	if st != nil {
		rows, err = st.QueryContext(ctx, plain(args)...)
	} else {
		rows, err = s.engine.reader().QueryContext(ctx, query, plain(args)...)
	}
	if err != nil {
		return nil, unavailable(err)
	}
	return collect(rows, scan)
}

// prepared keeps the statements of readers: to parse one costs SQLite more than to run it.
type prepared struct {
	mu    sync.Mutex
	ready map[string]*sql.Stmt
}

// maxPrepared bounds the statements that are kept; lists with filters have many forms.
const maxPrepared = 256

// prepare answers nil when no more are kept: a statement must not be closed while somebody is about to use it.
func (p *prepared) prepare(ctx context.Context, db *sql.DB, query string) (*sql.Stmt, error) {
	p.mu.Lock()
	st, full := p.ready[query], len(p.ready) >= maxPrepared
	p.mu.Unlock()
	if st != nil || full {
		return st, nil
	}
	st, err := db.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if other := p.ready[query]; other != nil {
		return other, st.Close() //nolint:sqlclosecheck // somebody else prepared it meanwhile
	}
	if p.ready == nil {
		p.ready = map[string]*sql.Stmt{}
	}
	p.ready[query] = st
	return st, nil
}

// one is list for the one row that must be there; what names it in the error.
func one[T any](ctx context.Context, s *Store, what string, scan func(scanner) (T, error), query string, args ...any) (T, error) {
	found, err := list(ctx, s, scan, query, args...)
	if err == nil && len(found) == 0 {
		err = chat.Faultf(chat.CodeNotFound, "no such "+what)
	}
	if err != nil {
		var none T
		return none, err
	}
	return found[0], nil
}
