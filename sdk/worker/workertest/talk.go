// Package workertest runs a flow without a hub: a test says what a person says and looks at the answer. The
// flow's functions get and give the same frames as over a connection; transitions follow the hub's rules.
package workertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/dragoman-hub/dragoman/sdk/worker"
)

// Talk is one conversation with a flow. Set the fields before Open; it is not for several goroutines.
type Talk struct {
	Flow     *worker.Flow
	AI       worker.AI // what the flow's functions ask; nil: every question fails
	Metadata map[string]any
	UserID   string

	open     bool
	state    string
	messages []worker.Message
	status   json.RawMessage
}

// Reply is what the flow did about one message.
type Reply struct {
	State  string           // where the conversation is now
	Fired  bool             // whether a transition led there; if none did, nothing was answered
	Layers []worker.Element // the bubbles, streams joined
}

// Text is the texts of all bubbles, a line each.
func (r Reply) Text() string {
	var lines []string
	for _, e := range r.Layers {
		if text := e.Text(); text != "" {
			lines = append(lines, text)
		}
	}
	return strings.Join(lines, "\n")
}

// Types are the types of all bubbles: message, message_chunk, star_rating ...
func (r Reply) Types() []string {
	types := make([]string, len(r.Layers))
	for i, e := range r.Layers {
		types[i] = e.Type
	}
	return types
}

// Open begins the conversation: the events of the initial state run. An error of theirs, here and in Say, comes
// together with what the person would read.
func (t *Talk) Open(ctx context.Context) (Reply, error) {
	if t.open {
		return Reply{}, errors.New("workertest: already open")
	}
	if err := t.Flow.Check(); err != nil {
		return Reply{}, err
	}
	t.open = true
	for _, s := range t.Flow.States {
		if s.Initial {
			return t.enter(ctx, s.Name, nil)
		}
	}
	return Reply{}, nil
}

// Say is a text of the person.
func (t *Talk) Say(ctx context.Context, text string) (Reply, error) {
	payload, err := json.Marshal(map[string]string{"content": text})
	if err != nil {
		return Reply{}, err
	}
	return t.Send(ctx, worker.Element{Type: "message", Payload: payload})
}

// Send is any message of the person, a "file_uploaded" say.
func (t *Talk) Send(ctx context.Context, stack ...worker.Element) (Reply, error) {
	if !t.open {
		return Reply{}, errors.New("workertest: open the conversation first")
	}
	t.add(worker.Agent{Type: "human", ID: worker.ID(t.UserID), Platform: "WS"}, stack)
	winner, data, err := t.choose(ctx)
	if winner == nil {
		return Reply{State: t.state}, err
	}
	reply, failed := t.enter(ctx, winner.Dest, data)
	reply.Fired = true
	return reply, errors.Join(err, failed)
}

// State is the name of the current state.
func (t *Talk) State() string { return t.state }

// Status reads the memory that the flow keeps for this conversation, see worker.Conversation.SetStatus.
func (t *Talk) Status(v any) error {
	if t.status == nil {
		return worker.ErrEmpty
	}
	return json.Unmarshal(t.status, v)
}

// choose weighs all transitions: the largest difference above 0 wins, the first in the list on a tie.
func (t *Talk) choose(ctx context.Context) (*worker.Transition, json.RawMessage, error) {
	var failed []error
	score := func(name string) (float64, json.RawMessage) {
		s, data, err := t.score(ctx, name)
		failed = append(failed, err)
		return s, data
	}
	var winner *worker.Transition
	var winnerData json.RawMessage
	best := 0.0
	for i, tr := range t.Flow.Transitions {
		if tr.Source != "" && tr.Source != t.state {
			continue
		}
		points, data := 1.0, json.RawMessage("{}")
		if len(tr.Conditions) > 0 {
			points = 0
		}
		for _, name := range tr.Conditions {
			if s, d := score(name); s > points {
				points, data = s, d
			}
		}
		against := 0.0
		for _, name := range tr.Unless {
			s, _ := score(name)
			against = max(against, s)
		}
		if points-against > best {
			best, winner, winnerData = points-against, &t.Flow.Transitions[i], data
		}
	}
	return winner, winnerData, errors.Join(failed...)
}

