package llm

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
)

// StopReason says why a model stopped.
type StopReason string

// The reasons.
const (
	EndTurn       StopReason = "end_turn"
	MaxTokens     StopReason = "max_tokens"
	ToolCalls     StopReason = "tool_use"
	ContentFilter StopReason = "content_filter"
)

// stops are the words of endpoints for them; an unknown one is taken for the end of a turn.
var stops = map[string]StopReason{
	"stop": EndTurn, "eos": EndTurn, "eos_token": EndTurn, "stop_sequence": EndTurn, "end_turn": EndTurn,
	"length": MaxTokens, "max_tokens": MaxTokens, "model_length": MaxTokens,
	"tool_calls": ToolCalls, "function_call": ToolCalls, "tool_use": ToolCalls,
	"content_filter": ContentFilter, "refusal": ContentFilter, "safety": ContentFilter,
}

// broken are their words for an answer that did not come to its end.
var broken = map[string]bool{"error": true, "abort": true, "cancelled": true, "insufficient_system_resource": true}

// Usage counts tokens; an endpoint that does not count leaves zeros.
type Usage struct {
	InputTokens  int64 `json:"input_tokens"`
	OutputTokens int64 `json:"output_tokens"`
	CachedTokens int64 `json:"cached_tokens,omitempty"` // of the input
}

// Answer is what a model said. Content has texts and calls of tools.
type Answer struct {
	Content   []Part
	Reasoning string // what it thought, where the endpoint tells
	Stop      StopReason
	Usage     Usage
	Model     string // as the endpoint names it
}

// Text joins the texts.
func (a *Answer) Text() string {
	var b strings.Builder
	for _, p := range a.Content {
		b.WriteString(p.Text)
	}
	return b.String()
}

// JSON reads an answer that was asked for by a schema. Models like to put it between fences; whether it follows the schema is the
// endpoint's promise, not ours.
func (a *Answer) JSON() (json.RawMessage, error) {
	text := strings.TrimSpace(a.Text())
	if fenced, ok := strings.CutPrefix(text, "```"); ok {
		fenced = strings.TrimPrefix(fenced, "json")
		text = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(fenced), "```"))
	}
	if !json.Valid([]byte(text)) {
		why := "the model did not answer with JSON"
		if a.Stop == MaxTokens {
			why += ": it was cut off at max_tokens"
		}
		return nil, chat.Faultf(chat.CodeUnavailable, why)
	}
	return json.RawMessage(text), nil
}

// chunk is an answer, or a piece of a streamed one, as endpoints send it. Members that some of them send in other forms are raw.
type chunk struct {
	Object  string          `json:"object"`
	Model   string          `json:"model"`
	Choices []choice        `json:"choices"`
	Usage   json.RawMessage `json:"usage"`
	Error   json.RawMessage `json:"error"`
}

type choice struct {
	Index        int             `json:"index"`
	Message      *said           `json:"message"`
	Delta        *said           `json:"delta"`
	FinishReason json.RawMessage `json:"finish_reason"`
}

// said is what one choice says.
type said struct {
	Content          json.RawMessage `json:"content"`
	ReasoningContent json.RawMessage `json:"reasoning_content"`
	Reasoning        json.RawMessage `json:"reasoning"`
	Refusal          json.RawMessage `json:"refusal"`
	ToolCalls        []callPiece     `json:"tool_calls"`
}

type callPiece struct {
	Index    *int            `json:"index"`
	ID       json.RawMessage `json:"id"`
	Function struct {
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
	} `json:"function"`
}

// gathering is an answer that is being put together.
type gathering struct {
	text, reasoning strings.Builder
	refused         bool
	calls           calls
	finish          string
	usage           Usage
	model           string
	any             bool // something of an answer was there
}

// add takes a piece in and gives what is new in it.
func (g *gathering) add(c *chunk) (Delta, error) {
	var d Delta
	if c.Model != "" {
		g.model = c.Model
	}
	g.count(c.Usage)
	for _, ch := range c.Choices {
		if ch.Index != 0 {
			continue
		}
		g.any = true
		if word := textOf(ch.FinishReason); word != "" {
			g.finish = word
		}
		for _, s := range []*said{ch.Message, ch.Delta} {
			if s == nil {
				continue
			}
			piece, err := g.say(s)
			if err != nil {
				return d, err
			}
			d.Text += piece.Text
			d.Reasoning += piece.Reasoning
		}
	}
	return d, nil
}

func (g *gathering) say(s *said) (Delta, error) {
	d := Delta{Text: textOf(s.Content), Reasoning: textOf(s.ReasoningContent)}
	if d.Reasoning == "" {
		d.Reasoning = textOf(s.Reasoning)
	}
	if no := textOf(s.Refusal); no != "" {
		g.refused = true
		d.Text += no
	}
	g.text.WriteString(d.Text)
	g.reasoning.WriteString(d.Reasoning)
	for _, piece := range s.ToolCalls {
		if err := g.calls.add(piece); err != nil {
			return d, err
		}
	}
	return d, nil
}

// count takes the newest numbers: some endpoints count in every piece.
func (g *gathering) count(raw json.RawMessage) {
	var u struct {
		Prompt     float64 `json:"prompt_tokens"`
		Completion float64 `json:"completion_tokens"`
		Details    struct {
			Cached float64 `json:"cached_tokens"`
		} `json:"prompt_tokens_details"`
	}
	if json.Unmarshal(raw, &u) == nil && u.Prompt+u.Completion > 0 {
		g.usage = Usage{int64(u.Prompt), int64(u.Completion), int64(u.Details.Cached)}
	}
}

// answer ends it.
func (g *gathering) answer() (Answer, error) {
	if broken[g.finish] {
		return Answer{}, chat.Faultf(chat.CodeUnavailable, fmt.Sprintf("the endpoint broke the answer off (%.40s): try again", g.finish))
	}
	stop, ok := stops[g.finish]
	if !ok {
		stop = EndTurn
	}
	uses, err := g.calls.done(stop == MaxTokens)
	if err != nil {
		return Answer{}, err
	}
	switch {
	case g.refused:
		stop = ContentFilter
	case len(uses) > 0 && stop == EndTurn: // not all say it
		stop = ToolCalls
	case len(uses) == 0 && stop == ToolCalls:
		stop = EndTurn
	}
	a := Answer{Reasoning: g.reasoning.String(), Stop: stop, Usage: g.usage, Model: g.model}
	if g.text.Len() > 0 {
		a.Content = append(a.Content, Part{Text: g.text.String()})
	}
	for _, u := range uses {
		a.Content = append(a.Content, Part{ToolUse: &u})
	}
	return a, nil
}

// textOf reads a text, or a list of parts that have one; anything else is no text.
func textOf(raw json.RawMessage) string {
	var s string
	if len(raw) == 0 || json.Unmarshal(raw, &s) == nil {
		return s
	}
	var parts []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	if json.Unmarshal(raw, &parts) != nil {
		return ""
	}
	for _, p := range parts {
		if p.Type == "" || p.Type == "text" || p.Type == "output_text" {
			s += p.Text
		}
	}
	return s
}
