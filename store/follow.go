package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// followBatch is how many events one transaction of a follower takes at the most: the workspace is locked meanwhile.
const followBatch = 64

// Tx is what a follower's step may use: everything it does is committed together with its cursor.
type Tx struct {
	ctx   context.Context
	u     *unit
	ws    int64
	uid   chat.WorkspaceID
	name  string
	conv  int64
	since int64
	along bool
}

// Now is the time of this transaction.
func (t *Tx) Now() time.Time { return t.u.now }

// Since is the position of the event of interest before this one, if this node has seen and committed it and nobody else has read in
// between; else 0. Who keeps something in memory from one event to the next knows by it whether that is still right.
func (t *Tx) Since() int64 { return t.since }

// Along tells that the step is part of the transaction that appends the event: see FollowAlong.
func (t *Tx) Along() bool { return t.along }

// Workspace is whose log is being read.
func (t *Tx) Workspace() chat.WorkspaceID { return t.uid }

// Context ends when the follower is told to stop.
func (t *Tx) Context() context.Context { return t.ctx }

// Append writes a command's events in this transaction. A fault (*chat.Fault) has changed nothing.
func (t *Tx) Append(cmd Command) (Result, error) {
	if erases(cmd) {
		return Result{}, chat.Faultf(chat.CodeForbidden, "a follower cannot erase")
	}
	if err := cmd.resolve(t.ctx, t.u.s); err != nil {
		return Result{}, err
	}
	if cmd.workspace() != t.ws {
		return Result{}, chat.Faultf(chat.CodeForbidden, "a follower writes to the log that it reads")
	}
	cmd.want(t.u)
	if err := t.u.fetch(t.ctx); err != nil {
		return Result{}, err
	}
	return cmd.apply(t.ctx, t.u)
}

// Conversation is the event's conversation as it is now.
func (t *Tx) Conversation() (chat.Conversation, error) {
	c, err := t.u.conversationNo(t.ctx, convKey{t.ws, t.conv})
	if err != nil {
		return chat.Conversation{}, err
	}
	ch, err := t.u.channel(t.ctx, t.ws, c.channel)
	if err != nil {
		return chat.Conversation{}, err
	}
	ref := chat.ContactRef{}
	if p := t.u.contacts[convKey{t.ws, c.contact}]; p != nil {
		ref = chat.ContactRef{ID: p.uid, Name: p.name}
	}
	return c.public(ref, ch.uid), nil
}

// Language is the language of the event's contact, as its platform named it.
func (t *Tx) Language() string {
	c := t.u.convs[convKey{t.ws, t.conv}]
	if c == nil {
		return ""
	}
	if p := t.u.contacts[convKey{t.ws, c.contact}]; p != nil {
		return p.language
	}
	return ""
}

// State is what this follower remembers of the event's conversation; empty at first.
func (t *Tx) State() (string, error) {
	k := stateKey{t.ws, t.name, t.conv}
	t.u.wantState(k)
	if err := t.u.fetch(t.ctx); err != nil {
		return "", err
	}
	if s := t.u.states[k]; s != nil {
		return s.body, nil
	}
	return "", nil
}

// SetState replaces it.
func (t *Tx) SetState(body string) {
	t.u.states[stateKey{t.ws, t.name, t.conv}] = &stateRow{body: body, dirty: true}
	t.u.asked[stateKey{t.ws, t.name, t.conv}] = true
}

// Step handles one event. It does no I/O but through tx. An error undoes everything that it did.
type Step func(tx *Tx, e chat.Event) error

// Follow reads the logs of all workspaces in order and calls step for each event exactly once: state, cursor and new events
// are one transaction. It runs until ctx ends. A workspace in which nothing happens costs nothing. An event whose step keeps
// failing is parked as a dead letter, and the log goes on. With kinds, only events of these are of interest; the others cost no
// transaction.
func (s *Store) Follow(ctx context.Context, name string, step Step, kinds ...chat.Kind) error {
	return newFollower(s, name, step, kinds).run(ctx)
}

func newFollower(s *Store, name string, step Step, kinds []chat.Kind) *follower {
	return &follower{
		s: s, name: name, step: step, kinds: kinds, busy: map[int64]*followRun{}, seen: map[int64]seen{}, leased: map[int64]time.Time{},
	}
}

