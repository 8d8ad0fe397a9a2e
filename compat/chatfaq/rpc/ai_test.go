package rpc

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/knowledge"
	"github.com/dragoman-hub/dragoman/llm"
	"github.com/dragoman-hub/dragoman/outbound"
	"github.com/dragoman-hub/dragoman/secret"
)

// endpoint plays a language model: it says back what it was asked, by the last message's first word.
func endpoint(t *testing.T) (base string, asked *[]string) {
	asked = &[]string{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		*asked = append(*asked, string(raw))
		switch {
		case strings.Contains(string(raw), "fail"):
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"error":{"message":"no such thing"}}`)
		case strings.Contains(string(raw), `"stream":true`):
			w.Header().Set("Content-Type", "text/event-stream")
			for _, delta := range []string{"Hel", "lo"} {
				_, _ = fmt.Fprintf(w, "data: {\"choices\":[{\"delta\":{\"content\":%q}}]}\n\n", delta)
			}
			_, _ = io.WriteString(w, "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
		case strings.Contains(string(raw), `"tools"`):
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"choices":[{"message":{"tool_calls":[{"id":"t1","type":"function","function":{"name":"get_order","arguments":"{\"number\":\"A-1\"}"}}]},"finish_reason":"tool_calls"}]}`)
		case strings.Contains(string(raw), "json_schema"):
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"choices":[{"message":{"content":"{\"a\":1}"},"finish_reason":"stop"}]}`)
		default:
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"choices":[{"message":{"content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1}}`)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL + "/v1", asked
}

// wise is a world with a language model, knowledge and a prompt.
func wise(t *testing.T) (*world, *[]string) {
	t.Helper()
	var book *llm.Book
	w := newWorld(t, func(o *Options) {
		keys, err := secret.NewKeyring(make([]byte, secret.KeySize))
		if err != nil {
			t.Fatal(err)
		}
		book = llm.NewBook(o.Store, keys, outbound.Client(outbound.Options{AllowPrivate: true}), llm.Limits{})
		o.LLM, o.Knowledge = book, knowledge.New(o.Store)
	})
	base, asked := endpoint(t)
	_, err := book.Add(t.Context(), w.ws, llm.Config{Name: "m", BaseURL: base, Model: "small"})
	w.must(err)
	_, err = w.store.PutPrompt(t.Context(), w.ws, "p", "Be kind.")
	w.must(err)
	_, err = w.store.PutKnowledgeBase(t.Context(), w.ws, "k", "en")
	w.must(err)
	_, err = w.server.Knowledge.AddItem(t.Context(), w.ws, "k", knowledge.Item{Title: "Returns", Content: "Send parcels back within 14 days.", URL: "https://shop.example/returns"})
	w.must(err)
	return w, asked
}

// TestAI asks everything that the ai socket offers. A frame that ends the waiting comes in any case.
func TestAI(t *testing.T) {
	w, _ := wise(t)
	conn := w.dial("/back/ws/broker/ai/")
	const plain = `"bot_channel_name":"b","use_conversation_context":false`
	for _, c := range []struct {
		name, frame string
		want        []string // of each frame, in order; "|" separates what it has
	}{
		{
			"whole", `{"type":"llm_request","data":{"llm_config_name":"m","messages":[{"role":"user","content":"hi"}],"temperature":0.7,"max_tokens":4096,"seed":42,"thinking":null,"tools":null,"tool_choice":null,"cache_config":null,"response_schema":null,"stream":false,` + plain + `}}`,
			[]string{`"type":"llm_request_result","status":200|"bot_channel_name":"b"|"content":[{"type":"text","text":"Hello","tool_use":null,"tool_result":null}]|"last_chunk":true|"stop_reason":"end_turn"|"input_tokens":3,"output_tokens":1`},
		},
		{
			"streamed", `{"type":"llm_request","data":{"llm_config_name":"m","messages":[{"role":"user","content":"hi"}],"stream":true,` + plain + `}}`,
			[]string{`"content":"Hel"|"last_chunk":false`, `"content":"lo"|"last_chunk":false`, `"content":""|"last_chunk":true`},
		},
		{
			"tools", `{"type":"llm_request","data":{"llm_config_name":"m","messages":[{"role":"user","content":[{"type":"text","text":"order?"}]}],"tools":[{"type":"function","function":{"name":"get_order","description":"","parameters":{"type":"object"}}}],` + plain + `}}`,
			[]string{`"tool_use":{"id":"t1","name":"get_order","args":{"number":"A-1"}}|"stop_reason":"tool_use"|"text":null`},
		},
		{
			"schema", `{"type":"llm_request","data":{"llm_config_name":"m","messages":[{"role":"user","content":"x"}],"response_schema":{"type":"object"},` + plain + `}}`,
			[]string{`"content":{"a":1}|"last_chunk":true`},
		},
		{
			"failure", `{"type":"llm_request","data":{"llm_config_name":"m","messages":[{"role":"user","content":"fail"}],` + plain + `}}`,
			[]string{`"type":"error"|no such thing`, `"type":"llm_request_result"|no such thing|"last_chunk":true|"content":[{"type":"text"`},
		},
		{
			"failure of a stream", `{"type":"llm_request","data":{"llm_config_name":"m","messages":[{"role":"user","content":"fail"}],"stream":true,` + plain + `}}`,
			[]string{`"type":"error"`, `"content":"the endpoint refuses|"last_chunk":true`},
		},
		{
			"no such model", `{"type":"llm_request","data":{"llm_config_name":"zzz","messages":[{"role":"user","content":"x"}],` + plain + `}}`,
			[]string{`"type":"error"|no such`, `"last_chunk":true`},
		},
		{
			"tools and schema", `{"type":"llm_request","data":{"llm_config_name":"m","messages":[{"role":"user","content":"x"}],"response_schema":{},"tools":[{"function":{"name":"f"}}],` + plain + `}}`,
			[]string{`"type":"error"|"tools":["No tools together`, `"last_chunk":true`},
		},
		{"no messages", `{"type":"llm_request","data":{"llm_config_name":"m",` + plain + `}}`, []string{`"type":"error"|"messages"`, `"last_chunk":true`}},
		{"wrong types", `{"type":"llm_request","data":{"llm_config_name":7,"bot_channel_name":"b"}}`, []string{`"type":"error"`, `"bot_channel_name":"b"|"last_chunk":true`}},
		{
			"retriever", `{"type":"retriever_request","data":{"retriever_config_name":"k","bot_channel_name":"b","query":"how do I return a parcel?","top_k":3}}`,
			[]string{`"type":"retriever_request_result"|"knowledge_base_id":1|"title":"Returns"|"url":"https://shop.example/returns"|"knowledge_item_images":{}|"bot_channel_name":"b"`},
		},
		{
			"no such retriever", `{"type":"retriever_request","data":{"retriever_config_name":"zzz","bot_channel_name":"b","query":"x"}}`,
			[]string{`"type":"error"`, `"type":"retriever_request_result"|"last_chunk":true|"knowledge_items":[]`},
		},
		{"prompt", `{"type":"prompt_request","data":{"prompt_config_name":"p","bot_channel_name":"b"}}`, []string{`"type":"prompt_request_result"|"prompt":"Be kind."|"bot_channel_name":"b"`}},
		{"no such prompt", `{"type":"prompt_request","data":{"prompt_config_name":"zzz","bot_channel_name":"b"}}`, []string{`"type":"error"`, `"type":"prompt_request_result"|"prompt":""`}},
		{"unknown", `{"type":"rpc_result","data":{}}`, []string{`\"rpc_result\" is not a valid choice`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			put(t, conn, c.frame)
			for _, want := range c.want {
				got := get(t, conn)
				for word := range strings.SplitSeq(want, "|") {
					if !strings.Contains(got, word) {
						t.Errorf("answered %s\nwant %s", got, word)
					}
				}
			}
		})
	}
}

