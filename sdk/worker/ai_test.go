package worker_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/sdk/worker"
)

// asking is a hub with a worker whose event "ask" runs the given function and yields what it gives.
func asking(t *testing.T, timeout time.Duration, ask func(context.Context, worker.AI) (string, error)) (rpc, ai *peer) {
	t.Helper()
	flow := parcel()
	flow.Events["ask"] = []worker.Event{func(ctx context.Context, c *worker.Conversation, yield worker.Yield) error {
		text, err := ask(ctx, c.AI)
		if err != nil {
			text = err.Error()
		}
		return yield(worker.Text{Content: text})
	}}
	h := newHub(t)
	h.start(flow, func(w *worker.Worker) { w.AITimeout = timeout })
	return receive(t, h.rpc, "rpc socket"), receive(t, h.ai, "ai socket")
}

func (p *peer) result(kind, rest string) {
	p.t.Helper()
	p.send(fmt.Appendf(nil, `{"type":%q,"status":200,"payload":{%s}}`, kind, rest))
}

func TestAITimeout(t *testing.T) {
	rpc, _ := asking(t, 10*time.Millisecond, func(ctx context.Context, ai worker.AI) (string, error) {
		_, err := ai.Prompt(ctx, "tone")
		if !errors.Is(err, worker.ErrAITimeout) {
			t.Errorf("got %v", err)
		}
		return "", err
	})
	rpc.call("ask", "1", nil)
	if got := rpc.text(); got != worker.ErrAITimeout.Error() {
		t.Errorf("got %q", got)
	}
}

// TestAILateFrames stops reading a stream; what still comes of it is not taken for the next answer.
func TestAILateFrames(t *testing.T) {
	rpc, ai := asking(t, time.Minute, func(ctx context.Context, ai worker.AI) (string, error) {
		for _, err := range ai.Stream(ctx, worker.LLMRequest{Config: "gpt"}) {
			if err != nil {
				return "", err
			}
			break
		}
		a, err := ai.LLM(ctx, worker.LLMRequest{Config: "gpt"})
		return a.Text(), err
	})
	rpc.call("ask", "1", nil)
	receive(t, ai.frames, "stream request")
	ai.result("llm_request_result", `"content":"early","last_chunk":false,"bot_channel_name":"chan-1"`)
	ai.result("llm_request_result", `"content":"late","last_chunk":false,"bot_channel_name":"chan-1"`)
	ai.result("llm_request_result", `"content":"","last_chunk":true,"bot_channel_name":"chan-1"`)
	receive(t, ai.frames, "second request")
	ai.result("llm_request_result", `"content":[{"type":"text","text":"right"}],"last_chunk":true,"bot_channel_name":"chan-1"`)
	if got := rpc.text(); got != "right" {
		t.Errorf("got %q", got)
	}
}

// TestAIOneAtATime asks twice at once in one conversation, which the answers could not tell apart.
func TestAIOneAtATime(t *testing.T) {
	rpc, ai := asking(t, time.Minute, func(ctx context.Context, ai worker.AI) (string, error) {
		texts := make(chan string, 2)
		for _, name := range []string{"a", "b"} {
			go func() {
				text, err := ai.Prompt(ctx, name)
				texts <- fmt.Sprint(name, "=", text, err == nil, " ")
			}()
		}
		one, two := <-texts, <-texts
		return max(one, two) + min(one, two), nil
	})
	rpc.call("ask", "1", nil)
	for range 2 {
		a := ai.next()
		if len(ai.frames) > 0 {
			t.Error("the second request does not wait for the first answer")
		}
		ai.result("prompt_request_result", `"prompt":"for `+a.Data.Prompt+`","bot_channel_name":"chan-1"`)
	}
	if got := rpc.text(); got != "b=for btrue a=for atrue " {
		t.Errorf("got %q", got)
	}
}

