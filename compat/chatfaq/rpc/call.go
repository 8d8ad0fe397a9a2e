package rpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/dragoman-hub/dragoman/bot"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/wake"
)

// How a call can end badly.
var (
	errLost   = errors.New("the worker went away")
	errQuiet  = errors.New("timeout")
	errWrong  = errors.New("the worker's answer is malformed")
	errClosed = errors.New("the call is over")
)

// maxAttempts is how many workers one call may cost.
const maxAttempts = 3

// maxTogether is how much of an answer is stored in one piece, in bytes of its layers.
const maxTogether = 256 << 10

// statusVar is the flow's variable that keeps a worker's status between calls.
const statusVar = "status"

// call is one call at one worker. The socket's reader writes it, the Caller reads it.
type call struct {
	id           string
	talk         name // number of the conversation
	conversation chat.ConversationID
	condition    bool
	origin       *origin       // the call is another node's: nothing else of this is used but the names
	news         chan struct{} // holds a token when there is something to take

	mu     sync.Mutex
	answer answer
	score  *score
	status json.RawMessage
	grown  bool // the open bubble, since the last take
	ended  bool
	err    error
}

// add takes a result; its error is for the worker.
func (c *call) add(r result, malformed error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended || c.err != nil {
		return nil // what comes after the end changes nothing
	}
	defer c.signal()
	err := malformed
	if err == nil {
		err = c.put(r)
	}
	if err != nil {
		c.err = fmt.Errorf("%w: %w", errWrong, err)
	}
	return err
}

func (c *call) put(r result) error {
	if !isNull(r.Status) {
		c.status = r.Status
	}
	if !c.condition {
		c.grown = true
		err := c.answer.add(r)
		c.ended = err == nil && c.answer.ended
		return err
	}
	got, err := r.score()
	if err != nil {
		return err
	}
	if c.score == nil || got.Score > c.score.Score {
		c.score = &got // of several functions with one name the best counts
	}
	c.ended = r.Last
	return nil
}

// lose tells that the worker is gone.
func (c *call) lose() {
	if c.origin != nil {
		c.origin.lost(c.id, "")
		return
	}
	c.fail(errLost)
}

// fail ends a call that has not come to its end.
func (c *call) fail(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ended && c.err == nil {
		c.err = why
	}
	c.signal()
}

func (c *call) signal() {
	select {
	case c.news <- struct{}{}:
	default:
	}
}

// news is what came of a call since the last look.
type news struct {
	done   []chat.Message
	size   int
	draft  *chat.Message // how far the open bubble is
	status json.RawMessage
	score  *score
	ended  bool
	ending bool
	err    error
}

func (c *call) take() (n news) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n = news{size: c.answer.held, status: c.status, score: c.score, ended: c.ended, ending: c.answer.ending, err: c.err}
	n.done = c.answer.take()
	if b := c.answer.open; b != nil && c.grown {
		m, err := b.message()
		if err != nil && n.err == nil {
			n.err = fmt.Errorf("%w: %w", errWrong, err)
		}
		if err == nil {
			n.draft = &m
		}
	}
	c.grown = false
	return n
}

// rest closes the bubble that a worker left open, and gives it.
func (c *call) rest() []chat.Message {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = errClosed
	}
	if c.answer.finish() != nil {
		return nil // it was malformed, and has been called so
	}
	return c.answer.take()
}

// Call is a bot.Caller: it gives a call to a worker of the flow, and to another one when that goes away before anything was seen of its answer.
func (s *Server) Call(ctx context.Context, r bot.Request, part func(bot.CallResult) error) (bot.CallResult, error) {
	frame, talk, status, err := s.frame(ctx, r)
	if err != nil {
		return bot.CallResult{}, err
	}
	limit := r.Deadline.Sub(s.Now())
	limit -= min(limit/10, time.Second) // what there is of an answer has to be stored before the deadline
	for attempt := 1; ; attempt++ {
		c := &call{id: r.ID, talk: talk, conversation: r.Conversation.ID, condition: r.Condition, news: make(chan struct{}, 1)}
		f := &following{s: s, r: r, call: c, part: part, limit: limit, status: status}
		result, err := f.run(ctx, frame)
		if !errors.Is(err, errLost) || f.seen || attempt == maxAttempts {
			return result, err
		}
		s.Log.InfoContext(ctx, "rpc: call made again", "flow", r.Conversation.Flow, "call", r.ID, "name", r.Name, "conversation", r.Conversation.ID)
	}
}

