package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

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

// Caller asks a worker to run a function and gives the whole answer; ID and Last need not be set. It ends soon after ctx ends, which
// is at the call's deadline. An error ends the turn with the flow's error text. After a crash, or a stop while the worker was busy, the
// same call is made again, with the same ID.
type Caller func(ctx context.Context, c Call) (CallResult, error)

// maxCalls is how many calls of a channel's conversations may be under way at once.
const maxCalls = 64

// maxResult bounds a worker's answer, in bytes of JSON.
const maxResult = 1 << 20

// RunCalls carries calls to workers and puts their answers into the log, where the next Step finds them. With no Caller every
// call fails at once, so that no conversation waits for a worker that cannot come.
func (r *Runner) RunCalls(ctx context.Context, call Caller) error {
	return r.Store.Work(ctx, store.Worker{
		Work: workCall, Concurrency: func(string) int { return maxCalls },
		Do: func(ctx context.Context, j *store.Job) store.Verdict { return r.call(ctx, call, j) },
	})
}

func (r *Runner) call(ctx context.Context, call Caller, j *store.Job) store.Verdict {
	var c Call
	if err := json.Unmarshal(j.Event.Data, &c); err != nil {
		return store.Dead(&chat.Failure{Class: "malformed", Detail: err.Error()})
	}
	conv, err := r.Store.Conversation(ctx, j.Workspace, j.Event.Conversation)
	if err != nil && chat.CodeOf(err) != chat.CodeNotFound {
		return store.Again(-1, &chat.Failure{Class: "store", Detail: err.Error()})
	}
	if err != nil || conv.State != chat.StateBot {
		return store.Done() // nobody waits for the answer any more
	}
	result := outcome(ctx, call, c)
	if ctx.Err() != nil {
		return store.Later(0) // the program stops: not the worker's fault, and not the contact's
	}
	return store.Done(&store.Record{
		Workspace: j.Workspace, Conversation: j.Event.Conversation, Kind: chat.KindCallResult, Sender: chat.Party{Type: chat.PartySystem},
		Data: result, Once: "call/" + c.ID, Action: j.Event.Action,
	})
}

// outcome makes the call. Whatever happens, the answer is one that ends the waiting.
func outcome(ctx context.Context, call Caller, c Call) json.RawMessage {
	ctx, cancel := context.WithDeadline(ctx, c.Deadline)
	defer cancel()
	result, err := attempt(ctx, call, c)
	result.ID, result.Last = c.ID, true
	raw, failed := json.Marshal(result)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		err = errors.New("timeout")
	case err == nil && failed != nil:
		err = failed
	case err == nil && len(raw) > maxResult:
		err = fmt.Errorf("an answer of %d bytes, at most %d", len(raw), maxResult)
	}
	if err == nil {
		return raw
	}
	raw, _ = json.Marshal(CallResult{ID: c.ID, Last: true, Error: clip(err.Error())}) // texts only: cannot fail
	return raw
}

// attempt runs the Caller; one that breaks down fails the call and nothing else.
func attempt(ctx context.Context, call Caller, c Call) (result CallResult, err error) {
	if call == nil {
		return result, errors.New("no worker offers " + c.Name)
	}
	if err := ctx.Err(); err != nil {
		return result, err
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return call(ctx, c)
}
