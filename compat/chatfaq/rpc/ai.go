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

// LLM asks a language model under the name of a configuration. With delta, the text is handed over as it comes. The error's text is
// shown to the worker if it is a *chat.Fault.
type LLM interface {
	Generate(ctx context.Context, ws chat.WorkspaceID, r LLMRequest, delta func(text string) error) (LLMResult, error)
}

// LLMRequest is what a worker asks of a language model.
type LLMRequest struct {
	Config      string
	Messages    []LLMMessage
	Temperature float64
	MaxTokens   int
	Seed        int
	Thinking    json.RawMessage // text, object or nothing
	Tools       []LLMTool
	ToolChoice  string // "": as the model likes
	Schema      json.RawMessage
	Cache       json.RawMessage
}

// LLMMessage is one message of a model's conversation; Content is a text or a list of parts, as JSON.
type LLMMessage struct {
	Role    string          `json:"role"`
	Content json.RawMessage `json:"content"`
}

// LLMTool is a function that the model may ask for; Parameters is a JSON schema.
type LLMTool struct {
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Parameters  json.RawMessage `json:"parameters"`
}

// LLMResult is what a model answered. With a schema, Parsed has it.
type LLMResult struct {
	Content    []LLMPart
	Parsed     json.RawMessage
	Usage      LLMUsage
	StopReason string // end_turn, max_tokens, tool_use, content_filter
}

// LLMPart is a part of an answer; the members that its type does not use are null.
type LLMPart struct {
	Type       string       `json:"type"` // text, tool_use
	Text       *string      `json:"text"`
	ToolUse    *LLMToolUse  `json:"tool_use"`
	ToolResult *LLMToolUsed `json:"tool_result"`
}

// LLMToolUse is a call that the model wants to be made.
type LLMToolUse struct {
	ID   string          `json:"id"`
	Name string          `json:"name"`
	Args json.RawMessage `json:"args"`
}

// LLMToolUsed is what came of one.
type LLMToolUsed struct {
	ID     string          `json:"id"`
	Name   string          `json:"name"`
	Result json.RawMessage `json:"result"`
}

// LLMUsage counts tokens.
type LLMUsage struct {
	Input  int `json:"input_tokens"`
	Output int `json:"output_tokens"`
}

// Knowledge finds what a retriever configuration knows about a question.
type Knowledge interface {
	Retrieve(ctx context.Context, ws chat.WorkspaceID, config, query string, topK int) (Retrieved, error)
}

// Retrieved is what was found, best first.
type Retrieved struct {
	Base   int64             `json:"knowledge_base_id"`
	Items  []RetrievedItem   `json:"knowledge_items"`
	Images map[string]string `json:"knowledge_item_images"` // by name
}

// RetrievedItem is one piece of knowledge.
type RetrievedItem struct {
	ID         int64             `json:"knowledge_item_id"`
	Title      string            `json:"title"`
	Content    string            `json:"content"`
	URL        string            `json:"url"`
	Section    string            `json:"section"`
	Role       string            `json:"role"`
	Page       *int              `json:"page_number"`
	Images     map[string]string `json:"image_urls"`
	Similarity float64           `json:"similarity"`
}

// Prompts finds a prompt by its name.
type Prompts interface {
	Prompt(ctx context.Context, ws chat.WorkspaceID, name string) (string, error)
}

// askTime bounds a request of an ai socket.
const askTime = 5 * time.Minute

// Why a request cannot be answered.
var (
	errNoLLM       = &chat.Fault{Code: chat.CodeNotFound, Detail: "this hub has no language models"}
	errNoKnowledge = &chat.Fault{Code: chat.CodeNotFound, Detail: "this hub has no knowledge"}
	errNoPrompts   = &chat.Fault{Code: chat.CodeNotFound, Detail: "this hub has no prompts"}
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
	wrong, isWrong := errors.AsType[fieldErrors](err)
	switch {
	case isWrong:
		words = "invalid request: " + wrong.Error()
	case isFault:
		words, err = fault.Detail, errors.New(fault.Detail)
	case errors.Is(err, context.DeadlineExceeded):
		words, err = "timeout", errors.New("timeout")
	default:
		a.s.Log.ErrorContext(ctx, "rpc: request failed", "request", a.kind, "token", a.c.token.ID, "err", err)
		err = errors.New(words)
	}
	a.c.send(errorFrame(err))
	payload := map[string]any{"content": words, "last_chunk": true, "lm_msg_id": nil}
	switch a.kind {
	case typeLLM:
		payload["stop_reason"] = "error"
		if !a.streams() {
			payload["content"] = []LLMPart{{Type: "text", Text: &words}}
		}
	case typeRetrieve:
		payload["knowledge_base_id"], payload["knowledge_items"], payload["knowledge_item_images"] = nil, []RetrievedItem{}, map[string]string{}
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
	top := 3
	if in.TopK != nil {
		top = min(max(*in.TopK, 1), maxTop)
	}
	if a.s.Knowledge == nil {
		return errNoKnowledge
	}
	found, err := a.s.Knowledge.Retrieve(ctx, a.c.token.Workspace, in.Config, in.Query, top)
	if err != nil {
		return err
	}
	if found.Items == nil {
		found.Items = []RetrievedItem{}
	}
	if found.Images == nil {
		found.Images = map[string]string{}
	}
	return a.tell(map[string]any{"knowledge_base_id": found.Base, "knowledge_items": found.Items, "knowledge_item_images": found.Images})
}

// maxTop bounds how many pieces of knowledge one request gives.
const maxTop = 100

func (a *ask) prompt(ctx context.Context) error {
	var in struct {
		Config string `json:"prompt_config_name"`
	}
	if err := a.read(&in); err != nil {
		return err
	}
	if a.s.Prompts == nil {
		return errNoPrompts
	}
	text, err := a.s.Prompts.Prompt(ctx, a.c.token.Workspace, in.Config)
	if err != nil {
		return err
	}
	return a.tell(map[string]any{"prompt": text})
}

func (a *ask) read(into any) error {
	if err := json.Unmarshal(a.data, into); err != nil {
		return fieldErrors{"data": []string{err.Error()}}
	}
	return nil
}
