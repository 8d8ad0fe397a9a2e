package rpc

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestEffort(t *testing.T) {
	for raw, want := range map[string]string{
		``: "", `null`: "", `""`: "", `"low"`: "low", `"xhigh"`: "xhigh", `"none"`: "none",
		`{"type":"disabled"}`: "none", `{"type":"enabled"}`: "medium", `{"type":"adaptive"}`: "", `{"effort":"high"}`: "high",
		`{"type":"adaptive","effort":"max"}`: "max", `{"budget_tokens":0}`: "none",
		`{"type":"enabled","budget_tokens":1024}`: "low", `{"type":"enabled","budget_tokens":1025}`: "medium",
		`{"type":"enabled","budget_tokens":8192}`: "medium", `{"type":"enabled","budget_tokens":16000}`: "high",
	} {
		if got, err := effort(json.RawMessage(raw)); got != want || err != nil {
			t.Errorf("%s: %q, %v", raw, got, err)
		}
	}
	for _, raw := range []string{
		`7`, `true`, `[]`, `{}`, `"very high"`, `"` + strings.Repeat("x", 21) + `"`, `{"type":"odd"}`, `{"effort":7}`, `{"effort":"a b"}`,
		`{"type":"enabled","budget_tokens":-1}`, `{"type":"enabled","budget_tokens":"1"}`, `{"effort":"low","budget_tokens":1}`,
		`{"type":"disabled","budget_tokens":1}`, `{"type":"enabled","budget":1}`,
	} {
		if got, err := effort(json.RawMessage(raw)); err == nil {
			t.Errorf("%s: %q", raw, got)
		}
	}
}

// TestThinkingIsCarried: what the endpoint is asked, and what a worker is told that asks for something else.
func TestThinkingIsCarried(t *testing.T) {
	w, asked := wise(t)
	conn := w.dial("/back/ws/broker/ai/")
	ask := func(more string) string {
		put(t, conn, `{"type":"llm_request","data":{"llm_config_name":"m","messages":[{"role":"user","content":"hi"}],"bot_channel_name":"b","use_conversation_context":false,`+more+`}}`)
		return get(t, conn)
	}
	for more, want := range map[string]string{
		`"thinking":"high"`: `"reasoning_effort":"high"`,
		`"thinking":{"type":"enabled","budget_tokens":1000}`:     `"reasoning_effort":"low"`,
		`"thinking":null,"cache_config":{"name":"c","ttl":3600}`: `"model":"small"`,
	} {
		*asked = nil
		if got := ask(more); !strings.Contains(got, `"last_chunk":true`) || strings.Contains(got, `"type":"error"`) {
			t.Errorf("%s: %s", more, got)
		}
		if len(*asked) != 1 || !strings.Contains((*asked)[0], want) || strings.Contains((*asked)[0], "thinking") || strings.Contains((*asked)[0], "cache") {
			t.Errorf("%s: the endpoint was asked %s", more, *asked)
		}
	}
	for more, want := range map[string]string{
		`"thinking":{"type":"odd"}`: `"thinking":["want an effort`, `"cache_config":"c"`: `"cache_config":["want null`,
		`"cache_config":{"ttl":1}`: `"cache_config"`, `"cache_config":{"name":"c","ttl":-1}`: `"cache_config"`,
	} {
		*asked = nil
		if got := ask(more); !strings.Contains(got, `"type":"error"`) || !strings.Contains(got, want) {
			t.Errorf("%s: %s", more, got)
		}
		if got := get(t, conn); !strings.Contains(got, `"last_chunk":true`) || len(*asked) > 0 {
			t.Errorf("%s: then %s, asked %d", more, got, len(*asked))
		}
	}
}
