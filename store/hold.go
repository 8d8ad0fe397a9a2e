package store

import (
	"context"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// Hold runs do on one node at a time: on whichever has the lease of that name. It answers when ctx ends; do gets a context that ends
// when the lease is lost, and runs again when it comes back. An error of do is for do to handle: Hold just calls again after
// a pause.
func (s *Store) Hold(ctx context.Context, ws chat.WorkspaceID, name string, do func(ctx context.Context)) error {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		ours, err := s.takeLease(ctx, no, name)
		if err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "hold: lease", "name", name, "err", err)
		}
		if ours {
			s.hold(ctx, no, name, do)
		}
		pause(ctx, s.lease/3)
	}
	return nil
}

// hold runs do while the lease lasts.
func (s *Store) hold(ctx context.Context, ws int64, name string, do func(ctx context.Context)) {
	held, lose := context.WithCancel(ctx)
	defer lose()
	done := make(chan struct{})
	go func() {
		defer close(done)
		do(held)
	}()
	tick := time.NewTicker(s.lease / 3)
	defer tick.Stop()
	until := s.now().Add(s.lease)
	for {
		select {
		case <-done:
			s.freeLease(context.WithoutCancel(ctx), ws, name)
			return
		case <-tick.C:
		}
		ours, err := s.takeLease(ctx, ws, name)
		switch {
		case ours:
			until = s.now().Add(s.lease)
		case err == nil || s.now().After(until):
			lose()
		}
	}
}

// wildLease is how many leases ahead of now nobody can have meant: a clock was wrong when that was written.
const wildLease = 4

// takeLease takes or prolongs a lease.
func (s *Store) takeLease(ctx context.Context, ws int64, name string) (bool, error) {
	_, fence, err := s.leaseFor(ctx, ws, name)
	return fence != 0, err
}

// leaseFor takes or prolongs a lease and answers until when it lasts, and the fence: 0 if another node has it.
func (s *Store) leaseFor(ctx context.Context, ws int64, name string) (until time.Time, fence int64, err error) {
	now := s.now()
	until = now.Add(s.lease)
	err = s.engine.exec(ctx, stmt{
		sql: `INSERT INTO followers (workspace, name, holder, fence, lease_until) VALUES ($1, $2, $3, 1, $4)
 ON CONFLICT (workspace, name) DO UPDATE SET lease_until = excluded.lease_until,
 fence = followers.fence + CASE WHEN followers.holder = excluded.holder THEN 0 ELSE 1 END, holder = excluded.holder
 WHERE followers.holder = excluded.holder OR followers.lease_until < $5 OR followers.lease_until > $6 RETURNING fence`,
		args: []any{ws, name, s.holder, micros(until), micros(now), micros(now.Add(wildLease * s.lease))},
		scan: func(row scanner) error { return row.Scan(&fence) },
	})
	return until, fence, unavailable(err)
}

// freeLeases lets others have all leases of a name that this node has, whatever the workspace.
func (s *Store) freeLeases(ctx context.Context, name string) {
	err := s.engine.exec(ctx, stmt{
		sql:  "UPDATE followers SET lease_until = 0 WHERE name = $1 AND holder = $2 AND lease_until > 0",
		args: []any{name, s.holder},
	})
	if err != nil {
		s.log.WarnContext(ctx, "leases not freed", "name", name, "err", err)
	}
}

// freeLease lets others have it at once.
func (s *Store) freeLease(ctx context.Context, ws int64, name string) {
	err := s.engine.exec(ctx, stmt{
		sql:  "UPDATE followers SET lease_until = 0 WHERE workspace = $1 AND name = $2 AND holder = $3",
		args: []any{ws, name, s.holder},
	})
	if err != nil {
		s.log.WarnContext(ctx, "lease not freed", "name", name, "err", err)
	}
}
