package llm_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/llm"
	"github.com/dragoman-hub/dragoman/outbound"
)

const key = "key-77-secret"

// endpoint is a real server that plays an endpoint.
func endpoint(t testing.TB, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL + "/v1"
}

func client(t testing.TB, base string, change ...func(*llm.Options)) *llm.Client {
	t.Helper()
	o := llm.Options{HTTP: outbound.Client(outbound.Options{AllowPrivate: true}), BaseURL: base, Model: "m", Key: key}
	for _, f := range change {
		f(&o)
	}
	c, err := llm.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// ask is a request that is good enough.
func ask() llm.Request { return llm.Request{Messages: []llm.Message{llm.Say(llm.User, "hi")}} }

// transcript answers with what a file says: status and MIME type, headers, a blank line, the body line by line, with these line ends.
func transcript(raw []byte, end string) http.HandlerFunc {
	head, body, _ := strings.Cut(string(raw), "\n\n")
	return func(w http.ResponseWriter, _ *http.Request) {
		status, headers, _ := strings.Cut(head, "\n")
		code, mime, _ := strings.Cut(status, " ")
		w.Header().Set("Content-Type", mime)
		for line := range strings.Lines(headers) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			w.Header().Set(name, value)
		}
		n, _ := strconv.Atoi(code)
		w.WriteHeader(n)
		for line := range strings.Lines(body) {
			_, _ = io.WriteString(w, strings.Replace(line, "\n", end, 1))
			w.(http.Flusher).Flush()
		}
	}
}

func shown(a llm.Answer, err error) string {
	var b strings.Builder
	if err != nil {
		fmt.Fprintln(&b, "error:", err)
		return b.String()
	}
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&b, "%s: %s\n", name, text)
		}
	}
	line("thought", a.Reasoning)
	line("text", a.Text())
	for _, p := range a.Content {
		if p.ToolUse != nil {
			line("call", p.ToolUse.ID+" "+p.ToolUse.Name+" "+strings.ReplaceAll(string(p.ToolUse.Args), "\n", ""))
		}
	}
	line("stop", string(a.Stop))
	if a.Usage != (llm.Usage{}) {
		line("usage", fmt.Sprint(a.Usage.InputTokens, a.Usage.OutputTokens, a.Usage.CachedTokens))
	}
	line("model", a.Model)
	return b.String()
}

// TestTranscripts plays what endpoints answer. Asked for a stream or for the whole, the answer is the same: some do not do as asked.
func TestTranscripts(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) < 25 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			raw, want := a.Files[0].Data, string(a.Files[1].Data)
			for _, end := range []string{"\n", "\r\n"} {
				c := client(t, endpoint(t, transcript(raw, end)))
				if got := shown(c.Complete(t.Context(), ask())); got != want {
					t.Errorf("%q, whole:\n%swant:\n%s", end, got, want)
				}
				if got := shown(llm.Collect(c.Stream(t.Context(), ask()))); got != want {
					t.Errorf("%q, streamed:\n%swant:\n%s", end, got, want)
				}
			}
		})
	}
}

// sent keeps the last request and gives a short answer.
func sent(t testing.TB, into *map[string]any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != "/v1/chat/completions" || r.Header.Get("Content-Type") != "application/json" ||
			r.Header.Get("Authorization") != "Bearer "+key {
			t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
		}
		*into = nil
		if err := json.NewDecoder(r.Body).Decode(into); err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(w, `{"choices":[{"index":0,"message":{"content":"ok"},"finish_reason":"stop"}]}`)
	}
}

