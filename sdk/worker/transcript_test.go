package worker_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// step is one frame of a recorded conversation between a hub and a worker. In frames of the worker "$" stands
// for any value, "$x" for one that is the same wherever $x stands and different from all others.
type step struct {
	Socket string          `json:"socket"` // rpc if empty
	Hub    json.RawMessage `json:"hub"`
	Worker any             `json:"worker"`
}

func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var recorded struct {
				Steps []step `json:"steps"`
			}
			if err := json.Unmarshal(raw, &recorded); err != nil {
				t.Fatal(err)
			}
			replay(t, recorded.Steps)
		})
	}
}

func replay(t *testing.T, steps []step) {
	t.Helper()
	h := newHub(t)
	stop := h.start(parcel(), nil)
	rpc, ai := receive(t, h.rpc, "rpc socket"), receive(t, h.ai, "ai socket")
	names := map[string]any{}
	for i, s := range steps {
		p := rpc
		if s.Socket == "ai" {
			p = ai
		}
		if s.Hub != nil {
			p.send(s.Hub)
			continue
		}
		raw := p.registration
		if len(steps) > 1 {
			raw = receive(t, p.frames, fmt.Sprintf("frame of step %d", i))
		}
		var got any
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Fatal(err)
		}
		if why := match(s.Worker, got, names); why != "" {
			t.Fatalf("step %d: %s\n got %s\nwant %s", i, why, raw, encode(t, s.Worker))
		}
	}
	stop()
	if n := len(rpc.frames) + len(ai.frames); n > 0 {
		t.Errorf("%d more frames: %s", n, <-rpc.frames)
	}
}

// match tells where got differs from want; names are the placeholders known so far.
func match(want, got any, names map[string]any) string {
	switch want := want.(type) {
	case map[string]any:
		object, _ := got.(map[string]any)
		if len(object) != len(want) {
			return fmt.Sprintf("keys: got %v, want %v", got, want)
		}
		for key := range want {
			if why := match(want[key], object[key], names); why != "" {
				return key + ": " + why
			}
		}
		return ""
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return fmt.Sprintf("got %v, want %v", got, want)
		}
		for i := range want {
			if why := match(want[i], list[i], names); why != "" {
				return fmt.Sprintf("%d: %s", i, why)
			}
		}
		return ""
	case string:
		if strings.HasPrefix(want, "$") {
			return bind(want, got, names)
		}
	}
	if !reflect.DeepEqual(want, got) {
		return fmt.Sprintf("got %v, want %v", got, want)
	}
	return ""
}

func bind(name string, got any, names map[string]any) string {
	if id, ok := got.(string); !ok || len(id) != 36 {
		return fmt.Sprintf("%v is no UUID", got)
	}
	if name == "$" {
		return ""
	}
	known, ok := names[name]
	if ok && known != got {
		return fmt.Sprintf("%s changes from %v to %v", name, known, got)
	}
	for other, value := range names {
		if other != name && value == got {
			return fmt.Sprintf("%s and %s are the same", name, other)
		}
	}
	names[name] = got
	return ""
}
