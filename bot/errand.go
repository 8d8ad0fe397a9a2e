package bot

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// errand is a call that was made before the job that stands for it is there. That job takes it over, or nobody does.
type errand struct {
	id      string // by which the log will know it
	request Request
	ctx     context.Context
	cancel  context.CancelCauseFunc
	expiry  *time.Timer
	owner   chan func(CallResult) error // holds the job's way to store a part
	store   func(CallResult) error      // from there
	wants   chan struct{}               // closed when there is a part to store
	wanted  bool
	ended   chan struct{} // closed when there is an answer
	result  CallResult
	err     error
}

var (
	errSuperseded = errors.New("another call was made instead")
	errStopped    = errors.New("the program stops")
)

// errands are those under way on this node, at most one for each conversation.
type errands struct {
	ask  Caller
	ctx  context.Context
	now  func() time.Time
	wg   sync.WaitGroup
	mu   sync.Mutex
	over bool // nothing is sent any more
	list map[chat.ConversationID]*errand
	work map[chat.WorkspaceID]time.Time // when a job of a workspace was last done here
}

func newErrands(ctx context.Context, ask Caller, now func() time.Time) (list *errands, stop func()) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	list = &errands{ask: ask, ctx: ctx, now: now, list: map[chat.ConversationID]*errand{}, work: map[chat.WorkspaceID]time.Time{}}
	return list, func() {
		list.mu.Lock()
		list.over = true
		list.mu.Unlock()
		cancel(errStopped)
		list.wg.Wait()
	}
}

// send makes a call that the log will know by its ID, or by another one.
func (x *errands) send(r Request, id string) *errand {
	e := &errand{id: id, request: r, owner: make(chan func(CallResult) error, 1), wants: make(chan struct{}), ended: make(chan struct{})}
	e.ctx, e.cancel = context.WithCancelCause(x.ctx)
	e.expiry = time.AfterFunc(r.Deadline.Sub(x.now()), func() {
		e.cancel(errTimeout)
		x.drop(e)
	})
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.over {
		e.err = errStopped
		close(e.ended)
		return e
	}
	x.wg.Go(func() {
		defer close(e.ended)
		e.result, e.err = safely(e.ctx, x.ask, r, e.part)
		if cause := context.Cause(e.ctx); cause != nil {
			e.err = cause
		}
	})
	return e
}

// leave keeps a call for the job that will come for it.
func (x *errands) leave(e *errand) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.list[e.request.Conversation.ID].end()
	x.list[e.request.Conversation.ID] = e
}

// here tells whether the jobs of a workspace are surely done on this node.
func (x *errands) here(ws chat.WorkspaceID) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	ago := x.now().Sub(x.work[ws])
	return ago >= 0 && ago < hereTime
}

// hereTime is how long after a job further ones of its workspace are expected.
const hereTime = 10 * time.Second

// take gives a job the call that was made for it. Any other of the conversation is of no use any more.
func (x *errands) take(j *store.Job, id string) *errand {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.work[j.Workspace] = x.now()
	e := x.list[j.Event.Conversation]
	delete(x.list, j.Event.Conversation)
	if e != nil && !e.isOf(j.Event, id) {
		e.end()
		return nil
	}
	return e
}

// isOf tells whether a call that is stored is this one. A position alone does not say which message was asked about: that one may never have been
// stored, and another may have got its place. What one transaction stores is of one time.
func (e *errand) isOf(call chat.Event, id string) bool {
	return e.id == id && (e.request.Fresh == nil || e.request.Fresh.At.Equal(call.At))
}

// end gives a call up, if there is one.
func (e *errand) end() {
	if e != nil {
		e.expiry.Stop()
		e.cancel(errSuperseded)
	}
}

// drop forgets a call that nobody came for.
func (x *errands) drop(e *errand) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.list[e.request.Conversation.ID] == e {
		delete(x.list, e.request.Conversation.ID)
	}
}

// part waits for the job before it stores something; a sign of life alone can go without.
func (e *errand) part(p CallResult) error {
	if e.store == nil {
		select {
		case e.store = <-e.owner:
		default:
		}
	}
	if e.store == nil && !e.request.says(p) {
		return nil
	}
	if e.store == nil {
		if !e.wanted {
			e.wanted = true
			close(e.wants)
		}
		select {
		case e.store = <-e.owner:
		case <-e.ctx.Done():
			return context.Cause(e.ctx)
		}
	}
	return e.store(p)
}

// join makes the call the job's, as long as ctx goes on.
func (e *errand) join(ctx context.Context, part func(CallResult) error) (CallResult, error) {
	e.expiry.Stop()
	stop := context.AfterFunc(ctx, func() { e.cancel(context.Cause(ctx)) })
	defer stop()
	e.owner <- part
	return e.answer()
}

// answer waits for the end.
func (e *errand) answer() (CallResult, error) {
	<-e.ended
	e.end()
	return e.result, e.err
}

// safely runs the Caller; one that breaks down fails the call and nothing else.
func safely(ctx context.Context, ask Caller, r Request, part func(CallResult) error) (result CallResult, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return ask(ctx, r, part)
}