type follower struct {
	s     *Store
	name  string
	step  Step
	kinds []chat.Kind // none: all
	along bool        // steps may be part of the transactions that append
	ctx   context.Context

	mu     sync.Mutex
	busy   map[int64]*followRun
	seen   map[int64]seen
	leased map[int64]time.Time // until when the lease is this node's, as far as a step that came along has prolonged it
	wg     sync.WaitGroup

	riding   sync.WaitGroup // transactions that it is part of
	settling atomic.Bool
}

// followRun is one workspace being read; again tells it to look once more before it ends.
type followRun struct{ again bool }

func (f *follower) run(ctx context.Context) error {
	heard := f.s.heads.listen("")
	defer heard.stop()
	defer f.s.freeLeases(context.WithoutCancel(ctx), f.name)
	defer f.wg.Wait()
	f.ctx = context.WithoutCancel(ctx) // once begun, a step is finished: stopping cannot tear it
	if f.along {
		defer f.s.along.add(f)()
	}
	sweep := time.NewTicker(f.s.sweep)
	defer sweep.Stop()
	f.sweep(ctx)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-heard.bell:
			for ws, head := range heard.take() {
				if f.at(ws).until < head {
					f.start(ctx, ws)
				}
			}
		case <-sweep.C:
			f.sweep(ctx)
		}
	}
}

// sweep looks for logs that are ahead of this follower.
func (f *follower) sweep(ctx context.Context) {
	list, err := f.s.behind(ctx, f.name)
	if err != nil {
		if ctx.Err() == nil {
			f.s.log.ErrorContext(ctx, "follow: sweep", "follower", f.name, "err", err)
		}
		return
	}
	var quiet []int64
	for ws, head := range list {
		if f.at(ws).until < head {
			f.start(ctx, ws)
		} else {
			quiet = append(quiet, ws)
		}
	}
	f.settleAll(ctx, quiet)
}

// behind lists the workspaces, with their heads, whose log goes further than a follower has read.
func (s *Store) behind(ctx context.Context, name string) (map[int64]int64, error) {
	found, err := list(ctx, s, func(r scanner) (at [2]int64, err error) {
		err = r.Scan(&at[0], &at[1])
		return at, err
	}, `SELECT w.id, w.head FROM workspaces w
 LEFT JOIN followers f ON f.workspace = w.id AND f.name = $1 WHERE w.head > COALESCE(f.pos, 0)`, name)
	out := make(map[int64]int64, len(found))
	for _, at := range found {
		out[at[0]] = at[1]
	}
	return out, err
}

func scanID(r scanner) (id int64, err error) {
	err = r.Scan(&id)
	return id, err
}

func (f *follower) start(ctx context.Context, ws int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if run := f.busy[ws]; run != nil {
		run.again = true
		return
	}
	f.busy[ws] = &followRun{}
	f.wg.Go(func() { f.catchUp(ctx, ws) })
}

// catchUp reads one workspace until it is at the head.
func (f *follower) catchUp(ctx context.Context, ws int64) {
	limit, failures, away := followBatch, 0, 0
	for ctx.Err() == nil {
		n, bad, err := f.batch(ctx, ws, limit)
		switch {
		case err == nil:
			failures, away, limit = 0, 0, followBatch
			if n > 0 {
				continue
			}
			if f.idle(ws) {
				return
			}
		case !errors.Is(err, errStep):
			away++
			f.s.log.ErrorContext(ctx, "follow: database", "follower", f.name, "workspace", ws, "attempt", away, "err", err)
			pause(ctx, backoff(away))
		case bad > 0:
			limit = bad // commit what stands before the bad one
		case limit > 1:
			limit = 1 // meet it alone
		case failures < stepTries-1:
			failures++
			f.s.log.ErrorContext(ctx, "follow: step", "follower", f.name, "workspace", ws, "attempt", failures, "err", err)
			pause(ctx, backoff(failures))
		case f.park(ctx, ws, err) == nil:
			failures, limit = 0, followBatch
		default:
			away++
			pause(ctx, backoff(away))
		}
	}
	f.mu.Lock()
	delete(f.busy, ws)
	f.mu.Unlock()
}

// idle ends the run unless somebody asked for another look meanwhile.
func (f *follower) idle(ws int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.busy[ws].again {
		f.busy[ws].again = false
		return false
	}
	delete(f.busy, ws)
	return true
}

