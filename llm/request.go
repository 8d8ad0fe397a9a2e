package llm

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
)

// Role says who speaks.
type Role string

// The roles. Results of tools are parts of the user's messages.
const (
	System    Role = "system"
	User      Role = "user"
	Assistant Role = "assistant"
)

// Message is one turn.
type Message struct {
	Role    Role
	Content []Part
}

// Say is a message of one text.
func Say(role Role, text string) Message { return Message{role, []Part{{Text: text}}} }

// Part is a text, a call of a tool, or what a tool gave: exactly one of them.
type Part struct {
	Text       string
	ToolUse    *ToolUse
	ToolResult *ToolResult
}

// ToolUse is a call of a tool by the model. Args is an object.
type ToolUse struct {
	ID   string          `json:"id"`
	Name string          `json:"name"`
	Args json.RawMessage `json:"args"`
}

// ToolResult answers the call of that id.
type ToolResult struct {
	ID     string
	Result string
}

// Tool is a function that the model may call. Parameters is a JSON Schema.
type Tool struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters,omitempty"`
}

// Request is what a model is asked. What is left out is taken from the ModelDefaults.
type Request struct {
	Messages    []Message
	Tools       []Tool
	ToolChoice  string          // auto, none, required (or any), or the name of a tool; "": the model's own way
	Schema      json.RawMessage // a JSON Schema that the answer has to follow; not together with tools
	Temperature *float64
	MaxTokens   int
	Seed        *int64
	Reasoning   string // how much to think: low, medium, high
}

// ModelDefaults stand in where a request is silent, and fit requests to an endpoint.
type ModelDefaults struct {
	Temperature *float64 `json:"temperature,omitempty" minimum:"0" maximum:"2"`
	MaxTokens   int      `json:"max_tokens,omitempty" minimum:"0" maximum:"1000000" doc:"Of the answer."`
	Seed        *int64   `json:"seed,omitempty"`
	Reasoning   string   `json:"reasoning_effort,omitempty" maxLength:"20"`
	// MaxCompletionTokens and Omit are for endpoints that refuse members which others need.
	MaxCompletionTokens bool            `json:"max_completion_tokens,omitempty" doc:"Send max_tokens under its newer name."`
	Omit                []string        `json:"omit,omitempty" nullable:"false" maxItems:"10" doc:"Members that are never sent, even if a worker names them." example:"[\"temperature\",\"seed\"]"`
	Extra               json.RawMessage `json:"extra,omitempty" doc:"An object whose members are sent as they are."`
}

// The limits of a request.
const (
	maxMessages = 2000
	maxTools    = 128
	maxRequest  = 4 << 20 // bytes of its JSON
)

// body writes the request as it is sent.
func (r *Request) body(model string, d ModelDefaults, stream bool) ([]byte, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	m := map[string]any{}
	if len(d.Extra) > 0 {
		if err := json.Unmarshal(d.Extra, &m); err != nil {
			return nil, chat.Faultf(chat.CodeInvalid, "defaults.extra: an object is wanted")
		}
	}
	r.parameters(m, d)
	for _, name := range d.Omit {
		delete(m, name)
	}
	m["model"], m["messages"] = model, wireMessages(r.Messages)
	if stream {
		m["stream"] = true
		if !slices.Contains(d.Omit, "stream_options") {
			m["stream_options"] = map[string]any{"include_usage": true}
		}
	}
	raw, err := json.Marshal(m)
	if err != nil {
		return nil, chat.Faultf(chat.CodeInvalid, "the request holds what is no JSON: "+err.Error())
	}
	if len(raw) > maxRequest {
		return nil, chat.Faultf(chat.CodeTooLarge, fmt.Sprintf("the request has more than %d bytes: leave old messages out", maxRequest))
	}
	return raw, nil
}

