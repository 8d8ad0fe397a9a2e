package store

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/wake"
)

// maxBatch is how many commands share one transaction at the most.
const maxBatch = 256

// Command is one wish to write. The commands are the types of this package that have these methods.
type Command interface {
	// resolve finds inner names, outside any transaction.
	resolve(ctx context.Context, s *Store) error
	// workspace is the log that it writes to.
	workspace() int64
	// want names the rows that apply will look at. It is asked again when conversations were found: it may build on them.
	want(u *unit)
	// apply checks the rules and changes the unit; with an error it has changed nothing.
	apply(ctx context.Context, u *unit) (Result, error)
}

// Result is what a command did. Duplicate: it had been done before; Events has what was stored then.
type Result struct {
	Events    []chat.Event
	Duplicate bool
}

type request struct {
	cmd  Command
	done chan response // holds one: the committer never waits for a caller
}

type response struct {
	res Result
	err error
}

// Append writes a command's events and answers after they are durable. Commands of many callers share transactions;
// one that breaks a rule gets its error (a *chat.Fault) and writes nothing, its neighbours never notice. When ctx ends first,
// the command may still be written.
func (s *Store) Append(ctx context.Context, cmd Command) (Result, error) {
	r, err := s.enqueue(ctx, cmd)
	if err != nil {
		return Result{}, err
	}
	return s.await(ctx, r)
}

func (s *Store) enqueue(ctx context.Context, cmd Command) (*request, error) {
	if err := cmd.resolve(ctx, s); err != nil {
		return nil, err
	}
	r := &request{cmd: cmd, done: make(chan response, 1)}
	select {
	case s.queue <- r:
		return r, nil
	case <-ctx.Done():
		return nil, unavailable(ctx.Err())
	case <-s.closed:
		return nil, chat.Faultf(chat.CodeUnavailable, "the store is closing")
	}
}

func (s *Store) await(ctx context.Context, r *request) (Result, error) {
	select {
	case out := <-r.done:
		return out.res, out.err
	case <-ctx.Done():
		return Result{}, unavailable(ctx.Err())
	case <-s.ended:
		select {
		case out := <-r.done:
			return out.res, out.err
		default:
			return Result{}, chat.Faultf(chat.CodeUnavailable, "the store is closing")
		}
	}
}

// AppendAll is Append for several commands, which keep their order and, as far as a batch has room, share a transaction. There is
// one result and one error for each.
func (s *Store) AppendAll(ctx context.Context, cmds []Command) ([]Result, []error) {
	results, errs := make([]Result, len(cmds)), make([]error, len(cmds))
	waiting := make([]*request, len(cmds))
	for i, cmd := range cmds {
		if waiting[i], errs[i] = s.enqueue(ctx, cmd); errs[i] != nil && chat.CodeOf(errs[i]) == chat.CodeUnavailable {
			// what follows must not overtake what could not be queued
			for j := i + 1; j < len(cmds); j++ {
				errs[j] = errs[i]
			}
			break
		}
	}
	for i, r := range waiting {
		if r != nil {
			results[i], errs[i] = s.await(ctx, r)
		}
	}
	return results, errs
}

// commitLoop takes what waits, at most maxBatch, and never waits for more: while one batch is synced to disk the next
// one is committed, and the one after it gathers by itself.
func (s *Store) commitLoop() {
	defer close(s.settling)
	ctx := context.Background() //nolint:forbidigo // the committer outlives every request; Close ends it
	for {
		batch := make([]*request, 0, 64)
		select {
		case r := <-s.queue:
			batch = append(batch, r)
		case <-s.closed:
			return
		}
		runtime.Gosched() // whoever is about to queue a command does so now: one transaction for many costs less than many
	fill:
		for len(batch) < maxBatch {
			select {
			case r := <-s.queue:
				batch = append(batch, r)
			default:
				break fill
			}
		}
		s.commitBatch(ctx, batch)
	}
}

