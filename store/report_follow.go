package store

import (
	"context"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// FollowCalmly is Follow for what nobody waits for: it looks at the log every so often, not at every commit, so that its transactions
// are few and full, and those who write are hardly held up.
func (s *Store) FollowCalmly(ctx context.Context, name string, every time.Duration, step Step, kinds ...chat.Kind) error {
	f := newFollower(s, name, step, kinds)
	defer s.freeLeases(context.WithoutCancel(ctx), name)
	defer f.wg.Wait()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		f.sweep(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// KeepReports throws away the counts of all versions of the projection but one, with what the followers that made them remember.
// Such a follower is named prefix and version.
func (s *Store) KeepReports(ctx context.Context, prefix string, version int, name string) error {
	like := likeStart(prefix)
	return unavailable(s.engine.exec(ctx,
		stmt{sql: "DELETE FROM report_counts WHERE version <> $1", args: []any{version}},
		stmt{sql: `DELETE FROM follower_state WHERE follower LIKE $1 ESCAPE '\' AND follower <> $2`, args: []any{like, name}},
		stmt{sql: `DELETE FROM followers WHERE name LIKE $1 ESCAPE '\' AND name <> $2`, args: []any{like, name}},
	))
}

// likeStart is a pattern for texts that begin with a part.
func likeStart(part string) string { return likePart(part)[1:] }
