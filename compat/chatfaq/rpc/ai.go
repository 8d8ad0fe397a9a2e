package rpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// askTime bounds a request of an ai socket.
const askTime = 5 * time.Minute

// errNoLLM and errNoKnowledge are for a hub that was built without them.
var (
	errNoLLM       = &chat.Fault{Code: chat.CodeNotFound, Detail: "this hub has no language models"}
	errNoKnowledge = &chat.Fault{Code: chat.CodeNotFound, Detail: "this hub has no knowledge"}
)

// ai serves the socket for language models, knowledge and prompts. The SDK opens it always and works only while it is open.
func (s *Server) ai(w http.ResponseWriter, r *http.Request) {
	places := make(chan struct{}, s.Limits.Asks)
	s.accept(w, r, kind{
		opened: func(*socket) {},
		closed: func(*socket) {},
		frame: func(ctx context.Context, c *socket, in incoming) {
			do := s.asks()[in.Type]
			if do == nil {
				c.send(errorFrame(notAChoice(in.Type)))
				return
			}
			a := &ask{s: s, c: c, kind: in.Type, data: in.Data}
			if err := json.Unmarshal(in.Data, &a.head); err != nil {
				a.head.Channel = nil
			}
			select {
			case places <- struct{}{}:
			default:
				a.fail(ctx, chat.Faultf(chat.CodeUnavailable, fmt.Sprintf("more than %d requests at once", s.Limits.Asks)))
				return
			}
			go func() {
				defer func() { <-places }()
				ctx, cancel := context.WithTimeout(ctx, askTime)
				defer cancel()
				if err := a.try(ctx, do); err != nil {
					a.fail(ctx, err)
				}
			}()
		},
	})
}

func (s *Server) asks() map[string]func(*ask, context.Context) error {
	return map[string]func(*ask, context.Context) error{typeLLM: (*ask).llm, typeRetrieve: (*ask).retrieve, typePrompt: (*ask).prompt}
}

// ask is one request of an ai socket.
type ask struct {
	s    *Server
	c    *socket
	kind string
	data json.RawMessage
	head struct {
		Channel json.RawMessage `json:"bot_channel_name"` // the SDK's key for the answer
	}
}

// try makes a panic of a model's client one failed request.
func (a *ask) try(ctx context.Context, do func(*ask, context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return do(a, ctx)
}

func (a *ask) channel() json.RawMessage {
	if len(a.head.Channel) == 0 {
		return json.RawMessage("null")
	}
	return a.head.Channel
}

// tell sends a frame of the answer.
func (a *ask) tell(payload map[string]any) error {
	payload["bot_channel_name"] = a.channel()
	raw, err := encode(outgoing{resultOf(a.kind), statusFine, payload})
	if err != nil {
		return err
	}
	if len(raw) > a.s.Limits.Request {
		return chat.Faultf(chat.CodeTooLarge, "the answer is too large for a worker's frame")
	}
	a.c.post(raw)
	return nil
}

// fail says why there is no answer, and ends the waiting: the SDK waits for a last chunk for ever.
func (a *ask) fail(ctx context.Context, err error) {
	words := "something went wrong on our side"
	fault, isFault := errors.AsType[*chat.Fault](err)
	wrong, isWrong := errors.AsType[invalidError](err)
	switch {
	case isWrong:
		words = "invalid request: " + wrong.Error()
	case isFault:
		words, err = fault.Detail, errors.New(fault.Detail)
	case errors.Is(err, context.DeadlineExceeded):
		words, err = "timeout", errors.New("timeout")
	default:
		a.s.Log.ErrorContext(ctx, "rpc: request failed", "request", a.kind, "caller", a.c.token.ID, "err", err)
		err = errors.New(words)
	}
	a.c.send(errorFrame(err))
	payload := map[string]any{"content": words, "last_chunk": true, "lm_msg_id": nil}
	switch a.kind {
	case typeLLM:
		payload["stop_reason"] = "error"
		if !a.streams() {
			payload["content"] = []part{{Type: "text", Text: &words}}
		}
	case typeRetrieve:
		payload["knowledge_base_id"], payload["knowledge_items"], payload["knowledge_item_images"] = nil, []retrieved{}, map[string]string{}
	case typePrompt:
		payload["prompt"] = ""
	}
	_ = a.tell(payload) // it is small
}

func (a *ask) retrieve(ctx context.Context) error {
	var in struct {
		Config string `json:"retriever_config_name"`
		Query  string `json:"query"`
		TopK   *int   `json:"top_k"`
	}
	if err := a.read(&in); err != nil {
		return err
	}
	found, err := a.s.search(ctx, a.c.token.Workspace, in.Config, in.Query, orUsual(in.TopK, usualTop))
	if err != nil {
		return err
	}
	return a.tell(found)
}

func (a *ask) prompt(ctx context.Context) error {
	var in struct {
		Config string `json:"prompt_config_name"`
	}
	if err := a.read(&in); err != nil {
		return err
	}
	p, err := a.s.Store.Prompt(ctx, a.c.token.Workspace, in.Config)
	if err != nil {
		return err
	}
	return a.tell(map[string]any{"prompt": p.Prompt})
}

func (a *ask) read(into any) error {
	if err := json.Unmarshal(a.data, into); err != nil {
		return invalidError{"data": []string{err.Error()}}
	}
	return nil
}
