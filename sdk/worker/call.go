package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"runtime/debug"
)

// Handle runs the function that an rpc_request names and gives each frame of the answer to send. It needs no
// connection: a Worker calls it for what comes over its socket, package workertest for what a test says. It
// always ends the turn, also when the function fails; its error is then the function's.
func (f *Flow) Handle(ctx context.Context, frame []byte, ai AI, send func(frame []byte) error) error {
	in, err := parseFrame(frame)
	if err != nil {
		return err
	}
	if in.Type != "rpc_request" {
		return fmt.Errorf("worker: a %q is no call", in.Type)
	}
	r, err := parseRequest(in.Payload)
	if err != nil {
		return err
	}
	r.conv.AI = ai
	return f.answer(ctx, r, send)
}

// answer runs a call. The context is the function's; send has a life of its own.
func (f *Flow) answer(ctx context.Context, r *request, send func([]byte) error) error {
	t := &turn{flow: f, request: r, write: send}
	if r.conv.AI == nil {
		r.conv.AI = &boundAI{}
	}
	if events := f.Events[r.Name]; len(events) > 0 {
		return t.run(ctx, events)
	}
	if condition := f.Conditions[r.Name]; condition != nil {
		return t.weigh(ctx, condition)
	}
	return t.refuse(fmt.Errorf("worker: no function %q", r.Name))
}

// turn is one call and what is needed to answer it.
type turn struct {
	flow    *Flow
	request *request
	write   func([]byte) error
	group   string
	broken  error // the hub is gone
}

// run calls the events of one name in turn. Each closes its group of bubbles, the last one the turn.
func (t *turn) run(ctx context.Context, events []Event) error {
	for i, event := range events {
		t.group = newID()
		err := guard(func() error { return event(ctx, t.request.conv, t.yield) })
		if t.broken != nil {
			return t.broken
		}
		if err != nil {
			return t.refuse(err)
		}
		if err := t.send(newID(), []wireElement{}, true, i == len(events)-1); err != nil {
			return err
		}
	}
	return nil
}

func (t *turn) weigh(ctx context.Context, condition Condition) error {
	var score float64
	var data any
	err := guard(func() (err error) {
		score, data, err = condition(ctx, t.request.conv)
		return err
	})
	if err == nil && (math.IsNaN(score) || math.IsInf(score, 0)) {
		err = fmt.Errorf("worker: score %v", score)
	}
	if err == nil {
		err = t.score(score, data)
		if err == nil || t.broken != nil {
			return err
		}
	}
	return t.refuse(err)
}

// refuse ends the call without an answer, so that nobody waits for ever. It gives back why.
func (t *turn) refuse(why error) error {
	var err error
	if t.isCondition() {
		err = t.score(0, nil)
	} else {
		t.group = newID()
		err = t.send(newID(), t.element(Text{Content: t.flow.errorText()}.layer()), true, true)
	}
	if err != nil {
		return err
	}
	return fmt.Errorf("%s: %w", t.request.Name, why)
}

func (t *turn) isCondition() bool {
	name := t.request.Name
	if t.flow.Conditions[name] != nil {
		return true
	}
	return len(t.flow.Events[name]) == 0 && !t.request.isEvent()
}

// yield sends a layer, a Stream as one frame a delta.
func (t *turn) yield(l Layer) error {
	if t.broken != nil {
		return t.broken
	}
	s := l.layer()
	id := newID()
	if s.Type != "message_chunk" || s.Deltas == nil {
		return t.send(id, t.element(s), true, false)
	}
	var failed error
	for delta, err := range s.Deltas {
		if err != nil {
			failed = err
			break
		}
		if delta == "" {
			continue
		}
		if err := t.send(id, t.element(s.chunk(delta, false)), false, false); err != nil {
			return err
		}
	}
	// The bubble is closed by an empty delta, so that no delta waits for the next one.
	if err := t.send(id, t.element(s.chunk("", true)), true, false); err != nil {
		return err
	}
	return failed
}

// chunk is one delta of a stream.
func (s shape) chunk(delta string, last bool) shape {
	payload := object{"content": delta, "tool_calls": []any{}}
	if last {
		payload["references"] = wireReferences(s.Refs)
	}
	s.Payload = payload
	return s
}

func (t *turn) element(s shape) []wireElement {
	return []wireElement{{
		Type: s.Type, Streaming: s.Deltas != nil, Meta: orEmpty(s.Meta), State: orEmpty(s.State),
		Flow: t.flow.Name, Payload: s.Payload,
	}}
}

func orEmpty(v any) any {
	if v == nil {
		return object{}
	}
	return v
}

func (t *turn) score(score float64, data any) error {
	return t.out(result{
		Ctx: t.request.echo(), Node: "condition", Group: newID(), StackID: 0, LastChunk: true, Last: true,
		Stack: []object{{"score": score, "data": orEmpty(data)}},
	})
}

func (t *turn) send(id string, stack []wireElement, lastChunk, last bool) error {
	return t.out(result{
		Ctx: t.request.echo(), Node: "action", Group: t.group, StackID: id,
		Stack: stack, LastChunk: lastChunk, Last: last,
	})
}

func (t *turn) out(r result) error {
	raw, err := json.Marshal(outgoing{"rpc_result", r})
	if err != nil {
		return fmt.Errorf("worker: layer: %w", err)
	}
	if err := t.write(raw); err != nil {
		t.broken = err
		return err
	}
	return nil
}

// guard turns a panic into an error that tells where.
func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return f()
}