// stepTries is how often a step is tried before its event is parked.
const stepTries = 5

// errStep marks an error of the step, as opposed to one of the database.
var errStep = errors.New("step failed")

// batch runs the step over the next events in one transaction. It answers how many; for a failed step, how many events of
// the batch stand before the failed one.
func (f *follower) batch(ctx context.Context, ws int64, limit int) (n, bad int, err error) {
	known := f.at(ws)
	events, cursor, head, err := f.peek(ctx, ws, limit)
	if err != nil {
		return 0, 0, err
	}
	if len(events) == 0 {
		f.swap(ws, known, known.read(cursor, head))
		return 0, 0, nil
	}
	since, moved := known.since(cursor), false
	f.note(ws, seen{cursor: -1}) // until it is committed
	// once begun, a batch is finished: stopping cannot tear it
	ctx = context.WithoutCancel(ctx)
	err = f.s.transact(ctx, []int64{ws}, func(u *unit) error {
		since := since
		at, held := u.cursor(ws, f.name)
		for range 2 { // the second time for the channels of the conversations
			for _, e := range events {
				f.want(u, ws, e.conv)
			}
			if err := u.fetch(ctx); err != nil {
				return err
			}
		}
		if moved = !*held && *at != cursor; moved {
			return nil // by settle, or by a node that is gone: look again
		}
		if *held {
			events = nil // another node reads this log
			return nil
		}
		for i, e := range events {
			tx := &Tx{ctx: ctx, u: u, ws: ws, uid: u.workspaces[ws].uid, name: f.name, conv: e.conv, since: since}
			since = e.Pos
			err := stepSafely(f.step, tx, e.Event)
			if u.broken != nil {
				return u.broken // whatever the step made of it
			}
			if err != nil {
				if chat.CodeOf(err) == chat.CodeUnavailable {
					return err // the database's trouble, not the event's
				}
				bad = i
				return fmt.Errorf("%w at %d: %w", errStep, e.Pos, err)
			}
		}
		u.moveCursor(ws, f.name, events[len(events)-1].Pos)
		return nil
	})
	if err != nil && !errors.Is(err, errStep) && chat.CodeOf(f.s.refused(err)) != chat.CodeUnavailable {
		err = fmt.Errorf("%w: %w", errStep, err) // it wrote what the database will never take
	}
	if err == nil && len(events) > 0 && !moved {
		last := events[len(events)-1].Pos
		f.note(ws, seen{cursor: last, last: last, until: last})
	}
	return len(events), bad, err
}

// want names the rows that a step may look at.
func (f *follower) want(u *unit, ws, conv int64) {
	u.wantState(stateKey{ws, f.name, conv})
	u.wantConversationNo(convKey{ws, conv})
	if c := u.convs[convKey{ws, conv}]; c != nil {
		u.wantChannel(ws, c.channel)
	}
}

func stepSafely(step Step, tx *Tx, e chat.Event) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return step(tx, e)
}

// park moves the cursor over an event that cannot be handled and keeps it as a dead letter.
func (f *follower) park(ctx context.Context, ws int64, cause error) error {
	f.note(ws, seen{cursor: -1})
	events, cursor, _, err := f.peek(ctx, ws, 1)
	if err != nil || len(events) == 0 {
		return err
	}
	e := events[0]
	f.s.log.ErrorContext(ctx, "follow: parked as a dead letter", "follower", f.name, "pos", e.Pos, "err", cause)
	return f.s.transact(context.WithoutCancel(ctx), []int64{ws}, func(u *unit) error {
		at, held := u.cursor(ws, f.name)
		if err := u.fetch(ctx); err != nil {
			return err
		}
		if *held || *at != cursor {
			return nil // another node got over it
		}
		u.jobs[jobKey{ws, f.name, e.Pos}] = &jobRow{
			ws: ws, work: f.name, pos: e.Pos, lane: string(e.Conversation), group: string(e.Channel), conv: e.conv, seq: e.Seq,
			state: jobDead, attempts: stepTries, created: micros(u.now), fresh: true, dirty: true,
			failure: failureText(&chat.Failure{Class: "step", Detail: cause.Error()}),
		}
		u.moveCursor(ws, f.name, e.Pos)
		return nil
	})
}
