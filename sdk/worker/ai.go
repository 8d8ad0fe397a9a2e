package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
)

// AI asks the hub's language models, retrievers and prompts, by the names they are configured under.
// Requests of one kind in one conversation are made one after the other, because the hub's answers carry
// nothing else to tell them apart.
type AI interface {
	// LLM waits for the whole answer.
	LLM(ctx context.Context, r LLMRequest) (LLMAnswer, error)
	// Stream gives the answer's deltas, ready for a Stream layer. Tools and schemas cannot be streamed.
	Stream(ctx context.Context, r LLMRequest) iter.Seq2[string, error]
	// Retrieve finds the topK (0: three) items of knowledge nearest to a query.
	Retrieve(ctx context.Context, retriever, query string, topK int) (*References, error)
	// Prompt reads a stored prompt.
	Prompt(ctx context.Context, name string) (string, error)
}

// LLMRequest is a question to a language model. Only Config must be there.
type LLMRequest struct {
	Config      string
	Messages    []LLMMessage // after the conversation's own
	Temperature *float64     // nil: 0.7
	MaxTokens   int          // 0: 4096
	Seed        *int         // nil: 42
	Thinking    any          // text or object, as the model wants it
	Tools       []Tool
	ToolChoice  string
	Schema      any // JSON Schema of the answer; see LLMAnswer.Result
	Cache       *Cache
	// WithoutConversation leaves out the stored conversation, which else stands before Messages.
	WithoutConversation bool
}

// LLMMessage is one message to a model.
type LLMMessage struct {
	Role    string `json:"role"`    // system, user or assistant
	Content any    `json:"content"` // text or []LLMContent
}

// Tool is a function that a model may ask for. Parameters is a JSON Schema.
type Tool struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Parameters  any    `json:"parameters"`
}

// Cache names a prompt cache and its life time in seconds.
type Cache struct {
	Name string `json:"name"`
	TTL  int    `json:"ttl"`
}

// LLMAnswer is a model's whole answer.
type LLMAnswer struct {
	ID         ID
	Content    []LLMContent
	Result     json.RawMessage // the content as it came; with a Schema it is the parsed result
	StopReason string          // end_turn, max_tokens, tool_use or content_filter
	Usage      Usage
}

// LLMContent is a part of an answer: a text, or the wish to use a tool.
type LLMContent struct {
	Type       string      `json:"type"` // text, tool_use or tool_result
	Text       string      `json:"text"`
	ToolUse    *ToolUse    `json:"tool_use"`
	ToolResult *ToolResult `json:"tool_result"`
}

// Usage counts tokens.
type Usage struct {
	Input  int `json:"input_tokens"`
	Output int `json:"output_tokens"`
}

// Text is the answer's texts joined.
func (a LLMAnswer) Text() string {
	var b strings.Builder
	for _, c := range a.Content {
		b.WriteString(c.Text)
	}
	return b.String()
}

// Errors of AI requests.
var (
	ErrNoHub     = errors.New("worker: no hub to ask")
	ErrAITimeout = errors.New("worker: the hub gave no answer in time")
)

// HubError is what an error frame says.
type HubError struct{ Errors string }

func (e *HubError) Error() string { return "worker: the hub says: " + e.Errors }

// boundAI is the AI of one conversation.
type boundAI struct {
	link    *aiLink
	id      string
	channel string
}

func (a *boundAI) LLM(ctx context.Context, r LLMRequest) (LLMAnswer, error) {
	data, err := a.llm(r, false)
	if err != nil {
		return LLMAnswer{}, err
	}
	var answer LLMAnswer
	err = a.ask(ctx, "llm_request", data, func(f aiResult) error {
		answer = LLMAnswer{ID: f.ID, StopReason: f.StopReason, Usage: f.Usage, Result: f.Content}
		var text string
		switch {
		case json.Unmarshal(f.Content, &text) == nil:
			answer.Content = []LLMContent{{Type: "text", Text: text}}
		case r.Schema == nil:
			return json.Unmarshal(f.Content, &answer.Content)
		}
		return nil
	})
	return answer, err
}

func (a *boundAI) Stream(ctx context.Context, r LLMRequest) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		data, err := a.llm(r, true)
		if err != nil {
			yield("", err)
			return
		}
		err = a.ask(ctx, "llm_request", data, func(f aiResult) error {
			var delta string
			if err := json.Unmarshal(f.Content, &delta); err != nil {
				return fmt.Errorf("worker: delta: %w", err)
			}
			if delta != "" && !yield(delta, nil) {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			yield("", err)
		}
	}
}

func (a *boundAI) Retrieve(ctx context.Context, retriever, query string, topK int) (*References, error) {
	if topK == 0 {
		topK = 3
	}
	var found *References
	err := a.ask(ctx, "retriever_request", object{
		"retriever_config_name": retriever, "bot_channel_name": a.channel, "query": query, "top_k": topK,
	}, func(f aiResult) error {
		if f.KnowledgeItems == nil { // a failure is told as content
			return &HubError{string(f.Content)}
		}
		found = &References{f.KnowledgeBaseID, f.KnowledgeItems, f.Images}
		return nil
	})
	return found, err
}

func (a *boundAI) Prompt(ctx context.Context, name string) (string, error) {
	var prompt string
	err := a.ask(ctx, "prompt_request", object{
		"prompt_config_name": name, "bot_channel_name": a.channel,
	}, func(f aiResult) error {
		if f.Prompt == nil {
			return &HubError{string(f.Content)}
		}
		prompt = *f.Prompt
		return nil
	})
	return prompt, err
}

// llm is the data of an llm_request; every key is there, as the hub expects it.
func (a *boundAI) llm(r LLMRequest, stream bool) (object, error) {
	switch {
	case r.Schema != nil && len(r.Tools) > 0:
		return nil, errors.New("worker: a schema and tools exclude each other")
	case stream && (r.Schema != nil || len(r.Tools) > 0):
		return nil, errors.New("worker: schemas and tools cannot be streamed")
	case r.WithoutConversation && len(r.Messages) == 0:
		return nil, errors.New("worker: neither messages nor the conversation")
	}
	data := object{
		"llm_config_name": r.Config, "messages": nil, "conversation_id": a.id, "bot_channel_name": a.channel,
		"temperature": 0.7, "max_tokens": 4096, "seed": 42, "thinking": r.Thinking, "tools": nil,
		"tool_choice": orNull(r.ToolChoice), "use_conversation_context": !r.WithoutConversation,
		"cache_config": nil, "response_schema": r.Schema, "stream": stream,
	}
	if len(r.Messages) > 0 {
		data["messages"] = r.Messages
	}
	if r.Temperature != nil {
		data["temperature"] = *r.Temperature
	}
	if r.MaxTokens > 0 {
		data["max_tokens"] = r.MaxTokens
	}
	if r.Seed != nil {
		data["seed"] = *r.Seed
	}
	if r.Cache != nil {
		data["cache_config"] = r.Cache
	}
	if len(r.Tools) > 0 {
		tools := make([]object, len(r.Tools))
		for i, t := range r.Tools {
			tools[i] = object{"type": "function", "function": t}
		}
		data["tools"] = tools
	}
	return data, nil
}

// ask sends a request and gives each frame of the answer to each, until the last one.
func (a *boundAI) ask(ctx context.Context, kind string, data object, each func(aiResult) error) error {
	if a.link == nil {
		return ErrNoHub
	}
	return a.link.ask(ctx, kind, a.channel, outgoing{kind, data}, each)
}