func TestRequests(t *testing.T) {
	var got map[string]any
	base := endpoint(t, sent(t, &got))
	warm, seed := 0.7, int64(42)
	full := ask()
	full.Temperature, full.MaxTokens, full.Seed, full.Reasoning = &warm, 100, &seed, "low"
	tools := ask()
	tools.Tools = []llm.Tool{{Name: "f", Description: "d", Parameters: json.RawMessage(`{"type":"object"}`)}}
	tools.ToolChoice = "f"
	anyTool := tools
	anyTool.ToolChoice = "any"
	schema := ask()
	schema.Schema = json.RawMessage(`{"type":"object"}`)
	talk := llm.Request{Messages: []llm.Message{
		llm.Say(llm.System, "be kind"),
		llm.Say(llm.User, "weather?"),
		{Role: llm.Assistant, Content: []llm.Part{{Text: "wait"}, {ToolUse: &llm.ToolUse{ID: "1", Name: "f", Args: json.RawMessage(`{"a":1}`)}}}},
		{Role: llm.User, Content: []llm.Part{{ToolResult: &llm.ToolResult{ID: "1", Result: "sunny"}}, {Text: "a"}, {Text: "b"}}},
		{Role: llm.Assistant},
	}}
	for _, c := range []struct {
		name     string
		request  llm.Request
		defaults llm.ModelDefaults
		want     string
	}{
		{"least", ask(), llm.ModelDefaults{}, `{"model":"m","messages":[{"role":"user","content":"hi"}]}`},
		{"full", full, llm.ModelDefaults{}, `{"model":"m","messages":[{"role":"user","content":"hi"}],"temperature":0.7,"max_tokens":100,"seed":42,"reasoning_effort":"low"}`},
		{"defaults", ask(), llm.ModelDefaults{Temperature: &warm, MaxTokens: 9, Seed: &seed, Reasoning: "high"}, `{"model":"m","messages":[{"role":"user","content":"hi"}],"temperature":0.7,"max_tokens":9,"seed":42,"reasoning_effort":"high"}`},
		{"what an endpoint refuses", full, llm.ModelDefaults{Omit: []string{"temperature", "seed", "reasoning_effort"}, MaxCompletionTokens: true}, `{"model":"m","messages":[{"role":"user","content":"hi"}],"max_completion_tokens":100}`},
		{"extra", ask(), llm.ModelDefaults{Extra: json.RawMessage(`{"top_k":5,"model":"other"}`)}, `{"model":"m","messages":[{"role":"user","content":"hi"}],"top_k":5}`},
		{"tools", tools, llm.ModelDefaults{}, `{"model":"m","messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}}],"tool_choice":{"type":"function","function":{"name":"f"}}}`},
		{"any tool", anyTool, llm.ModelDefaults{}, `{"model":"m","messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}}],"tool_choice":"required"}`},
		{"schema", schema, llm.ModelDefaults{}, `{"model":"m","messages":[{"role":"user","content":"hi"}],"response_format":{"type":"json_schema","json_schema":{"name":"answer","schema":{"type":"object"}}}}`},
		{"a talk with tools", talk, llm.ModelDefaults{}, `{"model":"m","messages":[{"role":"system","content":"be kind"},{"role":"user","content":"weather?"},{"role":"assistant","content":"wait","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},{"role":"tool","tool_call_id":"1","content":"sunny"},{"role":"user","content":"a\n\nb"}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := client(t, base, func(o *llm.Options) { o.Defaults = c.defaults })
			if _, err := cl.Complete(t.Context(), c.request); err != nil {
				t.Fatal(err)
			}
			var want map[string]any
			if err := json.Unmarshal([]byte(c.want), &want); err != nil {
				t.Fatal(err)
			}
			if a, b := asJSON(got), asJSON(want); a != b {
				t.Errorf("sent %s\nwant %s", a, b)
			}
			if _, err := llm.Collect(cl.Stream(t.Context(), c.request)); err != nil {
				t.Fatal(err)
			}
			if got["stream"] != true || asJSON(got["stream_options"]) != `{"include_usage":true}` {
				t.Errorf("streamed: %s", asJSON(got))
			}
		})
	}
}

func asJSON(v any) string {
	raw, _ := json.Marshal(v)
	return string(raw)
}

func TestRequestsThatAreRefused(t *testing.T) {
	c := client(t, endpoint(t, func(http.ResponseWriter, *http.Request) { t.Error("it was sent") }))
	tool := []llm.Tool{{Name: "f"}}
	for name, r := range map[string]llm.Request{
		"no messages":        {},
		"too many":           {Messages: make([]llm.Message, 2001)},
		"a role":             {Messages: []llm.Message{llm.Say("judge", "x")}},
		"tools and a schema": {Messages: ask().Messages, Tools: tool, Schema: json.RawMessage(`{}`)},
		"a bad schema":       {Messages: ask().Messages, Schema: json.RawMessage(`[]`)},
		"an unknown tool":    {Messages: ask().Messages, Tools: tool, ToolChoice: "g"},
		"a nameless tool":    {Messages: ask().Messages, Tools: []llm.Tool{{}}},
		"bad parameters":     {Messages: ask().Messages, Tools: []llm.Tool{{Name: "f", Parameters: json.RawMessage("5")}}},
		"too many tools":     {Messages: ask().Messages, Tools: make([]llm.Tool, 129)},
		"too large":          {Messages: []llm.Message{llm.Say(llm.User, strings.Repeat("x", 5<<20))}},
		"max_tokens":         {Messages: ask().Messages, MaxTokens: -1},
	} {
		_, err1 := c.Complete(t.Context(), r)
		_, err2 := llm.Collect(c.Stream(t.Context(), r))
		for _, err := range []error{err1, err2} {
			if code := chat.CodeOf(err); code != chat.CodeInvalid && code != chat.CodeTooLarge {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	for _, base := range []string{"", "ftp://e.example", "e.example/v1", "https://user:pw@e.example/v1", "https://e.example/v1?key=x", "https://e.example/#x", "http://", "http://%zz"} {
		if _, err := llm.New(llm.Options{HTTP: http.DefaultClient, BaseURL: base}); chat.CodeOf(err) != chat.CodeInvalid {
			t.Errorf("%q: %v", base, err)
		}
	}
}

func TestPastedAddresses(t *testing.T) {
	var got map[string]any
	base := endpoint(t, sent(t, &got))
	for _, suffix := range []string{"", "/", "//", "/chat/completions", "/chat/completions/"} {
		if _, err := client(t, " "+base+suffix).Complete(t.Context(), ask()); err != nil {
			t.Errorf("%q: %v", suffix, err)
		}
	}
}

func TestUnreachable(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	_, err := client(t, s.URL).Complete(t.Context(), ask())
	if chat.CodeOf(err) != chat.CodeUnavailable || !strings.Contains(err.Error(), "cannot be reached") {
		t.Error(err)
	}
	guarded := client(t, s.URL, func(o *llm.Options) { o.HTTP = outbound.Client(outbound.Options{}) })
	if _, err := guarded.Complete(t.Context(), ask()); chat.CodeOf(err) != chat.CodeInvalid || !strings.Contains(err.Error(), "private") {
		t.Error(err)
	}
}

func TestJSON(t *testing.T) {
	for text, want := range map[string]string{
		`{"a":1}`: `{"a":1}`, " [1]\n": "[1]", "```json\n{\"a\":1}\n```": `{"a":1}`, "```\n5\n```": "5", "Sure! {}": "", "": "",
	} {
		a := llm.Answer{Content: []llm.Part{{Text: text}}}
		got, err := a.JSON()
		if string(got) != want || (err != nil) != (want == "") {
			t.Errorf("%q: %s, %v", text, got, err)
		}
	}
}
