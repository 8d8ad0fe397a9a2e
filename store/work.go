package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// workPrefix keeps the leases of work apart from the cursors of followers.
const workPrefix = "work:"

// Job is one thing to do because of an event. It belongs to the goroutine that Do runs in.
type Job struct {
	Workspace   chat.WorkspaceID
	Work        string
	Lane        string
	Group       string // the channel
	Event       chat.Event
	Attempts    int             // begun before this one
	Interrupted bool            // begun once and never ended: nobody knows how far it came
	Progress    json.RawMessage // what Save kept
	Created     time.Time

	s     *Store
	row   *jobRow
	lane  *lane
	fence int64
	conv  *chat.Conversation // as the commit left it that made the job; nil: not known
	// refused is why this node may not write about the job any more: errFenced or errOver
	refused error
}

// Begin writes down that the job starts now; whatever leaves the process from here on may have left it when the process dies.
// An error means that it must not start.
func (j *Job) Begin(ctx context.Context) error {
	return j.mark(ctx, &jobMark{state: jobRunning, attempt: true})
}

// Save keeps how far the job came, with what is certain by then.
func (j *Job) Save(ctx context.Context, progress json.RawMessage, then ...Command) error {
	return j.mark(ctx, &jobMark{state: jobRunning, progress: progress, then: then})
}

func (j *Job) mark(ctx context.Context, m *jobMark) error {
	m.key, m.fence = jobKey{j.row.ws, j.row.work, j.row.pos}, j.fence
	_, err := j.s.Append(ctx, m)
	if errors.Is(err, errFenced) || errors.Is(err, errOver) {
		j.refused = err
	}
	return err
}

// Now is the time by the store's clock.
func (j *Job) Now() time.Time { return j.s.now() }

// due is how long the job was told to wait when it was last put back.
func (j *Job) due() moratorium {
	until, set := moment(j.row.due), moment(j.row.updated)
	return moratorium{until, max(until.Sub(set), 0)}
}

// Verdict is how a job ended. Exactly one of the constructors below makes it.
type Verdict struct {
	state   string
	after   time.Duration
	group   bool
	quiet   bool
	fenced  bool
	failure *chat.Failure
	then    []Command
}

// Done ends the job; then is written in the same transaction.
func Done(then ...Command) Verdict { return Verdict{then: then} }

// Again does it once more after a time; its lane waits. A negative time lets the number of attempts decide.
func Again(after time.Duration, f *chat.Failure, then ...Command) Verdict {
	return Verdict{state: jobReady, after: after, failure: f, then: then}
}

// Hold is Again for the whole group: none of its lanes goes on before.
func Hold(after time.Duration, f *chat.Failure, then ...Command) Verdict {
	return Verdict{state: jobReady, after: after, group: true, failure: f, then: then}
}

// Later puts the job back without a trace: it has not begun.
func Later(after time.Duration) Verdict { return Verdict{state: jobReady, after: after, quiet: true} }

// LaterAll is Later for the whole group: its pace is used up.
func LaterAll(after time.Duration) Verdict {
	return Verdict{state: jobReady, after: after, quiet: true, group: true}
}

// Dead parks the job as a dead letter; the lane goes on.
func Dead(f *chat.Failure, then ...Command) Verdict {
	return Verdict{state: jobDead, failure: f, then: then}
}

// Do does one job. It may do I/O. It ends soon after ctx ends, with any verdict.
type Do func(ctx context.Context, j *Job) Verdict

// Worker is one kind of work.
type Worker struct {
	Work string
	Do   Do
	// Concurrency says how many jobs of a group (a channel) may be under way at once; default 8.
	Concurrency func(group string) int
	// Drain is how long jobs under way may go on when the program stops; default 10 s, for to cut a request off would leave it unsure.
	Drain time.Duration
}

// Limits of what a node holds of one group in memory; the rest waits in the database.
const (
	groupWindow = 1000
	readChunk   = 500
)

// Work does the jobs that Routes gave birth to: lanes side by side, inside a lane in order. A kind of work of a workspace
// runs on one node at a time (a lease with fencing). It runs until ctx ends; jobs under way are given a moment to end.
func (s *Store) Work(ctx context.Context, w Worker) error {
	if w.Concurrency == nil {
		w.Concurrency = func(string) int { return 8 }
	}
	if w.Drain == 0 {
		w.Drain = drainTime
	}
	k := &working{s: s, Worker: w, runs: map[int64]*workRun{}}
	return k.run(ctx)
}

// working is one kind of work on this node: a run for each workspace that has something to do.
type working struct {
	Worker
	s    *Store
	mu   sync.Mutex
	runs map[int64]*workRun
	wg   sync.WaitGroup
}

func (k *working) run(ctx context.Context) error {
	heard := k.s.heads.listen(k.Work)
	defer heard.stop()
	// also those of workspaces that are idle: the next node should not have to wait for them to run out
	defer k.s.freeLeases(context.WithoutCancel(ctx), workPrefix+k.Work)
	defer k.wg.Wait()
	sweep := time.NewTicker(k.s.sweep)
	defer sweep.Stop()
	k.sweep(ctx)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-heard.bell:
			for ws, h := range heard.takeJobs() {
				k.poke(ctx, ws, h)
			}
		case <-sweep.C:
			k.forget(k.s.now())
			k.sweep(ctx)
		}
	}
}

// sweep starts the workspaces that have jobs, also those that another node left behind.
func (k *working) sweep(ctx context.Context) {
	found, err := list(ctx, k.s, scanID, `SELECT w.id FROM workspaces w WHERE EXISTS
 (SELECT 1 FROM jobs j WHERE j.workspace = w.id AND j.work = $1 AND j.state <> 'dead')`, k.Work)
	for _, ws := range found {
		k.poke(ctx, ws, handover{read: true})
	}
	if err != nil && ctx.Err() == nil {
		k.s.log.ErrorContext(ctx, "work: sweep", "work", k.Work, "err", err)
	}
}