// settling is a batch that is committed, and not yet known to be on disk.
type settling struct {
	batch []*request
	out   []response
	unit  *unit
}

// settleLoop answers batches once they are durable.
func (s *Store) settleLoop() {
	defer close(s.ended)
	for b := range s.settling {
		err := s.settle(b.unit)
		for i, r := range b.batch {
			if err != nil {
				b.out[i] = response{err: unavailable(err)}
			}
			r.done <- b.out[i]
		}
	}
}

// commitBatch runs a batch in one transaction. When the database refuses it, each command gets a transaction of its own, so
// that one impossible command does not fail the others. When the database is away, nobody knows whether the batch was
// committed: it must not be done twice.
func (s *Store) commitBatch(ctx context.Context, batch []*request) {
	if i := slices.IndexFunc(batch, func(r *request) bool { return alone(r.cmd) }); i >= 0 && len(batch) > 1 {
		for _, part := range [][]*request{batch[:i], batch[i : i+1], batch[i+1:]} {
			if len(part) > 0 {
				s.commitBatch(ctx, part)
			}
		}
		return
	}
	out, u, err := s.tryBatch(ctx, batch)
	for tries := 0; tries < stalePatience && errors.Is(err, errAway) && !errors.Is(err, errCut); tries++ {
		out, u, err = s.tryBatch(ctx, batch) // the connection was an old one: nothing has happened yet
	}
	if err != nil && len(batch) > 1 && !errors.Is(err, errAway) {
		for _, r := range batch {
			s.commitBatch(ctx, []*request{r})
		}
		return
	}
	if err != nil {
		for _, r := range batch {
			r.done <- response{err: s.refused(err)}
		}
		return
	}
	if erases(batch[0].cmd) {
		if err := s.engine.scrub(ctx); err != nil {
			s.log.WarnContext(ctx, "store: erased data may stay in the write-ahead log for a while", "err", err)
		}
	}
	s.settling <- settling{batch, out, u}
}

// stalePatience is how many dead connections a commit puts up with: after a restart of the database the pool may hold some.
const stalePatience = 8

// erases tells whether a command rewrites what is stored, behind the back of a unit that has read it before.
func erases(cmd Command) bool {
	switch cmd.(type) {
	case *Erase, *Adopt:
		return true
	default:
		return false
	}
}

// refused turns the database's refusal of a single command into what its caller can use. What is neither a conflict nor bad
// input is worth trying again, but for a fault of this program.
func (s *Store) refused(err error) error {
	switch {
	case errors.Is(err, errPanic):
		return fmt.Errorf("%w: %w", &chat.Fault{Code: chat.CodeInvalid, Detail: "this program cannot deal with that"}, err)
	case s.engine.conflict(err):
		return fmt.Errorf("%w: %w", &chat.Fault{Code: chat.CodeConflict, Detail: "somebody else was faster"}, err)
	case s.engine.unfit(err):
		return fmt.Errorf("%w: %w", &chat.Fault{Code: chat.CodeInvalid, Detail: "the database cannot hold that"}, err)
	default:
		return unavailable(err)
	}
}

// alone tells whether a command gets a transaction of its own: one that erases, and one whose rule asks the database for what others of
// its batch would only be about to write.
func alone(cmd Command) bool {
	switch cmd.(type) {
	case *PutQueue, *DropQueue, *PutTeam, *DropTeam, *PutHours:
		return true
	default:
		return erases(cmd)
	}
}

// tryBatch answers one response for each command, which hold once the unit is settled, or an error if nothing was written.
func (s *Store) tryBatch(ctx context.Context, batch []*request) (out []response, u *unit, err error) {
	locks := make([]int64, 0, 1)
	for _, r := range batch {
		if ws := r.cmd.workspace(); !slices.Contains(locks, ws) {
			locks = append(locks, ws)
		}
	}
	slices.Sort(locks)
	u, err = s.commit(ctx, locks, func(u *unit) error {
		out = make([]response, 0, len(batch))
		err := u.gather(ctx, func() {
			for _, r := range batch {
				r.cmd.want(u)
			}
		})
		if err != nil {
			return err
		}
		for _, r := range batch {
			res, err := applySafely(ctx, u, r.cmd)
			if err != nil && chat.CodeOf(err) == "" {
				return err // the database's, not the rule's
			}
			out = append(out, response{res, err})
		}
		return nil
	})
	return out, u, err
}