func (r *Request) check() error {
	switch {
	case len(r.Messages) == 0:
		return chat.Faultf(chat.CodeInvalid, "messages: there are none")
	case len(r.Messages) > maxMessages:
		return chat.Faultf(chat.CodeTooLarge, fmt.Sprintf("messages: %d at the most", maxMessages))
	case len(r.Tools) > maxTools:
		return chat.Faultf(chat.CodeTooLarge, fmt.Sprintf("tools: %d at the most", maxTools))
	case len(r.Tools) > 0 && len(r.Schema) > 0:
		return chat.Faultf(chat.CodeInvalid, "an answer by a schema and tools do not go together")
	case len(r.Schema) > 0 && !isObject(r.Schema):
		return chat.Faultf(chat.CodeInvalid, "the schema is no object")
	case r.MaxTokens < 0:
		return chat.Faultf(chat.CodeInvalid, "max_tokens: more than 0")
	}
	for i, m := range r.Messages {
		if m.Role != System && m.Role != User && m.Role != Assistant {
			return chat.Faultf(chat.CodeInvalid, fmt.Sprintf("messages[%d]: the role %.20q is none of system, user, assistant", i, m.Role))
		}
	}
	for _, t := range r.Tools {
		if t.Name == "" || len(t.Parameters) > 0 && !isObject(t.Parameters) {
			return chat.Faultf(chat.CodeInvalid, fmt.Sprintf("tools: %.40q needs a name, and an object as parameters", t.Name))
		}
	}
	return r.checkChoice()
}

func (r *Request) checkChoice() error {
	switch r.ToolChoice {
	case "", "auto", "none", "required", "any":
		return nil
	}
	if !slices.ContainsFunc(r.Tools, func(t Tool) bool { return t.Name == r.ToolChoice }) {
		return chat.Faultf(chat.CodeInvalid, fmt.Sprintf("tool_choice: there is no tool %.40q", r.ToolChoice))
	}
	return nil
}

func isObject(raw json.RawMessage) bool {
	var m map[string]json.RawMessage
	return json.Unmarshal(raw, &m) == nil && m != nil
}

// parameters sets everything but model and messages.
func (r *Request) parameters(m map[string]any, d ModelDefaults) {
	if t := either(r.Temperature, d.Temperature); t != nil {
		m["temperature"] = *t
	}
	if s := either(r.Seed, d.Seed); s != nil {
		m["seed"] = *s
	}
	if n := max(r.MaxTokens, 0); n > 0 || d.MaxTokens > 0 {
		name := "max_tokens"
		if d.MaxCompletionTokens {
			name = "max_completion_tokens"
		}
		if n == 0 {
			n = d.MaxTokens
		}
		m[name] = n
	}
	if effort := r.Reasoning + d.Reasoning; effort != "" {
		m["reasoning_effort"] = effort
		if r.Reasoning != "" {
			m["reasoning_effort"] = r.Reasoning
		}
	}
	if len(r.Schema) > 0 {
		m["response_format"] = map[string]any{"type": "json_schema", "json_schema": map[string]any{"name": "answer", "schema": r.Schema}}
	}
	if len(r.Tools) == 0 {
		return // a choice among none is refused by most
	}
	tools := make([]any, len(r.Tools))
	for i, t := range r.Tools {
		tools[i] = map[string]any{"type": "function", "function": t}
	}
	m["tools"] = tools
	switch r.ToolChoice {
	case "":
	case "any":
		m["tool_choice"] = "required"
	case "auto", "none", "required":
		m["tool_choice"] = r.ToolChoice
	default:
		m["tool_choice"] = map[string]any{"type": "function", "function": map[string]any{"name": r.ToolChoice}}
	}
}

func either[T any](a, b *T) *T {
	if a != nil {
		return a
	}
	return b
}

// wireMessage is a message as the endpoint takes it.
type wireMessage struct {
	Role       string     `json:"role"`
	Content    *string    `json:"content"`
	ToolCalls  []toolCall `json:"tool_calls,omitempty"`
	ToolCallID string     `json:"tool_call_id,omitempty"`
}

type toolCall struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	Function struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	} `json:"function"`
}

// wireMessages takes results of tools out of the turns: each is a message of its own, before the rest of its turn.
func wireMessages(list []Message) []wireMessage {
	var out []wireMessage
	for _, m := range list {
		turn := wireMessage{Role: string(m.Role)}
		var texts []string
		for _, p := range m.Content {
			switch {
			case p.ToolResult != nil:
				out = append(out, wireMessage{Role: "tool", Content: &p.ToolResult.Result, ToolCallID: p.ToolResult.ID})
			case p.ToolUse != nil:
				call := toolCall{ID: p.ToolUse.ID, Type: "function"}
				call.Function.Name, call.Function.Arguments = p.ToolUse.Name, string(p.ToolUse.Args)
				turn.ToolCalls = append(turn.ToolCalls, call)
			case p.Text != "":
				texts = append(texts, p.Text)
			}
		}
		if len(texts) == 0 && len(turn.ToolCalls) == 0 {
			continue
		}
		if len(texts) > 0 {
			text := strings.Join(texts, "\n\n")
			turn.Content = &text
		}
		out = append(out, turn)
	}
	return out
}
