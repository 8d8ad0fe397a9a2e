package rpc

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/rogpeppe/go-internal/txtar"
)

// TestRecorded plays testdata/*.txtar: what a real client and a server said to each other, section by section, in order.
//
//	worker SOCKET   frames that the client sends, one a line; "$ctx" is the context of the newest call
//	hub SOCKET      frames that the hub sends, one a line, member by member; "*" stands for any value
//	human           somebody writes this
//	said            what was said so far
func TestRecorded(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) < 3 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			w, _ := wise(t)
			p := &play{w: w, sockets: map[string]*websocket.Conn{}}
			for _, f := range archive.Files {
				p.section(f.Name, string(f.Data))
			}
		})
	}
}

type play struct {
	w       *world
	sockets map[string]*websocket.Conn
	ctx     json.RawMessage
}

func (p *play) section(name, body string) {
	p.w.t.Helper()
	who, socket, _ := strings.Cut(name, " ")
	if p.sockets[socket] == nil && socket != "" {
		p.sockets[socket] = p.w.dial("/back/ws/broker/" + socket + "/")
	}
	for line := range strings.Lines(body) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		switch who {
		case "worker":
			put(p.w.t, p.sockets[socket], strings.ReplaceAll(line, `"$ctx"`, string(p.ctx)))
		case "hub":
			p.expect(get(p.w.t, p.sockets[socket]), line)
		case "human":
			p.w.write(p.w.channel("parcel_fsm"), "u-77", line)
		case "said":
			p.w.hears(p.w.channel("parcel_fsm"), "u-77", line)
		default:
			p.w.t.Fatalf("section %q", name)
		}
	}
}

func (p *play) expect(got, want string) {
	p.w.t.Helper()
	var frame struct {
		Payload struct {
			Ctx json.RawMessage `json:"ctx"`
		} `json:"payload"`
	}
	var g, x any
	p.w.must(json.Unmarshal([]byte(got), &g))
	if err := json.Unmarshal([]byte(want), &x); err != nil {
		p.w.t.Fatalf("%v: %s", err, want)
	}
	if json.Unmarshal([]byte(got), &frame) == nil && frame.Payload.Ctx != nil {
		p.ctx = frame.Payload.Ctx
	}
	if why := differs("", g, x); why != "" {
		p.w.t.Fatalf("%s\nthe hub sent %s\nwant         %s", why, got, want)
	}
}

// differs compares JSON, in which "*" stands for anything.
func differs(at string, got, want any) string {
	if want == "*" {
		return ""
	}
	switch want := want.(type) {
	case map[string]any:
		got, ok := got.(map[string]any)
		if !ok || len(got) != len(want) {
			return fmt.Sprintf("%s: other members", at)
		}
		for name, w := range want {
			g, ok := got[name]
			if !ok {
				return at + "." + name + ": missing"
			}
			if why := differs(at+"."+name, g, w); why != "" {
				return why
			}
		}
	case []any:
		got, ok := got.([]any)
		if !ok || len(got) != len(want) {
			return at + ": other length"
		}
		for i, w := range want {
			if why := differs(fmt.Sprint(at, ".", i), got[i], w); why != "" {
				return why
			}
		}
	default:
		if got != want {
			return fmt.Sprintf("%s: %v, not %v", at, got, want)
		}
	}
	return ""
}

// FuzzFrames: whatever a worker sends is read or refused, and what was understood is told the same again.
func FuzzFrames(f *testing.F) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for line := range strings.Lines(string(raw)) {
			f.Add([]byte(strings.ReplaceAll(line, `"$ctx"`, `{"conversation_id":12,"call_id":"c1"}`)))
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		in, err := readFrame(raw)
		if err != nil {
			return
		}
		_, _, _ = readDefinition(in.Data)
		r, err := readResult(in.Data)
		if err != nil {
			if _, err := encode(resultError(err)); err != nil {
				t.Fatal(err)
			}
			return
		}
		_, _ = r.score()
		var a answer
		if a.add(r) != nil {
			return
		}
		if a.open == nil && len(r.Layers) > 0 && len(a.take()) != 1 || r.Last && !a.ended && !a.ending {
			t.Fatalf("%+v", a)
		}
	})
}

// FuzzParsers: whatever a worker says of parsers is read or refused.
func FuzzParsers(f *testing.F) {
	f.Add([]byte(`{"parsers":["p1"]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		p := newParsers()
		c := &socket{}
		if p.join(c, raw) == nil && len(p.names[c]) > maxParsers {
			t.Fatal("too many names")
		}
	})
}

// FuzzAsks: whatever a worker asks of a model is read or refused.
func FuzzAsks(f *testing.F) {
	f.Add([]byte(`{"llm_config_name":"m","messages":[{"role":"user","content":"hi"}],"tools":[{"function":{"name":"f"}}],"thinking":"low"}`))
	f.Add([]byte(`{"llm_config_name":"m","messages":[{"role":"user"}],"thinking":{"type":"enabled","budget_tokens":9},"cache_config":{"name":"c","ttl":1}}`))
	f.Add([]byte(`{"llm_config_name":"m","messages":[{"role":"user","content":[{"type":"tool_result","tool_result":{"id":"t","result":[1]}}]}]}`))
	f.Add([]byte(`{"messages":[{"content":null}],"stream":true,"response_schema":{}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		a := &ask{data: raw}
		var in llmData
		if a.read(&in) != nil || in.check() != nil {
			return
		}
		r, err := in.request()
		if err == nil && len(r.Messages) != len(in.Messages) {
			t.Fatal("messages are lost")
		}
	})
}
