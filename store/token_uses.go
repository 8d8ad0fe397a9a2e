package store

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

// How exactly the use of a token is noted, and how many are remembered.
const (
	noteUse  = time.Minute
	mostUses = 10_000
	noteTime = 10 * time.Second // to write; a closing store waits no longer for a database that hangs
)

// tokenUses writes down when tokens were used, behind the back of whoever presents one: nobody waits for it, and what a dying process
// has not written is not worth more.
type tokenUses struct {
	mu      sync.Mutex
	noted   map[string]time.Time // by token, what this node has noted
	waiting map[string]time.Time
	writing bool
	closed  bool
	wg      sync.WaitGroup
}

// note remembers a use, unless one of the last minute is known, and sees to it that somebody writes.
func (u *tokenUses) note(ctx context.Context, s *Store, t Token) {
	now := s.now()
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed || now.Sub(t.UsedAt) < noteUse || now.Sub(u.noted[t.ID]) < noteUse {
		return
	}
	if u.noted == nil || len(u.noted) >= mostUses {
		u.noted, u.waiting = map[string]time.Time{}, map[string]time.Time{}
	}
	u.noted[t.ID], u.waiting[t.ID] = now, now
	if !u.writing {
		u.writing = true
		u.wg.Go(func() { u.write(context.WithoutCancel(ctx), s) })
	}
}

// write writes what waits until nothing does.
func (u *tokenUses) write(ctx context.Context, s *Store) {
	for {
		u.mu.Lock()
		uses := u.waiting
		u.waiting = map[string]time.Time{}
		u.writing = len(uses) > 0
		u.mu.Unlock()
		if len(uses) == 0 {
			return
		}
		list := make([]stmt, 0, len(uses))
		for _, id := range slices.Sorted(maps.Keys(uses)) { // in one order, so that nodes do not wait for one another in a circle
			list = append(list, stmt{sql: "UPDATE tokens SET used_at = $1 WHERE uid = $2 AND used_at < $1", args: []any{micros(uses[id]), id}})
		}
		inTime, cancel := context.WithTimeout(ctx, noteTime)
		if err := s.engine.exec(inTime, list...); err != nil {
			s.log.WarnContext(ctx, "store: when tokens were used", "err", err)
		}
		cancel()
	}
}

// close waits for who writes; nothing is noted any more.
func (u *tokenUses) close() {
	u.mu.Lock()
	u.closed = true
	u.mu.Unlock()
	u.wg.Wait()
}