// errPanic is a command that broke down: a fault of this program, not of the batch.
var errPanic = errors.New("store: command panicked")

func applySafely(ctx context.Context, u *unit, cmd Command) (res Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			u.s.log.ErrorContext(ctx, "store: command panicked", "command", fmt.Sprintf("%T", cmd), "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("%w: %T: %v", errPanic, cmd, p)
		}
	}()
	return cmd.apply(ctx, u)
}

// transact runs do in a write transaction that has locked these workspaces, in this order, and tells followers of what it wrote when
// that is on disk. do may be called again, with a new unit: when the step of a follower that came along has failed.
func (s *Store) transact(ctx context.Context, workspaces []int64, do func(u *unit) error) error {
	u, err := s.commit(ctx, workspaces, do)
	if err != nil {
		return err
	}
	return s.settle(u)
}

// settle waits until a unit is on disk, and all that it has read, and lets the others hear of it.
func (s *Store) settle(u *unit) error {
	if err := s.engine.settle(); err != nil {
		return err
	}
	s.announce(u.news)
	return nil
}

// commit is transact without the wait: the next transaction may begin, but nobody may be told of this one before it is settled.
func (s *Store) commit(ctx context.Context, workspaces []int64, do func(u *unit) error) (*unit, error) {
	defer s.turns.take(workspaces)()
	for {
		u, err := s.attempt(ctx, workspaces, do)
		if !errors.Is(err, errAlong) {
			return u, err
		}
		s.log.WarnContext(ctx, "store: once more, and the step alone", "err", err)
	}
}

func (s *Store) attempt(ctx context.Context, workspaces []int64, do func(u *unit) error) (*unit, error) {
	tx, err := s.engine.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer tx.rollback() // no-op after commit
	u := s.newUnit(tx)
	if err := u.open(ctx, workspaces); err != nil {
		return nil, err
	}
	if err := do(u); err != nil {
		return nil, err
	}
	along := s.along.board(u)
	defer along.leave()
	if err := u.follow(along); err != nil {
		return nil, err
	}
	writes, err := u.flush()
	if err != nil {
		return nil, err
	}
	if len(writes) == 0 {
		u.cool()
		return u, nil
	}
	if err := tx.commitSoon(ctx, writes); err != nil {
		return nil, err
	}
	u.news = u.told()
	u.cool()
	along.arrive(u.now)
	return u, nil
}

// news is what others hear of a unit: the workspaces that moved, and the jobs that came of it.
type news struct {
	w     *workspaceRow
	works map[string]handover
}

// told collects the news of a unit that is committed, before the next one has its rows.
func (u *unit) told() (out []news) {
	for _, w := range u.workspaces {
		if w != nil && w.dirty {
			out = append(out, news{w, u.handovers(w)})
		}
	}
	return out
}

// announce tells them.
func (s *Store) announce(list []news) {
	for _, n := range list {
		s.heads.moved(n.w, n.works)
		s.wake.Head(n.w.uid, n.w.head)
	}
}

// hear passes on what other nodes committed; what this one committed is known already.
func (s *Store) hear(news *wake.Subscription) {
	defer news.Close()
	ctx := context.Background() //nolint:forbidigo // as long as the store is open
	for {
		select {
		case <-s.closed:
			return
		case <-news.Ready():
		}
		for uid, head := range news.Take().Heads {
			if ws, err := s.workspaceNo(ctx, uid); err == nil {
				s.heads.heard(ws, head)
			}
		}
	}
}
