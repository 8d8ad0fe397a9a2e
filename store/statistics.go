package store

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// statistics tells the planner how large tables are while they grow. Without it a new database would be read by plans that were made
// for empty tables until the server's own collector comes by, and it comes once a minute.
type statistics struct {
	pool    *pgxpool.Pool
	commits atomic.Int64
	mu      sync.Mutex // one look at a time
	ctx     context.Context
	stop    context.CancelFunc
}

// firstLook is after how many commits of this process the first look is taken; the next ones are after twice as many each.
const firstLook = 64

func newStatistics(ctx context.Context, pool *pgxpool.Pool) *statistics {
	s := &statistics{pool: pool}
	s.ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	return s
}

// committed counts.
func (s *statistics) committed() {
	if n := s.commits.Add(1); n >= firstLook && n&(n-1) == 0 {
		go s.look()
	}
}

// look takes stock of the tables of which a third or more has changed since the last time. What fails is left to the server.
func (s *statistics) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, err := s.pool.Query(s.ctx, `SELECT relname::text FROM pg_stat_user_tables
 WHERE schemaname = current_schema() AND n_mod_since_analyze > 50 + n_live_tup / 2`)
	if err != nil {
		return
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	for _, name := range tables {
		if err == nil {
			_, err = s.pool.Exec(s.ctx, "ANALYZE "+pgx.Identifier{name}.Sanitize())
		}
	}
}

func (s *statistics) close() {
	s.stop()
	s.mu.Lock() // until the last look has ended
	defer s.mu.Unlock()
}