// following is the way of one call at one worker.
type following struct {
	s      *Server
	r      bot.Request
	call   *call
	part   func(bot.CallResult) error
	limit  time.Duration   // for each sign of life
	status json.RawMessage // as the flow has it
	seen   bool            // something of the answer was stored or shown
	ending bool            // the worker has called its answer complete, but for the bubble that it streams
}

func (f *following) run(ctx context.Context, frame []byte) (bot.CallResult, error) {
	wait, cancel := context.WithDeadline(ctx, f.s.Now().Add(f.limit))
	defer cancel()
	key := crewKey{f.r.Workspace, f.r.Conversation.Flow}
	m, err := f.s.pool.take(wait, key, f.r.Conversation.Version, f.call)
	if err != nil {
		return bot.CallResult{}, err
	}
	defer f.s.pool.release(m, f.call)
	m.reach.ask(f.call, frame)
	silence := time.NewTimer(f.limit)
	defer silence.Stop()
	for {
		select {
		case <-ctx.Done():
			return bot.CallResult{}, context.Cause(ctx)
		case <-silence.C:
			if f.ending {
				return f.finish(news{done: f.call.rest(), status: f.call.take().status})
			}
			return bot.CallResult{}, f.giveUp(errQuiet)
		case <-f.call.news:
		}
		n := f.call.take()
		f.ending = n.ending
		silence.Reset(f.patience())
		if n.ended && n.err == nil {
			return f.finish(n)
		}
		if n.err != nil {
			n.draft = nil // it is too late to begin to show it
		}
		if err := f.pass(n); err != nil {
			return bot.CallResult{}, err
		}
		if n.err != nil {
			return bot.CallResult{}, f.giveUp(n.err)
		}
	}
}

// patience is how long the next sign of life may take. Of clients that call every chunk of a bubble the last frame one cannot know
// which one is.
func (f *following) patience() time.Duration {
	if f.ending {
		return min(f.limit, endTime)
	}
	return f.limit
}

// endTime is the patience with a bubble that may be complete.
const endTime = 3 * time.Second

// pass stores what is finished and shows what is not.
func (f *following) pass(n news) error {
	for _, m := range n.done {
		f.seen = true
		if err := f.part(bot.CallResult{Messages: []chat.Message{m}, Vars: f.vars(n.status)}); err != nil {
			return err
		}
	}
	if n.draft != nil {
		f.seen = true
		f.s.Wake.Draft(wake.Draft{Workspace: f.r.Workspace, Conversation: f.r.Conversation.ID, ID: n.draft.Meta["stack_id"], Message: *n.draft})
	}
	return f.part(bot.CallResult{}) // the worker is still at it
}

// finish is the end of an answer. What is small goes along with it.
func (f *following) finish(n news) (bot.CallResult, error) {
	if f.r.Condition {
		return bot.CallResult{Score: n.score.Score, Data: n.score.Data}, nil
	}
	result := bot.CallResult{Last: true}
	if n.size <= maxTogether {
		result.Messages = n.done
	} else if err := f.pass(news{done: n.done, status: n.status}); err != nil {
		return bot.CallResult{}, err
	}
	result.Vars = f.vars(n.status)
	return result, nil
}

// giveUp keeps what the contact has seen of an answer that will not be finished.
func (f *following) giveUp(why error) error {
	if f.seen {
		for _, m := range f.call.rest() {
			if err := f.part(bot.CallResult{Messages: []chat.Message{m}}); err != nil {
				return errors.Join(why, err)
			}
		}
	}
	return why
}

// vars are the flow's variables that a result changes.
func (f *following) vars(status json.RawMessage) bot.Values {
	if isNull(status) || string(status) == string(f.status) {
		return nil
	}
	var now, before any
	if json.Unmarshal(status, &now) != nil || json.Unmarshal(f.status, &before) == nil && reflect.DeepEqual(now, before) {
		return nil
	}
	f.status = status
	return bot.Values{statusVar: now}
}