// TestAIConversationsAreApart asks in many conversations at once and is answered backwards.
func TestAIConversationsAreApart(t *testing.T) {
	rpc, ai := asking(t, time.Minute, func(ctx context.Context, ai worker.AI) (string, error) {
		return ai.Prompt(ctx, "tone")
	})
	const n = 10
	for i := range n {
		rpc.call("ask", fmt.Sprint(i), nil)
	}
	var channels []string
	for range n {
		channels = append(channels, ai.next().Data.Channel)
	}
	for i := range channels {
		channel := channels[n-1-i]
		ai.result("prompt_request_result", fmt.Sprintf(`"prompt":%q,"bot_channel_name":%q`, channel, channel))
	}
	for range 2 * n {
		a := rpc.next()
		if !a.Data.Last && a.Data.Stack[0].Payload.Content != "chan-"+a.Data.Ctx.Conversation {
			t.Errorf("%+v", a)
		}
	}
}

func TestAIErrors(t *testing.T) {
	for name, c := range map[string]struct{ kind, payload, want string }{
		"by channel": {
			"error", `"errors":"no such prompt","request_info":{"type":"prompt_request","data":{"bot_channel_name":"chan-1"}}`,
			`worker: the hub says: "no such prompt"`,
		},
		"the only one": {"error", `"errors":{"a":["b"]}`, `worker: the hub says: {"a":["b"]}`},
		"as content": {
			"prompt_request_result", `"content":"no such prompt","last_chunk":true,"bot_channel_name":"chan-1"`,
			`worker: the hub says: "no such prompt"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			rpc, ai := asking(t, time.Minute, func(ctx context.Context, ai worker.AI) (string, error) {
				_, err := ai.Prompt(ctx, "tone")
				var hub *worker.HubError
				if !errors.As(err, &hub) {
					t.Errorf("got %v", err)
				}
				return "", err
			})
			rpc.call("ask", "1", nil)
			receive(t, ai.frames, "request")
			ai.result("nonsense_request_result", `"bot_channel_name":"chan-1"`)
			ai.result("prompt_request_result", `"prompt":"for another","bot_channel_name":"chan-2"`)
			ai.result(c.kind, c.payload)
			if got := rpc.text(); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestAIRules(t *testing.T) {
	tool := []worker.Tool{{Name: "f"}}
	rpc, _ := asking(t, time.Minute, func(ctx context.Context, ai worker.AI) (string, error) {
		for _, r := range []worker.LLMRequest{{Tools: tool, Schema: 1}, {WithoutConversation: true}} {
			if _, err := ai.LLM(ctx, r); err == nil {
				t.Errorf("took %+v", r)
			}
		}
		for _, r := range []worker.LLMRequest{{Tools: tool}, {Schema: 1}} {
			for _, err := range ai.Stream(ctx, r) {
				if err == nil {
					t.Errorf("streams %+v", r)
				}
			}
		}
		return "done", nil
	})
	rpc.call("ask", "1", nil)
	if got := rpc.text(); got != "done" {
		t.Errorf("got %q", got)
	}
}

func TestAISchemaAndLooseContent(t *testing.T) {
	rpc, ai := asking(t, time.Minute, func(ctx context.Context, ai worker.AI) (string, error) {
		typed, err := ai.LLM(ctx, worker.LLMRequest{Schema: map[string]any{"type": "object"}})
		if err != nil {
			return "", err
		}
		loose, err := ai.LLM(ctx, worker.LLMRequest{})
		return string(typed.Result) + loose.Text(), err
	})
	rpc.call("ask", "1", nil)
	receive(t, ai.frames, "request")
	ai.result("llm_request_result", `"content":{"n":1},"last_chunk":true,"bot_channel_name":"chan-1"`)
	receive(t, ai.frames, "request")
	ai.result("llm_request_result", `"content":"out of order","last_chunk":true,"bot_channel_name":"chan-1"`)
	if got := rpc.text(); got != `{"n":1}out of order` {
		t.Errorf("got %q", got)
	}
}
