package worker_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/dragoman-hub/dragoman/sdk/worker"
)

// parcel is the flow of the recorded frames.
func parcel() *worker.Flow {
	zero := 0.0
	say := func(text func(context.Context, *worker.Conversation) (string, error)) []worker.Event {
		return []worker.Event{func(ctx context.Context, c *worker.Conversation, yield worker.Yield) error {
			words, err := text(ctx, c)
			if err != nil {
				return err
			}
			return yield(worker.Text{Content: words})
		}}
	}
	words := func(text string) worker.Event {
		return func(_ context.Context, _ *worker.Conversation, yield worker.Yield) error {
			return yield(worker.Text{Content: text})
		}
	}
	return &worker.Flow{
		Name: "parcel",
		States: []worker.State{
			{Name: "Greeting", Initial: true, Events: []string{"greet"}},
			{Name: "Answer", Events: []string{"stream"}},
			{Name: "Rest"},
		},
		Transitions: []worker.Transition{
			{Dest: "Answer", Conditions: []string{"asks"}},
			{Source: "Answer", Dest: "Rest", Unless: []string{"asks", "breaks_condition"}},
		},
		Conditions: map[string]worker.Condition{
			"asks": func(_ context.Context, c *worker.Conversation) (float64, any, error) {
				if strings.Contains(c.Text(), "parcel") {
					return 0.9, map[string]string{"about": "parcel"}, nil
				}
				return 0, nil, nil
			},
			"breaks_condition": func(context.Context, *worker.Conversation) (float64, any, error) {
				return 1, nil, errors.New("no idea")
			},
		},
		Events: map[string][]worker.Event{
			"greet": {func(_ context.Context, c *worker.Conversation, yield worker.Yield) error {
				if err := yield(worker.Text{Content: "Hello " + c.UserID + "!"}); err != nil {
					return err
				}
				return yield(worker.Text{Content: fmt.Sprintf("You are in %v.", c.Metadata["lang"])})
			}},
			"all_layers": {allLayers},
			"stream": {func(_ context.Context, _ *worker.Conversation, yield worker.Yield) error {
				return yield(worker.Stream{Deltas: deltas("a ", "b ", "c"), References: &worker.References{
					KnowledgeBaseID: 3, KnowledgeItems: []worker.KnowledgeItem{
						{ID: 7, Title: "Returns", URL: "https://shop.example/returns"},
					},
				}})
			}},
			"remember": say(func(_ context.Context, c *worker.Conversation) (string, error) {
				var memory struct {
					Count int `json:"count"`
				}
				if err := c.Status(&memory); err != nil {
					return "", err
				}
				memory.Count++
				return fmt.Sprintf("Call %d", memory.Count), c.SetStatus(memory)
			}),
			"press": {func(_ context.Context, c *worker.Conversation, yield worker.Yield) error {
				list := []worker.Button{{ID: "y", Title: "Yes"}, {Title: "No"}, {Title: "Site", URL: "https://shop.example"}}
				if err := yield(worker.Buttons{Content: c.Text() + " is " + c.Pressed(), Buttons: list}); err != nil {
					return err
				}
				return yield(worker.Buttons{Once: true})
			}},
			"both":   {words("one"), words("two")},
			"silent": {func(context.Context, *worker.Conversation, worker.Yield) error { return nil }},
			"breaks": {func(_ context.Context, _ *worker.Conversation, yield worker.Yield) error {
				if err := yield(worker.Text{Content: "so far"}); err != nil {
					return err
				}
				panic("oh")
			}},
			"breaks_stream": {func(_ context.Context, _ *worker.Conversation, yield worker.Yield) error {
				return yield(worker.Stream{Deltas: func(next func(string, error) bool) {
					_ = next("half", nil) && next("", errors.New("the source is dry"))
				}})
			}},
			"ask_model": say(func(ctx context.Context, c *worker.Conversation) (string, error) {
				a, err := c.AI.LLM(ctx, worker.LLMRequest{
					Config: "gpt", Messages: []worker.LLMMessage{{Role: "user", Content: "Be short."}},
					Temperature: &zero, MaxTokens: 10, ToolChoice: "auto",
					Tools: []worker.Tool{{Name: "get_order", Description: "Finds an order", Parameters: map[string]any{"type": "object"}}},
				})
				if err != nil {
					return "", err
				}
				return fmt.Sprintf("%s (%s, %d, %s)", a.Text(), a.StopReason, a.Usage.Output, a.Content[2].ToolUse.Name), nil
			}),
			"stream_model": {func(ctx context.Context, c *worker.Conversation, yield worker.Yield) error {
				return yield(worker.Stream{Deltas: c.AI.Stream(ctx, worker.LLMRequest{Config: "gpt"})})
			}},
			"look_up": {func(ctx context.Context, c *worker.Conversation, yield worker.Yield) error {
				found, err := c.AI.Retrieve(ctx, "docs", c.Text(), 0)
				if err != nil {
					return err
				}
				return yield(worker.Text{Content: fmt.Sprintf("Found %d", len(found.KnowledgeItems)), References: found})
			}},
			"prompted": say(func(ctx context.Context, c *worker.Conversation) (string, error) {
				return c.AI.Prompt(ctx, "tone")
			}),
		},
	}
}