// frame is what a worker sends.
type frame struct {
	Data struct {
		Ctx struct {
			Status json.RawMessage `json:"status"`
		} `json:"ctx"`
		StackID   worker.ID       `json:"stack_id"`
		Stack     json.RawMessage `json:"stack"`
		LastChunk bool            `json:"last_chunk"`
		Last      bool            `json:"last"`
	} `json:"data"`
}

func (t *Talk) score(ctx context.Context, name string) (float64, json.RawMessage, error) {
	var results []struct {
		Score float64         `json:"score"`
		Data  json.RawMessage `json:"data"`
	}
	failed := t.call(ctx, name, nil, func(f frame) error {
		return json.Unmarshal(f.Data.Stack, &results)
	})
	if len(results) == 0 {
		return 0, nil, failed
	}
	return results[0].Score, results[0].Data, failed
}

// enter runs the events of a state, one after the other.
func (t *Talk) enter(ctx context.Context, state string, data json.RawMessage) (Reply, error) {
	t.state = state
	reply := Reply{State: state}
	if data == nil {
		data = json.RawMessage("{}")
	}
	var failed []error
	for _, s := range t.Flow.States {
		if s.Name != state {
			continue
		}
		for _, name := range s.Events {
			layers, err := t.event(ctx, name, data)
			reply.Layers = append(reply.Layers, layers...)
			failed = append(failed, err)
		}
	}
	return reply, errors.Join(failed...)
}

func (t *Talk) event(ctx context.Context, name string, data json.RawMessage) ([]worker.Element, error) {
	var layers []worker.Element
	var growing string // the text of the bubble that is still open
	ended := false
	failed := t.call(ctx, name, data, func(f frame) error {
		var stack worker.Stack
		if err := json.Unmarshal(f.Data.Stack, &stack); err != nil {
			return err
		}
		if ended {
			return fmt.Errorf("workertest: %s goes on after its end", name)
		}
		ended = f.Data.Last
		if status := f.Data.Ctx.Status; status != nil && string(status) != "null" {
			t.status = status
		}
		if len(stack) > 0 && stack[0].Streaming {
			growing += stack[0].Text()
			if err := replaceContent(&stack[0], growing); err != nil {
				return err
			}
		}
		if !f.Data.LastChunk {
			return nil
		}
		growing = ""
		layers = append(layers, stack...)
		t.add(worker.Agent{Type: "bot"}, stack)
		return nil
	})
	if !ended {
		failed = errors.Join(failed, fmt.Errorf("workertest: %s did not end the turn", name))
	}
	return layers, failed
}

func replaceContent(e *worker.Element, content string) error {
	payload := map[string]any{}
	if err := json.Unmarshal(e.Payload, &payload); err != nil {
		return err
	}
	payload["content"] = content
	raw, err := json.Marshal(payload)
	e.Payload = raw
	return err
}

func (t *Talk) add(sender worker.Agent, stack []worker.Element) {
	id := worker.ID(fmt.Sprint(len(t.messages) + 1))
	t.messages = append(t.messages, worker.Message{ID: id, Sender: sender, Stack: stack})
}

// call gives one request to the flow, as a hub would send it.
func (t *Talk) call(ctx context.Context, name string, data json.RawMessage, each func(frame) error) error {
	about := map[string]any{
		"conversation_id": 1, "user_id": t.UserID, "initial_conversation_metadata": t.Metadata,
		"conv_mml": t.messages, "bot_channel_name": "workertest", "state": t.lastState(), "status": t.status,
	}
	if data != nil {
		about["transition_data"] = data
	}
	raw, err := json.Marshal(map[string]any{
		"type": "rpc_request", "status": 200, "payload": map[string]any{"name": name, "ctx": about},
	})
	if err != nil {
		return err
	}
	return t.Flow.Handle(ctx, raw, t.AI, func(answer []byte) error {
		var f frame
		if err := json.Unmarshal(answer, &f); err != nil {
			return err
		}
		return each(f)
	})
}

// lastState is that of the newest message whose first layer has one.
func (t *Talk) lastState() json.RawMessage {
	for i := len(t.messages) - 1; i >= 0; i-- {
		if stack := t.messages[i].Stack; len(stack) > 0 && stack[0].State != nil {
			return stack[0].State
		}
	}
	return json.RawMessage("{}")
}
