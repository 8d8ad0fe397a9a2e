package store

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
)

// walSync makes durable what the writer has committed. Its commits do not wait for the disk (synchronous=NORMAL, which still keeps the
// order that a power cut needs: log before file, file before the log is used anew); whoever is about to tell somebody waits here, and one
// fsync of the write-ahead log serves all who wait. Meanwhile the next transaction is made.
type walSync struct {
	fsync func() error
	close func() error

	mu      sync.Mutex   // held by a COMMIT
	written atomic.Int64 // commits in the log

	turn   sync.Mutex   // held by an fsync
	synced atomic.Int64 // commits on disk
	broken atomic.Pointer[error]
}

// syncWAL takes over the syncing of the one connection that writes.
func syncWAL(ctx context.Context, writer *sql.Conn, path string) (*walSync, error) {
	if _, err := writer.ExecContext(ctx, "PRAGMA synchronous = NORMAL"); err != nil {
		return nil, fmt.Errorf("store: open %s: %w", path, err)
	}
	f, err := os.OpenFile(path+"-wal", os.O_RDWR, 0) // it is there as long as a connection is open
	if err != nil {
		return nil, fmt.Errorf("store: open the write-ahead log: %w", err)
	}
	return &walSync{fsync: f.Sync, close: f.Close}, nil
}

// write runs a COMMIT.
func (w *walSync) write(commit func() error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	err := commit()
	if err == nil {
		w.written.Add(1)
	}
	return err
}

// wait answers when all that can be read by now is on disk.
func (w *walSync) wait() error {
	w.mu.Lock() // a COMMIT that has not answered yet may be seen already
	upTo := w.written.Load()
	w.mu.Unlock()
	if w.synced.Load() >= upTo {
		return w.failed()
	}
	w.turn.Lock()
	defer w.turn.Unlock()
	if err := w.failed(); err != nil || w.synced.Load() >= upTo {
		return err
	}
	upTo = w.written.Load()
	if err := w.fsync(); err != nil {
		// the system may have dropped what it could not write: an fsync that succeeds later would prove nothing. Who opens the database
		// anew finds all that was answered, and the log ends there.
		err = fmt.Errorf("store: the write-ahead log cannot be synced, start anew: %w", err)
		w.broken.Store(&err)
		return err
	}
	w.synced.Store(upTo)
	return nil
}

// failed is why nothing can be made durable any more.
func (w *walSync) failed() error {
	if err := w.broken.Load(); err != nil {
		return *err
	}
	return nil
}
