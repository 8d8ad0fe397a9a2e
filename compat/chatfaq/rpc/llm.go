package rpc

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/llm"
)

// llmData is the data of an llm_request.
type llmData struct {
	Config      string          `json:"llm_config_name"`
	Messages    []llmMessage    `json:"messages"`
	Temperature *float64        `json:"temperature"`
	MaxTokens   *int            `json:"max_tokens"`
	Seed        *int64          `json:"seed"`
	Thinking    json.RawMessage `json:"thinking"`
	Tools       []struct {
		Function llm.Tool `json:"function"`
	} `json:"tools"`
	ToolChoice *string         `json:"tool_choice"`
	Context    *bool           `json:"use_conversation_context"`
	Cache      json.RawMessage `json:"cache_config"`
	Schema     json.RawMessage `json:"response_schema"`
	Stream     bool            `json:"stream"`
}

// llmMessage is a message for a model; its content is a text or a list of parts.
type llmMessage struct {
	Role    llm.Role        `json:"role"`
	Content json.RawMessage `json:"content"`
}

// part is a part of a message; the members that its type does not use are null.
type part struct {
	Type       string       `json:"type"`
	Text       *string      `json:"text"`
	ToolUse    *llm.ToolUse `json:"tool_use"`
	ToolResult *toolResult  `json:"tool_result"`
}

type toolResult struct {
	ID     string          `json:"id"`
	Name   string          `json:"name"`
	Result json.RawMessage `json:"result"`
}

// streams tells whether the answer was asked for in deltas.
func (a *ask) streams() bool {
	var in struct {
		Stream bool `json:"stream"`
	}
	return json.Unmarshal(a.data, &in) == nil && in.Stream
}

func (d *llmData) check() error {
	wrong := invalidError{}
	schema := !isNull(d.Schema)
	switch {
	case schema && len(d.Tools) > 0:
		wrong["tools"] = []string{"No tools together with a response_schema."}
	case d.Stream && schema:
		wrong["stream"] = []string{"No response_schema in a stream."}
	case d.Stream && len(d.Tools) > 0:
		wrong["stream"] = []string{"No tools in a stream."}
	}
	if d.Config == "" {
		wrong["llm_config_name"] = []string{wordRequired}
	}
	if len(d.Messages) == 0 && !d.context() {
		wrong["messages"] = []string{"Give messages, or use the conversation."}
	}
	if _, err := effort(d.Thinking); err != nil {
		wrong["thinking"] = []string{err.Error()}
	}
	if err := checkCache(d.Cache); err != nil {
		wrong["cache_config"] = []string{err.Error()}
	}
	if len(wrong) > 0 {
		return wrong
	}
	return nil
}

func (d *llmData) context() bool { return orUsual(d.Context, true) }

func orUsual[T any](v *T, usual T) T {
	if v == nil {
		return usual
	}
	return *v
}

// request is what the model is asked; what the worker leaves out is taken from the configuration.
func (d *llmData) request() (llm.Request, error) {
	r := llm.Request{
		Temperature: d.Temperature, MaxTokens: orUsual(d.MaxTokens, 0), Seed: d.Seed, ToolChoice: orUsual(d.ToolChoice, ""),
	}
	if !isNull(d.Schema) {
		r.Schema = d.Schema
	}
	var err error
	if r.Reasoning, err = effort(d.Thinking); err != nil {
		return r, invalidError{"thinking": []string{err.Error()}}
	}
	for _, t := range d.Tools {
		r.Tools = append(r.Tools, t.Function)
	}
	for _, m := range d.Messages {
		parts, err := m.parts()
		if err != nil {
			return r, err
		}
		r.Messages = append(r.Messages, llm.Message{Role: m.Role, Content: parts})
	}
	return r, nil
}

func (m llmMessage) parts() ([]llm.Part, error) {
	var text string
	if json.Unmarshal(m.Content, &text) == nil {
		return []llm.Part{{Text: text}}, nil
	}
	var list []part
	if err := json.Unmarshal(m.Content, &list); err != nil {
		return nil, invalidError{"messages": []string{"content is a text or a list of parts"}}
	}
	out := make([]llm.Part, 0, len(list))
	for _, p := range list {
		one := llm.Part{Text: orUsual(p.Text, ""), ToolUse: p.ToolUse}
		if p.ToolResult != nil {
			one.ToolResult = &llm.ToolResult{ID: p.ToolResult.ID, Result: p.ToolResult.text()}
		}
		out = append(out, one)
	}
	return out, nil
}

