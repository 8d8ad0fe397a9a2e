package rpc

import (
	"cmp"
	"context"
	"encoding/json"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
)

// What a request leaves out.
const (
	usualTemperature = 0.7
	usualTokens      = 4096
	usualSeed        = 42
)

// llmData is the data of an llm_request.
type llmData struct {
	Config      string          `json:"llm_config_name"`
	Messages    []LLMMessage    `json:"messages"`
	Temperature *float64        `json:"temperature"`
	MaxTokens   *int            `json:"max_tokens"`
	Seed        *int            `json:"seed"`
	Thinking    json.RawMessage `json:"thinking"`
	Tools       []struct {
		Function LLMTool `json:"function"`
	} `json:"tools"`
	ToolChoice *string         `json:"tool_choice"`
	Context    *bool           `json:"use_conversation_context"`
	Cache      json.RawMessage `json:"cache_config"`
	Schema     json.RawMessage `json:"response_schema"`
	Stream     bool            `json:"stream"`
}

// streams tells whether the answer was asked for in deltas.
func (a *ask) streams() bool {
	var in struct {
		Stream bool `json:"stream"`
	}
	return json.Unmarshal(a.data, &in) == nil && in.Stream
}

func (d *llmData) check() error {
	wrong := fieldErrors{}
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
	if len(wrong) > 0 {
		return wrong
	}
	return nil
}

func (d *llmData) context() bool { return d.Context == nil || *d.Context }

func orUsual[T any](v *T, usual T) T {
	if v == nil {
		return usual
	}
	return *v
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
	r := LLMRequest{
		Config: in.Config, Messages: in.Messages, Temperature: orUsual(in.Temperature, usualTemperature), MaxTokens: orUsual(in.MaxTokens, usualTokens),
		Seed: orUsual(in.Seed, usualSeed), Thinking: in.Thinking, ToolChoice: orUsual(in.ToolChoice, ""), Schema: in.Schema, Cache: in.Cache,
	}
	for _, t := range in.Tools {
		r.Tools = append(r.Tools, t.Function)
	}
	if in.context() {
		said, err := a.conversation(ctx)
		if err != nil {
			return err
		}
		r.Messages = inContext(said, in.Messages)
	}
	id := chat.NewID()
	var delta func(string) error
	if in.Stream {
		delta = func(text string) error {
			return a.tell(map[string]any{"content": text, "last_chunk": false, "lm_msg_id": id})
		}
	}
	result, err := a.s.LLM.Generate(ctx, a.c.token.Workspace, r, delta)
	if err != nil {
		return err
	}
	payload := map[string]any{"last_chunk": true, "lm_msg_id": id}
	switch {
	case in.Stream:
		payload["content"] = ""
	case !isNull(in.Schema):
		payload["content"], payload["usage"], payload["stop_reason"] = result.Parsed, result.Usage, result.StopReason
	default:
		payload["content"], payload["usage"], payload["stop_reason"] = result.Content, result.Usage, result.StopReason
	}
	return a.tell(payload)
}

// conversation is what was said so far, for a model: neighbours of one side are joined.
func (a *ask) conversation(ctx context.Context) ([]LLMMessage, error) {
	var id chat.ConversationID
	if json.Unmarshal(a.channel(), &id) != nil {
		return nil, fieldErrors{"bot_channel_name": []string{wordText}}
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
	return spoken(tr.lines)
}

func spoken(lines []line) ([]LLMMessage, error) {
	var roles, texts []string
	for _, l := range lines {
		role, text := l.spoken()
		if text == "" {
			continue
		}
		if n := len(roles) - 1; n >= 0 && roles[n] == role {
			texts[n] += "\n" + text
			continue
		}
		roles, texts = append(roles, role), append(texts, text)
	}
	out := make([]LLMMessage, len(roles))
	for i, role := range roles {
		content, err := json.Marshal(texts[i])
		if err != nil {
			return nil, err
		}
		out[i] = LLMMessage{role, content}
	}
	return out, nil
}

// spoken gives the words of a message and who of the two sides said them.
func (l line) spoken() (role, text string) {
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
	role = "assistant"
	if l.in {
		role = "user"
	}
	return role, strings.Join(words, "\n")
}

// inContext puts what was said between the instructions and what is asked now.
func inContext(said, asked []LLMMessage) []LLMMessage {
	n := 0
	for n < len(asked) && cmp.Or(asked[n].Role, "system") == "system" {
		n++
	}
	out := append([]LLMMessage{}, asked[:n]...)
	return append(append(out, said...), asked[n:]...)
}