func allLayers(_ context.Context, _ *worker.Conversation, yield worker.Yield) error {
	for _, l := range []worker.Layer{
		worker.FileUpload{Content: "Send the bill", Files: map[string]int64{"pdf": 5_000_000}},
		worker.FileDownload{Content: "Your report", Name: "report.pdf", URL: "https://files.example/report.pdf"},
		worker.ThumbsRating{},
		worker.StarRating{Hint: "How was it?", Explanation: "5 is best"},
		worker.TextFeedback{Hint: "Tell us more", Placeholder: "type here", FullConversation: true},
		worker.ToolUse{ID: "t1", Name: "get_order", Args: map[string]string{"number": "A-1"}},
		worker.ToolResult{ID: "t1", Name: "get_order", Result: "shipped"},
		worker.GTMTag{"event": "lead"},
		worker.WithMeta(worker.WithState(
			worker.Custom{Type: "map", Payload: map[string]float64{"lat": 1.5}},
			map[string]bool{"seen": true}), map[string]any{"zoom": 3}),
		worker.CloseConversation{},
	} {
		if err := yield(l); err != nil {
			return err
		}
	}
	return nil
}

func deltas(texts ...string) func(func(string, error) bool) {
	return func(next func(string, error) bool) {
		for _, text := range texts {
			if !next(text, nil) {
				return
			}
		}
	}
}

func TestCheck(t *testing.T) {
	if err := parcel().Check(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*worker.Flow){
		`flow name "my flow"`:                     func(f *worker.Flow) { f.Name = "my flow" },
		`0 initial states`:                        func(f *worker.Flow) { f.States[0].Initial = false },
		`2 initial states`:                        func(f *worker.Flow) { f.States[1].Initial = true },
		`state "Rest": a name`:                    func(f *worker.Flow) { f.States[1].Name = "Rest" },
		`state "": a name`:                        func(f *worker.Flow) { f.States[2].Name = "" },
		`no event "lost"`:                         func(f *worker.Flow) { f.States[2].Events = []string{"lost"} },
		`transition 0: no condition "lost"`:       func(f *worker.Flow) { f.Transitions[0].Unless = []string{"lost"} },
		`transition 0: no state "Lost"`:           func(f *worker.Flow) { f.Transitions[0].Dest = "Lost" },
		`transition 1: no state "Gone"`:           func(f *worker.Flow) { f.Transitions[1].Source = "Gone" },
		`"asks" is a condition and an event`:      func(f *worker.Flow) { f.Events["asks"] = f.Events["greet"] },
		`state "Greeting": no event "greet"`:      func(f *worker.Flow) { f.Events["greet"] = nil },
		`transition 0: no condition "no_handler"`: func(f *worker.Flow) { f.Transitions[0].Conditions = []string{"no_handler"} },
	} {
		f := parcel()
		change(f)
		if err := f.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
		if err := (&worker.Worker{URL: "ws://hub.example", Flow: f}).Run(t.Context()); err == nil {
			t.Errorf("%s: Run took it", want)
		}
	}
}
