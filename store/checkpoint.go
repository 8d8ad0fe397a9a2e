package store

import (
	"context"
	"database/sql"
	"fmt"
	"sync/atomic"
	"time"
)

// checkpointer copies the write-ahead log into the database file beside the writer, so that no commit waits for it. When it cannot
// keep up, SQLite's own checkpoint inside a commit takes over (wal_autocheckpoint).
type checkpointer struct {
	db      *sql.DB
	commits atomic.Int64
	stop    chan struct{}
	done    chan struct{}
}

// When the log is copied: after so many commits, or after a while if there were any.
const (
	checkpointCommits = 200
	checkpointEvery   = 5 * time.Second
	checkpointLook    = 100 * time.Millisecond
)

// startCheckpointer opens a connection of its own; close ends it.
func startCheckpointer(dsn string) (*checkpointer, error) {
	db, err := openSQLiteFile(dsn)
	if err != nil {
		return nil, fmt.Errorf("store: checkpointer: %w", err)
	}
	db.SetMaxOpenConns(1)
	c := &checkpointer{db: db, stop: make(chan struct{}), done: make(chan struct{})}
	go c.run()
	return c, nil
}

func (c *checkpointer) run() {
	defer close(c.done)
	tick := time.NewTicker(checkpointLook)
	defer tick.Stop()
	waited := time.Duration(0)
	for {
		select {
		case <-c.stop:
			return
		case <-tick.C:
		}
		waited += checkpointLook
		n := c.commits.Load()
		if n == 0 || n < checkpointCommits && waited < checkpointEvery {
			continue
		}
		c.commits.Add(-n)
		waited = 0
		// PASSIVE never waits for anybody; what it leaves out comes the next time, and so does what fails
		_, _ = c.db.ExecContext(context.Background(), "PRAGMA wal_checkpoint(PASSIVE)") //nolint:forbidigo // as long as the database is open
	}
}

func (c *checkpointer) close() error {
	close(c.stop)
	<-c.done
	return c.db.Close()
}
