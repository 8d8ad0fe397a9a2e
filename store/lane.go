package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// workRun is one kind of work of one workspace on this node. All of it belongs to the goroutine of run, but for bell, ended,
// news and asleep (which belong to working.mu).
type workRun struct {
	w      *working
	ws     int64
	fence  int64
	until  time.Time
	cursor int64
	groups map[string]*group
	active int
	bell   chan struct{}
	stale  bool     // there may be jobs that were not read yet
	news   handover // what it was told and has not taken yet
	ended  chan ending
	asleep bool // no goroutine; what it knows is kept while its lease holds
}

// group is the lanes of one channel.
type group struct {
	lanes   map[string]*lane
	running int
	limit   int // how many may run, when start last asked
	loaded  int
	behind  int64 // jobs from this position on are not loaded; 0: all are
	held    moratorium
}

// moratorium is a wait until a time. It knows how long it was meant to be, so that a clock that is set back does not make it longer.
type moratorium struct {
	until time.Time
	wait  time.Duration
}

func waitFor(now time.Time, d time.Duration) moratorium { return moratorium{now.Add(d), d} }

// left is how long it still lasts; not positive when it is over.
func (m *moratorium) left(now time.Time) time.Duration {
	if m.until.Sub(now) > m.wait {
		m.until = now.Add(m.wait) // the clock was set back
	}
	return m.until.Sub(now)
}

// lane is jobs that are done one after the other.
type lane struct {
	run   *workRun
	group *group
	name  string
	jobs  []*Job
	due   moratorium // of the first job
	busy  bool       // its first job is under way
}

type ending struct {
	lane *lane
	job  *Job
	v    Verdict
}

func (r *workRun) ring() {
	select {
	case r.bell <- struct{}{}:
	default:
	}
}

// drainTime is how long jobs under way have to end when the program stops, unless their kind says otherwise.
const drainTime = 10 * time.Second

// run goes on while there is something to do. The goroutine sleeps when all lanes wait.
func (r *workRun) run(ctx context.Context) {
	jobs, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	// jobs under way may end in peace: to cut a request off would leave it unsure
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(r.w.Drain, cancel) })
	defer stop()
	for failures := 0; ; {
		err := r.turn(ctx, jobs)
		switch {
		case ctx.Err() != nil:
			r.drain(ctx)
			return
		case err == nil:
			failures = 0
		default:
			failures++
			r.w.s.log.ErrorContext(ctx, "work: jobs cannot be read", "work", r.w.Work, "attempt", failures, "err", err)
			pause(ctx, backoff(failures))
			continue
		}
		if r.active == 0 && r.empty() && r.w.rest(r) {
			return
		}
		r.sleep(ctx)
	}
}

// turn reads what is new and starts what can start.
func (r *workRun) turn(ctx, jobs context.Context) error {
	ours, err := r.acquire(ctx)
	if err != nil {
		return err
	}
	if !ours {
		r.lost()
		return nil
	}
	select {
	case <-r.bell:
	default:
	}
	if err := r.learn(ctx); err != nil {
		return err
	}
	if err := r.refill(ctx); err != nil {
		return err
	}
	r.start(jobs)
	return nil
}

// sleep waits for a bell, an ending, or the next job that is due.
func (r *workRun) sleep(ctx context.Context) {
	timer := time.NewTimer(r.nextDue())
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-r.bell:
	case <-timer.C:
	case e := <-r.ended:
		r.end(e)
		for len(r.ended) > 0 {
			r.end(<-r.ended)
		}
	}
}

// nextDue is how long nothing can start by itself; never longer than a third of the lease.
func (r *workRun) nextDue() time.Duration {
	now := r.w.s.now()
	d := r.w.s.lease / 3
	for _, g := range r.groups {
		if g.running >= g.limit {
			continue // an ending will wake us
		}
		for _, l := range g.lanes {
			if !l.busy && len(l.jobs) > 0 {
				d = min(d, max(l.due.left(now), g.held.left(now), time.Millisecond))
			}
		}
	}
	return d
}

// admit puts a job at the end of its lane, or remembers that the group has no room.
func (r *workRun) admit(j *Job) {
	g := r.groups[j.Group]
	if g == nil {
		g = &group{lanes: map[string]*lane{}, limit: 1}
		r.groups[j.Group] = g
	}
	if g.behind > 0 || g.loaded >= groupWindow {
		if g.behind == 0 {
			g.behind = j.row.pos
		}
		return
	}
	l := g.lanes[j.Lane]
	if l == nil {
		l = &lane{run: r, group: g, name: j.Lane}
		g.lanes[j.Lane] = l
	}
	j.lane = l
	if len(l.jobs) == 0 {
		l.due = j.due()
	}
	l.jobs = append(l.jobs, j)
	g.loaded++
}

// start lets the first jobs of lanes go, as far as their groups allow.
func (r *workRun) start(ctx context.Context) {
	now := r.w.s.now()
	for name, g := range r.groups {
		g.limit = max(r.w.Concurrency(name), 1)
		if g.held.left(now) > 0 {
			continue
		}
		for _, l := range g.lanes {
			if g.running >= g.limit {
				break
			}
			if l.busy || len(l.jobs) == 0 || l.due.left(now) > 0 {
				continue
			}
			l.busy = true
			g.running++
			r.active++
			l.jobs[0].fence = r.fence
			go r.do(ctx, l, l.jobs[0])
		}
	}
}