// poke tells a workspace's run what is new, or starts one.
func (k *working) poke(ctx context.Context, ws int64, h handover) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	r := k.runs[ws]
	if r == nil {
		r = &workRun{w: k, ws: ws, groups: map[string]*group{}, bell: make(chan struct{}, 1), ended: make(chan ending, 64), asleep: true, stale: true}
		k.runs[ws] = r
	}
	r.news = r.news.and(h)
	r.ring()
	if r.asleep {
		r.asleep = false
		k.wg.Go(func() { r.run(ctx) })
	}
}

// tidings takes what a run was told.
func (k *working) tidings(r *workRun) handover {
	k.mu.Lock()
	defer k.mu.Unlock()
	news := r.news
	r.news = handover{}
	return news
}

// rest ends a run's goroutine unless somebody rang meanwhile.
func (k *working) rest(r *workRun) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(r.bell) > 0 {
		return false
	}
	r.asleep = true
	return true
}

// forget drops what is known of workspaces that have been idle for longer than a lease.
func (k *working) forget(now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for ws, r := range k.runs {
		if r.asleep && r.until.Before(now) {
			delete(k.runs, ws)
		}
	}
}

// acquire takes or prolongs the lease; false if another node has it.
func (r *workRun) acquire(ctx context.Context) (bool, error) {
	s := r.w.s
	now := s.now()
	if left := r.until.Sub(now); left > s.lease/2 && left <= s.lease {
		return true, nil
	}
	until, fence, err := s.leaseFor(ctx, r.ws, workPrefix+r.w.Work)
	if err != nil || fence == 0 {
		return false, err
	}
	if r.fence != 0 && fence != r.fence {
		r.lost()
	}
	r.fence, r.until = fence, until
	return true, nil
}

// learn puts what is new into its lanes: jobs that were handed over, or all that are not read yet. Commits of this node come in order,
// and whenever another node's may stand between them it is to be read; so behind the cursor nothing is missing.
func (r *workRun) learn(ctx context.Context) error {
	news := r.w.tidings(r)
	if r.stale = r.stale || news.read; r.stale {
		err := r.read(ctx)
		r.stale = err != nil
		return err
	}
	r.take(news.jobs)
	return nil
}

// take admits jobs that stand in order. What is not behind the cursor has been read: it was committed before it was told of.
func (r *workRun) take(jobs []*Job) {
	for _, j := range jobs {
		if j.row.pos > r.cursor {
			r.cursor = j.row.pos
			r.admit(j)
		}
	}
}

// read loads jobs into their lanes, as many as there is room for.
func (r *workRun) read(ctx context.Context) error {
	for {
		list, err := r.w.s.readJobs(ctx, "j.workspace = $1 AND j.work = $2 AND j.pos > $3", readChunk, r.ws, r.w.Work, r.cursor)
		if err != nil {
			return err
		}
		r.take(list)
		if len(list) < readChunk {
			return nil
		}
	}
}

// refill reads on where a group had no room.
func (r *workRun) refill(ctx context.Context) error {
	for name, g := range r.groups {
		for g.behind > 0 && g.loaded < groupWindow/2 {
			list, err := r.w.s.readJobs(ctx, "j.workspace = $1 AND j.work = $2 AND j.grp = $3 AND j.pos >= $4 AND j.pos <= $5", readChunk,
				r.ws, r.w.Work, name, g.behind, r.cursor)
			if err != nil {
				return err
			}
			g.behind = 0
			for _, j := range list {
				r.admit(j)
			}
			if g.behind == 0 && len(list) == readChunk {
				g.behind = list[len(list)-1].row.pos + 1
			}
		}
	}
	return nil
}

// readJobs reads jobs that are not dead, with their events, in order.
func (s *Store) readJobs(ctx context.Context, where string, limit int, args ...any) ([]*Job, error) {
	return list(ctx, s, s.scanJob, "SELECT "+jobColumns+", "+eventColumns+`, COALESCE(c.uid, ''), w.uid FROM jobs j
 JOIN workspaces w ON w.id = j.workspace
 JOIN events e ON e.workspace = j.workspace AND e.conversation = j.conversation AND e.seq = j.seq
 LEFT JOIN conversations c ON c.workspace = j.workspace AND c.no = j.conversation
 WHERE `+where+fmt.Sprintf(" AND j.state <> 'dead' ORDER BY j.pos LIMIT %d", limit), args...)
}

func (s *Store) scanJob(r scanner) (*Job, error) {
	j := &Job{s: s, row: &jobRow{}}
	var conv chat.ConversationID
	first := j.row.dest()
	e, err := scanEvent(frontScanner{r, first}, &conv, &j.Workspace)
	if err != nil {
		return nil, err
	}
	e.Conversation = conv
	j.Event = e
	j.describe()
	return j, nil
}

// describe fills in what the row says.
func (j *Job) describe() {
	j.Work, j.Lane, j.Group = j.row.work, j.row.lane, j.row.group
	j.Attempts, j.Interrupted, j.Created = j.row.attempts, j.row.state == jobRunning, moment(j.row.created)
	if j.row.progress != "" {
		j.Progress = json.RawMessage(j.row.progress)
	}
}

// frontScanner puts further columns before those of the row that is scanned.
type frontScanner struct {
	scanner
	front []any
}

func (f frontScanner) Scan(dest ...any) error { return f.scanner.Scan(append(f.front, dest...)...) }
