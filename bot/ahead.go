package bot

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// A condition is a question: it can be asked again. So its score need not be durable before the next call is made, and of a turn at a
// worker only the last answer costs a commit, with which all the others are stored. See docs/decisions/0010.

// aheadTime is how long the answers to conditions wait for that of the next call before they are stored without it.
const aheadTime = 10 * time.Millisecond

// onwards makes the calls that follow from the answer to a condition, as long as their answers come at once. It gives what is to be
// stored, in order.
func (c *calling) onwards(ctx context.Context, result CallResult) (out []store.Command) {
	timer := time.NewTimer(aheadTime)
	defer timer.Stop()
	mem, known := c.r.ahead.take(c.request.Conversation.ID, c.request.ID)
	for known {
		next, foreseen := c.r.foresee(ctx, c.request, &mem, result, c.j.Now())
		if !foreseen {
			break
		}
		e := c.early.send(next, next.ID)
		result.Next = next.ID
		select {
		case <-e.ended:
		case <-e.wants:
			known = false
		case <-timer.C:
			known = false
		case <-ctx.Done():
			known = false
		}
		if !known {
			c.early.leave(e)
			break
		}
		result.Settled = true
		out = append(out, c.record(result))
		answer, err := e.answer()
		result, c.request = last(next.ID, answer, err), next
	}
	return append(out, c.record(result))
}

// foresee tells which call a step will make because of an answer that is not stored yet, and moves the memory there. Only a step that
// does nothing else can be foreseen. When it comes to the step and things have changed, it makes another call, and the answer to this
// one counts for nothing.
func (r *Runner) foresee(ctx context.Context, asked Request, mem *memory, result CallResult, now time.Time) (next Request, ok bool) {
	if !asked.Condition || result.Error != "" {
		return next, false
	}
	flow, _, err := r.flow(ctx, asked.Workspace, mem.Flow, mem.Version)
	if err != nil {
		return next, false
	}
	raw, err := json.Marshal(result)
	if err != nil {
		return next, false
	}
	e := chat.Event{Kind: chat.KindCallResult, Conversation: asked.Conversation.ID, At: now, Data: raw, Action: asked.Action}
	session, effects, _ := Step(flow, mem.Session, Input{Event: e, Conversation: mem.Facts})
	if len(effects) != 1 || session.Turn != mem.Session.Turn {
		return next, false
	}
	call, ok := effects[0].(Call)
	if !ok {
		return next, false
	}
	next = asked
	next.Call = call
	next.ID = call.after(asked.ID)
	session.Call.ID = next.ID
	mem.Session, err = kept(session)
	return next, err == nil
}

// askEarly asks a condition about a message while the message is being committed, if it is the only one that waits. When it is not
// committed, nobody comes for the answer. A question that is never stored may not bear the name of one that is.
func (r *Runner) askEarly(tx *store.Tx, e chat.Event, mem memory, conv chat.Conversation, effects []Effect) {
	early := r.early.Load()
	if early == nil || !tx.Along() || e.Kind != chat.KindMessage || len(effects) != 1 || len(mem.Session.Queue) > 0 || !early.here(tx.Workspace()) {
		return
	}
	call, ok := effects[0].(Call)
	if !ok || !call.Condition {
		return
	}
	req := Request{Call: call, Workspace: tx.Workspace(), Conversation: conv, Action: e.Action, Fresh: &e}
	req.ID += "." + chat.NewID()
	early.leave(early.send(req, call.ID))
}

// ahead keeps how conversations stand that wait for a condition, for those who look ahead. What is not there is not foreseen.
type ahead struct {
	mu   sync.Mutex
	list map[chat.ConversationID]standing
}

// standing is a session that waits for a call, as it is stored.
type standing struct {
	call string
	body []byte
}

// Bounds of what is kept.
const (
	maxStandings = 2000
	maxStanding  = 16 << 10
)

func (a *ahead) keep(conv chat.ConversationID, call string, body []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.list, conv)
	if len(body) > maxStanding {
		return
	}
	if a.list == nil || len(a.list) >= maxStandings {
		a.list = map[chat.ConversationID]standing{}
	}
	a.list[conv] = standing{call, body}
}

// take gives what the step left that made a call.
func (a *ahead) take(conv chat.ConversationID, call string) (mem memory, ok bool) {
	a.mu.Lock()
	s := a.list[conv]
	delete(a.list, conv)
	a.mu.Unlock()
	return mem, s.call == call && json.Unmarshal(s.body, &mem) == nil
}