func (r *toolResult) text() string {
	var s string
	if json.Unmarshal(r.Result, &s) == nil {
		return s
	}
	return string(r.Result)
}

func (a *ask) llm(ctx context.Context) error {
	var in llmData
	if err := a.read(&in); err != nil {
		return err
	}
	if err := in.check(); err != nil {
		return err
	}
	if a.s.LLM == nil {
		return errNoLLM
	}
	r, err := in.request()
	if err != nil {
		return err
	}
	if in.context() {
		said, err := a.conversation(ctx)
		if err != nil {
			return err
		}
		r.Messages = inContext(said, r.Messages)
	}
	client, err := a.s.LLM.Client(ctx, a.c.token.Workspace, in.Config)
	if err != nil {
		return err
	}
	if in.Stream {
		return a.stream(ctx, client, r)
	}
	got, err := client.Complete(ctx, r)
	if err != nil {
		return err
	}
	payload := map[string]any{"last_chunk": true, "lm_msg_id": chat.NewID(), "usage": got.Usage, "stop_reason": got.Stop, "content": parts(got.Content)}
	if len(r.Schema) > 0 {
		if payload["content"], err = got.JSON(); err != nil {
			return err
		}
	}
	return a.tell(payload)
}

// stream sends texts as they come, and an empty one at the end.
func (a *ask) stream(ctx context.Context, client *llm.Client, r llm.Request) error {
	id := chat.NewID()
	for delta, err := range client.Stream(ctx, r) {
		if err == nil && delta.Text != "" {
			err = a.tell(map[string]any{"content": delta.Text, "last_chunk": false, "lm_msg_id": id})
		}
		if err != nil {
			return err
		}
	}
	return a.tell(map[string]any{"content": "", "last_chunk": true, "lm_msg_id": id})
}

func parts(content []llm.Part) []part {
	out := make([]part, 0, len(content))
	for _, p := range content {
		if p.ToolUse != nil {
			out = append(out, part{Type: "tool_use", ToolUse: p.ToolUse})
			continue
		}
		out = append(out, part{Type: "text", Text: &p.Text})
	}
	return out
}

// conversation is what was said so far, for a model: neighbours of one side are joined.
func (a *ask) conversation(ctx context.Context) ([]llm.Message, error) {
	var id chat.ConversationID
	if json.Unmarshal(a.channel(), &id) != nil {
		return nil, invalidError{"bot_channel_name": []string{wordText}}
	}
	ws := a.c.token.Workspace
	conv, err := a.s.Store.Conversation(ctx, ws, id)
	if err != nil {
		return nil, err
	}
	tr, err := a.s.transcripts.of(ctx, ws, conv)
	if err != nil {
		return nil, err
	}
	defer tr.mu.Unlock()
	return spoken(tr.lines), nil
}

func spoken(lines []line) []llm.Message {
	var out []llm.Message
	for _, l := range lines {
		role, text := l.spoken()
		if text == "" {
			continue
		}
		if n := len(out) - 1; n >= 0 && out[n].Role == role {
			out[n].Content[0].Text += "\n" + text
			continue
		}
		out = append(out, llm.Say(role, text))
	}
	return out
}

// spoken gives the words of a message and who of the two sides said them.
func (l line) spoken() (role llm.Role, text string) {
	var m struct {
		Stack []struct {
			Payload json.RawMessage `json:"payload"`
		} `json:"stack"`
	}
	if json.Unmarshal(l.raw, &m) != nil {
		return "", ""
	}
	var words []string
	for _, layer := range m.Stack {
		if content, ok := contentOf(layer.Payload); ok && content != "" {
			words = append(words, content)
		}
	}
	role = llm.Assistant
	if l.in {
		role = llm.User
	}
	return role, strings.Join(words, "\n")
}

// inContext puts what was said between the instructions and what is asked now.
func inContext(said, asked []llm.Message) []llm.Message {
	n := 0
	for n < len(asked) && asked[n].Role == llm.System {
		n++
	}
	out := append([]llm.Message{}, asked[:n]...)
	return append(append(out, said...), asked[n:]...)
}