// TestNothingThere: a hub without models and knowledge says so and ends the waiting.
func TestNothingThere(t *testing.T) {
	w := newWorld(t)
	conn := w.dial("/back/ws/broker/ai/")
	for _, frame := range []string{
		`{"type":"llm_request","data":{"llm_config_name":"m","messages":[{"role":"user","content":"x"}],"bot_channel_name":"b"}}`,
		`{"type":"retriever_request","data":{"retriever_config_name":"k","query":"x","bot_channel_name":"b"}}`,
	} {
		put(t, conn, frame)
		if got := get(t, conn); !strings.Contains(got, "this hub has no") {
			t.Error(got)
		}
		if got := get(t, conn); !strings.Contains(got, `"last_chunk":true`) || !strings.Contains(got, `"bot_channel_name":"b"`) {
			t.Error(got)
		}
	}
}

// TestConversationForModel: with the conversation's context the model is told what was said, after the instructions.
func TestConversationForModel(t *testing.T) {
	w, asked := wise(t)
	s := w.parcelWorker()
	channel := make(chan string, 1)
	s.functions["send_answer"] = []function{{event: func(t *sdkTurn) { t.say("One."); t.say("Two."); channel <- t.Context.Channel }}}
	s.connect()
	ch := w.channel("parcel_fsm")
	w.write(ch, "ann", "hi")
	w.hears(ch, "ann", "> hi, < Hello!")
	w.write(ch, "ann", "what?")
	w.hears(ch, "ann", "> hi, < Hello!, > what?, < One., < Two.")
	conn := w.dial("/back/ws/broker/ai/")
	put(t, conn, fmt.Sprintf(`{"type":"llm_request","data":{"llm_config_name":"m","messages":[{"role":"system","content":"S"},{"role":"user","content":"U"}],"bot_channel_name":%q}}`, <-channel))
	get(t, conn)
	var in struct {
		Messages []struct{ Role, Content string }
	}
	w.must(json.Unmarshal([]byte((*asked)[0]), &in))
	if got := fmt.Sprint(in.Messages); got != "[{system S} {user hi} {assistant Hello!} {user what?} {assistant One.\nTwo.} {user U}]" {
		t.Error(got)
	}
	put(t, conn, `{"type":"llm_request","data":{"llm_config_name":"m","bot_channel_name":"`+chat.NewID()+`"}}`)
	if got := get(t, conn); !strings.Contains(got, "no such conversation") {
		t.Error(got)
	}
	get(t, conn)
}

// TestTooManyAsks refuses what is too much, and ends the waiting for it too.
func TestTooManyAsks(t *testing.T) {
	gate := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-gate }))
	defer slow.Close()
	defer close(gate)
	w, _ := wise(t)
	w.server.Limits.Asks = 1
	_, err := w.server.LLM.Add(t.Context(), w.ws, llm.Config{Name: "slow", BaseURL: slow.URL, Model: "m"})
	w.must(err)
	conn := w.dial("/back/ws/broker/ai/")
	frame := `{"type":"llm_request","data":{"llm_config_name":"slow","messages":[{"role":"user","content":"x"}],"use_conversation_context":false,"bot_channel_name":"b"}}`
	put(t, conn, frame)
	put(t, conn, frame)
	if got := get(t, conn); !strings.Contains(got, "more than 1 requests at once") {
		t.Error(got)
	}
	if got := get(t, conn); !strings.Contains(got, `"last_chunk":true`) {
		t.Error(got)
	}
}
