package bot

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// workCall is the kind of work that asks workers.
const workCall = "call"

// Routes say which events mean work for bots; the store is opened with them.
func Routes() []store.Route {
	return []store.Route{{Work: workCall, Lane: func(e *chat.Event) string {
		if e.Kind != chat.KindCall {
			return ""
		}
		return string(e.Conversation)
	}}}
}

// Request is a call with what a worker may need to know of where it comes from.
type Request struct {
	Call
	Workspace    chat.WorkspaceID
	Conversation chat.Conversation // as it is now; Flow and Version name the flow
	Action       chat.ActionID
}

// Caller asks a worker to run a function and gives the whole answer; ID and Last need not be set. What is finished before the end may
// be handed to part, which stores it at once: its n-th part of a call is stored once, however often the call is made. A part without
// content only says that the worker is still at it; any part prolongs the deadline by the call's time limit. The Caller ends soon after
// ctx ends, which is at the deadline. An error ends the turn with the flow's error text. After a crash, or a stop while the worker was
// busy, the same call is made again, with the same ID.
type Caller func(ctx context.Context, r Request, part func(CallResult) error) (CallResult, error)

// maxCalls is how many calls of a channel's conversations may be under way at once: a call only waits, and the workers have limits of their own.
const maxCalls = 1000

// Bounds of one call: a worker's answer, or a part of it, in bytes of JSON; its parts; and its time, however often it is prolonged.
const (
	maxResult   = 1 << 20
	maxParts    = 1000
	maxCallTime = 10 * time.Minute
)

// RunCalls carries calls to workers and puts their answers into the log, where the next Step finds them. With no Caller every
// call fails at once, so that no conversation waits for a worker that cannot come.
func (r *Runner) RunCalls(ctx context.Context, call Caller) error {
	return r.Store.Work(ctx, store.Worker{
		Work: workCall, Concurrency: func(string) int { return maxCalls },
		Drain: time.Second, // a call can be made again
		Do:    func(ctx context.Context, j *store.Job) store.Verdict { return r.call(ctx, call, j) },
	})
}

func (r *Runner) call(ctx context.Context, call Caller, j *store.Job) store.Verdict {
	c := &calling{r: r, j: j, call: call}
	if err := json.Unmarshal(j.Event.Data, &c.request.Call); err != nil {
		return store.Dead(&chat.Failure{Class: "malformed", Detail: err.Error()})
	}
	conv, err := j.Conversation(ctx)
	if err != nil && chat.CodeOf(err) != chat.CodeNotFound {
		return store.Again(-1, &chat.Failure{Class: "store", Detail: err.Error()})
	}
	if err != nil || conv.State != chat.StateBot {
		return store.Done() // nobody waits for the answer any more
	}
	c.request.Workspace, c.request.Conversation, c.request.Action = j.Workspace, conv, j.Event.Action
	result := c.outcome(ctx)
	if ctx.Err() != nil {
		return store.Later(0) // the program stops: not the worker's fault, and not the contact's
	}
	return store.Done(c.record(result, "call/"+c.request.ID))
}

// calling is one call under way.
type calling struct {
	r       *Runner
	j       *store.Job
	call    Caller
	request Request
	parts   int
	begun   bool
}

// record is what the log learns of a result.
func (c *calling) record(result json.RawMessage, once string) *store.Record {
	return &store.Record{
		Workspace: c.j.Workspace, Conversation: c.j.Event.Conversation, Kind: chat.KindCallResult, Sender: chat.Party{Type: chat.PartySystem},
		Data: result, Once: once, Action: c.j.Event.Action,
	}
}

// errTimeout is the end of a call whose worker was silent for too long.
var errTimeout = errors.New("timeout")

// outcome makes the call. Whatever happens, the answer is one that ends the waiting.
func (c *calling) outcome(ctx context.Context) json.RawMessage {
	limit := max(c.request.Deadline.Sub(c.j.Event.At), time.Second)
	if c.j.Interrupted { // it had signs of life already, and so more time
		c.request.Deadline = c.j.Now().Add(limit)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, maxCallTime, errTimeout)
	defer cancel()
	ctx, expire := context.WithCancelCause(ctx)
	defer expire(nil)
	timer := time.AfterFunc(c.request.Deadline.Sub(c.j.Now()), func() { expire(errTimeout) })
	defer timer.Stop()
	result, err := c.attempt(ctx, func(p CallResult) error {
		timer.Reset(limit)
		return c.part(ctx, p)
	})
	// what the Caller itself says of a call that came to nothing tells more than that its time was over
	if errors.Is(context.Cause(ctx), errTimeout) && (err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		err = errTimeout
	}
	result.ID, result.Last = c.request.ID, true
	raw, failed := encode(result)
	if err == nil && failed == nil {
		return raw
	}
	raw, _ = json.Marshal(CallResult{ID: c.request.ID, Last: true, Error: clip(cmp.Or(err, failed).Error())}) // texts only: cannot fail
	return raw
}

func encode(r CallResult) (json.RawMessage, error) {
	raw, err := json.Marshal(r)
	if err == nil && len(raw) > maxResult {
		err = fmt.Errorf("an answer of %d bytes, at most %d", len(raw), maxResult)
	}
	return raw, err
}

// part stores what is finished before the end, while this node has the work.
func (c *calling) part(ctx context.Context, p CallResult) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	if c.request.Condition || len(p.Messages) == 0 && len(p.Vars) == 0 {
		return c.alive(ctx) // a condition has a score and nothing to say
	}
	if c.parts++; c.parts > maxParts {
		return fmt.Errorf("more than %d parts of an answer", maxParts)
	}
	p.ID, p.Last, p.Error = c.request.ID, false, ""
	raw, err := encode(p)
	if err != nil {
		return err
	}
	return c.j.Save(ctx, c.j.Progress, c.record(raw, "call/"+c.request.ID+"/"+strconv.Itoa(c.parts)))
}

// alive writes down, once and not before it matters, that the worker has more time than the event tells.
func (c *calling) alive(ctx context.Context) error {
	left := c.request.Deadline.Sub(c.j.Now())
	if c.j.Interrupted || c.begun || c.parts > 0 || left > c.request.Deadline.Sub(c.j.Event.At)/2 {
		return nil
	}
	c.begun = true
	return c.j.Begin(ctx)
}

// attempt runs the Caller; one that breaks down fails the call and nothing else.
func (c *calling) attempt(ctx context.Context, part func(CallResult) error) (result CallResult, err error) {
	if c.call == nil {
		return result, errors.New("no worker offers " + c.request.Name)
	}
	if !c.request.Deadline.After(c.j.Now()) {
		return result, errTimeout
	}
	if ctx.Err() != nil {
		return result, context.Cause(ctx)
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return c.call(ctx, c.request, part)
}
