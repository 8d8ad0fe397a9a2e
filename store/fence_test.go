package store

import (
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/store/pgtest"
)

// A job that is begun while its lease changes hands must not look untouched to the next holder: the lease waits for the commit.
func TestLeaseStandsStillWhileJudged(t *testing.T) {
	ctx := t.Context()
	s, err := Open(ctx, Options{DSN: pgtest.Start(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	w, err := s.AddWorkspace(ctx, "", "w")
	if err != nil {
		t.Fatal(err)
	}
	no, err := s.workspaceNo(ctx, w.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.leaseFor(ctx, no, workPrefix+"out"); err != nil {
		t.Fatal(err)
	}
	take := stmt{sql: "SELECT 1 FROM followers WHERE workspace = $1 FOR UPDATE NOWAIT", args: []any{no}, scan: func(r scanner) error { return nil }}
	err = s.transact(ctx, []int64{no}, func(u *unit) error {
		u.wantFence(leaseKey{no, workPrefix + "out"})
		if err := u.fetch(ctx); err != nil {
			return err
		}
		if s.engine.exec(ctx, take) == nil {
			t.Error("the lease could be taken over between the look at it and the commit")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.engine.exec(ctx, take); err != nil {
		t.Error("after the commit:", err)
	}
}

// A platform that asked for a long pause gets it, whatever other lanes of the channel are told meanwhile.
func TestLongerHoldStays(t *testing.T) {
	now := time.Unix(1000, 0)
	k := &working{s: &Store{clock: func() time.Time { return now }}}
	g := &group{lanes: map[string]*lane{}, limit: 3}
	r := &workRun{w: k, groups: map[string]*group{"channel": g}}
	end := func(name string, v Verdict) {
		job := &Job{Group: "channel", row: &jobRow{}}
		l := &lane{run: r, group: g, name: name, jobs: []*Job{job}, busy: true}
		g.lanes[name] = l
		g.running, r.active, g.loaded = g.running+1, r.active+1, g.loaded+1
		r.end(ending{l, job, v})
	}
	end("a", Hold(time.Minute, nil))
	end("b", LaterAll(time.Millisecond))
	if left := g.held.left(now); left != time.Minute {
		t.Errorf("the channel is held for %s, want a minute", left)
	}
	end("c", Hold(time.Hour, nil))
	if left := g.held.left(now); left != time.Hour {
		t.Errorf("the channel is held for %s, want an hour", left)
	}
}