// do runs one job and writes its verdict. A panic counts as a failure that the number of attempts decides about.
func (r *workRun) do(ctx context.Context, l *lane, j *Job) {
	v := r.safely(ctx, j)
	switch {
	case j.refused != nil:
		v = r.settled(ctx, j, j.refused)
	case !v.quiet:
		v = r.write(ctx, j, v)
	}
	r.ended <- ending{l, j, v}
}

// settled is the verdict on a job that is not ours to judge any more.
func (r *workRun) settled(ctx context.Context, j *Job, why error) Verdict {
	r.w.s.log.WarnContext(ctx, "work: verdict not written", "work", r.w.Work, "pos", j.row.pos, "err", why)
	if errors.Is(why, errFenced) {
		return Verdict{state: jobReady, quiet: true, fenced: true}
	}
	return Verdict{} // it is over: erased, or done by another node
}

// maxPanics is how often a job may break down before it is parked.
const maxPanics = 5

func (r *workRun) safely(ctx context.Context, j *Job) (v Verdict) {
	defer func() {
		if p := recover(); p != nil {
			f := &chat.Failure{Class: "panic", Detail: fmt.Sprint(p)}
			r.w.s.log.ErrorContext(ctx, "work: job panicked", "work", r.w.Work, "pos", j.row.pos, "panic", p)
			v = Again(-1, f)
			if j.Attempts >= maxPanics {
				v = Dead(f)
			}
		}
	}()
	return r.w.Do(ctx, j)
}

// write makes the verdict durable. When the database is away it tries until it is back: the verdict is all that is known.
func (r *workRun) write(ctx context.Context, j *Job, v Verdict) Verdict {
	if v.state == jobReady && v.after < 0 {
		v.after = backoff(j.Attempts + 1)
	}
	m := &jobMark{state: v.state, failure: v.failure, then: v.then}
	if v.state == jobReady {
		m.due = r.w.s.now().Add(v.after)
	}
	durable := context.WithoutCancel(ctx)
	for failures := 1; ; failures++ {
		err := j.mark(durable, m)
		switch {
		case err == nil:
			return v
		case j.refused != nil:
			return r.settled(ctx, j, err)
		case chat.CodeOf(err) == chat.CodeUnavailable:
			if ctx.Err() != nil && failures >= 5 || r.w.s.isClosed() {
				r.w.s.log.ErrorContext(ctx, "work: verdict not written", "work", r.w.Work, "pos", j.row.pos, "err", err)
				return Verdict{state: jobReady, after: time.Second, quiet: true}
			}
			pause(ctx, backoff(failures))
		case m.state == jobDead && m.then == nil:
			r.w.s.log.ErrorContext(ctx, "work: job cannot be parked", "work", r.w.Work, "pos", j.row.pos, "err", err)
			return Verdict{state: jobReady, after: time.Minute, quiet: true}
		default:
			// what should follow cannot be stored: to do the job again would only repeat its effect outside
			v = Dead(&chat.Failure{Class: "store", Detail: err.Error()})
			m = &jobMark{state: v.state, failure: v.failure}
		}
	}
}

// end puts a lane back after its job.
func (r *workRun) end(e ending) {
	l, g := e.lane, e.lane.group
	l.busy = false
	g.running--
	r.active--
	if r.groups[e.job.Group] != g {
		return // the lease was lost meanwhile
	}
	now := r.w.s.now()
	switch {
	case e.v.fenced:
		r.until = time.Time{} // ask for the lease anew before anything else
	case e.v.state == jobReady:
		l.due = waitFor(now, e.v.after)
		if e.v.group && l.due.left(now) > g.held.left(now) {
			g.held = l.due // never shorter than what another lane was told
		}
		if !e.v.quiet {
			e.job.Attempts, e.job.Interrupted = e.job.Attempts+1, false
		}
	default:
		l.jobs = l.jobs[1:]
		g.loaded--
		if len(l.jobs) > 0 {
			l.due = l.jobs[0].due()
		} else {
			delete(g.lanes, l.name)
		}
	}
	if len(g.lanes) == 0 && g.behind == 0 && g.held.left(now) <= 0 {
		delete(r.groups, e.job.Group)
	}
}

func (r *workRun) empty() bool {
	for _, g := range r.groups {
		if len(g.lanes) > 0 || g.behind > 0 {
			return false
		}
	}
	return true
}

// lost forgets everything: another node does this work now. Jobs under way end by themselves and cannot write.
func (r *workRun) lost() {
	r.groups, r.cursor, r.until, r.stale = map[string]*group{}, 0, time.Time{}, true
}

// drain waits for jobs under way when the program stops. It keeps the lease meanwhile: nobody else may begin what comes after them.
func (r *workRun) drain(ctx context.Context) {
	keep := time.NewTicker(r.w.s.lease / 3)
	defer keep.Stop()
	for r.active > 0 {
		select {
		case e := <-r.ended:
			r.end(e)
		case <-keep.C:
			_, _ = r.acquire(context.WithoutCancel(ctx)) // without it the fence still keeps the log right
		}
	}
}
