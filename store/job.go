package store

import (
	"cmp"
	"context"
	"encoding/json"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// The states of a job. A job that is done is deleted.
const (
	jobReady   = "ready"
	jobRunning = "running" // started: after a crash nobody knows how far it came
	jobDead    = "dead"
)

type jobRow struct {
	ws                 int64
	work               string
	pos                int64
	lane, group        string
	conv, seq          int64
	state              string
	attempts           int
	due                int64
	progress, failure  string
	created, updated   int64
	fresh, dirty, gone bool
}

const jobColumns = `j.workspace, j.work, j.pos, j.lane, j.grp, j.conversation, j.seq, j.state, j.attempts, j.due_at, j.progress, j.failure, j.created_at, j.updated_at`

func (j *jobRow) dest() []any {
	return []any{
		&j.ws, &j.work, &j.pos, &j.lane, &j.group, &j.conv, &j.seq, &j.state, &j.attempts, &j.due, &j.progress, &j.failure, &j.created, &j.updated,
	}
}

func (u *unit) wantJob(k jobKey) {
	u.ask(k, stmt{
		sql:  "SELECT " + jobColumns + " FROM jobs j WHERE j.workspace = $1 AND j.work = $2 AND j.pos = $3",
		args: []any{k.ws, k.work, k.pos},
		scan: func(r scanner) error {
			row := &jobRow{}
			u.jobs[k] = row
			return r.Scan(row.dest()...)
		},
	})
}

func (u *unit) flushJobs() []stmt {
	var out []stmt
	for _, j := range sorted(u.jobs, func(a, b *jobRow) int {
		return cmp.Or(cmp.Compare(a.ws, b.ws), cmp.Compare(a.pos, b.pos), cmp.Compare(a.work, b.work))
	}) {
		switch {
		case j.gone && !j.fresh:
			out = append(out, stmt{sql: "DELETE FROM jobs WHERE workspace = $1 AND work = $2 AND pos = $3", args: []any{j.ws, j.work, j.pos}})
		case j.gone || !j.dirty:
		case j.fresh:
			out = append(out, stmt{
				sql: `INSERT INTO jobs (workspace, work, pos, lane, grp, conversation, seq, state, attempts, due_at, progress, failure, created_at, updated_at)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
				args: []any{
					j.ws, j.work, j.pos, j.lane, j.group, j.conv, j.seq, j.state, j.attempts, j.due, j.progress, j.failure, j.created, micros(u.now),
				},
			})
		default:
			out = append(out, stmt{
				sql: `UPDATE jobs SET state = $1, attempts = $2, due_at = $3, progress = $4, failure = $5, updated_at = $6
 WHERE workspace = $7 AND work = $8 AND pos = $9`,
				args: []any{j.state, j.attempts, j.due, j.progress, j.failure, micros(u.now), j.ws, j.work, j.pos},
			})
		}
	}
	return out
}

// leaseKey names a follower, or a kind of work, in a workspace.
type leaseKey struct {
	ws   int64
	name string
}

// wantFence keeps the lease still until the commit: a node that takes it over meanwhile must see what this transaction wrote.
func (u *unit) wantFence(k leaseKey) {
	u.ask(k, stmt{
		sql:  "SELECT fence FROM followers WHERE workspace = $1 AND name = $2" + u.s.engine.lock(),
		args: []any{k.ws, k.name},
		scan: func(r scanner) error {
			var fence int64
			err := r.Scan(&fence)
			u.fences[k] = fence
			return err
		},
	})
}

// errFenced is the answer to a node that lost its lease: what it did since does not count.
var errFenced = &chat.Fault{Code: chat.CodeConflict, Detail: "another node has taken over this work"}

// errOver is the answer to who writes about a job that is done, dead or erased.
var errOver = &chat.Fault{Code: chat.CodeConflict, Detail: "the job is over"}

// jobMark changes a job while the lease holds: started, again later, done or dead, with what follows from that.
type jobMark struct {
	key      jobKey
	fence    int64
	state    string // ready, running, dead; "" is done
	due      time.Time
	attempt  bool // counts as an attempt
	progress json.RawMessage
	failure  *chat.Failure
	then     []Command
}

func (c *jobMark) resolve(ctx context.Context, s *Store) error {
	for _, cmd := range c.then {
		if err := cmd.resolve(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func (c *jobMark) workspace() int64   { return c.key.ws }
func (c *jobMark) leaseKey() leaseKey { return leaseKey{c.key.ws, workPrefix + c.key.work} }

func (c *jobMark) want(u *unit) {
	u.wantJob(c.key)
	u.wantFence(c.leaseKey())
	for _, cmd := range c.then {
		cmd.want(u)
	}
}

func (c *jobMark) apply(ctx context.Context, u *unit) (Result, error) {
	if u.fences[c.leaseKey()] != c.fence {
		return Result{}, errFenced
	}
	job := u.jobs[c.key]
	if job == nil || job.gone || job.state == jobDead {
		return Result{}, errOver
	}
	var res Result
	for _, cmd := range c.then {
		r, err := cmd.apply(ctx, u)
		if err != nil {
			// a rule that does not hold any more (conversation closed, contact erased) must not keep the job alive
			if chat.CodeOf(err) == "" {
				return Result{}, err
			}
			u.s.log.WarnContext(ctx, "work: a follow-up was refused", "work", c.key.work, "pos", c.key.pos, "err", err)
			continue
		}
		res.Events = append(res.Events, r.Events...)
	}
	job.dirty = true
	if c.attempt {
		job.attempts++
	}
	if c.progress != nil {
		job.progress = string(c.progress)
	}
	if c.failure != nil {
		job.failure = failureText(c.failure)
	}
	if c.state == "" {
		job.gone = true
		return res, nil
	}
	job.state, job.due = c.state, micros(c.due)
	return res, nil
}
